//! Paying at the channel's own page. Handing out the link is letting the charge out: from then on money may move without
//! us, until the link has ended and nothing of it can be under way. Never takes a notify for proof: it asks.

use super::turn::Turn;
use crate::law::{Rule, holds};
use crate::purchase::evidence::{Decline, Reason};
use crate::purchase::input::{ChannelCall, Notice};
use crate::purchase::record::{AttemptStatus, ReviewReason, State};

impl Turn<'_> {
    /// The page stands at the channel and nothing has been paid there.
    pub(super) fn on_page(&mut self, call: ChannelCall, url: Option<&str>, begun: bool) {
        match url {
            // Whoever has begun to pay is not proven not to.
            _ if begun && self.link_has_ended() => self.charge_unknown(call),
            _ if self.has_handed_out() && self.is_past_flight() => self.link_expired(),
            // What was asked before the link's end proves nothing after it; the next inquiry stands already.
            _ if self.has_handed_out() && self.link_has_ended() => self.charge_unknown(call),
            _ if self.has_handed_out() => self.await_user(),
            Some(url) => self.hand_out(call, url),
            // Nobody can pay at a page whose address was lost with the answer that opened it.
            None if self.is_past_flight() && !self.may_have_lost() => {
                self.unpaid(State::Declined, Some(LOST), Notice::Declined { decline: LOST })
            }
            None => self.charge_unknown(call),
        }
    }

    pub(super) fn has_handed_out(&self) -> bool {
        self.purchase.offer.as_ref().is_some_and(|offer| offer.pay_url.is_some())
    }

    /// Whether a subscriber may have a link, known to us or handed out before the journal lost it.
    fn may_be_out(&self) -> bool {
        self.has_handed_out() || self.may_have_lost()
    }

    fn hand_out(&mut self, call: ChannelCall, url: &str) {
        let (now, flight) = (self.now, self.channel_flight());
        let link_ttl = self.channel().and_then(|channel| channel.link_ttl);
        let (Some(link_ttl), Some(offer), Some(charge)) =
            (link_ttl, &mut self.purchase.offer, &mut self.purchase.charge)
        else {
            return self.charge_unknown(call);
        };
        offer.pay_url = Some(url.to_owned());
        offer.sends += 1;
        offer.last_sent_at = now;
        offer.expires_at = now + link_ttl;
        charge.status = AttemptStatus::Unknown;
        // A send of its own: what was asked before it says nothing of what is paid by it.
        (charge.sends, charge.send_by) = (charge.sends + 1, now);
        if holds(Rule::LinkCanBePaidAt) {
            charge.in_flight_until = charge.in_flight_until.max(offer.expires_at + flight.max_flight);
        }
        self.tell(Notice::PayAt);
        self.await_user();
    }

    /// Waits for the payment, asking along the plan.
    fn await_user(&mut self) {
        if self.state() != State::AwaitingUser {
            let asked = self.purchase.asked;
            self.enter(State::AwaitingUser);
            // The plan goes on where it was, or a bank that wavers would be asked without a pause.
            self.purchase.asked = asked;
            self.wake_for_payment();
        }
    }

    /// The next time of the plan, or when the link's end makes the last inquiry a proof.
    fn wake_for_payment(&mut self) {
        let last = self.purchase.charge.as_ref().map_or(self.now, |charge| charge.in_flight_until + 1);
        let next = self.now + self.plan_pause(self.channel_flight());
        self.purchase.asked += 1;
        self.wake_at(next.min(last));
    }

    /// `AwaitingUser`'s timer. What the last inquiry does not prove is unknown, as any charge.
    pub(super) fn ask_whether_paid(&mut self) {
        self.call(ChannelCall::InquireCharge);
        if self.link_has_ended() {
            self.enter(State::ChargeUnknown);
            self.wake_at(self.now + self.channel_flight().answer_within);
        } else {
            self.wake_for_payment();
        }
    }

    /// Nothing of the link can be under way any more.
    fn link_has_ended(&self) -> bool {
        self.purchase.charge.as_ref().is_some_and(|charge| charge.in_flight_until < self.now)
    }

    /// The channel itself has no verdict on the payment: the subscriber did what was to be done.
    pub(super) fn payment_unknown(&mut self) {
        let asked = self.purchase.asked;
        self.enter(State::ChargeUnknown);
        self.purchase.asked = asked;
        self.wake_for_inquiry(self.channel_flight());
    }

    /// Nothing was paid by the link, and nothing can be any more.
    pub(super) fn link_expired(&mut self) {
        self.unpaid(State::Expired, None, Notice::Expired);
    }

    fn unpaid(&mut self, end: State, decline: Option<Decline>, notice: Notice) {
        if let Some(charge) = &mut self.purchase.charge {
            charge.status = AttemptStatus::Failed;
        }
        self.end_once(end, decline, notice);
    }

    /// A channel spoke by itself. Where the money is unknown it is asked at once; where a link was given up and the
    /// channel says that money moved by it, it is unknown again. What is settled stays so: there, only an answer is news.
    pub(super) fn on_notified(&mut self, paid: bool, digest: &str) {
        self.purchase.take_notify(digest);
        match self.state() {
            State::ChargeUnknown | State::AwaitingUser => self.ask_after_word(paid),
            State::Review if self.purchase.review == Some(ReviewReason::ChargeUnknown) => self.ask_after_word(paid),
            State::Charging => self.doubt_charge(paid),
            State::Declined | State::Expired | State::Cancelled | State::Refused if paid && self.may_be_out() => {
                self.doubt_charge(paid);
            }
            State::Requested
            | State::Offered
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

    /// What was asked before the word of a payment says nothing against it: its answer is of a send before. So also where
    /// the word opens again what was given up.
    fn ask_after_word(&mut self, paid: bool) {
        if let Some(charge) = self.purchase.charge.as_mut().filter(|_| paid) {
            charge.sends += 1;
        }
        self.call(ChannelCall::InquireCharge);
    }

    /// The charge may have moved money after all. One that is proven not to have is doubted only for word of a payment.
    pub(super) fn doubt_charge(&mut self, paid: bool) {
        let Some(charge) = &mut self.purchase.charge else { return };
        if paid || charge.status != AttemptStatus::Failed {
            charge.sends += u32::from(paid);
            charge.status = AttemptStatus::Unknown;
            self.enter(State::ChargeUnknown);
            self.inquire_charge();
        }
    }
}

/// What a page is to its subscriber that was opened and never told of.
const LOST: Decline = Decline::of(Reason::Busy);
