//! What follows from a unit, by the journal's word on it, which is put in by hand; nothing is committed.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use super::{Aftermath, REFUSED_TRIES};
use crate::engine::decide::tests::{
    CHARGED, SECOND, SENDER, START, allowed, answer, channel, decide, desk, known, message, notify, partners_payment,
    purchase, sms,
};
use crate::engine::desk::Desk;
use crate::engine::door::Verdict;
use crate::engine::work::{Known, Work};
use crate::journal::rows::Committed;
use crate::purchase::input::{ChannelCall, Input};
use crate::purchase::record::Purchase;
use std::sync::Arc;
use tokio::sync::oneshot::Receiver;

/// A desk and what the journal knows.
struct Bench {
    desk: Desk,
    known: Known,
}

impl Bench {
    fn new() -> Self {
        Self { desk: desk(), known: Known::default() }
    }

    /// Decides these as one batch, of which the journal says `outcome`; doors hear at once what they are to hear.
    fn settle(&self, works: Vec<Work>, outcome: Committed) -> Aftermath {
        let (decisions, later) = decide(&self.desk, &self.known, START + 9 * SECOND, works);
        assert_eq!((decisions.len(), later.len()), (1, 0), "one purchase, one unit");
        let mut aftermath = Aftermath::default();
        for mut decision in decisions {
            let unit = std::mem::take(&mut decision.unit);
            let purchase = unit.purchase.map(|row| Arc::new(row.purchase));
            aftermath.add(&self.desk, decision, purchase, outcome, &self.known);
        }
        for (done, verdict) in aftermath.verdicts.drain(..) {
            done.send(verdict).unwrap();
        }
        aftermath
    }

    /// An offered purchase, its subscriber's "no", and an answer of its channel's that nobody waited for.
    fn cancelled_while_charged(&mut self) -> (Purchase, Work, Work, Receiver<Verdict>) {
        let purchase = purchase(&self.desk, vec![allowed()]);
        self.known = known(&purchase);
        let (message, verdict) = message(&self.desk, sms(SENDER, "HUY VIP NAP1"));
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

#[test]
fn an_answer_beside_a_message_that_another_instance_took_is_decided_anew_by_itself() {
    let mut bench = Bench::new();
    let (_, message, answer, mut verdict) = bench.cancelled_while_charged();
    let aftermath = bench.settle(vec![answer, message], Committed::Duplicate);
    assert_eq!(verdict.try_recv(), Ok(Verdict::Again));
    assert_eq!(aftermath.later.iter().map(tries_of).collect::<Vec<_>>(), [Some(0)]);
}

#[test]
fn a_message_whose_step_is_refused_is_kept_without_its_purchase_and_then_acknowledged() {
    let mut bench = Bench::new();
    let (_, message, _, mut verdict) = bench.cancelled_while_charged();
    let works = bench.settle(vec![message], Committed::Refused).later;
    let (decisions, _) = decide(&bench.desk, &bench.known, START + 10 * SECOND, works);
    let unit = &decisions[0].unit;
    let row = unit.message.as_ref().unwrap();
    assert_eq!((row.verdict.as_str(), row.purchase_id.as_deref()), ("refused", None));
    assert!(unit.purchase.is_none() && unit.replies.is_empty(), "it leads nowhere");
    assert!(verdict.try_recv().is_err(), "not before it is durable");
    let mut aftermath = Aftermath::default();
    aftermath.add(&bench.desk, decisions.into_iter().next().unwrap(), None, Committed::Durable, &bench.known);
    assert!(matches!(aftermath.verdicts[..], [(_, Verdict::Fresh)]));
}

#[tokio::test]
async fn a_message_that_the_journal_refuses_even_so_is_its_peers_to_send_again() {
    let mut bench = Bench::new();
    let (_, message, _, verdict) = bench.cancelled_while_charged();
    let works = bench.settle(vec![message], Committed::Refused).later;
    let aftermath = bench.settle(works, Committed::Refused);
    assert!(aftermath.later.is_empty(), "it does not circle");
    assert!(verdict.await.is_err(), "dropped means later");
}

#[test]
fn a_refused_unit_is_taken_apart_and_each_answer_is_tried_again_a_few_times() {
    let mut bench = Bench::new();
    let (purchase, message, _, _verdict) = bench.cancelled_while_charged();
    let evidence = || answer(&purchase, channel(ChannelCall::Prepare, 1, CHARGED));
    let aftermath = bench.settle(vec![evidence(), message, evidence()], Committed::Refused);
    assert!(matches!(&aftermath.later[..], [Work::Message { .. }]), "the message comes first, and as it was");
    let came: Vec<_> = aftermath.after.iter().map(|(work, pause)| (tries_of(work), pause.as_secs())).collect();
    assert_eq!(came, [(Some(1), 1), (Some(1), 3)], "not together again");
    let mut work = evidence();
    for tries in 1..=REFUSED_TRIES {
        work = bench.settle(vec![work], Committed::Refused).after.pop().unwrap().0;
        assert_eq!(tries_of(&work), Some(tries));
    }
    let aftermath = bench.settle(vec![work], Committed::Refused);
    assert!(aftermath.after.is_empty() && aftermath.later.is_empty(), "its purchase's due time has it");
}

/// A partner's payment, as its door hands it in.
fn payment() -> (Work, Receiver<Verdict>) {
    let (done, verdict) = tokio::sync::oneshot::channel();
    (Work::Payment { payment: Box::new(partners_payment("p-1", "")), done: Some(done) }, verdict)
}

#[test]
fn a_payment_that_another_instance_took_is_judged_anew_by_what_stands_there() {
    for outcome in [Committed::Duplicate, Committed::Stale] {
        let mut bench = Bench::new();
        let (work, mut verdict) = payment();
        let (decisions, _) = decide(&bench.desk, &bench.known, START, vec![payment().0]);
        let standing = decisions[0].unit.purchase.as_ref().unwrap().purchase.clone();
        let later = bench.settle(vec![work], outcome).later;
        assert!(verdict.try_recv().is_err(), "whether it is the same payment is not known yet");
        bench.known.purchases.insert(standing.id.clone(), standing);
        let (decisions, _) = decide(&bench.desk, &bench.known, START + SECOND, later);
        assert_eq!((decisions.len(), verdict.try_recv()), (0, Ok(Verdict::Again)));
    }
}

#[tokio::test]
async fn a_payment_that_cannot_be_made_durable_is_its_partners_to_tell_again_and_nothing_else() {
    let bench = Bench::new();
    let (work, verdict) = payment();
    assert!(bench.settle(vec![work], Committed::Refused).later.is_empty());
    assert!(verdict.await.is_err(), "dropped means later");
    let (work, mut verdict) = payment();
    let (decisions, _) = decide(&bench.desk, &bench.known, START, vec![work]);
    let mut aftermath = Aftermath::default();
    decisions.into_iter().for_each(|decision| aftermath.undecided(decision, None));
    aftermath.verdicts.drain(..).for_each(|(done, verdict)| done.send(verdict).unwrap());
    assert_eq!((aftermath.later.len(), verdict.try_recv()), (0, Ok(Verdict::Later)));
    let (work, mut verdict) = payment();
    aftermath.put_off(vec![work]);
    aftermath.verdicts.drain(..).for_each(|(done, verdict)| done.send(verdict).unwrap());
    assert_eq!((aftermath.later.len(), verdict.try_recv()), (0, Ok(Verdict::Later)));
}

#[test]
fn a_notify_is_told_later_where_it_is_not_durable_and_waits_on_where_another_was_first() {
    let mut bench = Bench::new();
    let charging = purchase(&bench.desk, vec![allowed(), Input::CodeRight]);
    bench.known = known(&charging);
    let (work, mut verdict) = notify(&charging, "d");
    let later = bench.settle(vec![work], Committed::Stale).later;
    assert!(verdict.try_recv().is_err(), "it is decided anew, and its door waits");
    assert!(bench.settle(later, Committed::Durable).later.is_empty());
    assert_eq!(verdict.try_recv(), Ok(Verdict::Fresh));
    let (work, mut verdict) = notify(&charging, "d");
    let mut aftermath = Aftermath::default();
    aftermath.put_off(vec![work]);
    aftermath.verdicts.drain(..).for_each(|(done, verdict)| done.send(verdict).unwrap());
    assert_eq!((aftermath.later.len(), verdict.try_recv()), (0, Ok(Verdict::Later)));
    let (work, mut verdict) = notify(&charging, "d");
    let (decisions, _) = decide(&bench.desk, &bench.known, START + 9 * SECOND, vec![work]);
    decisions.into_iter().for_each(|decision| aftermath.undecided(decision, None));
    aftermath.verdicts.drain(..).for_each(|(done, verdict)| done.send(verdict).unwrap());
    assert_eq!((aftermath.later.len(), verdict.try_recv()), (0, Ok(Verdict::Later)));
}
