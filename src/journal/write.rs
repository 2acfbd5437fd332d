//! The statements that write the rows of a batch, one for each table, over all units at once. Opens and ends no
//! transaction, and does not judge which unit may be written.

use super::columns;
use super::rows::{AttemptRow, EventRow, MessageRow, PartRow, PurchaseRow, ReplyRow, ReplyUpdate, Unit};
use super::statement::{Bulk, Values, storable};
use crate::purchase::record::Attempt;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};
use std::collections::{BTreeMap, HashMap, HashSet};

pub(super) type Written<T> = Result<T, sqlx::Error>;

/// The numbers that the database gave to the purchases of a batch, by their ids as they are stored. Nothing is written for
/// a purchase that is not among them: without a number the database refuses the row.
pub(super) struct Numbers(HashMap<String, i64>);

impl Numbers {
    pub(super) fn of(&self, id: &str) -> Option<i64> {
        self.0.get(&*storable(id)).copied()
    }
}

/// Inserts messages and returns the (key, generation) of those that were not there.
pub(super) async fn messages(connection: &mut AnyConnection, rows: &[&MessageRow]) -> Written<HashSet<(String, i64)>> {
    static INSERT: Bulk = Bulk::insert("message", columns::MESSAGE, "ON CONFLICT DO NOTHING RETURNING key, generation");
    let returned = INSERT.run(connection, rows, |values, row| {
        values.text(&row.key).int(row.generation).int(row.at).text(&row.door).text(&row.link);
        values.text(&row.from).text(&row.to).maybe_int(row.data_coding).octets(&row.raw);
        values.text(&row.verdict).maybe_text(row.purchase_id.as_deref());
    });
    returned.await?.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

static HEARD: Bulk = Bulk::from_values(
    "INSERT INTO heard (purchase_number, message_key, message_generation) SELECT purchase.number, column2, column3",
    3,
    "JOIN purchase ON purchase.id = column1",
);

/// Keeps which purchase each message was about, where it was about one.
pub(super) async fn heard(connection: &mut AnyConnection, rows: &[(&str, &MessageRow)]) -> Written<()> {
    let inserted = HEARD.run(connection, rows, |values, (purchase, message)| {
        values.text(purchase).text(&message.key).int(message.generation);
    });
    inserted.await.map(drop)
}

/// Inserts parts and returns the (set, generation, number) of those that were not there.
pub(super) async fn parts(connection: &mut AnyConnection, rows: &[&PartRow]) -> Written<HashSet<(String, i64, i64)>> {
    static INSERT: Bulk =
        Bulk::insert("part", columns::PART, "ON CONFLICT DO NOTHING RETURNING set_key, generation, number");
    let returned = INSERT.run(connection, rows, |values, row| {
        values.text(&row.set).int(row.generation).int(row.number.into()).int(row.total.into()).int(row.at);
        values.maybe_int(row.data_coding).octets(&row.raw).text(&row.door).text(&row.link);
        values.text(&row.from).text(&row.to).int(0);
    });
    returned.await?.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?))).collect()
}

// What was asked for, and by whom, never changes and is not written again.
static STEP: Bulk = Bulk::from_values(
    "UPDATE purchase SET version = column2, state = column3, due_at = column4, review = column5, amount = column6, \
     currency = column7, paid = column8, granted = column9, updated_at = column10, body = column11",
    12,
    "WHERE purchase.id = column1 AND purchase.version = column12 RETURNING purchase.id, purchase.number",
);

/// Inserts new purchases and moves the others on from the version that was read. Returns the numbers of those that were
/// written; the others had another version.
pub(super) async fn purchases(connection: &mut AnyConnection, rows: &[&PurchaseRow]) -> Written<Numbers> {
    static INSERT: Bulk = Bulk::insert(
        "purchase",
        "id, version, state, due_at, review, amount, currency, paid, granted, updated_at, body, \
         msisdn, account, account_folded, service, package, channel, door, link, short_code, created_at",
        "ON CONFLICT (id) DO NOTHING RETURNING id, number",
    );
    let (fresh, known): (Vec<&PurchaseRow>, Vec<_>) = rows.iter().partition(|row| row.seen == 0);
    let mut written = INSERT
        .run(connection, &fresh, |values, row| {
            standing(values, row);
            let order = &row.purchase.order;
            values.text(&order.number()).text(&order.account).text(&order.account.to_lowercase());
            values.text(&order.service).text(&order.package).text(&order.channel).text(&order.door);
            values.text(&order.link).text(&order.short_code).int(row.purchase.created_at);
        })
        .await?;
    written.extend(
        STEP.run(connection, &known, |values, row| {
            standing(values, row);
            values.int(row.seen);
        })
        .await?,
    );
    written.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect::<Result<_, _>>().map(Numbers)
}

/// The columns that change with each step.
fn standing(values: &mut Values, row: &PurchaseRow) {
    let purchase = &row.purchase;
    let price = purchase.price();
    let body = serde_json::to_string(purchase).expect("a purchase is plain data: no map, no key that is not a string");
    values.text(&purchase.id).int(purchase.version).text(purchase.state.as_str()).maybe_int(purchase.due_at);
    values.maybe_text(purchase.review.map(|reason| reason.as_str()));
    values.maybe_int(price.map(|price| price.amount));
    values.maybe_text(price.as_ref().map(|price| price.currency.as_str()));
    values.text(purchase.paid().as_str()).text(purchase.granted()).int(purchase.updated_at).text(&body);
}

pub(super) async fn events(connection: &mut AnyConnection, rows: &[&EventRow], numbers: &Numbers) -> Written<()> {
    static INSERT: Bulk = Bulk::insert("event", columns::NEW_EVENT, "");
    let inserted = INSERT.run(connection, rows, |values, row| {
        values.maybe_int(numbers.of(&row.purchase_id)).int(row.seq).int(row.at).text(&row.kind);
        values.text(&row.state_from).text(&row.state_to).text(&row.body);
    });
    inserted.await.map(drop)
}

/// An attempt is written under its key, again and again. What must not change is named too, so that a trigger sees it if
/// it does. The request belongs to the intent, and a later update that has none leaves it.
const UPSERT: &str = "ON CONFLICT (purchase_number, key) DO UPDATE SET msisdn = excluded.msisdn, \
    channel = excluded.channel, amount = excluded.amount, currency = excluded.currency, sends = excluded.sends, \
    status = excluded.status, send_by = excluded.send_by, in_flight_until = excluded.in_flight_until, \
    handle = excluded.handle, peer_reference = excluded.peer_reference, updated_at = excluded.updated_at, \
    request = CASE excluded.request WHEN '' THEN old.request ELSE excluded.request END, \
    fingerprint = CASE excluded.fingerprint WHEN '' THEN old.fingerprint ELSE excluded.fingerprint END";

/// Writes charges, grants and refunds under their keys.
pub(super) async fn attempts(connection: &mut AnyConnection, units: &[&Unit], numbers: &Numbers) -> Written<()> {
    static CHARGE: Bulk = Bulk::insert("charge AS old", columns::NEW_ATTEMPT, UPSERT);
    static GRANT: Bulk = Bulk::insert("\"grant\" AS old", columns::NEW_ATTEMPT, UPSERT);
    static REFUND: Bulk = Bulk::insert("refund AS old", columns::NEW_REFUND, UPSERT);
    let former: Vec<_> = by_key(units.iter().flat_map(|unit| &unit.former_charges));
    CHARGE.run(connection, &former, |values, row| attempt(values, row, numbers)).await?;
    let charges: Vec<_> = by_key(units.iter().filter_map(|unit| unit.charge.as_ref()));
    CHARGE.run(connection, &charges, |values, row| attempt(values, row, numbers)).await?;
    let grants: Vec<_> = by_key(units.iter().filter_map(|unit| unit.grant.as_ref()));
    GRANT.run(connection, &grants, |values, row| attempt(values, row, numbers)).await?;
    let mut refunds: Vec<_> = units.iter().filter_map(|unit| Some((unit.refund.as_ref()?, *unit))).collect();
    refunds.sort_unstable_by_key(|(refund, _)| &refund.attempt.key);
    let refunds = REFUND.run(connection, &refunds, |values, (refund, unit)| {
        attempt(values, refund, numbers);
        values.maybe_text(refunded_charge(unit));
    });
    refunds.await.map(drop)
}

/// The key of the charge that a refund gives back. Without one the database refuses the refund.
fn refunded_charge(unit: &Unit) -> Option<&str> {
    let charge: &Attempt = unit.purchase.as_ref()?.purchase.charge.as_ref()?;
    Some(&charge.key)
}

/// Two instances that write the same rows take their locks in one order, and cannot block each other for good.
fn by_key<'u>(rows: impl Iterator<Item = &'u AttemptRow>) -> Vec<&'u AttemptRow> {
    let mut rows: Vec<_> = rows.collect();
    rows.sort_unstable_by_key(|row| &row.attempt.key);
    rows
}

fn attempt(values: &mut Values, row: &AttemptRow, numbers: &Numbers) {
    let attempt = &row.attempt;
    values
        .maybe_int(numbers.of(&row.purchase_id))
        .text(&row.msisdn.map_or_else(String::new, |msisdn| msisdn.e164()))
        .text(&row.channel)
        .text(&attempt.key);
    values.int(attempt.sends.into()).text(attempt.status.as_str());
    values.int(attempt.amount.amount).text(attempt.amount.currency.as_str());
    values.int(attempt.intended_at).int(attempt.send_by).int(attempt.in_flight_until);
    values.maybe_text(attempt.handle.as_deref()).maybe_text(attempt.peer_reference.as_deref());
    values.text(&row.request).text(&row.fingerprint).int(row.at);
}

/// What stands for the purchase of a reply that belongs to none.
const NO_PURCHASE: i64 = 0;

pub(super) async fn replies(connection: &mut AnyConnection, rows: &[&ReplyRow], numbers: &Numbers) -> Written<()> {
    static INSERT: Bulk = Bulk::insert("reply", columns::NEW_REPLY, "");
    let inserted = INSERT.run(connection, rows, |values, row| {
        values.maybe_int(row.purchase_id.as_deref().map_or(Some(NO_PURCHASE), |id| numbers.of(id)));
        values.text(&row.key).int(row.at).text(&row.link);
        values.text(&row.from).text(&row.to.e164()).text(&row.kind).text(&row.text).int(row.not_after);
        values.int(row.due_at).int(0).text("queued").int(row.at);
    });
    inserted.await.map(drop)
}

static REPLY_UPDATE: Bulk = Bulk::from_values(
    "UPDATE reply SET updated_at = column2, status = column3, message_id = COALESCE(column4, message_id), \
     due_at = column5",
    6,
    // Not as a LEFT JOIN, for which SQLite would read every reply there is.
    "WHERE reply.purchase_number = COALESCE((SELECT number FROM purchase WHERE id = column6), 0) \
     AND reply.key = column1",
);

/// Writes what became of replies. Of several updates of one reply in a batch the last stands; an id once learnt is kept.
pub(super) async fn reply_updates(connection: &mut AnyConnection, updates: &[&ReplyUpdate]) -> Written<()> {
    let mut last: BTreeMap<&str, (&ReplyUpdate, Option<&str>)> = BTreeMap::new();
    for update in updates {
        let id = last.get(update.key.as_str()).and_then(|(_, id)| *id);
        last.insert(&update.key, (update, update.message_id.as_deref().or(id)));
    }
    let last: Vec<_> = last.into_values().collect();
    let updated = REPLY_UPDATE.run(connection, &last, |values, (update, id)| {
        values.text(&update.key).int(update.at).text(update.status.as_str()).maybe_text(*id).maybe_int(update.due_at);
        values.text(purchase_of_reply(&update.key));
    });
    updated.await.map(drop)
}

/// The id of the purchase that a reply's key names; what a key without a purchase has there is no purchase's id.
fn purchase_of_reply(key: &str) -> &str {
    // `{purchase id}-{version}-{counter}`; a message's key has a generation alone behind it.
    key.rsplitn(3, '-').last().unwrap_or(key)
}

static PARTS_DONE: Bulk =
    Bulk::from_values("UPDATE part SET done = 1", 2, "WHERE part.set_key = column1 AND part.generation = column2");

pub(super) async fn parts_done(connection: &mut AnyConnection, sets: &[&(String, i64)]) -> Written<()> {
    let updated = PARTS_DONE.run(connection, sets, |values, (set, generation)| {
        values.text(set).int(*generation);
    });
    updated.await.map(drop)
}

/// Leaves the number of this commit, and with it the proof that it stands.
pub(super) async fn batch(connection: &mut AnyConnection, instance: &str, batch: i64) -> Written<Vec<AnyRow>> {
    sqlx::query("UPDATE writer SET batch = $2 WHERE instance = $1")
        .bind(instance)
        .bind(batch)
        .fetch_all(connection)
        .await
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::{HEARD, PARTS_DONE, REPLY_UPDATE, STEP};
    use crate::journal::surplus::FIND;
    use sqlx::{AnyConnection, AssertSqlSafe, Connection, Row};

    #[tokio::test]
    async fn sqlite_looks_each_row_up_and_reads_no_table_whole() {
        sqlx::any::install_default_drivers();
        let mut store = AnyConnection::connect("sqlite::memory:").await.unwrap();
        sqlx::raw_sql(include_str!("../../migrations/sqlite/0001_init.sql")).execute(&mut store).await.unwrap();
        sqlx::raw_sql(include_str!("../../migrations/sqlite/0003_surplus.sql")).execute(&mut store).await.unwrap();
        // The plan depends on whether there is one row or more.
        let statements = [&HEARD, &STEP, &REPLY_UPDATE, &PARTS_DONE, &FIND];
        for (statement, rows) in statements.into_iter().flat_map(|statement| [(statement, 1), (statement, 2)]) {
            let explain = format!("EXPLAIN QUERY PLAN {}", statement.text(rows, true));
            let plan = sqlx::query(AssertSqlSafe(explain.clone())).fetch_all(&mut store).await.unwrap();
            let steps: Vec<String> = plan.iter().map(|step| step.get("detail")).collect();
            // An index made for one statement is a scan as well.
            let whole = |step: &String| {
                step.contains("AUTOMATIC")
                    || ["purchase", "own", "other", "paid", "reply", "part"]
                        .iter()
                        .any(|table| *step == format!("SCAN {table}"))
            };
            assert!(steps.iter().any(|step| step.starts_with("SEARCH")), "{explain}: {steps:?}");
            assert!(!steps.iter().any(whole), "{explain}: {steps:?}");
        }
    }
}
