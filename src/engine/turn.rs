//! The tokio half of the loop: gathers a batch, reads what the journal knows about it, has it decided, commits it, and only
//! then lets the effects out.

use super::Moved;
use super::clock::{Clock, Moment};
use super::decide::Batch;
use super::desk::Desk;
use super::door::{Delivery, Incoming, Verdict};
use super::intake::random_hex;
use super::outbox::Outbox;
use super::perform::Performer;
use super::work::{Decision, Known, Work};
use crate::config;
use crate::idempotency::Keys;
use crate::journal::rows::{Committed, EventRow, Unit};
use crate::journal::{Journal, JournalError};
use crate::purchase::input::Input;
use crate::purchase::record::{Micros, Purchase};
use crate::telemetry::message_ids;
use crate::telemetry::watchdog::Heartbeat;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{broadcast, mpsc};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// How far back a subscriber's finished purchases are looked at: for repeats, late codes and "how does it stand".
const LOOK_BACK: Micros = 30 * 24 * 3_600 * 1_000_000;
/// Between two tries while the journal is down.
const JOURNAL_PAUSE: Duration = Duration::from_millis(200);
/// A receipt waits this often, a poll apart, for the answer that tells whose it is.
const RECEIPT_TRIES: u8 = 25;
/// An answer whose step the journal refuses is decided anew this often, this far apart; then its purchase's due time has it.
const REFUSED_TRIES: u8 = 5;
const REFUSED_PAUSE: Duration = Duration::from_secs(1);

mod cache;
mod know;
mod steps;

pub(super) use cache::Cache;

pub(super) struct Loop {
    pub(super) desk: Arc<Desk>,
    pub(super) journal: Journal,
    pub(super) clock: Clock,
    pub(super) keys: Keys,
    pub(super) settings: config::Engine,
    pub(super) performer: Arc<Performer>,
    pub(super) outbox: Outbox,
    pub(super) deliveries: mpsc::Receiver<Delivery>,
    pub(super) work: mpsc::Receiver<Work>,
    pub(super) cache: Cache,
    /// Left over from the batch before.
    pub(super) later: Vec<Work>,
    pub(super) heartbeat: Heartbeat,
    pub(super) moves: broadcast::Sender<Arc<Moved>>,
    pub(super) stop: CancellationToken,
}

impl Loop {
    pub(super) async fn run(mut self) {
        loop {
            let works = self.gather().await;
            self.heartbeat.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            let stopping = self.stop.is_cancelled();
            if works.is_empty() {
                if stopping && self.work.is_empty() {
                    return;
                }
                continue;
            }
            if let Err(error) = self.turn(works).await {
                tracing::error!(%error, "the journal did not take a batch; nothing of it was let out");
                metrics::counter!("paygate_journal_failures_total").increment(1);
                tokio::time::sleep(JOURNAL_PAUSE).await;
            }
        }
    }

    /// Waits for something to do, then takes what else is there, up to a batch: what waited during the last commit shares
    /// the next one. Answers come before messages, so that what is begun is finished first.
    async fn gather(&mut self) -> Vec<Work> {
        let mut works = std::mem::take(&mut self.later);
        if works.is_empty() {
            tokio::select! {
                biased;
                Some(work) = self.work.recv() => works.push(work),
                Some(delivery) = self.deliveries.recv() => works.extend(self.work_of(delivery)),
                () = tokio::time::sleep(self.settings.poll) => {}
            }
        }
        while works.len() < self.settings.batch {
            let Ok(work) = self.work.try_recv() else { break };
            works.push(work);
        }
        while works.len() < self.settings.batch && self.performer.has_room(&self.settings) {
            let Ok(delivery) = self.deliveries.try_recv() else { break };
            works.extend(self.work_of(delivery));
        }
        works
    }

    fn work_of(&self, delivery: Delivery) -> Option<Work> {
        let done = Some(delivery.done);
        match delivery.incoming {
            Incoming::Message(message) if message.part.is_some() => {
                Some(Work::Part { message: Box::new(message), done })
            }
            Incoming::Message(message) => {
                let reading = Arc::new(self.desk.reader.read(message));
                Some(Work::Message { reading, done, parts: None })
            }
            Incoming::Receipt(receipt) => Some(Work::Receipt { receipt, tries: 0, done }),
        }
    }

    /// next → commit → perform, for a batch.
    async fn turn(&mut self, mut works: Vec<Work>) -> Result<(), JournalError> {
        // A claimed purchase carries the newest version: it is decided first.
        works.sort_by_key(|work| !matches!(work, Work::Due { .. }));
        let known = match self.know(&works).await {
            Ok(known) => known,
            Err(error) => {
                self.put_off(works);
                return Err(error);
            }
        };
        let moment = self.clock.moment();
        let (mut decisions, later) = self.decide(works, &known, moment);
        self.later = later;
        let units: Vec<Unit> = decisions.iter_mut().map(|decision| std::mem::take(&mut decision.unit)).collect();
        let purchases: Vec<Option<Arc<Purchase>>> =
            units.iter().map(|unit| unit.purchase.as_ref().map(|row| Arc::new(row.purchase.clone()))).collect();
        let watched = self.moves.receiver_count() > 0;
        let events: Vec<Vec<EventRow>> = units.iter().map(|unit| steps::of(unit, watched)).collect();
        let (rows, started) = (units.iter().map(Unit::rows).sum::<usize>(), Instant::now());
        match self.journal.commit(units).await {
            Ok(outcomes) => {
                metrics::counter!("paygate_journal_commits_total").increment(1);
                metrics::counter!("paygate_journal_rows_total").increment(rows as u64);
                metrics::histogram!("paygate_commit_duration_seconds").record(started.elapsed());
                self.show(&purchases, &outcomes, events);
                for ((decision, purchase), outcome) in decisions.into_iter().zip(purchases).zip(outcomes) {
                    self.settle(decision, purchase, outcome, &known, moment);
                }
                Ok(())
            }
            Err(error) => {
                for (decision, purchase) in decisions.into_iter().zip(purchases) {
                    self.undecided(decision, purchase.as_deref());
                }
                Err(error)
            }
        }
    }

    /// Tells of each step that is durable now.
    fn show(&self, purchases: &[Option<Arc<Purchase>>], outcomes: &[Committed], events: Vec<Vec<EventRow>>) {
        for ((purchase, outcome), events) in purchases.iter().zip(outcomes).zip(events) {
            if let (Some(purchase), Committed::Durable) = (purchase, outcome) {
                steps::tell(purchase, &events);
                steps::count(purchase);
                // Whoever stopped watching in the meantime misses nothing that matters.
                let _ = self.moves.send(Arc::new(Moved { purchase: Arc::clone(purchase), events }));
            }
        }
    }

    fn decide(&self, works: Vec<Work>, known: &Known, moment: Moment) -> (Vec<Decision>, Vec<Work>) {
        let mut nonce = random_hex;
        let mut batch = Batch::new(&self.desk, known, moment, &mut nonce);
        for work in works {
            batch.take(work);
        }
        let (decisions, later) = batch.into_decisions();
        let (receipts, later) = later.into_iter().partition(|work| matches!(work, Work::Receipt { .. }));
        self.park(receipts);
        (decisions, later)
    }

    /// Receipts that came before the answer they belong to are looked at again a little later, a few times.
    fn park(&self, receipts: Vec<Work>) {
        for work in receipts {
            if matches!(&work, Work::Receipt { tries, .. } if *tries <= RECEIPT_TRIES) {
                self.performer.hand_in_after(work, self.settings.poll);
            }
        }
    }

    /// After the commit: acknowledge, let the effects out, or take it up again.
    fn settle(
        &mut self,
        decision: Decision,
        purchase: Option<Arc<Purchase>>,
        outcome: Committed,
        known: &Known,
        moment: Moment,
    ) {
        match outcome {
            Committed::Durable => self.let_out(decision, purchase, known, moment),
            Committed::Duplicate => self.taken_elsewhere(decision, purchase.as_deref(), known),
            Committed::Stale => {
                metrics::counter!("paygate_fenced_writes_total").increment(1);
                self.undecided_again(decision, purchase.as_deref());
            }
            Committed::Refused => self.refused(decision, purchase.as_deref()),
        }
    }

    fn let_out(&mut self, decision: Decision, purchase: Option<Arc<Purchase>>, known: &Known, moment: Moment) {
        for done in decision.done {
            let _ = done.send(Verdict::Fresh);
        }
        self.later.extend(decision.assemble.map(|set| Work::Assemble { set }));
        for (row, sends) in &decision.replies {
            let about = purchase.as_deref().or_else(|| row.purchase_id.as_ref().and_then(|id| known.purchases.get(id)));
            let code = about.filter(|_| row.text.contains("{otp}")).and_then(|purchase| self.code_of(purchase));
            self.outbox.send(row, *sends, code.as_deref(), moment);
        }
        let Some(purchase) = purchase else { return };
        self.cache.keep(&purchase);
        for effect in &decision.effects {
            self.performer.perform(Arc::clone(&purchase), effect, moment);
        }
    }

    fn code_of(&self, purchase: &Purchase) -> Option<String> {
        let offer = purchase.offer.as_ref()?;
        Some(self.desk.rules.code_key.code(&purchase.id, &offer.nonce, offer.digits))
    }

    /// The message was there already, and with it nothing of its unit was written: the answers that had been folded in
    /// beside it are evidence of their own.
    fn taken_elsewhere(&mut self, mut decision: Decision, purchase: Option<&Purchase>, known: &Known) {
        if decision
            .again
            .iter()
            .any(|work| matches!(work, Work::Message { reading, .. } if known.claimed.contains(&reading.key)))
        {
            // Only the key store was asked, and it has forgotten: whether this is a redelivery, the journal says.
            return self.undecided_again(decision, purchase);
        }
        for done in decision.done.drain(..) {
            let _ = done.send(Verdict::Again);
        }
        decision.again.retain(|work| !matches!(work, Work::Message { .. }));
        self.undecided_again(decision, purchase);
    }

    /// A rule above the journal failed, and the same rows would be refused again. What they were made of is not lost: each
    /// piece is decided anew by itself. A delivery that is neither message nor answer hears "later" by being dropped.
    fn refused(&mut self, mut decision: Decision, purchase: Option<&Purchase>) {
        let id = purchase.map(|purchase| purchase.id.as_str()).unwrap_or_default();
        tracing::error!(
            message_id = message_ids::STEP_REFUSED,
            purchase = id,
            "a constraint of the journal refused a step: a rule above it failed; nothing was let out"
        );
        metrics::counter!("paygate_refused_writes_total").increment(1);
        self.cache.forget(id);
        let alone = decision.again.len() == 1;
        let mut waiting = decision.done.drain(..);
        for (place, work) in (1..).zip(decision.again.drain(..)) {
            match work {
                Work::Message { reading, parts, .. } => {
                    let reading = if alone { reading.kept_as_refused().map(Arc::new) } else { Some(reading) };
                    let done = waiting.next();
                    // None where the journal takes no message at all: the peer keeps it, and hears "later".
                    self.later.extend(reading.map(|reading| Work::Message { reading, done, parts }));
                }
                Work::Answer { id, input, tries } => self.answer_refused(id, input, tries + 1, place),
                // Their rows are due again by themselves.
                Work::Part { .. }
                | Work::Assemble { .. }
                | Work::LeftOver { .. }
                | Work::Due { .. }
                | Work::Owed { .. }
                | Work::Reply { .. }
                | Work::Receipt { .. } => {}
            }
        }
    }

    /// Answers of one unit come back one after the other: the one at fault must not take the others with it again.
    fn answer_refused(&self, id: String, input: Input, tries: u8, place: u32) {
        if tries <= REFUSED_TRIES {
            self.performer.hand_in_after(Work::Answer { id, input, tries }, REFUSED_PAUSE * place);
        } else {
            tracing::error!(
                message_id = message_ids::STEP_REFUSED,
                purchase = id,
                answer = input.kind(),
                tries,
                "an answer could not be written down; its peer is asked anew when the purchase is due"
            );
        }
    }

    /// Another instance was first: forget what was read, and decide the same work anew on what stands now.
    fn undecided_again(&mut self, mut decision: Decision, purchase: Option<&Purchase>) {
        if let Some(purchase) = purchase {
            self.cache.forget(&purchase.id);
        }
        let mut waiting = decision.done.drain(..);
        for mut work in decision.again.drain(..) {
            if let Work::Message { done, .. } = &mut work {
                *done = waiting.next();
            }
            self.later.push(work);
        }
    }

    /// The journal could not say. A message is sent again by its peer; an answer is evidence and is kept.
    fn undecided(&mut self, mut decision: Decision, purchase: Option<&Purchase>) {
        for done in decision.done.drain(..) {
            let _ = done.send(Verdict::Later);
        }
        // Parts were acknowledged one by one: nobody sends the message that they make again.
        decision.again.retain(|work| !matches!(work, Work::Message { parts: None, .. }));
        self.undecided_again(decision, purchase);
    }

    /// Nothing could even be read: messages go back to their peers, the rest waits here.
    fn put_off(&mut self, works: Vec<Work>) {
        for work in works {
            match work {
                Work::Message { done: Some(done), .. } | Work::Part { done: Some(done), .. } => {
                    let _ = done.send(Verdict::Later);
                }
                other => self.later.push(other),
            }
        }
    }
}

#[cfg(test)]
mod tests;
