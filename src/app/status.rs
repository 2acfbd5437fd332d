//! How the daemon stands, for the readiness page, the metrics, whoever is on call, and systemd's status line. Only looks.

use super::mark;
use crate::alarm::{Alarm, Change, Figures, NAMES, Notifies, Watch};
use crate::engine::Moved;
use crate::http::{Part, Readiness};
use crate::journal::rows::{Backlog, EventRow};
use crate::journal::{Journal, JournalError};
use crate::purchase::record::Micros;
use crate::telemetry::message_ids;
use crate::telemetry::metrics as names;
use crate::telemetry::systemd;
use metrics::gauge;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{broadcast, watch};

/// Between two looks at the journal's backlog.
const EVERY: Duration = Duration::from_secs(5);

const HOUR: Micros = 3_600_000_000;

/// What the alarms are judged by, and where they are shown.
pub(super) struct OnCall {
    pub(super) watch: Watch,
    pub(super) notifies: Arc<Notifies>,
    pub(super) raised: watch::Sender<Vec<Alarm>>,
}

/// Asks the journal how much is open, and says whether it answers and what is wrong. Runs until it is dropped.
pub(super) async fn watch(journal: Journal, readiness: watch::Sender<Readiness>, mut on_call: OnCall) {
    let mut heard = BTreeMap::new();
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
                if let Err(error) = on_call.look(&journal, backlog, &mut heard).await {
                    tracing::debug!(%error, "the alarms could not be judged; trying again");
                }
            }
            Err(error) => mark(&readiness, "journal", Part::Missing(error.to_string())),
        }
        tokio::time::sleep(EVERY).await;
    }
}

impl OnCall {
    async fn look(
        &mut self,
        journal: &Journal,
        backlog: Backlog,
        heard: &mut BTreeMap<String, Micros>,
    ) -> Result<(), JournalError> {
        for channel in self.notifies.take_heard() {
            journal.hear_notify(&channel).await?;
        }
        let heard_now = journal.notifies_heard().await?;
        for (channel, _) in heard_now.iter().filter(|(channel, at)| heard.get(*channel) != Some(at)) {
            self.notifies.heard_elsewhere(channel);
        }
        *heard = heard_now;
        let now = journal.now().await?;
        let figures = Figures {
            now,
            backlog,
            surplus: journal.surplus_since(now - HOUR).await?,
            untold: self.notifies.untold(),
            discrepancies: journal.open_discrepancies().await?,
        };
        let change = self.watch.look(&figures);
        tell(&change);
        self.raised.send_if_modified(|shown| {
            let changed = shown != self.watch.raised();
            self.watch.raised().clone_into(shown);
            changed
        });
        Ok(())
    }
}

fn tell(change: &Change) {
    for alarm in &change.raised {
        let (name, channel) = (alarm.name(), alarm.channel());
        tracing::warn!(message_id = message_ids::ALARM, alarm = name, channel, "alarm: {}", alarm.says());
        gauge_of(alarm).set(1.0);
    }
    for alarm in &change.over {
        tracing::info!(alarm = alarm.name(), channel = alarm.channel(), "the alarm is over");
        gauge_of(alarm).set(0.0);
    }
}

fn gauge_of(alarm: &Alarm) -> metrics::Gauge {
    gauge!(names::ALARM, "alarm" => alarm.name(), "channel" => alarm.channel().to_owned())
}

/// Alarms that are about no channel begin at nought.
pub(super) fn register() {
    for name in NAMES {
        gauge!(names::ALARM, "alarm" => name, "channel" => "").set(0.0);
    }
}

/// Counts what was found paid at a channel's page. A step that it misses under load is one that it does not count.
pub(super) async fn count_untold(mut moves: broadcast::Receiver<Arc<Moved>>, notifies: Arc<Notifies>) {
    loop {
        match moves.recv().await {
            Ok(moved) => {
                let found = |event: &EventRow| event.state_to == "granting" && !event.state_from.starts_with("grant");
                notifies.moved(&moved.purchase, moved.events.iter().any(found));
            }
            Err(broadcast::error::RecvError::Lagged(_)) => {}
            Err(broadcast::error::RecvError::Closed) => return,
        }
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
