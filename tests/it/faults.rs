//! Holds docs/faults.md to the source: every fault of the catalogue stands in it, and what is to prove it exists.

use std::fs;
use std::path::PathBuf;

const FAULTS: usize = 68;

fn read(path: &str) -> Option<String> {
    fs::read_to_string(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path)).ok()
}

/// The rows of the table, each as its four cells.
fn rows() -> Vec<Vec<String>> {
    let table = read("docs/faults.md").unwrap();
    let rows = table.lines().filter_map(|line| line.strip_prefix("| F")?.strip_suffix(" |").map(str::to_owned));
    rows.map(|row| row.split(" | ").map(str::to_owned).collect()).collect()
}

/// The paths that stand in backquotes with a test's name at their end.
fn tests_named(proof: &str) -> impl Iterator<Item = &str> {
    proof.split('`').skip(1).step_by(2).filter(|word| word.contains("::"))
}

/// Whether a test stands at `path::name`: in the file of that module, or in the tests below it.
fn exists(test: &str) -> bool {
    let Some((module, name)) = test.rsplit_once("::") else { return false };
    let file = module.replace("::", "/");
    let places =
        ["tests/it", "src"].iter().flat_map(|root| [format!("{root}/{file}.rs"), format!("{root}/{file}/tests.rs")]);
    let definition = format!("fn {name}(");
    places.filter_map(|place| read(&place)).any(|text| text.contains(&definition))
}

#[test]
fn every_fault_of_the_catalogue_has_its_row_in_order() {
    let numbers: Vec<usize> = rows().iter().map(|row| row[0].parse().unwrap()).collect();
    assert_eq!(numbers, (1..=FAULTS).collect::<Vec<_>>());
}

#[test]
fn every_row_names_tests_that_exist_or_what_it_waits_for() {
    let mut wrong = Vec::new();
    for row in rows() {
        let [number, _, does, proof] = row.as_slice() else { panic!("F{} has not four cells", row[0]) };
        let named: Vec<&str> = tests_named(proof).collect();
        let missing = named.iter().filter(|test| !exists(test));
        wrong.extend(missing.map(|test| format!("F{number} names {test}, which is not there")));
        if named.is_empty() && !proof.starts_with("waits for ") {
            wrong.push(format!("F{number} names neither a test nor what it waits for"));
        }
        if !named.is_empty() && does.len() < 3 {
            wrong.push(format!("F{number} does not say what is done"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
