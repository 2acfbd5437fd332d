//! What operators do: written by the command line beside a running daemon, claimed and carried out by one of the daemons.
//! Rewrites no act; what is frozen follows from the newest act on each channel.

use super::columns::{self, Columns};
use super::error::Cause;
use super::rows::{ActDone, ActOutcome, ActRow, Deed, NewAct};
use super::statement::Statement;
use super::store::Store;
use super::write::Written;
use crate::purchase::input::Remedy;
use crate::purchase::money::{Currency, Money};
use crate::purchase::record::{Micros, Verdict};
use sqlx::AnyConnection;
use sqlx::Row;
use std::collections::{BTreeSet, HashSet};

const ACT: &str = "act.number, act.at, act.operator, act.verb, \
                   (SELECT id FROM purchase WHERE purchase.number = act.purchase_number), act.channel, act.verdict, \
                   act.reason, act.evidence, act.done_at, act.outcome, act.amount, act.currency, act.overrides, \
                   act.second, act.second_at, act.withdrawn_by";

/// What this version carries out. A later version's verbs wait for a daemon that knows them, and what needs a second person waits
/// for that person; neither keeps anything else waiting.
const READY: &str = "verb IN ('inquire', 'resolve', 'grant', 'mark_paid', 'mark_granted', 'refund') \
                     AND (needs_second = 0 OR second IS NOT NULL)";

/// What waits for a second person.
const UNCONFIRMED: &str = "needs_second = 1 AND second IS NULL AND done_at IS NULL";

/// What concerns a channel holds as soon as it is written; what concerns a purchase waits for a daemon.
pub(super) fn insert(act: &NewAct, now: Micros) -> Statement {
    let purchase = act.deed.purchase();
    let channel = match &act.deed {
        Deed::Freeze { channel } | Deed::Thaw { channel } => Some(channel),
        Deed::Inquire { .. } | Deed::Resolve { .. } | Deed::Remedy { .. } => None,
    };
    let verdict = if let Deed::Resolve { verdict, .. } = &act.deed { Some(*verdict) } else { None };
    let (amount, overrides) = match &act.deed {
        Deed::Remedy { remedy: Remedy::Refund { amount }, overrides, .. } => (Some(*amount), *overrides),
        Deed::Remedy { overrides, .. } => (None, *overrides),
        Deed::Inquire { .. } | Deed::Resolve { .. } | Deed::Freeze { .. } | Deed::Thaw { .. } => (None, false),
    };
    let waits = purchase.is_some();
    let mut insert = Statement::new(
        "INSERT INTO act (at, operator, verb, purchase_number, channel, verdict, reason, evidence, due_at, done_at, \
         outcome, amount, currency, overrides, needs_second) SELECT ",
    );
    insert.int(now).push(", ").text(&act.operator).push(", ").text(act.deed.verb());
    insert.push(", (SELECT number FROM purchase WHERE id = ").maybe_text(purchase.map(String::as_str)).push("), ");
    insert.maybe_text(channel.map(String::as_str)).push(", ").maybe_text(verdict.map(Verdict::as_str)).push(", ");
    insert.text(&act.reason).push(", ").maybe_text(act.evidence.as_deref()).push(", ");
    insert.maybe_int(waits.then_some(now)).push(", ").maybe_int((!waits).then_some(now)).push(", ");
    insert.maybe_text((!waits).then_some(ActOutcome::CarriedOut.as_str())).push(", ");
    insert.maybe_int(amount.map(|it| it.amount)).push(", ").maybe_text(amount.as_ref().map(|it| it.currency.as_str()));
    insert.push(", ").int(overrides.into()).push(", ").int(act.deed.needs_second().into()).push(" RETURNING number");
    insert
}

pub(super) async fn act(store: &Store, number: i64) -> Result<Option<ActRow>, Cause> {
    let mut select = Statement::new("SELECT ");
    select.push(ACT).push(" FROM act WHERE number = ").int(number);
    Ok(columns::all(&store.read(select).await?, read)?.pop())
}

pub(super) async fn of_purchase(store: &Store, id: &str) -> Result<Vec<ActRow>, Cause> {
    let mut select = Statement::new("SELECT ");
    select.push(ACT).push(" FROM act WHERE purchase_number = (SELECT number FROM purchase WHERE id = ").text(id);
    select.push(") ORDER BY number LIMIT 10000");
    columns::all(&store.read(select).await?, read)
}

/// The freeze that holds on each channel that is frozen, in the channels' order.
pub(super) async fn freezes(store: &Store) -> Result<Vec<ActRow>, Cause> {
    let mut select = Statement::new("SELECT ");
    select.push(ACT).push(" FROM act WHERE number IN (SELECT MAX(number) FROM act WHERE channel IS NOT NULL ");
    select.push("GROUP BY channel) AND verb = 'freeze' ORDER BY channel");
    columns::all(&store.read(select).await?, read)
}

pub(super) async fn frozen(store: &Store) -> Result<BTreeSet<String>, Cause> {
    let channel = |act: ActRow| match act.act.deed {
        Deed::Freeze { channel } => Some(channel),
        Deed::Inquire { .. } | Deed::Resolve { .. } | Deed::Remedy { .. } | Deed::Thaw { .. } => None,
    };
    Ok(freezes(store).await?.into_iter().filter_map(channel).collect())
}

/// What waits for a second person, oldest first.
pub(super) async fn unconfirmed(store: &Store) -> Result<Vec<ActRow>, Cause> {
    let mut select = Statement::new("SELECT ");
    select.push(ACT).push(" FROM act WHERE ").push(UNCONFIRMED).push(" ORDER BY number LIMIT 10000");
    columns::all(&store.read(select).await?, read)
}

/// The second person's word, once, and never of whoever wrote the act.
pub(super) fn confirm(number: i64, second: &str, now: Micros) -> Statement {
    let mut update = Statement::new("UPDATE act SET due_at = ");
    update.int(now).push(", second_at = ").int(now).push(", second = ").text(second);
    update.push(" WHERE number = ").int(number).push(" AND ").push(UNCONFIRMED);
    update.push(" AND LOWER(TRIM(operator)) <> LOWER(TRIM(").text(second).push(")) RETURNING number");
    update
}

/// Takes back what no second person has confirmed.
pub(super) fn withdraw(number: i64, by: &str, now: Micros) -> Statement {
    let mut update = Statement::new("UPDATE act SET due_at = NULL, outcome = ");
    update.text(ActOutcome::Refused.as_str()).push(", done_at = ").int(now).push(", withdrawn_by = ").text(by);
    update.push(" WHERE number = ").int(number).push(" AND ").push(UNCONFIRMED).push(" RETURNING number");
    update
}

/// Whether any act is due: a look costs less than a claim, which writes.
pub(super) async fn are_due(store: &Store, now: Micros) -> Result<bool, Cause> {
    let mut select = Statement::new("SELECT number FROM act WHERE due_at <= ");
    select.int(now).push(" AND ").push(READY).push(" LIMIT 1");
    Ok(!store.read(select).await?.is_empty())
}

/// Like the claim of due purchases: of many instances one gets each act.
pub(super) fn claim(store: &Store, now: Micros, until: Micros, limit: u32) -> Statement {
    let mut claim = Statement::new("WITH due AS MATERIALIZED (SELECT number AS due_number FROM act WHERE due_at <= ");
    claim
        .int(now)
        .push(" AND ")
        .push(READY)
        .push(" ORDER BY due_at LIMIT ")
        .int(limit.into())
        .push(store.dialect.skip_locked());
    claim.push(") UPDATE act SET due_at = ").int(until);
    claim.push(" FROM due WHERE act.number = due_number AND CASE WHEN act.due_at <= ").int(now);
    claim.push(" THEN 1 ELSE 0 END = 1 RETURNING ").push(ACT);
    claim
}

/// Marks acts as carried out and returns the numbers of those that were not before.
pub(super) async fn done(connection: &mut AnyConnection, acts: &[&ActDone]) -> Written<HashSet<i64>> {
    let mut written = HashSet::new();
    // A person's acts are few: one statement for each.
    for act in acts {
        let mut update = Statement::new("UPDATE act SET due_at = NULL, done_at = ");
        update.int(act.at).push(", outcome = ").text(act.outcome.as_str()).push(" WHERE number = ").int(act.number);
        update.push(" AND done_at IS NULL RETURNING number");
        for row in update.fetch(connection).await? {
            written.insert(row.try_get(0)?);
        }
    }
    Ok(written)
}

pub(super) fn read(columns: &mut Columns<'_>) -> Result<ActRow, Cause> {
    let (number, at, operator, verb): (i64, i64, String, String) =
        (columns.take()?, columns.take()?, columns.take()?, columns.take()?);
    let (purchase, channel, verdict): (Option<String>, Option<String>, Option<String>) =
        (columns.take()?, columns.take()?, columns.take()?);
    let (reason, evidence) = (columns.take()?, columns.take()?);
    let (done_at, outcome): (Option<i64>, Option<String>) = (columns.take()?, columns.take()?);
    let (amount, currency, overrides): (Option<i64>, Option<String>, i64) =
        (columns.take()?, columns.take()?, columns.take()?);
    let (second, second_at): (Option<String>, Option<i64>) = (columns.take()?, columns.take()?);
    let withdrawn_by = columns.take()?;
    let amount =
        amount.zip(currency).and_then(|(amount, code)| Some(Money::new(amount, Currency::try_from(code).ok()?)));
    let remedy = |purchase, remedy| Deed::Remedy { purchase, remedy, overrides: overrides == 1 };
    let verdict = verdict.and_then(|word| Verdict::ALL.into_iter().find(|verdict| verdict.as_str() == word));
    let deed = match (verb.as_str(), purchase, channel, verdict) {
        ("inquire", Some(purchase), ..) => Deed::Inquire { purchase },
        ("resolve", Some(purchase), _, Some(verdict)) => Deed::Resolve { purchase, verdict },
        ("grant", Some(purchase), ..) => remedy(purchase, Remedy::Grant),
        ("mark_paid", Some(purchase), ..) => remedy(purchase, Remedy::MarkPaid),
        ("mark_granted", Some(purchase), ..) => remedy(purchase, Remedy::MarkGranted),
        ("refund", Some(purchase), ..) if let Some(amount) = amount => remedy(purchase, Remedy::Refund { amount }),
        ("freeze", _, Some(channel), _) => Deed::Freeze { channel },
        ("thaw", _, Some(channel), _) => Deed::Thaw { channel },
        _ => return Err(Cause::Unreadable(format!("act {number} is of no known kind"))),
    };
    let outcome = match outcome.as_deref() {
        Some("refused") => ActOutcome::Refused,
        _ => ActOutcome::CarriedOut,
    };
    let act = NewAct { operator, deed, reason, evidence };
    Ok(ActRow { number, at, act, second: second.zip(second_at), withdrawn_by, done: done_at.map(|at| (at, outcome)) })
}
