//! From the request to the subscriber's consent. Moves no money: the last thing it does is hand a consent to the charge.

use super::turn::{Turn, intent};
use crate::config::Otp;
use crate::law::{Rule, holds};
use crate::purchase::evidence::{CheckAnswer, Decline, Finding, Reason};
use crate::purchase::input::{ChannelCall, Input, Notice};
use crate::purchase::money::Money;
use crate::purchase::offer::{Asks, Consent, ConsentBy, Offer, Terms};
use crate::purchase::record::{Attempt, AttemptStatus, State};

/// What a frozen channel is to its subscribers.
pub(super) const FROZEN: Decline = Decline::of(Reason::Maintenance);

impl Turn<'_> {
    pub(super) fn on_asked(&mut self) {
        if self.is_frozen() {
            return self.end(State::Refused, Some(FROZEN), Notice::Busy);
        }
        self.check();
    }

    fn check(&mut self) {
        self.purchase.asked += 1;
        self.check_effect();
        self.wake_at(self.now + self.rules.grant.answer_within + self.rules.check_pause);
    }

    pub(super) fn check_again(&mut self) {
        if self.purchase.asked < self.rules.check_attempts {
            self.check();
        } else {
            self.end(State::Refused, Some(Decline::of(Reason::Busy)), Notice::Busy);
        }
    }

    pub(super) fn on_checked(&mut self, answer: &CheckAnswer, nonce: &str) {
        if self.purchase.is_prepaid() {
            return self.on_prepaid_check(answer);
        }
        if self.state() != State::Requested {
            return;
        }
        match answer {
            // Nothing is offered that could not be charged, and nothing set aside.
            CheckAnswer::Allowed { .. } if self.is_frozen() => self.end(State::Refused, Some(FROZEN), Notice::Busy),
            CheckAnswer::Allowed { package_name, price, days } => {
                let terms = Terms { package_name: package_name.clone(), price: *price, days: *days };
                self.offer(&terms, nonce, self.rules.otp, ConsentBy::Message);
            }
            CheckAnswer::Refused { reason, .. } => {
                let decline = Decline::of(*reason);
                self.end(State::Refused, Some(decline), Notice::Refused { decline });
            }
            CheckAnswer::Unavailable { .. } if self.purchase.asked >= self.rules.check_attempts => self.check_again(),
            CheckAnswer::Unavailable { .. } => self.wake_at(self.now + self.rules.check_pause),
        }
    }

    /// The first event of what was agreed to on a menu's screen. These terms are what was agreed to and are offered as they
    /// are; a repeat asks once more, and so does a configuration that wants a code besides.
    pub(super) fn on_agreed(&mut self, terms: &Terms, nonce: &str) {
        if self.purchase.version != 1 {
            return;
        }
        if self.is_frozen() {
            return self.end(State::Refused, Some(FROZEN), Notice::Busy);
        }
        self.offer(terms, nonce, self.rules.menu_otp, ConsentBy::Screen);
    }

    /// `given` is the consent there is already, which counts where nothing more is asked for.
    fn offer(&mut self, terms: &Terms, nonce: &str, otp: Otp, given: ConsentBy) {
        let asks = self.asks(otp, given);
        self.enter(State::Offered);
        self.purchase.offer = Some(Offer {
            package_name: terms.package_name.clone(),
            price: terms.price,
            days: terms.days,
            asks: asks.unwrap_or(Asks::Yes),
            nonce: nonce.to_owned(),
            digits: self.rules.otp_length,
            answered: None,
            pay_url: None,
            expires_at: self.now + self.rules.otp_ttl,
            tries_left: self.rules.otp_attempts,
            sends: 0,
            last_sent_at: self.now,
        });
        match asks {
            None => self.consent(given),
            Some(Asks::Payment) => self.consent(ConsentBy::Payment),
            Some(Asks::Code | Asks::Yes) => self.send_offer(),
            Some(Asks::ChannelCode) => self.prepare(terms.price),
        }
    }

    /// How this offer is to be agreed to; `None` where what is given is the consent. A repeat always asks.
    fn asks(&self, otp: Otp, given: ConsentBy) -> Option<Asks> {
        if self.channel().is_some_and(|channel| channel.link_ttl.is_some()) {
            return Some(Asks::Payment);
        }
        let texts_codes = self.channel().is_some_and(|channel| channel.texts_codes);
        match otp {
            Otp::Telco if texts_codes => Some(Asks::ChannelCode),
            Otp::Gateway | Otp::Telco => Some(Asks::Code),
            Otp::None if self.purchase.order.repeat => Some(Asks::Yes),
            // A message alone may be too little; a screen named package and price, and was agreed to.
            Otp::None if self.rules.confirm_without_code && given == ConsentBy::Message => Some(Asks::Yes),
            Otp::None => None,
        }
    }

    fn send_offer(&mut self) {
        let now = self.now;
        if let Some(offer) = &mut self.purchase.offer {
            offer.sends += 1;
            offer.last_sent_at = now;
            let expires_at = offer.expires_at;
            self.wake_at(expires_at);
            self.tell(Notice::Offer);
        }
    }

    /// Has the channel set the money aside and text its code. Nothing is debited before `charge`.
    fn prepare(&mut self, price: Money) {
        let flight = self.channel_flight();
        let mut attempt = intent(format!("{}-c1", self.purchase.id), price, flight, self.now);
        attempt.status = AttemptStatus::Reserved;
        self.wake_at(attempt.send_by + flight.answer_within);
        self.purchase.charge = Some(attempt);
        self.call(ChannelCall::Prepare);
    }

    /// What the channel said while the offer is open: to prepare, or to an inquiry after it.
    pub(super) fn on_prepared(&mut self, call: ChannelCall, current: bool, finding: &Finding) {
        match finding {
            Finding::CodeSent => self.prepared(Asks::ChannelCode),
            // The channel asks the subscriber for nothing: then we do, for no money moves without a consent.
            Finding::Reserved => self.prepared(Asks::Code),
            Finding::NotCharged(decline) if current => self.nothing_reserved(*decline),
            Finding::NotSent { .. } if current && call == ChannelCall::Prepare => {
                self.nothing_reserved(Decline::of(Reason::Busy));
            }
            Finding::NotFound if current && self.is_past_flight() => {
                self.nothing_reserved(Decline::of(Reason::Busy));
            }
            Finding::Charged { .. }
            | Finding::NotCharged(_)
            | Finding::AwaitsPayment { .. }
            | Finding::WrongCode(_)
            | Finding::NotFound
            | Finding::NotSent { .. }
            | Finding::Unknown { .. }
            | Finding::Refunded { .. }
            | Finding::NotRefunded(_) => self.ask_about_reservation(),
        }
    }

    /// An answered code that no channel has judged is nobody's consent: nothing is charged on it.
    fn nothing_reserved(&mut self, decline: Decline) {
        self.withdraw_consent();
        self.not_charged(decline);
    }

    fn prepared(&mut self, asks: Asks) {
        let Some(offer) = &mut self.purchase.offer else { return };
        let first = offer.sends == 0;
        if first {
            offer.asks = asks;
        }
        let (expires_at, answered) = (offer.expires_at, offer.answered.is_some());
        self.purchase.asked = 0;
        self.wake_at(expires_at);
        match (answered && asks == Asks::ChannelCode, first) {
            (true, _) if !self.consent_is_valid() => self.expire(),
            (true, _) => {
                self.channel_has_offered();
                self.charge();
            }
            // A code answered before there was one to answer is no consent to what is asked now.
            (false, true) => {
                self.withdraw_consent();
                self.send_offer();
            }
            (false, false) => {}
        }
    }

    /// Whether the channel has yet to say what became of prepare. A handle is no answer: it may still be processing.
    fn awaits_prepare(&self) -> bool {
        let unsaid =
            self.purchase.offer.as_ref().is_some_and(|offer| offer.asks == Asks::ChannelCode && offer.sends == 0);
        unsaid && self.purchase.charge.is_some()
    }

    /// The channel's own text was the offer.
    pub(super) fn channel_has_offered(&mut self) {
        let now = self.now;
        if let Some(offer) = &mut self.purchase.offer {
            offer.sends += 1;
            offer.last_sent_at = now;
        }
    }

    fn ask_about_reservation(&mut self) {
        let pause = self.plan_pause(self.channel_flight());
        let expires_at = self.purchase.offer.as_ref().map_or(self.now, |offer| offer.expires_at);
        self.wake_at((self.now + pause).min(expires_at.max(self.now + 1)));
    }

    pub(super) fn on_offer_timer(&mut self) {
        let Some(offer) = &self.purchase.offer else { return };
        if self.now >= offer.expires_at {
            self.expire();
        } else if self.awaits_prepare() {
            self.purchase.asked += 1;
            self.call(ChannelCall::InquireCharge);
            self.ask_about_reservation();
        } else {
            let expires_at = offer.expires_at;
            self.wake_at(expires_at);
        }
    }

    /// An offer of a journal that may have lost its code, and the charge on it, is asked about before it is given up.
    fn doubt_offer(&mut self) -> bool {
        let untouched = |charge: &Attempt| charge.status == AttemptStatus::Reserved;
        let Some(price) = self.purchase.price() else { return false };
        if !self.may_have_lost() || !self.purchase.charge.as_ref().is_none_or(untouched) {
            return false;
        }
        let key = format!("{}-c1", self.purchase.id);
        let attempt = intent(key, price, self.channel_flight(), self.now);
        let charge = self.purchase.charge.get_or_insert(attempt);
        charge.status = AttemptStatus::Unknown;
        self.enter(State::ChargeUnknown);
        self.inquire_charge();
        true
    }

    fn expire(&mut self) {
        if self.doubt_offer() {
            return;
        }
        self.end(State::Expired, None, Notice::Expired);
        self.release();
    }

    pub(super) fn on_asked_again(&mut self) {
        let resend = self.purchase.offer.as_ref().is_some_and(|offer| {
            offer.asks != Asks::ChannelCode && offer.sends < self.rules.otp_sends && self.now < offer.expires_at
        });
        if self.state() == State::Offered && resend {
            self.send_offer();
        }
    }

    /// The subscriber answered an offer. One commit decides between the answer and the expiry.
    pub(super) fn on_answer(&mut self, input: &Input) {
        let Some(offer) = self.purchase.offer.as_mut().filter(|_| self.purchase.state == State::Offered) else {
            return;
        };
        if self.now >= offer.expires_at {
            return self.expire();
        }
        match (input, offer.asks) {
            (Input::CodeRight, Asks::Code) => self.consent(ConsentBy::Code),
            (Input::Yes, Asks::Yes) => self.consent(ConsentBy::Yes),
            (Input::CodeWrong, Asks::Code) => self.wrong_code(),
            (Input::ChannelCode { code }, Asks::ChannelCode) => {
                offer.answered = Some(code.clone());
                self.consent(ConsentBy::ChannelCode);
            }
            _ => {}
        }
    }

    /// Counts a wrong code; the last one allowed ends the purchase.
    pub(super) fn wrong_code(&mut self) {
        let Some(offer) = &mut self.purchase.offer else { return };
        offer.tries_left = offer.tries_left.saturating_sub(1);
        offer.answered = None;
        let (tries_left, expires_at) = (offer.tries_left, offer.expires_at);
        if tries_left == 0 {
            let decline = Decline::of(Reason::OtpLocked);
            self.end(State::Declined, Some(decline), Notice::CodesUsedUp);
            self.release();
        } else if self.now >= expires_at {
            self.expire();
        } else {
            self.wake_at(expires_at);
            self.tell(Notice::WrongCode { tries_left });
        }
    }

    fn consent(&mut self, by: ConsentBy) {
        self.purchase.consent = Some(Consent { given_at: self.now, by });
        // A channel's code may come before its answer to prepare; the charge then waits for that answer.
        if !self.awaits_prepare() {
            self.charge();
        }
    }

    pub(super) fn on_cancel(&mut self) {
        match self.state() {
            State::Charging if !holds(Rule::ConsentEndsCancelling) => {
                self.end(State::Cancelled, None, Notice::Cancelled);
            }
            // Nothing was charged and nothing is under way.
            State::Charging if self.purchase.retry.is_some() => {
                self.give_up_retry(State::Cancelled, None, Notice::Cancelled);
            }
            // What a partner has charged cannot be taken back here.
            State::Requested if self.purchase.is_prepaid() => {}
            State::Offered if self.doubt_offer() => {}
            State::Requested | State::Offered => {
                self.end(State::Cancelled, None, Notice::Cancelled);
                self.release();
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
            | State::Declined
            | State::Expired
            | State::Cancelled
            | State::Refunded
            | State::Refused => {}
        }
    }
}
