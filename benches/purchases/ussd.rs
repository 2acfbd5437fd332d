//! The USSD mode: dialogues opened at once and held open at the consent while memory is read, then all agree. Measures and
//! prints; judges nothing.

use crate::daemon::{Daemon, Neighbours};
use crate::dialled::{Phone, Phones};
use crate::load::{Load, Times};
use crate::{Options, print_use};
use std::time::{Duration, Instant};

pub(crate) async fn measure(store: &str, options: &Options) {
    let neighbours = Neighbours::start().await;
    let daemon = Daemon::start(store, &neighbours).await;
    let load = Load::new(&neighbours);
    let mode = Mode { phones: Phones::new(&daemon.door, &load), daemon, options };
    mode.warm_up().await;

    let some = options.dialogues.div_ceil(SOME_OF);
    let mut dialled = mode.phones.dial(some, options.at_once).await;
    let before = mode.held().await;
    mode.phones.seen();
    let (others, opening) = mode.open(options.dialogues - some).await;
    dialled.extend(others);
    let open = mode.held().await;
    let (done, agreeing) = mode.agree(dialled).await;
    print_memory(&before, &open, &mode.held().await);
    mode.calm(f64::from(done) / (opening + agreeing).as_secs_f64() / 2.0).await;
    println!("  books: {} dialogues agreed, {}\n", mode.phones.books().agreed, neighbours.verdict(&load));
    mode.daemon.stop().await;
}

/// Memory is first read with one dialogue in so many open: what the warm-up left behind is given back by then.
const SOME_OF: u32 = 10;

/// Whole dialogues at an even rate.
const CALM: u32 = 2_500;

struct Mode<'m> {
    daemon: Daemon,
    phones: Phones<'m>,
    options: &'m Options,
}

/// Dialogues held open, by the gateway's books and the daemon's own word, and the memory that the daemon has meanwhile.
struct Held {
    at_gateway: usize,
    at_daemon: u64,
    resident: u64,
}

impl Mode<'_> {
    /// Each connection is opened, and every part has grown, before memory is read.
    async fn warm_up(&self) {
        let count = self.options.at_once.max(self.options.dialogues / 10);
        self.phones.buy(count, self.options.at_once, None).await;
        self.phones.seen();
    }

    async fn held(&self) -> Held {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let (at_gateway, at_daemon) = (self.phones.books().open, self.daemon.open_dialogues().await);
        Held { at_gateway, at_daemon, resident: self.daemon.resident_bytes() }
    }

    /// So many phones come to the consent, and how long that took all of them.
    async fn open(&self, count: u32) -> (Vec<Phone>, Duration) {
        let (usage, started) = (self.daemon.usage().await, Instant::now());
        let dialled = self.phones.dial(count, self.options.at_once).await;
        let took = started.elapsed();
        let (used, seen) = (self.daemon.usage().await.since(&usage), self.phones.seen());
        let screens = (seen.menu.count() + seen.consent.count()) as f64;
        let lost = count as usize - dialled.len();
        println!(
            "  {:.0} screens/s, up to the consent ({} dialogues, {lost} not)",
            screens / took.as_secs_f64(),
            dialled.len()
        );
        print_times(&[("to a menu's screen", &seen.menu), ("to the consent's screen", &seen.consent)]);
        print_use("screen", screens, &used);
        (dialled, took)
    }

    /// All agree: how many bought, and how long that took all of them.
    async fn agree(&self, dialled: Vec<Phone>) -> (u32, Duration) {
        let (count, usage, started) = (dialled.len(), self.daemon.usage().await, Instant::now());
        let done = self.phones.agree(dialled, self.options.at_once).await;
        let took = started.elapsed();
        let (used, seen) = (self.daemon.usage().await.since(&usage), self.phones.seen());
        let lost = count - done as usize;
        println!("  all agree: {:.0} purchases/s ({done} done, {lost} not)", f64::from(done) / took.as_secs_f64());
        print_times(&[("consent to the last screen", &seen.taken), ("consent to the last text", &seen.told)]);
        print_use("purchase", f64::from(done), &used);
        (done, took)
    }

    /// Whole dialogues, evenly at `rate` a second.
    async fn calm(&self, rate: f64) {
        let done = self.phones.buy(CALM, self.options.at_once * 4, Some(rate)).await;
        let seen = self.phones.seen();
        println!("  at half of both, {rate:.0} whole dialogues/s ({done} done, {} not):", CALM - done);
        print_times(&[
            ("to a menu's screen", &seen.menu),
            ("to the consent's screen", &seen.consent),
            ("consent to the last screen", &seen.taken),
            ("consent to the last text", &seen.told),
        ]);
    }
}

fn print_memory(before: &Held, open: &Held, after: &Held) {
    let mega = |held: &Held| held.resident as f64 / f64::from(1 << 20);
    let each =
        (open.resident as i64 - before.resident as i64) / (open.at_daemon as i64 - before.at_daemon as i64).max(1);
    println!("  open at once: {} by the gateway's books, {} by the daemon's word", open.at_gateway, open.at_daemon);
    println!(
        "  memory with {} open: {:.1} MB; with {}: {:.1} MB, {each} bytes for each; with {} again: {:.1} MB",
        before.at_daemon,
        mega(before),
        open.at_daemon,
        mega(open),
        after.at_daemon,
        mega(after)
    );
}

fn print_times(lines: &[(&str, &Times)]) {
    for (name, times) in lines {
        let (p50, p99, max) = (times.quantile(0.50), times.quantile(0.99), times.quantile(1.0));
        println!("    {name:<34} p50 {p50:>8.2} ms   p99 {p99:>8.2} ms   max {max:>8.2} ms");
    }
}
