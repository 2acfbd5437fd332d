//! Lives as many seeds of the simulation as are wanted and prints what happened in them, what was wrong before and after
//! repair, and, with `--mutants`, which check notices each broken rule. Exits 1 if a promise was broken.
#![expect(clippy::unwrap_used, reason = "a measurement may stop at the first surprise")]

#[path = "../tests/simulation/mod.rs"]
mod simulation;

use clap::Parser;
use simulation::{Broken, Came, Fault, Simulator, Summary, Wrong, live_all};
use std::io::{IsTerminal, Write};
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// The deterministic simulation of several instances.
#[derive(Parser)]
struct Arguments {
    /// Lives to live.
    #[arg(long, default_value_t = 100_000)]
    seeds: u64,
    /// The first seed.
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// Live this one alone and print its story.
    #[arg(long)]
    seed: Option<u64>,
    /// Break each rule in turn and print what notices it.
    #[arg(long)]
    mutants: bool,
    /// Given by cargo.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if let Some(seed) = arguments.seed {
        return story(seed);
    }
    if arguments.mutants {
        return mutants(arguments.seeds);
    }
    let (began, done) = (Instant::now(), AtomicU64::new(0));
    let summary = std::thread::scope(|scope| {
        scope.spawn(|| progress(&done, arguments.seeds, began));
        live_all(arguments.from..arguments.from + arguments.seeds, &|| {
            done.fetch_add(1, Ordering::Relaxed);
        })
    });
    report(&summary, &arguments, began.elapsed());
    ExitCode::from(u8::from(!summary.wrong.is_empty()))
}

fn story(seed: u64) -> ExitCode {
    let lived = Simulator::new().live(seed, Broken::default(), true);
    println!("{}", lived.story.join("\n"));
    for what in &lived.after {
        println!("WRONG in the end: {what}");
    }
    ExitCode::from(u8::from(lived.first_wrong().is_some()))
}

/// One line that is written over on a terminal, and one each half minute elsewhere.
fn progress(done: &AtomicU64, of: u64, began: Instant) {
    let terminal = std::io::stderr().is_terminal();
    let (pause, end) = if terminal { (Duration::from_millis(500), "\r") } else { (Duration::from_secs(30), "\n") };
    let mut shown = Instant::now();
    loop {
        let lived = done.load(Ordering::Relaxed);
        if lived >= of {
            break;
        }
        if shown.elapsed() >= pause {
            let rate = lived as f64 / began.elapsed().as_secs_f64();
            eprint!(
                "{lived:>9} of {of} lives, {rate:.0}/s, {:.0} s to go   {end}",
                (of - lived) as f64 / rate.max(1.0)
            );
            std::io::stderr().flush().unwrap();
            shown = Instant::now();
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn report(summary: &Summary, arguments: &Arguments, took: Duration) {
    let tally = &summary.tally;
    let last = arguments.from + arguments.seeds - 1;
    println!("seeds {} to {last} in {:.0} s", arguments.from, took.as_secs_f64());
    println!("{:>12} purchases, {} kills, {} events", tally.purchases, tally.crashes, tally.events);
    let before = summary.wrong.iter().filter(|wrong| !wrong.before.is_empty()).count();
    let after = summary.wrong.iter().filter(|wrong| !wrong.after.is_empty()).count();
    println!("{before:>12} lives with something wrong the moment it happened (before any repair)");
    println!("{after:>12} lives with something wrong in the end (after it)");
    if summary.wrong.is_empty() {
        println!("{:>12.1} wrong in a million purchases at most, with 95 % confidence", 3e6 / tally.purchases as f64);
    }
    println!("\nhow purchases ended");
    for (state, count) in &tally.ends {
        println!("{count:>12} {state}");
    }
    println!("\nwho came by another way than an SMS");
    for (came, what) in Came::ALL {
        println!("{:>12} {what}", tally.came.get(&came).copied().unwrap_or(0));
    }
    println!("\nwhat went wrong around them");
    for (fault, what) in Fault::ALL {
        println!("{:>12} {:<4} {what}", tally.faults.get(&fault).copied().unwrap_or(0), format!("{fault:?}"));
    }
    println!("\n{:>12} pairs of a state and a kind of input were committed", tally.reached.len());
    for Wrong { seed, before, after } in summary.wrong.iter().take(20) {
        let first = before.iter().chain(after).next().map_or("", String::as_str);
        println!("WRONG: {first}; again: cargo bench --bench simulation -- --seed {seed}");
    }
}

#[cfg(feature = "mutants")]
fn mutants(seeds: u64) -> ExitCode {
    let table = simulation::mutants::table(seeds);
    println!("{:<30} {:<9} {:>6}  what was noticed", "broken rule", "kept by", "seed");
    table.iter().for_each(|mutant| println!("{}", mutant.line()));
    let alive = table.iter().filter(|mutant| mutant.killed.is_none()).count();
    println!("{} of {} broken rules were noticed within {seeds} seeds each", table.len() - alive, table.len());
    ExitCode::from(u8::from(alive > 0))
}

#[cfg(not(feature = "mutants"))]
fn mutants(_: u64) -> ExitCode {
    eprintln!("this build cannot break a rule; use: cargo bench --features mutants --bench simulation -- --mutants");
    ExitCode::from(2)
}
