//! A statement and what did not match, as a person or a program reads them. Numbers are masked: the list is for many eyes.

use crate::care::discrepancies::Entry;
use crate::cli::table::{Cell, GREEN, RED, Table, YELLOW};
use crate::journal::reconciliation::{DiscrepancyRow, Kind, Standing, StatementInfo, StatementState, Total};
use crate::purchase::money::grouped;
use crate::purchase::record::Micros;
use crate::reconcile::{CarriedThrough, Imported, money};
use crate::story::moment::{local, utc};
use serde::Serialize;

/// What is to be said before the statement itself.
pub(super) fn way(through: &CarriedThrough) -> String {
    let Imported { statement, before, resumed } = &through.imported;
    let mut said = String::new();
    if *before {
        said += &format!("imported before, as version {}; nothing was read again\n\n", statement.version);
    }
    if let Some(line) = resumed {
        said += &format!("begun before and not read to its end; it went on behind line {line}\n\n");
    }
    if through.ordered > 0 {
        let ordered = through.ordered;
        said += &format!("acts ordered by the policy for longs: {ordered}; see `paygate purchases show`\n\n");
    }
    said
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
