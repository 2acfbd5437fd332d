//! Purchases and units as the engine makes them, for tests to vary.

use paygate::journal::rows::{AttemptRow, EventRow, MessageRow, PartRow, PurchaseRow, ReplyRow, Unit};
use paygate::purchase::money::{Currency, Money};
use paygate::purchase::record::{Attempt, AttemptStatus, Order, Purchase, State};
use paygate_parsers::msisdn::Msisdn;

/// 2026-01-01 00:00 UTC.
pub(crate) const T: i64 = 1_767_225_600_000_000;

pub(crate) fn msisdn(e164: &str) -> Msisdn {
    serde_json::from_value(e164.into()).expect("an E.164 number")
}

pub(crate) fn purchase(id: &str) -> Purchase {
    let order = Order {
        msisdn: Some(msisdn("+84854689520")),
        account: "0854689520".to_owned(),
        service: "VIP".to_owned(),
        package: "NAP1".to_owned(),
        channel: "viettel".to_owned(),
        door: "smpp".to_owned(),
        link: "viettel".to_owned(),
        short_code: "9029".to_owned(),
        repeat: false,
        app: None,
    };
    Purchase { version: 1, due_at: Some(T + 1), ..Purchase::unasked(id.to_owned(), order, T) }
}

/// The purchase one step on.
pub(crate) fn step(before: &Purchase, state: State) -> Purchase {
    let due_at = if state.is_end() { None } else { before.due_at };
    Purchase { version: before.version + 1, state, due_at, updated_at: before.updated_at + 1, ..before.clone() }
}

pub(crate) fn attempt(key: &str, status: AttemptStatus) -> Attempt {
    Attempt {
        key: key.to_owned(),
        sends: 1,
        status,
        amount: Money::new(10_000, Currency::VND),
        intended_at: T,
        send_by: T + 1,
        in_flight_until: T + 2,
        handle: None,
        peer_reference: None,
    }
}

pub(crate) fn attempt_row(purchase: &Purchase, attempt: Attempt) -> AttemptRow {
    AttemptRow {
        purchase_id: purchase.id.clone(),
        msisdn: purchase.order.msisdn,
        channel: purchase.order.channel.clone(),
        attempt,
        request: r#"{"amount":10000}"#.to_owned(),
        fingerprint: "f".repeat(64),
        at: T,
    }
}

pub(crate) fn event(purchase: &Purchase) -> EventRow {
    EventRow {
        purchase_id: purchase.id.clone(),
        seq: purchase.version,
        at: purchase.updated_at,
        kind: "timer".to_owned(),
        state_from: "requested".to_owned(),
        state_to: purchase.state.as_str().to_owned(),
        body: r#"{"input":"timer"}"#.to_owned(),
    }
}

pub(crate) fn message(key: &str, purchase: Option<&Purchase>) -> MessageRow {
    MessageRow {
        key: key.to_owned(),
        generation: 0,
        at: T,
        door: "smpp".to_owned(),
        link: "viettel".to_owned(),
        from: "+84854689520".to_owned(),
        to: "9029".to_owned(),
        data_coding: Some(0),
        raw: b"ON VIP NAP1 0854689520\0\xff".to_vec(),
        verdict: "buy".to_owned(),
        purchase_id: purchase.map(|purchase| purchase.id.clone()),
    }
}

pub(crate) fn reply(key: &str, purchase: Option<&Purchase>) -> ReplyRow {
    ReplyRow {
        key: key.to_owned(),
        purchase_id: purchase.map(|purchase| purchase.id.clone()),
        at: T,
        link: "viettel".to_owned(),
        from: "9029".to_owned(),
        to: msisdn("+84854689520"),
        kind: "offer".to_owned(),
        text: "Ma {otp}".to_owned(),
        not_after: T + 300_000_000,
        due_at: T,
    }
}

pub(crate) fn part(set: &str, generation: i64, number: u8, at: i64) -> PartRow {
    PartRow {
        set: set.to_owned(),
        generation,
        number,
        total: 2,
        at,
        data_coding: None,
        raw: vec![number; 3],
        door: "smpp".to_owned(),
        link: "viettel".to_owned(),
        from: "+84854689520".to_owned(),
        to: "9029".to_owned(),
    }
}

/// The first step of a purchase: its message, the purchase, the event and the offer's text.
pub(crate) fn first(id: &str) -> Unit {
    let purchase = purchase(id);
    Unit {
        message: Some(message(&format!("m-{id}"), Some(&purchase))),
        events: vec![event(&purchase)],
        replies: vec![reply(&format!("{id}-1"), Some(&purchase))],
        purchase: Some(PurchaseRow { purchase, seen: 0 }),
        ..Unit::default()
    }
}

/// A later step, from the version before it.
pub(crate) fn later(after: &Purchase) -> Unit {
    Unit {
        events: vec![event(after)],
        purchase: Some(PurchaseRow { purchase: after.clone(), seen: after.version - 1 }),
        ..Unit::default()
    }
}
