//! How long a channel's statement of a day takes to import, match and sum up, with errors planted in it that must all be
//! found: `cargo bench --bench reconcile -- --rows 1000000`. Measures and prints; fails only where something is not found
//! or was invented.

#[expect(dead_code, unused_macros, unused_imports, reason = "the benchmark needs a part of the tests' private stores")]
#[path = "../tests/it/stores.rs"]
mod stores;
#[path = "../tests/statement_day/mod.rs"]
mod statement_day;

use clap::Parser;
use paygate::purchase::money::grouped;
use paygate::reconcile::Step;
use statement_day::{Day, MAP, found, import};
use std::sync::Mutex;
use std::time::{Duration, Instant};
use stores::Store;

/// A statement of so many rows, on either store.
#[derive(Parser)]
#[command(about)]
struct Options {
    /// Charges of the day.
    #[arg(long, default_value_t = 1_000_000)]
    rows: i64,
    /// Errors of each of fourteen kinds.
    #[arg(long, default_value_t = 50)]
    planted: i64,
    /// `sqlite`, `postgres` or `both`.
    #[arg(long, default_value = "both")]
    store: String,
    /// By the channel's reference alone, in place of our key.
    #[arg(long)]
    by_reference: bool,
    /// Passed by `cargo bench`.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() {
    let options = Options::parse();
    let _ = options.bench;
    let runtime = tokio::runtime::Runtime::new().expect("threads");
    runtime.block_on(async {
        if options.store != "postgres" {
            measure("SQLite", Store::sqlite(), &options).await;
        }
        if options.store != "sqlite" {
            measure("PostgreSQL", Store::postgres().await, &options).await;
        }
    });
}

async fn measure(name: &str, store: Store, options: &Options) {
    let day = Day { charges: options.rows, planted: options.planted };
    let folder = tempfile::tempdir().expect("a temporary directory");
    let file = folder.path().join("statement.csv");
    let journal = store.open().await;
    let begun = Instant::now();
    day.journal(&journal).await;
    let rows = day.statement(&file).expect("the statement is written");
    let octets = std::fs::metadata(&file).map(|file| file.len()).unwrap_or_default();
    println!(
        "{name}: {} charges in the journal after {:.1?}",
        grouped(options.rows.unsigned_abs(), ","),
        begun.elapsed()
    );
    let map = if options.by_reference { MAP.replace("key = \"Merchant Ref\"\n", "") } else { MAP.to_owned() };
    let (begun, read) = (Instant::now(), Mutex::new(Duration::ZERO));
    let (before, cpu) = (memory(), processor());
    let tell = |step| {
        if let Step::Reading { .. } = step {
            *read.lock().expect("nobody panics") = begun.elapsed();
        }
    };
    import(&map, "2026-11-24", &[&file]).run(&journal, &tell).await.expect("the import runs");
    let (took, read) = (begun.elapsed(), *read.lock().expect("nobody panics"));
    let rate = rows as f64 / took.as_secs_f64();
    println!(
        "{name}: {} rows, {} MB: {took:.1?} in all, {rate:.0} rows a second; read and matched by key or reference in {read:.1?}, \
         the passes after it {:.1?}; {:.1} s of processor here; memory {} MB before, {} MB at most",
        grouped(rows.unsigned_abs(), ","),
        octets / 1_000_000,
        took - read,
        processor() - cpu,
        before / 1_000,
        peak() / 1_000,
    );
    let (expected, found) = (day.expected(), found(&journal).await);
    let missing = expected.iter().filter(|one| !found.contains(one)).count();
    let invented = found.iter().filter(|one| !expected.contains(one)).count();
    println!("{name}: {} planted, {} found, {missing} missing, {invented} invented", expected.len(), found.len());
    assert!(missing == 0 && invented == 0 && expected.len() == found.len(), "something was not found, or was invented");
}

/// Kilobytes that are resident now.
fn memory() -> u64 {
    status("VmRSS:")
}

fn peak() -> u64 {
    status("VmHWM:")
}

fn status(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with(name)).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|number| number.parse().ok()).unwrap_or_default()
}

/// Seconds of processor that this process has used; SQLite's are among them, PostgreSQL's are not.
fn processor() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap_or_default().split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|ticks| ticks.parse::<f64>().ok()).unwrap_or_default();
    (ticks(11) + ticks(12)) / 100.0
}
