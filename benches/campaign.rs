//! The long campaign on the release daemon: `cargo bench --bench campaign -- --minutes 20 --store postgres`. The body is
//! tests/campaign, as in the short test. Exits with 1 when a promise was broken.

#![expect(clippy::unwrap_used, reason = "a campaign may stop at the first surprise")]

#[path = "../tests/campaign/mod.rs"]
mod campaign;
#[expect(dead_code, unused_macros, unused_imports, reason = "the campaign needs a part of the tests' private stores")]
#[path = "../tests/it/stores.rs"]
mod stores;

use clap::{Parser, ValueEnum};
use std::process::ExitCode;
use std::time::Duration;

/// Hurts the daemons, their stores and their peers under load, and holds the books against each other.
#[derive(Parser)]
#[command(about)]
struct Options {
    /// How long the havoc lasts; settling comes on top.
    #[arg(long, default_value_t = 3.0)]
    minutes: f64,
    #[arg(long, value_enum, default_value_t = Store::Both)]
    store: Store,
    /// Daemons killed with -9 on each store; ten a minute when not given.
    #[arg(long)]
    kills: Option<u32>,
    /// Purchases begun in a second.
    #[arg(long, default_value_t = 200.0)]
    rate: f64,
    /// Daemons on the one PostgreSQL; SQLite has one.
    #[arg(long, default_value_t = 3)]
    instances: usize,
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Seconds that an instance may hold what it has begun.
    #[arg(long, default_value_t = 2)]
    lease: u64,
    /// Passed by `cargo bench`.
    #[arg(long, hide = true)]
    bench: bool,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Store {
    Sqlite,
    Postgres,
    Both,
}

fn main() -> ExitCode {
    let options = Options::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let mut violations = 0;
    for (postgres, instances, store) in [(false, 1, Store::Sqlite), (true, options.instances, Store::Postgres)] {
        if options.store == store || options.store == Store::Both {
            let report = runtime.block_on(campaign::run(settings(&options, postgres, instances)));
            println!("\n{report}");
            violations += report.violations();
        }
    }
    if violations == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn settings(options: &Options, postgres: bool, instances: usize) -> campaign::Settings {
    campaign::Settings {
        postgres,
        instances,
        kills: options.kills.unwrap_or((options.minutes * 10.0).ceil() as u32),
        length: Duration::from_secs_f64(options.minutes * 60.0),
        rate: options.rate,
        lease: Duration::from_secs(options.lease),
        seed: options.seed,
        progress: Some(Duration::from_secs(5)),
    }
}
