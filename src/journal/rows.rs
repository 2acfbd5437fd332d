//! What goes into one commit and what comes back from a search, as plain values.

use crate::people::Role;
use crate::purchase::input::{Notice, Remedy};
use crate::purchase::needs_second;
use crate::purchase::record::{Attempt, Micros, Purchase, Verdict};
use paygate_parsers::msisdn::Msisdn;

/// What one input changes, all or nothing. Many units share one transaction and one fsync; one that loses a race leaves
/// no trace, and the others stand.
#[derive(Clone, Debug, Default)]
pub struct Unit {
    /// Guards the unit: if this (key, generation) is already there, the unit is `Duplicate`.
    pub message: Option<MessageRow>,
    /// The purchase after the step, guarded by the version it was read at.
    pub purchase: Option<PurchaseRow>,
    pub events: Vec<EventRow>,
    pub charge: Option<AttemptRow>,
    /// Charges under other keys that the step, or one before it in this unit, has changed. Written before `charge`, since
    /// only one of a purchase's charges is live at any moment.
    pub former_charges: Vec<AttemptRow>,
    pub grant: Option<AttemptRow>,
    pub refund: Option<AttemptRow>,
    pub replies: Vec<ReplyRow>,
    pub reply_update: Option<ReplyUpdate>,
    pub part: Option<PartRow>,
    /// Parts that now stand in a whole message and are never put together again: (set key, generation).
    pub parts_done: Option<(String, i64)>,
    /// Where the purchase is paid: whether the subscriber paid for the same package twice.
    pub surplus: Option<SurplusLook>,
    /// An operator's act that this step carries out. Guards the unit: if it is carried out already, the unit is
    /// `Duplicate`. Never beside a message, which would be lost with it.
    pub act: Option<ActDone>,
}

impl Unit {
    /// Rows that it writes when it is durable.
    #[must_use]
    pub fn rows(&self) -> usize {
        let single = [
            self.message.is_some(),
            self.purchase.is_some(),
            self.charge.is_some(),
            self.grant.is_some(),
            self.refund.is_some(),
            self.reply_update.is_some(),
            self.part.is_some(),
            self.act.is_some(),
        ];
        single.into_iter().filter(|written| *written).count()
            + self.events.len()
            + self.replies.len()
            + self.former_charges.len()
    }
}

/// What became of a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Committed {
    /// Durable.
    Durable,
    /// The message was there already; nothing was written.
    Duplicate,
    /// The purchase had moved on (another version); nothing was written. Read it again.
    Stale,
    /// A constraint forbade it (a second live charge, a reused key); nothing was written. An alarm: a rule failed above.
    Refused,
}

/// A message as it came, for ever. `(key, generation)` is unique.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageRow {
    /// Ingest key: lower-case hex, or `peer:` and the peer's own id.
    pub key: String,
    /// Counts honest repetitions of the same bytes, each later than `redelivery_window` after the one before.
    pub generation: i64,
    pub at: Micros,
    pub door: String,
    pub link: String,
    /// Normalised where it can be.
    pub from: String,
    pub to: String,
    pub data_coding: Option<i64>,
    pub raw: Vec<u8>,
    /// What it was taken for: `buy`, `confirm`, `invalid:account`, `unreadable`, `empty`, …
    pub verdict: String,
    pub purchase_id: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PurchaseRow {
    pub purchase: Purchase,
    /// The version that was read; 0 where the purchase is new.
    pub seen: i64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventRow {
    pub purchase_id: String,
    /// The version that the event led to; `(purchase_id, seq)` is unique.
    pub seq: i64,
    pub at: Micros,
    /// The input's name, for searching.
    pub kind: String,
    /// State before and after, as words.
    pub state_from: String,
    pub state_to: String,
    /// The input as JSON.
    pub body: String,
}

/// The state of a charge, grant or refund under its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttemptRow {
    pub purchase_id: String,
    /// Whose phone pays, where one is known.
    pub msisdn: Option<Msisdn>,
    pub channel: String,
    pub attempt: Attempt,
    /// The exact request of the intent, without secrets; empty on later updates, which leave it alone.
    pub request: String,
    /// SHA-256 of the request, lower-case hex.
    pub fingerprint: String,
    pub at: Micros,
}

/// A text owed to a subscriber (outbox).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplyRow {
    /// Unique: `{purchase id}-{version}` and a counter, or `{message key}-{generation}`.
    pub key: String,
    pub purchase_id: Option<String>,
    pub at: Micros,
    pub link: String,
    pub from: String,
    pub to: Msisdn,
    pub kind: String,
    /// The words; a code stands as `{otp}` and is put in when the text leaves.
    pub text: String,
    pub not_after: Micros,
    /// When it is to be sent (again) if nobody has.
    pub due_at: Micros,
}

/// A reply that was taken from the outbox to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwedReply {
    pub row: ReplyRow,
    /// How often it was let out before.
    pub sends: i64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplyUpdate {
    pub key: String,
    pub at: Micros,
    pub status: ReplyStatus,
    /// The SMSC's id, as its receipts will spell it.
    pub message_id: Option<String>,
    pub due_at: Option<Micros>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplyStatus {
    Queued,
    Sent,
    /// It left and no answer came.
    Unknown,
    Refused,
    /// Worth nothing any more before it could be sent.
    Lapsed,
    Delivered,
    /// The SMSC's receipt says that it did not reach the phone.
    Undelivered,
}

impl ReplyStatus {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Sent => "sent",
            Self::Unknown => "unknown",
            Self::Refused => "refused",
            Self::Lapsed => "lapsed",
            Self::Delivered => "delivered",
            Self::Undelivered => "undelivered",
        }
    }
}

/// One part of a long message; `(set, generation, number)` is unique.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartRow {
    /// SMSC, sender, destination, reference and total.
    pub set: String,
    /// Counts reuses of the same reference, each later than `parts_window`.
    pub generation: i64,
    pub number: u8,
    pub total: u8,
    pub at: Micros,
    pub data_coding: Option<i64>,
    pub raw: Vec<u8>,
    pub door: String,
    pub link: String,
    pub from: String,
    pub to: String,
}

/// A part that the journal holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldPart {
    pub row: PartRow,
    /// It stands in a whole message already.
    pub done: bool,
}

/// What the journal knows of an ingest key: its newest message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    pub key: String,
    pub generation: i64,
    pub at: Micros,
    pub purchase_id: Option<String>,
}

/// Which purchases a list shows; newest first.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub state: Option<String>,
    /// Only what is open, or of that only what is unknown.
    pub backlog: Option<Pending>,
    pub door: Option<String>,
    pub channel: Option<String>,
    pub since: Option<Micros>,
    pub until: Option<Micros>,
    pub search: Option<Search>,
    /// Only those that are one of a surplus pair.
    pub surplus: bool,
    /// Only what stands behind this one in the list: where the page before it ended.
    pub after: Option<Place>,
    pub limit: u32,
}

/// What is counted in [`Backlog`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pending {
    Open,
    Unknown,
}

/// What somebody looks for: one text, as whatever it may be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Search {
    /// As it was typed: an id, a key, a peer's reference, an account.
    pub words: String,
    /// The phone number that it is, in E.164,
    pub msisdn: Option<String>,
    /// and as an account has it, in national form.
    pub account: Option<String>,
}

impl Search {
    /// For exactly these words, which are no number.
    #[must_use]
    pub fn exactly(words: &str) -> Self {
        Self { words: words.to_owned(), msisdn: None, account: None }
    }
}

/// A purchase's place in the list, newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub created_at: Micros,
    pub id: String,
}

/// One line of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    pub purchase: Purchase,
    /// Oldest first.
    pub charges: Vec<AttemptRow>,
    /// The package manager's id of the grant that stands.
    pub grant_id: Option<String>,
}

/// Which messages are shown; newest first.
#[derive(Clone, Debug, Default)]
pub struct MessageFilter {
    /// A verdict (`unreadable`), or the first word of one (`invalid` finds `invalid:account`).
    pub verdict: Option<String>,
    pub since: Option<Micros>,
    pub until: Option<Micros>,
    pub limit: u32,
}

/// One purchase with all that was ever written about it.
#[derive(Clone, Debug)]
pub struct Story {
    pub purchase: Purchase,
    pub events: Vec<EventRow>,
    pub charges: Vec<AttemptRow>,
    pub grants: Vec<AttemptRow>,
    pub refunds: Vec<AttemptRow>,
    pub replies: Vec<(ReplyRow, String)>,
    pub messages: Vec<MessageRow>,
    /// What operators did, in its order.
    pub acts: Vec<ActRow>,
    /// The pairs that it is one of.
    pub surplus: Vec<Surplus>,
}

/// Which other charges a purchase's own is held against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SurplusLook {
    pub at: Micros,
    /// When its own charge was intended.
    pub charged_at: Micros,
    /// Another's was intended at most so long before or after,
    pub window: Micros,
    /// and asked for not before this.
    pub created_from: Micros,
}

/// Two purchases of one subscriber, of the same package at the same price, both charged within the window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Surplus {
    /// The purchases' ids, in the order in which they were asked for.
    pub first: String,
    pub second: String,
    pub msisdn: Msisdn,
    /// Of the second.
    pub channel: String,
    /// When it was found.
    pub at: Micros,
}

/// What an operator is about to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewAct {
    pub operator: String,
    pub deed: Deed,
    pub reason: String,
    pub evidence: Option<String>,
}

/// What is done, and to what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deed {
    /// Ask the peers of this purchase now.
    Inquire {
        purchase: String,
    },
    /// This is what became of a purchase in review.
    Resolve {
        purchase: String,
        verdict: Verdict,
    },
    /// This is to be done for a purchase.
    Remedy {
        purchase: String,
        remedy: Remedy,
        /// Package and money back, both.
        overrides: bool,
    },
    /// No new charge begins on this channel.
    Freeze {
        channel: String,
    },
    Thaw {
        channel: String,
    },
}

impl Deed {
    #[must_use]
    pub const fn verb(&self) -> &'static str {
        match self {
            Self::Inquire { .. } => "inquire",
            Self::Resolve { .. } => "resolve",
            Self::Remedy { remedy, .. } => remedy.as_str(),
            Self::Freeze { .. } => "freeze",
            Self::Thaw { .. } => "thaw",
        }
    }

    /// The purchase it is about; `None` where it is about a channel.
    #[must_use]
    pub fn purchase(&self) -> Option<&String> {
        match self {
            Self::Inquire { purchase } | Self::Resolve { purchase, .. } | Self::Remedy { purchase, .. } => {
                Some(purchase)
            }
            Self::Freeze { .. } | Self::Thaw { .. } => None,
        }
    }

    /// Whether no daemon takes it before a second person has confirmed it.
    #[must_use]
    pub const fn needs_second(&self) -> bool {
        match self {
            Self::Remedy { remedy, overrides, .. } => needs_second(*remedy, *overrides),
            Self::Inquire { .. } | Self::Resolve { .. } | Self::Freeze { .. } | Self::Thaw { .. } => false,
        }
    }
}

/// An act as the journal has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActRow {
    pub number: i64,
    pub at: Micros,
    pub act: NewAct,
    /// Who else has confirmed it, and when.
    pub second: Option<(String, Micros)>,
    /// Who took it back before it was confirmed.
    pub withdrawn_by: Option<String>,
    /// When it was carried out, and what came of it.
    pub done: Option<(Micros, ActOutcome)>,
}

impl ActRow {
    /// Nobody else has confirmed it yet, and it needs that.
    #[must_use]
    pub const fn waits_for_second(&self) -> bool {
        self.act.deed.needs_second() && self.second.is_none() && self.done.is_none()
    }
}

/// What came of an act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ActOutcome {
    CarriedOut,
    /// It meant nothing to the purchase as it stood.
    Refused,
}

impl ActOutcome {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CarriedOut => "carried_out",
            Self::Refused => "refused",
        }
    }
}

/// Marks an act as carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ActDone {
    pub number: i64,
    pub at: Micros,
    pub outcome: ActOutcome,
}

/// Somebody who is to use the care page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewOperator {
    pub name: String,
    pub role: Role,
    /// Hashed: a PHC string.
    pub password: String,
}

/// What may be changed about an operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OperatorChange {
    Disable,
    Enable,
    /// Hashed. Sessions from before end with it.
    Password(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperatorRow {
    pub name: String,
    pub role: Role,
    /// A PHC string.
    pub password: String,
    pub created_at: Micros,
    pub password_at: Micros,
    pub disabled_at: Option<Micros>,
}

/// A session that has not been ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionRow {
    pub operator: String,
    pub role: Role,
    pub opened_at: Micros,
    pub used_at: Micros,
}

/// A line for the audit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewAudit<'a> {
    pub operator: &'a str,
    /// Empty for the command line.
    pub address: &'a str,
    pub what: &'a str,
    pub detail: &'a str,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRow {
    pub number: i64,
    pub at: Micros,
    pub operator: String,
    pub address: String,
    pub what: String,
    pub detail: String,
}

/// Figures for the metrics page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backlog {
    pub open: i64,
    pub unknown: i64,
    pub oldest_unknown: Option<Micros>,
    pub review: i64,
    pub replies_owed: i64,
    /// Operators' acts that no daemon has carried out yet.
    pub acts: i64,
}

/// A text's kind, from its notice: what `reply.kind` holds.
#[must_use]
pub const fn notice_kind(notice: Notice) -> &'static str {
    match notice {
        Notice::Offer => "offer",
        Notice::Refused { .. } => "refused",
        Notice::Busy => "busy",
        Notice::WrongCode { .. } => "wrong_code",
        Notice::CodesUsedUp => "codes_used_up",
        Notice::CodeAgain => "code_again",
        Notice::PayAt => "pay_at",
        Notice::Expired => "expired",
        Notice::Cancelled => "cancelled",
        Notice::Declined { .. } => "declined",
        Notice::PutOff { .. } => "put_off",
        Notice::Checking => "checking",
        Notice::Done => "done",
        Notice::Refunded => "refunded",
    }
}
