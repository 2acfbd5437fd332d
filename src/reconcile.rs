//! Channels' statements against the journal (charging.md R003.4 to R003.6): read, held against our charges row by row, and
//! what does not match given an owner and an age. Moves no money: what follows from a row is an operator's act.

mod amount;
pub mod books;
mod import;
mod lines;
mod matching;
mod order;
mod period;
mod proposal;
mod reading;
mod settlement;
mod time;
mod written;

pub use import::{Import, Imported, Progress, ReconcileError, Step, day};
pub use order::{CarriedThrough, order, order_longs, waiting};
pub use period::{Period, Unsettled, books_of};
pub use proposal::{Proposal, evidence, propose};
pub use settlement::{Settlement, Sums, settle};
pub use written::{csv_of, harmless, money};
