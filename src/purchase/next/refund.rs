//! The refund: money given back for a package that cannot be given, under the same rules as a charge.

use super::turn::{Turn, intend};
use crate::law::{Rule, holds};
use crate::purchase::evidence::{Finding, Reason};
use crate::purchase::input::{ChannelCall, Notice};
use crate::purchase::money::Money;
use crate::purchase::record::{AttemptStatus, Paid, ReviewReason, State};

impl Turn<'_> {
    /// The intent to give the money back, where the channel can; a person's work where it cannot.
    pub(super) fn refund_or(&mut self, otherwise: ReviewReason) {
        // Money goes back once: what could not be granted to somebody who has it back is over.
        if self.purchase.paid() == Paid::Refunded {
            return self.end_once(State::Refunded, None, Notice::Refunded);
        }
        let can_refund = self.channel().is_some_and(|channel| channel.can_refund);
        let Some(amount) = self.purchase.charge.as_ref().map(|charge| charge.amount) else { return };
        if !can_refund {
            return self.review(otherwise);
        }
        let (flight, now) = (self.channel_flight(), self.now);
        let key = || format!("{}-r1", self.purchase.id);
        let attempt = intend(self.purchase.refund.take(), key, amount, flight, now);
        let due_at = attempt.send_by + flight.answer_within;
        self.purchase.refund = Some(attempt);
        let asked = self.purchase.asked;
        let again = matches!(self.state(), State::Refunding | State::RefundUnknown);
        self.enter(State::Refunding);
        self.purchase.asked = if again { asked } else { 0 };
        self.wake_at(due_at);
        self.call(ChannelCall::Refund);
    }

    pub(super) fn on_refund(&mut self, call: ChannelCall, current: bool, finding: &Finding) {
        let awaited = matches!(self.state(), State::Refunding | State::RefundUnknown)
            || self.state() == State::Review && self.purchase.review == Some(ReviewReason::RefundUnknown);
        let sync = call == ChannelCall::Refund;
        match finding {
            Finding::Refunded { amount } => self.refunded(*amount),
            _ if !current || !awaited => {}
            Finding::NotRefunded(decline) | Finding::NotCharged(decline) => match decline.reason {
                Reason::Busy if sync => self.refund_not_sent(),
                _ => self.refund_refused(),
            },
            Finding::NotSent { .. } if sync => self.refund_not_sent(),
            Finding::NotFound if !sync && self.state() == State::RefundUnknown => self.refund_not_found(),
            Finding::Charged { .. }
            | Finding::CodeSent
            | Finding::Reserved
            | Finding::AwaitsPayment { .. }
            | Finding::WrongCode(_)
            | Finding::NotFound
            | Finding::NotSent { .. }
            | Finding::Unknown { .. } => self.refund_unknown(sync),
        }
    }

    /// The money is back, whatever was said of it before; a person who was to give it back must not do so again.
    fn refunded(&mut self, amount: Money) {
        let Some(refund) = &mut self.purchase.refund else { return };
        refund.status = AttemptStatus::Succeeded;
        let same_amount = refund.amount == amount;
        let awaited = match self.purchase.review {
            None => matches!(self.state(), State::Refunding | State::RefundUnknown),
            Some(reason) => matches!(reason, ReviewReason::RefundUnknown | ReviewReason::RefundRefused),
        };
        match (awaited, same_amount) {
            (true, true) => self.end(State::Refunded, None, Notice::Refunded),
            (true, false) => self.review(ReviewReason::Mismatch),
            // A person has said that the money was not given back.
            (false, _) if matches!(self.state(), State::Done | State::Declined) => {
                self.review(ReviewReason::Contradiction);
            }
            (false, _) => {}
        }
    }

    fn refund_refused(&mut self) {
        if let Some(refund) = &mut self.purchase.refund {
            refund.status = AttemptStatus::Failed;
        }
        self.review(ReviewReason::RefundRefused);
    }

    fn refund_not_sent(&mut self) {
        if self.state() == State::Review {
            return;
        }
        if let Some(refund) = &mut self.purchase.refund {
            refund.status = AttemptStatus::Failed;
        }
        self.purchase.state = State::Refunding;
        let pause = self.plan_pause(self.channel_flight());
        self.purchase.asked += 1;
        self.wake_at(self.now + pause);
    }

    fn refund_unknown(&mut self, sync: bool) {
        let Some(refund) = &mut self.purchase.refund else { return };
        // Proven not done, and waiting to be sent again: an answer that proves less does not take that back.
        if refund.status == AttemptStatus::Failed {
            return;
        }
        refund.status = AttemptStatus::Unknown;
        if self.state() == State::Refunding {
            self.purchase.state = State::RefundUnknown;
        }
        if sync {
            self.wake_for_inquiry(self.channel_flight());
        }
    }

    /// The channel holds no such refund: proof only when none can be under way.
    fn refund_not_found(&mut self) {
        if self.asked_past_flight(self.purchase.refund.as_ref()) || !holds(Rule::RefundNotFoundIsTimed) {
            self.refund_or(ReviewReason::RefundUnknown);
        }
    }

    pub(super) fn on_refunding_timer(&mut self) {
        match self.purchase.refund.as_ref().map(|refund| refund.status) {
            // The plan is through and the channel has not even been reached: a person has to.
            Some(AttemptStatus::Failed) if self.purchase.asked as usize >= self.channel_flight().plan.len() => {
                self.review(ReviewReason::RefundUnknown);
            }
            Some(AttemptStatus::Failed) => {
                self.tell_checking_if_it_is_time();
                self.refund_or(ReviewReason::CannotRefund);
            }
            _ => {
                self.refund_unknown(false);
                self.inquire_refund();
            }
        }
    }
}
