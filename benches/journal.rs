//! How many rows a second the journal commits, by batch size: `cargo bench --bench journal [postgres://…]`. A unit is a
//! purchase's whole first step or a later one, as the engine makes them. Measures; passes no judgement.

use paygate::config;
use paygate::journal::Journal;
use paygate::journal::rows::{AttemptRow, Committed, EventRow, MessageRow, PurchaseRow, ReplyRow, Unit};
use paygate::purchase::Purchase;
use paygate::purchase::record::{AttemptStatus, State};
use std::time::{Duration, Instant};

/// Purchases in one measurement.
const PURCHASES: usize = 8_192;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let asked = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    let url = asked.unwrap_or_else(|| format!("sqlite:{}", dir.path().join("bench.db").display()));
    let config = config::Journal {
        url: url.into(),
        readers: 2,
        statement_timeout: Duration::from_secs(30),
        max_lag: Duration::ZERO,
    };
    let journal = Journal::open(&config).await.expect("the store opens");
    let run = journal.now().await.expect("the store has a clock");
    for batch in [1, 16, 64, 128, 256, 512] {
        let purchases = if batch == 1 { PURCHASES / 16 } else { PURCHASES };
        let ids: Vec<String> = (0..purchases).map(|n| format!("{run:x}{batch:04x}{n:020x}")).collect();
        let first: Vec<Unit> = ids.iter().enumerate().map(|(n, id)| first(id, n)).collect();
        let charging: Vec<Unit> =
            first.iter().map(|unit| later(unit, State::Charging, AttemptStatus::Intended)).collect();
        let done: Vec<Unit> = charging.iter().map(|unit| later(unit, State::Done, AttemptStatus::Succeeded)).collect();
        for (name, units) in [("first step", first), ("intent", charging), ("end", done)] {
            measure(&journal, batch, name, units).await;
        }
    }
}

async fn measure(journal: &Journal, batch: usize, name: &str, units: Vec<Unit>) {
    let (count, rows) = (units.len(), units.iter().map(rows).sum::<usize>());
    let batches: Vec<Vec<Unit>> = units.chunks(batch).map(<[Unit]>::to_vec).collect();
    let mut waits = Vec::with_capacity(batches.len());
    let start = Instant::now();
    for batch in batches {
        let before = Instant::now();
        let outcomes = journal.commit(batch).await.expect("the store takes it");
        assert!(outcomes.iter().all(|outcome| *outcome == Committed::Durable));
        waits.push(before.elapsed());
    }
    let took = start.elapsed().as_secs_f64();
    waits.sort_unstable();
    let (count, rows) = (count as f64 / took, rows as f64 / took);
    let (median, p99) = (waits[waits.len() / 2], waits[waits.len() * 99 / 100]);
    println!("batch {batch:>4} {name:<10} {count:>8.0} units/s {rows:>8.0} rows/s  p50 {median:>9.1?} p99 {p99:>9.1?}");
}

fn rows(unit: &Unit) -> usize {
    let singles = [unit.message.is_some(), unit.purchase.is_some(), unit.charge.is_some(), unit.grant.is_some()];
    singles.iter().filter(|there| **there).count() + unit.events.len() + unit.replies.len()
}

fn first(id: &str, n: usize) -> Unit {
    let msisdn = format!("+848{n:08}");
    let purchase: Purchase = serde_json::from_value(serde_json::json!({
        "id": id, "version": 1, "state": "offered", "created_at": 1_767_225_600_000_000_i64 + n as i64,
        "updated_at": 1_767_225_600_000_000_i64, "due_at": 1_767_225_900_000_000_i64 + n as i64,
        "order": { "msisdn": msisdn, "account": "0854689520", "service": "VIP", "package": "NAP1", "channel": "viettel",
            "door": "smpp", "link": "viettel", "short_code": "9029" },
        "offer": { "package_name": "Goi VIP NAP1 30 ngay", "price": { "amount": 10_000, "currency": "VND" }, "days": 30,
            "asks": "code", "nonce": "00112233445566778899aabbccddeeff", "digits": 6,
            "expires_at": 1_767_225_900_000_000_i64, "tries_left": 3, "sends": 1, "last_sent_at": 1_767_225_600_000_000_i64 },
    }))
    .expect("the sample is a purchase");
    Unit {
        message: Some(MessageRow {
            key: format!("{id}{id}"),
            generation: 0,
            at: purchase.created_at,
            door: "smpp".to_owned(),
            link: "viettel".to_owned(),
            from: msisdn,
            to: "9029".to_owned(),
            data_coding: Some(0),
            raw: b"ON VIP NAP1 0854689520".to_vec(),
            verdict: "buy".to_owned(),
            purchase_id: Some(id.to_owned()),
        }),
        events: vec![event(&purchase)],
        replies: vec![reply(&purchase)],
        purchase: Some(PurchaseRow { purchase, seen: 0 }),
        ..Unit::default()
    }
}

/// The step after, with its charge; an end has its reply too.
fn later(before: &Unit, state: State, status: AttemptStatus) -> Unit {
    let mut purchase = before.purchase.as_ref().expect("each sample has a purchase").purchase.clone();
    let seen = purchase.version;
    purchase.version += 1;
    purchase.state = state;
    purchase.due_at = if state.is_end() { None } else { purchase.due_at };
    let attempt = serde_json::json!({
        "key": format!("{}-c1", purchase.id), "sends": 1, "status": status, "amount": { "amount": 10_000, "currency": "VND" },
        "intended_at": purchase.created_at, "send_by": purchase.created_at, "in_flight_until": purchase.created_at,
    });
    purchase.charge = Some(serde_json::from_value(attempt).expect("the sample is an attempt"));
    let charge = purchase.charge.clone().map(|attempt| AttemptRow {
        purchase_id: purchase.id.clone(),
        msisdn: purchase.order.msisdn,
        channel: purchase.order.channel.clone(),
        attempt,
        request: if seen == 1 { "x".repeat(400) } else { String::new() },
        fingerprint: if seen == 1 { "f".repeat(64) } else { String::new() },
        at: purchase.created_at,
    });
    let replies = if state.is_end() { vec![reply(&purchase)] } else { Vec::new() };
    Unit {
        events: vec![event(&purchase)],
        replies,
        charge,
        purchase: Some(PurchaseRow { purchase, seen }),
        ..Unit::default()
    }
}

fn event(purchase: &Purchase) -> EventRow {
    EventRow {
        purchase_id: purchase.id.clone(),
        seq: purchase.version,
        at: purchase.created_at,
        kind: "checked".to_owned(),
        state_from: "requested".to_owned(),
        state_to: purchase.state.as_str().to_owned(),
        body: format!(r#"{{"input":"checked","heard":"{}"}}"#, "x".repeat(120)),
    }
}

fn reply(purchase: &Purchase) -> ReplyRow {
    ReplyRow {
        key: format!("{}-{}", purchase.id, purchase.version),
        purchase_id: Some(purchase.id.clone()),
        at: purchase.created_at,
        link: "viettel".to_owned(),
        from: "9029".to_owned(),
        to: purchase.order.msisdn.expect("each is a phone's"),
        kind: "offer".to_owned(),
        text: "Ma xac nhan {otp}. Goi VIP NAP1 30 ngay, gia 10.000 d. Tra loi ma nay trong 5 phut de mua.".to_owned(),
        not_after: purchase.created_at,
        due_at: purchase.created_at,
    }
}
