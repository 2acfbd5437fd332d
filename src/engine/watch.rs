//! The clock's side of the loop: claims what is due in the journal and hands it in. Claims are leases, so that several
//! instances share the work and a dead one's comes back; decides nothing.

use super::clock::Clock;
use super::parts;
use super::work::Work;
use crate::config;
use crate::journal::rows::PartRow;
use crate::journal::{Journal, JournalError};
use crate::purchase::record::Micros;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// How many due rows are claimed at once.
const CLAIM_AT_MOST: u32 = 256;
/// Parts that wait for the rest are looked at in the first round and then once in so many.
const PARTS_EVERY: u32 = 50;

pub(super) struct Watch {
    pub(super) journal: Journal,
    pub(super) clock: Clock,
    pub(super) work: mpsc::Sender<Work>,
    pub(super) settings: config::Engine,
    pub(super) links: Vec<String>,
    pub(super) parts_window: Micros,
}

impl Watch {
    pub(super) async fn run(self, stop: CancellationToken) {
        let mut round: u32 = 0;
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(self.settings.poll) => {}
            }
            round = round.wrapping_add(1);
            if let Err(error) = self.look(round).await {
                tracing::warn!(%error, "due purchases could not be claimed; trying again");
                tokio::time::sleep(self.settings.poll * 5).await;
            }
        }
    }

    /// One look at everything that can be due. A full claim is followed by the next at once.
    async fn look(&self, round: u32) -> Result<(), JournalError> {
        let now = self.clock.now();
        while self.claim_purchases(now).await? == CLAIM_AT_MOST as usize {}
        for reply in self.journal.claim_replies(now, self.settings.reply_lease, &self.links, CLAIM_AT_MOST).await? {
            self.hand_in(Work::Owed { reply }).await;
        }
        if round % PARTS_EVERY == 1 {
            self.look_at_parts(now).await?;
        }
        Ok(())
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

    async fn claim_purchases(&self, now: Micros) -> Result<usize, JournalError> {
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

fn by_set(rows: Vec<PartRow>) -> Vec<Vec<PartRow>> {
    let mut sets: std::collections::BTreeMap<(String, i64), Vec<PartRow>> = std::collections::BTreeMap::new();
    for row in rows {
        sets.entry((row.set.clone(), row.generation)).or_default().push(row);
    }
    sets.into_values().collect()
}
