//! The channels' statements, for the accountant: what was imported and what it left open, with its owner and age. Shows, and
//! leaves the doing to `discrepancy.rs` and `upload.rs`.

mod discrepancy;
mod export;
mod job;
mod progress;
mod upload;

use super::Care;
use super::discrepancies::Entry;
use super::frame::{self, Place, age, field, pill, select, time, words};
use super::html::{El, Html, el};
use super::ledger::{Column, ledger};
use super::session::Visitor;
use crate::journal::JournalError;
use crate::journal::reconciliation::{
    DiscrepancyFilter, DiscrepancyRow, Standing, StatementInfo, StatementState, Total,
};
use crate::people::Right;
use crate::purchase::money::grouped;
use crate::reconcile::money;
use crate::story::timeline::Tone;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
pub(super) use discrepancy::{act, one};
pub(super) use export::csv;
pub(super) use job::Job;
pub(super) use progress::progress;
use serde::Deserialize;
use std::collections::BTreeMap;
pub(super) use upload::given;

/// What is asked for; each is in the page's address.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    channel: String,
    day: String,
    owner: String,
    standing: String,
    /// Where the page before ended: `opened_at.number`.
    after: String,
    /// Statements of this day or an earlier one.
    until: String,
}

impl Asked {
    fn filter(&self, limit: u32) -> DiscrepancyFilter {
        DiscrepancyFilter {
            channel: given_word(&self.channel),
            day: given_word(&self.day),
            owner: given_word(&self.owner),
            standing: Standing::of(&self.standing),
            after: self.after.split_once('.').and_then(|(at, number)| Some((at.parse().ok()?, number.parse().ok()?))),
            limit,
            ..DiscrepancyFilter::default()
        }
    }

    /// The same question with some of it put another way.
    fn query(&self, other: &[(&str, &str)]) -> String {
        let own = [
            ("channel", self.channel.as_str()),
            ("day", &self.day),
            ("owner", &self.owner),
            ("standing", &self.standing),
            ("until", &self.until),
        ];
        let kept = own.into_iter().filter(|(name, _)| other.iter().all(|(another, _)| another != name));
        let all = kept.chain(other.iter().copied()).filter(|(_, value)| !value.is_empty());
        form_urlencoded::Serializer::new(String::new()).extend_pairs(all).finish()
    }
}

fn given_word(text: &str) -> Option<String> {
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

pub(super) async fn page(State(care): State<Care>, visitor: Visitor, Query(asked): Query<Asked>) -> Response {
    if !visitor.role.may(Right::ReadStatements) {
        return frame::forbidden(&visitor, "Statements", Place::Statements, Right::ReadStatements);
    }
    match content(&care, &visitor, &asked).await {
        Ok(content) => frame::page(&visitor, "Statements", Place::Statements, "", content).document().into_response(),
        Err(error) => care.failed(&error),
    }
}

async fn content(care: &Care, visitor: &Visitor, asked: &Asked) -> Result<Html, JournalError> {
    let (journal, size) = (&care.0.journal, care.0.settings.page);
    // One more than is shown tells whether there is a next page.
    let mut open = journal.discrepancies(&asked.filter(size + 1)).await?;
    let more = open.len() > size as usize;
    open.truncate(size as usize);
    let now = journal.now().await?;
    let (channel, day) = (given_word(&asked.channel), given_word(&asked.day));
    let until = day.clone().or_else(|| given_word(&asked.until));
    let imported = journal.statements(channel.as_deref(), day.as_deref(), until.as_deref(), size).await?;
    let imported = statements(care, asked, &imported).await?;
    let next = open.last().filter(|_| more).map(|last| {
        let after = format!("{}.{}", last.opened_at, last.number);
        let link = format!("/care/statements?{}", asked.query(&[("after", &after)]));
        el("p").class("more").add(el("a").class("button quiet").attr("rel", "next").attr("href", &link).text("Newer"))
    });
    let give = visitor
        .role
        .may(Right::Reconcile)
        .then(|| el("a").class("button").attr("href", progress::AT).text("Import a statement"));
    Ok(Html::from_iter::<[Html; 5]>([
        el("div").class("heading").add(el("h1").text("Statements")).all(give).into(),
        filters(care, asked).into(),
        left(asked, &open, now),
        next.into(),
        imported,
    ]))
}

fn filters(care: &Care, asked: &Asked) -> El {
    let all = || [("", "all")].into_iter();
    let channels = care.0.statements.keys().map(|channel| (channel.as_str(), channel.as_str()));
    let standings = Standing::ALL.iter().filter(|one| !matches!(one, Standing::Matched | Standing::Ignored));
    let standings = standings.map(|one| (one.as_str(), one.as_str()));
    let input = |name, value: &str| el("input").attr("name", name).attr("value", value);
    el("form")
        .class("filters")
        .attr("action", "/care/statements")
        .add(field("Channel", select("channel", &asked.channel, all().chain(channels))))
        .add(field("Day", input("day", &asked.day).attr("type", "date")))
        .add(field("Owner", input("owner", &asked.owner)))
        .add(field("Stands", select("standing", &asked.standing, all().chain(standings))))
        .add(el("button").class("quiet").text("Show"))
}

/// What did not match and is open, the oldest first.
fn left(asked: &Asked, open: &[DiscrepancyRow], now: i64) -> Html {
    use Column::{Figure, Word};
    let heading = el("h2").text("Open").add(el("small").text("the oldest first"));
    if open.is_empty() {
        let nothing = el("p").class("card nothing").text("Nothing is left to anybody.");
        return Html::from(el("section").add(heading).add(nothing));
    }
    let columns = [
        Word("Number"),
        Word("Stands"),
        Word("Channel"),
        Word("Owner"),
        Word("Age"),
        Figure("Theirs"),
        Figure("Ours"),
        Word("Purchase"),
        Word("Why"),
    ];
    let rows = open.iter().map(|row| {
        let entry = Entry::of(row, now);
        let number = entry.number.to_string();
        [
            el("a").attr("href", &format!("/care/discrepancies/{number}")).text(&number).into(),
            standing(row).into(),
            Html::from_iter([Html::text(entry.channel), el("small").text(entry.day).into()]),
            Html::text(entry.owner),
            Html::text(&age(entry.age_seconds * 1_000_000)),
            Html::text(&money(entry.theirs, row.currency)),
            Html::text(&money(entry.ours, row.currency)),
            bought(row),
            Html::text(entry.note),
        ]
    });
    let take = format!("/care/discrepancies.csv?{}", asked.query(&[]));
    let take = el("a").class("again").attr("href", &take).text("CSV");
    let heading = el("div").class("heading").add(heading).add(take);
    el("section").class("paper").add(heading).add(ledger(columns, rows).attr("data-list", "open")).into()
}

fn standing(row: &DiscrepancyRow) -> El {
    let tone = match row.standing {
        _ if row.closed.is_some() => Tone::Good,
        Standing::Weak | Standing::Carried => Tone::Unknown,
        _ => Tone::Person,
    };
    pill(row.closed.map_or(row.standing.as_str(), |(_, closing)| closing.as_str()), Some(tone))
}

/// The purchase, or what the channel calls it.
fn bought(row: &DiscrepancyRow) -> Html {
    match &row.purchase {
        // The first part is enough to tell it from its neighbours.
        Some(id) => {
            let short: String = id.chars().take(8).collect();
            el("a").attr("href", &format!("/care/purchases/{id}")).attr("title", id).text(&short).into()
        }
        None => Html::text(row.reference.as_deref().unwrap_or("–")),
    }
}

/// What was imported, the newest day first.
async fn statements(care: &Care, asked: &Asked, imported: &[StatementInfo]) -> Result<Html, JournalError> {
    use Column::{Figure, Word};
    let heading = el("h2").text("Imported").add(el("small").text("the newest day first"));
    if imported.is_empty() {
        let nothing = el("p").class("card nothing").text("No statement is imported.");
        return Ok(el("section").add(heading).add(nothing).into());
    }
    let numbers: Vec<i64> = imported.iter().map(|statement| statement.number).collect();
    let open = care.0.journal.open_of(&numbers).await?;
    let mut rows = Vec::new();
    for statement in imported {
        let totals = care.0.journal.statement_totals(statement.number).await?;
        rows.push(statement_row(care, statement, &totals, &open));
    }
    let columns = [Word("Day"), Word("Channel"), Word("State"), Word("Imported"), Word("Rows"), Figure("Open")];
    let older = imported.last().filter(|_| imported.len() >= care.0.settings.page as usize).map(|last| {
        let link = format!("/care/statements?{}", asked.query(&[("until", &last.day)]));
        el("p").class("more").add(el("a").class("button quiet").attr("href", &link).text("Older days"))
    });
    let table = ledger(columns, rows).attr("data-list", "imported");
    Ok(el("section").class("paper").add(heading).add(table).add(Html::from(older)).into())
}

fn statement_row(care: &Care, statement: &StatementInfo, totals: &[Total], open: &BTreeMap<i64, i64>) -> [Html; 6] {
    let version = format!("version {}", statement.version);
    let tone = match statement.state {
        StatementState::Done => Some(Tone::Good),
        StatementState::Superseded => None,
        StatementState::Reading | StatementState::Matching => Some(Tone::Unknown),
    };
    let link = format!("/care/settlement?day={}&channel={}", statement.day, statement.channel);
    let left = match open.get(&statement.number) {
        None => Html::text("–"),
        Some(count) => {
            let link = format!("/care/statements?channel={}&day={}", statement.channel, statement.day);
            el("a").attr("href", &link).text(&grouped(count.unsigned_abs(), ",")).into()
        }
    };
    [
        el("a").attr("href", &link).add(el("time").text(&statement.day)).into(),
        Html::text(&statement.channel),
        Html::from_iter([pill(statement.state.as_str(), tone), el("small").text(&version)]),
        Html::from_iter([time(statement.begun_at), el("small").text(&statement.begun_by)]),
        how_far(care, statement, totals),
        left,
    ]
}

/// The rows by how they stand; or, of one that is not read to its end, what is to be done about it.
fn how_far(care: &Care, statement: &StatementInfo, totals: &[Total]) -> Html {
    if matches!(statement.state, StatementState::Reading | StatementState::Matching) {
        if care.0.job.is_about(&statement.channel, &statement.day) {
            return el("a").attr("href", progress::AT).text("being read now").into();
        }
        let line = grouped(statement.position.line.unsigned_abs(), ",");
        return Html::text(&format!(
            "not read to its end (line {line}). If nobody is reading it, give the same file again: it goes on from there"
        ));
    }
    let mut by_standing = BTreeMap::<Standing, i64>::new();
    for total in totals {
        *by_standing.entry(total.standing).or_default() += total.rows;
    }
    let told = by_standing
        .iter()
        .map(|(standing, rows)| format!("{} {}", grouped(rows.unsigned_abs(), ","), words(standing.as_str())));
    Html::text(&told.collect::<Vec<_>>().join(", "))
}
