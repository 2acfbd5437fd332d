//! A day of a channel: charges in our journal, and the channel's statement of them with errors planted in both, each known
//! beforehand. The same number is always the same charge, so that a million of them need no memory.

use paygate::config::{Config, Environment};
use paygate::journal::Journal;
use paygate::journal::reconciliation::{DiscrepancyFilter, Standing};
use paygate::journal::rows::{AttemptRow, Committed, PurchaseRow, Unit};
use paygate::purchase::Purchase;
use paygate::purchase::record::AttemptStatus;
use paygate::reconcile::Import;
use std::fmt::Write as _;
use std::io::{self, BufWriter, Write};
use std::path::Path;

/// 2026-11-23 17:00 UTC: 2026-11-24 begins in Hà Nội.
pub(crate) const START: i64 = 1_795_453_200_000_000;
const SECOND: i64 = 1_000_000;
const HOUR: i64 = 3_600 * SECOND;
pub(crate) const PRICE: i64 = 10_000;

/// What is wrong with a charge, or looks so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Plant {
    /// The channel charged, and our journal does not know.
    Unknown,
    /// The channel charged, and our journal says that it did not.
    Failed,
    /// A row of no charge of ours.
    Stranger,
    Short,
    Amount,
    Number,
    Duplicate,
    /// Given back without our asking.
    Reversal,
    /// Given back as we asked: nothing is wrong.
    Refunded,
    /// We say given back, and the statement does not.
    Unreturned,
    /// Of the day before by our clock.
    CarriedIn,
    /// Ours of today, and the statement does not have it yet.
    CarriedOut,
    Unreadable,
    /// Refused by the channel and listed so: nothing is wrong.
    Refused,
}

const PLANTS: [Plant; 14] = [
    Plant::Unknown,
    Plant::Failed,
    Plant::Stranger,
    Plant::Short,
    Plant::Amount,
    Plant::Number,
    Plant::Duplicate,
    Plant::Reversal,
    Plant::Refunded,
    Plant::Unreturned,
    Plant::CarriedIn,
    Plant::CarriedOut,
    Plant::Unreadable,
    Plant::Refused,
];

/// How many charges, and how many of each plant among them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Day {
    pub(crate) charges: i64,
    pub(crate) planted: i64,
}

impl Day {
    pub(crate) fn plant(self, i: i64) -> Option<Plant> {
        let kinds = PLANTS.len() as i64;
        let stride = (self.charges / (self.planted * kinds).max(1)).max(1);
        let place = i / stride;
        (i % stride == 0 && place < self.planted * kinds).then(|| PLANTS[(place % kinds) as usize])
    }

    /// Far from the cuts, unless it is planted there.
    fn at(self, i: i64) -> i64 {
        match self.plant(i) {
            Some(Plant::CarriedIn) => START - 60 * SECOND - i,
            Some(Plant::CarriedOut) => START + 24 * HOUR - 60 * SECOND - i,
            _ => START + 2 * HOUR + i * (20 * HOUR / self.charges),
        }
    }

    /// What reconciliation has to find: how it stands, and by which key or reference.
    pub(crate) fn expected(self) -> Vec<(Standing, String)> {
        let stands = |i: i64| {
            let standing = match self.plant(i)? {
                Plant::Unknown | Plant::Failed | Plant::Stranger => Standing::Long,
                Plant::Short => Standing::Short,
                Plant::Amount | Plant::Number => Standing::Differs,
                Plant::Duplicate => Standing::Duplicate,
                Plant::Reversal => Standing::Reversal,
                Plant::Unreturned => Standing::Unreturned,
                Plant::CarriedIn | Plant::CarriedOut => Standing::Carried,
                Plant::Unreadable => return Some(vec![(Standing::Bad, String::new()), (Standing::Short, key(i))]),
                Plant::Refunded | Plant::Refused => return None,
            };
            Some(vec![(standing, if self.plant(i) == Some(Plant::Stranger) { reference(i) } else { key(i) })])
        };
        let mut all: Vec<_> = (0..self.charges).filter_map(stands).flatten().collect();
        all.sort();
        all
    }

    /// What the journal has of it.
    fn unit(self, i: i64) -> Option<Unit> {
        let (charge, refund) = match self.plant(i) {
            Some(Plant::Stranger) => return None,
            Some(Plant::Unknown) => (AttemptStatus::Unknown, false),
            Some(Plant::Failed | Plant::Refused) => (AttemptStatus::Failed, false),
            Some(Plant::Refunded | Plant::Unreturned) => (AttemptStatus::Succeeded, true),
            _ => (AttemptStatus::Succeeded, false),
        };
        let at = self.at(i);
        let attempt = |key: String, status: AttemptStatus| {
            serde_json::from_value(serde_json::json!({
                "key": key, "sends": 1, "status": status, "amount": { "amount": PRICE, "currency": "VND" },
                "intended_at": at, "send_by": at, "in_flight_until": at, "peer_reference": reference(i),
            }))
            .expect("an attempt")
        };
        let state = if refund {
            "refunded"
        } else if charge == AttemptStatus::Succeeded {
            "done"
        } else {
            "declined"
        };
        let purchase: Purchase = serde_json::from_value(serde_json::json!({
            "id": id(i), "version": 1, "state": state, "created_at": at - SECOND, "updated_at": at,
            "order": { "msisdn": msisdn(i), "account": "0854689520", "service": "VIP", "package": format!("NAP{}", i % 3),
                "channel": "viettel", "door": "smpp", "link": "viettel", "short_code": format!("{}", 9029 + i % 2) },
        }))
        .expect("a purchase");
        let row = |attempt, request: &str| AttemptRow {
            purchase_id: purchase.id.clone(),
            msisdn: purchase.order.msisdn,
            channel: "viettel".to_owned(),
            attempt,
            request: request.to_owned(),
            fingerprint: "f".to_owned(),
            at,
        };
        Some(Unit {
            charge: Some(row(attempt(key(i), charge), "{}")),
            refund: refund.then(|| row(attempt(format!("{}-r1", id(i)), AttemptStatus::Succeeded), "{}")),
            purchase: Some(PurchaseRow { purchase: with_attempts(purchase.clone(), attempt(key(i), charge)), seen: 0 }),
            ..Unit::default()
        })
    }

    /// The rows that the channel has of it.
    fn rows(self, i: i64, out: &mut String) {
        let plant = self.plant(i);
        let (mut amount, mut phone, mut status) = (PRICE.to_string(), msisdn(i), "OK");
        match plant {
            Some(Plant::Short | Plant::CarriedOut) => return,
            Some(Plant::Amount) => amount = "10.001 VND".to_owned(),
            Some(Plant::Number) => phone = msisdn(i + 1),
            Some(Plant::Unreadable) => amount = "ten thousand".to_owned(),
            Some(Plant::Refused) => status = "FAILED",
            _ => {}
        }
        let at = jiff::Timestamp::from_microsecond(self.at(i).max(START) + SECOND).expect("a time");
        let at = at.to_zoned(jiff::tz::TimeZone::fixed(jiff::tz::offset(7))).strftime("%Y-%m-%d %H:%M:%S").to_string();
        let own = if plant == Some(Plant::Stranger) { "0000000000000000-c1".to_owned() } else { key(i) };
        let mut row = |kind: &str| {
            writeln!(out, "{},{own},{phone},{amount},{at},{kind},{status}", reference(i)).expect("text");
        };
        row("CHARGE");
        match plant {
            Some(Plant::Duplicate) => row("CHARGE"),
            Some(Plant::Reversal | Plant::Refunded) => row("REFUND"),
            _ => {}
        }
    }

    /// Writes the day's charges into the journal.
    pub(crate) async fn journal(self, journal: &Journal) {
        let all: Vec<i64> = (0..self.charges).collect();
        for some in all.chunks(512) {
            let units: Vec<Unit> = some.iter().filter_map(|i| self.unit(*i)).collect();
            let outcomes = journal.commit(units).await.expect("the journal takes it");
            assert!(outcomes.iter().all(|outcome| *outcome == Committed::Durable));
        }
    }

    /// Writes the channel's statement of the day, and gives its rows.
    pub(crate) fn statement(self, path: &Path) -> io::Result<i64> {
        let mut file = BufWriter::new(std::fs::File::create(path)?);
        writeln!(file, "Transaction ID,Merchant Ref,Phone,Amount,Time,Type,Status")?;
        let (mut rows, mut text) = (0, String::new());
        for i in 0..self.charges {
            text.clear();
            self.rows(i, &mut text);
            rows += text.lines().count() as i64;
            file.write_all(text.as_bytes())?;
        }
        file.flush()?;
        Ok(rows)
    }
}

/// As the core keeps it: the settlement goes by the columns, and a person by the body.
fn with_attempts(purchase: Purchase, charge: paygate::purchase::record::Attempt) -> Purchase {
    Purchase { charge: Some(charge), ..purchase }
}

/// Scattered as the hashes are that real ids are made of.
pub(crate) fn id(i: i64) -> String {
    let mut hash = i.unsigned_abs().wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    format!("{:016x}", hash ^ (hash >> 31))
}

pub(crate) fn key(i: i64) -> String {
    format!("{}-c1", id(i))
}

pub(crate) fn reference(i: i64) -> String {
    format!("T{i:012}")
}

fn msisdn(i: i64) -> String {
    format!("+848{i:08}")
}

/// How this channel's statements are read.
pub(crate) const MAP: &str = r#"
[statement.viettel]
reference = "transaction id"
key = "Merchant Ref"
msisdn = "PHONE"
amount = 4
time = "Time"
kind = "Type"
status = "Status"
charged = ["OK"]
"#;

/// The least configuration beside it.
pub(crate) const REST: &str = r#"
[[smsc]]
name = "viettel"
address = "127.0.0.1:2775"
password = "secret"
short_codes = ["9029"]
[package_manager]
base_url = "http://127.0.0.1:9002"
token = "secret"
[charging.viettel]
kind = "carrier-billing"
base_url = "http://127.0.0.1:9001/carrier-billing/v0.5"
token = "secret"
"#;

pub(crate) fn config(map: &str) -> Config {
    Config::parse(&format!("{REST}{map}"), &Environment::new()).expect("a configuration")
}

pub(crate) fn import(map: &str, day: &str, files: &[&Path]) -> Import {
    Import {
        channel: "viettel".to_owned(),
        map: config(map).statement["viettel"].clone(),
        country: paygate_parsers::msisdn::Country::new("84").expect("a country"),
        day: day.parse().expect("a day"),
        files: files.iter().map(|file| file.to_path_buf()).collect(),
        operator: "lan".to_owned(),
        anew: false,
    }
}

/// All that did not match, as [`Day::expected`] names it.
pub(crate) async fn found(journal: &Journal) -> Vec<(Standing, String)> {
    let filter = DiscrepancyFilter { closed: true, limit: u32::MAX, ..DiscrepancyFilter::default() };
    let rows = journal.discrepancies(&filter).await.expect("the journal answers");
    let name = |row: paygate::journal::reconciliation::DiscrepancyRow| {
        (row.standing, row.charge_key.or(row.reference).unwrap_or_default())
    };
    let mut all: Vec<_> = rows.into_iter().map(name).collect();
    all.sort();
    all
}
