//! How soon what a killed instance had under way goes on elsewhere, read from the journal past the daemons: of each
//! purchase that somebody held at the kill, whether anybody moved it before the time it was held until, and if nobody did,
//! when it was taken up. What a living instance moves in time is none of these, so that it cannot flatter the figure.

use super::ground::Ground;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

/// Between two looks into the journal; the figure is as coarse as this.
const LOOK: Duration = Duration::from_millis(25);
/// What nobody has taken up after this is counted as taken up after this.
const FOLLOWED_MAX: Duration = Duration::from_secs(60);

/// A purchase as it stood at the kill.
#[derive(Clone, Copy, Debug)]
pub(super) struct Held {
    pub(super) version: i64,
    /// Unix microseconds: the lease of whoever holds it.
    pub(super) until: i64,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Orphan {
    /// Nothing else was hurt or had just been hurt.
    pub(crate) quiet: bool,
    /// From the kill until somebody else had it.
    pub(crate) took: Duration,
}

#[derive(Clone, Default)]
pub(super) struct Orphans {
    taken_up: Arc<Mutex<Vec<Orphan>>>,
    following: Arc<Mutex<JoinSet<()>>>,
}

impl Orphans {
    /// Follows what was held for no longer than a lease when an instance died just now. What waits for longer waits for a
    /// time of its own, as an inquiry of the plan, and for nobody's death.
    pub(super) fn killed(&self, ground: &Arc<Ground>, lease: Duration, quiet: bool) {
        let (ground, orphans) = (Arc::clone(ground), self.clone());
        let (at, lease) = (Instant::now(), lease.as_micros() as i64);
        self.following.lock().unwrap().spawn(async move {
            let Some(mut held) = ground.held().await else { return };
            let end = unix_micros() + lease;
            held.retain(|_, held| held.until <= end);
            orphans.follow(&ground, held, at, quiet).await;
        });
    }

    async fn follow(&self, ground: &Ground, mut held: HashMap<String, Held>, at: Instant, quiet: bool) {
        while !held.is_empty() && at.elapsed() < FOLLOWED_MAX {
            sleep(LOOK).await;
            // A journal that is down for now moves nothing either.
            let Some(open) = ground.held().await else { continue };
            let now = unix_micros();
            held.retain(|id, held| {
                let stands = open.get(id).is_some_and(|now| now.version == held.version);
                if !stands && held.until < now {
                    self.taken_up(quiet, at.elapsed());
                }
                stands
            });
        }
        held.values().for_each(|_| self.taken_up(quiet, at.elapsed()));
    }

    fn taken_up(&self, quiet: bool, took: Duration) {
        self.taken_up.lock().unwrap().push(Orphan { quiet, took });
    }

    pub(super) async fn all(&self) -> Vec<Orphan> {
        let following = std::mem::take(&mut *self.following.lock().unwrap());
        following.join_all().await;
        self.taken_up.lock().unwrap().clone()
    }
}

fn unix_micros() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros() as i64)
}
