//! Random lives of a purchase in a model world that loses, delays and repeats what is said, crashes, and sets clocks back.
//! A failing life prints its story and the one command that lives it again.

mod truth;
mod world;

use std::collections::{BTreeMap, BTreeSet};
use world::World;

const LIVES: u64 = 100_000;
/// Set to a seed to live only that life and print its story.
const REPLAY: &str = "LIFE";
/// One life in so many has each of its steps written down and read again, and is folded anew from its events.
const WRITTEN_DOWN: u64 = 50;

type Reached = BTreeMap<(&'static str, &'static str), u64>;

#[test]
fn a_hundred_thousand_lives_keep_the_rules_of_money_and_reach_every_row_of_the_table() {
    if let Some(seed) = std::env::var(REPLAY).ok().and_then(|seed| seed.parse().ok()) {
        let (story, outcome) = story_of(seed);
        println!("{story}");
        return outcome.unwrap();
    }
    let _turn = crate::turn::alone();
    let halves = std::thread::scope(|scope| {
        let halves = [0, 1].map(|half| scope.spawn(move || lives((half..LIVES).step_by(2))));
        halves.map(|half| half.join().unwrap())
    });
    let mut reached = Reached::new();
    for half in halves {
        for (row, count) in half.unwrap_or_else(|seed| fail(seed)) {
            *reached.entry(row).or_default() += count;
        }
    }
    let missing: Vec<_> =
        rows_of_the_table().into_iter().filter(|(s, i)| !reached.contains_key(&(s.as_str(), i.as_str()))).collect();
    assert!(missing.is_empty(), "no life of {LIVES} reached {missing:?}");
}

/// Every (state, kind of input) that was reached, or the seed of the first life that broke a rule.
fn lives(seeds: impl Iterator<Item = u64>) -> Result<Reached, u64> {
    let mut reached = Reached::new();
    for seed in seeds {
        let mut world = World::new(seed, false);
        world.live(seed.is_multiple_of(WRITTEN_DOWN)).map_err(|_| seed)?;
        for row in world.seen {
            *reached.entry((row.0.as_str(), row.1)).or_default() += 1;
        }
    }
    Ok(reached)
}

fn story_of(seed: u64) -> (String, Result<(), String>) {
    let mut world = World::new(seed, true);
    let outcome = world.live(seed.is_multiple_of(WRITTEN_DOWN));
    let story = world.story.take().unwrap_or_default().join("\n");
    (format!("{story}\n{:#?}\n{:?}\n{:?}\n{:?}", world.purchase, world.channel, world.packages, world.told), outcome)
}

fn fail(seed: u64) -> ! {
    let (story, outcome) = story_of(seed);
    panic!(
        "{story}\nlife {seed}: {outcome:?}\nagain: {REPLAY}={seed} cargo test --test it hundred_thousand_lives -- --nocapture"
    );
}

/// (state, kind of input) of every row of the golden table.
fn rows_of_the_table() -> BTreeSet<(String, String)> {
    let table = include_str!("../../golden/transitions.txt");
    let mut state = "";
    let mut rows = BTreeSet::new();
    for line in table.lines().skip(3) {
        if let Some(inputs) = line.strip_prefix("      <- ") {
            for input in inputs.split(" | ") {
                let kind = input.split([':', ' ']).next().unwrap_or_default();
                rows.insert((state.to_owned(), kind.to_owned()));
            }
        } else if !line.starts_with(' ') && !line.is_empty() {
            state = line.split(' ').next().unwrap_or_default();
        }
    }
    rows
}
