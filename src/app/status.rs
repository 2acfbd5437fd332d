//! How the daemon stands, for the readiness page, the metrics and systemd's status line. Only looks.

use super::mark;
use crate::http::{Part, Readiness};
use crate::journal::Journal;
use crate::telemetry::metrics as names;
use crate::telemetry::systemd;
use metrics::gauge;
use std::time::Duration;
use tokio::sync::watch;

/// Between two looks at the journal's backlog.
const EVERY: Duration = Duration::from_secs(5);

/// Asks the journal how much is open, and says whether it answers. Runs until it is dropped.
pub(super) async fn watch(journal: Journal, readiness: watch::Sender<Readiness>) {
    loop {
        match journal.takes_commits().await {
            Ok(()) => mark(&readiness, "journal", Part::Ready),
            Err(error) => mark(&readiness, "journal", Part::Missing(error.to_string())),
        }
        match journal.backlog().await {
            Ok(backlog) => {
                let oldest = backlog.oldest_unknown.map_or(0.0, |at| at as f64 / 1e6);
                for (state, count) in [
                    ("open", backlog.open),
                    ("review", backlog.review),
                    ("replies", backlog.replies_owed),
                    ("acts", backlog.acts),
                ] {
                    gauge!(names::BACKLOG, "state" => state).set(count as f64);
                }
                gauge!(names::UNKNOWN_OUTCOMES).set(backlog.unknown as f64);
                gauge!(names::OLDEST_UNKNOWN).set(oldest);
            }
            Err(error) => mark(&readiness, "journal", Part::Missing(error.to_string())),
        }
        tokio::time::sleep(EVERY).await;
    }
}

/// Keeps systemd's status line true. Runs until it is dropped.
pub(super) async fn tell_systemd(mut readiness: watch::Receiver<Readiness>) {
    loop {
        let missing = readiness.borrow_and_update().missing();
        let text = if missing.is_empty() {
            "all parts are up".to_owned()
        } else {
            format!("waiting for {}", missing.join(", "))
        };
        systemd::status(&text);
        if readiness.changed().await.is_err() {
            return;
        }
    }
}
