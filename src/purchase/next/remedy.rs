//! What a person has decided to have done for a purchase: granted, marked as paid or as granted elsewhere, given back.
//! Moves money only as the core itself would, under an intent and the purchase's own keys; and never a package and its
//! money back for one payment, unless two people say so.

use super::turn::Turn;
use crate::purchase::input::{Notice, Person, Remedy};
use crate::purchase::money::Money;
use crate::purchase::record::{Attempt, AttemptStatus, Micros, Paid, Purchase, ReviewReason, State, Verdict};
use crate::purchase::rules::Rules;

const NOT_PAID: &str = "nothing was paid, as far as is proven; mark it as paid first, with the evidence";
const REFUND_UNDER_WAY: &str = "its money may be on the way back; that must be known first";
const GRANTED: &str = "it is granted already";
const IS_BACK: &str = "its money is back already";
const AMOUNTS_DIFFER: &str =
    "what was charged is not what was agreed; settle it at the channel, then resolve the review";
const GRANT_UNDER_WAY: &str = "an earlier grant may stand or still be under way; that must be known first";

/// Whether a second person must confirm it before it is carried out.
#[must_use]
pub const fn needs_second(remedy: Remedy, overrides: bool) -> bool {
    overrides || matches!(remedy, Remedy::Refund { .. })
}

/// Why this cannot be done for the purchase as it stands, if it cannot. `overrides` is the explicit wish to have both the
/// package granted and the money given back; what may be under way at `called_at` is not taken for landed.
#[must_use]
pub fn objection_to(
    rules: &Rules,
    purchase: &Purchase,
    remedy: Remedy,
    overrides: bool,
    evidence: Option<&str>,
    called_at: Micros,
) -> Option<&'static str> {
    match remedy {
        Remedy::Grant => against_grant(rules, purchase, overrides, called_at),
        Remedy::MarkPaid => against_marking_paid(purchase, evidence),
        Remedy::MarkGranted => against_marking_granted(purchase),
        Remedy::Refund { amount } => against_refund(rules, purchase, amount, overrides, called_at),
    }
}

fn against_grant(rules: &Rules, purchase: &Purchase, overrides: bool, called_at: Micros) -> Option<&'static str> {
    match purchase.state {
        State::Review => {}
        State::Refunded if overrides => {}
        State::Granting | State::GrantUnknown => return Some("it is being granted already"),
        State::Refunding | State::RefundUnknown => return Some(REFUND_UNDER_WAY),
        State::Done => return Some(GRANTED),
        State::Refunded => return Some("its money is back; to grant it too, two people must override that"),
        State::Requested
        | State::Offered
        | State::Charging
        | State::ChargeUnknown
        | State::AwaitingUser
        | State::Declined
        | State::Expired
        | State::Cancelled
        | State::Refused => return Some(NOT_PAID),
    }
    against_granting(rules, purchase, overrides, called_at)
}

/// The same whatever the state.
fn against_granting(rules: &Rules, purchase: &Purchase, overrides: bool, called_at: Micros) -> Option<&'static str> {
    let back = purchase.paid() == Paid::Refunded;
    if is_open(&purchase.refund) {
        return Some(REFUND_UNDER_WAY);
    }
    if back && !overrides {
        return Some("its money is back; to grant it too, two people must override that");
    }
    if !back && purchase.paid() != Paid::Yes {
        return Some(NOT_PAID);
    }
    if let Some(several) = against_several(purchase) {
        return Some(several);
    }
    if is(&purchase.grant, AttemptStatus::Succeeded) {
        return Some(GRANTED);
    }
    if purchase.price().is_none() {
        return Some("the package manager has not said yet that it sells this; have it asked with `paygate inquire`");
    }
    // One that does not recognise its key would add the package twice.
    (!rules.idempotent_grants && may_be_in_flight(&purchase.grant, called_at)).then_some(GRANT_UNDER_WAY)
}

fn against_marking_paid(purchase: &Purchase, evidence: Option<&str>) -> Option<&'static str> {
    match purchase.state {
        State::ChargeUnknown
        | State::AwaitingUser
        | State::Review
        | State::Declined
        | State::Expired
        | State::Cancelled
        | State::Refused => {}
        State::Charging => return Some("it is being charged just now; wait for the answer"),
        State::Requested | State::Offered => return Some("it has not been charged yet"),
        State::Granting
        | State::GrantUnknown
        | State::Refunding
        | State::RefundUnknown
        | State::Done
        | State::Refunded => return Some("it is paid already"),
    }
    let named = evidence.is_some_and(|evidence| !evidence.trim().is_empty());
    match purchase.paid() {
        Paid::Yes => return Some("it is paid already"),
        Paid::Refunded => return Some(IS_BACK),
        Paid::No | Paid::Unknown => {}
    }
    if purchase.charge.is_none() {
        return Some("paygate has asked no channel for money here, so what was charged is not this purchase's");
    }
    (!named).then_some("name the evidence: the statement's line, or the channel's own word")
}

fn against_marking_granted(purchase: &Purchase) -> Option<&'static str> {
    if purchase.state != State::Review {
        return Some("only a purchase in review can be marked as granted elsewhere");
    }
    if is(&purchase.grant, AttemptStatus::Succeeded) {
        return Some(GRANTED);
    }
    if is_open(&purchase.refund) {
        return Some(REFUND_UNDER_WAY);
    }
    // Ours could come beside the other, and nobody would ask.
    if is_open(&purchase.grant) {
        return Some(GRANT_UNDER_WAY);
    }
    match purchase.paid() {
        Paid::Yes => against_several(purchase),
        Paid::Refunded => Some(IS_BACK),
        Paid::No | Paid::Unknown => Some(NOT_PAID),
    }
}

fn against_refund(
    rules: &Rules,
    purchase: &Purchase,
    amount: Money,
    overrides: bool,
    called_at: Micros,
) -> Option<&'static str> {
    if purchase.is_prepaid() {
        return Some("the partner charged by itself, and only the partner can give it back");
    }
    if purchase.paid() == Paid::Refunded {
        return Some(IS_BACK);
    }
    if is_open(&purchase.refund) {
        return Some(REFUND_UNDER_WAY);
    }
    if let Some(several) = against_several(purchase) {
        return Some(several);
    }
    if former_moved_money(purchase) {
        return Some("an earlier charge moved the money; have it given back at the channel, then resolve the review");
    }
    let Some(charge) = purchase.charge.as_ref().filter(|charge| charge.status == AttemptStatus::Succeeded) else {
        return Some(NOT_PAID);
    };
    if !rules.channels.get(&purchase.order.channel).is_some_and(|channel| channel.can_refund) {
        return Some(
            "the channel takes no refunds from us; have it given back there, then resolve the review as refunded",
        );
    }
    if purchase.review == Some(ReviewReason::RefundRefused) {
        return Some("the channel has refused to give it back; settle it there, then resolve the review as refunded");
    }
    if purchase.review == Some(ReviewReason::Mismatch) {
        return Some(AMOUNTS_DIFFER);
    }
    if charge.amount != amount {
        return Some("the amount is not what was charged; type exactly that");
    }
    let granted = purchase.state == State::Done || is(&purchase.grant, AttemptStatus::Succeeded);
    match purchase.state {
        State::Review | State::Done if granted && !overrides => {
            Some("it is granted; to give the money back too, two people must override that")
        }
        State::Review | State::Done
            if is_open(&purchase.grant) || may_be_in_flight(&purchase.grant, called_at) && !granted =>
        {
            Some(GRANT_UNDER_WAY)
        }
        State::Review | State::Done => None,
        State::Requested
        | State::Offered
        | State::Charging
        | State::ChargeUnknown
        | State::AwaitingUser
        | State::Granting
        | State::GrantUnknown
        | State::Refunding
        | State::RefundUnknown
        | State::Declined
        | State::Expired
        | State::Cancelled
        | State::Refunded
        | State::Refused => {
            Some("it is still under way; paygate sees to it until it is granted, given back or in review")
        }
    }
}

fn former_moved_money(purchase: &Purchase) -> bool {
    purchase.former.iter().any(|former| former.status == AttemptStatus::Succeeded)
}

/// Of two charges of one purchase one is too many, and no remedy of the other's may let it be forgotten.
fn against_several(purchase: &Purchase) -> Option<&'static str> {
    if !former_moved_money(purchase) {
        return None;
    }
    if is_open(&purchase.charge) {
        return Some("another charge of this purchase may have moved money, too; that must be known first");
    }
    is(&purchase.charge, AttemptStatus::Succeeded)
        .then_some("two charges of this purchase moved money; settle both at the channel, then resolve the review")
}

fn is(attempt: &Option<Attempt>, status: AttemptStatus) -> bool {
    attempt.as_ref().is_some_and(|attempt| attempt.status == status)
}

/// It may have been carried out, for all that is known.
fn is_open(attempt: &Option<Attempt>) -> bool {
    attempt.as_ref().is_some_and(|attempt| {
        matches!(attempt.status, AttemptStatus::Intended | AttemptStatus::Reserved | AttemptStatus::Unknown)
    })
}

fn may_be_in_flight(attempt: &Option<Attempt>, called_at: Micros) -> bool {
    attempt.as_ref().is_some_and(|attempt| called_at <= attempt.in_flight_until)
}

/// Whether whoever had to confirm it has, and is somebody else.
fn is_confirmed(remedy: Remedy, overrides: bool, by: &Person) -> bool {
    let plain = |name: &str| name.trim().to_lowercase();
    let second = by.second.as_ref().is_some_and(|second| plain(second) != plain(&by.operator));
    second || !needs_second(remedy, overrides)
}

/// Whether an ordered remedy is carried out.
#[must_use]
pub fn is_taken(
    rules: &Rules,
    purchase: &Purchase,
    remedy: Remedy,
    overrides: bool,
    by: &Person,
    called_at: Micros,
) -> bool {
    let objection = objection_to(rules, purchase, remedy, overrides, by.evidence.as_deref(), called_at);
    objection.is_none() && is_confirmed(remedy, overrides, by)
}

impl Turn<'_> {
    pub(super) fn on_remedy(&mut self, remedy: Remedy, overrides: bool, by: &Person, called_at: Micros) {
        if !is_taken(self.rules, &self.purchase, remedy, overrides, by, called_at) {
            return;
        }
        match remedy {
            Remedy::Grant => self.grant_anew(),
            Remedy::MarkPaid => self.mark_paid(called_at),
            Remedy::MarkGranted => self.mark_granted(),
            Remedy::Refund { .. } => {
                // Whoever was told that it is done need not hear that it is being checked.
                self.purchase.told_checking |= self.state() == State::Done;
                self.refund_or(ReviewReason::CannotRefund);
            }
        }
    }

    /// Only ever as a grant, under the purchase's id. One that may stand is asked about first, along the plan, which sends it
    /// again when it is proven that none does; and so is every earlier one where a second would be another package.
    fn grant_anew(&mut self) {
        let may_be_repeated = self.rules.idempotent_grants && !is_open(&self.purchase.grant);
        match &mut self.purchase.grant {
            Some(grant) if !may_be_repeated => {
                grant.status = AttemptStatus::Unknown;
                self.enter(State::GrantUnknown);
                self.inquire_grant();
            }
            _ => self.grant(),
        }
    }

    /// Evidence as strong as a statement: the package is owed. What is not fresh any more, was withdrawn, or cannot be granted
    /// just so, is for the person to grant or to give back.
    fn mark_paid(&mut self, called_at: Micros) {
        if let Some(charge) = &mut self.purchase.charge {
            charge.status = AttemptStatus::Succeeded;
        }
        self.purchase.decline = None;
        self.purchase.verdict = None;
        self.forget_code();
        let objection = against_granting(self.rules, &self.purchase, false, called_at);
        if self.still_wanted() && objection.is_none() {
            self.grant_anew();
        } else if self.purchase.is_prepaid() && self.purchase.price().is_none() {
            self.review(ReviewReason::CheckUnknown);
        } else {
            self.review(ReviewReason::LateCharge);
        }
    }

    /// The package came by another way, and is never sent by this one.
    fn mark_granted(&mut self) {
        if let Some(grant) = &mut self.purchase.grant {
            grant.status = AttemptStatus::Failed;
        }
        self.purchase.verdict = Some(Verdict::Done);
        self.end_once(State::Done, None, Notice::Done);
    }
}
