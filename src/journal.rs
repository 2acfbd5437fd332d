//! The journal: events, purchases, intents, messages and replies, committed together or not at all. Keeps and finds;
//! decides nothing about money, and deletes nothing.

mod acts;
mod checkpoint;
mod claim;
mod columns;
mod commit;
mod dialect;
mod error;
mod find;
mod lineage;
mod migrations;
pub mod reconciliation;
mod people;
pub mod rows;
mod search;
mod statement;
mod store;
mod surplus;
mod write;

pub use error::{Cause, JournalError};
pub use lineage::Changed;

use crate::config;
use crate::purchase::record::{Micros, Purchase};
use paygate_parsers::msisdn::Msisdn;
use rows::{
    ActRow, AuditRow, Backlog, Committed, EventRow, Filter, HeldPart, Listed, MessageFilter, MessageRow, NewAct,
    NewAudit, NewOperator, OperatorChange, OperatorRow, OwedReply, PartRow, Seen, SessionRow, Story, Surplus, Unit,
};
use statement::Statement;
use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use store::Store;
use tokio::runtime::Runtime;

/// The store of one instance. Cheap to clone; all clones share its connections.
#[derive(Clone, Debug)]
pub struct Journal {
    store: Arc<Store>,
}

impl Journal {
    /// Opens the store for the daemon: brings the schema up to date and refuses a store that could lose an
    /// acknowledged commit. A SQLite file is taken by one daemon at a time, held by a lock on `FILE.lock`.
    pub async fn open(config: &config::Journal) -> Result<Self, JournalError> {
        let own = config.clone();
        let journal = Self::opened(config, carried(async move { Store::open(&own).await }).await)?;
        let begun = checkpoint::begin(config, Arc::downgrade(&journal.store));
        journal.told("open the journal", begun).map(|()| journal)
    }

    /// Opens the store beside a running daemon, for a care agent's verbs. Takes no lock and changes no schema.
    pub async fn open_for_reading(config: &config::Journal) -> Result<Self, JournalError> {
        Self::opened(config, Store::open_for_reading(config).await)
    }

    /// Opens the store beside a running daemon, for an operator who is to act. Takes no lock and changes no schema.
    pub async fn open_for_an_operator(config: &config::Journal) -> Result<Self, JournalError> {
        Self::opened(config, Store::open_for_an_operator(config).await)
    }

    fn opened(config: &config::Journal, store: Result<Store, Cause>) -> Result<Self, JournalError> {
        store.map(|store| Self { store: Arc::new(store) }).map_err(|cause| JournalError {
            operation: "open the journal",
            store: store::name(config),
            cause,
        })
    }

    /// Commits all units in one transaction and says what became of each, in their order. Two units for one purchase are
    /// a mistake above: the second is `Refused`.
    ///
    /// It ends in bounded time and is carried to its end even if the caller goes away. After an error nothing may be
    /// taken as durable and nothing may be performed; what stands is read again before the next try.
    pub async fn commit(&self, units: Vec<Unit>) -> Result<Vec<Committed>, JournalError> {
        let store = Arc::clone(&self.store);
        self.driven("commit a batch", async move { commit::commit(&store, &units).await }).await
    }

    /// Whether commits are being taken. After one that failed it tries with a write of its own, so that the answer is
    /// right again when there is nothing to commit: a full disk can still be read.
    pub async fn takes_commits(&self) -> Result<(), JournalError> {
        let store = Arc::clone(&self.store);
        self.driven("commit", async move { commit::retried(&store).await }).await
    }

    /// The purchases of these subscribers that are open or were touched since then: newest first, at most 20 each.
    pub async fn purchases_of(&self, msisdns: &[Msisdn], since: Micros) -> Result<Vec<Purchase>, JournalError> {
        self.told("find a subscriber's purchases", find::purchases_of(&self.store, msisdns, since).await)
    }

    /// The newest generation of each of these ingest keys.
    pub async fn seen(&self, keys: &[String]) -> Result<Vec<Seen>, JournalError> {
        self.told("find messages by their keys", find::seen(&self.store, keys).await)
    }

    /// The purchases with these ids that exist, in no order.
    pub async fn purchases(&self, ids: &[String]) -> Result<Vec<Purchase>, JournalError> {
        self.told("read purchases", find::purchases(&self.store, ids).await)
    }

    /// The message or order that came in first under this ingest key.
    pub async fn message(&self, key: &str) -> Result<Option<MessageRow>, JournalError> {
        self.told("find a message by its key", find::message(&self.store, key).await)
    }

    /// What happened to one purchase after that version: the oldest first, and not more than a look may return.
    pub async fn events(&self, purchase: &str, after: i64) -> Result<Vec<EventRow>, JournalError> {
        self.told("read a purchase's events", find::events(&self.store, purchase, after).await)
    }

    /// Takes purchases whose time has come, the longest overdue if there are more than `limit`, and puts their due time to
    /// the end of the lease. They come in no order, with the version and due time after the claim.
    pub async fn claim_due(&self, now: Micros, lease: Duration, limit: u32) -> Result<Vec<Purchase>, JournalError> {
        let store = Arc::clone(&self.store);
        let claim = claim::due_purchases(store.dialect, now, after(now, lease), limit);
        self.driven("claim due purchases", async move { columns::all(&store.write(claim).await?, columns::purchase) })
            .await
    }

    /// Takes replies owed by these links, the longest overdue if there are more than `limit`, and puts their due time to
    /// the end of the lease. They come in no order.
    pub async fn claim_replies(
        &self,
        now: Micros,
        lease: Duration,
        links: &[String],
        limit: u32,
    ) -> Result<Vec<OwedReply>, JournalError> {
        if links.is_empty() {
            return Ok(Vec::new());
        }
        let store = Arc::clone(&self.store);
        let claim = claim::due_replies(store.dialect, now, after(now, lease), links, limit);
        self.driven("claim owed replies", async move { columns::all(&store.write(claim).await?, columns::owed_reply) })
            .await
    }

    /// The keys of the replies that their SMSCs named so, as (link, message id), in the order of the question; of several
    /// with one name the newest, since SMSCs use their ids again.
    pub async fn replies_by_message_ids(
        &self,
        named: &[(String, String)],
    ) -> Result<Vec<Option<String>>, JournalError> {
        self.told("find replies by their receipts", find::replies_by_message_ids(&self.store, named).await)
    }

    /// The parts of the newest generation of each set, done or not: a done set tells a redelivered part from a new one.
    pub async fn parts(&self, sets: &[String]) -> Result<Vec<HeldPart>, JournalError> {
        self.told("find parts of long messages", find::parts(&self.store, sets).await)
    }

    /// All parts of sets that are not done and whose first part came before then; `limit` counts sets.
    pub async fn overdue_parts(&self, before: Micros, limit: u32) -> Result<Vec<PartRow>, JournalError> {
        self.told("find overdue parts", find::overdue_parts(&self.store, before, limit).await)
    }

    /// Purchases for a care agent's list, newest first, each with its charges and the peer's grant id.
    pub async fn list(&self, filter: &Filter) -> Result<Vec<Listed>, JournalError> {
        self.told("list purchases", search::list(&self.store, filter).await)
    }

    /// Everything that was ever written about one purchase.
    pub async fn story(&self, id: &str) -> Result<Option<Story>, JournalError> {
        self.told("read a purchase's story", search::story(&self.store, id).await)
    }

    /// Messages as they came, newest first; unreadable ones by their verdict.
    pub async fn messages(&self, filter: &MessageFilter) -> Result<Vec<MessageRow>, JournalError> {
        self.told("list messages", search::messages(&self.store, filter).await)
    }

    /// Figures for the metrics page.
    pub async fn backlog(&self) -> Result<Backlog, JournalError> {
        self.told("count the backlog", search::backlog(&self.store).await)
    }

    /// Writes an operator's act and gives its number. Who, when and why stand from then on; what concerns a purchase waits
    /// for a daemon, and what concerns a channel holds at once.
    pub async fn act(&self, act: &NewAct) -> Result<i64, JournalError> {
        let insert = acts::insert(act, self.now().await?);
        let store = Arc::clone(&self.store);
        self.driven("write an operator's act", async move {
            let written = columns::all(&store.act(insert).await?, |columns| columns.take())?;
            written.first().copied().ok_or_else(|| sqlx::Error::RowNotFound.into())
        })
        .await
    }

    /// What waits for a second person, oldest first.
    pub async fn unconfirmed_acts(&self) -> Result<Vec<ActRow>, JournalError> {
        self.told("list acts that wait for a second person", acts::unconfirmed(&self.store).await)
    }

    /// A second person's word for an act. False where it does not wait for one, or not for this one: whoever wrote it does
    /// not confirm it.
    pub async fn confirm_act(&self, number: i64, second: &str) -> Result<bool, JournalError> {
        let update = acts::confirm(number, second, self.now().await?);
        self.settle_act("confirm an operator's act", update).await
    }

    /// Takes back an act that nobody has confirmed. False where it does not wait for that.
    pub async fn withdraw_act(&self, number: i64, by: &str) -> Result<bool, JournalError> {
        let update = acts::withdraw(number, by, self.now().await?);
        self.settle_act("withdraw an operator's act", update).await
    }

    async fn settle_act(&self, what: &'static str, update: Statement) -> Result<bool, JournalError> {
        let store = Arc::clone(&self.store);
        self.driven(what, async move { Ok(!store.act(update).await?.is_empty()) }).await
    }

    /// An operator's act, and what came of it.
    pub async fn act_of(&self, number: i64) -> Result<Option<ActRow>, JournalError> {
        self.told("read an operator's act", acts::act(&self.store, number).await)
    }

    /// Takes acts that wait, as purchases are claimed. Only looks while there are none.
    pub async fn claim_acts(&self, now: Micros, lease: Duration, limit: u32) -> Result<Vec<ActRow>, JournalError> {
        if !self.told("look for operators' acts", acts::are_due(&self.store, now).await)? {
            return Ok(Vec::new());
        }
        let store = Arc::clone(&self.store);
        let claim = acts::claim(&store, now, after(now, lease), limit);
        self.driven("claim operators' acts", async move { columns::all(&store.write(claim).await?, acts::read) }).await
    }

    /// Takes the pairs of purchases that nobody has been told of. Only looks while there are none.
    pub async fn claim_surplus(&self) -> Result<Vec<Surplus>, JournalError> {
        if !self.told("look for surplus charges", surplus::are_untold(&self.store).await)? {
            return Ok(Vec::new());
        }
        let store = Arc::clone(&self.store);
        self.driven("claim surplus charges", async move {
            columns::all(&store.write(surplus::claim()).await?, surplus::read)
        })
        .await
    }

    /// The channels on which no new charge may begin.
    pub async fn frozen(&self) -> Result<BTreeSet<String>, JournalError> {
        self.told("read which channels are frozen", acts::frozen(&self.store).await)
    }

    /// The act that froze each channel that is frozen.
    pub async fn freezes(&self) -> Result<Vec<ActRow>, JournalError> {
        self.told("read which channels are frozen", acts::freezes(&self.store).await)
    }

    /// Makes an account. False where the name is taken.
    pub async fn add_operator(&self, new: &NewOperator) -> Result<bool, JournalError> {
        let insert = people::add(new, self.now().await?);
        self.says("make an operator's account", insert).await
    }

    /// Changes an account. False where there is none of that name.
    pub async fn change_operator(&self, name: &str, change: &OperatorChange) -> Result<bool, JournalError> {
        let update = people::change(name, change, self.now().await?);
        self.says("change an operator's account", update).await
    }

    pub async fn operator(&self, name: &str) -> Result<Option<OperatorRow>, JournalError> {
        self.told("read an operator's account", people::operator(&self.store, name).await)
    }

    pub async fn operators(&self) -> Result<Vec<OperatorRow>, JournalError> {
        self.told("list operators", people::operators(&self.store).await)
    }

    /// Opens a session under the hash of its token. False where the operator may not have one any more.
    pub async fn open_session(&self, token: &str, operator: &str) -> Result<bool, JournalError> {
        let insert = people::open_session(token, operator, self.now().await?);
        self.says("open a session", insert).await
    }

    /// The session under the hash of this token, if it counts. How long it may be idle or old its reader says.
    pub async fn session(&self, token: &str) -> Result<Option<SessionRow>, JournalError> {
        self.told("read a session", people::session(&self.store, token).await)
    }

    pub async fn use_session(&self, token: &str, now: Micros) -> Result<(), JournalError> {
        self.says("keep a session", people::use_session(token, now)).await.map(drop)
    }

    pub async fn end_session(&self, token: &str) -> Result<(), JournalError> {
        let update = people::end_session(token, self.now().await?);
        self.says("end a session", update).await.map(drop)
    }

    /// Writes a line of the audit, which stands for ever.
    pub async fn audit(&self, line: &NewAudit<'_>) -> Result<(), JournalError> {
        let insert = people::audit(line, self.now().await?);
        self.says("write the audit", insert).await.map(drop)
    }

    /// The audit, newest first, before that line.
    pub async fn audited(&self, before: Option<i64>, limit: u32) -> Result<Vec<AuditRow>, JournalError> {
        self.told("read the audit", people::audited(&self.store, before, limit).await)
    }

    /// One statement of a person's, and whether it returned a row.
    async fn says(&self, operation: &'static str, statement: Statement) -> Result<bool, JournalError> {
        let store = Arc::clone(&self.store);
        self.driven(operation, async move { store.act(statement).await.map(|rows| !rows.is_empty()) }).await
    }

    /// Notes that a channel has told something by itself.
    pub async fn hear_notify(&self, channel: &str) -> Result<(), JournalError> {
        let (store, now) = (Arc::clone(&self.store), self.now().await?);
        let mut upsert = Statement::new("INSERT INTO notify_heard (channel, at) VALUES (");
        upsert.text(channel).push(", ").int(now).push(") ON CONFLICT (channel) DO UPDATE SET at = ").int(now);
        self.driven("note that a channel told something", async move { store.write(upsert).await.map(drop) }).await
    }

    /// When each channel last told something by itself, to whichever instance.
    pub async fn notifies_heard(&self) -> Result<BTreeMap<String, Micros>, JournalError> {
        self.told("read when channels last told something", search::notifies_heard(&self.store).await)
    }

    /// Pairs of charges for the same that were found since then.
    pub async fn surplus_since(&self, since: Micros) -> Result<i64, JournalError> {
        self.told("count surplus charges", surplus::since(&self.store, since).await)
    }

    /// What is decided once for all instances, if it is.
    pub async fn setting(&self, name: &str) -> Result<Option<String>, JournalError> {
        self.told("read a setting", find::setting(&self.store, name).await)
    }

    /// Sets it where nobody has, and returns what stands: of two instances that set it at once, both get the winner's.
    pub async fn set_setting_once(&self, name: &str, value: &str) -> Result<String, JournalError> {
        let store = Arc::clone(&self.store);
        let name = name.to_owned();
        let mut insert = Statement::new("INSERT INTO setting (name, value) VALUES (");
        insert.text(&name).push(", ").text(value).push(") ON CONFLICT (name) DO NOTHING");
        self.driven("set a setting", async move {
            store.write(insert).await?;
            find::setting(&store, &name).await?.ok_or_else(|| sqlx::Error::RowNotFound.into())
        })
        .await
    }

    /// The database's clock: the one that leases are measured with.
    pub async fn now(&self) -> Result<Micros, JournalError> {
        self.told("read the clock", find::now(&self.store).await)
    }

    /// When the store was found to be another than the one that the journal began on, if it was.
    #[must_use]
    pub fn changed(&self) -> Option<Changed> {
        self.store.writer().ok().and_then(|writer| writer.lineage.changed())
    }

    /// Carries writing to its end in a task of its own: a caller that is cancelled must not leave a transaction open or a
    /// commit unread.
    async fn driven<T: Send + 'static>(
        &self,
        operation: &'static str,
        work: impl Future<Output = Result<T, Cause>> + Send + 'static,
    ) -> Result<T, JournalError> {
        self.told(operation, carried(work).await)
    }

    fn told<T>(&self, operation: &'static str, outcome: Result<T, Cause>) -> Result<T, JournalError> {
        outcome.map_err(|cause| JournalError { operation, store: self.store.name.clone(), cause })
    }
}

/// Brings work to its end on the thread that writes.
async fn carried<T: Send + 'static>(work: impl Future<Output = Result<T, Cause>> + Send + 'static) -> Result<T, Cause> {
    // The task ends early only with the process, or by a panic.
    writing().spawn(work).await.unwrap_or_else(|error| Err(Cause::Ambiguous(error.to_string())))
}

/// Where all writing is carried on, beside the runtime of the calls and sockets: a commit is a chain of answers from the
/// store, and each would wait behind whatever else there is to do.
fn writing() -> &'static Runtime {
    static WRITING: OnceLock<Runtime> = OnceLock::new();
    WRITING.get_or_init(|| {
        let mut runtime = tokio::runtime::Builder::new_multi_thread();
        runtime.worker_threads(1).thread_name("journal").enable_all();
        runtime.build().expect("the system gives a process that has begun one more thread")
    })
}

/// The end of a lease; one that has no end in an i64 never ends.
fn after(now: Micros, lease: Duration) -> Micros {
    now.saturating_add(i64::try_from(lease.as_micros()).unwrap_or(i64::MAX))
}
