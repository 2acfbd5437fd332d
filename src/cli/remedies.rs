//! `paygate grant`, `refund`, `mark-paid`, `mark-granted` and `acts`: what a person has decided to have done, and the second
//! person's word where one is needed. Writes acts that a daemon carries out; moves nothing itself.

use super::acts::{Desk, Who, failed, operator};
use super::arguments::{Acts, Confirm, Grant, Mark, Ordered, Refund, Waiting, Withdraw};
use super::operators::begin;
use super::table::{Cell, Table};
use super::{Answer, Failure, colour, daemon, json};
use crate::journal::Journal;
use crate::journal::rows::{ActOutcome, ActRow, Deed};
use crate::purchase::input::Remedy;
use crate::purchase::money::Money;
use crate::purchase::record::{Purchase, ReviewReason};
use crate::story::moment::{local, utc};
use crate::story::ordered;
use serde_json::json;
use tokio::time::Instant;

pub(super) fn grant(asked: &Grant, log: Option<&str>) -> Result<Answer, Failure> {
    order(&asked.id, asked.overrides, &asked.ordered, log, |_| Ok(Remedy::Grant))
}

pub(super) fn mark(asked: &Mark, remedy: Remedy, log: Option<&str>) -> Result<Answer, Failure> {
    order(&asked.id, false, &asked.ordered, log, |_| Ok(remedy))
}

pub(super) fn refund(asked: &Refund, log: Option<&str>) -> Result<Answer, Failure> {
    let typed = |purchase: &Purchase| {
        let charge = purchase.charge.as_ref().ok_or_else(|| Failure::No("nothing was charged here".to_owned()))?;
        Ok(Remedy::Refund { amount: Money::new(asked.amount, charge.amount.currency) })
    };
    order(&asked.id, asked.overrides, &asked.ordered, log, typed)
}

/// Writes the act, and waits for a daemon to carry it out unless a second person has to confirm it first.
fn order(
    id: &str,
    overrides: bool,
    ordered: &Ordered,
    log: Option<&str>,
    remedy: impl FnOnce(&Purchase) -> Result<Remedy, Failure>,
) -> Result<Answer, Failure> {
    let (config, _telemetry) = begin(&ordered.at, log)?;
    let who = Who::of(&ordered.by)?;
    daemon::runtime()?.block_on(async {
        let (desk, end) = (Desk::open(&config).await?, Instant::now() + ordered.wait.wait);
        let purchase = desk.purchase(id).await?;
        let remedy = remedy(&purchase)?;
        let deed = Deed::Remedy { purchase: id.to_owned(), remedy, overrides };
        if let Some(objection) = desk.objection(&purchase, &deed, ordered.evidence.as_deref()).await? {
            return Err(Failure::No(format!("{objection}; purchase {id} is {}", stands(&purchase))));
        }
        let needs_second = deed.needs_second();
        let number = desk.write(who, deed, ordered.evidence.clone()).await?;
        if needs_second {
            return Ok(Answer::yes(format!(
                "Act {number} is written and waits for a second person, who confirms it with\n  paygate acts confirm {number}\n"
            )));
        }
        carried_out(&desk, number, id, end).await
    })
}

async fn carried_out(desk: &Desk, number: i64, id: &str, end: Instant) -> Result<Answer, Failure> {
    let outcome = desk.carried_out(number, id, end).await?;
    let stands = stands(&desk.purchase(id).await?);
    match outcome {
        ActOutcome::CarriedOut => Ok(Answer::yes(format!("Act {number} is carried out: {id} is {stands}.\n"))),
        ActOutcome::Refused => {
            let what = "had moved on when a daemon took the act, which changed nothing";
            Err(Failure::No(format!("purchase {id} {what}; it is {stands} now")))
        }
    }
}

fn stands(purchase: &Purchase) -> String {
    let state = purchase.state.as_str();
    purchase.review.map_or_else(|| state.to_owned(), |reason| format!("{state} ({})", ReviewReason::as_str(reason)))
}

pub(super) fn acts(verb: Acts, log: Option<&str>) -> Result<Answer, Failure> {
    match verb {
        Acts::List(asked) => list(&asked, log),
        Acts::Confirm(asked) => confirm(&asked, log),
        Acts::Withdraw(asked) => withdraw(&asked, log),
    }
}

fn list(asked: &Waiting, log: Option<&str>) -> Result<Answer, Failure> {
    let (config, _telemetry) = begin(&asked.at, log)?;
    daemon::runtime()?.block_on(async {
        let journal = Journal::open_for_reading(&config.journal).await.map_err(failed)?;
        let waiting = journal.unconfirmed_acts().await.map_err(failed)?;
        if asked.json {
            return Ok(Answer::yes(json(&waiting.iter().map(entry).collect::<Vec<_>>())?));
        }
        if waiting.is_empty() {
            return Ok(Answer::yes("nothing waits for a second person\n".to_owned()));
        }
        let mut table = Table::default();
        table.heading(&["ACT", "SINCE", "BY", "WHAT", "PURCHASE", "REASON"]);
        for row in &waiting {
            let purchase = row.act.deed.purchase().map_or("", String::as_str);
            let (number, since, what) = (row.number.to_string(), local(row.at), ordered(&row.act.deed));
            let cells = [&number, &since, &row.act.operator, what.as_str(), purchase, &row.act.reason];
            table.row(cells.map(Cell::new));
        }
        Ok(Answer::yes(table.render(colour())))
    })
}

fn entry(row: &ActRow) -> serde_json::Value {
    let act = &row.act;
    json!({
        "number": row.number, "at": utc(row.at), "operator": act.operator, "verb": act.deed.verb(), "what": ordered(&act.deed),
        "purchase": act.deed.purchase(), "reason": act.reason, "evidence": act.evidence,
    })
}

fn confirm(asked: &Confirm, log: Option<&str>) -> Result<Answer, Failure> {
    let (config, _telemetry) = begin(&asked.at, log)?;
    let second = operator(asked.operator.as_deref())?;
    daemon::runtime()?.block_on(async {
        let (number, desk, end) = (asked.number, Desk::open(&config).await?, Instant::now() + asked.wait.wait);
        let act = desk.journal.act_of(number).await.map_err(failed)?;
        let Some(act) = act else { return Err(Failure::No(format!("there is no act {number}; {LISTED}"))) };
        if act.act.operator.trim().to_lowercase() == second.to_lowercase() {
            return Err(Failure::No(format!("act {number} is your own, {second}; somebody else must confirm it")));
        }
        if !desk.journal.confirm_act(number, &second).await.map_err(failed)? {
            return Err(Failure::No(format!("act {number} waits for nobody; {LISTED}")));
        }
        let id = act.act.deed.purchase().map_or("", String::as_str);
        carried_out(&desk, number, id, end).await
    })
}

const LISTED: &str = "`paygate acts list` shows what waits for a second person";

fn withdraw(asked: &Withdraw, log: Option<&str>) -> Result<Answer, Failure> {
    let (config, _telemetry) = begin(&asked.at, log)?;
    daemon::runtime()?.block_on(async {
        let (desk, by) = (Desk::open(&config).await?, operator(asked.operator.as_deref())?);
        if desk.journal.withdraw_act(asked.number, &by).await.map_err(failed)? {
            return Ok(Answer::yes(format!("Act {} is taken back; nothing was done by it.\n", asked.number)));
        }
        Err(Failure::No(format!("act {} waits for nobody; {LISTED}", asked.number)))
    })
}
