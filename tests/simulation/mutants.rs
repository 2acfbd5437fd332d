//! Breaks each rule in turn and lives lives until one of them goes wrong: what the judge does not notice is not tested.
//! Breaks nothing in any other thread.

use super::{Broken, Simulator, WorldRule};
use paygate::law::{Rule, broken};

/// A broken rule, and what noticed it.
pub(crate) struct Mutant {
    pub(crate) name: String,
    /// Where the rule is kept: in the program itself, or by the model of what it stands on.
    place: &'static str,
    /// The first seed whose life went wrong, and the first thing that was wrong in it.
    pub(crate) killed: Option<(u64, String)>,
}

impl Mutant {
    pub(crate) fn line(&self) -> String {
        let (seed, what) = self
            .killed
            .as_ref()
            .map_or(("-".to_owned(), "nothing noticed it"), |(seed, what)| (seed.to_string(), what.as_str()));
        format!("{:<30} {:<9} {seed:>6}  {what}", self.name, self.place)
    }
}

/// Every rule, broken, over at most so many seeds.
pub(crate) fn table(seeds: u64) -> Vec<Mutant> {
    let rules = Rule::ALL.map(|rule| (Some(rule), Broken::default()));
    let world = WorldRule::ALL.map(|rule| (None, Broken(Some(rule))));
    let all: Vec<_> = rules.into_iter().chain(world).collect();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        let mut found: Vec<_> = (0..threads)
            .map(|first| {
                let mine = all.iter().enumerate().skip(first).step_by(threads);
                scope.spawn(move || {
                    mine.map(|(at, (rule, world))| (at, mutant(*rule, *world, seeds))).collect::<Vec<_>>()
                })
            })
            .collect::<Vec<_>>()
            .into_iter()
            .flat_map(|thread| thread.join().expect("no mutant panics"))
            .collect();
        found.sort_by_key(|(at, _)| *at);
        found.into_iter().map(|(_, mutant)| mutant).collect()
    })
}

fn mutant(rule: Option<Rule>, world: Broken, seeds: u64) -> Mutant {
    let mut simulator = Simulator::new();
    let killed = broken(rule, || {
        (0..seeds)
            .find_map(|seed| simulator.live(seed, world, false).first_wrong().map(|what| (seed, without_ids(what))))
    });
    match (rule, world.0) {
        (Some(rule), _) => Mutant { name: format!("{rule:?}"), place: "program", killed },
        (None, Some(rule)) => Mutant { name: format!("{rule:?}"), place: "model", killed },
        (None, None) => Mutant { name: "none".to_owned(), place: "nowhere", killed },
    }
}

/// A purchase's id says nothing to who reads the table.
fn without_ids(what: &str) -> String {
    let is_id = |word: &&str| word.trim_end_matches([',', ':']).len() == 16 && !word.contains(' ');
    what.split(' ').filter(|word| !is_id(word)).collect::<Vec<_>>().join(" ")
}
