//! The deterministic simulation: one seed is one life of several instances, their subscribers, stores and peers. The
//! decisions are the real ones of `purchase` and `engine`; everything around them is a model that loses, holds, doubles,
//! reorders and kills. Shared by the tests and by `cargo bench --bench simulation`.

mod app;
mod books;
mod broken;
pub(crate) mod chance;
mod consents;
mod desk;
mod dialogues;
mod doors;
mod instance;
mod judge;
mod keys;
mod life;
#[cfg(feature = "mutants")]
pub(crate) mod mutants;
mod pages;
mod partner;
pub(crate) mod peers;
mod phones;
mod store;
mod tally;
mod weather;
mod wires;

pub(crate) use broken::Broken;
#[cfg(feature = "mutants")]
use broken::WorldRule;
pub(crate) use tally::{Came, Fault, Tally};

use life::Life;
use paygate::engine::desk::Desk;
use tokio::time::Instant;

/// What one life came to.
pub(crate) struct Lived {
    /// What was wrong at the moment it happened, before any repair,
    pub(crate) before: Vec<String>,
    /// and in the end.
    pub(crate) after: Vec<String>,
    pub(crate) tally: Tally,
    /// Equal for two lives of one seed.
    pub(crate) trace: u64,
    pub(crate) story: Vec<String>,
}

impl Lived {
    pub(crate) fn first_wrong(&self) -> Option<&str> {
        self.before.iter().chain(&self.after).map(String::as_str).next()
    }
}

/// One who lives lives, one after the other; what they share is made once.
pub(crate) struct Simulator {
    desk: Desk,
    base: Instant,
}

impl Simulator {
    pub(crate) fn new() -> Self {
        Self { desk: desk::desk(), base: Instant::now() }
    }

    pub(crate) fn live(&mut self, seed: u64, broken: Broken, tell: bool) -> Lived {
        let mut life = Life::new(&mut self.desk, self.base, seed, broken, tell).live();
        let after = life.judged();
        let Life { before, tally, trace, story, .. } = life;
        Lived { before, after, tally, trace, story: story.unwrap_or_default() }
    }
}

/// What many lives came to.
#[derive(Default)]
pub(crate) struct Summary {
    pub(crate) tally: Tally,
    /// Lives that broke a promise, the lowest seed first.
    pub(crate) wrong: Vec<Wrong>,
}

/// A seed, and what was wrong in its life.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Wrong {
    pub(crate) seed: u64,
    pub(crate) before: Vec<String>,
    pub(crate) after: Vec<String>,
}

/// Lives these seeds, each of them twice, on as many threads as there are cores. `told` hears of each seed that is done.
pub(crate) fn live_all(seeds: std::ops::Range<u64>, told: &(dyn Fn() + Sync)) -> Summary {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let summaries: Vec<Summary> = std::thread::scope(|scope| {
        let mine = |first: usize| seeds.clone().skip(first).step_by(threads);
        let started: Vec<_> = (0..threads).map(|first| scope.spawn(move || live_some(mine(first), told))).collect();
        started.into_iter().filter_map(|thread| thread.join().ok()).collect()
    });
    assert!(summaries.len() == threads, "a life ended in a panic; it stands above");
    let mut all = Summary::default();
    for summary in summaries {
        all.tally.add(&summary.tally);
        all.wrong.extend(summary.wrong);
    }
    all.wrong.sort();
    all
}

fn live_some(seeds: impl Iterator<Item = u64>, told: &(dyn Fn() + Sync)) -> Summary {
    let (mut simulator, mut summary) = (Simulator::new(), Summary::default());
    for seed in seeds {
        let mut lived = simulator.live(seed, Broken::default(), false);
        let again = simulator.live(seed, Broken::default(), false);
        if (lived.trace, &lived.tally) != (again.trace, &again.tally) {
            lived.before.push("two lives of one seed differ".to_owned());
        }
        summary.tally.add(&lived.tally);
        if lived.first_wrong().is_some() {
            summary.wrong.push(Wrong { seed, before: lived.before, after: lived.after });
        }
        told();
    }
    summary
}
