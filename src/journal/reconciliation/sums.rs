//! What a statement sums up to.

use super::super::columns::{self, Columns};
use super::super::error::Cause;
use super::super::statement::Statement;
use super::super::{Journal, JournalError};
use super::rows::{Kind, Standing, StatementInfo, Total};
use crate::purchase::money::Currency;
use std::collections::BTreeMap;

/// Lines that are summed up at once, so that no look takes longer than a statement may.
const LINES: i64 = 100_000;

impl Journal {
    /// The rows of a statement that is done, by kind, standing and currency.
    pub async fn statement_totals(&self, statement: i64) -> Result<Vec<Total>, JournalError> {
        let mut select = Statement::new(
            "SELECT kind, standing, currency, rows, amount FROM statement_sum WHERE statement_number = ",
        );
        select.int(statement).push(" ORDER BY kind, standing, currency");
        let found = async { columns::all(&self.store.read(select).await?, take) };
        self.told("sum a statement up", found.await)
    }

    /// The same from the rows themselves.
    pub(super) async fn sum_up(&self, statement: &StatementInfo) -> Result<Vec<Total>, JournalError> {
        let mut sums: BTreeMap<_, Total> = BTreeMap::new();
        for file in 0..=statement.position.file {
            let mut lines =
                Statement::new("SELECT COALESCE(MAX(line), 0) FROM statement_row WHERE statement_number = ");
            lines.int(statement.number).push(" AND file = ").int(file);
            let last = async { columns::all(&self.store.keyed(lines).await?, |columns| columns.take::<i64>()) };
            let last = self.told("sum a statement up", last.await)?.pop().unwrap_or_default();
            for from in (0..=last).step_by(LINES as usize) {
                for total in self.totals_between(statement.number, file, from).await? {
                    let zero = Total { rows: 0, amount: 0, ..total };
                    let sum = sums.entry((total.kind, total.standing, total.currency)).or_insert(zero);
                    sum.rows += total.rows;
                    sum.amount += total.amount;
                }
            }
        }
        Ok(sums.into_values().collect())
    }

    async fn totals_between(&self, statement: i64, file: i64, from: i64) -> Result<Vec<Total>, JournalError> {
        let mut select = Statement::new("SELECT kind, standing, COALESCE(currency, ''), COUNT(*), ");
        select
            .push("CAST(COALESCE(SUM(amount), 0) AS BIGINT) FROM statement_row WHERE statement_number = ")
            .int(statement);
        select.push(" AND file = ").int(file).push(" AND line >= ").int(from).push(" AND line < ").int(from + LINES);
        select.push(" GROUP BY kind, standing, COALESCE(currency, '')");
        let found = async { columns::all(&self.store.keyed(select).await?, take) };
        self.told("sum a statement up", found.await)
    }
}

fn take(columns: &mut Columns<'_>) -> Result<Total, Cause> {
    let (kind, standing, currency): (String, String, String) = (columns.take()?, columns.take()?, columns.take()?);
    let unreadable = || Cause::Unreadable("the sum of a statement".to_owned());
    Ok(Total {
        kind: Kind::of(&kind).ok_or_else(unreadable)?,
        standing: Standing::of(&standing).ok_or_else(unreadable)?,
        currency: if currency.is_empty() {
            None
        } else {
            Some(Currency::try_from(currency).map_err(|_| unreadable())?)
        },
        rows: columns.take()?,
        amount: columns.take()?,
    })
}
