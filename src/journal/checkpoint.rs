//! Brings SQLite's log back into the file beside the commits, so that none of them has to wait for all of it. Loses nothing
//! if it never runs: a commit that finds the log too long does the rest itself.

use super::dialect::{Dialect, Role};
use super::error::Cause;
use super::store::Store;
use crate::config;
use sqlx::AnyPool;
use std::sync::Weak;
use std::time::Duration;

/// At full load that is a few megabytes of log.
const EVERY: Duration = Duration::from_millis(200);

/// Begins it for a store that needs it, in a task that ends with the store.
pub(super) fn begin(config: &config::Journal, store: Weak<Store>) -> Result<(), Cause> {
    let dialect = Dialect::of(config)?;
    if dialect == Dialect::Sqlite {
        tokio::spawn(keep(dialect.pool(config, Role::Checkpointer)?, store));
    }
    Ok(())
}

async fn keep(pool: AnyPool, store: Weak<Store>) {
    while store.strong_count() > 0 {
        // Passive: it waits for nobody and nobody for it.
        if let Err(error) = sqlx::raw_sql("PRAGMA wal_checkpoint(PASSIVE)").execute(&pool).await {
            tracing::debug!(%error, "the log could not be brought into the file; the next commits do it");
        }
        tokio::time::sleep(EVERY).await;
    }
}
