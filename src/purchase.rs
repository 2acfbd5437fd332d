//! The core: what a purchase is and what happens to it next. Pure: no IO, no clock, no randomness, no panic; time and
//! random bytes come in with the input.
//!
//! **The law of the loop: next → commit → perform.** [`next()`] turns a purchase and one input into the purchase after it
//! and the effects that follow. The effects are data; they leave only after the commit that holds them is durable.
//! Live traffic, timers, late answers and restarts all enter here, and nowhere else is decided about money.

pub mod evidence;
pub mod advice;
pub mod input;
pub mod money;
pub mod fault;
mod next;
pub mod offer;
pub mod record;
pub mod rules;
pub mod subscriber;

pub use input::{Effect, Input, Step};
pub use next::{found_extra_charge, is_taken, needs_second, next, objection, objection_to, questions};
pub use record::{Purchase, State};
