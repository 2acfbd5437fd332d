//! Asking what happened: when, how often, and when a person has to look. No count of tries ever becomes an answer.

use super::turn::Turn;
use crate::law::{Rule, holds};
use crate::purchase::evidence::{Advice, Decline, Reason};
use crate::purchase::input::{ChannelCall, GrantCall, Notice};
use crate::purchase::record::{Micros, ReviewReason, State};
use crate::purchase::rules::Flight;

impl Turn<'_> {
    /// The pause before the next inquiry: the plan's step, whose last one repeats, spread by up to a tenth so that
    /// a peer that comes back is not asked about everything in one second.
    pub(super) fn plan_pause(&self, flight: &Flight) -> Micros {
        let step = (self.purchase.asked as usize).min(flight.plan.len().saturating_sub(1));
        let pause = flight.plan.get(step).copied().unwrap_or(60_000_000);
        pause + pause / 10 * self.spread() / 100
    }

    /// 0 to 99, from the purchase itself: the core has no random source.
    fn spread(&self) -> Micros {
        let seed = self
            .purchase
            .id
            .bytes()
            .fold(self.purchase.version, |sum, byte| sum.wrapping_mul(31).wrapping_add(i64::from(byte)));
        seed.rem_euclid(100)
    }

    /// Wakes for the plan's next inquiry, or before it to tell the subscriber that the outcome is being checked.
    pub(super) fn wake_for_inquiry(&mut self, flight: &Flight) {
        let next = self.now + self.plan_pause(flight);
        match self.checking_at() {
            Some(at) if at < next => self.wake_at(at),
            _ => {
                self.wake_at(next);
                self.purchase.asked += 1;
            }
        }
    }

    /// When the subscriber is to be told that the outcome is being checked, if that is still to be said.
    pub(super) fn checking_at(&self) -> Option<Micros> {
        let since = self.charge_agreed_at().unwrap_or(self.purchase.created_at);
        (!self.purchase.told_checking).then(|| (since + self.rules.checking_after).max(self.now))
    }

    pub(super) fn tell_checking_if_it_is_time(&mut self) {
        if self.checking_at().is_some_and(|at| at <= self.now) {
            self.purchase.told_checking = holds(Rule::CheckingIsToldOnce);
            self.tell(Notice::Checking);
        }
    }

    /// One inquiry along `flight`'s plan; past its end a person is asked to look, and the inquiries go on.
    fn inquire(&mut self, flight: &Flight, through: ReviewReason) {
        self.tell_checking_if_it_is_time();
        let asked = self.purchase.asked;
        if asked as usize >= flight.plan.len() {
            if through == ReviewReason::ChargeUnknown && !holds(Rule::UnknownNeverAges) {
                return self.not_charged(Decline::new(Reason::Declined, Advice::Stop));
            }
            self.review(through);
            self.purchase.asked = asked;
        }
        self.wake_for_inquiry(flight);
    }

    pub(super) fn inquire_charge(&mut self) {
        self.call(ChannelCall::InquireCharge);
        self.inquire(self.channel_flight(), ReviewReason::ChargeUnknown);
    }

    pub(super) fn inquire_grant(&mut self) {
        self.give(GrantCall::InquireGrant);
        self.inquire(&self.rules.grant, ReviewReason::GrantUnknown);
    }

    pub(super) fn inquire_refund(&mut self) {
        self.call(ChannelCall::InquireRefund);
        self.inquire(self.channel_flight(), ReviewReason::RefundUnknown);
    }

    /// Asks once more whether what was paid at a partner may be bought; the plan is the package manager's.
    pub(super) fn inquire_check(&mut self) {
        self.check_effect();
        self.inquire(&self.rules.grant, ReviewReason::CheckUnknown);
    }

    /// A purchase in a person's hands is still asked about where something is unknown; nothing else is done for it.
    pub(super) fn inquire_in_review(&mut self) {
        debug_assert!(self.state() == State::Review, "only a purchase in review is asked about here");
        match self.purchase.review {
            Some(ReviewReason::ChargeUnknown) => self.inquire_charge(),
            Some(ReviewReason::Contradiction) if self.is_unknown_beside_another() => self.inquire_beside_another(),
            Some(ReviewReason::GrantUnknown) => self.inquire_grant(),
            Some(ReviewReason::RefundUnknown) => self.inquire_refund(),
            Some(ReviewReason::CheckUnknown) => self.inquire_check(),
            Some(
                ReviewReason::Mismatch
                | ReviewReason::Contradiction
                | ReviewReason::CannotRefund
                | ReviewReason::RefundRefused
                | ReviewReason::LateCharge
                | ReviewReason::NotSold,
            )
            | None => {
                self.purchase.due_at = None;
                self.tell_checking_if_it_is_time();
            }
        }
    }
}
