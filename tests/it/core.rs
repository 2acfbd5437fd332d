//! The pure core, from outside: its table of transitions, random lives, and what one message means.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod advice;
mod dialled;
mod life;
mod lives;
mod messages;
mod money;
mod operators;
mod payment;
mod prepaid;
mod remedies;
mod retries;
mod sample;
mod told_apart;
mod transitions;
