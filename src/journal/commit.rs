//! One batch of units in one transaction. Never reports a unit as durable before COMMIT was acknowledged or found to
//! stand, and never leaves a trace of a unit that it reports otherwise.

use super::acts;
use super::dialect::refused;
use super::error::Cause;
use super::rows::{Committed, Unit};
use super::statement::{Statement, storable};
use super::store::{Store, Writer};
use super::surplus;
use super::write::{self, Numbers};
use sqlx::pool::PoolConnection;
use sqlx::{Any, AnyConnection, Connection};
use std::collections::{HashMap, HashSet};
use std::sync::atomic::Ordering;

/// Where the last commit failed, tries whether one would stand now.
pub(super) async fn retried(store: &Store) -> Result<(), Cause> {
    let writer = store.writer()?;
    if writer.failing.load(Ordering::Relaxed) {
        let mut batch = writer.batch.lock().await;
        *batch += 1;
        // Another number than stands there: a write that changes nothing is none.
        let mut update = Statement::new("UPDATE writer SET batch = ");
        update.int(*batch).push(" WHERE instance = ").text(&writer.instance);
        store.write(update).await?;
        writer.failing.store(false, Ordering::Relaxed);
    }
    Ok(())
}

/// Commits all units together, and remembers whether the store took them.
pub(super) async fn commit(store: &Store, units: &[Unit]) -> Result<Vec<Committed>, Cause> {
    let committed = commit_all(store, units).await;
    store.writer()?.failing.store(committed.is_err(), Ordering::Relaxed);
    committed
}

/// Where a constraint forbids one, the batch is halved until the guilty unit stands alone.
async fn commit_all(store: &Store, units: &[Unit]) -> Result<Vec<Committed>, Cause> {
    let writer = store.writer()?;
    // Held to the end: the numbers of one instance's commits must come into the store in their order.
    let mut batch = writer.batch.lock().await;
    let mut outcomes = first_of_each_purchase(units);
    let mut durable = false;
    let mut waiting = vec![(0, units.len())];
    while let Some((start, end)) = waiting.pop() {
        *batch += 1;
        match transact(store, writer, *batch, &units[start..end], &mut outcomes[start..end]).await {
            Ok(()) => durable = true,
            Err(Cause::Down(error)) if refused(&error) && end - start > 1 => {
                let middle = start.midpoint(end);
                waiting.extend([(middle, end), (start, middle)]);
            }
            Err(Cause::Down(error)) if refused(&error) => {
                tracing::error!(%error, "the journal refused a step that its rules forbid");
                outcomes[start] = Committed::Refused;
            }
            // What went before stands, so the caller may not take it that nothing was written.
            Err(cause) if durable => {
                return Err(Cause::Ambiguous(format!("a part of the batch stands; then: {cause:?}")));
            }
            Err(cause) => return Err(cause),
        }
    }
    Ok(outcomes)
}

/// A purchase takes one step in a batch; a second unit for it was made from a version that the first one ends.
fn first_of_each_purchase(units: &[Unit]) -> Vec<Committed> {
    let mut taken = HashSet::new();
    let first = |unit: &Unit| unit.purchase.as_ref().is_none_or(|row| taken.insert(row.purchase.id.clone()));
    units.iter().map(first).map(|first| if first { Committed::Durable } else { Committed::Refused }).collect()
}

/// One transaction, brought to its end: when it neither succeeds nor fails in time its connection is closed, never given
/// back, and the store is asked what became of it.
async fn transact(
    store: &Store,
    writer: &Writer,
    batch: i64,
    units: &[Unit],
    outcomes: &mut [Committed],
) -> Result<(), Cause> {
    let mut connection = writer.pool.acquire().await?;
    let mut sent = false;
    let work = write_and_commit(store, writer, batch, units, outcomes, &mut connection, &mut sent);
    let error = match tokio::time::timeout(store.patience, work).await {
        Ok(Ok(())) => return Ok(()),
        Ok(Err(error)) if !sent => return Err(error.into()),
        Ok(Err(error)) => error.to_string(),
        Err(_) => format!("no end after {:?}", store.patience),
    };
    close(connection);
    match stands(store, writer, batch).await {
        Ok(true) => Ok(()),
        Ok(false) => Err(Cause::Down(sqlx::Error::Io(std::io::Error::other(error)))),
        Err(again) => Err(Cause::Ambiguous(format!("{error}; then, asking for it: {again}"))),
    }
}

/// `sent` turns true just before COMMIT leaves; an error before that means that nothing was written.
async fn write_and_commit(
    store: &Store,
    writer: &Writer,
    batch: i64,
    units: &[Unit],
    outcomes: &mut [Committed],
    connection: &mut AnyConnection,
    sent: &mut bool,
) -> Result<(), sqlx::Error> {
    if writer.lineage.settle(store.dialect, connection).await? {
        let why = "the journal is on another server than this batch was decided for; it is decided anew";
        return Err(sqlx::Error::Io(std::io::Error::other(why)));
    }
    loop {
        let mut transaction = connection.begin_with(store.dialect.begin()).await?;
        let pass = write_units(&mut transaction, units, outcomes).await?;
        match pass {
            Pass::Nothing => return transaction.rollback().await,
            Pass::Again => transaction.rollback().await?,
            Pass::Written => {
                write::batch(&mut transaction, &writer.instance, batch).await?;
                *sent = true;
                return transaction.commit().await;
            }
        }
    }
}

/// What a pass over the units came to.
enum Pass {
    Written,
    /// No unit may be written.
    Nothing,
    /// A unit turned out to be stale after its message or part had been written: once more, without it. Each time there
    /// is one less, so there are at most as many passes as units.
    Again,
}

/// Writes every unit that still counts as durable, the guards first.
async fn write_units(
    connection: &mut AnyConnection,
    units: &[Unit],
    outcomes: &mut [Committed],
) -> Result<Pass, sqlx::Error> {
    // A duplicate of a unit that has since turned out to be stale may be no duplicate.
    outcomes.iter_mut().filter(|outcome| **outcome == Committed::Duplicate).for_each(|o| *o = Committed::Durable);
    write_messages(connection, units, outcomes).await?;
    write_parts(connection, units, outcomes).await?;
    write_acts(connection, units, outcomes).await?;
    let Some(numbers) = write_purchases(connection, units, outcomes).await? else { return Ok(Pass::Again) };
    let rest: Vec<&Unit> = standing(units, outcomes).map(|(_, unit)| unit).collect();
    if rest.is_empty() {
        return Ok(Pass::Nothing);
    }
    write_rest(connection, &rest, &numbers).await?;
    Ok(Pass::Written)
}

/// The units that count as durable so far, with their places.
fn standing<'u>(units: &'u [Unit], outcomes: &[Committed]) -> impl Iterator<Item = (usize, &'u Unit)> {
    units.iter().enumerate().zip(outcomes).filter(|(_, outcome)| **outcome == Committed::Durable).map(|(unit, _)| unit)
}

async fn write_messages(
    connection: &mut AnyConnection,
    units: &[Unit],
    outcomes: &mut [Committed],
) -> Result<(), sqlx::Error> {
    let mut first = HashMap::new();
    for (at, unit) in standing(units, outcomes) {
        if let Some(message) = &unit.message {
            first.entry((storable(&message.key), message.generation)).or_insert((at, message));
        }
    }
    let mut rows: Vec<_> = first.values().map(|(_, message)| *message).collect();
    // Two instances that hear the same messages take their locks in one order, and cannot block each other for good.
    rows.sort_unstable_by_key(|message| (&message.key, message.generation));
    let fresh = write::messages(connection, &rows).await?;
    for (at, unit) in units.iter().enumerate() {
        let Some(message) = unit.message.as_ref().filter(|_| outcomes[at] == Committed::Durable) else { continue };
        let key = (storable(&message.key), message.generation);
        let ours = first.get(&key).is_some_and(|(first, _)| *first == at);
        if !ours || !fresh.contains(&(key.0.into_owned(), key.1)) {
            outcomes[at] = Committed::Duplicate;
        }
    }
    Ok(())
}

/// A part guards a unit that has no message: it is a redelivery of a part. Beside a message, which is the stronger guard,
/// a part that is there already changes nothing.
async fn write_parts(
    connection: &mut AnyConnection,
    units: &[Unit],
    outcomes: &mut [Committed],
) -> Result<(), sqlx::Error> {
    let mut rows: Vec<_> = standing(units, outcomes).filter_map(|(_, unit)| unit.part.as_ref()).collect();
    rows.sort_unstable_by_key(|part| (&part.set, part.generation, part.number));
    let mut fresh = write::parts(connection, &rows).await?;
    for (at, unit) in units.iter().enumerate() {
        let Some(part) = unit.part.as_ref().filter(|_| outcomes[at] == Committed::Durable) else { continue };
        // Taken out, so that of two equal parts in one batch the second is the redelivery.
        let new = fresh.remove(&(storable(&part.set).into_owned(), part.generation, part.number.into()));
        if !new && unit.message.is_none() {
            outcomes[at] = Committed::Duplicate;
        }
    }
    Ok(())
}

/// An act that another instance has carried out meanwhile is not carried out again.
async fn write_acts(
    connection: &mut AnyConnection,
    units: &[Unit],
    outcomes: &mut [Committed],
) -> Result<(), sqlx::Error> {
    let mut rows: Vec<_> = standing(units, outcomes).filter_map(|(_, unit)| unit.act.as_ref()).collect();
    rows.sort_unstable_by_key(|act| act.number);
    let mut fresh = acts::done(connection, &rows).await?;
    for (at, unit) in units.iter().enumerate() {
        let Some(act) = unit.act.as_ref().filter(|_| outcomes[at] == Committed::Durable) else { continue };
        if !fresh.remove(&act.number) {
            outcomes[at] = Committed::Duplicate;
        }
    }
    Ok(())
}

/// Gives the numbers of the purchases, or nothing if a stale unit had already written its guard.
async fn write_purchases(
    connection: &mut AnyConnection,
    units: &[Unit],
    outcomes: &mut [Committed],
) -> Result<Option<Numbers>, sqlx::Error> {
    let mut rows: Vec<_> = standing(units, outcomes).filter_map(|(_, unit)| unit.purchase.as_ref()).collect();
    rows.sort_unstable_by_key(|row| &row.purchase.id);
    let numbers = write::purchases(connection, &rows).await?;
    let mut guard_written = false;
    for (at, unit) in units.iter().enumerate() {
        let Some(row) = unit.purchase.as_ref().filter(|_| outcomes[at] == Committed::Durable) else { continue };
        if numbers.of(&row.purchase.id).is_none() {
            outcomes[at] = Committed::Stale;
            guard_written |= unit.message.is_some() || unit.part.is_some() || unit.act.is_some();
        }
    }
    Ok((!guard_written).then_some(numbers))
}

async fn write_rest(connection: &mut AnyConnection, units: &[&Unit], numbers: &Numbers) -> Result<(), sqlx::Error> {
    let messages = units.iter().filter_map(|unit| unit.message.as_ref());
    let heard: Vec<_> = messages.filter_map(|message| Some((message.purchase_id.as_deref()?, message))).collect();
    write::heard(connection, &heard).await?;
    let events: Vec<_> = units.iter().flat_map(|unit| &unit.events).collect();
    write::events(connection, &events, numbers).await?;
    write::attempts(connection, units, numbers).await?;
    let looks =
        units.iter().filter_map(|unit| Some((unit.purchase.as_ref()?.purchase.id.as_str(), unit.surplus.as_ref()?)));
    let mut looks: Vec<_> = looks.collect();
    looks.sort_unstable_by_key(|(purchase, _)| *purchase);
    surplus::find(connection, &looks).await?;
    let replies: Vec<_> = units.iter().flat_map(|unit| &unit.replies).collect();
    write::replies(connection, &replies, numbers).await?;
    let updates: Vec<_> = units.iter().filter_map(|unit| unit.reply_update.as_ref()).collect();
    write::reply_updates(connection, &updates).await?;
    let mut sets: Vec<_> = units.iter().filter_map(|unit| unit.parts_done.as_ref()).collect();
    sets.sort_unstable();
    write::parts_done(connection, &sets).await
}

/// Whether the commit with this number stands. The update waits for a transaction that still holds the row, so that the
/// answer is final: what is not there now will not come.
async fn stands(store: &Store, writer: &Writer, batch: i64) -> Result<bool, sqlx::Error> {
    let mut connection = writer.pool.acquire().await?;
    let query = sqlx::query_scalar::<_, i64>("UPDATE writer SET batch = batch WHERE instance = $1 RETURNING batch");
    let asked = query.bind(&writer.instance).fetch_one(&mut *connection);
    match tokio::time::timeout(store.patience, asked).await {
        Ok(found) => Ok(found? == batch),
        Err(_) => {
            close(connection);
            Err(sqlx::Error::PoolTimedOut)
        }
    }
}

/// Ends a connection whose state is not known. The server ends its transaction when the connection is gone.
pub(super) fn close(connection: PoolConnection<Any>) {
    drop(connection.detach());
}
