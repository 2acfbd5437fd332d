//! What is looked for once all rows of a statement are in: what it has twice, what it has for a charge of a neighbouring
//! day, what it lacks. Each pass may be done again from its beginning; the last makes the version the one that counts.

use super::super::columns::{self, Columns};
use super::super::error::Cause;
use super::super::statement::Statement;
use super::super::{Journal, JournalError};
use super::begin;
use super::import::{now, write_discrepancies};
use super::lookup::{charge_ref, known, known_charge};
use super::rows::{ChargeRef, Kind, KnownCharge, NewDiscrepancy, Standing, StatementInfo, StatementRow, Total};
use crate::purchase::money::{Currency, Money};
use crate::purchase::record::Micros;
use sqlx::AnyConnection;
use std::ops::Range;
use std::sync::Arc;

/// Purchase numbers in one look for what stands twice.
const NUMBERS: i64 = 50_000;
/// Rows in one look at what has no charge.
const ROWS: i64 = 512;

const ROW: &str =
    "entry.file, entry.line, entry.kind, entry.at, entry.reference, entry.msisdn, entry.amount, entry.currency";

impl Journal {
    /// Rows of a charge that the statement has already, each to be a duplicate: file and line, and the charge.
    pub async fn mark_duplicates(&self, statement: &StatementInfo, owner: &str) -> Result<(), JournalError> {
        for duplicate in self.duplicates(statement).await? {
            self.restand(statement, &[duplicate], owner).await?;
        }
        Ok(())
    }

    async fn duplicates(&self, statement: &StatementInfo) -> Result<Vec<(StatementRow, NewDiscrepancy)>, JournalError> {
        let mut found = Vec::new();
        let mut ends = Statement::new("SELECT MIN(purchase_number), MAX(purchase_number) FROM statement_row ");
        ends.push("WHERE purchase_number IS NOT NULL AND statement_number = ").int(statement.number);
        let of_ends = |columns: &mut Columns<'_>| Ok((columns.take()?, columns.take()?));
        let ends = async { columns::all(&self.store.keyed(ends).await?, of_ends) };
        let ends: Vec<(Option<i64>, Option<i64>)> = self.told("look for duplicates", ends.await)?;
        let Some((Some(first), Some(last))) = ends.first().copied() else { return Ok(found) };
        let mut from = first;
        while from <= last {
            found.extend(self.twice(statement.number, from..from + NUMBERS).await?);
            from += NUMBERS;
        }
        found.extend(self.twice_unknown(statement.number).await?);
        Ok(found)
    }

    /// Of each charge of these purchases all rows but the first.
    async fn twice(
        &self,
        statement: i64,
        purchases: Range<i64>,
    ) -> Result<Vec<(StatementRow, NewDiscrepancy)>, JournalError> {
        let mut select = Statement::new("SELECT ");
        select.push(ROW).push(", entry.purchase_number, entry.charge_key FROM statement_row AS entry JOIN (");
        select.push("SELECT purchase_number AS number, charge_key AS of_key, kind AS of_kind, MIN(file * 4294967296 + line) AS first ");
        select.push("FROM statement_row WHERE statement_number = ").int(statement);
        select.push(" AND purchase_number >= ").int(purchases.start).push(" AND purchase_number < ").int(purchases.end);
        select.push(" GROUP BY purchase_number, charge_key, kind HAVING COUNT(*) > 1) AS twice ON ");
        select.push("entry.purchase_number = number AND entry.charge_key = of_key AND entry.kind = of_kind ");
        select.push("WHERE entry.statement_number = ").int(statement);
        select.push(" AND entry.file * 4294967296 + entry.line > first ORDER BY entry.file, entry.line");
        let take = |columns: &mut Columns<'_>| {
            duplicate(StatementRow { charge: None, ..row(columns)? }, Some(charge_ref(columns)?))
        };
        let found = async { columns::all(&self.store.keyed(select).await?, take) };
        self.told("look for duplicates", found.await)
    }

    /// The same among rows of no charge of ours, by the channel's reference.
    async fn twice_unknown(&self, statement: i64) -> Result<Vec<(StatementRow, NewDiscrepancy)>, JournalError> {
        const UNKNOWN: &str = " JOIN discrepancy ON discrepancy.statement_number = entry.statement_number \
            AND discrepancy.file = entry.file AND discrepancy.line = entry.line WHERE discrepancy.purchase_number IS NULL \
            AND entry.reference IS NOT NULL AND discrepancy.statement_number = ";
        let mut select = Statement::new("SELECT ");
        select
            .push(ROW)
            .push(" FROM statement_row AS entry JOIN (SELECT entry.reference AS of_reference, entry.kind AS of_kind, ");
        select
            .push("MIN(entry.file * 4294967296 + entry.line) AS first FROM statement_row AS entry")
            .push(UNKNOWN)
            .int(statement);
        select.push(" AND entry.kind IN ('charge', 'reversal') GROUP BY entry.reference, entry.kind HAVING COUNT(*) > 1) AS twice ");
        select.push("ON entry.reference = of_reference AND entry.kind = of_kind").push(UNKNOWN).int(statement);
        select.push(" AND entry.file * 4294967296 + entry.line > first ORDER BY entry.file, entry.line");
        let found = async { columns::all(&self.store.keyed(select).await?, |columns| duplicate(row(columns)?, None)) };
        self.told("look for duplicates", found.await)
    }

    /// Writes how rows stand now, and what is left of each to somebody.
    pub async fn restand(
        &self,
        statement: &StatementInfo,
        rows: &[(StatementRow, NewDiscrepancy)],
        owner: &str,
    ) -> Result<(), JournalError> {
        let (store, number, rows, owner) = (Arc::clone(&self.store), statement.number, rows.to_vec(), owner.to_owned());
        self.driven("write how rows stand", async move {
            let mut transaction = begin(&store).await?;
            for (row, discrepancy) in &rows {
                write_standing(&mut transaction, number, row, discrepancy).await?;
            }
            let new: Vec<NewDiscrepancy> = rows.into_iter().map(|(_, discrepancy)| discrepancy).collect();
            write_discrepancies(&mut transaction, &store, number, &new, &owner).await?;
            Ok(transaction.commit().await?)
        })
        .await
    }

    /// Charges that the channel has made and that no charge of ours is known for, behind this file and line.
    pub async fn unknown_rows(&self, statement: i64, behind: (i64, i64)) -> Result<Vec<StatementRow>, JournalError> {
        let mut select = Statement::new("SELECT ");
        select.push(ROW).push(
            " FROM discrepancy JOIN statement_row AS entry ON entry.statement_number = discrepancy.statement_number ",
        );
        select.push(
            "AND entry.file = discrepancy.file AND entry.line = discrepancy.line WHERE discrepancy.statement_number = ",
        );
        select.int(statement).push(" AND discrepancy.standing = 'long' AND discrepancy.purchase_number IS NULL ");
        select
            .push("AND entry.kind = 'charge' AND (entry.file, entry.line) > (")
            .int(behind.0)
            .push(", ")
            .int(behind.1);
        select.push(") ORDER BY entry.file, entry.line LIMIT ").int(ROWS);
        let found = async { columns::all(&self.store.keyed(select).await?, row) };
        self.told("find rows without a charge", found.await)
    }

    /// Charges, or refunds, of ours that succeeded in that time at this channel and have no row in the statement.
    pub async fn missing(
        &self,
        refunds: bool,
        statement: &StatementInfo,
        time: Range<Micros>,
    ) -> Result<Vec<KnownCharge>, JournalError> {
        let (table, kind) = if refunds { ("refund", "reversal") } else { ("charge", "charge") };
        let key = if refunds { "refund.charge_key" } else { "charge.key" };
        let mut select = Statement::new("SELECT ");
        select.push(&known(table)).push(" FROM ").push(table).push(" WHERE status = 'succeeded' AND channel = ");
        select
            .text(&statement.channel)
            .push(" AND intended_at >= ")
            .int(time.start)
            .push(" AND intended_at < ")
            .int(time.end);
        select
            .push(" AND NOT EXISTS (SELECT 1 FROM statement_row AS entry WHERE entry.statement_number = ")
            .int(statement.number);
        select
            .push(" AND entry.purchase_number = ")
            .push(table)
            .push(".purchase_number AND entry.charge_key = ")
            .push(key);
        select.push(" AND entry.kind = '").push(kind).push("')");
        let found = async { columns::all(&self.store.keyed(select).await?, known_charge) };
        self.told("look for what a statement lacks", found.await)
    }

    /// Writes what a statement lacks.
    pub async fn write_missing(
        &self,
        statement: &StatementInfo,
        new: Vec<NewDiscrepancy>,
        owner: &str,
    ) -> Result<(), JournalError> {
        if new.is_empty() {
            return Ok(());
        }
        let (store, number, owner) = (Arc::clone(&self.store), statement.number, owner.to_owned());
        self.driven("write what a statement lacks", async move {
            let mut transaction = begin(&store).await?;
            write_discrepancies(&mut transaction, &store, number, &new, &owner).await?;
            Ok(transaction.commit().await?)
        })
        .await
    }

    /// Makes this version the one that counts: sums it up, puts the one before aside, and takes over from it who owns what
    /// and since when.
    pub async fn statement_is_done(&self, statement: &StatementInfo) -> Result<(), JournalError> {
        // Before the transaction, which nobody is to wait for.
        let totals = self.sum_up(statement).await?;
        let (store, statement) = (Arc::clone(&self.store), statement.clone());
        self.driven("make a statement count", async move {
            let mut transaction = begin(&store).await?;
            // Of two who come here at once the second waits, and finds it done.
            let mut lock = Statement::new("UPDATE statement SET state = state WHERE state = 'matching' AND number = ");
            lock.int(statement.number).push(" RETURNING number");
            if lock.fetch(&mut transaction).await?.is_empty() {
                return Ok(());
            }
            write_sums(&mut transaction, statement.number, &totals).await?;
            let at = now(&mut transaction, &store).await?;
            supersede(&mut transaction, &statement, at).await?;
            let mut update = Statement::new("UPDATE statement SET state = 'done', done_at = ");
            update.int(at).push(" WHERE number = ").int(statement.number).push(" AND state = 'matching'");
            update.fetch(&mut transaction).await?;
            Ok(transaction.commit().await?)
        })
        .await
    }
}

/// A row's standing, and that of what was left of it before.
async fn write_standing(
    connection: &mut AnyConnection,
    statement: i64,
    row: &StatementRow,
    discrepancy: &NewDiscrepancy,
) -> Result<(), Cause> {
    let mut update = Statement::new("UPDATE statement_row SET standing = ");
    update.text(row.standing.as_str()).push(", purchase_number = ");
    update.maybe_int(row.charge.as_ref().map(|charge| charge.purchase_number)).push(", charge_key = ");
    update.maybe_text(row.charge.as_ref().map(|charge| charge.key.as_str()));
    update.push(" WHERE ");
    at_row(&mut update, statement, row);
    update.fetch(connection).await?;
    let mut update = Statement::new("UPDATE discrepancy SET standing = ");
    update.text(discrepancy.standing.as_str()).push(", note = ").text(&discrepancy.note).push(", purchase_number = ");
    update.maybe_int(discrepancy.charge.as_ref().map(|charge| charge.purchase_number)).push(", charge_key = ");
    update.maybe_text(discrepancy.charge.as_ref().map(|charge| charge.key.as_str()));
    update.push(", closed_at = NULL, closing = NULL WHERE closing IS NULL AND ");
    at_row(&mut update, statement, row);
    update.fetch(connection).await?;
    Ok(())
}

fn at_row(update: &mut Statement, statement: i64, row: &StatementRow) {
    update
        .push("statement_number = ")
        .int(statement)
        .push(" AND file = ")
        .int(row.file)
        .push(" AND line = ")
        .int(row.line);
}

fn row(columns: &mut Columns<'_>) -> Result<StatementRow, Cause> {
    let (file, line, kind): (i64, i64, String) = (columns.take()?, columns.take()?, columns.take()?);
    let unreadable = || Cause::Unreadable(format!("a statement's row at file {file}, line {line}"));
    let (at, reference) = (columns.take()?, columns.take()?);
    let (msisdn, amount, currency): (Option<String>, Option<i64>, Option<String>) =
        (columns.take()?, columns.take()?, columns.take()?);
    let currency = currency.map(Currency::try_from).transpose().map_err(|_| unreadable())?;
    Ok(StatementRow {
        file,
        line,
        kind: Kind::of(&kind).ok_or_else(unreadable)?,
        at,
        reference,
        msisdn: msisdn.map(|msisdn| msisdn.parse()).transpose().map_err(|_| unreadable())?,
        money: amount.zip(currency).map(|(amount, currency)| Money::new(amount, currency)),
        standing: Standing::Long,
        ..StatementRow::default()
    })
}

/// A row that says the same a second time.
fn duplicate(row: StatementRow, charge: Option<ChargeRef>) -> Result<(StatementRow, NewDiscrepancy), Cause> {
    let row = StatementRow { standing: Standing::Duplicate, charge: charge.clone(), ..row };
    let amount = row.money.map_or(0, |money| money.amount);
    let discrepancy = NewDiscrepancy {
        row: Some((row.file, row.line)),
        standing: Standing::Duplicate,
        charge,
        theirs: if row.kind == Kind::Reversal { -amount } else { amount },
        currency: row.money.map(|money| money.currency),
        note: "the statement has it already, further up".to_owned(),
        closed: false,
    };
    Ok((row, discrepancy))
}

/// What the statement sums up to, written anew.
async fn write_sums(connection: &mut AnyConnection, statement: i64, totals: &[Total]) -> Result<(), Cause> {
    let mut delete = Statement::new("DELETE FROM statement_sum WHERE statement_number = ");
    delete.int(statement);
    delete.fetch(connection).await?;
    for total in totals {
        let currency = total.currency.as_ref().map_or("", Currency::as_str);
        let mut insert = Statement::new(
            "INSERT INTO statement_sum (statement_number, kind, standing, currency, rows, amount) VALUES (",
        );
        insert.int(statement).push(", ").text(total.kind.as_str()).push(", ").text(total.standing.as_str()).push(", ");
        insert.text(currency).push(", ").int(total.rows).push(", ").int(total.amount).push(")");
        insert.fetch(connection).await?;
    }
    Ok(())
}

async fn supersede(connection: &mut AnyConnection, statement: &StatementInfo, at: Micros) -> Result<(), Cause> {
    // What was open, or explained, about the same charge or the same reference of the channel's goes on as it was.
    let mut inherit = Statement::new(
        "UPDATE discrepancy SET owner = old.owner, opened_at = old.opened_at, closed_at = COALESCE(discrepancy.closed_at, \
         old.closed_at), closing = COALESCE(discrepancy.closing, old.closing) FROM discrepancy AS old JOIN statement AS former \
         ON former.number = old.statement_number WHERE discrepancy.statement_number = ",
    );
    inherit.int(statement.number).push(" AND former.state = 'done' AND former.channel = ").text(&statement.channel);
    inherit.push(" AND former.day = ").text(&statement.day);
    inherit.push(" AND (old.closing IS NULL OR old.closing = 'explained') AND old.standing = discrepancy.standing ");
    inherit.push("AND old.theirs = discrepancy.theirs AND (old.purchase_number, old.charge_key) = ");
    inherit.push("(discrepancy.purchase_number, discrepancy.charge_key)");
    inherit.fetch(connection).await?;
    // How a person had closed one stays as it was.
    let mut close = Statement::new("UPDATE discrepancy SET closing = 'superseded', closed_at = ");
    close.int(at).push(" WHERE closed_at IS NULL AND statement_number IN ");
    close.push("(SELECT number FROM statement WHERE state <> 'superseded' AND channel = ");
    close
        .text(&statement.channel)
        .push(" AND day = ")
        .text(&statement.day)
        .push(" AND number <> ")
        .int(statement.number);
    close.push(")");
    close.fetch(connection).await?;
    let mut update = Statement::new("UPDATE statement SET state = 'superseded' WHERE channel = ");
    update
        .text(&statement.channel)
        .push(" AND day = ")
        .text(&statement.day)
        .push(" AND number <> ")
        .int(statement.number);
    update.fetch(connection).await?;
    Ok(())
}
