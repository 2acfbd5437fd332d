//! What a statement, its rows and what did not match are, as plain values.

use crate::purchase::money::{Currency, Money};
use crate::purchase::record::{AttemptStatus, Micros};
use paygate_parsers::msisdn::Msisdn;

/// What a row of a statement is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Money was taken from the subscriber.
    Charge,
    /// Money was given back.
    Reversal,
    /// No money moved.
    Ignored,
    /// It cannot be read.
    #[default]
    Bad,
}

/// How a row, or a charge that has none, stands to the journal (charging.md R003.5, reliability.md §4.9).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    Matched,
    /// The channel moved money; our journal does not know, or says that it did not.
    Long,
    /// Our journal says charged; the statement has no such row.
    Short,
    /// Another amount, currency or subscriber than ours.
    Differs,
    /// The same charge a second time.
    Duplicate,
    /// It stands, or is expected, in the statement of the neighbouring day.
    Carried,
    /// The same phone and amount about that time, and nothing better: a person confirms it.
    Weak,
    /// The channel gave money back, and we did not ask for it.
    Reversal,
    /// Our journal says given back; the statement has no such row.
    Unreturned,
    Ignored,
    #[default]
    Bad,
}

macro_rules! words {
    ($name:ident: $($variant:ident $word:literal),+) => {
        impl $name {
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            /// The value of a word that the journal holds.
            #[must_use]
            pub fn of(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.as_str() == word)
            }
        }
    };
}
pub(super) use words;

words!(Kind: Charge "charge", Reversal "reversal", Ignored "ignored", Bad "bad");
words!(Standing: Matched "matched", Long "long", Short "short", Differs "differs", Duplicate "duplicate",
    Carried "carried", Weak "weak", Reversal "reversal", Unreturned "unreturned", Ignored "ignored", Bad "bad");

/// One row of a statement.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StatementRow {
    /// The file's place in the statement, from 0, and the line in it, from 1.
    pub file: i64,
    pub line: i64,
    pub kind: Kind,
    pub at: Option<Micros>,
    pub reference: Option<String>,
    pub key: Option<String>,
    pub msisdn: Option<Msisdn>,
    /// Never less than nothing: the kind says which way.
    pub money: Option<Money>,
    /// The line, where it cannot be read.
    pub raw: Option<String>,
    pub standing: Standing,
    /// The charge of ours that it is.
    pub charge: Option<ChargeRef>,
    /// Why it stands so, for a person.
    pub note: String,
}

/// A charge by its place in the journal.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChargeRef {
    pub purchase_number: i64,
    pub key: String,
}

/// What the journal knows of a charge or a refund, as far as a statement can be held against it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownCharge {
    pub of: ChargeRef,
    pub status: AttemptStatus,
    pub money: Money,
    pub msisdn: Option<Msisdn>,
    pub intended_at: Micros,
    pub reference: Option<String>,
}

/// A statement about to be imported.
#[derive(Clone, Debug)]
pub struct NewStatement {
    pub channel: String,
    /// `2026-11-24`, and the times between which it lies.
    pub day: String,
    pub from: Micros,
    pub until: Micros,
    /// SHA-256 of the files, lower-case hex.
    pub digest: String,
    pub files: Vec<String>,
    /// The column map, to tell it from another.
    pub map: String,
    pub operator: String,
}

/// How far a statement is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Position {
    pub file: i64,
    pub octet: i64,
    /// Lines of that file that are behind.
    pub line: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatementState {
    Reading,
    /// All rows are in; what the statement lacks is still looked for.
    Matching,
    Done,
    /// A later version counts.
    Superseded,
}

words!(StatementState: Reading "reading", Matching "matching", Done "done", Superseded "superseded");

/// A statement as the journal has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatementInfo {
    pub number: i64,
    pub channel: String,
    pub day: String,
    pub from: Micros,
    pub until: Micros,
    pub version: i64,
    pub digest: String,
    pub files: Vec<String>,
    pub map: String,
    pub state: StatementState,
    pub position: Position,
    pub begun_by: String,
    pub begun_at: Micros,
    pub done_at: Option<Micros>,
}

/// Rows of one kind and standing in one currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Total {
    pub kind: Kind,
    pub standing: Standing,
    /// None for rows that name no amount.
    pub currency: Option<Currency>,
    pub rows: i64,
    pub amount: i64,
}

/// What did not match, about to be written.
#[derive(Clone, Debug)]
pub struct NewDiscrepancy {
    /// File and line; none where the statement lacks the row.
    pub row: Option<(i64, i64)>,
    pub standing: Standing,
    pub charge: Option<ChargeRef>,
    /// What the statement says was taken; less than nothing where it was given back.
    pub theirs: i64,
    pub currency: Option<Currency>,
    pub note: String,
    /// What needs nobody is closed as it is written.
    pub closed: bool,
}

/// What did not match, as the journal has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiscrepancyRow {
    pub number: i64,
    pub statement: i64,
    pub channel: String,
    pub day: String,
    pub version: i64,
    /// The file's name and the line.
    pub row: Option<(String, i64)>,
    pub standing: Standing,
    pub purchase: Option<String>,
    pub charge_key: Option<String>,
    pub theirs: i64,
    /// What our journal says now that was taken by this charge on the statement's day.
    pub ours: i64,
    pub currency: Option<Currency>,
    pub note: String,
    pub owner: String,
    pub opened_at: Micros,
    pub closed: Option<(Micros, super::Closing)>,
    /// As the channel names it.
    pub reference: Option<String>,
    pub msisdn: Option<Msisdn>,
    pub at: Option<Micros>,
}

/// What is open of one channel and standing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenDiscrepancies {
    pub channel: String,
    pub standing: Standing,
    pub rows: i64,
    pub oldest: Micros,
}

/// What somebody did about a discrepancy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiscrepancyAct {
    pub at: Micros,
    pub operator: String,
    pub verb: String,
    pub reason: String,
    pub evidence: Option<String>,
}

/// Which discrepancies a list shows; the oldest first.
#[derive(Clone, Debug, Default)]
pub struct DiscrepancyFilter {
    pub channel: Option<String>,
    pub day: Option<String>,
    pub standing: Option<Standing>,
    pub purchase: Option<String>,
    pub owner: Option<String>,
    pub number: Option<i64>,
    /// Behind this one, by when it was opened and its number.
    pub after: Option<(Micros, i64)>,
    /// Closed ones, too.
    pub closed: bool,
    pub limit: u32,
}

/// By what a settlement is told apart.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Group {
    pub short_code: String,
    pub service: String,
    pub package: String,
    pub currency: Currency,
}

/// What was taken and given back in one group, by our journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settled {
    pub group: Group,
    pub charges: i64,
    pub charged: i64,
    /// Of what was charged: the package stands.
    pub granted: i64,
    /// Of what was charged: no package stands, and the money is back, whenever that was.
    pub returned: i64,
    pub refunds: i64,
    pub refunded: i64,
}

impl Settled {
    #[must_use]
    pub const fn of(group: Group) -> Self {
        Self { group, charges: 0, charged: 0, granted: 0, returned: 0, refunds: 0, refunded: 0 }
    }

    /// Another sum of the same group.
    pub const fn add(&mut self, other: &Self) {
        self.charges += other.charges;
        self.charged += other.charged;
        self.granted += other.granted;
        self.returned += other.returned;
        self.refunds += other.refunds;
        self.refunded += other.refunded;
    }

    /// Charged, not granted and not given back: packages that we owe.
    #[must_use]
    pub const fn owed(&self) -> i64 {
        self.charged - self.granted - self.returned
    }
}
