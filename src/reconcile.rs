//! Channels' statements against the journal (charging.md R003.4 to R003.6): read, held against our charges row by row, and
//! what does not match given an owner and an age. Moves no money: what follows from a row is an operator's act.

mod amount;
mod import;
mod lines;
mod matching;
mod reading;
mod time;

pub use import::{Import, Imported, Progress, ReconcileError, Step, day};
