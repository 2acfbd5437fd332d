//! What people look up: lists, one purchase's story, messages nobody could read, and figures. Every list has a limit and
//! every search an index, at ten million rows too. Writes nothing.

use super::acts;
use super::columns::{self, Columns};
use super::error::Cause;
use super::rows::{AttemptRow, Backlog, Filter, Listed, MessageFilter, MessageRow, Pending, ReplyRow, Search, Story};
use super::statement::{ROWS, Statement};
use super::store::Store;
use super::surplus;
use crate::purchase::record::{AttemptStatus, Micros, Purchase};
use std::collections::BTreeMap;
use std::collections::HashMap;

/// Rows in one answer at most, whatever is asked for.
const LIST: u32 = 10_000;

/// What a person looks at and nobody knows yet stays unknown.
const IS_UNKNOWN: &str = "(state IN ('charge_unknown', 'grant_unknown', 'refund_unknown') \
                          OR review IN ('charge_unknown', 'grant_unknown', 'refund_unknown'))";
const IS_PAIRED: &str = "number IN (SELECT first_number FROM surplus UNION SELECT second_number FROM surplus)";
const IS_OPEN: &str = "state NOT IN ('done', 'declined', 'expired', 'cancelled', 'refunded', 'refused')";

pub(super) async fn list(store: &Store, filter: &Filter) -> Result<Vec<Listed>, Cause> {
    let purchases = columns::all(&store.read(matching(filter)).await?, columns::purchase)?;
    let mut charges: HashMap<String, Vec<AttemptRow>> = HashMap::new();
    for purchases in purchases.chunks(ROWS) {
        let ids = purchases.iter().map(|purchase| purchase.id.as_str());
        for charge in attempts(store, "charge", ids).await? {
            charges.entry(charge.purchase_id.clone()).or_default().push(charge);
        }
    }
    let listed = |purchase: Purchase| Listed {
        charges: charges.remove(&purchase.id).unwrap_or_default(),
        grant_id: grant_id(&purchase),
        purchase,
    };
    Ok(purchases.into_iter().map(listed).collect())
}

/// One way to find purchases by an index; what a filter asks for is what any of its ways finds.
enum Way<'f> {
    /// By time alone.
    All,
    /// What is over. Its filters have indexes of their own.
    Over,
    /// What is not: few among many, and has an index of its own.
    Due,
    /// What was charged twice.
    Paired,
    /// By a column of the purchase's own.
    Own(&'static str, String),
    /// By the peer's reference in this table,
    Reference(&'static str, &'f str),
    /// or by our own key, which begins with its purchase's id.
    Key(&'static str, &'f str),
}

/// Each way gives its newest by itself, so that none brings more than the answer has room for; one condition with OR would
/// read the whole table by time.
fn matching(filter: &Filter) -> Statement {
    let limit = filter.limit.min(LIST).into();
    let mut select = Statement::new("SELECT ");
    select.push(columns::PURCHASE).push(" FROM purchase WHERE number IN (");
    for (at, way) in ways(filter).iter().enumerate() {
        select.push(if at == 0 { "" } else { " UNION " });
        select.push("SELECT number FROM (SELECT number FROM purchase WHERE ");
        by(&mut select, way);
        narrow(&mut select, filter);
        select.push(" ORDER BY ").push(order(way)).push(" LIMIT ").int(limit).push(") AS way");
    }
    select.push(") ORDER BY created_at DESC, number DESC LIMIT ").int(limit);
    select
}

fn ways(filter: &Filter) -> Vec<Way<'_>> {
    let Some(Search { words, msisdn, account }) = &filter.search else {
        let filtered = filter.state.is_some() || filter.door.is_some() || filter.channel.is_some();
        return match (filter.backlog, filtered) {
            _ if filter.surplus => vec![Way::Paired],
            (Some(_), _) => vec![Way::Due],
            (None, true) => vec![Way::Over, Way::Due],
            (None, false) => vec![Way::All],
        };
    };
    let folded = |account: &String| account.to_lowercase();
    let mut ways = vec![Way::Own("id", words.clone()), Way::Own("msisdn", words.clone())];
    ways.extend(msisdn.iter().map(|msisdn| Way::Own("msisdn", msisdn.clone())));
    ways.extend([words].into_iter().chain(account).map(|account| Way::Own("account_folded", folded(account))));
    ways.extend(
        ["charge", "\"grant\"", "refund"]
            .into_iter()
            .flat_map(|table| [Way::Reference(table, words), Way::Key(table, words)]),
    );
    ways
}

fn by(select: &mut Statement, way: &Way<'_>) {
    match way {
        Way::All => select.push("1 = 1"),
        Way::Over => select.push("due_at IS NULL"),
        Way::Due => select.push("due_at IS NOT NULL"),
        Way::Paired => select.push(IS_PAIRED),
        Way::Own(column, value) => select.push(column).push(" = ").text(value),
        Way::Reference(table, words) => {
            select.push("number IN (SELECT purchase_number FROM ").push(table).push(" WHERE peer_reference = ");
            select.text(words).push(")")
        }
        Way::Key(table, words) => {
            let id = words.rsplit_once('-').map_or(*words, |(id, _)| id);
            select.push("id = ").text(id).push(" AND number IN (SELECT purchase_number FROM ").push(table);
            select.push(" WHERE purchase_number = (SELECT number FROM purchase WHERE id = ").text(id);
            select.push(") AND key = ").text(words).push(")")
        }
    };
}

/// The sign before the column keeps a planner from reading all by time where another index has the few.
const fn order(way: &Way<'_>) -> &'static str {
    match way {
        Way::All | Way::Over | Way::Own(..) => "created_at DESC, number DESC",
        Way::Due | Way::Paired | Way::Reference(..) | Way::Key(..) => "+created_at DESC, number DESC",
    }
}

fn narrow(select: &mut Statement, filter: &Filter) {
    for (column, wanted) in [("state", &filter.state), ("door", &filter.door), ("channel", &filter.channel)] {
        if let Some(word) = wanted {
            select.push(" AND ").push(column).push(" = ").text(word);
        }
    }
    if let Some(pending) = filter.backlog {
        select.push(" AND ").push(match pending {
            Pending::Open => IS_OPEN,
            Pending::Unknown => IS_UNKNOWN,
        });
    }
    if let Some(since) = filter.since {
        select.push(" AND created_at >= ").int(since);
    }
    if let Some(until) = filter.until {
        select.push(" AND created_at < ").int(until);
    }
    if filter.surplus {
        select.push(" AND ").push(IS_PAIRED);
    }
    if let Some(place) = &filter.after {
        select.push(" AND created_at <= ").int(place.created_at).push(" AND (created_at < ").int(place.created_at);
        select.push(" OR number < (SELECT number FROM purchase WHERE id = ").text(&place.id).push("))");
    }
}

/// The package manager's id of the grant, if it stands.
fn grant_id(purchase: &Purchase) -> Option<String> {
    let grant = purchase.grant.as_ref().filter(|grant| grant.status == AttemptStatus::Succeeded)?;
    grant.peer_reference.clone()
}

async fn attempts<'i>(
    store: &Store,
    table: &str,
    purchases: impl ExactSizeIterator<Item = &'i str> + Clone,
) -> Result<Vec<AttemptRow>, Cause> {
    let mut select = Statement::new("SELECT ");
    select.push(columns::ATTEMPT).push(" FROM ").push(table);
    select.push(" WHERE purchase_number IN (SELECT number FROM purchase WHERE id IN ").list(purchases);
    select.push(") ORDER BY intended_at, key");
    columns::all(&store.read(select).await?, columns::attempt)
}

pub(super) async fn story(store: &Store, id: &str) -> Result<Option<Story>, Cause> {
    let Some(purchase) = super::find::purchases(store, &[id.to_owned()]).await?.pop() else { return Ok(None) };
    let events = store.read(of_purchase(columns::EVENT, "event", id, "seq")).await?;
    let replies = store.read(of_purchase(columns::REPLY, "reply", id, "at, key")).await?;
    let heard = "heard JOIN message ON key = message_key AND generation = message_generation";
    let messages = store.read(of_purchase(columns::MESSAGE, heard, id, "at, key, generation")).await?;
    Ok(Some(Story {
        purchase,
        events: columns::all(&events, columns::event)?,
        charges: attempts(store, "charge", [id].into_iter()).await?,
        grants: attempts(store, "\"grant\"", [id].into_iter()).await?,
        refunds: attempts(store, "refund", [id].into_iter()).await?,
        replies: columns::all(&replies, reply_and_status)?,
        messages: columns::all(&messages, columns::message)?,
        acts: acts::of_purchase(store, id).await?,
        surplus: surplus::of_purchase(store, id).await?,
    }))
}

fn of_purchase(columns: &str, table: &str, id: &str, order: &str) -> Statement {
    let mut select = Statement::new("SELECT ");
    select.push(columns).push(" FROM ").push(table);
    select.push(" WHERE purchase_number = (SELECT number FROM purchase WHERE id = ").text(id);
    select.push(") ORDER BY ").push(order).push(" LIMIT ").int(LIST.into());
    select
}

fn reply_and_status(columns: &mut Columns<'_>) -> Result<(ReplyRow, String), Cause> {
    let reply = columns::reply(columns)?;
    let _sends: i64 = columns.take()?;
    Ok((reply, columns.take()?))
}

pub(super) async fn messages(store: &Store, filter: &MessageFilter) -> Result<Vec<MessageRow>, Cause> {
    let mut select = Statement::new("SELECT ");
    select.push(columns::MESSAGE).push(" FROM message WHERE at >= ").int(filter.since.unwrap_or(i64::MIN));
    select.push(" AND at < ").int(filter.until.unwrap_or(i64::MAX));
    if let Some(verdict) = &filter.verdict {
        let family = format!("{verdict}:");
        let length = i64::try_from(family.chars().count()).unwrap_or(i64::MAX);
        select.push(" AND (verdict = ").text(verdict).push(" OR substr(verdict, 1, CAST(").int(length);
        select.push(" AS INTEGER)) = ").text(&family).push(")");
    }
    select.push(" ORDER BY at DESC, key LIMIT ").int(filter.limit.min(LIST).into());
    columns::all(&store.read(select).await?, columns::message)
}

pub(super) async fn notifies_heard(store: &Store) -> Result<BTreeMap<String, Micros>, Cause> {
    let rows = store.read(Statement::new("SELECT channel, at FROM notify_heard")).await?;
    columns::all(&rows, |columns| Ok((columns.take()?, columns.take()?))).map(|pairs| pairs.into_iter().collect())
}

pub(super) async fn backlog(store: &Store) -> Result<Backlog, Cause> {
    let select = format!(
        "SELECT COUNT(CASE WHEN {IS_OPEN} THEN 1 END), COUNT(CASE WHEN {IS_UNKNOWN} THEN 1 END), \
         MIN(CASE WHEN {IS_UNKNOWN} THEN created_at END), COUNT(CASE WHEN state = 'review' THEN 1 END), \
         (SELECT COUNT(*) FROM reply WHERE due_at IS NOT NULL), \
         (SELECT COUNT(*) FROM act WHERE due_at IS NOT NULL) FROM purchase WHERE due_at IS NOT NULL"
    );
    let rows = store.read(Statement::new(&select)).await?;
    let row = rows.first().ok_or(sqlx::Error::RowNotFound)?;
    let mut columns = Columns::new(row);
    Ok(Backlog {
        open: columns.take()?,
        unknown: columns.take()?,
        oldest_unknown: columns.take()?,
        review: columns.take()?,
        replies_owed: columns.take()?,
        acts: columns.take()?,
    })
}
