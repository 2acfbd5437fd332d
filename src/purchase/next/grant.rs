//! The grant: the package that was paid for, given once. Owed until it is proven given, or proven impossible.

use super::turn::{Turn, intend};
use crate::law::{Rule, holds};
use crate::purchase::evidence::GrantAnswer;
use crate::purchase::input::{GrantCall, Notice};
use crate::purchase::record::{AttemptStatus, Micros, ReviewReason, State};

/// A grant that could not even be sent is tried again at least this often: the subscriber has paid.
const RETRY_AT_LEAST_EVERY: Micros = 60_000_000;

impl Turn<'_> {
    /// The intent to grant, under the purchase's own id.
    pub(super) fn grant(&mut self) {
        let Some(price) = self.purchase.price() else { return };
        let (flight, now) = (&self.rules.grant, self.now);
        let attempt = intend(self.purchase.grant.take(), || self.purchase.id.clone(), price, flight, now);
        let due_at = attempt.send_by + flight.answer_within;
        self.purchase.grant = Some(attempt);
        let asked = self.purchase.asked;
        let again = matches!(self.state(), State::Granting | State::GrantUnknown);
        self.enter(State::Granting);
        // Sending again is a step of the same plan, so that it ends in review and not in a circle.
        self.purchase.asked = if again { asked } else { 0 };
        self.wake_at(due_at);
        self.give(GrantCall::Grant);
    }

    fn awaits_grant(&self) -> bool {
        matches!(self.state(), State::Granting | State::GrantUnknown)
            || self.state() == State::Review && self.purchase.review == Some(ReviewReason::GrantUnknown)
    }

    pub(super) fn on_grant(&mut self, current: bool, answer: &GrantAnswer) {
        match answer {
            GrantAnswer::Granted { grant_id, .. } => self.granted(grant_id),
            _ if !current || !self.awaits_grant() => {}
            GrantAnswer::Refused { .. } => self.grant_refused(),
            GrantAnswer::NotSent { .. } => self.grant_not_sent(),
            GrantAnswer::Revoked { .. } => self.review(ReviewReason::Contradiction),
            GrantAnswer::NotFound | GrantAnswer::InProgress | GrantAnswer::Unknown { .. } => {
                self.grant_unknown();
                self.wake_for_inquiry(&self.rules.grant);
            }
        }
    }

    pub(super) fn on_grant_inquiry(&mut self, current: bool, answer: &GrantAnswer) {
        match answer {
            GrantAnswer::Granted { grant_id, .. } => self.granted(grant_id),
            GrantAnswer::Revoked { .. } if self.awaits_grant() => self.review(ReviewReason::Contradiction),
            GrantAnswer::NotFound if current && self.state() == State::GrantUnknown => self.grant_not_found(),
            GrantAnswer::NotFound
            | GrantAnswer::Revoked { .. }
            | GrantAnswer::Refused { .. }
            | GrantAnswer::InProgress
            | GrantAnswer::NotSent { .. }
            | GrantAnswer::Unknown { .. } => {}
        }
    }

    /// The package stands. Where the money was being given back at the same time, a person must choose.
    fn granted(&mut self, grant_id: &str) {
        let Some(grant) = &mut self.purchase.grant else { return };
        let was_given_up = grant.status == AttemptStatus::Failed;
        let is_news = grant.status != AttemptStatus::Succeeded;
        grant.status = AttemptStatus::Succeeded;
        let first = grant.peer_reference.get_or_insert_with(|| grant_id.to_owned());
        // Two grants for one payment: the second is somebody's to take back.
        if first != grant_id {
            return self.review(ReviewReason::Contradiction);
        }
        match self.state() {
            State::Granting | State::GrantUnknown => self.end(State::Done, None, Notice::Done),
            State::Review if self.purchase.review == Some(ReviewReason::GrantUnknown) => {
                self.end(State::Done, None, Notice::Done);
            }
            State::Refunding | State::RefundUnknown | State::Refunded if is_news => {
                self.review(ReviewReason::Contradiction);
            }
            State::Declined if self.purchase.verdict.is_some() => self.review(ReviewReason::Contradiction),
            // A person has said that it came by another way: it may be there twice.
            State::Done if self.purchase.verdict.is_some() && was_given_up => self.review(ReviewReason::Contradiction),
            State::Requested
            | State::Offered
            | State::Charging
            | State::ChargeUnknown
            | State::AwaitingUser
            | State::Refunding
            | State::RefundUnknown
            | State::Review
            | State::Done
            | State::Declined
            | State::Expired
            | State::Cancelled
            | State::Refunded
            | State::Refused => {}
        }
    }

    /// Refused for good, so it says. Money goes back only when the package manager, asked since, holds no grant, and no
    /// earlier request of this grant can still take effect: a refusal may be said of a grant that was made.
    fn grant_refused(&mut self) {
        let now = self.now;
        let Some(grant) = &mut self.purchase.grant else { return };
        grant.status = AttemptStatus::Failed;
        // What the only request did is done by now. Of several, an earlier one may still be on its way.
        if grant.sends == 1 {
            grant.in_flight_until = grant.in_flight_until.min(now - 1);
        }
        let landed = grant.in_flight_until;
        if self.state() == State::Review {
            return;
        }
        if !holds(Rule::RefusedGrantIsAskedAbout) {
            return self.refund_or(ReviewReason::CannotRefund);
        }
        self.enter(State::GrantUnknown);
        if now <= landed {
            self.wake_at(landed + 1);
        } else {
            self.inquire_grant();
        }
    }

    fn grant_not_sent(&mut self) {
        if self.state() == State::Review {
            return;
        }
        if let Some(grant) = &mut self.purchase.grant {
            grant.status = AttemptStatus::Failed;
        }
        let pause = self.plan_pause(&self.rules.grant).min(RETRY_AT_LEAST_EVERY);
        self.purchase.state = State::Granting;
        self.purchase.asked += 1;
        self.wake_at(self.now + pause);
    }

    fn grant_unknown(&mut self) {
        if let Some(grant) = &mut self.purchase.grant {
            grant.status = AttemptStatus::Unknown;
        }
        if self.state() == State::Granting {
            self.purchase.state = State::GrantUnknown;
        }
    }

    /// No grant stands now. Proof once no request is under way; before that only a package manager that recognises its
    /// key may be asked again.
    fn grant_not_found(&mut self) {
        let Some(grant) = &self.purchase.grant else { return };
        let past_flight = self.asked_past_flight(Some(grant));
        match grant.status {
            AttemptStatus::Failed if past_flight || !holds(Rule::GrantNotFoundIsTimed) => {
                self.refund_or(ReviewReason::CannotRefund)
            }
            AttemptStatus::Failed | AttemptStatus::Succeeded => {}
            AttemptStatus::Intended | AttemptStatus::Reserved | AttemptStatus::Unknown => {
                if past_flight || self.rules.idempotent_grants || !holds(Rule::GrantIsNotRepeated) {
                    self.grant();
                }
            }
        }
    }

    /// Owed for longer than a package is worth giving without asking anybody.
    fn is_grant_overdue(&self) -> bool {
        self.purchase.grant.as_ref().is_some_and(|grant| self.now >= grant.intended_at + self.rules.grant_fresh)
    }

    pub(super) fn on_granting_timer(&mut self) {
        match self.purchase.grant.as_ref().map(|grant| grant.status) {
            Some(AttemptStatus::Failed) if self.is_grant_overdue() => self.review(ReviewReason::GrantUnknown),
            Some(AttemptStatus::Failed) => {
                self.tell_checking_if_it_is_time();
                self.grant();
            }
            _ => {
                self.grant_unknown();
                self.inquire_grant();
            }
        }
    }
}
