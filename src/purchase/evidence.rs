//! What a peer's answer proves. A driver translates its dialect into these words; only the core draws conclusions.

use super::money::Money;
use super::record::Micros;
use serde::{Deserialize, Serialize};

/// What a channel said about one charge or refund, with what it takes to look it up again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelAnswer {
    pub finding: Finding,
    /// The driver's own memory of the attempt (a payment id, an authorization id): opaque here, journalled with the step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handle: Option<String>,
    /// The peer's reference for accounting, such as CAMARA's `paymentId`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer_reference: Option<String>,
    /// What was heard, for a person: operation, status, code, text; bounded, without secrets or codes.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub heard: String,
}

/// The finding words of design.md. Anything a driver does not know for certain is `Unknown`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "finding", rename_all = "snake_case")]
pub enum Finding {
    /// Money moved. The core compares amount and subscriber with the intent before it believes it.
    Charged { amount: Money, msisdn: Option<String> },
    /// Authenticated and final: this attempt moved no money and never will.
    NotCharged(Decline),
    /// The channel texted a code to the subscriber and waits for it.
    CodeSent,
    /// Money is set aside and none has moved.
    Reserved,
    /// The subscriber can pay at the channel's own page and has not: no money has moved yet. The address is told once, by
    /// the answer that opens the page.
    AwaitsPayment {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        url: Option<String>,
        /// The subscriber is at it, and has only to type the bank's code: it may be paid in the next moment.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        begun: bool,
    },
    /// The channel refused the code; the reservation stands and another may be tried.
    WrongCode(Decline),
    /// The channel holds nothing under this key now. Proof of nothing while the request may be in flight.
    NotFound,
    /// Not one byte of the request left this machine.
    NotSent { why: String },
    /// Anything else. Money may have moved.
    Unknown { cause: Cause },
    /// The refund is done.
    Refunded { amount: Money },
    /// Authenticated and final: the refund was refused and the money stays charged.
    NotRefunded(Decline),
}

/// Why nothing was proven.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// Timeout, reset, or the connection closed after the first byte was written.
    NoAnswer,
    /// 5xx, an empty or unreadable body, a missing signature.
    BadAnswer,
    /// Well-formed, but a status or code that the driver's table does not have.
    UnknownCode,
    /// The peer itself says that it has no verdict yet.
    Pending,
    /// The shared key store knows this attempt though this process has not sent it, or the journal may have lost one.
    Witness,
}

/// A refusal: why, and what seed 001's advice says to do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decline {
    pub reason: Reason,
    pub advice: Advice,
}

/// Reasons a subscriber or care agent can be told (charging.md §3.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    NoPackage,
    NoAccount,
    AlreadyActive,
    NoMoney,
    Limit,
    NotAllowed,
    Blocked,
    NotRegistered,
    OtpWrong,
    OtpExpired,
    OtpLocked,
    OtpNone,
    NeedAuth,
    BadInstrument,
    CardUsed,
    Cancelled,
    Declined,
    Fraud,
    Maintenance,
    Busy,
    /// Our own configuration or credentials are wrong: the subscriber reads "busy", operators are alarmed.
    Config,
}

/// Seed 001's merchant advice, in the sense it has for a telco.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Advice {
    /// 1: do not try again.
    Stop,
    /// 2: wait, then try again.
    Wait,
    /// 3: call the operator or bank.
    CallOperator,
    /// 4: use another account or card.
    ChangeAccount,
    /// 5: a new code or authentication.
    NewCode,
    /// 6: technical; inquire, then the same key.
    Technical,
}

impl Advice {
    /// Seed 001's number, 1 to 6.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::Stop => 1,
            Self::Wait => 2,
            Self::CallOperator => 3,
            Self::ChangeAccount => 4,
            Self::NewCode => 5,
            Self::Technical => 6,
        }
    }
}

impl Decline {
    #[must_use]
    pub const fn new(reason: Reason, advice: Advice) -> Self {
        Self { reason, advice }
    }
}

/// What the package manager said to check-user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "check", rename_all = "snake_case")]
pub enum CheckAnswer {
    Allowed {
        /// As shown to the subscriber.
        package_name: String,
        price: Money,
        days: i64,
    },
    /// Final: this account cannot buy this package.
    Refused { reason: Reason, heard: String },
    /// No answer, or "try later". Nothing was changed there, so asking again is harmless.
    Unavailable { heard: String },
}

/// What the package manager said about one grant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "grant", rename_all = "snake_case")]
pub enum GrantAnswer {
    Granted {
        grant_id: String,
        heard: String,
        /// Until when it runs, where that was said. For people to compare; nothing is decided by it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        runs_until: Option<Micros>,
    },
    /// The grant was made and taken back again.
    Revoked {
        grant_id: String,
    },
    /// Authenticated and final: nothing was granted by this request.
    Refused {
        reason: Reason,
        heard: String,
    },
    /// 404: no grant stands under this purchase's id now.
    NotFound,
    /// 409 IN_PROGRESS: an earlier request under this key is still being worked on.
    InProgress,
    /// 429 or a failure before the first byte: nothing was done, the same key may be sent again.
    NotSent {
        why: String,
    },
    Unknown {
        cause: Cause,
        heard: String,
    },
}
