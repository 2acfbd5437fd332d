//! Whether the server behind the journal's address is still the one that took our commits. After a failover to a standby
//! that was behind, or a restore, the journal may have lost intents whose requests have left. Only notices; what follows
//! from it is the engine's.

use super::dialect::Dialect;
use crate::purchase::record::Micros;
use sqlx::AnyConnection;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// The setting that names the server on which the journal began.
const FIRST: &str = "server";

/// When the store was found to be another one.
#[derive(Clone, Copy, Debug)]
pub struct Changed {
    /// By the new server's clock.
    pub at: Micros,
    /// The same by this machine's steady clock; `None` if that does not reach back so far.
    pub since: Option<Instant>,
}

/// Shared by all connections of one journal.
#[derive(Clone, Debug, Default)]
pub(super) struct Lineage(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// The server of the newest connection.
    met: Option<String>,
    /// The server that the journal's settings were asked about last.
    settled: Option<String>,
    changed: Option<Changed>,
}

impl Lineage {
    /// Asks a new connection whose it is. A standby has no answer, and is no store to write to.
    pub(super) async fn meet(&self, dialect: Dialect, connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
        if let Some(query) = dialect.server() {
            let server: String = sqlx::query_scalar(query).fetch_one(connection).await?;
            self.state().met = Some(server);
        }
        Ok(())
    }

    /// Before anything is committed: a server that was not met before is written down in the journal itself, with the time
    /// at which the first instance met it. A standby that is promoted does not have that row, however it came to be behind.
    /// True where it has just turned out to be another one: what was decided before that was decided too surely.
    pub(super) async fn settle(&self, dialect: Dialect, connection: &mut AnyConnection) -> Result<bool, sqlx::Error> {
        let Some(server) = self.unsettled() else { return Ok(false) };
        let changed = if set_once(connection, FIRST, &server).await? == server {
            None
        } else {
            let now: Micros = sqlx::query_scalar(dialect.now()).fetch_one(&mut *connection).await?;
            let met = set_once(connection, &format!("{FIRST} {server}"), &now.to_string()).await?;
            Some(changed(met.parse().unwrap_or(now), now))
        };
        if changed.is_some() {
            tracing::warn!(
                server,
                "the journal is on another server or timeline than it began on; for a while nothing older is done before \
                 it has been asked about"
            );
        }
        let mut state = self.state();
        let (is_another, changed) = (changed.is_some(), changed.or(state.changed));
        (state.changed, state.settled) = (changed, Some(server));
        Ok(is_another)
    }

    pub(super) fn changed(&self) -> Option<Changed> {
        self.state().changed
    }

    fn unsettled(&self) -> Option<String> {
        let state = self.state();
        state.met.clone().filter(|met| state.settled.as_ref() != Some(met))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Each field is replaced as a whole, so that a state left behind by a panic is as good as any.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn changed(at: Micros, now: Micros) -> Changed {
    let age = Duration::from_micros(u64::try_from(now.saturating_sub(at)).unwrap_or(0));
    Changed { at, since: Instant::now().checked_sub(age) }
}

async fn set_once(connection: &mut AnyConnection, name: &str, value: &str) -> Result<String, sqlx::Error> {
    sqlx::query("INSERT INTO setting (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING")
        .bind(name)
        .bind(value)
        .execute(&mut *connection)
        .await?;
    sqlx::query_scalar("SELECT value FROM setting WHERE name = $1").bind(name).fetch_one(connection).await
}
