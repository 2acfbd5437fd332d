//! The pure core, from outside: its table of transitions, random lives, and what one message means.

mod lives;
mod messages;
mod money;
mod sample;
mod transitions;
