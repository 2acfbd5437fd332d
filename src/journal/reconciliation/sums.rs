//! What a statement sums up to.

use super::super::columns::{self, Columns};
use super::super::error::Cause;
use super::super::statement::Statement;
use super::super::{Journal, JournalError};
use super::rows::{Kind, Standing, Total};
use crate::purchase::money::Currency;

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
