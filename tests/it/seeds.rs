//! Ten thousand lives of several instances by seed, and each rule broken in turn. A failing life prints the one command
//! that lives it again and tells its story.

use crate::simulation::{Broken, Came, Fault, Simulator, live_all};

const SEEDS: u64 = 10_000;

#[test]
fn ten_thousand_seeds_keep_the_money_right_before_and_after_repair_and_live_the_same_life_twice() {
    let _turn = crate::turn::alone();
    let summary = live_all(0..SEEDS, &|| {});
    if let Some(wrong) = summary.wrong.first() {
        let (story, count) = (Simulator::new().live(wrong.seed, Broken::default(), true).story, summary.wrong.len());
        let seed = wrong.seed;
        panic!(
            "{}\n{wrong:#?}, the first of {count}\nagain: cargo bench --bench simulation -- --seed {seed}",
            story.join("\n")
        );
    }
    let unseen: Vec<_> = Fault::ALL.iter().filter(|(fault, _)| !summary.tally.faults.contains_key(fault)).collect();
    assert!(unseen.is_empty(), "these never happened: {unseen:?}");
    let never: Vec<_> = Came::ALL.iter().filter(|(came, _)| !summary.tally.came.contains_key(came)).collect();
    assert!(never.is_empty(), "nobody came so: {never:?}");
}

#[cfg(feature = "mutants")]
mod mutants {
    use crate::simulation::mutants::{Mutant, table};

    #[test]
    fn every_rule_that_is_broken_is_noticed() {
        let _turn = crate::turn::alone();
        let table = table(super::SEEDS);
        println!("{}", table.iter().map(Mutant::line).collect::<Vec<_>>().join("\n"));
        let alive: Vec<_> = table.iter().filter(|mutant| mutant.killed.is_none()).map(|mutant| &mutant.name).collect();
        assert!(alive.is_empty(), "nothing notices that these are broken: {alive:?}");
    }
}
