//! How far a purchase has come, as the five steps of a small line. Pure.

use crate::purchase::record::{Purchase, ReviewReason, State};
use serde::Serialize;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Mark {
    Passed,
    /// Here it stands.
    Now,
    /// Here it stands, and nobody knows yet whether it happened.
    Unknown,
    /// A person must look.
    Review,
    /// Here it ended without a package.
    Ended,
    Ahead,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Step {
    label: &'static str,
    mark: Mark,
}

const ASKED: usize = 0;
const OFFERED: usize = 1;
const CHARGING: usize = 2;
const GRANTING: usize = 3;
const DONE: usize = 4;

pub(super) fn steps(purchase: &Purchase) -> Vec<Step> {
    let (here, mark) = place(purchase);
    let given_back = gives_back(purchase);
    let mark_at = |at: usize| match at {
        GRANTING if given_back => Mark::Ended,
        _ if at < here => Mark::Passed,
        _ if at == here => mark,
        _ => Mark::Ahead,
    };
    // A partner has charged before it is asked whether that may be.
    let [first, second, third] =
        if purchase.is_prepaid() { ["sold", "charged", "asked"] } else { ["asked", "offered", "charging"] };
    let labels = [first, second, third, "granting", last_label(purchase.state, given_back)];
    labels.into_iter().enumerate().map(|(at, label)| Step { label, mark: mark_at(at) }).collect()
}

/// The step it stands at, and how.
fn place(purchase: &Purchase) -> (usize, Mark) {
    match purchase.state {
        State::Requested if purchase.is_prepaid() => (CHARGING, Mark::Now),
        State::Requested => (ASKED, Mark::Now),
        State::Offered => (OFFERED, Mark::Now),
        State::Charging | State::AwaitingUser => (CHARGING, Mark::Now),
        State::ChargeUnknown => (CHARGING, Mark::Unknown),
        State::Granting => (GRANTING, Mark::Now),
        State::GrantUnknown => (GRANTING, Mark::Unknown),
        State::Refunding => (DONE, Mark::Now),
        State::RefundUnknown => (DONE, Mark::Unknown),
        State::Review => (reviewed(purchase.review), Mark::Review),
        State::Done | State::Refunded => (DONE, Mark::Passed),
        State::Refused => (ASKED, Mark::Ended),
        State::Expired | State::Cancelled => (OFFERED, Mark::Ended),
        State::Declined if purchase.consent.is_some() => (CHARGING, Mark::Ended),
        State::Declined => (OFFERED, Mark::Ended),
    }
}

const fn reviewed(reason: Option<ReviewReason>) -> usize {
    match reason {
        Some(ReviewReason::GrantUnknown) => GRANTING,
        Some(ReviewReason::RefundUnknown | ReviewReason::CannotRefund | ReviewReason::RefundRefused) => DONE,
        Some(
            ReviewReason::ChargeUnknown
            | ReviewReason::Mismatch
            | ReviewReason::Contradiction
            | ReviewReason::LateCharge
            | ReviewReason::CheckUnknown
            | ReviewReason::NotSold,
        )
        | None => CHARGING,
    }
}

/// Whether the last step is money given back, in place of a package.
fn gives_back(purchase: &Purchase) -> bool {
    match purchase.state {
        State::Refunding | State::RefundUnknown | State::Refunded => true,
        State::Review => reviewed(purchase.review) == DONE,
        State::Requested
        | State::Offered
        | State::Charging
        | State::ChargeUnknown
        | State::AwaitingUser
        | State::Granting
        | State::GrantUnknown
        | State::Done
        | State::Declined
        | State::Expired
        | State::Cancelled
        | State::Refused => false,
    }
}

const fn last_label(state: State, given_back: bool) -> &'static str {
    match (state, given_back) {
        (State::Refunded, _) => "given back",
        (_, true) => "giving back",
        (_, false) => "done",
    }
}
