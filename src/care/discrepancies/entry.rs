//! What did not match, as a program or a spreadsheet reads it. Numbers are masked: a list is for many eyes.

use crate::journal::reconciliation::DiscrepancyRow;
use crate::purchase::money::Currency;
use crate::purchase::record::Micros;
use crate::reconcile::harmless;
use crate::story::moment::utc;
use serde::Serialize;

/// The names of the keys below, as a CSV's first line has them.
pub(crate) const COLUMNS: [&str; 19] = [
    "number",
    "standing",
    "channel",
    "day",
    "version",
    "file",
    "line",
    "purchase",
    "charge",
    "reference",
    "msisdn",
    "at",
    "theirs",
    "ours",
    "currency",
    "note",
    "owner",
    "age_seconds",
    "closing",
];

/// One entry of `reconcile list --json`, and one line of the CSV. The keys are a promise; new ones may come, none changes.
#[derive(Serialize)]
pub(crate) struct Entry<'d> {
    pub(crate) number: i64,
    pub(crate) standing: &'static str,
    pub(crate) channel: &'d str,
    pub(crate) day: &'d str,
    pub(crate) version: i64,
    pub(crate) file: Option<&'d str>,
    pub(crate) line: Option<i64>,
    pub(crate) purchase: Option<&'d str>,
    pub(crate) charge: Option<&'d str>,
    pub(crate) reference: Option<&'d str>,
    /// Masked.
    pub(crate) msisdn: Option<String>,
    pub(crate) at: Option<String>,
    /// What the statement says was taken, in minor units; less than nothing where it was given back.
    pub(crate) theirs: i64,
    /// What our journal says now.
    pub(crate) ours: i64,
    pub(crate) currency: Option<&'d str>,
    pub(crate) note: &'d str,
    pub(crate) owner: &'d str,
    pub(crate) age_seconds: i64,
    pub(crate) closing: Option<&'static str>,
    #[serde(skip)]
    pub(crate) row: &'d DiscrepancyRow,
}

impl<'d> Entry<'d> {
    pub(crate) fn of(row: &'d DiscrepancyRow, now: Micros) -> Self {
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

    /// Its line in a CSV, in the order of `COLUMNS`.
    pub(crate) fn line(&self) -> [String; COLUMNS.len()] {
        let word = |word: Option<&str>| harmless(word.unwrap_or_default());
        [
            self.number.to_string(),
            self.standing.to_owned(),
            word(Some(self.channel)),
            self.day.to_owned(),
            self.version.to_string(),
            word(self.file),
            self.line.map(|line| line.to_string()).unwrap_or_default(),
            word(self.purchase),
            word(self.charge),
            word(self.reference),
            // Behind an apostrophe a number's plus is text.
            word(self.msisdn.as_deref()),
            self.at.clone().unwrap_or_default(),
            self.theirs.to_string(),
            self.ours.to_string(),
            word(self.currency),
            word(Some(self.note)),
            word(Some(self.owner)),
            self.age_seconds.to_string(),
            word(self.closing),
        ]
    }
}
