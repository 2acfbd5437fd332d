//! The journal: events, purchases, intents, messages and replies, committed together or not at all. Keeps and finds;
//! decides nothing about money, and deletes nothing.

pub mod rows;
