//! The clock's side of the loop: claims what is due in the journal and hands it in. Claims are leases, so that several
//! instances share the work and a dead one's comes back; decides nothing.

use super::clock::Clock;
use super::outbox::Room;
use super::parts;
use super::work::Work;
use crate::config;
use crate::journal::rows::{PartRow, Surplus};
use crate::journal::{Journal, JournalError};
use crate::purchase::record::Micros;
use crate::telemetry::{message_ids, metrics as names};
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How many due rows are claimed at once.
const CLAIM_AT_MOST: u32 = 256;
/// Parts that wait for the rest are looked at in the first round and then once in so many.
const PARTS_EVERY: u32 = 50;

pub(super) struct Watch {
    pub(super) journal: Journal,
    pub(super) clock: Clock,
    pub(super) work: mpsc::Sender<Work>,
    pub(super) settings: config::Engine,
    pub(super) links: Room,
    pub(super) parts_window: Micros,
    /// Calls under way.
    pub(super) performing: TaskTracker,
    /// The channels on which no new charge may begin.
    pub(super) frozen: watch::Sender<BTreeSet<String>>,
}

impl Watch {
    pub(super) async fn run(self, stop: CancellationToken) {
        let mut round: u32 = 0;
        tell_of_freezes(&BTreeSet::new(), &self.frozen.borrow());
        let mut pause = self.settings.poll;
        while stop.run_until_cancelled(tokio::time::sleep(pause)).await.is_some() {
            round = round.wrapping_add(1);
            pause = match self.look(round).await {
                Ok(More::Later) => self.settings.poll,
                Ok(More::AtOnce) => Duration::ZERO,
                Err(error) => {
                    tracing::warn!(%error, "due purchases could not be claimed; trying again");
                    self.settings.poll * 5
                }
            };
        }
    }

    /// One look at everything that can be due, a claim of each kind, so that none waits for the end of another.
    async fn look(&self, round: u32) -> Result<More, JournalError> {
        let now = self.clock.now();
        // First, so that what is due meets the channels as they are now.
        let frozen = self.journal.frozen().await?;
        self.frozen.send_if_modified(|known| replace(known, frozen));
        self.claim_acts(now).await?;
        self.journal.claim_surplus().await?.iter().for_each(tell_of_surplus);
        let claimed = [self.claim_purchases(now).await?, self.claim_replies(now).await?];
        if round % PARTS_EVERY == 1 {
            self.look_at_parts(now).await?;
        }
        Ok(if claimed.contains(&(CLAIM_AT_MOST as usize)) { More::AtOnce } else { More::Later })
    }

    /// Sets that waited too long for the rest, and sets that are whole: those a crash left without their message.
    async fn look_at_parts(&self, now: Micros) -> Result<(), JournalError> {
        let overdue = now - self.parts_window;
        for parts in by_set(self.journal.overdue_parts(now, CLAIM_AT_MOST).await?) {
            if parts::is_whole(&parts) || parts.iter().any(|part| part.at < overdue) {
                self.hand_in(Work::LeftOver { parts }).await;
            }
        }
        Ok(())
    }

    async fn claim_acts(&self, now: Micros) -> Result<(), JournalError> {
        for act in self.journal.claim_acts(now, self.settings.lease, CLAIM_AT_MOST).await? {
            if let Some(purchase) = act.act.deed.purchase().cloned() {
                self.hand_in(Work::Act { purchase, act: Box::new(act) }).await;
            }
        }
        Ok(())
    }

    /// None for a link whose queue is full: what is claimed for it would only come due again before its turn.
    async fn claim_replies(&self, now: Micros) -> Result<usize, JournalError> {
        let (links, left) = self.links.left(CLAIM_AT_MOST as usize);
        let at_most = u32::try_from(left).unwrap_or(CLAIM_AT_MOST);
        let owed = self.journal.claim_replies(now, self.settings.reply_lease, &links, at_most).await?;
        let claimed = owed.len();
        for reply in owed {
            self.hand_in(Work::Owed { reply }).await;
        }
        Ok(claimed)
    }

    /// None while peers are behind with the calls that wait for them already: what is claimed then would only come due
    /// again before its turn.
    async fn claim_purchases(&self, now: Micros) -> Result<usize, JournalError> {
        if self.performing.len() >= self.settings.queue {
            return Ok(0);
        }
        let due = self.journal.claim_due(now, self.settings.lease, CLAIM_AT_MOST).await?;
        let claimed = due.len();
        for purchase in due {
            self.hand_in(Work::Due { purchase: Box::new(purchase) }).await;
        }
        Ok(claimed)
    }

    /// The loop takes work until it stops; what is handed in after that is claimed again when its lease is over.
    async fn hand_in(&self, work: Work) {
        let _ = self.work.send(work).await;
    }
}

/// Whether more is due than one look took.
enum More {
    AtOnce,
    Later,
}

/// Whether that changed anything.
fn replace(known: &mut BTreeSet<String>, newer: BTreeSet<String>) -> bool {
    let changed = *known != newer;
    tell_of_freezes(known, &newer);
    *known = newer;
    changed
}

/// A channel that an operator froze or thawed, as this instance obeys from now on.
fn tell_of_freezes(before: &BTreeSet<String>, after: &BTreeSet<String>) {
    for channel in after.difference(before) {
        tracing::warn!(message_id = message_ids::CHANNEL_FROZEN, channel, "frozen: no new charge begins here");
        metrics::gauge!(names::CHANNEL_FROZEN, "channel" => channel.clone()).set(1.0);
    }
    for channel in before.difference(after) {
        tracing::warn!(message_id = message_ids::CHANNEL_THAWED, channel, "thawed: charges begin here again");
        metrics::gauge!(names::CHANNEL_FROZEN, "channel" => channel.clone()).set(0.0);
    }
}

/// Two charges where one may have been meant: at once, and once.
fn tell_of_surplus(surplus: &Surplus) {
    metrics::counter!(names::SURPLUS, "channel" => surplus.channel.clone()).increment(1);
    tracing::warn!(
        message_id = message_ids::SURPLUS,
        purchase = surplus.second,
        other = surplus.first,
        channel = surplus.channel,
        msisdn = %surplus.msisdn,
        "the same package was charged twice to one subscriber in a short time"
    );
}

fn by_set(rows: Vec<PartRow>) -> Vec<Vec<PartRow>> {
    let mut sets: std::collections::BTreeMap<(String, i64), Vec<PartRow>> = std::collections::BTreeMap::new();
    for row in rows {
        sets.entry((row.set.clone(), row.generation)).or_default().push(row);
    }
    sets.into_values().collect()
}
