//! The one table of advice: what a subscriber can do about each reason, for every channel and for the package manager
//! (seed 001, charging.md §3.3). Text and retry follow from it; a driver says otherwise only by a code of §3.4.

use super::evidence::{Advice, Decline, Reason};

impl Reason {
    pub const ALL: [Self; 21] = [
        Self::NoPackage,
        Self::NoAccount,
        Self::AlreadyActive,
        Self::NoMoney,
        Self::Limit,
        Self::NotAllowed,
        Self::Blocked,
        Self::NotRegistered,
        Self::OtpWrong,
        Self::OtpExpired,
        Self::OtpLocked,
        Self::OtpNone,
        Self::NeedAuth,
        Self::BadInstrument,
        Self::CardUsed,
        Self::Cancelled,
        Self::Declined,
        Self::Fraud,
        Self::Maintenance,
        Self::Busy,
        Self::Config,
    ];

    /// The word used in the journal's JSON and in the configuration.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoPackage => "no_package",
            Self::NoAccount => "no_account",
            Self::AlreadyActive => "already_active",
            Self::NoMoney => "no_money",
            Self::Limit => "limit",
            Self::NotAllowed => "not_allowed",
            Self::Blocked => "blocked",
            Self::NotRegistered => "not_registered",
            Self::OtpWrong => "otp_wrong",
            Self::OtpExpired => "otp_expired",
            Self::OtpLocked => "otp_locked",
            Self::OtpNone => "otp_none",
            Self::NeedAuth => "need_auth",
            Self::BadInstrument => "bad_instrument",
            Self::CardUsed => "card_used",
            Self::Cancelled => "cancelled",
            Self::Declined => "declined",
            Self::Fraud => "fraud",
            Self::Maintenance => "maintenance",
            Self::Busy => "busy",
            Self::Config => "config",
        }
    }

    /// What is advised where the peer's own code does not say otherwise.
    #[must_use]
    pub const fn advice(self) -> Advice {
        match self {
            Self::NoPackage | Self::AlreadyActive | Self::NotAllowed | Self::Cancelled | Self::Fraud => Advice::Stop,
            Self::NoMoney | Self::Limit | Self::Maintenance => Advice::Wait,
            Self::Blocked | Self::NotRegistered | Self::OtpLocked | Self::Declined => Advice::CallOperator,
            Self::NoAccount | Self::BadInstrument | Self::CardUsed => Advice::ChangeAccount,
            Self::OtpWrong | Self::OtpExpired | Self::OtpNone | Self::NeedAuth => Advice::NewCode,
            Self::Busy | Self::Config => Advice::Technical,
        }
    }
}

impl Advice {
    pub const ALL: [Self; 6] =
        [Self::Stop, Self::Wait, Self::CallOperator, Self::ChangeAccount, Self::NewCode, Self::Technical];

    /// The word used in the journal's JSON and in `--json`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stop => "stop",
            Self::Wait => "wait",
            Self::CallOperator => "call_operator",
            Self::ChangeAccount => "change_account",
            Self::NewCode => "new_code",
            Self::Technical => "technical",
        }
    }
}

impl Decline {
    /// A refusal with the advice that its reason has.
    #[must_use]
    pub const fn of(reason: Reason) -> Self {
        Self::new(reason, reason.advice())
    }
}
