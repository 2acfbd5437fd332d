//! The journal: events, purchases, intents, messages and replies, committed together or not at all. Keeps and finds;
//! decides nothing about money, and deletes nothing.

mod error;
pub mod rows;

pub use error::JournalError;

use crate::config;
use crate::purchase::record::{Micros, Purchase};
use paygate_parsers::msisdn::Msisdn;
use rows::*;
use std::time::Duration;

/// The store of one instance. Cheap to clone; all clones share its connections.
#[derive(Clone, Debug)]
pub struct Journal {}

impl Journal {
    /// Opens the store for the daemon: brings the schema up to date and refuses a store that could lose an
    /// acknowledged commit. A SQLite file is taken by one daemon at a time, held by a lock on `FILE.lock`.
    pub async fn open(_config: &config::Journal) -> Result<Self, JournalError> {
        todo!()
    }

    /// Opens the store beside a running daemon, for a care agent's verbs. Takes no lock and changes no schema.
    pub async fn open_for_reading(_config: &config::Journal) -> Result<Self, JournalError> {
        todo!()
    }

    /// Commits all units in one transaction and says what became of each, in their order.
    pub async fn commit(&self, _units: Vec<Unit>) -> Result<Vec<Committed>, JournalError> {
        todo!()
    }

    /// The purchases of these subscribers that are open or were touched since then: newest first, at most 20 each.
    pub async fn purchases_of(&self, _msisdns: &[Msisdn], _since: Micros) -> Result<Vec<Purchase>, JournalError> {
        todo!()
    }

    /// The newest generation of each of these ingest keys.
    pub async fn seen(&self, _keys: &[String]) -> Result<Vec<Seen>, JournalError> {
        todo!()
    }

    pub async fn purchases(&self, _ids: &[String]) -> Result<Vec<Purchase>, JournalError> {
        todo!()
    }

    /// Takes purchases whose time has come, longest overdue first, and puts their due time to the end of the lease.
    /// The purchases carry the version and due time after the claim.
    pub async fn claim_due(&self, _now: Micros, _lease: Duration, _limit: u32) -> Result<Vec<Purchase>, JournalError> {
        todo!()
    }

    /// Takes replies owed by these links, longest overdue first, and puts their due time to the end of the lease.
    pub async fn claim_replies(
        &self,
        _now: Micros,
        _lease: Duration,
        _links: &[String],
        _limit: u32,
    ) -> Result<Vec<OwedReply>, JournalError> {
        todo!()
    }

    /// The key of the reply that the SMSC named so.
    pub async fn reply_by_message_id(&self, _link: &str, _message_id: &str) -> Result<Option<String>, JournalError> {
        todo!()
    }

    /// The parts of the newest generation of each set, done or not: a done set tells a redelivered part from a new one.
    pub async fn parts(&self, _sets: &[String]) -> Result<Vec<HeldPart>, JournalError> {
        todo!()
    }

    /// All parts of sets that are not done and whose first part came before then; `limit` counts sets.
    pub async fn overdue_parts(&self, _before: Micros, _limit: u32) -> Result<Vec<PartRow>, JournalError> {
        todo!()
    }

    /// Purchases for a care agent's list, newest first, each with its charges and the peer's grant id.
    pub async fn list(&self, _filter: &Filter) -> Result<Vec<Listed>, JournalError> {
        todo!()
    }

    /// Everything that was ever written about one purchase.
    pub async fn story(&self, _id: &str) -> Result<Option<Story>, JournalError> {
        todo!()
    }

    /// Messages as they came, newest first; unreadable ones by their verdict.
    pub async fn messages(&self, _filter: &MessageFilter) -> Result<Vec<MessageRow>, JournalError> {
        todo!()
    }

    /// Figures for the metrics page.
    pub async fn backlog(&self) -> Result<Backlog, JournalError> {
        todo!()
    }

    pub async fn setting(&self, _name: &str) -> Result<Option<String>, JournalError> {
        todo!()
    }

    /// Sets it where nobody has, and returns what stands.
    pub async fn set_setting_once(&self, _name: &str, _value: &str) -> Result<String, JournalError> {
        todo!()
    }

    /// The database's clock: the one that leases are measured with.
    pub async fn now(&self) -> Result<Micros, JournalError> {
        todo!()
    }
}
