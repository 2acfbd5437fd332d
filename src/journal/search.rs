//! What people look up: lists, one purchase's story, messages nobody could read, and figures. Every list has a limit and
//! every search an index, at ten million rows too. Writes nothing.

use super::acts;
use super::columns::{self, Columns};
use super::error::Cause;
use super::rows::{AttemptRow, Backlog, Filter, Listed, MessageFilter, MessageRow, ReplyRow, Story};
use super::statement::{ROWS, Statement};
use super::store::Store;
use super::surplus;
use crate::purchase::record::Micros;
use crate::purchase::record::{AttemptStatus, Purchase, State};
use std::collections::BTreeMap;
use std::collections::HashMap;

/// Rows in one answer at most, whatever is asked for.
const LIST: u32 = 10_000;

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

fn matching(filter: &Filter) -> Statement {
    let mut select = Statement::new("SELECT ");
    select.push(columns::PURCHASE).push(" FROM purchase WHERE created_at >= ").int(filter.since.unwrap_or(i64::MIN));
    select.push(" AND created_at < ").int(filter.until.unwrap_or(i64::MAX));
    if let Some(state) = &filter.state {
        let open = State::ALL.iter().any(|open| !open.is_end() && open.as_str() == state);
        // What is open is few among many, and has an index of its own.
        select.push(if open {
            " AND number IN (SELECT number FROM purchase WHERE due_at IS NOT NULL AND state = "
        } else {
            " AND (state = "
        });
        select.text(state).push(")");
    }
    if let Some(channel) = &filter.channel {
        select.push(" AND channel = ").text(channel);
    }
    if filter.surplus {
        select.push(" AND number IN (SELECT first_number FROM surplus UNION SELECT second_number FROM surplus)");
    }
    if let Some(words) = &filter.search {
        search(&mut select, words);
    }
    select.push(" ORDER BY created_at DESC, id DESC LIMIT ").int(filter.limit.min(LIST).into());
    select
}

/// Each branch has its index; one condition with OR would read the whole table by time.
fn search(select: &mut Statement, words: &str) {
    select.push(" AND number IN (SELECT number FROM purchase WHERE id = ").text(words);
    select.push(" UNION SELECT number FROM purchase WHERE msisdn = ").text(words);
    select.push(" UNION SELECT number FROM purchase WHERE account_folded = ").text(&words.to_lowercase());
    // A key begins with its purchase's id, and is looked for there.
    let of_key = words.rsplit_once('-').map_or(words, |(id, _)| id);
    for table in ["charge", "\"grant\"", "refund"] {
        select.push(" UNION SELECT purchase_number FROM ").push(table).push(" WHERE peer_reference = ").text(words);
        select.push(" UNION SELECT purchase_number FROM ").push(table).push(" WHERE key = ").text(words);
        select.push(" AND purchase_number = (SELECT number FROM purchase WHERE id = ").text(of_key).push(")");
    }
    select.push(")");
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
    // What a person looks at and nobody knows yet stays unknown.
    const UNKNOWN: &str = "(state IN ('charge_unknown', 'grant_unknown', 'refund_unknown') \
                           OR review IN ('charge_unknown', 'grant_unknown', 'refund_unknown'))";
    const END: &str = "state IN ('done', 'declined', 'expired', 'cancelled', 'refunded', 'refused')";
    let select = format!(
        "SELECT COUNT(CASE WHEN {END} THEN NULL ELSE 1 END), COUNT(CASE WHEN {UNKNOWN} THEN 1 END), \
         MIN(CASE WHEN {UNKNOWN} THEN created_at END), COUNT(CASE WHEN state = 'review' THEN 1 END), \
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
