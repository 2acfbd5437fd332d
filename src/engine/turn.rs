//! The tokio half of the loop: gathers work, reads what the journal knows about it, has it decided, commits it, and only then
//! lets the effects out. While one batch is being committed the next is decided; what touches the same waits.

use super::Moved;
use super::clock::{Clock, Moment};
use super::decide::{Batch, Draft};
use super::desk::Desk;
use super::door::{Delivery, Incoming};
use super::intake::{Reading, random_hex};
use super::outbox::Outbox;
use super::perform::Performer;
use super::settle::Aftermath;
use super::under_way::Touched;
use super::work::{Decision, Known, Work};
use crate::config;
use crate::idempotency::Keys;
use crate::journal::rows::{Committed, EventRow, Unit};
use crate::journal::{Journal, JournalError};
use crate::purchase::record::{Micros, Purchase};
use crate::telemetry::message_ids;
use crate::telemetry::watchdog::Heartbeat;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{broadcast, mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// How far back a subscriber's finished purchases are looked at: for repeats, late codes and "how does it stand".
const LOOK_BACK: Micros = 30 * 24 * 3_600 * 1_000_000;
/// Between two tries while the journal is down.
const JOURNAL_PAUSE: Duration = Duration::from_millis(200);
/// A receipt waits this often, a poll apart, for the answer that tells whose it is.
const RECEIPT_TRIES: u8 = 25;

mod cache;
mod know;
mod steps;

pub(super) use cache::Cache;

pub(super) struct Loop {
    pub(super) desk: Arc<Desk>,
    /// The channels that are frozen, as the watch last saw them.
    pub(super) freezes: watch::Receiver<BTreeSet<String>>,
    pub(super) journal: Journal,
    pub(super) clock: Clock,
    pub(super) keys: Keys,
    pub(super) settings: config::Engine,
    pub(super) performer: Arc<Performer>,
    pub(super) outbox: Outbox,
    pub(super) deliveries: mpsc::Receiver<Delivery>,
    pub(super) work: mpsc::Receiver<Work>,
    pub(super) cache: Cache,
    pub(super) rounds: Rounds,
    pub(super) heartbeat: Heartbeat,
    pub(super) moves: broadcast::Sender<Arc<Moved>>,
    pub(super) stop: CancellationToken,
    pub(super) give_up: CancellationToken,
}

/// What is between the queues and the journal.
#[derive(Default)]
pub(super) struct Rounds {
    /// To be taken up next.
    later: Vec<Work>,
    /// To be taken up when the commit under way has ended.
    held: Vec<Work>,
    open: Open,
    under_way: Option<UnderWay>,
    /// The journal has not taken or told anything since it last failed.
    is_failing: bool,
}

/// The batch that the next commit will hold.
#[derive(Default)]
struct Open {
    draft: Draft,
    known: Known,
    /// When it was last added to.
    moment: Option<Moment>,
    works: usize,
}

/// The batch whose commit is under way.
struct UnderWay {
    commit: JoinHandle<Result<Vec<Committed>, JournalError>>,
    touched: Touched,
    decided: Vec<Decided>,
    known: Known,
    moment: Moment,
    rows: usize,
    started: Instant,
}

/// A decision whose unit is at the journal.
struct Decided {
    decision: Decision,
    purchase: Option<Arc<Purchase>>,
    /// For whoever hears of its steps.
    events: Vec<EventRow>,
    extra_charges: u64,
}

impl Rounds {
    fn is_idle(&self) -> bool {
        self.later.is_empty() && self.held.is_empty() && self.open.works == 0 && self.under_way.is_none()
    }

    /// How much more may be taken up before a commit ends.
    fn room(&self, settings: &config::Engine) -> usize {
        settings.batch.saturating_sub(self.open.works + self.held.len() + self.later.len())
    }
}

impl Loop {
    pub(super) async fn run(mut self) {
        loop {
            self.heartbeat.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            if let Some(ended) = self.wait().await {
                self.end_commit(ended).await;
            }
            if let Err(error) = self.take_up().await {
                self.complain(&error).await;
            }
            if self.rounds.under_way.is_none() && self.rounds.open.works > 0 {
                self.begin_commit();
            }
            if self.stop.is_cancelled() && self.is_through() {
                return;
            }
        }
    }

    /// Nothing is left to do here. A call that ends has handed in its answer before, so calls are looked at first.
    fn is_through(&self) -> bool {
        let given_up = self.give_up.is_cancelled();
        let calls = !given_up && !self.performer.tasks.is_empty();
        let done = !calls && self.work.is_empty() && self.rounds.is_idle();
        // What cannot be written down now is asked about after the next start.
        done || given_up && self.rounds.is_failing && self.rounds.under_way.is_none()
    }

    /// Waits until there is something to do. Gives what the commit under way came to, if that was it.
    async fn wait(&mut self) -> Option<Result<Vec<Committed>, JournalError>> {
        if !self.rounds.later.is_empty() {
            let is_over = self.rounds.under_way.as_ref().is_some_and(|under_way| under_way.commit.is_finished());
            return if is_over { Some(ended(&mut self.rounds.under_way).await) } else { None };
        }
        let room = self.rounds.room(&self.settings) > 0;
        let messages = room && self.performer.has_room(&self.settings);
        tokio::select! {
            biased;
            ended = ended(&mut self.rounds.under_way) => return Some(ended),
            Some(work) = self.work.recv(), if room => self.rounds.later.push(work),
            Some(delivery) = self.deliveries.recv(), if messages => {
                let work = self.work_of(delivery);
                self.rounds.later.extend(work);
            }
            () = tokio::time::sleep(self.settings.poll) => {}
        }
        None
    }

    /// Takes what is there, up to a batch: what waited during the last commit shares the next one. Answers come before
    /// messages, so that what is begun is finished first.
    fn gather(&mut self) -> Vec<Work> {
        let mut room = self.rounds.room(&self.settings);
        let mut works = std::mem::take(&mut self.rounds.later);
        while room > 0 {
            let Ok(work) = self.work.try_recv() else { break };
            works.push(work);
            room -= 1;
        }
        while room > 0 && self.performer.has_room(&self.settings) {
            let Ok(delivery) = self.deliveries.try_recv() else { break };
            works.extend(self.work_of(delivery));
            room -= 1;
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
            Incoming::Payment(payment) => Some(Work::Payment { payment: Box::new(payment), done }),
            Incoming::Order(order) => Some(Work::Message { reading: Arc::new(Reading::of(order)), done, parts: None }),
            Incoming::Dialled(dialled) => {
                Some(Work::Message { reading: Arc::new(Reading::dialled(dialled)), done, parts: None })
            }
            Incoming::Notify(notify) => Some(Work::Notify { notify: Arc::new(notify), done }),
        }
    }

    /// Reads and decides what there is, into the open batch.
    async fn take_up(&mut self) -> Result<(), JournalError> {
        let mut works = self.gather();
        if let Some(under_way) = &self.rounds.under_way {
            let (held, free) = works.into_iter().partition(|work| under_way.touched.holds_back(work));
            self.rounds.held.extend::<Vec<_>>(held);
            works = free;
        }
        if works.is_empty() {
            return Ok(());
        }
        // A claimed purchase carries the newest version: it is decided first.
        works.sort_by_key(|work| !matches!(work, Work::Due { .. }));
        match self.know(&works).await {
            Ok(known) => {
                self.rounds.open.known.add(known);
                self.decide(works);
                Ok(())
            }
            Err(error) => {
                let mut aftermath = Aftermath::default();
                aftermath.put_off(works);
                self.carry_out(aftermath, self.clock.moment());
                Err(error)
            }
        }
    }

    /// Takes over which channels are frozen, and what the journal may have lost. Seldom, so that the desk is made anew.
    fn obey(&mut self) {
        let lost_before =
            self.journal.changed().map(|changed| self.performer.doubt.lost_before(changed, self.desk.landing()));
        if self.freezes.has_changed().unwrap_or(false) || lost_before != self.desk.rules.lost_before {
            let mut desk = Desk::clone(&self.desk);
            desk.rules.frozen = self.freezes.borrow_and_update().clone();
            desk.rules.lost_before = lost_before;
            self.desk = Arc::new(desk);
        }
    }

    fn decide(&mut self, works: Vec<Work>) {
        self.obey();
        let moment = self.clock.moment();
        let open = &mut self.rounds.open;
        open.works += works.len();
        open.moment = Some(moment);
        let mut nonce = random_hex;
        let mut batch = Batch::new(&self.desk, &open.known, moment, &mut nonce, &mut open.draft);
        works.into_iter().for_each(|work| batch.take(work));
        let later = std::mem::take(&mut open.draft.later);
        let (receipts, later): (Vec<_>, Vec<_>) =
            later.into_iter().partition(|work| matches!(work, Work::Receipt { .. }));
        self.rounds.held.extend(later);
        self.park(receipts);
    }

    /// Receipts that came before the answer they belong to are looked at again a little later, a few times.
    fn park(&self, receipts: Vec<Work>) {
        for work in receipts {
            if matches!(&work, Work::Receipt { tries, .. } if *tries <= RECEIPT_TRIES) {
                self.performer.hand_in_after(work, self.settings.poll);
            }
        }
    }

    /// Hands the open batch to the journal.
    fn begin_commit(&mut self) {
        let open = std::mem::take(&mut self.rounds.open);
        let touched = Touched::by(&open.draft);
        let watched = self.moves.receiver_count() > 0;
        let (mut units, mut decided) = (Vec::new(), Vec::new());
        for mut decision in open.draft.decisions {
            let unit = std::mem::take(&mut decision.unit);
            let purchase = unit.purchase.as_ref().map(|row| Arc::new(row.purchase.clone()));
            let extra_charges = decision.extra_charges;
            decided.push(Decided { decision, purchase, events: steps::of(&unit, watched), extra_charges });
            units.push(unit);
        }
        let (rows, journal) = (units.iter().map(Unit::rows).sum(), self.journal.clone());
        self.rounds.under_way = Some(UnderWay {
            commit: tokio::spawn(async move { journal.commit(units).await }),
            touched,
            decided,
            known: open.known,
            moment: open.moment.unwrap_or_else(|| self.clock.moment()),
            rows,
            started: Instant::now(),
        });
    }

    /// Lets out what is durable, and takes up again what is not. What was held back follows.
    async fn end_commit(&mut self, ended: Result<Vec<Committed>, JournalError>) {
        let Some(UnderWay { decided, known, moment, rows, started, .. }) = self.rounds.under_way.take() else { return };
        let mut aftermath = Aftermath::default();
        match ended {
            Ok(outcomes) => {
                self.rounds.is_failing = false;
                // What was decided meanwhile touches nothing of this one: the journal need not wait for its aftermath.
                // What was held back does wait: for a moment without a commit.
                if self.rounds.open.works > 0 && self.rounds.held.is_empty() {
                    self.begin_commit();
                }
                metrics::counter!("paygate_journal_commits_total").increment(1);
                metrics::counter!("paygate_journal_rows_total").increment(rows as u64);
                metrics::histogram!("paygate_commit_duration_seconds").record(started.elapsed());
                for (Decided { decision, purchase, events, extra_charges }, outcome) in
                    decided.into_iter().zip(outcomes)
                {
                    self.show(purchase.as_ref(), &outcome, events, extra_charges);
                    aftermath.add(&self.desk, decision, purchase, outcome, &known);
                }
                self.carry_out(aftermath, moment);
            }
            Err(error) => {
                for Decided { decision, purchase, .. } in decided {
                    aftermath.undecided(decision, purchase.as_deref());
                }
                self.carry_out(aftermath, moment);
                self.complain(&error).await;
            }
        }
        let held = std::mem::take(&mut self.rounds.held);
        self.rounds.later.extend(held);
    }

    async fn complain(&mut self, error: &JournalError) {
        self.rounds.is_failing = true;
        tracing::error!(message_id = message_ids::STORE_DOWN, %error, "the journal did not take a batch; nothing of it was let out");
        metrics::counter!("paygate_journal_failures_total").increment(1);
        tokio::time::sleep(JOURNAL_PAUSE).await;
    }

    /// Tells of a step that is durable now.
    fn show(&self, purchase: Option<&Arc<Purchase>>, outcome: &Committed, events: Vec<EventRow>, extra_charges: u64) {
        if let (Some(purchase), Committed::Durable) = (purchase, outcome) {
            steps::tell(purchase, &events);
            steps::count(purchase);
            steps::tell_of_extra_charges(purchase, extra_charges);
            // Whoever stopped watching in the meantime misses nothing that matters.
            let _ = self.moves.send(Arc::new(Moved { purchase: Arc::clone(purchase), events }));
        }
    }

    fn carry_out(&mut self, aftermath: Aftermath, moment: Moment) {
        for (done, verdict) in aftermath.verdicts {
            let _ = done.send(verdict);
        }
        for text in &aftermath.texts {
            self.outbox.send(&text.row, text.sends, text.code.as_deref(), moment);
        }
        aftermath.doubtful.iter().for_each(|id| self.cache.forget(id));
        aftermath.standing.iter().for_each(|purchase| self.cache.keep(purchase));
        for (purchase, effect) in aftermath.effects {
            self.performer.perform(purchase, &effect, moment);
        }
        for (work, pause) in aftermath.after {
            self.performer.hand_in_after(work, pause);
        }
        self.rounds.later.extend(aftermath.later);
    }
}

/// The end of the commit under way; never, where there is none.
async fn ended(under_way: &mut Option<UnderWay>) -> Result<Vec<Committed>, JournalError> {
    if let Some(under_way) = under_way
        && let Ok(ended) = (&mut under_way.commit).await
    {
        return ended;
    }
    // A commit's task is lost only with the runtime, and this one with it.
    std::future::pending().await
}
