//! What is done with a unit that the journal did not take. The journal's word is put in by hand; nothing is committed.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use super::{Cache, Loop, REFUSED_TRIES};
use crate::config;
use crate::engine::clock::Clock;
use crate::engine::decide::tests::{
    CHARGED, SECOND, SENDER, START, allowed, answer, channel, decide, desk, known, message, moment, purchase, sms,
};
use crate::engine::door::Verdict;
use crate::engine::outbox::Outbox;
use crate::engine::perform::Performer;
use crate::engine::work::{Known, Work};
use crate::idempotency::Keys;
use crate::journal::Journal;
use crate::journal::rows::Committed;
use crate::purchase::input::{ChannelCall, Input};
use crate::purchase::record::Purchase;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::sync::oneshot::Receiver;
use tokio::sync::{Semaphore, broadcast, mpsc};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

const SETTINGS: config::Engine = config::Engine {
    queue: 16,
    batch: 16,
    cache: 16,
    poll: Duration::from_millis(20),
    lease: Duration::from_secs(5),
    outbox: 16,
    reply_lease: Duration::from_secs(2),
    reply_pause: Duration::from_secs(1),
    reply_doubt: Duration::from_secs(1),
    drain: Duration::from_secs(5),
};

/// A loop that no task runs, with a journal that is never written.
struct Bench {
    turns: Loop,
    known: Known,
    _folder: TempDir,
}

impl Bench {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("paygate.db").display());
        let journal = config::Journal { url: url.into(), readers: 1, statement_timeout: Duration::from_secs(20) };
        let journal = Journal::open(&journal).await.unwrap();
        let (desk, keys) = (Arc::new(desk()), Keys::process(16));
        let ((_, deliveries), (answers, work)) = (mpsc::channel(16), mpsc::channel(16));
        let performer = Performer {
            desk: Arc::clone(&desk),
            keys: keys.clone(),
            answers: answers.clone(),
            channel_places: BTreeMap::new(),
            package_manager_places: Arc::new(Semaphore::new(1)),
            tasks: TaskTracker::new(),
            instance: String::new(),
        };
        let turns = Loop {
            desk,
            clock: Clock::start(&journal, Duration::ZERO).await.unwrap(),
            journal,
            keys,
            settings: SETTINGS,
            performer: Arc::new(performer),
            outbox: Outbox::start(HashMap::new(), answers),
            deliveries,
            work,
            cache: Cache::new(16),
            later: Vec::new(),
            heartbeat: Arc::default(),
            moves: broadcast::channel(16).0,
            stop: CancellationToken::new(),
        };
        Self { turns, known: Known::default(), _folder: folder }
    }

    /// Decides these as one batch, of which the journal says `outcome`.
    fn settle(&mut self, works: Vec<Work>, outcome: Committed) {
        let moment = moment(START + 9 * SECOND);
        let (decisions, later) = decide(&self.turns.desk, &self.known, moment.now, works);
        assert_eq!((decisions.len(), later.len()), (1, 0), "one purchase, one unit");
        for mut decision in decisions {
            let unit = std::mem::take(&mut decision.unit);
            let purchase = unit.purchase.map(|row| Arc::new(row.purchase));
            self.turns.settle(decision, purchase, outcome, &self.known, moment);
        }
    }

    /// An offered purchase, its subscriber's "no", and an answer of its channel's that nobody waited for.
    fn cancelled_while_charged(&mut self) -> (Purchase, Work, Work, Receiver<Verdict>) {
        let desk = &self.turns.desk;
        let purchase = purchase(desk, vec![allowed()]);
        self.known = known(&purchase);
        let (message, verdict) = message(desk, sms(SENDER, "HUY VIP NAP1"));
        let answer = answer(&purchase, channel(ChannelCall::Prepare, 1, CHARGED));
        (purchase, message, answer, verdict)
    }
}

fn tries_of(work: &Work) -> Option<u8> {
    match work {
        Work::Answer { input: Input::Channel { call: ChannelCall::Prepare, .. }, tries, .. } => Some(*tries),
        _ => None,
    }
}

#[tokio::test]
async fn an_answer_beside_a_message_that_another_instance_took_is_decided_anew_by_itself() {
    let mut bench = Bench::new().await;
    let (_, message, answer, mut verdict) = bench.cancelled_while_charged();
    bench.settle(vec![answer, message], Committed::Duplicate);
    assert_eq!(verdict.try_recv(), Ok(Verdict::Again));
    assert_eq!(bench.turns.later.iter().map(tries_of).collect::<Vec<_>>(), [Some(0)]);
}

#[tokio::test]
async fn a_message_whose_step_is_refused_is_kept_without_its_purchase_and_then_acknowledged() {
    let mut bench = Bench::new().await;
    let (_, message, _, mut verdict) = bench.cancelled_while_charged();
    bench.settle(vec![message], Committed::Refused);
    let works = std::mem::take(&mut bench.turns.later);
    let (decisions, _) = decide(&bench.turns.desk, &bench.known, START + 10 * SECOND, works);
    let unit = &decisions[0].unit;
    let row = unit.message.as_ref().unwrap();
    assert_eq!((row.verdict.as_str(), row.purchase_id.as_deref()), ("refused", None));
    assert!(unit.purchase.is_none() && unit.replies.is_empty(), "it leads nowhere");
    assert!(verdict.try_recv().is_err(), "not before it is durable");
    bench.turns.settle(decisions.into_iter().next().unwrap(), None, Committed::Durable, &bench.known, moment(START));
    assert_eq!(verdict.try_recv(), Ok(Verdict::Fresh));
}

#[tokio::test]
async fn a_message_that_the_journal_refuses_even_so_is_its_peers_to_send_again() {
    let mut bench = Bench::new().await;
    let (_, message, _, verdict) = bench.cancelled_while_charged();
    bench.settle(vec![message], Committed::Refused);
    let works = std::mem::take(&mut bench.turns.later);
    bench.settle(works, Committed::Refused);
    assert!(bench.turns.later.is_empty(), "it does not circle");
    assert!(verdict.await.is_err(), "dropped means later");
}

#[tokio::test]
async fn a_refused_unit_is_taken_apart_and_each_answer_is_tried_again_a_few_times() {
    let mut bench = Bench::new().await;
    tokio::time::pause();
    let (purchase, message, _, _verdict) = bench.cancelled_while_charged();
    let evidence = || answer(&purchase, channel(ChannelCall::Prepare, 1, CHARGED));
    bench.settle(vec![evidence(), message, evidence()], Committed::Refused);
    let later = std::mem::take(&mut bench.turns.later);
    assert!(matches!(&later[..], [Work::Message { .. }]), "the message comes first, and as it was");
    let began = Instant::now();
    let mut came = Vec::new();
    for _ in 0..2 {
        let work = bench.turns.work.recv().await.unwrap();
        came.push((tries_of(&work), began.elapsed().as_secs()));
    }
    assert_eq!(came, [(Some(1), 1), (Some(1), 3)], "not together again");
    let mut work = evidence();
    for tries in 1..=REFUSED_TRIES {
        bench.settle(vec![work], Committed::Refused);
        work = bench.turns.work.recv().await.unwrap();
        assert_eq!(tries_of(&work), Some(tries));
    }
    bench.settle(vec![work], Committed::Refused);
    assert!(bench.turns.performer.tasks.is_empty() && bench.turns.later.is_empty(), "its purchase's due time has it");
}
