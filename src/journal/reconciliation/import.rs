//! A statement's way into the journal: begun once for its content, appended batch by batch with how far it is read, so that
//! an import that was killed goes on where its last commit stood.

use super::super::columns::{self, Columns};
use super::super::dialect::Dialect;
use super::super::error::Cause;
use super::super::statement::{Bulk, Statement, Values};
use super::super::store::Store;
use super::super::{Journal, JournalError};
use super::rows::{NewDiscrepancy, NewStatement, Position, StatementInfo, StatementRow, StatementState};
use super::{begin, read};
use crate::purchase::money::Currency;
use sqlx::AnyConnection;
use std::sync::Arc;
use tokio::time::Instant;

/// Of the time that a commit took, the part that is left to others.
const TURN: u32 = 8;

pub(super) const STATEMENT: &str = "statement.number, statement.channel, statement.day, statement.from_at, \
    statement.until_at, statement.version, statement.digest, statement.files, statement.map, statement.state, \
    statement.at_file, statement.at_octet, statement.at_line, statement.begun_by, statement.begun_at, statement.done_at";

static ROWS: Bulk = Bulk::insert(
    "statement_row",
    "statement_number, file, line, kind, at, reference, key, msisdn, amount, currency, raw, standing, purchase_number, \
     charge_key",
    "",
);

/// A pass that is done again finds its rows there.
static DISCREPANCIES: Bulk = Bulk::insert(
    "discrepancy",
    "statement_number, file, line, standing, purchase_number, charge_key, theirs, currency, note, owner, opened_at, \
     closed_at, closing",
    "ON CONFLICT DO NOTHING",
);

impl Journal {
    /// Begins a statement, or finds it again by its content: what was begun by the same map goes on, and what is done is
    /// given back as it is. `anew` begins a new version whatever is there.
    pub async fn begin_statement(&self, new: NewStatement, anew: bool) -> Result<StatementInfo, JournalError> {
        let store = Arc::clone(&self.store);
        self.driven("begin a statement", async move {
            loop {
                // Nothing where somebody else has begun a version meanwhile: then it is looked at.
                if let Some(statement) = begin_statement(&store, &new, anew).await? {
                    return Ok(statement);
                }
            }
        })
        .await
    }

    /// Keeps rows of a statement and how far it is read by then. False where somebody else has read on meanwhile.
    pub async fn append_rows(
        &self,
        statement: &StatementInfo,
        rows: Vec<StatementRow>,
        discrepancies: Vec<NewDiscrepancy>,
        owner: String,
        behind: Position,
    ) -> Result<bool, JournalError> {
        let (store, number, seen) = (Arc::clone(&self.store), statement.number, statement.position);
        self.driven("keep a statement's rows", async move {
            let begun = Instant::now();
            let mut transaction = begin(&store).await?;
            let mut update = Statement::new("UPDATE statement SET at_file = ");
            update.int(behind.file).push(", at_octet = ").int(behind.octet).push(", at_line = ").int(behind.line);
            update.push(" WHERE number = ").int(number).push(" AND state = 'reading' AND at_file = ").int(seen.file);
            update.push(" AND at_octet = ").int(seen.octet).push(" RETURNING number");
            if update.fetch(&mut transaction).await?.is_empty() {
                return Ok(false);
            }
            ROWS.run(&mut transaction, &rows, |values, row| bind(values, number, row)).await?;
            write_discrepancies(&mut transaction, &store, number, &discrepancies, &owner).await?;
            transaction.commit().await?;
            if store.dialect == Dialect::Sqlite {
                // One writes at a time: a daemon that waits behind this commit has its turn before the next.
                tokio::time::sleep(begun.elapsed() / TURN).await;
            }
            Ok(true)
        })
        .await
    }

    /// All rows are in.
    pub async fn statement_is_read(&self, statement: i64) -> Result<(), JournalError> {
        let mut update = Statement::new("UPDATE statement SET state = 'matching' WHERE number = ");
        update.int(statement).push(" AND state = 'reading'");
        let store = Arc::clone(&self.store);
        self.driven("end a statement", async move { store.act(update).await.map(|_| ()) }).await
    }

    /// What statements there are, the newest day first, then the newest version.
    pub async fn statements(
        &self,
        channel: Option<&str>,
        from_day: Option<&str>,
        until_day: Option<&str>,
        limit: u32,
    ) -> Result<Vec<StatementInfo>, JournalError> {
        let mut select = Statement::new("SELECT ");
        select.push(STATEMENT).push(" FROM statement WHERE 1 = 1");
        if let Some(channel) = channel {
            select.push(" AND channel = ").text(channel);
        }
        if let Some(day) = from_day {
            select.push(" AND day >= ").text(day);
        }
        if let Some(day) = until_day {
            select.push(" AND day <= ").text(day);
        }
        select.push(" ORDER BY day DESC, channel, version DESC LIMIT ").int(limit.into());
        let found = async { columns::all(&self.store.read(select).await?, take) };
        self.told("list statements", found.await)
    }

    /// The version of that day that counts, if one is done.
    pub async fn statement_of(&self, channel: &str, day: &str) -> Result<Option<StatementInfo>, JournalError> {
        let all = self.statements(Some(channel), Some(day), Some(day), 1_000).await?;
        Ok(all.into_iter().find(|statement| statement.state == StatementState::Done))
    }
}

async fn begin_statement(store: &Store, new: &NewStatement, anew: bool) -> Result<Option<StatementInfo>, Cause> {
    let mut transaction = begin(store).await?;
    let mut select = Statement::new("SELECT ");
    select.push(STATEMENT).push(" FROM statement WHERE channel = ").text(&new.channel);
    select.push(" AND day = ").text(&new.day).push(" ORDER BY version DESC");
    let versions = read(&mut transaction, select, take).await?;
    let same = versions.iter().find(|known| {
        let open = matches!(known.state, StatementState::Reading | StatementState::Matching);
        known.digest == new.digest && (!open || known.map == new.map)
    });
    if let Some(same) = same.filter(|_| !anew) {
        return Ok(Some(same.clone()));
    }
    let version = versions.first().map_or(1, |newest| newest.version + 1);
    let files = serde_json::to_string(&new.files).map_err(|error| Cause::Unreadable(error.to_string()))?;
    let mut insert = Statement::new(
        "INSERT INTO statement (channel, day, from_at, until_at, version, digest, files, map, state, at_file, at_octet, \
         at_line, begun_by, begun_at) VALUES (",
    );
    insert.text(&new.channel).push(", ").text(&new.day).push(", ").int(new.from).push(", ").int(new.until).push(", ");
    insert.int(version).push(", ").text(&new.digest).push(", ").text(&files).push(", ").text(&new.map);
    insert.push(", 'reading', 0, 0, 0, ").text(&new.operator).push(", ").int(now(&mut transaction, store).await?);
    insert
        .push(") ON CONFLICT (channel, day, version) DO NOTHING RETURNING ")
        .push(&STATEMENT.replace("statement.", ""));
    let begun = read(&mut transaction, insert, take).await?.pop();
    transaction.commit().await?;
    Ok(begun)
}

/// The database's clock, inside a transaction.
pub(super) async fn now(connection: &mut AnyConnection, store: &Store) -> Result<i64, Cause> {
    let rows = Statement::new(store.dialect.now()).fetch(connection).await?;
    let row = rows.first().ok_or(sqlx::Error::RowNotFound)?;
    Columns::new(row).take()
}

fn bind(values: &mut Values, statement: i64, row: &StatementRow) {
    values.int(statement).int(row.file).int(row.line).text(row.kind.as_str()).maybe_int(row.at);
    values.maybe_text(row.reference.as_deref()).maybe_text(row.key.as_deref());
    values.maybe_text(row.msisdn.map(|msisdn| msisdn.e164()).as_deref());
    values.maybe_int(row.money.map(|money| money.amount));
    values.maybe_text(row.money.as_ref().map(|money| money.currency.as_str()));
    values.maybe_text(row.raw.as_deref()).text(row.standing.as_str());
    values.maybe_int(row.charge.as_ref().map(|charge| charge.purchase_number));
    values.maybe_text(row.charge.as_ref().map(|charge| charge.key.as_str()));
}

pub(super) async fn write_discrepancies(
    connection: &mut AnyConnection,
    store: &Store,
    statement: i64,
    new: &[NewDiscrepancy],
    owner: &str,
) -> Result<(), Cause> {
    if new.is_empty() {
        return Ok(());
    }
    let at = now(connection, store).await?;
    let bind = |values: &mut Values, one: &NewDiscrepancy| {
        values.int(statement).maybe_int(one.row.map(|row| row.0)).maybe_int(one.row.map(|row| row.1));
        values.text(one.standing.as_str()).maybe_int(one.charge.as_ref().map(|charge| charge.purchase_number));
        values.maybe_text(one.charge.as_ref().map(|charge| charge.key.as_str())).int(one.theirs);
        values.maybe_text(one.currency.as_ref().map(Currency::as_str)).text(&one.note).text(owner).int(at);
        values.maybe_int(one.closed.then_some(at)).maybe_text(one.closed.then_some("agreed"));
    };
    DISCREPANCIES.run(connection, new, bind).await?;
    Ok(())
}

pub(super) fn take(columns: &mut Columns<'_>) -> Result<StatementInfo, Cause> {
    let (number, channel, day) = (columns.take()?, columns.take()?, columns.take()?);
    let (from, until, version, digest) = (columns.take()?, columns.take()?, columns.take()?, columns.take()?);
    let (files, map, state): (String, String, String) = (columns.take()?, columns.take()?, columns.take()?);
    let position = Position { file: columns.take()?, octet: columns.take()?, line: columns.take()? };
    let unreadable = || Cause::Unreadable(format!("statement {number}"));
    Ok(StatementInfo {
        number,
        channel,
        day,
        from,
        until,
        version,
        digest,
        files: serde_json::from_str(&files).map_err(|_| unreadable())?,
        map,
        state: StatementState::of(&state).ok_or_else(unreadable)?,
        position,
        begun_by: columns.take()?,
        begun_at: columns.take()?,
        done_at: columns.take()?,
    })
}
