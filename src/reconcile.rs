//! Channels' statements against the journal (charging.md R003.4 to R003.6): read, held against our charges row by row, and
//! what does not match given an owner and an age. Moves no money: what follows from a row is an operator's act.

mod amount;
pub mod books;
mod import;
mod lines;
mod matching;
mod order;
mod proposal;
mod reading;
mod settlement;
mod time;

pub use import::{Import, Imported, Progress, ReconcileError, Step, day};
pub use order::{order, order_longs};
pub use proposal::{Proposal, evidence, propose};
pub use settlement::{Settlement, settle};
