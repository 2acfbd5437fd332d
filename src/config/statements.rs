//! `[statement.CHANNEL]`: how a channel's statements are read, and what is held against what. Names columns; reads no file.

use super::duration::{DAY, SECOND};
use super::section::Section;
use super::{Column, Columns, Long, Statement};
use jiff::civil::Time;
use jiff::tz::TimeZone;
use std::collections::BTreeMap;
use std::time::Duration;

const COLUMN: &str = "a column's name in the header, or its number from 1";
/// Rows that cannot be read before the map is taken to be wrong.
const BAD_MAX: u32 = 1_000;
const CARRY: Duration = Duration::from_hours(1);
const MATCH_WITHIN: Duration = Duration::from_mins(10);

/// What a known kind of file settles before anything is configured (charging.md §1.4).
struct ReadyMade {
    separator: u8,
    header: bool,
    quoted: bool,
    /// Fields of each line; another number is a bad row.
    fields: Option<usize>,
    columns: fn() -> Columns,
    charges: &'static [&'static str],
    reversals: &'static [&'static str],
    ignored: &'static [&'static str],
    charged: &'static [&'static str],
    all_reversals: bool,
}

const FORMATS: [(&str, &ReadyMade); 4] = [
    ("csv", &CSV),
    ("vinaphone-charge", &VINAPHONE_CHARGE),
    ("vinaphone-cdr", &VINAPHONE_CDR),
    ("vinaphone-refund", &VINAPHONE_REFUND),
];

const CSV: ReadyMade = ReadyMade {
    separator: b',',
    header: true,
    quoted: true,
    fields: None,
    columns: Columns::default,
    charges: &[],
    reversals: &["REFUND", "REVERSAL"],
    ignored: &[],
    charged: &[],
    all_reversals: false,
};

/// `CHARGE_…`: ID|ResultCode|RequestID|ShortCode|MSISDN|Price|Note|BeginTime|EndTime|Command_Code.
const VINAPHONE_CHARGE: ReadyMade = ReadyMade {
    separator: b'|',
    header: false,
    quoted: false,
    fields: Some(10),
    columns: || Columns {
        reference: Some(Column::Number(1)),
        status: Some(Column::Number(2)),
        msisdn: Some(Column::Number(5)),
        amount: Some(Column::Number(6)),
        time: Some(Column::Number(9)),
        ..Columns::default()
    },
    charges: &[],
    reversals: &[],
    ignored: &[],
    charged: &["0"],
    all_reversals: false,
};

/// `REG_`, `RENEW_` and `CANCEL_…`: 19 fields, the registration's id first. Where the others stand is configured.
const VINAPHONE_CDR: ReadyMade = ReadyMade {
    separator: b'|',
    header: false,
    quoted: false,
    fields: Some(19),
    columns: || Columns { reference: Some(Column::Number(1)), ..Columns::default() },
    charges: &["1", "3", "REG", "RENEWAL"],
    reversals: &[],
    ignored: &["2", "UNREG"],
    charged: &[],
    all_reversals: false,
};

/// `REFUND_…`: 8 fields, each line money given back. Where they stand is configured.
const VINAPHONE_REFUND: ReadyMade =
    ReadyMade { separator: b';', fields: Some(8), charges: &[], ignored: &[], all_reversals: true, ..VINAPHONE_CDR };

impl Default for Statement {
    /// The days of a channel that issues no statements, by midnight.
    fn default() -> Self {
        Self {
            separator: CSV.separator,
            header: CSV.header,
            quoted: CSV.quoted,
            fields: CSV.fields,
            columns: Columns::default(),
            default_currency: "VND".to_owned(),
            time_format: None,
            zone: hanoi(),
            charges: Vec::new(),
            reversals: made(CSV.reversals),
            ignored: Vec::new(),
            charged: Vec::new(),
            all_reversals: false,
            day_cut: Time::midnight(),
            carry: CARRY,
            match_within: MATCH_WITHIN,
            owner: "accounting".to_owned(),
            long: Long::Person,
            bad_max: BAD_MAX,
        }
    }
}

/// `[statement.CHANNEL]`, once for each channel that issues statements.
pub(super) fn statements(root: &mut Section<'_>) -> BTreeMap<String, Statement> {
    root.section("statement", |section| {
        let names = section.names();
        names.into_iter().map(|name| section.section(&name.clone(), |at| (name, Statement::read(at)))).collect()
    })
}

impl Statement {
    fn read(section: &mut Section<'_>) -> Self {
        let (made, usual) = (section.choice("format", &FORMATS).unwrap_or(&CSV), Self::default());
        let statement = Self {
            separator: section.parsed("separator", "one character, or \"tab\"", separator).unwrap_or(made.separator),
            header: section.boolean("header").unwrap_or(made.header),
            quoted: made.quoted,
            fields: made.fields,
            columns: columns(section, (made.columns)()),
            default_currency: section
                .parsed("default_currency", "three capital letters, such as \"VND\"", currency)
                .unwrap_or(usual.default_currency),
            time_format: section.text("time_format", 2..=64),
            zone: section.parsed("zone", "a time zone, such as \"Asia/Ho_Chi_Minh\"", zone).unwrap_or(usual.zone),
            charges: words(section, "charges", made.charges),
            reversals: words(section, "reversals", made.reversals),
            ignored: words(section, "ignored", made.ignored),
            charged: words(section, "charged", made.charged),
            all_reversals: made.all_reversals,
            day_cut: section.parsed("day_cut", "a time of day, such as \"23:30\"", day_cut).unwrap_or(usual.day_cut),
            carry: section.duration("carry", Duration::ZERO..=DAY).unwrap_or(usual.carry),
            match_within: section.duration("match_within", SECOND..=DAY).unwrap_or(usual.match_within),
            owner: section.text("owner", 1..=64).unwrap_or(usual.owner),
            long: section
                .choice("long", &[("person", Long::Person), ("grant", Long::Grant), ("refund", Long::Refund)])
                .unwrap_or(usual.long),
            bad_max: section.integer("bad_max", 0..=1_000_000).unwrap_or(usual.bad_max),
        };
        statement.judge(section);
        statement
    }

    /// A statement must say how much, and whose or which.
    fn judge(&self, section: &Section<'_>) {
        let columns = &self.columns;
        if columns.amount.is_none() && !section.told("amount") {
            section.fault("amount", "is missing", format!("expected {COLUMN}"));
        }
        if columns.reference.is_none()
            && columns.key.is_none()
            && columns.msisdn.is_none()
            && !section.told("reference")
        {
            section.fault("reference", "is missing", "expected reference, key or msisdn: what a charge is known by");
        }
        if self.header {
            return;
        }
        for (key, column) in columns.named() {
            if matches!(column, Column::Name(_)) {
                section.fault(key, "names a column and the file has no header", "expected its number, from 1");
            }
        }
    }
}

impl Columns {
    /// Each column that is read, by its key in the configuration.
    pub fn named(&self) -> impl Iterator<Item = (&'static str, &Column)> {
        let all = [
            ("reference", &self.reference),
            ("key", &self.key),
            ("msisdn", &self.msisdn),
            ("amount", &self.amount),
            ("currency", &self.currency),
            ("time", &self.time),
            ("kind", &self.kind),
            ("status", &self.status),
        ];
        all.into_iter().filter_map(|(key, column)| Some((key, column.as_ref()?)))
    }
}

fn columns(section: &mut Section<'_>, made: Columns) -> Columns {
    Columns {
        reference: section.worded("reference", COLUMN, column).or(made.reference),
        key: section.worded("key", COLUMN, column).or(made.key),
        msisdn: section.worded("msisdn", COLUMN, column).or(made.msisdn),
        amount: section.worded("amount", COLUMN, column).or(made.amount),
        currency: section.worded("currency", COLUMN, column).or(made.currency),
        time: section.worded("time", COLUMN, column).or(made.time),
        kind: section.worded("kind", COLUMN, column).or(made.kind),
        status: section.worded("status", COLUMN, column).or(made.status),
    }
}

/// Digits are a number: a header that is one is named by its place.
fn column(text: &str) -> Option<Column> {
    let text = text.trim();
    match text.parse::<usize>() {
        Ok(number) => (1..=1_000).contains(&number).then_some(Column::Number(number)),
        Err(_) => (!text.is_empty()).then(|| Column::Name(text.to_owned())),
    }
}

fn words(section: &mut Section<'_>, key: &str, made: &[&str]) -> Vec<String> {
    let given = section.list(key, "words", |word| (!word.trim().is_empty()).then(|| word.trim().to_owned()));
    given.unwrap_or_else(|| self::made(made))
}

fn made(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn separator(text: &str) -> Option<u8> {
    match text.as_bytes() {
        b"tab" => Some(b'\t'),
        [one] if !one.is_ascii_alphanumeric() && !matches!(one, b'"' | b'\r' | b'\n') => Some(*one),
        _ => None,
    }
}

fn currency(text: &str) -> Option<String> {
    (text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_uppercase())).then(|| text.to_owned())
}

fn zone(text: &str) -> Option<TimeZone> {
    TimeZone::get(text).ok()
}

fn hanoi() -> TimeZone {
    TimeZone::get("Asia/Ho_Chi_Minh").unwrap_or(TimeZone::UTC)
}

fn day_cut(text: &str) -> Option<Time> {
    Time::strptime("%H:%M", text).ok()
}
