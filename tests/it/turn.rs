//! Turns for the tests that take every core for a while: one at a time, or those that wait for a socket beside them would
//! wait too long. Says nothing about what they do with their turn.

use tokio::sync::{Mutex, MutexGuard};

static TURN: Mutex<()> = Mutex::const_new(());

pub(crate) async fn turn() -> MutexGuard<'static, ()> {
    TURN.lock().await
}

/// The same where there is no runtime.
pub(crate) fn blocking_turn() -> MutexGuard<'static, ()> {
    TURN.blocking_lock()
}
