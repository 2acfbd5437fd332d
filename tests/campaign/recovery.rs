//! How long after a kill everything that was under way has moved on, seen from the phones: every message that the daemons
//! had acknowledged and not yet answered when one of them died, until the last of these has been answered. What the
//! survivors had under way is counted too, so that the figure is never better than the truth.

use std::collections::{HashMap, HashSet};
use std::sync::Mutex;
use std::time::{Duration, Instant};

#[derive(Default)]
pub(super) struct Recovery(Mutex<Ledger>);

#[derive(Default)]
struct Ledger {
    /// Subscribers who wait for an answer to what was acknowledged.
    waiting: HashSet<usize>,
    next: usize,
    /// Kills that some still wait since.
    open: HashMap<usize, Death>,
    done: Vec<Recovered>,
}

struct Death {
    at: Instant,
    quiet: bool,
    left: HashSet<usize>,
    under_way: usize,
    /// When the latest of them moved on.
    last: Duration,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Recovered {
    /// Nothing else was hurt or had just been hurt.
    pub(crate) quiet: bool,
    pub(crate) under_way: usize,
    pub(crate) took: Duration,
}

impl Recovery {
    pub(super) fn acknowledged(&self, subscriber: usize) {
        self.0.lock().unwrap().waiting.insert(subscriber);
    }

    pub(super) fn answered(&self, subscriber: usize) {
        let mut ledger = self.0.lock().unwrap();
        if !ledger.waiting.remove(&subscriber) {
            return;
        }
        for death in ledger.open.values_mut() {
            if death.left.remove(&subscriber) {
                death.last = death.at.elapsed();
            }
        }
        let healed: Vec<Death> =
            ledger.open.extract_if(|_, death| death.left.is_empty()).map(|(_, death)| death).collect();
        ledger.done.extend(healed.iter().map(Death::recovered));
    }

    pub(super) fn killed(&self, quiet: bool) {
        let mut ledger = self.0.lock().unwrap();
        let left = ledger.waiting.clone();
        let (number, under_way) = (ledger.next, left.len());
        ledger.next += 1;
        if under_way > 0 {
            ledger.open.insert(number, Death { at: Instant::now(), quiet, left, under_way, last: Duration::ZERO });
        }
    }

    /// And how many kills left something that was never answered, as what is in review; they count by all the others.
    pub(super) fn recovered(&self) -> (Vec<Recovered>, usize) {
        let ledger = self.0.lock().unwrap();
        let open = ledger.open.values().map(Death::recovered);
        (ledger.done.iter().copied().chain(open).collect(), ledger.open.len())
    }
}

impl Death {
    const fn recovered(&self) -> Recovered {
        Recovered { quiet: self.quiet, under_way: self.under_way, took: self.last }
    }
}
