//! The table of transitions, held against its golden text: what a reader of the core sees on one page.

use super::sample::{SECOND, called, effect_name, every_input, in_each_state, input_name};
use paygate::purchase::record::{Micros, Purchase};
use paygate::purchase::rules::Rules;
use paygate::purchase::{Input, next};
use std::collections::BTreeMap;
use std::fmt::Write;

/// Set to write the golden text anew after a wanted change.
const UPDATE: &str = "UPDATE_GOLDEN";

#[test]
fn the_table_of_transitions_is_the_golden_one() {
    let table = table();
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/transitions.txt");
    if std::env::var_os(UPDATE).is_some() {
        std::fs::write(path, &table).unwrap();
    }
    let golden = std::fs::read_to_string(path).unwrap();
    assert!(table == golden, "the table changed; look at `git diff` after {UPDATE}=1 cargo test --test it transitions");
}

/// Each input at two times: at once, and when no request can be under way any more, its call was let out so late too, and
/// the offer is over. One line for each outcome; an input that does the same at both times stands once, else with the
/// time it means.
fn table() -> String {
    let mut text = String::from(
        "What each input does in each state: `state after [effects] <- inputs`. Inputs that change nothing are left out.\n\
         \"late\": past the flight bound and the offer's end; \"early\": not yet.\n",
    );
    for (state, detail, rules, inputs) in in_each_state() {
        let (purchase, reached_at) = super::sample::after(&rules, &inputs);
        assert_eq!(purchase.state, state, "the inputs for {state:?} {detail} lead elsewhere");
        let detail = if detail.is_empty() { String::new() } else { format!(" ({detail})") };
        let _ = writeln!(text, "\n{}{detail}", state.as_str());
        let mut lines: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for input in every_input(&purchase) {
            let name = input_name(&input);
            let asked_at_once = called(reached_at, input.clone());
            let early = outcome(&rules, &purchase, &asked_at_once, reached_at + SECOND);
            let asked_late = called(reached_at + 399 * SECOND, input);
            let late = outcome(&rules, &purchase, &asked_late, reached_at + 400 * SECOND);
            if early == late {
                lines.entry(early).or_default().push(name);
            } else {
                lines.entry(early).or_default().push(format!("{name} (early)"));
                lines.entry(late).or_default().push(format!("{name} (late)"));
            }
        }
        for (outcome, inputs) in lines.into_iter().filter(|(outcome, _)| !outcome.is_empty()) {
            let _ = writeln!(text, "  {outcome}");
            let _ = writeln!(text, "      <- {}", inputs.join(" | "));
        }
    }
    text
}

/// Empty where nothing changes but the record of the input.
fn outcome(rules: &Rules, purchase: &Purchase, input: &Input, now: Micros) -> String {
    let step = next(rules, purchase, input, now);
    let effects: Vec<String> = step.effects.iter().map(effect_name).collect();
    if step.purchase.state == purchase.state && step.purchase.review == purchase.review && effects.is_empty() {
        return String::new();
    }
    let review = step.purchase.review.map_or_else(String::new, |reason| format!(" ({})", reason.as_str()));
    format!("{}{review} [{}]", step.purchase.state.as_str(), effects.join(", "))
}
