//! The havoc, turn by turn as the seed and the number of the turn say: in each turn an instance is killed with -9, and
//! something else may be hurt beside it. Knows nothing of what comes of it.

use super::Settings;
use super::dice::Dice;
use super::ground::Ground;
use super::instance::{Instance, all_bound};
use super::orphans::Orphans;
use super::peers::Dealt;
use super::subscribers::Subscribers;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::runtime::Handle;
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::{sleep, sleep_until};

const REDIS_LOSSES: [&str; 4] = ["killed", "flushed", "paused", "restarted empty"];

/// What was done.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) kills: u64,
    pub(crate) pauses: u64,
    pub(crate) postgres: u64,
    pub(crate) redis: BTreeMap<&'static str, u64>,
    pub(crate) faults: BTreeMap<&'static str, u64>,
    /// Daemons that ended by themselves and were started again.
    pub(crate) ended: u64,
}

/// What one turn has beside its kill. A quiet turn has nothing, nor had the one before anything but a loss of Redis, so
/// that the time until all has moved on is the kill's alone.
struct Turn {
    faults: bool,
    pause: bool,
    postgres: bool,
    redis: u32,
    quiet: bool,
}

impl Turn {
    const fn of(number: u32) -> Self {
        let faults = number % 4 >= 2;
        let (pause, postgres) = (number % 5 == 2, number % 10 == 6);
        let redis = [1, 0, 2, 1][(number % 4) as usize];
        let before = number.wrapping_sub(1);
        let quiet = number % 4 == 1 && !pause && before % 5 != 2 && before % 10 != 6;
        Self { faults, pause, postgres, redis, quiet }
    }
}

pub(super) struct Havoc {
    settings: Settings,
    ground: Arc<Ground>,
    subscribers: Arc<Subscribers>,
    instances: Vec<Instance>,
    dice: Dice,
    dealt: Dealt,
    losses: usize,
    tally: Arc<Mutex<Tally>>,
    pub(super) orphans: Orphans,
}

impl Havoc {
    /// The daemons, all bound, and nothing hurt yet.
    pub(super) async fn start(settings: &Settings, ground: Arc<Ground>, subscribers: Arc<Subscribers>) -> Self {
        let mut instances = Vec::new();
        for number in 0..settings.instances {
            instances.push(Instance::start(&ground, number));
            // The first one makes the tables.
            all_bound(&mut instances, &ground).await;
        }
        let (dice, settings) = (Dice::new(settings.seed), settings.clone());
        let (dealt, tally) = (Dealt::default(), Arc::default());
        let orphans = Orphans::default();
        Self { settings, ground, subscribers, instances, dice, dealt, losses: 0, tally, orphans }
    }

    pub(super) fn tally(&self) -> Arc<Mutex<Tally>> {
        Arc::clone(&self.tally)
    }

    pub(super) async fn run(&mut self) {
        let (began, each) = (Instant::now(), self.settings.length / self.settings.kills.max(1));
        for number in 0..self.settings.kills {
            self.turn(&Turn::of(number), began + each * number + each / 2).await;
            sleep_until((began + each * (number + 1)).into()).await;
        }
    }

    /// The peers are at fault until `well` at least.
    async fn turn(&mut self, turn: &Turn, well: Instant) {
        if turn.faults {
            self.dealt.strike(&self.ground, &mut self.dice, (self.settings.rate / 10.0).ceil() as u32);
        }
        let outage = (turn.postgres && self.settings.postgres).then(|| self.hurt_postgres());
        self.wait_up_to(300).await;
        self.kill(turn.quiet).await;
        for _ in 0..turn.redis {
            self.hurt_redis().await;
        }
        if turn.pause {
            let length = self.settings.lease + Duration::from_millis(500);
            let victim = self.victim();
            self.instances[victim].sleeps(length).await;
            self.tally.lock().unwrap().pauses += 1;
        }
        if let Some(outage) = outage {
            outage.await.unwrap();
        }
        self.all_up().await;
        if turn.faults {
            sleep_until(well.into()).await;
            self.relent();
        }
    }

    async fn kill(&mut self, quiet: bool) {
        let victim = self.victim();
        self.instances[victim].kill().await;
        let other = self.victim();
        self.ground.notifies_go_to(other);
        self.subscribers.recovery.killed(quiet);
        self.orphans.killed(&self.ground, self.settings.lease, quiet);
        self.tally.lock().unwrap().kills += 1;
        self.wait_up_to(200).await;
        self.instances[victim].start_again();
    }

    /// Killed as by a power cut, or by an operator in a hurry.
    fn hurt_postgres(&mut self) -> JoinHandle<()> {
        self.tally.lock().unwrap().postgres += 1;
        let (ground, cut, length) = (Arc::clone(&self.ground), self.dice.roll(2) == 0, self.dice.roll(1_000));
        spawn_blocking(move || {
            let mut cluster = ground.postgres.lock().unwrap();
            let Some(cluster) = cluster.as_mut() else { return };
            if cut {
                cluster.kill()
            } else {
                cluster.stop_at_once()
            }
            std::thread::sleep(Duration::from_millis(length));
            cluster.start_again();
        })
    }

    async fn hurt_redis(&mut self) {
        if !self.settings.postgres {
            return;
        }
        let kind = REDIS_LOSSES[self.losses % REDIS_LOSSES.len()];
        self.losses += 1;
        let (ground, length) = (Arc::clone(&self.ground), Duration::from_millis(50 + self.dice.roll(700)));
        let handle = Handle::current();
        let hurting = spawn_blocking(move || {
            let mut redis = ground.redis.lock().unwrap();
            let Some(redis) = redis.as_mut() else { return };
            match kind {
                "flushed" => handle.block_on(redis.command(&["FLUSHALL"])),
                "paused" => {
                    redis.pause();
                    std::thread::sleep(length);
                    redis.resume();
                }
                _ => {
                    redis.kill();
                    if kind == "killed" {
                        std::thread::sleep(length);
                    }
                    redis.start_again();
                }
            }
        });
        hurting.await.unwrap();
        *self.tally.lock().unwrap().redis.entry(kind).or_default() += 1;
    }

    fn relent(&mut self) {
        self.dealt.relent(&self.ground);
        self.tally.lock().unwrap().faults.clone_from(&self.dealt.0);
    }

    async fn all_up(&mut self) {
        let ended = all_bound(&mut self.instances, &self.ground).await;
        self.tally.lock().unwrap().ended += u64::from(ended);
    }

    fn victim(&mut self) -> usize {
        self.dice.roll(self.instances.len() as u64) as usize
    }

    async fn wait_up_to(&mut self, milliseconds: u64) {
        sleep(Duration::from_millis(self.dice.roll(milliseconds))).await;
    }

    /// Peace: all stand, and all do as they should.
    pub(super) async fn ends(&mut self) {
        self.relent();
        self.all_up().await;
    }

    pub(super) async fn stop(mut self) -> Tally {
        for instance in &mut self.instances {
            instance.stop().await;
        }
        self.tally.lock().unwrap().clone()
    }
}
