//! A statement and what did not match, as a person or a program reads them. Numbers are masked: the list is for many eyes.

use crate::cli::table::{Cell, GREEN, RED, Table, YELLOW};
use crate::journal::reconciliation::{DiscrepancyRow, Kind, Standing, StatementInfo, StatementState, Total};
use crate::purchase::money::{Currency, Money, grouped};
use crate::purchase::record::Micros;
use crate::story::moment::{local, utc};
use serde::Serialize;

/// One entry of `reconcile list --json`. The keys are a promise; new ones may come, none changes.
#[derive(Serialize)]
pub(super) struct Entry<'d> {
    number: i64,
    standing: &'static str,
    channel: &'d str,
    day: &'d str,
    version: i64,
    file: Option<&'d str>,
    line: Option<i64>,
    purchase: Option<&'d str>,
    charge: Option<&'d str>,
    reference: Option<&'d str>,
    /// Masked.
    msisdn: Option<String>,
    at: Option<String>,
    /// What the statement says was taken, in minor units; less than nothing where it was given back.
    theirs: i64,
    /// What our journal says now.
    ours: i64,
    currency: Option<&'d str>,
    note: &'d str,
    owner: &'d str,
    age_seconds: i64,
    closing: Option<&'static str>,
    #[serde(skip)]
    row: &'d DiscrepancyRow,
}

impl<'d> Entry<'d> {
    pub(super) fn of(row: &'d DiscrepancyRow, now: Micros) -> Self {
        let end = row.closed.map_or(now, |(at, _)| at);
        Self {
            number: row.number,
            standing: row.standing.as_str(),
            channel: &row.channel,
            day: &row.day,
            version: row.version,
            file: row.row.as_ref().map(|(file, _)| file.as_str()),
            line: row.row.as_ref().map(|(_, line)| *line),
            purchase: row.purchase.as_deref(),
            charge: row.charge_key.as_deref(),
            reference: row.reference.as_deref(),
            msisdn: row.msisdn.map(|msisdn| msisdn.to_string()),
            at: row.at.map(utc),
            theirs: row.theirs,
            ours: row.ours,
            currency: row.currency.as_ref().map(Currency::as_str),
            note: &row.note,
            owner: &row.owner,
            age_seconds: (end - row.opened_at).max(0) / 1_000_000,
            closing: row.closed.map(|(_, closing)| closing.as_str()),
            row,
        }
    }
}

pub(super) fn list(entries: &[Entry<'_>], colour: bool) -> String {
    if entries.is_empty() {
        return "nothing is left to anybody\n".to_owned();
    }
    let mut table = Table::default();
    table.heading(&["NUMBER", "AGE", "OWNER", "STANDS", "CHANNEL", "DAY", "LINE", "THEIRS", "OURS", "PURCHASE", "WHY"]);
    for entry in entries {
        table.row([
            Cell::figure(&entry.number.to_string()),
            Cell::new(&age(entry.age_seconds)),
            Cell::new(entry.owner),
            Cell::painted(entry.closing.unwrap_or(entry.standing), tone(entry)),
            Cell::new(entry.channel),
            Cell::new(entry.day),
            Cell::figure(&entry.line.map(|line| line.to_string()).unwrap_or_default()),
            Cell::figure(&money(entry.theirs, entry.row.currency)),
            Cell::figure(&money(entry.ours, entry.row.currency)),
            Cell::new(entry.purchase.or(entry.reference).unwrap_or_default()),
            Cell::new(entry.note),
        ]);
    }
    table.render(colour)
}

fn tone(entry: &Entry<'_>) -> Option<&'static str> {
    match entry.row.standing {
        _ if entry.closing.is_some() => Some(GREEN),
        Standing::Weak | Standing::Carried => Some(YELLOW),
        _ => Some(RED),
    }
}

pub(in crate::cli) fn money(amount: i64, currency: Option<Currency>) -> String {
    currency.map(|currency| Money::new(amount, currency).to_string()).unwrap_or_default()
}

/// `3d 4h`, `2h 10m`, `5m`, `40s`.
fn age(seconds: i64) -> String {
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds}s"),
        (0, 0, minutes) => format!("{minutes}m"),
        (0, hours, minutes) => format!("{hours}h {minutes}m"),
        (days, hours, _) => format!("{days}d {hours}h"),
    }
}

/// What a statement sums up to, and what is open.
pub(super) fn statement(statement: &StatementInfo, totals: &[Total], open: &[DiscrepancyRow], colour: bool) -> String {
    let mut facts = Table::default();
    facts.facts([
        ("statement", format!("{} {}, version {}", statement.channel, statement.day, statement.version).as_str()),
        ("files", &statement.files.join(", ")),
        ("imported", &format!("{} by {}", local(statement.done_at.unwrap_or(statement.begun_at)), statement.begun_by)),
        ("state", statement.state.as_str()),
    ]);
    let mut table = Table::default();
    table.heading(&["ROWS", "", "STANDS", "AMOUNT"]);
    for total in totals {
        table.row([
            Cell::figure(&grouped(total.rows.unsigned_abs(), ",")),
            Cell::new(total.kind.as_str()),
            Cell::new(total.standing.as_str()),
            Cell::figure(&money(total.amount, total.currency)),
        ]);
    }
    let short = open.iter().filter(|row| row.row.is_none()).count();
    let left = match (open.len(), statement.state) {
        (_, StatementState::Reading | StatementState::Matching) => {
            "it is not read to its end; run it again\n".to_owned()
        }
        (_, StatementState::Superseded) => "a later version counts\n".to_owned(),
        (0, StatementState::Done) => "nothing is open\n".to_owned(),
        (count, StatementState::Done) => {
            let list = format!("paygate reconcile list --channel {} --day {}", statement.channel, statement.day);
            format!("{count} open, {short} of them not in the statement: see `{list}`\n")
        }
    };
    format!("{}\n{}\n{left}", facts.render(colour), table.render(colour))
}

pub(super) fn versions(versions: &[StatementInfo]) -> String {
    if versions.len() < 2 {
        return String::new();
    }
    let told = versions
        .iter()
        .map(|one| format!("version {}: {}, begun {}\n", one.version, one.state.as_str(), local(one.begun_at)));
    format!("\n{}", told.collect::<String>())
}

/// `reconcile show --json`.
#[derive(Serialize)]
pub(super) struct Shown<'d> {
    channel: &'d str,
    day: &'d str,
    version: i64,
    state: &'static str,
    files: &'d [String],
    sha256: &'d str,
    imported_by: &'d str,
    done_at: Option<String>,
    totals: Vec<Sum>,
    discrepancies: Vec<Entry<'d>>,
    versions: Vec<Version>,
}

#[derive(Serialize)]
struct Sum {
    kind: &'static str,
    standing: &'static str,
    currency: Option<String>,
    rows: i64,
    amount: i64,
}

#[derive(Serialize)]
struct Version {
    version: i64,
    state: &'static str,
}

impl<'d> Shown<'d> {
    pub(super) fn of(
        versions: &'d [StatementInfo],
        statement: &'d StatementInfo,
        totals: &[Total],
        rows: &'d [DiscrepancyRow],
        now: Micros,
    ) -> Self {
        let sum = |total: &Total| Sum {
            kind: Kind::as_str(total.kind),
            standing: total.standing.as_str(),
            currency: total.currency.map(|currency| currency.as_str().to_owned()),
            rows: total.rows,
            amount: total.amount,
        };
        Self {
            channel: &statement.channel,
            day: &statement.day,
            version: statement.version,
            state: statement.state.as_str(),
            files: &statement.files,
            sha256: &statement.digest,
            imported_by: &statement.begun_by,
            done_at: statement.done_at.map(utc),
            totals: totals.iter().map(sum).collect(),
            discrepancies: rows.iter().map(|row| Entry::of(row, now)).collect(),
            versions: versions.iter().map(|one| Version { version: one.version, state: one.state.as_str() }).collect(),
        }
    }
}
