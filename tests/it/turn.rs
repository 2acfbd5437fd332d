//! Turns for the tests that take every core for a while: one at a time, or those that wait for a socket beside them would
//! wait too long. Says nothing about what they do with their turn.

use tokio::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};

static TURN: RwLock<()> = RwLock::const_new(());

/// For a test that would use a core for as long as it lasts.
pub(crate) fn alone() -> RwLockWriteGuard<'static, ()> {
    TURN.blocking_write()
}

/// For the campaigns, which wait for their own faults as much as for a core.
pub(crate) async fn shared() -> RwLockReadGuard<'static, ()> {
    TURN.read().await
}
