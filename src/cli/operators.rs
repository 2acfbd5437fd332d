//! What operators do: what waits for a person, inquiries out of turn, verdicts, and channels where nothing new begins. Each
//! asks for a reason and writes it down; none moves money.

mod waiting;

use super::acts::{Desk, Who, failed};
use super::arguments::{Freeze, Inquire, Resolve, Review, Thaw, Waiting};
use super::table::{Cell, Table};
use super::{Answer, Failure, colour, daemon, json};
use crate::care::acts::{channel_of, channels, freeze_of, pause};
use crate::config::Config;
use crate::journal::Journal;
use crate::journal::rows::{ActOutcome, ActRow, Deed, EventRow, Filter};
use crate::purchase::input::{ChannelCall, GrantCall, Input};
use crate::purchase::questions;
use crate::purchase::record::{ReviewReason, State};
use crate::story;
use crate::story::moment::{local, utc};
use crate::telemetry::{Output, Telemetry};
use serde_json::json;
use tokio::time::Instant;

/// Purchases in one list at most; more than that many need more than a list.
const LIST: u32 = 10_000;

pub(super) fn review(verb: Review, log: Option<&str>) -> Result<Answer, Failure> {
    match verb {
        Review::List(asked) => list(&asked, log),
        Review::Resolve(asked) => resolve(&asked, log),
    }
}

/// The configuration, and logs for as long as the second lives.
pub(super) fn begin(at: &super::arguments::At, log: Option<&str>) -> Result<(Config, Telemetry), Failure> {
    let config = daemon::load(&at.config)?;
    Ok((config, daemon::logs(log.unwrap_or("warn"), Output::Readable)?))
}

fn list(asked: &Waiting, log: Option<&str>) -> Result<Answer, Failure> {
    let (config, _telemetry) = begin(&asked.at, log)?;
    daemon::runtime()?.block_on(async {
        let journal = Journal::open_for_reading(&config.journal).await.map_err(failed)?;
        let filter = Filter { state: Some(State::Review.as_str().to_owned()), limit: LIST, ..Filter::default() };
        let mut found = journal.list(&filter).await.map_err(failed)?;
        found.reverse();
        let now = journal.now().await.map_err(failed)?;
        let waiting: Vec<_> = found.iter().map(|listed| waiting::Waiting::of(&listed.purchase, now)).collect();
        Ok(Answer::yes(if asked.json { json(&waiting)? } else { waiting::table(&waiting, colour()) }))
    })
}

fn resolve(asked: &Resolve, log: Option<&str>) -> Result<Answer, Failure> {
    let (config, _telemetry) = begin(&asked.at, log)?;
    let who = Who::of(&asked.by)?;
    daemon::runtime()?.block_on(async {
        let (id, desk, end) = (&asked.id, Desk::open(&config).await?, Instant::now() + asked.wait.wait);
        let purchase = desk.purchase(id).await?;
        let deed = Deed::Resolve { purchase: id.clone(), verdict: asked.verdict };
        if let Some(objection) = desk.objection(&purchase, &deed, asked.evidence.as_deref()).await? {
            return Err(Failure::No(format!("{objection}; purchase {id} is {}", purchase.state.as_str())));
        }
        let number = desk.write(who, deed, asked.evidence.clone()).await?;
        let outcome = desk.carried_out(number, id, end).await?;
        let stands = desk.purchase(id).await?.state.as_str();
        match outcome {
            ActOutcome::CarriedOut if purchase.told == Some(asked.verdict.end()) => {
                Ok(Answer::yes(format!("{id} is resolved: {stands}. The subscriber had been told so before.\n")))
            }
            ActOutcome::CarriedOut => {
                Ok(Answer::yes(format!("{id} is resolved: {stands}. The subscriber is told by text.\n")))
            }
            ActOutcome::Refused => {
                let what = "had moved on when a daemon took your verdict, which changed nothing";
                Err(Failure::No(format!("purchase {id} {what}; it is {stands} now")))
            }
        }
    })
}

pub(super) fn inquire(asked: &Inquire, log: Option<&str>) -> Result<Answer, Failure> {
    let (config, _telemetry) = begin(&asked.at, log)?;
    let who = Who::of(&asked.by)?;
    daemon::runtime()?.block_on(async {
        let (id, desk, end) = (&asked.id, Desk::open(&config).await?, Instant::now() + asked.wait.wait);
        let purchase = desk.purchase(id).await?;
        let (questions, deed) = (questions(&purchase).len(), Deed::Inquire { purchase: id.clone() });
        let nothing = |state: &str| {
            Failure::No(format!("purchase {id} is {state}: nothing about it is unknown, so nobody was asked"))
        };
        if desk.objection(&purchase, &deed, None).await?.is_some() {
            return Err(nothing(purchase.state.as_str()));
        }
        let number = desk.write(who, deed, None).await?;
        match desk.carried_out(number, id, end).await? {
            ActOutcome::CarriedOut => heard(&desk, id, number, questions, end).await,
            ActOutcome::Refused => Err(nothing(desk.purchase(id).await?.state.as_str())),
        }
    })
}

/// What the peers answered, or that they have not yet.
async fn heard(desk: &Desk, id: &str, number: i64, questions: usize, end: Instant) -> Result<Answer, Failure> {
    loop {
        let Some(story) = desk.journal.story(id).await.map_err(failed)? else {
            return Err(Failure::No(format!("purchase {id} cannot be read any more")));
        };
        let answers = answers_to(&story.events, number);
        if answers.len() < questions && Instant::now() < end {
            pause(end).await;
            continue;
        }
        let mut table = Table::default();
        for (row, input) in answers.iter().take(questions) {
            let (_, says) = story::event(input, row, &story.purchase);
            table.facts([(who_answers(input, &story.purchase.order.channel), says.as_str())]);
            table.facts(story::heard(input).map(|heard| ("", heard)));
        }
        if answers.len() < questions {
            table.facts([("no answer yet", "it is written down when it comes: see `paygate purchases show`")]);
        }
        table.facts([("state", story.purchase.state.as_str())]);
        table.facts(story.purchase.review.iter().map(|reason| ("review", ReviewReason::as_str(*reason))));
        return Ok(Answer::yes(table.render(colour())));
    }
}

fn who_answers<'c>(input: &Input, channel: &'c str) -> &'c str {
    match input {
        Input::Grant { .. } | Input::Checked { .. } => "package manager",
        _ => channel,
    }
}

/// The answers to inquiries that came after the act was carried out.
fn answers_to(events: &[EventRow], number: i64) -> Vec<(&EventRow, Input)> {
    let read = |row: &EventRow| serde_json::from_str::<Input>(&row.body).ok();
    let is_the_act = |row: &&EventRow| matches!(read(row), Some(Input::Inquire { by }) if by.act == number);
    let Some(seq) = events.iter().find(is_the_act).map(|row| row.seq) else { return Vec::new() };
    let is_answer = |input: &Input| {
        matches!(
            input,
            Input::Channel { call: ChannelCall::InquireCharge | ChannelCall::InquireRefund, .. }
                | Input::Grant { call: GrantCall::InquireGrant, .. }
                | Input::Checked { .. }
        )
    };
    let later = events.iter().filter(|row| row.seq > seq).filter_map(|row| Some((row, read(row)?)));
    later.filter(|(_, input)| is_answer(input)).collect()
}

pub(super) fn freeze(asked: &Freeze, log: Option<&str>) -> Result<Answer, Failure> {
    let (config, _telemetry) = begin(&asked.at, log)?;
    let Some(channel) = asked.channel.as_ref().filter(|_| !asked.list) else { return frozen(&config, asked.json) };
    let known: Vec<&str> = channels(&config).collect();
    if !known.contains(&channel.as_str()) {
        let known = known.join(", ");
        return Err(Failure::Usage(format!("no channel {channel:?} is configured; the channels are {known}")));
    }
    daemon::runtime()?.block_on(async {
        let desk = Desk::open(&config).await?;
        if let Some(freeze) = freeze_of(&desk.journal, channel).await.map_err(failed)? {
            return Ok(Answer::yes(format!("{channel} is frozen already: {}\n", by(&freeze))));
        }
        desk.write(Who::of(&asked.by)?, Deed::Freeze { channel: channel.clone() }, None).await?;
        let poll = config.engine.poll;
        Ok(Answer::yes(format!(
            "{channel} is frozen: every daemon obeys within {poll:?}, and after a restart.\nNo new charge begins there; \
             inquiries, grants, refunds and cancellations go on.\nEnd it with `paygate thaw {channel} --reason ...`.\n"
        )))
    })
}

pub(super) fn thaw(asked: &Thaw, log: Option<&str>) -> Result<Answer, Failure> {
    let (config, _telemetry) = begin(&asked.at, log)?;
    daemon::runtime()?.block_on(async {
        let (channel, desk) = (&asked.channel, Desk::open(&config).await?);
        let Some(freeze) = freeze_of(&desk.journal, channel).await.map_err(failed)? else {
            return Err(Failure::No(format!("{channel} is not frozen; `paygate freeze` lists the channels that are")));
        };
        desk.write(Who::of(&asked.by)?, Deed::Thaw { channel: channel.clone() }, None).await?;
        let since = format!("It was frozen {}.", by(&freeze));
        Ok(Answer::yes(format!(
            "{channel} is thawed: charges begin there again within {:?}. {since}\n",
            config.engine.poll
        )))
    })
}

fn by(act: &ActRow) -> String {
    format!("since {} by {}: {}", local(act.at), act.act.operator, act.act.reason)
}

fn frozen(config: &Config, as_json: bool) -> Result<Answer, Failure> {
    daemon::runtime()?.block_on(async {
        let journal = Journal::open_for_reading(&config.journal).await.map_err(failed)?;
        let freezes = journal.freezes().await.map_err(failed)?;
        if as_json {
            let entry = |row: &ActRow| {
                let act = &row.act;
                json!({ "channel": channel_of(row), "since": utc(row.at), "operator": act.operator, "reason": act.reason })
            };
            return Ok(Answer::yes(json(&freezes.iter().map(entry).collect::<Vec<_>>())?));
        }
        if freezes.is_empty() {
            return Ok(Answer::yes("no channel is frozen\n".to_owned()));
        }
        let mut table = Table::default();
        table.heading(&["CHANNEL", "FROZEN SINCE", "BY", "REASON"]);
        for row in &freezes {
            let cells = [channel_of(row), &local(row.at), &row.act.operator, &row.act.reason];
            table.row(cells.map(Cell::new));
        }
        Ok(Answer::yes(table.render(colour())))
    })
}
