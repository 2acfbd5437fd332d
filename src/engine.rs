//! The one loop: takes what the doors, peers and timers say, asks the core, commits, and only then performs.
//!
//! Messages, answers, timers and restarts all become [`work::Work`]; a batch of it is decided purely ([`decide`]),
//! committed as one transaction with one fsync, and its effects are let out when that commit is durable. There is no
//! second path for recovery: what a crash interrupted has a due time in the journal and comes back as a timer.

pub mod clock;
pub mod decide;
pub mod desk;
pub mod door;
pub mod doubt;
pub mod intake;
pub mod order;
mod outbox;
mod parts;
mod perform;
mod questions;
pub mod settle;
mod turn;
pub mod under_way;
mod watch;
pub mod work;

use crate::config;
use crate::idempotency::Keys;
use crate::journal::Journal;
use crate::journal::rows::EventRow;
use crate::purchase::Purchase;
use crate::telemetry::watchdog::Heartbeat;
use clock::Clock;
use desk::Desk;
use door::{Delivery, Submit};
use doubt::Doubt;
use outbox::Outbox;
use perform::Performer;
use questions::Questions;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use tokio::sync::{Semaphore, broadcast, mpsc};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use watch::Watch;

pub use intake::{Reader, random_hex};

/// All that the engine is given at start.
pub struct Parts {
    pub desk: Desk,
    pub journal: Journal,
    /// What is done after the journal may have lost something.
    pub doubt: Doubt,
    pub clock: Clock,
    pub keys: Keys,
    pub settings: config::Engine,
    /// Calls under way at once, for each channel and for the package manager.
    pub channel_places: BTreeMap<String, usize>,
    pub package_manager_places: usize,
    /// The sending side of each link by name.
    pub links: HashMap<String, mpsc::Sender<Submit>>,
    /// Grows with each turn of the loop: the watchdog's proof of life.
    pub heartbeat: Heartbeat,
}

/// A purchase after a durable step, and the events of that step: for whoever watches.
#[derive(Debug)]
pub struct Moved {
    pub purchase: Arc<Purchase>,
    pub events: Vec<EventRow>,
}

/// Steps a slow watcher may be behind before it misses some.
const MOVES_KEPT: usize = 1_024;

/// A running engine. Dropping it does not stop it; [`Engine::stop`] does.
pub struct Engine {
    intake: mpsc::Sender<Delivery>,
    /// Begin nothing that is not begun.
    stop: CancellationToken,
    /// Do not wait for peers any more.
    give_up: CancellationToken,
    turns: JoinHandle<()>,
    tasks: TaskTracker,
    performing: TaskTracker,
    moves: broadcast::Sender<Arc<Moved>>,
    frozen: Frozen,
    settings: config::Engine,
}

/// The channels and partners on which no new charge may begin, as this instance obeys.
pub type Frozen = tokio::sync::watch::Receiver<BTreeSet<String>>;

impl Engine {
    /// Starts the loop and its timers.
    #[must_use]
    pub fn start(parts: Parts) -> Self {
        let (intake, deliveries) = mpsc::channel(parts.settings.queue);
        let (answers, work) = mpsc::channel(parts.settings.queue);
        let (stop, give_up) = (CancellationToken::new(), CancellationToken::new());
        let (tasks, performing) = (TaskTracker::new(), TaskTracker::new());
        let places = |count: usize| Arc::new(Semaphore::new(count));
        let desk = Arc::new(parts.desk);
        let performer = Arc::new(Performer {
            desk: Arc::clone(&desk),
            keys: parts.keys.clone(),
            journal: parts.journal.clone(),
            doubt: parts.doubt,
            answers: answers.clone(),
            channel_places: parts.channel_places.iter().map(|(name, count)| (name.clone(), places(*count))).collect(),
            package_manager_places: places(parts.package_manager_places),
            questions: Questions::default(),
            tasks: performing.clone(),
            instance: intake::random_hex(),
        });
        let (moves, _) = broadcast::channel(MOVES_KEPT);
        let outbox = Outbox::start(parts.links, answers.clone(), desk.reply_lease);
        let (frozen, freezes) = tokio::sync::watch::channel(desk.rules.frozen.clone());
        let seen = freezes.clone();
        let watch = Watch {
            journal: parts.journal.clone(),
            clock: parts.clock.clone(),
            work: answers,
            settings: parts.settings.clone(),
            links: outbox.room(),
            parts_window: desk.parts_window,
            performing: performing.clone(),
            frozen,
        };
        tasks.spawn(watch.run(stop.clone()));
        tasks.spawn(parts.clock.clone().keep(parts.journal.clone(), give_up.clone()));
        let turns = turn::Loop {
            desk,
            freezes,
            journal: parts.journal,
            clock: parts.clock,
            keys: parts.keys,
            settings: parts.settings.clone(),
            performer,
            outbox,
            deliveries,
            work,
            cache: turn::Cache::new(parts.settings.cache),
            rounds: turn::Rounds::default(),
            heartbeat: parts.heartbeat,
            moves: moves.clone(),
            stop: stop.clone(),
            give_up: give_up.clone(),
        };
        let turns = tasks.spawn(turns.run());
        tasks.close();
        Self { intake, stop, give_up, turns, tasks, performing, moves, frozen: seen, settings: parts.settings }
    }

    /// Where doors hand in what they receive. Bounded: a full queue is the peer's backpressure.
    #[must_use]
    pub fn intake(&self) -> mpsc::Sender<Delivery> {
        self.intake.clone()
    }

    /// Every durable step from now on. Watching costs nothing while nobody does.
    #[must_use]
    pub fn moves(&self) -> broadcast::Receiver<Arc<Moved>> {
        self.moves.subscribe()
    }

    #[must_use]
    pub fn frozen(&self) -> Frozen {
        self.frozen.clone()
    }

    /// Takes nothing new and claims nothing more, finishes what is under way with all that follows from it, and gives up
    /// after `[engine] drain`; what is left has a due time.
    pub async fn stop(mut self) {
        drop(self.intake);
        self.stop.cancel();
        if tokio::time::timeout(self.settings.drain, &mut self.turns).await.is_err() {
            tracing::warn!(
                left = self.performing.len(),
                "stopped with calls under way; their outcome is inquired about after the next start"
            );
        }
        self.give_up.cancel();
        self.tasks.wait().await;
    }
}
