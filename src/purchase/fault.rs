//! Errors told apart (seed 000, charging.md R000.1 and R000.16–28): of a purchase that failed, is unknown or is in review,
//! at which hop it went wrong, whose fault that is, whether the money comes back by itself, and what a care agent is to
//! do. A table to be read; decides nothing about money.

use super::evidence::Reason;
use super::record::{Purchase, ReviewReason, State};
use crate::config::GivesBack;

/// The four servers that a purchase passes (R000.1), each with its owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hop {
    /// The telco, bank or wallet that charges.
    Partner,
    Paygate,
    /// The content service's own app.
    App,
    PackageManager,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Party {
    Subscriber,
    Partner,
    Paygate,
    App,
    PackageManager,
}

/// What a care agent is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Care {
    ShowSubscriber,
    TryAgainLater,
    WaitForRetry,
    BeingAsked,
    AskPartner,
    CheckPackageManager,
    GivenBackByItself,
    GrantOrRefund,
    ContactPaygate,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    pub hop: Hop,
    pub party: Party,
    /// None where the channel was not asked for money, or has given it back.
    pub gives_back: Option<GivesBack>,
    pub care: Care,
}

/// None where nothing went wrong, or the subscriber withdrew it. `gives_back` is what the purchase's channel does by
/// itself after such an error.
#[must_use]
pub fn fault(purchase: &Purchase, gives_back: GivesBack) -> Option<Fault> {
    let (hop, party, care) = match purchase.state {
        State::Refused => refused(purchase),
        State::Expired => (Hop::Paygate, Party::Subscriber, Care::ShowSubscriber),
        State::Declined => declined(purchase),
        State::Charging => {
            let (hop, party, _) = by_reason(purchase.retry?.decline.reason);
            (hop, party, Care::WaitForRetry)
        }
        State::ChargeUnknown | State::RefundUnknown => (Hop::Partner, Party::Partner, Care::BeingAsked),
        State::GrantUnknown => (Hop::PackageManager, Party::PackageManager, Care::BeingAsked),
        State::Refunding => (Hop::PackageManager, Party::PackageManager, Care::BeingAsked),
        State::Refunded => (Hop::PackageManager, Party::PackageManager, Care::ShowSubscriber),
        State::Review => in_review(purchase.review?, gives_back),
        State::Requested | State::Offered | State::AwaitingUser | State::Granting | State::Done | State::Cancelled => {
            return None;
        }
    };
    // Where money was asked for and nobody has given it back yet.
    let asked = purchase.charge.is_some() && !matches!(purchase.state, State::Expired | State::Refunded);
    Some(Fault { hop, party, gives_back: asked.then_some(gives_back), care })
}

/// What the channel last refused this purchase for: what it gives back by itself depends on it.
#[must_use]
pub fn refusal(purchase: &Purchase) -> Option<Reason> {
    purchase.retry.map(|retry| retry.decline.reason).or(purchase.declined_for())
}

/// Nothing was offered: what the package manager said, or that it could not be asked.
fn refused(purchase: &Purchase) -> (Hop, Party, Care) {
    let by_app = purchase.order.door == "app";
    match purchase.declined_for() {
        // One of the context's parameters: the app's own, or ours for a message (R000.7).
        Some(Reason::Config) if by_app => (Hop::App, Party::App, Care::ContactPaygate),
        Some(Reason::Config) => (Hop::PackageManager, Party::Paygate, Care::ContactPaygate),
        // The channel is frozen by an operator of ours.
        Some(Reason::Maintenance) => (Hop::Paygate, Party::Partner, Care::TryAgainLater),
        Some(Reason::Busy) | None => (Hop::PackageManager, Party::PackageManager, Care::TryAgainLater),
        Some(_) => (Hop::PackageManager, Party::Subscriber, Care::ShowSubscriber),
    }
}

fn declined(purchase: &Purchase) -> (Hop, Party, Care) {
    match purchase.declined_for() {
        // Our own codes were used up, or the channel was frozen before anything was asked of it.
        Some(Reason::OtpLocked) if purchase.charge.is_none() => (Hop::Paygate, Party::Subscriber, Care::ShowSubscriber),
        Some(Reason::Maintenance) if purchase.charge.is_none() => (Hop::Paygate, Party::Partner, Care::TryAgainLater),
        // A person has said so.
        _ if purchase.verdict.is_some() => (Hop::Partner, Party::Partner, Care::ShowSubscriber),
        Some(reason) => by_reason(reason),
        None => (Hop::Partner, Party::Partner, Care::ShowSubscriber),
    }
}

/// What a channel refuses with.
const fn by_reason(reason: Reason) -> (Hop, Party, Care) {
    match reason {
        Reason::Config => (Hop::Partner, Party::Paygate, Care::ContactPaygate),
        Reason::Busy | Reason::Maintenance => (Hop::Partner, Party::Partner, Care::TryAgainLater),
        Reason::Declined => (Hop::Partner, Party::Partner, Care::ShowSubscriber),
        Reason::NoPackage
        | Reason::NoAccount
        | Reason::AlreadyActive
        | Reason::NoMoney
        | Reason::Limit
        | Reason::NotAllowed
        | Reason::Blocked
        | Reason::NotRegistered
        | Reason::OtpWrong
        | Reason::OtpExpired
        | Reason::OtpLocked
        | Reason::OtpNone
        | Reason::NeedAuth
        | Reason::BadInstrument
        | Reason::CardUsed
        | Reason::Cancelled
        | Reason::Fraud => (Hop::Partner, Party::Subscriber, Care::ShowSubscriber),
    }
}

fn in_review(reason: ReviewReason, gives_back: GivesBack) -> (Hop, Party, Care) {
    // Money that comes back by itself must not be given back a second time.
    let back = if gives_back == GivesBack::Never { Care::GrantOrRefund } else { Care::GivenBackByItself };
    match reason {
        ReviewReason::ChargeUnknown => (Hop::Partner, Party::Partner, Care::AskPartner),
        ReviewReason::RefundUnknown => (Hop::Partner, Party::Partner, Care::AskPartner),
        ReviewReason::GrantUnknown => (Hop::PackageManager, Party::PackageManager, Care::CheckPackageManager),
        ReviewReason::CannotRefund => (Hop::PackageManager, Party::PackageManager, back),
        ReviewReason::RefundRefused => (Hop::Partner, Party::Partner, Care::GrantOrRefund),
        ReviewReason::LateCharge => (Hop::Partner, Party::Partner, back),
        ReviewReason::Mismatch => (Hop::Partner, Party::Partner, Care::ContactPaygate),
        // A partner has charged for it: the package manager would not say, or would not sell it.
        ReviewReason::CheckUnknown => (Hop::PackageManager, Party::PackageManager, Care::CheckPackageManager),
        ReviewReason::NotSold => (Hop::PackageManager, Party::Partner, back),
        ReviewReason::Contradiction => (Hop::Paygate, Party::Partner, Care::ContactPaygate),
    }
}

impl Hop {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Partner => "partner",
            Self::Paygate => "paygate",
            Self::App => "app",
            Self::PackageManager => "package_manager",
        }
    }
}

impl Party {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Subscriber => "subscriber",
            Self::Partner => "partner",
            Self::Paygate => "paygate",
            Self::App => "app",
            Self::PackageManager => "package_manager",
        }
    }
}

impl Care {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ShowSubscriber => "show_subscriber",
            Self::TryAgainLater => "try_again_later",
            Self::WaitForRetry => "wait_for_retry",
            Self::BeingAsked => "being_asked",
            Self::AskPartner => "ask_partner",
            Self::CheckPackageManager => "check_package_manager",
            Self::GivenBackByItself => "given_back_by_itself",
            Self::GrantOrRefund => "grant_or_refund",
            Self::ContactPaygate => "contact_paygate",
        }
    }

    /// The same for a care agent, in a sentence.
    #[must_use]
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::ShowSubscriber => "Only tell the subscriber what the error says; there is nothing to mend.",
            Self::TryAgainLater => "Ask the subscriber to try again later; nothing was charged.",
            Self::WaitForRetry => "It is tried again by itself at the time shown; the subscriber may withdraw it.",
            Self::BeingAsked => "The peers are being asked: do not sell it again, nobody is charged twice.",
            Self::AskPartner => "Send it to the partner to check, by its key; then resolve the review.",
            Self::CheckPackageManager => {
                "Look whether the package stands; add it if it does not; then resolve the review."
            }
            Self::GivenBackByItself => {
                "The channel gives the money back by itself: tell the subscriber; do not refund it too."
            }
            Self::GrantOrRefund => {
                "Choose one: add the package, or have the partner give the money back; tell the subscriber to call the hotline."
            }
            Self::ContactPaygate => "Contact paygate's administrator.",
        }
    }
}
