//! The charge: from consent to proof. The only file that lets a charge out; whatever is unknown here is only asked about.

use super::offering::FROZEN;
use super::retry::{is_news_of_former, is_of_former, stands_alone};
use super::turn::{Turn, intend};
use crate::law::{Rule, holds};
use crate::purchase::evidence::{Cause, ChannelAnswer, Decline, Finding, Reason};
use crate::purchase::input::{ChannelCall, Input, Notice};
use crate::purchase::money::Money;
use crate::purchase::offer::{Asks, Consent, ConsentBy};
use crate::purchase::record::{AttemptStatus, Purchase, ReviewReason, State};

/// How often one charge may be let out under its key, each time only after proof that the one before moved nothing.
pub(super) const SENDS_AT_MOST: u32 = 3;

impl Turn<'_> {
    /// The intent, and with its commit the permission to charge. A charge that was prepared keeps its key.
    pub(super) fn charge(&mut self) {
        if self.is_frozen() {
            return self.decline_frozen();
        }
        let Some(price) = self.purchase.price() else { return };
        let (flight, now) = (self.channel_flight(), self.now);
        let own = self.charge_key();
        let key = || {
            if holds(Rule::OneKeyForACharge) { own } else { format!("{}-c{}", self.purchase.id, self.purchase.version) }
        };
        let held = self.purchase.charge.take().filter(|_| holds(Rule::OneKeyForACharge));
        let attempt = intend(held, key, price, flight, now);
        let due_at = attempt.send_by + flight.answer_within;
        self.purchase.charge = Some(attempt);
        self.enter(State::Charging);
        self.wake_at(due_at);
        self.call(ChannelCall::Charge);
    }

    /// Nothing was charged under this consent, and nothing will be: what is set aside is let go of. A charge found all the
    /// same is not what was agreed to now.
    fn decline_frozen(&mut self) {
        self.withdraw_consent();
        self.end(State::Declined, Some(FROZEN), Notice::Declined { decline: FROZEN });
        self.let_go();
    }

    /// What a channel said about the charge, in whatever state the purchase is by now.
    pub(super) fn on_charge(&mut self, call: ChannelCall, current: bool, finding: &Finding) {
        match self.state() {
            // The partner's word was the proof, and there is no channel that could take it back.
            _ if self.purchase.is_prepaid() => self.on_settled_charge(finding),
            State::Offered if !matches!(finding, Finding::Charged { .. }) => self.on_prepared(call, current, finding),
            State::Requested | State::Offered => self.on_late_charge(current, finding),
            State::Charging | State::ChargeUnknown | State::AwaitingUser => self.on_awaited(call, current, finding),
            State::Review if self.is_unknown_beside_another() => self.settle_beside_another(current, finding),
            State::Review if self.purchase.review == Some(ReviewReason::ChargeUnknown) => {
                self.on_awaited(call, current, finding);
            }
            State::Declined | State::Expired | State::Cancelled | State::Refused => {
                self.on_late_charge(current, finding);
            }
            // The money's part is settled: a weaker word cannot undo it, and the same word says nothing new. Only money
            // that moved otherwise than was agreed is news, whenever it is heard.
            State::Granting
            | State::GrantUnknown
            | State::Refunding
            | State::RefundUnknown
            | State::Review
            | State::Done
            | State::Refunded => self.on_settled_charge(finding),
        }
    }

    /// Two payments under one key: one of them is the subscriber's, and a person must find out which.
    pub(super) fn on_second_payment(&mut self) {
        self.review(ReviewReason::Contradiction);
    }

    fn on_settled_charge(&mut self, finding: &Finding) {
        if matches!(finding, Finding::NotCharged(_)) && !holds(Rule::ProofIsNotUndone) {
            return self.end(State::Declined, None, Notice::Cancelled);
        }
        let Finding::Charged { amount, msisdn } = finding else { return };
        if self.state() != State::Review && !self.is_as_intended(*amount, msisdn.as_deref()) {
            self.review(ReviewReason::Mismatch);
        }
    }

    fn is_as_intended(&self, amount: Money, msisdn: Option<&str>) -> bool {
        let same_amount = self.purchase.charge.as_ref().is_some_and(|charge| charge.amount == amount);
        let ordered = self.purchase.order.msisdn.map(|msisdn| msisdn.e164());
        // Where no phone was named, whoever pays is the right one.
        let same_subscriber = msisdn.zip(ordered).is_none_or(|(payer, ordered)| payer == ordered);
        (same_amount || !holds(Rule::AmountIsCompared)) && (same_subscriber || !holds(Rule::SubscriberIsCompared))
    }

    fn on_awaited(&mut self, call: ChannelCall, current: bool, finding: &Finding) {
        match finding {
            Finding::Charged { amount, msisdn } => self.charged(*amount, msisdn.as_deref()),
            Finding::Refunded { .. } | Finding::NotRefunded(_) => self.review(ReviewReason::Contradiction),
            // It is proven to have moved nothing, and another is going to be made.
            _ if self.purchase.retry.is_some() => {}
            // A reservation's own answer says nothing about the debit that came after it.
            _ if !current || call == ChannelCall::Prepare => {}
            Finding::NotCharged(decline) => self.not_charged(*decline),
            // An inquiry may speak of the code before this one, while the charge with this one is still under way.
            Finding::WrongCode(_) if call == ChannelCall::Charge || self.is_past_flight() => self.code_refused(),
            Finding::Unknown { .. } if !holds(Rule::UnknownProvesNothing) => {
                self.not_charged(Decline::of(Reason::Busy));
            }
            Finding::NotSent { .. } if call == ChannelCall::Charge => {
                self.not_charged(Decline::of(Reason::Busy));
            }
            Finding::AwaitsPayment { url, begun } => self.on_page(call, url.as_deref(), *begun),
            Finding::Unknown { cause: Cause::Pending } if self.state() == State::AwaitingUser => self.payment_unknown(),
            Finding::CodeSent if call == ChannelCall::Charge => self.channel_wants_its_code(Notice::Offer),
            Finding::CodeSent | Finding::Reserved | Finding::NotFound if self.is_past_flight() => {
                self.proven_unmoved(finding);
            }
            Finding::CodeSent
            | Finding::Reserved
            | Finding::NotFound
            | Finding::WrongCode(_)
            | Finding::NotSent { .. }
            | Finding::Unknown { .. } => self.charge_unknown(call),
        }
    }

    /// Money moved. Believed only if it is the intent's amount, from the intent's subscriber. Then the package is owed,
    /// unless the wish for it is withdrawn, unconfirmed or long past: then the money is.
    fn charged(&mut self, amount: Money, msisdn: Option<&str>) {
        let Some(charge) = &mut self.purchase.charge else { return };
        charge.status = AttemptStatus::Succeeded;
        self.purchase.decline = None;
        self.forget_code();
        if self.purchase.consent.is_none() && self.may_have_lost() {
            self.purchase.consent = Some(Consent { given_at: self.now, by: ConsentBy::Lost });
        }
        if !self.is_as_intended(amount, msisdn) {
            self.review(ReviewReason::Mismatch);
        } else if self.still_wanted() {
            self.grant();
        } else if self.state() == State::Review {
            self.review(ReviewReason::LateCharge);
        } else {
            self.refund_or(ReviewReason::LateCharge);
        }
    }

    pub(super) fn still_wanted(&self) -> bool {
        let withdrawn = self.state() == State::Cancelled;
        let fresh = self.charge_agreed_at().is_some_and(|agreed| self.now < agreed + self.rules.grant_fresh);
        fresh && !withdrawn
    }

    /// This send moved no money and never will: once more under the same key where the channel was only busy, anew and
    /// later where that is wanted, else the end.
    pub(super) fn not_charged(&mut self, decline: Decline) {
        if let Some(charge) = &mut self.purchase.charge {
            charge.status = AttemptStatus::Failed;
        }
        if decline.reason == Reason::Busy && self.may_send_again() {
            self.enter(State::Charging);
            let sends = self.purchase.charge.as_ref().map_or(1, |charge| charge.sends);
            self.wake_at(self.now + self.rules.check_pause * i64::from(sends));
        } else if !self.put_off(decline) {
            self.forget_code();
            self.end_once(State::Declined, Some(decline), Notice::Declined { decline });
            self.give_up_reservation(decline);
        }
    }

    /// Where it was we who gave up, what the channel may have set aside under our key is still set aside.
    fn give_up_reservation(&mut self, decline: Decline) {
        if decline.reason == Reason::Busy {
            self.let_go();
        }
    }

    /// Lets go of a reservation, known or possible.
    fn let_go(&mut self) {
        let can_cancel = self.channel().is_some_and(|channel| channel.can_cancel);
        if let Some(charge) = self.purchase.charge.as_mut().filter(|charge| can_cancel && charge.handle.is_some()) {
            charge.status = AttemptStatus::Reserved;
        }
        self.release();
    }

    pub(super) fn consent_is_valid(&self) -> bool {
        self.consent_ends_at().is_some_and(|end| self.now < end || !holds(Rule::ConsentLapses))
    }

    /// The consent is what a further send stands on: without it, or with an old one, none is made. Nor for a link that was
    /// handed out: whoever wants to pay has it.
    fn may_send_again(&self) -> bool {
        self.consent_is_valid()
            && !self.has_handed_out()
            && self.purchase.review.is_none()
            && self.purchase.charge.as_ref().is_some_and(|charge| charge.sends < SENDS_AT_MOST)
    }

    pub(super) fn is_past_flight(&self) -> bool {
        self.asked_past_flight(self.purchase.charge.as_ref()) || !holds(Rule::ChargeNotFoundIsTimed)
    }

    /// An inquiry found no money moved, at a time when no request can be under way any more: that is proof.
    fn proven_unmoved(&mut self, finding: &Finding) {
        if *finding == Finding::CodeSent {
            return self.channel_wants_its_code(Notice::CodeAgain);
        }
        if self.has_handed_out() {
            return self.link_expired();
        }
        self.not_charged(Decline::of(Reason::Busy));
    }

    /// The channel judges a code and has none: the subscriber is asked, unless the offer is over.
    fn channel_wants_its_code(&mut self, notice: Notice) {
        self.back_to_offer();
        let Some(offer) = &mut self.purchase.offer else { return };
        offer.asks = Asks::ChannelCode;
        let expires_at = offer.expires_at;
        if self.now >= expires_at {
            let decline = Decline::of(Reason::OtpExpired);
            self.end(State::Declined, Some(decline), Notice::Declined { decline });
            self.release();
        } else {
            self.channel_has_offered();
            self.wake_at(expires_at);
            self.tell(notice);
        }
    }

    /// The channel judged the code wrong: its reservation stands, and another code may be tried.
    fn code_refused(&mut self) {
        self.back_to_offer();
        self.wrong_code();
    }

    /// The code was not the right one, or there was none to be right: what was agreed by it is not agreed.
    pub(super) fn withdraw_consent(&mut self) {
        self.forget_code();
        self.purchase.consent = None;
    }

    fn back_to_offer(&mut self) {
        self.withdraw_consent();
        if let Some(charge) = &mut self.purchase.charge {
            charge.status = AttemptStatus::Reserved;
        }
        self.enter(State::Offered);
    }

    pub(super) fn forget_code(&mut self) {
        if let Some(offer) = &mut self.purchase.offer {
            offer.answered = None;
        }
    }

    /// No proof either way: only asked about from here.
    pub(super) fn charge_unknown(&mut self, call: ChannelCall) {
        let Some(charge) = &mut self.purchase.charge else { return };
        // Already proven to have moved nothing: an answer that proves less does not take that back.
        if charge.status == AttemptStatus::Failed {
            return;
        }
        charge.status = AttemptStatus::Unknown;
        if !holds(Rule::RetryStandsOnProof) && self.put_off(Decline::of(Reason::Maintenance)) {
            return;
        }
        if self.state() == State::Charging {
            self.enter(State::ChargeUnknown);
        }
        if call == ChannelCall::Charge {
            self.wake_for_inquiry(self.channel_flight());
        }
    }

    /// No answer in time, a crash, or the pause before a further send.
    pub(super) fn on_charging_timer(&mut self) {
        if let Some(retry) = self.purchase.retry {
            return self.on_retry_timer(retry);
        }
        match self.purchase.charge.as_ref().map(|charge| charge.status) {
            Some(AttemptStatus::Failed) if self.may_send_again() => self.charge(),
            Some(AttemptStatus::Failed) => self.not_charged(Decline::of(Reason::Busy)),
            _ => {
                self.charge_unknown(ChannelCall::InquireCharge);
                self.inquire_charge();
            }
        }
    }

    /// Evidence after the end, or about a reservation being released.
    fn on_late_charge(&mut self, current: bool, finding: &Finding) {
        match finding {
            // A person has said that nothing was charged: which of the two is so, a person says again.
            Finding::Charged { .. } if self.purchase.verdict.is_some() => self.review(ReviewReason::Contradiction),
            // Stronger evidence re-opens an end.
            Finding::Charged { amount, msisdn } if holds(Rule::LateChargeIsHeard) => {
                self.charged(*amount, msisdn.as_deref())
            }
            Finding::NotCharged(_) if current => self.released(),
            Finding::NotFound if current && self.is_past_flight() => self.released(),
            // The next try to let go stands already, or the plan is through.
            _ => {}
        }
    }

    /// Lets go of what the channel has set aside. Moves no money; said until it is answered or the plan is through.
    pub(super) fn release(&mut self) {
        let reserved = self.purchase.charge.as_ref().is_some_and(|charge| charge.status == AttemptStatus::Reserved);
        if reserved && self.channel().is_some_and(|channel| channel.can_cancel) {
            self.call(ChannelCall::CancelCharge);
            let pause = self.plan_pause(self.channel_flight());
            self.purchase.asked += 1;
            self.wake_at(self.now + pause);
        }
    }

    /// At an end there is only a reservation to let go of. Without one, or when the plan is through, nothing is due.
    pub(super) fn release_again(&mut self) {
        self.purchase.due_at = None;
        if (self.purchase.asked as usize) < self.channel_flight().plan.len() {
            self.release();
        }
    }

    fn released(&mut self) {
        if let Some(charge) = &mut self.purchase.charge {
            charge.status = AttemptStatus::Failed;
        }
        self.purchase.due_at = None;
    }
}

/// Whether this answer tells of another payment than the one that was proven.
pub(super) fn is_second_payment(purchase: &Purchase, call: ChannelCall, answer: &ChannelAnswer) -> bool {
    let Some(charge) = purchase.charge.as_ref().filter(|charge| charge.status == AttemptStatus::Succeeded) else {
        return false;
    };
    let other = charge.peer_reference.as_ref().zip(answer.peer_reference.as_ref()).is_some_and(|(one, two)| one != two);
    !call.is_of_refund() && matches!(answer.finding, Finding::Charged { .. }) && other
}

/// Whether this input finds money taken that nothing stood for: after the purchase was given up or before it was agreed
/// to, or a second time.
#[must_use]
pub fn found_extra_charge(purchase: &Purchase, input: &Input) -> bool {
    let Input::Channel { call, key, answer, .. } = input else { return false };
    if call.is_of_refund() || !matches!(answer.finding, Finding::Charged { .. }) {
        return false;
    }
    if is_of_former(purchase, *call, key) && !stands_alone(purchase) {
        return is_news_of_former(purchase, key);
    }
    let given_up = match purchase.state {
        // It was paid before it was heard of.
        State::Requested if purchase.is_prepaid() => false,
        State::Requested | State::Offered | State::Declined | State::Expired | State::Cancelled | State::Refused => {
            true
        }
        State::Charging
        | State::ChargeUnknown
        | State::AwaitingUser
        | State::Granting
        | State::GrantUnknown
        | State::Refunding
        | State::RefundUnknown
        | State::Review
        | State::Done
        | State::Refunded => false,
    };
    given_up || is_second_payment(purchase, *call, answer)
}
