//! What can happen to a purchase and what follows from it. Plain data, journalled as it is; carries no code and no secret.

use super::evidence::{ChannelAnswer, CheckAnswer, Decline, GrantAnswer};
use super::money::Money;
use super::offer::Terms;
use super::record::{Micros, Purchase, Verdict};
use serde::{Deserialize, Serialize};

/// One thing that happened to a purchase. Serialised, it is the body of the journal's event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "input", rename_all = "snake_case")]
pub enum Input {
    /// It was asked for: the first event of each purchase but one that begins paid or agreed.
    Asked,
    /// A partner has charged the subscriber and says so: the first event of a purchase that begins paid. `answer` is what
    /// the package manager said to check-user just before.
    Paid { payment: Payment, answer: CheckAnswer },
    /// The subscriber agreed to these terms on a menu's screen, whose words are kept: the first event of a purchase that is
    /// dialled. The nonce is as for `Checked`.
    Agreed { terms: Terms, screen: String, nonce: String },
    /// check-user was answered. The nonce is 16 bytes of the OS generator, in hex, for a code to be derived from.
    Checked { answer: CheckAnswer, nonce: String },
    /// The subscriber asked for the same thing again while its offer is open.
    AskedAgain,
    /// The subscriber answered with the offer's own code.
    CodeRight,
    /// The subscriber answered with a code that is nobody's.
    CodeWrong,
    /// The subscriber answered a code that only the channel can judge.
    ChannelCode { code: String },
    /// The subscriber answered `Y` to an offer that asked for it.
    Yes,
    /// The subscriber withdrew it.
    Cancel,
    /// A channel answered one of our calls.
    Channel {
        call: ChannelCall,
        /// The key of the charge or refund that was asked about: an answer about an earlier charge is none about this one.
        /// Absent in events from before a purchase could have several.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        key: String,
        /// Which send of the attempt is answered: an answer to an earlier one proves less.
        sends: u32,
        /// Not later than the call left here: what a peer does not find proves only what was so by then, however late
        /// it is heard.
        called_at: Micros,
        answer: ChannelAnswer,
    },
    /// A channel said by itself, signed, that something became of the charge. `paid` is whether it says that money moved,
    /// or may have. No proof: it is a reason to ask. The digest tells one notify from the next.
    Notified {
        /// The charge's key. Absent in events from before a purchase could have several.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        key: String,
        paid: bool,
        digest: String,
        heard: String,
    },
    /// The package manager answered one of our calls; `sends` and `called_at` as for a channel.
    Grant { call: GrantCall, sends: u32, called_at: Micros, answer: GrantAnswer },
    /// `due_at` has come.
    Timer,
    /// An operator wants the peers asked now.
    Inquire { by: Person },
    /// An operator has found out what became of a purchase in review.
    Resolve { verdict: Verdict, by: Person },
    /// An operator has decided what is to be done. `overrides`: package and money back, both. `called_at`: as for a question,
    /// so that a grant that may still be under way is not taken for one that has landed.
    Remedy {
        remedy: Remedy,
        called_at: Micros,
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        overrides: bool,
        by: Person,
    },
}

/// A charge that a partner has made by itself, in its own words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    /// The partner's id of it: its `paymentId`.
    pub reference: String,
    /// What was charged, which need not be the price.
    pub amount: Money,
    pub charged_at: Micros,
    /// SHA-256 of all that the partner said of it, lower-case hex: the same id with another one is another payment.
    pub fingerprint: String,
}

/// Who did something, and why, in their own words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// The act's number in the journal.
    pub act: i64,
    pub operator: String,
    pub reason: String,
    /// What the reason rests on: a statement's line, a ticket.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<String>,
    /// Who else has confirmed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub second: Option<String>,
}

/// What a person has decided to have done for a purchase (seed 000, charging.md R000.16-25).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Remedy {
    /// Grant what was paid for.
    Grant,
    /// The channel did take the money, as the evidence says.
    MarkPaid,
    /// The package came by another way.
    MarkGranted,
    /// Give back exactly what was charged.
    Refund { amount: Money },
}

impl Remedy {
    /// The word for it on the command line, in the journal and in logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Grant => "grant",
            Self::MarkPaid => "mark_paid",
            Self::MarkGranted => "mark_granted",
            Self::Refund { .. } => "refund",
        }
    }
}

impl Input {
    /// The event's kind: what it is searched by, and its name in the table of transitions.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Paid { .. } => "paid",
            Self::Agreed { .. } => "agreed",
            Self::Checked { .. } => "checked",
            Self::AskedAgain => "asked_again",
            Self::CodeRight => "code_right",
            Self::CodeWrong => "code_wrong",
            Self::ChannelCode { .. } => "channel_code",
            Self::Yes => "yes",
            Self::Cancel => "cancel",
            Self::Channel { call, .. } => call.as_str(),
            Self::Notified { .. } => "notified",
            Self::Grant { call, .. } => call.as_str(),
            Self::Timer => "timer",
            Self::Inquire { .. } => "inquire",
            Self::Resolve { .. } => "resolve",
            Self::Remedy { .. } => "remedy",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChannelCall {
    Prepare,
    Charge,
    InquireCharge,
    CancelCharge,
    Refund,
    InquireRefund,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GrantCall {
    Grant,
    InquireGrant,
}

impl ChannelCall {
    /// Whether it concerns the refund; every other call concerns the charge.
    #[must_use]
    pub const fn is_of_refund(self) -> bool {
        match self {
            Self::Refund | Self::InquireRefund => true,
            Self::Prepare | Self::Charge | Self::InquireCharge | Self::CancelCharge => false,
        }
    }

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Prepare => "prepare",
            Self::Charge => "charge",
            Self::InquireCharge => "inquire_charge",
            Self::CancelCharge => "cancel_charge",
            Self::Refund => "refund",
            Self::InquireRefund => "inquire_refund",
        }
    }
}

impl GrantCall {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Grant => "grant",
            Self::InquireGrant => "inquire_grant",
        }
    }
}

/// What is to be done once the step is durable. The purchase holds all that is needed to do it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "effect", rename_all = "snake_case")]
pub enum Effect {
    /// Ask the package manager whether this may be bought, and for how much. Changes nothing there.
    Check,
    /// Call the channel. `Charge` and `Refund` may move money; an intent stands in the same commit.
    Call { call: ChannelCall },
    /// Call the package manager. `Grant` stands under an intent like a charge.
    Give { call: GrantCall },
    /// Text the subscriber.
    Tell { notice: Notice },
}

/// What the subscriber is told; `replies.rs` has the words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "notice", rename_all = "snake_case")]
pub enum Notice {
    /// The offer with its code, or asking for the channel's code or `Y`. The texts differ by `Asks` and `repeat`.
    Offer,
    /// Where to pay, and until when.
    PayAt,
    /// The package manager will not sell it.
    Refused {
        decline: Decline,
    },
    /// The package manager could not be reached; nothing was charged.
    Busy,
    WrongCode {
        tries_left: u8,
    },
    /// The last wrong code ended it.
    CodesUsedUp,
    /// The channel lost the code while we were checking: please answer it again.
    CodeAgain,
    Expired,
    Cancelled,
    /// The charge was refused.
    Declined {
        decline: Decline,
    },
    /// The charge was refused and is made anew later; how to withdraw it.
    PutOff {
        decline: Decline,
    },
    /// Unknown lasts; being checked, do not send again, you will not be charged twice.
    Checking,
    /// Paid and granted.
    Done,
    /// Paid, could not be granted, given back.
    Refunded,
}

/// The purchase after an input, and what follows. `purchase.due_at` is when to wake it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    pub purchase: Purchase,
    pub effects: Vec<Effect>,
}
