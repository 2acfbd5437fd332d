//! A charge made anew, hours later, where the one before moved nothing and the advice is to wait (seed 001). Each attempt
//! has a key of its own; none is made without proof about the one before, nor on a consent that has lapsed.

use super::turn::{Turn, intent};
use crate::law::{Rule, holds};
use crate::purchase::evidence::{Advice, ChannelAnswer, Decline, Finding};
use crate::purchase::input::{ChannelCall, Notice};
use crate::purchase::offer::ConsentBy;
use crate::purchase::record::{Attempt, AttemptStatus, Micros, Purchase, Retry, ReviewReason, State};

/// A charge that is held off by a frozen channel is looked at at least this often.
const HELD_OFF_AT_MOST: Micros = 3_600 * 1_000_000;

impl Turn<'_> {
    /// Has the charge made anew later, where advice, policy and consent allow it. False: it is not.
    pub(super) fn put_off(&mut self, decline: Decline) -> bool {
        let Some(at) = self.retry_at(decline) else { return false };
        let attempt = u32::try_from(self.purchase.former.len()).map_or(u32::MAX, |former| former.saturating_add(2));
        self.enter(State::Charging);
        self.purchase.retry = Some(Retry { attempt, at, decline });
        self.wake_at(at);
        self.tell(Notice::PutOff { decline });
        true
    }

    fn retry_at(&self, decline: Decline) -> Option<Micros> {
        let at = self.now + self.next_pause()?;
        let moved_nothing = self.purchase.charge.as_ref().is_some_and(|charge| charge.status == AttemptStatus::Failed);
        let proven = moved_nothing || !holds(Rule::RetryStandsOnProof);
        let by_link = self.has_handed_out() || self.channel().is_some_and(|channel| channel.link_ttl.is_some());
        let may = decline.advice == Advice::Wait && proven && !by_link && self.purchase.review.is_none();
        (may && self.consent_stands_for_retry(at)).then_some(at)
    }

    /// The pause before the attempt after the present one, if there is to be one.
    fn next_pause(&self) -> Option<Micros> {
        self.channel()?.retry.get(self.purchase.former.len()).copied()
    }

    /// Whether the first consent stands for a charge made anew then. A code that the channel judged opened one
    /// reservation, which is gone: it stands for no other.
    fn consent_stands_for_retry(&self, at: Micros) -> bool {
        let Some((consent, channel)) = self.purchase.consent.as_ref().zip(self.channel()) else { return false };
        let valid = at < consent.given_at.saturating_add(channel.retry_consent) || !holds(Rule::RetryStandsOnConsent);
        valid && matches!(consent.by, ConsentBy::Code | ConsentBy::Yes | ConsentBy::Message | ConsentBy::Screen)
    }

    /// Until when the consent may be acted on by the present charge.
    pub(super) fn consent_ends_at(&self) -> Option<Micros> {
        let given_at = self.purchase.consent.as_ref()?.given_at;
        let valid = match self.channel().filter(|_| !self.purchase.former.is_empty()) {
            Some(channel) => channel.retry_consent,
            None => self.rules.consent_valid,
        };
        Some(given_at.saturating_add(valid))
    }

    /// Since when the present charge is agreed to: the consent, or a later attempt's own beginning.
    pub(super) fn charge_agreed_at(&self) -> Option<Micros> {
        let given_at = self.purchase.consent.as_ref()?.given_at;
        Some(self.purchase.charge.as_ref().map_or(given_at, |charge| charge.intended_at.max(given_at)))
    }

    /// The pause is over: policy, consent and channel are looked at as they are now.
    pub(super) fn on_retry_timer(&mut self, retry: Retry) {
        if self.now < retry.at {
            self.wake_at(retry.at);
        } else if self.next_pause().is_none() || !self.consent_stands_for_retry(self.now) {
            self.give_up_retry(State::Declined, Some(retry.decline), Notice::Declined { decline: retry.decline });
        } else if self.is_frozen() {
            let at = self.now + self.plan_pause(self.channel_flight()).min(HELD_OFF_AT_MOST);
            self.purchase.asked += 1;
            self.purchase.retry = Some(Retry { at, ..retry });
            self.wake_at(at);
        } else {
            self.charge_anew();
        }
    }

    /// No further attempt is made. A journal that may have lost one asks about it before that is said.
    pub(super) fn give_up_retry(&mut self, end: State, decline: Option<Decline>, notice: Notice) {
        self.forget_code();
        if !self.may_have_lost() {
            return self.end_once(end, decline, notice);
        }
        let Some(price) = self.purchase.price() else { return };
        self.purchase.former.extend(self.purchase.charge.take());
        self.purchase.consent = None;
        let lost = intent(self.charge_key(), price, self.channel_flight(), self.now);
        self.purchase.charge = Some(Attempt { status: AttemptStatus::Unknown, ..lost });
        self.enter(State::ChargeUnknown);
        self.inquire_charge();
    }

    /// The key of the first charge, or of the next.
    pub(super) fn charge_key(&self) -> String {
        let attempt = self.purchase.former.len() + 1;
        format!("{}-c{attempt}", self.purchase.id)
    }

    /// The next attempt, under a key that was never used.
    fn charge_anew(&mut self) {
        self.purchase.former.extend(self.purchase.charge.take());
        self.charge();
    }

    /// What is heard of an earlier charge. It was proven to have moved nothing, so only money that moved is news. Where
    /// nothing else stands it is the charge, now; beside another it is one too many, and a person's.
    pub(super) fn on_former_charge(&mut self, key: &str, answer: &ChannelAnswer) {
        if !matches!(answer.finding, Finding::Charged { .. }) || !is_news_of_former(&self.purchase, key) {
            return;
        }
        let alone = stands_alone(&self.purchase);
        let Some(former) = self.purchase.former.iter_mut().find(|former| former.key == key) else {
            return self.review(ReviewReason::Contradiction);
        };
        former.handle = answer.handle.clone().or_else(|| former.handle.take());
        former.peer_reference = answer.peer_reference.clone().or_else(|| former.peer_reference.take());
        match &mut self.purchase.charge {
            Some(charge) if alone => {
                std::mem::swap(former, charge);
                self.on_charge(ChannelCall::InquireCharge, true, &answer.finding);
            }
            _ => {
                former.status = AttemptStatus::Succeeded;
                self.review(ReviewReason::Contradiction);
                if self.is_unknown_beside_another() {
                    self.wake_for_inquiry(self.channel_flight());
                }
            }
        }
    }

    /// An earlier charge has moved money, and nobody knows yet whether the present one has too.
    pub(super) fn is_unknown_beside_another(&self) -> bool {
        let unknown = |charge: &Attempt| matches!(charge.status, AttemptStatus::Intended | AttemptStatus::Unknown);
        let moved = |former: &Attempt| former.status == AttemptStatus::Succeeded;
        self.purchase.review == Some(ReviewReason::Contradiction)
            && self.purchase.charge.as_ref().is_some_and(unknown)
            && self.purchase.former.iter().any(moved)
    }

    /// It is asked about all the same: whoever looks must know of both.
    pub(super) fn inquire_beside_another(&mut self) {
        self.call(ChannelCall::InquireCharge);
        self.tell_checking_if_it_is_time();
        self.wake_for_inquiry(self.channel_flight());
    }

    pub(super) fn settle_beside_another(&mut self, current: bool, finding: &Finding) {
        let past_flight = self.is_past_flight();
        let Some(charge) = &mut self.purchase.charge else { return };
        match finding {
            Finding::Charged { .. } => charge.status = AttemptStatus::Succeeded,
            Finding::NotCharged(_) if current => charge.status = AttemptStatus::Failed,
            Finding::NotFound | Finding::Reserved | Finding::CodeSent if current && past_flight => {
                charge.status = AttemptStatus::Failed;
            }
            _ => {}
        }
    }
}

impl Turn<'_> {
    /// A channel speaks of an earlier charge by itself: that is no proof, but where it says that money moved, a reason to
    /// ask. Beside another charge only a person can.
    pub(super) fn on_former_notified(&mut self, key: &str, paid: bool, digest: &str) {
        self.purchase.take_notify(digest);
        let alone = stands_alone(&self.purchase);
        let (former, charge) = (&mut self.purchase.former, &mut self.purchase.charge);
        let former = former.iter_mut().find(|former| former.key == key && former.status == AttemptStatus::Failed);
        match former.zip(charge.as_mut()).filter(|_| paid) {
            None => {}
            Some((former, charge)) if alone => {
                std::mem::swap(former, charge);
                // What was withdrawn is given back if it was paid.
                self.purchase.consent =
                    self.purchase.consent.take().filter(|_| self.purchase.state != State::Cancelled);
                self.doubt_charge(paid);
            }
            Some(_) => self.review(ReviewReason::Contradiction),
        }
    }
}

/// Whether an answer is about another charge than the present one.
pub(super) fn is_of_former(purchase: &Purchase, call: ChannelCall, key: &str) -> bool {
    let other = purchase.charge.as_ref().is_some_and(|charge| charge.key != key);
    other && !key.is_empty() && !call.is_of_refund()
}

/// Whether "charged" says something new of this earlier charge.
pub(super) fn is_news_of_former(purchase: &Purchase, key: &str) -> bool {
    let known = |former: &Attempt| former.key == key && former.status == AttemptStatus::Succeeded;
    !purchase.former.iter().any(known)
}

/// Whether an earlier charge that moved money after all would be the only one: the present one has moved nothing, and
/// nobody has said what became of the purchase.
pub(super) fn stands_alone(purchase: &Purchase) -> bool {
    let failed = purchase.charge.as_ref().is_some_and(|charge| charge.status == AttemptStatus::Failed);
    let no_other = purchase.former.iter().all(|former| former.status == AttemptStatus::Failed);
    failed && no_other && purchase.state != State::Review
}
