//! The session alone, in virtual time: every wait of minutes passes in an instant, and every order of events can be had.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use paygate_parsers::smpp::message::Address;
use paygate_parsers::smpp::{header, message::Message};
use proptest::prelude::*;

use super::*;

pub(super) const SECOND: Duration = Duration::from_secs(1);
const FAR: Duration = Duration::from_secs(24 * 3600);

/// A session with a clock of its own and an SMSC that reads what it writes.
pub(super) struct Bench {
    pub(super) session: Session,
    pub(super) now: Instant,
    pub(super) ticket: Ticket,
    /// What the SMSC has read, and when it was written.
    read: Vec<(Instant, Pdu)>,
}

impl Bench {
    fn new(change: impl FnOnce(&mut LinkSettings)) -> Self {
        let mut settings = LinkSettings::new("test", "", "paygate", "secret".into());
        change(&mut settings);
        let now = Instant::now();
        Self { session: Session::new(Arc::new(settings), now), now, ticket: 0, read: Vec::new() }
    }

    pub(super) fn bound(change: impl FnOnce(&mut LinkSettings)) -> Self {
        let mut bench = Self::new(change);
        bench.bind();
        bench
    }

    fn bind(&mut self) {
        self.session.connected(self.now);
        self.session.advance(self.now);
        let bind = self.written().pop().unwrap();
        self.say(bind.sequence, status::ESME_ROK, Body::BindResp(self.session.settings.bind, Default::default()));
        assert!(self.session.is_bound());
    }

    pub(super) fn say(&mut self, sequence: u32, status: u32, body: Body) {
        let mut octets = BytesMut::new();
        Pdu::with_status(status, sequence, body).write(&mut octets);
        self.hear(&mut octets);
    }

    fn hear(&mut self, octets: &mut BytesMut) {
        self.session.receive(octets, self.now);
        self.advance();
    }

    /// Advances and finds that nothing is left to do now: a session that stayed due would never sleep.
    pub(super) fn advance(&mut self) {
        self.session.advance(self.now);
        self.collect();
        if self.session.ended().is_none() {
            assert!(self.session.wake_at().is_none_or(|at| at > self.now), "the session is due and does nothing");
        }
    }

    fn reply(&mut self, text: &str, worth: Duration) -> Ticket {
        self.reply_in_parts(&[text], worth)
    }

    /// Gives the last part's ticket.
    fn reply_in_parts(&mut self, parts: &[&str], worth: Duration) -> Ticket {
        let not_after = self.now + worth;
        let parts = parts.iter().enumerate().map(|(index, text)| {
            self.ticket += 1;
            let message = Message { short_message: text.as_bytes().to_vec().into(), ..Message::default() };
            Outgoing { ticket: self.ticket, message, follows: index > 0, not_after, failures: 0 }
        });
        let parts: Vec<_> = parts.collect();
        self.session.submit(parts);
        self.advance();
        self.ticket
    }

    /// Lets time pass, stopping wherever the session asked to be woken.
    pub(super) fn wait(&mut self, span: Duration) {
        let end = self.now + span;
        while let Some(at) = self.session.wake_at().filter(|at| *at <= end && self.session.ended().is_none()) {
            self.now = at;
            self.advance();
        }
        self.now = end;
    }

    fn collect(&mut self) {
        while let Some(frame) = frame(&mut self.session.out, self.session.settings.pdu_max).unwrap() {
            self.read.push((self.now, Pdu::read(frame).unwrap()));
        }
        assert!(self.session.out.is_empty(), "only whole PDUs are written");
    }

    /// What was written since the last look.
    pub(super) fn written(&mut self) -> Vec<Pdu> {
        self.collect();
        self.read.drain(..).map(|(_, pdu)| pdu).collect()
    }

    /// Sequence and text of what was submitted since the last look.
    pub(super) fn submitted(&mut self) -> Vec<(u32, String)> {
        let text = |message: Message| String::from_utf8(message.short_message.to_vec()).unwrap();
        let submits = self.written().into_iter().filter_map(|pdu| match pdu.body {
            Body::SubmitSm(message) => Some((pdu.sequence, text(message))),
            _ => None,
        });
        submits.collect()
    }

    pub(super) fn texts(&mut self) -> Vec<String> {
        self.submitted().into_iter().map(|(_, text)| text).collect()
    }
}

fn mo() -> Body {
    let source = Address::new(1, 1, "84912345678");
    Body::DeliverSm(Message { source, short_message: "KT".into(), ..Message::default() })
}

pub(super) fn submit_resp() -> Body {
    Body::SubmitSmResp("id".into())
}

#[test]
fn an_answer_is_given_within_the_second_whatever_the_engine_does() {
    let mut bench = Bench::bound(|_| {});
    bench.say(7, 0, mo());
    bench.wait(Duration::from_millis(899));
    assert!(bench.written().is_empty());
    bench.wait(Duration::from_millis(1));
    let answer = bench.written().pop().unwrap();
    assert_eq!((answer.status, answer.sequence), (status::ESME_RX_T_APPN, 7));
    assert!(bench.session.next_delivery().is_none(), "what was refused is not handed in any more");
}

#[test]
fn a_verdict_after_the_refusal_says_nothing_more() {
    let mut bench = Bench::bound(|_| {});
    bench.say(7, 0, mo());
    let (id, _) = bench.session.next_delivery().unwrap();
    bench.wait(SECOND);
    bench.written();
    bench.session.verdict(id, Verdict::Fresh);
    bench.session.verdict(id, Verdict::Fresh);
    assert!(bench.written().is_empty());
}

#[test]
fn a_verdict_on_a_lost_connections_delivery_is_not_said_on_the_next() {
    let mut bench = Bench::bound(|_| {});
    bench.say(7, 0, mo());
    let (id, _) = bench.session.next_delivery().unwrap();
    bench.session.closed();
    bench.bind();
    bench.say(8, 0, mo());
    bench.session.verdict(id, Verdict::Fresh);
    assert!(bench.written().is_empty());
}

#[test]
fn silence_is_broken_by_one_question_and_then_ends_the_connection() {
    let mut bench = Bench::bound(|_| {});
    bench.wait(29 * SECOND);
    assert!(bench.written().is_empty());
    bench.say(1, 0, Body::EnquireLink);
    bench.written();
    bench.wait(29 * SECOND);
    assert!(bench.written().is_empty(), "whatever is heard starts the interval anew");
    bench.wait(SECOND);
    assert_eq!(bench.written().pop().unwrap().body, Body::EnquireLink);
    bench.wait(9 * SECOND);
    assert_eq!(bench.session.ended(), None);
    bench.wait(SECOND);
    assert_eq!(bench.session.ended(), Some(Ended::Silent("an answer to enquire_link")));
    assert!(bench.written().is_empty());
}

#[test]
fn a_bind_waits_so_long_and_no_longer() {
    let mut bench = Bench::new(|_| {});
    bench.session.connected(bench.now);
    bench.wait(9 * SECOND);
    assert_eq!(bench.session.ended(), None);
    bench.wait(SECOND);
    assert_eq!(bench.session.ended(), Some(Ended::Silent("an answer to the bind")));
}

#[test]
fn each_whole_pdu_gives_the_next_its_own_time_to_arrive() {
    let mut bench = Bench::bound(|_| {});
    let mut octets = BytesMut::new();
    Pdu::new(1, Body::EnquireLinkResp).write(&mut octets);
    let pdu = octets.split().freeze();
    octets.extend_from_slice(&pdu[..8]);
    for _ in 0..5 {
        bench.hear(&mut octets);
        bench.wait(8 * SECOND);
        octets.extend_from_slice(&pdu[8..]);
        octets.extend_from_slice(&pdu[..8]);
        bench.hear(&mut octets);
        assert_eq!(bench.session.ended(), None);
    }
    bench.wait(10 * SECOND);
    assert_eq!(bench.session.ended(), Some(Ended::Silent("the rest of a PDU")));
}

#[test]
fn sequence_numbers_turn_over_to_one_past_those_in_flight() {
    let mut bench = Bench::bound(|_| {});
    bench.session.sequence = 0;
    bench.reply("first", FAR);
    bench.reply("second", FAR);
    bench.session.sequence = SEQUENCE_MAX - 1;
    bench.reply("last of the round", FAR);
    bench.reply("next round", FAR);
    let sequences: Vec<u32> = bench.submitted().into_iter().map(|(sequence, _)| sequence).collect();
    assert_eq!(sequences, [1, 2, SEQUENCE_MAX, 3]);
}

#[test]
fn throughput_is_kept_to_the_message() {
    let mut bench = Bench::bound(|settings| {
        settings.throughput = 10;
        settings.window = 1000;
    });
    for _ in 0..50 {
        bench.reply("x", FAR);
    }
    let mut counts = Vec::new();
    for _ in 0..4 {
        bench.wait(SECOND);
        counts.push(bench.texts().len());
    }
    assert_eq!(counts.iter().sum::<usize>(), 41, "ten a second, and the one that needed no waiting: {counts:?}");
    assert!(counts.iter().all(|count| *count <= 11), "{counts:?}");
}

#[test]
fn throttling_pauses_longer_each_time_and_ends_with_the_first_message_taken() {
    let mut bench = Bench::bound(|_| {});
    bench.reply("1", FAR);
    bench.reply("2", FAR);
    for pause in [1, 2, 4, 8, 16, 30, 30] {
        for (sequence, _) in bench.submitted() {
            bench.say(sequence, status::ESME_RTHROTTLED, submit_resp());
        }
        bench.wait(pause * SECOND - Duration::from_millis(1));
        assert!(bench.texts().is_empty(), "nothing leaves during a pause of {pause} s");
        bench.wait(Duration::from_millis(1));
    }
    let probe = bench.submitted();
    assert_eq!(probe.iter().map(|(_, text)| text.as_str()).collect::<Vec<_>>(), ["1"], "one alone tries");
    bench.reply("3", FAR);
    assert!(bench.texts().is_empty());
    bench.say(probe[0].0, 0, submit_resp());
    assert_eq!(bench.texts(), ["2", "3"], "and what waited follows in order");
    bench.reply("4", FAR);
    let (sequence, _) = bench.submitted().pop().unwrap();
    bench.say(sequence, status::ESME_RTHROTTLED, submit_resp());
    bench.wait(SECOND);
    assert!(bench.texts().is_empty(), "two are still open, so the order could yet be lost");
}

#[test]
fn refused_messages_go_back_before_all_that_came_after_them() {
    let mut bench = Bench::bound(|settings| settings.window = 3);
    for text in ["1", "2", "3", "4"] {
        bench.reply(text, FAR);
    }
    let mut sent = bench.submitted();
    sent.swap(0, 2);
    for (sequence, _) in sent {
        bench.say(sequence, status::ESME_RMSGQFUL, submit_resp());
    }
    bench.wait(SECOND);
    let (probe, first) = bench.submitted().pop().unwrap();
    bench.say(probe, 0, submit_resp());
    let rest = bench.submitted();
    bench.say(rest[0].0, 0, submit_resp());
    let order: Vec<String> =
        [first].into_iter().chain(rest.into_iter().map(|(_, text)| text)).chain(bench.texts()).collect();
    assert_eq!(order, ["1", "2", "3", "4"]);
}

#[test]
fn each_submit_has_its_own_time_for_an_answer() {
    let mut bench = Bench::bound(|_| {});
    let early = bench.reply("1", FAR);
    bench.wait(4 * SECOND);
    let late = bench.reply("2", FAR);
    let unanswered = |bench: &mut Bench| -> Vec<Ticket> {
        bench.session.take_outcomes().into_iter().map(|(ticket, _)| ticket).collect()
    };
    bench.wait(6 * SECOND);
    assert_eq!(unanswered(&mut bench), [early]);
    bench.wait(4 * SECOND);
    assert_eq!(unanswered(&mut bench), [late]);
}

#[test]
fn nothing_more_is_read_while_the_engine_takes_nothing() {
    let mut bench = Bench::bound(|_| {});
    bench.say(1, 0, mo());
    assert!(!bench.session.wants_octets());
    bench.session.next_delivery().unwrap();
    assert!(bench.session.wants_octets());
}

#[test]
fn a_pause_outlives_its_connection_and_a_reply_its_own_worth_never() {
    let mut bench = Bench::bound(|settings| settings.throttle_min = 20 * SECOND);
    bench.reply("1", FAR);
    let (sequence, _) = bench.submitted().pop().unwrap();
    bench.say(sequence, status::ESME_RTHROTTLED, submit_resp());
    bench.session.closed();
    assert_eq!(bench.session.take_outcomes(), [(1, Submitted::NotSent("the link is down"))]);
    bench.bind();
    let waits = bench.reply("2", FAR);
    let expires = bench.reply("3", 5 * SECOND);
    assert!(bench.texts().is_empty());
    bench.wait(5 * SECOND);
    assert_eq!(bench.session.take_outcomes(), [(expires, Submitted::NotSent("expired"))], "at its moment, not later");
    bench.wait(15 * SECOND);
    assert_eq!((bench.texts(), waits), (vec!["2".to_owned()], 2));
}

#[test]
fn a_reply_of_which_a_part_has_left_is_sent_whole_and_one_of_which_none_has_is_not_begun() {
    let mut bench = Bench::bound(|settings| settings.throughput = 1);
    bench.reply_in_parts(&["1a", "1b", "1c"], SECOND);
    let late = bench.reply_in_parts(&["2a", "2b"], 2 * SECOND);
    bench.wait(5 * SECOND);
    assert_eq!(bench.texts(), ["1a", "1b", "1c"]);
    let expired = [late, late - 1].map(|ticket| (ticket, Submitted::NotSent("expired")));
    assert_eq!(bench.session.take_outcomes(), expired);
}

#[test]
fn a_drain_that_takes_too_long_is_cut_short() {
    let mut bench = Bench::bound(|_| {});
    bench.reply("1", FAR);
    bench.session.shutdown(bench.now);
    bench.advance();
    assert_eq!(bench.texts(), ["1"]);
    bench.wait(10 * SECOND);
    assert_eq!(bench.written().pop().unwrap().body, Body::Unbind);
    bench.wait(2 * SECOND);
    assert_eq!(bench.session.ended(), Some(Ended::Drained));
    bench.session.closed();
    let unknown = |(_, outcome): &(Ticket, Submitted)| matches!(outcome, Submitted::Unknown(_));
    assert!(bench.session.take_outcomes().iter().all(unknown));
}

#[test]
fn a_full_set_of_open_answers_leaves_the_rest_unread() {
    let mut bench = Bench::bound(|settings| settings.unacked_max = 3);
    let mut octets = BytesMut::new();
    (1..=5).for_each(|sequence| Pdu::new(sequence, mo()).write(&mut octets));
    bench.hear(&mut octets);
    assert!(!octets.is_empty() && !bench.session.wants_octets());
    let (first, _) = bench.session.next_delivery().unwrap();
    bench.session.verdict(first, Verdict::Fresh);
    bench.hear(&mut octets);
    bench.wait(SECOND);
    bench.hear(&mut octets);
    assert!(octets.is_empty());
}

/// What may happen to a session, in any order.
#[derive(Clone, Debug)]
enum Event {
    Deliver,
    Malformed,
    Verdict(prop::sample::Index, Verdict),
    Reply { worth_ms: u64 },
    Answer(prop::sample::Index, u32),
    Enquire,
    Nack(u32),
    Wait(u64),
    Reconnect,
    Unbind,
}

fn event() -> impl Strategy<Value = Event> {
    let index = any::<prop::sample::Index>;
    let verdict = prop::sample::select(vec![Verdict::Fresh, Verdict::Again, Verdict::Later]);
    let status = prop::sample::select(vec![0, 0, 0, 0x0B, 0x14, 0x58, 0x08, 0x401]);
    prop_oneof![
        6 => Just(Event::Deliver),
        1 => Just(Event::Malformed),
        6 => (index(), verdict).prop_map(|(which, verdict)| Event::Verdict(which, verdict)),
        6 => (1..60_000_u64).prop_map(|worth_ms| Event::Reply { worth_ms }),
        6 => (index(), status).prop_map(|(which, status)| Event::Answer(which, status)),
        1 => Just(Event::Enquire),
        1 => (0..50_u32).prop_map(Event::Nack),
        5 => (1..5_000_u64).prop_map(Event::Wait),
        1 => Just(Event::Reconnect),
        1 => Just(Event::Unbind),
    ]
}

/// What the SMSC and the engine know by themselves, to hold the session to.
#[derive(Default)]
struct Ledger {
    sequence: u32,
    /// Deliveries without an answer, by sequence, with the latest moment for one.
    open: BTreeMap<u32, Instant>,
    /// Handed to the engine, without its word, by sequence in the order of handing in.
    handed: Vec<(AckId, u32)>,
    /// Delivered on this connection and not handed in yet, in order.
    queued: Vec<u32>,
    safe: BTreeSet<u32>,
    submits: Vec<u32>,
    replies: BTreeSet<Ticket>,
}

impl Ledger {
    fn check_written(&mut self, bench: &mut Bench) {
        bench.collect();
        for (at, pdu) in bench.read.drain(..) {
            match pdu.body {
                Body::DeliverSmResp(_) => {
                    let due = self.open.remove(&pdu.sequence).expect("each delivery is answered once");
                    assert!(at <= due, "an answer came {:?} after its time", at - due);
                    assert_eq!(pdu.status == status::ESME_ROK, self.safe.contains(&pdu.sequence));
                    self.queued.retain(|sequence| *sequence != pdu.sequence);
                }
                Body::SubmitSm(_) => {
                    assert!(!self.submits.contains(&pdu.sequence), "a sequence in flight is not given again");
                    self.submits.push(pdu.sequence);
                }
                Body::EnquireLink | Body::EnquireLinkResp | Body::Bind(..) | Body::UnbindResp => {}
                other => panic!("{other:?} was not called for"),
            }
        }
        for (ticket, _) in bench.session.take_outcomes() {
            assert!(self.replies.remove(&ticket), "each reply has one outcome");
        }
        assert!(bench.session.window.in_flight() <= bench.session.settings.window);
    }

    fn hand_in(&mut self, bench: &mut Bench) {
        while let Some((id, _)) = bench.session.next_delivery() {
            let sequence = self.queued.remove(0);
            self.handed.push((id, sequence));
        }
    }

    fn lose_connection(&mut self, bench: &mut Bench) {
        bench.session.closed();
        self.check_written(bench);
        (self.open, self.queued, self.submits) = Default::default();
        assert!(self.replies.is_empty(), "no reply outlives its connection without an outcome");
    }

    fn apply(&mut self, bench: &mut Bench, event: Event) {
        match event {
            Event::Deliver => {
                self.sequence += 1;
                self.open.insert(self.sequence, bench.now + bench.session.settings.ack_within);
                if bench.session.is_bound() {
                    self.queued.push(self.sequence);
                }
                bench.say(self.sequence, 0, mo());
            }
            Event::Malformed => {
                self.sequence += 1;
                self.open.insert(self.sequence, bench.now);
                let length = 17_u32.to_be_bytes();
                let rest = [header::DELIVER_SM, 0, self.sequence].map(u32::to_be_bytes);
                let body = [u8::try_from(self.sequence % 250).unwrap() + 1];
                let mut octets = BytesMut::from([&length, rest.as_flattened(), &body].concat().as_slice());
                bench.hear(&mut octets);
            }
            Event::Verdict(which, verdict) if !self.handed.is_empty() => {
                let (id, sequence) = self.handed.remove(which.index(self.handed.len()));
                if verdict != Verdict::Later && self.open.contains_key(&sequence) {
                    self.safe.insert(sequence);
                }
                bench.session.verdict(id, verdict);
                bench.advance();
            }
            Event::Reply { worth_ms } if bench.session.wants_replies() => {
                let ticket = bench.reply("x", Duration::from_millis(worth_ms));
                self.replies.insert(ticket);
            }
            Event::Answer(which, status) if !self.submits.is_empty() => {
                let sequence = self.submits.remove(which.index(self.submits.len()));
                bench.say(sequence, status, submit_resp());
            }
            Event::Enquire => bench.say(1, 0, Body::EnquireLink),
            Event::Nack(sequence) => {
                self.submits.retain(|open| *open != sequence);
                bench.say(sequence, 3, Body::GenericNack);
            }
            Event::Wait(span_ms) => bench.wait(Duration::from_millis(span_ms)),
            Event::Reconnect => {
                self.lose_connection(bench);
                bench.bind();
            }
            Event::Unbind => bench.say(2, 0, Body::Unbind),
            Event::Verdict(..) | Event::Reply { .. } | Event::Answer(..) => {}
        }
        self.check_written(bench);
        self.hand_in(bench);
        if bench.session.ended().is_some() {
            self.lose_connection(bench);
            bench.bind();
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn in_any_order_of_events_each_delivery_and_each_reply_ends_once_and_in_time(
        events in prop::collection::vec(event(), 1..120),
        window in 1..5_usize,
    ) {
        let mut bench = Bench::bound(|settings| {
            settings.window = window;
            settings.malformed_refusals = u32::MAX;
        });
        let mut ledger = Ledger::default();
        for event in events {
            ledger.apply(&mut bench, event);
        }
        bench.wait(SECOND);
        ledger.check_written(&mut bench);
        assert!(ledger.open.is_empty(), "every delivery was answered");
        ledger.lose_connection(&mut bench);
    }
}
