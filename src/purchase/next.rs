//! The transition function.
use super::input::{Input, Step};
use super::record::{Micros, Purchase};
use super::rules::Rules;

/// The purchase after `input`, and what follows from it.
#[must_use]
pub fn next(_rules: &Rules, purchase: &Purchase, _input: &Input, _now: Micros) -> Step {
    Step { purchase: purchase.clone(), effects: Vec::new() }
}
