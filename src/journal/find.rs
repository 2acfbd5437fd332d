//! What the engine looks up before it decides: purchases, messages seen, parts that wait. Writes nothing.

use super::columns::{self, Columns};
use super::error::Cause;
use super::rows::{EventRow, HeldPart, MessageRow, PartRow, Seen};
use super::statement::{ROWS, Statement, storable};
use super::store::Store;
use crate::purchase::record::{Micros, Purchase};
use paygate_parsers::msisdn::Msisdn;
use std::collections::HashMap;

/// Purchases of one subscriber that a search returns at most.
const PURCHASES_EACH: i64 = 20;

/// Events that one look returns at most; who follows a purchase looks again behind the last.
const EVENTS_AT_ONCE: i64 = 1_000;

pub(super) async fn purchases_of(store: &Store, msisdns: &[Msisdn], since: Micros) -> Result<Vec<Purchase>, Cause> {
    let numbers: Vec<String> = msisdns.iter().map(Msisdn::e164).collect();
    let mut found = Vec::new();
    for numbers in numbers.chunks(ROWS) {
        let mut select = Statement::new("SELECT ");
        select.push(columns::PURCHASE).push(
            " FROM (SELECT body, version, due_at, created_at, id, \
             ROW_NUMBER() OVER (PARTITION BY msisdn ORDER BY created_at DESC, id DESC) AS place \
             FROM purchase WHERE msisdn IN ",
        );
        select.list(numbers.iter().map(String::as_str)).push(" AND (due_at IS NOT NULL OR updated_at >= ").int(since);
        select.push(")) AS purchase WHERE place <= ").int(PURCHASES_EACH).push(" ORDER BY created_at DESC, id DESC");
        found.extend(columns::all(&store.read(select).await?, columns::purchase)?);
    }
    Ok(found)
}

pub(super) async fn purchases(store: &Store, ids: &[String]) -> Result<Vec<Purchase>, Cause> {
    let mut found = Vec::new();
    for ids in ids.chunks(ROWS) {
        let mut select = Statement::new("SELECT ");
        select.push(columns::PURCHASE).push(" FROM purchase WHERE id IN ").list(ids.iter().map(String::as_str));
        found.extend(columns::all(&store.read(select).await?, columns::purchase)?);
    }
    Ok(found)
}

pub(super) async fn seen(store: &Store, keys: &[String]) -> Result<Vec<Seen>, Cause> {
    let mut found = Vec::new();
    for keys in keys.chunks(ROWS) {
        let mut select = Statement::new("SELECT key, generation, at, purchase_id FROM message WHERE key IN ");
        select.list(keys.iter().map(String::as_str));
        select.push(" AND generation = (SELECT MAX(generation) FROM message AS newest WHERE newest.key = message.key)");
        found.extend(columns::all(&store.read(select).await?, read_seen)?);
    }
    Ok(found)
}

fn read_seen(columns: &mut Columns<'_>) -> Result<Seen, Cause> {
    Ok(Seen { key: columns.take()?, generation: columns.take()?, at: columns.take()?, purchase_id: columns.take()? })
}

/// The first message under an ingest key.
pub(super) async fn message(store: &Store, key: &str) -> Result<Option<MessageRow>, Cause> {
    let mut select = Statement::new("SELECT ");
    select.push(columns::MESSAGE).push(" FROM message WHERE key = ").text(key).push(" AND generation = 0");
    Ok(columns::all(&store.read(select).await?, columns::message)?.pop())
}

/// The events of one purchase that came after that version, in their order.
pub(super) async fn events(store: &Store, purchase: &str, after: i64) -> Result<Vec<EventRow>, Cause> {
    let mut select = Statement::new("SELECT ");
    select.push(columns::EVENT).push(" FROM event WHERE purchase_number = (SELECT number FROM purchase WHERE id = ");
    select.text(purchase).push(") AND seq > ").int(after).push(" ORDER BY seq LIMIT ").int(EVENTS_AT_ONCE);
    columns::all(&store.read(select).await?, columns::event)
}

pub(super) async fn replies_by_message_ids(
    store: &Store,
    named: &[(String, String)],
) -> Result<Vec<Option<String>>, Cause> {
    let mut by_link: HashMap<&str, Vec<&str>> = HashMap::new();
    for (link, id) in named {
        by_link.entry(link).or_default().push(id);
    }
    let mut keys = HashMap::new();
    for (link, ids) in by_link {
        for ids in ids.chunks(ROWS) {
            let mut select = Statement::new(
                "SELECT message_id, key FROM (SELECT message_id, key, \
                 ROW_NUMBER() OVER (PARTITION BY message_id ORDER BY updated_at DESC) AS place \
                 FROM reply WHERE link = ",
            );
            select.text(link).push(" AND message_id IN ").list(ids.iter().copied()).push(") AS named WHERE place = 1");
            let rows = store.read(select).await?;
            keys.extend(columns::all(&rows, |columns| Ok(((link, columns.take::<String>()?), columns.take()?)))?);
        }
    }
    Ok(named.iter().map(|(link, id)| keys.get(&(link.as_str(), storable(id).into_owned())).cloned()).collect())
}

pub(super) async fn parts(store: &Store, sets: &[String]) -> Result<Vec<HeldPart>, Cause> {
    let mut found = Vec::new();
    for sets in sets.chunks(ROWS) {
        let mut select = Statement::new("SELECT ");
        select.push(columns::PART).push(" FROM part WHERE set_key IN ").list(sets.iter().map(String::as_str));
        select
            .push(" AND generation = (SELECT MAX(generation) FROM part AS newest WHERE newest.set_key = part.set_key)");
        select.push(" ORDER BY set_key, number");
        found.extend(columns::all(&store.read(select).await?, held_part)?);
    }
    Ok(found)
}

fn held_part(columns: &mut Columns<'_>) -> Result<HeldPart, Cause> {
    Ok(HeldPart { row: columns::part(columns)?, done: columns.take::<i64>()? == 1 })
}

pub(super) async fn overdue_parts(store: &Store, before: Micros, limit: u32) -> Result<Vec<PartRow>, Cause> {
    // The parts that are late are few and have an index; grouping the table itself would read all of it.
    let mut select = Statement::new("WITH late AS MATERIALIZED (SELECT set_key, generation, at FROM part ");
    select.push("WHERE done = 0 AND at < ").int(before).push(") SELECT ").push(columns::PART);
    select.push(" FROM part WHERE done = 0 AND (set_key, generation) IN (SELECT set_key, generation FROM late ");
    select.push("GROUP BY set_key, generation ORDER BY MIN(at) LIMIT ").int(limit.into());
    select.push(") ORDER BY set_key, generation, number");
    columns::all(&store.read(select).await?, columns::part)
}

pub(super) async fn setting(store: &Store, name: &str) -> Result<Option<String>, Cause> {
    let mut select = Statement::new("SELECT value FROM setting WHERE name = ");
    select.text(name);
    let rows = store.read(select).await?;
    rows.first().map(|row| Columns::new(row).take()).transpose()
}

pub(super) async fn now(store: &Store) -> Result<Micros, Cause> {
    let rows = store.read(Statement::new(store.dialect.now())).await?;
    let row = rows.first().ok_or(sqlx::Error::RowNotFound)?;
    Columns::new(row).take()
}
