//! The batch, driven by hand: redeliveries, parts, and several inputs that meet in one commit. No journal and no runtime;
//! what the journal would know is put into `Known`.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use super::{Batch, Draft};
use crate::charging::Channels;
use crate::config;
use crate::engine::clock::Moment;
use crate::engine::desk::Desk;
use crate::engine::door::{Door, MessageIn, NotifyIn, PARTNER, PaymentIn, Verdict};
use crate::engine::intake::{Reader, payment_key, set_key};
use crate::engine::work::{Decision, Known, Work};
use crate::http_client::HttpClient;
use crate::journal::rows::{ActOutcome, ActRow, Deed, HeldPart, NewAct, PartRow, Seen};
use crate::package_manager;
use crate::purchase::evidence::{Advice, ChannelAnswer, CheckAnswer, Decline, Finding, GrantAnswer, Reason};
use crate::purchase::input::{ChannelCall, Effect, GrantCall, Input, Payment};
use crate::purchase::money::{Currency, Money};
use crate::purchase::offer::CodeKey;
use crate::purchase::record::{AttemptStatus, Micros, Order, Purchase, State};
use crate::purchase::rules::{ChannelRules, Flight, Rules};
use crate::replies::Replies;
use bytes::Bytes;
use paygate_parsers::concat::Part;
use paygate_parsers::msisdn::{Country, Msisdn};
use paygate_parsers::request::Syntax;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::Instant;

pub(in crate::engine) const SECOND: Micros = 1_000_000;
pub(in crate::engine) const START: Micros = 1_780_000_000 * SECOND;
const WINDOW: Micros = 120 * SECOND;
pub(in crate::engine) const PRICE: Money = Money::new(10_000, Currency::VND);

fn rules() -> Rules {
    let plan = [5, 15, 60].map(|seconds| seconds * SECOND).to_vec();
    let flight = Flight { send_within: 10 * SECOND, max_flight: 30 * SECOND, answer_within: 15 * SECOND, plan };
    let channel = ChannelRules {
        texts_codes: false,
        can_cancel: true,
        can_refund: true,
        link_ttl: None,
        retry: Vec::new(),
        retry_consent: 24 * 3_600 * SECOND,
        flight: flight.clone(),
    };
    Rules {
        otp: config::Otp::Gateway,
        menu_otp: config::Otp::None,
        otp_length: 6,
        otp_ttl: 300 * SECOND,
        otp_attempts: 3,
        otp_sends: 3,
        otp_hourly: 5,
        confirm_without_code: false,
        code_key: CodeKey::new([7; 32]),
        repeat_window: 600 * SECOND,
        surplus_window: 600 * SECOND,
        consent_valid: 600 * SECOND,
        checking_after: 30 * SECOND,
        grant_fresh: 86_400 * SECOND,
        check_attempts: 3,
        check_pause: 2 * SECOND,
        grant: flight,
        idempotent_grants: true,
        channels: [("viettel".to_owned(), channel)].into(),
        frozen: Default::default(),
        lost_before: None,
    }
}

/// A channel and a package manager that nobody is behind: only their pure halves are asked here.
pub(in crate::engine) fn desk() -> Desk {
    let client = HttpClient::new().unwrap();
    let channel = config::CarrierBilling {
        base_url: "http://127.0.0.1:9/carrier-billing/v0.5".to_owned(),
        refund_url: "http://127.0.0.1:9/carrier-billing-refund/v0.3".to_owned(),
        token: "secret".into(),
        timeout: Duration::from_secs(5),
        merchant: "paygate".to_owned(),
        one_step: true,
        max_flight: Duration::from_secs(30),
        send_within: Duration::from_secs(10),
        inquiry_plan: vec![Duration::from_secs(5)],
        clock_skew: Duration::from_secs(300),
        concurrency: 1,
        refusals: config::Refusals::default(),
    };
    let packages = config::PackageManager {
        base_url: "http://127.0.0.1:9".to_owned(),
        token: "secret".into(),
        timeout: Duration::from_secs(5),
        idempotent_grants: true,
        max_flight: Duration::from_secs(30),
        send_within: Duration::from_secs(10),
        inquiry_plan: vec![Duration::from_secs(5)],
        concurrency: 1,
    };
    let channels = [("viettel".to_owned(), config::Charging::CarrierBilling(channel))].into();
    Desk {
        rules: rules(),
        reader: Reader { country: Country::new("84").unwrap(), syntax: Syntax::default(), alphabets: BTreeMap::new() },
        replies: Replies::new(&BTreeMap::new(), "19001000", "ON", "HUY").unwrap(),
        link_channels: [("viettel".to_owned(), "viettel".to_owned())].into(),
        channels: Arc::new(Channels::new(&channels, &client)),
        package_manager: Arc::new(package_manager::Client::new(&packages, client)),
        redelivery_window: WINDOW,
        parts_window: WINDOW,
        reply_lease: 30_000_000,
        reply_pause: 5_000_000,
        reply_doubt: 60_000_000,
    }
}

pub(in crate::engine) fn moment(now: Micros) -> Moment {
    let at = Instant::now();
    Moment { now, at, called_at: now, began: (now, at) }
}

/// One batch, decided at `now`.
pub(in crate::engine) fn decide(
    desk: &Desk,
    known: &Known,
    now: Micros,
    works: Vec<Work>,
) -> (Vec<Decision>, Vec<Work>) {
    let draft = decided(desk, known, now, works);
    (draft.decisions, draft.later)
}

pub(in crate::engine) fn decided(desk: &Desk, known: &Known, now: Micros, works: Vec<Work>) -> Draft {
    let (mut nonce, mut draft) = (|| "ab".repeat(16), Draft::default());
    let mut batch = Batch::new(desk, known, moment(now), &mut nonce, &mut draft);
    works.into_iter().for_each(|work| batch.take(work));
    draft
}

pub(in crate::engine) fn sms(from: &str, text: &str) -> MessageIn {
    MessageIn {
        door: Door::Smpp,
        link: "viettel".to_owned(),
        from: from.to_owned(),
        to: "9029".to_owned(),
        peer_id: None,
        data_coding: Some(0),
        part: None,
        payload: Bytes::copy_from_slice(text.as_bytes()),
        unreadable: None,
    }
}

pub(in crate::engine) const SENDER: &str = "84854689520";
pub(in crate::engine) const BUY: &str = "ON VIP NAP1 0854689520";

/// A payment of vinaphone's, for NAP1 at its price.
pub(in crate::engine) fn partners_payment(reference: &str, link: &str) -> PaymentIn {
    let msisdn = Msisdn::parse(&Country::new("84").unwrap(), SENDER).unwrap();
    let word = str::to_owned;
    PaymentIn {
        key: payment_key("vinaphone", reference),
        order: Order {
            msisdn: Some(msisdn),
            account: word("0854689520"),
            service: word("VIP"),
            package: word("NAP1"),
            channel: word("vinaphone"),
            door: word(PARTNER),
            link: word(link),
            short_code: word("9029"),
            repeat: false,
            app: None,
        },
        payment: Payment {
            reference: word(reference),
            amount: PRICE,
            charged_at: START - SECOND,
            fingerprint: word("f1"),
        },
        check: CheckAnswer::Allowed { package_name: word("VIP 30 ngay"), price: PRICE, days: 30 },
        body: "{}".into(),
    }
}

pub(in crate::engine) fn message(desk: &Desk, message: MessageIn) -> (Work, oneshot::Receiver<Verdict>) {
    let (done, verdict) = oneshot::channel();
    (Work::Message { reading: Arc::new(desk.reader.read(message)), done: Some(done), parts: None }, verdict)
}

/// The journal knows this message since `at`.
fn seen(known: &mut Known, desk: &Desk, text: &str, generation: i64, at: Micros) {
    let key = desk.reader.read(sms(SENDER, text)).key;
    known.seen.insert(key.clone(), Seen { key, generation, at, purchase_id: None });
}

/// A purchase after `inputs`, one second apart, as the journal would have it.
pub(in crate::engine) fn purchase(desk: &Desk, inputs: Vec<Input>) -> Purchase {
    let (work, _verdict) = message(desk, sms(SENDER, BUY));
    let (decisions, _) = decide(desk, &Known::default(), START, vec![work]);
    let mut purchase = decisions.into_iter().next().unwrap().unit.purchase.unwrap().purchase;
    for (seconds, input) in (1..).zip(inputs) {
        purchase = crate::purchase::next(&desk.rules, &purchase, &input, START + seconds * SECOND).purchase;
    }
    purchase
}

pub(in crate::engine) fn known(purchase: &Purchase) -> Known {
    let mut known = Known::default();
    known.purchases.insert(purchase.id.clone(), purchase.clone());
    known.of_subscriber.insert(purchase.order.msisdn.unwrap(), vec![purchase.clone()]);
    known
}

pub(in crate::engine) fn allowed() -> Input {
    let answer = CheckAnswer::Allowed { package_name: "VIP 30 ngay".to_owned(), price: PRICE, days: 30 };
    Input::Checked { answer, nonce: String::new() }
}

pub(in crate::engine) fn channel(call: ChannelCall, sends: u32, finding: Finding) -> Input {
    let answer = ChannelAnswer { finding, handle: None, peer_reference: None, heard: String::new() };
    Input::Channel { call, key: String::new(), sends, called_at: START, answer }
}

pub(in crate::engine) const CHARGED: Finding = Finding::Charged { amount: PRICE, msisdn: None };
const BUSY: Finding = Finding::NotCharged(Decline::new(Reason::Busy, Advice::Technical));

pub(in crate::engine) fn answer(purchase: &Purchase, input: Input) -> Work {
    Work::Answer { id: purchase.id.clone(), input, tries: 0 }
}

fn due(purchase: &Purchase) -> Work {
    Work::Due { purchase: Box::new(purchase.clone()) }
}

#[test]
fn a_message_redelivered_in_one_batch_waits_for_the_next_and_starts_nothing_there() {
    let desk = desk();
    let (first, _first) = message(&desk, sms(SENDER, BUY));
    let (second, mut verdict) = message(&desk, sms(SENDER, BUY));
    let (decisions, later) = decide(&desk, &Known::default(), START, vec![first, second]);
    assert_eq!((decisions.len(), later.len()), (1, 1));
    assert!(verdict.try_recv().is_err(), "it is not acknowledged before the first is durable");
    let mut known = Known::default();
    seen(&mut known, &desk, BUY, 0, START);
    let (decisions, later) = decide(&desk, &known, START + SECOND, later);
    assert_eq!((decisions.len(), later.len(), verdict.try_recv()), (0, 0, Ok(Verdict::Again)));
}

#[test]
fn the_same_words_after_the_redelivery_window_are_a_new_message_and_a_peers_id_never_is() {
    let desk = desk();
    let mut known = Known::default();
    seen(&mut known, &desk, BUY, 3, START);
    let (work, _verdict) = message(&desk, sms(SENDER, BUY));
    let (decisions, _) = decide(&desk, &known, START + WINDOW, vec![work]);
    assert_eq!(decisions[0].unit.message.as_ref().unwrap().generation, 4);
    let named = MessageIn { peer_id: Some("m-1".to_owned()), ..sms(SENDER, BUY) };
    let key = desk.reader.read(named.clone()).key;
    known.seen.insert(key.clone(), Seen { key, generation: 0, at: START, purchase_id: None });
    let (work, mut verdict) = message(&desk, named);
    let (decisions, _) = decide(&desk, &known, START + 100 * WINDOW, vec![work]);
    assert_eq!((decisions.len(), verdict.try_recv()), (0, Ok(Verdict::Again)));
}

#[test]
fn two_messages_of_one_subscriber_are_decided_one_batch_apart_and_of_two_together() {
    let desk = desk();
    let texts = [(SENDER, BUY), (SENDER, "KT"), ("84912345678", BUY)];
    let works = texts.map(|(from, text)| message(&desk, sms(from, text)).0);
    let (decisions, later) = decide(&desk, &Known::default(), START, works.into());
    assert_eq!((decisions.len(), later.len()), (2, 1));
}

#[test]
fn several_inputs_on_one_purchase_are_one_unit_with_an_event_for_each() {
    let desk = desk();
    let purchase = purchase(&desk, vec![allowed(), Input::CodeRight]);
    let works = vec![
        answer(&purchase, channel(ChannelCall::Charge, 1, CHARGED)),
        answer(
            &purchase,
            Input::Grant {
                call: GrantCall::Grant,
                sends: 1,
                called_at: START,
                answer: GrantAnswer::Granted { grant_id: "g-1".to_owned(), heard: String::new(), runs_until: None },
            },
        ),
    ];
    let (decisions, _) = decide(&desk, &known(&purchase), START + 9 * SECOND, works);
    let unit = &decisions[0].unit;
    let row = unit.purchase.as_ref().unwrap();
    assert_eq!((decisions.len(), row.seen, row.purchase.version), (1, purchase.version, purchase.version + 2));
    assert_eq!(unit.events.iter().map(|event| event.seq).collect::<Vec<_>>(), [row.seen + 1, row.seen + 2]);
    assert_eq!(row.purchase.state, State::Done);
    assert!(!unit.grant.as_ref().unwrap().request.is_empty(), "the request of the intent outlives the step after it");
    assert!(decisions[0].effects.is_empty(), "a grant that is made already is not let out");
}

#[test]
fn a_charge_that_a_later_input_of_the_batch_makes_wrong_is_never_let_out() {
    let desk = desk();
    let purchase = purchase(&desk, vec![allowed(), Input::CodeRight, channel(ChannelCall::Charge, 1, BUSY)]);
    let works = vec![due(&purchase), answer(&purchase, channel(ChannelCall::InquireCharge, 1, CHARGED))];
    let (decisions, _) = decide(&desk, &known(&purchase), START + 9 * SECOND, works);
    let charge = decisions[0].unit.charge.as_ref().unwrap();
    assert_eq!((charge.attempt.sends, charge.attempt.status), (2, AttemptStatus::Succeeded));
    assert_eq!(decisions[0].effects, [Effect::Give { call: GrantCall::Grant }]);
}

#[test]
fn a_purchase_claimed_twice_is_woken_once_in_a_batch() {
    let desk = desk();
    let purchase = purchase(&desk, vec![allowed(), Input::CodeRight]);
    let again = Purchase { version: purchase.version + 1, ..purchase.clone() };
    let (decisions, _) = decide(&desk, &Known::default(), START + 60 * SECOND, vec![due(&purchase), due(&again)]);
    assert_eq!((decisions.len(), decisions[0].unit.events.len()), (1, 1));
}

/// This instance slept past its lease and wakes with the purchase as it was before another one made the offer.
#[test]
fn a_code_is_never_answered_by_what_another_instance_has_overtaken() {
    let desk = desk();
    let (stale, offered) = (purchase(&desk, vec![]), purchase(&desk, vec![allowed()]));
    let offer = offered.offer.as_ref().unwrap();
    let code = desk.rules.code_key.code(&offered.id, &offer.nonce, offer.digits);
    for overtaken in [due(&stale), answer(&stale, Input::Timer)] {
        let known = Known { purchases: known(&stale).purchases, ..known(&offered) };
        let (work, _verdict) = message(&desk, sms(SENDER, &code));
        let (decisions, _) = decide(&desk, &known, START + 9 * SECOND, vec![overtaken, work]);
        let kinds: Vec<&str> =
            decisions.iter().flat_map(|one| &one.replies).map(|(row, _)| row.kind.as_str()).collect();
        assert_eq!(
            (decisions.len(), kinds),
            (1, vec![]),
            "nothing is told before the journal has refused the old step"
        );
        let again = decisions[0].again.iter().any(|work| matches!(work, Work::Message { .. }));
        assert!(again && decisions[0].unit.purchase.as_ref().unwrap().seen < offered.version);
    }
}

#[test]
fn the_event_of_a_check_holds_the_nonce_that_its_offer_was_made_with() {
    let desk = desk();
    let purchase = purchase(&desk, vec![]);
    let (decisions, _) = decide(&desk, &known(&purchase), START + SECOND, vec![answer(&purchase, allowed())]);
    let unit = &decisions[0].unit;
    let heard: Input = serde_json::from_str(&unit.events[0].body).unwrap();
    let folded = crate::purchase::next(&desk.rules, &purchase, &heard, START + SECOND).purchase;
    assert_eq!(folded, unit.purchase.as_ref().unwrap().purchase);
}

/// One part of a message of `total`, and its set's key.
fn part(from: &str, number: u8, total: u8, text: &str) -> (MessageIn, String) {
    let part = Part::new(77, total, number).unwrap().unwrap();
    let message = MessageIn { part: Some(part), ..sms(from, text) };
    let set = set_key(&message, part);
    (message, set)
}

fn part_work(message: MessageIn) -> (Work, oneshot::Receiver<Verdict>) {
    let (done, verdict) = oneshot::channel();
    (Work::Part { message: Box::new(message), done: Some(done) }, verdict)
}

/// What the journal keeps of a part that came at `at`, decided against `known`.
fn keep(desk: &Desk, known: &mut Known, message: MessageIn, at: Micros) -> Result<PartRow, Verdict> {
    let (work, mut verdict) = part_work(message);
    let (decisions, _) = decide(desk, known, at, vec![work]);
    let Some(row) = decisions.into_iter().next().and_then(|decision| decision.unit.part) else {
        return Err(verdict.try_recv().unwrap());
    };
    let held = known.parts.entry(row.set.clone()).or_default();
    // The journal gives the parts of the newest generation only.
    held.retain(|part| part.row.generation == row.generation);
    held.push(HeldPart { row: row.clone(), done: false });
    Ok(row)
}

/// The message that the set makes, put together and decided.
fn assembled(desk: &Desk, known: &Known, set: &str, at: Micros) -> Option<Decision> {
    decide(desk, known, at, vec![Work::Assemble { set: set.to_owned() }]).0.into_iter().next()
}

#[test]
fn parts_in_any_order_are_one_message_and_one_purchase() {
    let desk = desk();
    let texts = ["ON VIP ", "NAP1 085", "4689520"];
    for order in [[1, 2, 3], [3, 1, 2], [2, 3, 1]] {
        let mut known = Known::default();
        let set = part(SENDER, 1, 3, "").1;
        for number in order {
            assert!(assembled(&desk, &known, &set, START).is_none(), "a lone fragment is never read");
            keep(&desk, &mut known, part(SENDER, number, 3, texts[usize::from(number) - 1]).0, START).unwrap();
        }
        let decision = assembled(&desk, &known, &set, START + SECOND).unwrap();
        let order = decision.unit.purchase.unwrap().purchase.order;
        assert_eq!((order.package.as_str(), order.account.as_str()), ("NAP1", "0854689520"));
        assert_eq!(decision.unit.parts_done, Some((set, 0)));
    }
}

#[test]
fn a_part_that_comes_twice_or_after_its_set_was_done_is_a_redelivery() {
    let desk = desk();
    let mut known = Known::default();
    let (message, set) = part(SENDER, 1, 2, "ON VIP ");
    keep(&desk, &mut known, message.clone(), START).unwrap();
    assert_eq!(keep(&desk, &mut known, message.clone(), START + SECOND), Err(Verdict::Again));
    keep(&desk, &mut known, part(SENDER, 2, 2, "NAP1 0854689520").0, START + SECOND).unwrap();
    known.parts.get_mut(&set).unwrap().iter_mut().for_each(|held| held.done = true);
    assert_eq!(keep(&desk, &mut known, message, START + 2 * SECOND), Err(Verdict::Again));
    assert!(assembled(&desk, &known, &set, START + 2 * SECOND).is_none(), "a done set is never put together again");
}

#[test]
fn two_senders_with_one_reference_have_two_sets() {
    let desk = desk();
    let mut known = Known::default();
    let mine = keep(&desk, &mut known, part(SENDER, 1, 2, "ON VIP ").0, START).unwrap();
    let theirs = keep(&desk, &mut known, part("84912345678", 2, 2, "NAP1").0, START).unwrap();
    assert_ne!(mine.set, theirs.set);
    assert!(assembled(&desk, &known, &mine.set, START).is_none());
}

#[test]
fn a_reference_used_again_after_the_window_begins_a_new_set() {
    let desk = desk();
    let mut known = Known::default();
    keep(&desk, &mut known, part(SENDER, 1, 2, "ON VIP ").0, START).unwrap();
    let row = keep(&desk, &mut known, part(SENDER, 2, 2, "NAP1").0, START + WINDOW).unwrap();
    assert_eq!(row.generation, 1);
    assert!(assembled(&desk, &known, &row.set, START + WINDOW).is_none(), "a part of each is no message");
}

/// An operator's act about this purchase.
fn act(purchase: &Purchase, deed: Deed) -> Work {
    let act = NewAct { operator: "lan".to_owned(), deed, reason: "asked by phone".to_owned(), evidence: None };
    let row = ActRow { number: 7, at: START, act, second: None, withdrawn_by: None, done: None };
    Work::Act { purchase: purchase.id.clone(), act: Box::new(row) }
}

#[test]
fn an_act_and_a_message_of_its_subscriber_never_share_a_commit() {
    let desk = desk();
    let purchase = purchase(&desk, vec![allowed()]);
    let inquire = || act(&purchase, Deed::Inquire { purchase: purchase.id.clone() });
    let cancel = || message(&desk, sms(SENDER, "HUY VIP NAP1")).0;
    for works in [vec![inquire(), cancel()], vec![cancel(), inquire()], vec![inquire(), inquire()]] {
        let (decisions, later) = decide(&desk, &known(&purchase), START + 9 * SECOND, works);
        assert_eq!((decisions.len(), later.len()), (1, 1));
        assert!(decisions[0].unit.act.is_none() || decisions[0].unit.message.is_none());
    }
}

#[test]
fn an_act_says_in_its_own_commit_what_came_of_it_and_who_did_it() {
    let desk = desk();
    let silence = Finding::Unknown { cause: crate::purchase::evidence::Cause::NoAnswer };
    let unknown = purchase(&desk, vec![allowed(), Input::CodeRight, channel(ChannelCall::Charge, 1, silence)]);
    let offered = purchase(&desk, vec![allowed()]);
    for (purchase, outcome) in [(unknown, ActOutcome::CarriedOut), (offered, ActOutcome::Refused)] {
        let inquire = act(&purchase, Deed::Inquire { purchase: purchase.id.clone() });
        let (decisions, _) = decide(&desk, &known(&purchase), START + 9 * SECOND, vec![inquire]);
        let unit = &decisions[0].unit;
        assert_eq!(unit.act.map(|act| (act.number, act.outcome)), Some((7, outcome)));
        assert!(unit.events[0].body.contains(r#""operator":"lan""#), "{}", unit.events[0].body);
        let asks = decisions[0].effects.contains(&Effect::Call { call: ChannelCall::InquireCharge });
        assert_eq!(asks, outcome == ActOutcome::CarriedOut);
    }
}

#[test]
fn an_event_names_the_intent_that_it_committed_and_its_deadline() {
    let desk = desk();
    let purchase = purchase(&desk, vec![allowed()]);
    let now = START + 9 * SECOND;
    let (decisions, _) = decide(&desk, &known(&purchase), now, vec![answer(&purchase, Input::CodeRight)]);
    let body: serde_json::Value = serde_json::from_str(&decisions[0].unit.events[0].body).unwrap();
    let intent = serde_json::json!({ "key": format!("{}-c1", purchase.id), "send": 1, "send_by": now + 10 * SECOND });
    assert_eq!((&body["input"], &body["intends_charge"]), (&"code_right".into(), &intent));
    let read: Input = serde_json::from_value(body).unwrap();
    assert_eq!(read, Input::CodeRight, "and is read as the input it is");
}

#[test]
fn money_that_nothing_stood_for_is_counted_with_the_step_that_finds_it() {
    let desk = desk();
    let cancelled = purchase(&desk, vec![allowed(), Input::Cancel]);
    let found = answer(&cancelled, channel(ChannelCall::InquireCharge, 1, CHARGED));
    let (decisions, _) = decide(&desk, &known(&cancelled), START + 9 * SECOND, vec![found]);
    assert_eq!(decisions[0].extra_charges, 1);
    let awaited = purchase(&desk, vec![allowed(), Input::CodeRight]);
    let found = answer(&awaited, channel(ChannelCall::Charge, 1, CHARGED));
    let (decisions, _) = decide(&desk, &known(&awaited), START + 9 * SECOND, vec![found]);
    assert_eq!(decisions[0].extra_charges, 0);
}

/// What the channel says by itself of this purchase's charge, and where its door waits.
pub(in crate::engine) fn notify(purchase: &Purchase, digest: &str) -> (Work, oneshot::Receiver<Verdict>) {
    let (done, verdict) = oneshot::channel();
    let (channel, key) = (purchase.order.channel.clone(), format!("{}-c1", purchase.id));
    let notify = NotifyIn { channel, key, paid: true, digest: digest.to_owned(), heard: String::new() };
    (Work::Notify { notify: Arc::new(notify), done: Some(done) }, verdict)
}

#[test]
fn a_notify_that_comes_twice_at_once_is_not_called_known_before_it_is_durable() {
    let desk = desk();
    let charging = purchase(&desk, vec![allowed(), Input::CodeRight]);
    let ((first, _one), (second, mut verdict)) = (notify(&charging, "d"), notify(&charging, "d"));
    let (decisions, later) = decide(&desk, &known(&charging), START + 9 * SECOND, vec![first, second]);
    assert_eq!((decisions.len(), later.len()), (1, 1));
    assert!(verdict.try_recv().is_err());
    let standing = decisions[0].unit.purchase.as_ref().unwrap().purchase.clone();
    let (decisions, _) = decide(&desk, &known(&standing), START + 10 * SECOND, later);
    assert_eq!((decisions.len(), verdict.try_recv()), (0, Ok(Verdict::Again)));
}

#[test]
fn a_notify_about_no_charge_of_ours_is_unknown() {
    let desk = desk();
    let charging = purchase(&desk, vec![allowed(), Input::CodeRight]);
    let stranger = Purchase { id: "0000000000000000".to_owned(), ..charging.clone() };
    let mut elsewhere = charging.clone();
    elsewhere.order.channel = "bank".to_owned();
    for named in [stranger, elsewhere] {
        let (work, mut verdict) = notify(&named, "d");
        let (decisions, _) = decide(&desk, &known(&charging), START + 9 * SECOND, vec![work]);
        assert_eq!((decisions.len(), verdict.try_recv()), (0, Ok(Verdict::Unknown)));
    }
}
