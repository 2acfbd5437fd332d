//! Channels' statements in the journal: imported once, held against the charges, and what did not match with its owner and
//! age. Moves no money, and changes no purchase.

mod discrepancies;
mod import;
mod lookup;
mod passes;
mod rows;
mod settlement;
mod sums;

pub use discrepancies::Closing;
pub use rows::{
    ChargeRef, DiscrepancyAct, DiscrepancyFilter, DiscrepancyRow, Group, Kind, KnownCharge, NewDiscrepancy,
    NewStatement, OpenDiscrepancies, Position, Settled, Standing, StatementInfo, StatementRow, StatementState, Total,
};

use super::columns::Columns;
use super::error::Cause;
use super::statement::Statement;
use super::store::Store;
use sqlx::{Any, AnyConnection, Transaction};

/// A transaction on the operator's connection, that will write.
async fn begin(store: &Store) -> Result<Transaction<'static, Any>, Cause> {
    Ok(store.operators()?.begin_with(store.dialect.begin()).await?)
}

/// One statement's rows, read inside a transaction.
async fn read<T>(
    connection: &mut AnyConnection,
    statement: Statement,
    take: impl Fn(&mut Columns<'_>) -> Result<T, Cause>,
) -> Result<Vec<T>, Cause> {
    super::columns::all(&statement.fetch(connection).await?, take)
}
