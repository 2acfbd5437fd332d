//! Whole purchases through a real daemon over loopback: how many a second, how soon its peers are answered, what each costs.
//! `cargo bench --bench purchases -- --help` has the knobs. Measures and prints; judges nothing.
//!
//! The daemon is the release binary in a process of its own; the SMSC, the operator's billing and the package manager are
//! the simulators, in this process. Every purchase is counted in the simulators' books, not by the daemon's word.

#![expect(clippy::unwrap_used, reason = "a benchmark may stop at the first surprise")]

#[expect(dead_code, unused_macros, unused_imports, reason = "the benchmark needs a part of the tests' private stores")]
#[path = "../../tests/it/stores.rs"]
mod stores;

mod daemon;
mod dialled;
mod load;
mod ussd;

use clap::Parser;
use daemon::{Daemon, Neighbours, Usage};
use load::{Figures, Load};
use std::time::{Duration, Instant};

/// Whole purchases a second, by text message or from a menu, and what bounds them.
#[derive(Parser)]
#[command(about)]
struct Options {
    /// `sqlite`, `postgres` (with Redis), or `both`.
    #[arg(long, default_value = "both")]
    store: String,
    /// Purchases in each run.
    #[arg(long, default_value_t = 20_000)]
    purchases: u32,
    /// Subscribers buying at once.
    #[arg(long, default_value_t = 512)]
    at_once: u32,
    /// Purchases left waiting for their code while memory is read.
    #[arg(long, default_value_t = 100_000)]
    waiting: u32,
    /// Phones dial, instead of texting: all dialogues are open at once, then all agree.
    #[arg(long)]
    ussd: bool,
    /// Dialogues open at once, with --ussd.
    #[arg(long, default_value_t = 5_000)]
    dialogues: u32,
    /// Passed by `cargo bench`.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() {
    let options = Options::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    println!("{}\n", machine());
    for store in ["sqlite", "postgres"] {
        if options.store == store || options.store == "both" {
            println!("{}", if store == "sqlite" { "SQLite, keys in the process" } else { "PostgreSQL and Redis" });
            if options.ussd {
                runtime.block_on(ussd::measure(store, &options));
            } else {
                runtime.block_on(measure(store, &options));
            }
        }
    }
}

async fn measure(store: &str, options: &Options) {
    let neighbours = Neighbours::start().await;
    let daemon = Daemon::start(store, &neighbours).await;
    let load = Load::new(&neighbours);
    load.run(options.purchases / 10, options.at_once, None, false).await;

    let (usage, started) = (daemon.usage().await, Instant::now());
    let flat_out = load.run(options.purchases, options.at_once, None, false).await;
    let used = daemon.usage().await.since(&usage);
    let rate = f64::from(flat_out.done) / started.elapsed().as_secs_f64();
    print_rate(rate, &flat_out, &used);

    let half = rate / 2.0;
    let calm = load.run((options.purchases / 2).max(1_000), options.at_once * 4, Some(half), false).await;
    println!("  at half of that, {half:.0}/s:");
    print_latency(&calm);

    let before = daemon.resident_bytes();
    load.run(options.waiting, options.at_once, None, true).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let grown = daemon.resident_bytes().saturating_sub(before);
    let each = if options.waiting == 0 { 0 } else { grown / u64::from(options.waiting) };
    println!(
        "  memory with {} waiting for their code: {} MB, {each} bytes for each",
        options.waiting,
        (before + grown) >> 20
    );
    println!("  books: {}\n", neighbours.verdict(&load));
    daemon.stop().await;
}

fn print_rate(rate: f64, figures: &Figures, used: &Usage) {
    println!("  {rate:.0} purchases/s ({} done, {} not)", figures.done, figures.failed);
    print_latency(figures);
    print_use("purchase", f64::from(figures.done), used);
}

/// What each of `count` took of the machine.
fn print_use(each: &str, count: f64, used: &Usage) {
    let count = count.max(1.0);
    println!(
        "    CPU per {each}: daemon {:.0} µs, store {:.0} µs, simulators and load {:.0} µs",
        used.daemon.as_secs_f64() / count * 1e6,
        used.store.as_secs_f64() / count * 1e6,
        used.peers.as_secs_f64() / count * 1e6
    );
    let all = (used.daemon + used.store + used.peers).as_secs_f64();
    println!(
        "    processor in use: {:.0} % of {} cores",
        all / used.wall.as_secs_f64() / daemon::cores() * 100.0,
        daemon::cores()
    );
    println!(
        "    journal: {:.1} rows a commit, {:.1} rows a {each}, a commit under way {:.0} % of the time",
        used.rows_per_commit(),
        used.rows as f64 / count,
        used.committing() * 100.0
    );
}

fn print_latency(figures: &Figures) {
    let line = |name: &str, times: &load::Times| {
        println!("    {name:<34} p50 {:>8.2} ms   p99 {:>8.2} ms", times.quantile(0.50), times.quantile(0.99));
    };
    line("deliver_sm to deliver_sm_resp", &figures.acknowledged);
    line("request to the offer's text", &figures.offered);
    line("code to the last text", &figures.told);
}

fn machine() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find(|line| line.starts_with("model name")).and_then(|line| line.split_once(": "));
    format!("{} cores, {}", daemon::cores(), model.map_or("unknown processor", |(_, model)| model))
}
