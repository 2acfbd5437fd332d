//! A purchase as the journal keeps it: what was asked, what was agreed, and what is known of the money. Holds no behaviour
//! beyond reading itself.

use super::evidence::{Decline, Reason};
use super::input::ChannelCall;
use super::money::Money;
use super::offer::{Consent, ConsentBy, Offer};
use paygate_parsers::msisdn::Msisdn;
use serde::{Deserialize, Serialize};

/// Unix time in microseconds, UTC.
pub type Micros = i64;

/// One subscriber's wish for one package on one account, from the message to the end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Purchase {
    /// Derived from the message's ingest key, so that a message journalled anew after a lost journal gives the same id.
    pub id: String,
    /// Counts the steps; every write names the version it saw.
    pub version: i64,
    pub order: Order,
    pub state: State,
    pub created_at: Micros,
    pub updated_at: Micros,
    /// When this purchase must be looked at again if nothing comes in. Only an end without open questions has none.
    pub due_at: Option<Micros>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offer: Option<Offer>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consent: Option<Consent>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub charge: Option<Attempt>,
    /// Charges of this purchase under other keys. Each was proven to have moved nothing before another was begun; one
    /// that is found to have moved money all the same says so here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub former: Vec<Attempt>,
    /// Set exactly while the charge has moved nothing and is to be made anew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry: Option<Retry>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant: Option<Attempt>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refund: Option<Attempt>,
    /// Why a person must look at it; set exactly while the state is `Review`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub review: Option<ReviewReason>,
    /// Why it ended without a package.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decline: Option<Decline>,
    /// How many times the present question was asked: check-user, or the inquiry plan's step.
    #[serde(default, skip_serializing_if = "is_default")]
    pub asked: u32,
    /// The subscriber was told that the outcome is being checked; said once.
    #[serde(default, skip_serializing_if = "is_default")]
    pub told_checking: bool,
    /// The last end that the subscriber was told of: none is told twice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told: Option<State>,
    /// The last notify that was taken,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notified: Option<String>,
    /// and those before it, the oldest first: the same one again says nothing new.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notified_before: Vec<String>,
    /// What a person found out; what a peer says against it later is for a person again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
}

/// A charge to be made anew, on the consent that was given to the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retry {
    /// The first charge was attempt 1.
    pub attempt: u32,
    /// Not before then.
    pub at: Micros,
    /// Why the attempt before moved nothing.
    pub decline: Decline,
}

/// A person's word on what became of a purchase, as strong as a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The money was taken and the package stands.
    Done,
    /// The money was taken and is back.
    Refunded,
    /// No money was taken.
    Declined,
}

/// What was asked for, and by whom; never changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// The phone that asks and pays. An app may order without one where the channel is paid at a page of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub msisdn: Option<Msisdn>,
    /// National form where it is a number.
    pub account: String,
    pub service: String,
    pub package: String,
    /// The channel that charges, by its configured name.
    pub channel: String,
    /// `smpp`, `http`, `kannel`, `app`, later `ussd`, `partner`.
    pub door: String,
    /// The SMSC the message came by and the replies leave by; empty where nobody is texted.
    pub link: String,
    pub short_code: String,
    /// The same package was bought for the same account inside `repeat_window`: the offer says so and asks.
    #[serde(default, skip_serializing_if = "is_default")]
    pub repeat: bool,
    /// Where an app ordered it: which one, and what it said beside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app: Option<Box<AppOrder>>,
}

/// What only an app's order has (seed 000, flow A1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppOrder {
    /// The app's configured name: nobody else is shown the order.
    pub name: String,
    pub context: Context,
    /// Where the channel's page sends the customer afterwards; without one it is the channel's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub return_url: Option<String>,
}

/// The seven parameters that go with each check-user and grant (charging.md R000.7); none may be left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Context {
    /// `sms`, `ussd`, `app`, `partner`.
    pub platform: String,
    /// The partner the purchase came through.
    pub dt_id: String,
    /// Such as `purchase`.
    pub r#type: String,
    pub device_type: String,
    pub device_id: String,
    /// `telco`, `bank`, `wallet`, `card`.
    pub pay_type: String,
    /// The charging channel's configured name.
    pub pay_partner: String,
}

/// Where a purchase stands (design.md, "The core").
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Asked for; the package manager is being asked whether it may be.
    Requested,
    /// The offer is with the subscriber and waits for a code or `Y`.
    Offered,
    /// Consent is given and the intent to charge is committed.
    Charging,
    /// The charge may or may not have moved money; only inquired about.
    ChargeUnknown,
    /// A link was handed out and the subscriber pays elsewhere.
    AwaitingUser,
    /// Paid; the intent to grant is committed.
    Granting,
    /// The grant may or may not stand; only inquired about.
    GrantUnknown,
    /// Paid and proven not granted; the intent to refund is committed.
    Refunding,
    /// The refund may or may not be done; only inquired about.
    RefundUnknown,
    /// A person must look at it. paygate may still inquire, but moves no money for it.
    Review,
    /// End: paid and granted.
    Done,
    /// End: not charged, because a peer refused or the codes were used up.
    Declined,
    /// End: the offer was not answered in time.
    Expired,
    /// End: the subscriber withdrew it before the charge.
    Cancelled,
    /// End: paid and given back.
    Refunded,
    /// End: the package manager would not sell it; nothing was offered.
    Refused,
}

/// One attempt to do what must be done once: a charge, a grant or a refund, under one key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    pub key: String,
    /// How many times a request under this key was let out; an answer to an earlier one proves less.
    pub sends: u32,
    pub status: AttemptStatus,
    pub amount: Money,
    pub intended_at: Micros,
    /// No byte leaves after this.
    pub send_by: Micros,
    /// Until then a request may still take effect at the peer, whatever the peer says now. A question that is to prove
    /// that none did is asked after it.
    pub in_flight_until: Micros,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handle: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer_reference: Option<String>,
}

/// What is known of an attempt. `Unknown` is left only by evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttemptStatus {
    /// The intent is committed; a request that moves money may be under way.
    Intended,
    /// Set aside at the channel, or being set aside; no request that debits has been let out.
    Reserved,
    Unknown,
    /// Charged, granted or refunded, as the attempt's kind says.
    Succeeded,
    /// Proven not to have happened. In an open state it waits to be sent once more under the same key.
    Failed,
}

/// Why a purchase is in Review.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReviewReason {
    /// The inquiry plan is through and nothing is proven.
    ChargeUnknown,
    GrantUnknown,
    RefundUnknown,
    /// Amount, currency or subscriber differ from the intent.
    Mismatch,
    /// Evidence that cannot both be true: charged, then not.
    Contradiction,
    /// Paid, cannot be granted, and the channel cannot give the money back by itself.
    CannotRefund,
    /// The channel refused the refund.
    RefundRefused,
    /// A charge came to light after the purchase had ended, too late to grant.
    LateCharge,
    /// Paid at a partner, and the package manager has never said whether this may be bought. It is still asked.
    CheckUnknown,
    /// Paid at a partner, and the package manager does not sell it to this account.
    NotSold,
}

/// Whether a field is left out of the journal's JSON: absent, it reads the same.
fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl State {
    /// Nothing more is going to happen to it unless stronger evidence comes in.
    #[must_use]
    pub const fn is_end(self) -> bool {
        match self {
            Self::Done | Self::Declined | Self::Expired | Self::Cancelled | Self::Refunded | Self::Refused => true,
            Self::Requested
            | Self::Offered
            | Self::Charging
            | Self::ChargeUnknown
            | Self::AwaitingUser
            | Self::Granting
            | Self::GrantUnknown
            | Self::Refunding
            | Self::RefundUnknown
            | Self::Review => false,
        }
    }

    pub const ALL: [Self; 16] = [
        Self::Requested,
        Self::Offered,
        Self::Charging,
        Self::ChargeUnknown,
        Self::AwaitingUser,
        Self::Granting,
        Self::GrantUnknown,
        Self::Refunding,
        Self::RefundUnknown,
        Self::Review,
        Self::Done,
        Self::Declined,
        Self::Expired,
        Self::Cancelled,
        Self::Refunded,
        Self::Refused,
    ];

    /// The word used in SQL, logs, metrics and `--json`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Offered => "offered",
            Self::Charging => "charging",
            Self::ChargeUnknown => "charge_unknown",
            Self::AwaitingUser => "awaiting_user",
            Self::Granting => "granting",
            Self::GrantUnknown => "grant_unknown",
            Self::Refunding => "refunding",
            Self::RefundUnknown => "refund_unknown",
            Self::Review => "review",
            Self::Done => "done",
            Self::Declined => "declined",
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
            Self::Refunded => "refunded",
            Self::Refused => "refused",
        }
    }
}

impl AttemptStatus {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Intended => "intended",
            Self::Reserved => "reserved",
            Self::Unknown => "unknown",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
        }
    }
}

impl Verdict {
    pub const ALL: [Self; 3] = [Self::Done, Self::Refunded, Self::Declined];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.end().as_str()
    }

    /// The end that a purchase comes to by it.
    #[must_use]
    pub const fn end(self) -> State {
        match self {
            Self::Done => State::Done,
            Self::Refunded => State::Refunded,
            Self::Declined => State::Declined,
        }
    }
}

impl ReviewReason {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ChargeUnknown => "charge_unknown",
            Self::GrantUnknown => "grant_unknown",
            Self::RefundUnknown => "refund_unknown",
            Self::Mismatch => "mismatch",
            Self::Contradiction => "contradiction",
            Self::CannotRefund => "cannot_refund",
            Self::RefundRefused => "refund_refused",
            Self::LateCharge => "late_charge",
            Self::CheckUnknown => "check_unknown",
            Self::NotSold => "not_sold",
        }
    }
}

/// `paid` as accountants and care agents read it: `no`, `yes`, `unknown` or `refunded`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paid {
    No,
    Yes,
    Unknown,
    Refunded,
}

impl Paid {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::No => "no",
            Self::Yes => "yes",
            Self::Unknown => "unknown",
            Self::Refunded => "refunded",
        }
    }
}

impl Order {
    /// The phone in full (E.164); empty where none is known, as the journal keeps it.
    #[must_use]
    pub fn number(&self) -> String {
        self.msisdn.map_or_else(String::new, |msisdn| msisdn.e164())
    }

    /// Whether there is a phone to text, and a link that leads to it.
    #[must_use]
    pub fn is_texted(&self) -> bool {
        self.msisdn.is_some() && !self.link.is_empty()
    }
}

impl Purchase {
    /// A purchase before its first input, [`Input::Asked`](super::Input::Asked).
    #[must_use]
    pub const fn unasked(id: String, order: Order, now: Micros) -> Self {
        Self {
            id,
            version: 0,
            order,
            state: State::Requested,
            created_at: now,
            updated_at: now,
            due_at: None,
            offer: None,
            consent: None,
            charge: None,
            former: Vec::new(),
            retry: None,
            grant: None,
            refund: None,
            review: None,
            decline: None,
            asked: 0,
            told_checking: false,
            told: None,
            notified: None,
            notified_before: Vec::new(),
            verdict: None,
        }
    }

    /// A channel signs a notify for each thing that happens to a charge, and those are few: of more, the oldest are forgotten and
    /// asked about once more.
    const NOTIFIES_REMEMBERED: usize = 16;

    /// Whether this notify was taken before.
    #[must_use]
    pub fn has_taken(&self, digest: &str) -> bool {
        self.notified.iter().chain(&self.notified_before).any(|taken| taken == digest)
    }

    pub(super) fn take_notify(&mut self, digest: &str) {
        if self.has_taken(digest) {
            return;
        }
        self.notified_before.extend(self.notified.replace(digest.to_owned()));
        if self.notified_before.len() > Self::NOTIFIES_REMEMBERED {
            self.notified_before.remove(0);
        }
    }

    /// The attempt that a call to the channel belongs to.
    #[must_use]
    pub fn attempt_of(&self, call: ChannelCall) -> Option<&Attempt> {
        if call.is_of_refund() { self.refund.as_ref() } else { self.charge.as_ref() }
    }

    /// Whether a partner had charged before we heard of it: that money is gone, and with it every way to say no.
    #[must_use]
    pub fn is_prepaid(&self) -> bool {
        self.consent.as_ref().is_some_and(|consent| consent.by == ConsentBy::Partner)
    }

    #[must_use]
    pub fn paid(&self) -> Paid {
        let back = self.refund.as_ref().is_some_and(|refund| refund.status == AttemptStatus::Succeeded);
        // A person may know of money that came back without a refund of ours.
        if back || self.state == State::Refunded || self.verdict == Some(Verdict::Refunded) {
            return Paid::Refunded;
        }
        if self.former.iter().any(|former| former.status == AttemptStatus::Succeeded) {
            return Paid::Yes;
        }
        match self.charge.as_ref().map(|charge| charge.status) {
            None | Some(AttemptStatus::Failed | AttemptStatus::Reserved) => Paid::No,
            Some(AttemptStatus::Intended | AttemptStatus::Unknown) => Paid::Unknown,
            Some(AttemptStatus::Succeeded) => Paid::Yes,
        }
    }

    /// `no`, `owed` or `yes`; `elsewhere` where a person knows of a package that was not our grant.
    #[must_use]
    pub fn granted(&self) -> &'static str {
        match (self.grant.as_ref().map(|grant| grant.status), self.paid()) {
            (Some(AttemptStatus::Succeeded), _) => "yes",
            _ if self.state == State::Done || self.verdict == Some(Verdict::Done) => "elsewhere",
            (_, Paid::Yes) => "owed",
            (_, Paid::No | Paid::Unknown | Paid::Refunded) => "no",
        }
    }

    /// The agreed price, once the package manager has named it.
    #[must_use]
    pub fn price(&self) -> Option<Money> {
        self.offer.as_ref().map(|offer| offer.price)
    }

    #[must_use]
    pub fn declined_for(&self) -> Option<Reason> {
        self.decline.map(|decline| decline.reason)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;

    #[test]
    fn notifies_are_remembered_each_and_the_oldest_goes_first() {
        let mut purchase = Purchase::unasked("p".to_owned(), serde_json::from_str(ORDER).unwrap(), 1);
        for number in 0..=Purchase::NOTIFIES_REMEMBERED + 1 {
            purchase.take_notify(&number.to_string());
            purchase.take_notify(&number.to_string());
        }
        let has = ["0", "1", "16", "17"].map(|digest| purchase.has_taken(digest));
        assert_eq!(has, [false, true, true, true]);
    }

    const ORDER: &str =
        r#"{"account":"a","service":"s","package":"p","channel":"c","door":"app","link":"","short_code":""}"#;
}
