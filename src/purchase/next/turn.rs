//! One turn of the transition function: the purchase being changed and the effects gathered so far. The small verbs here
//! keep what every step must keep: states and reviews set together, intents with their deadlines, a due time while open.

use crate::law::{Rule, holds};
use crate::purchase::evidence::{ChannelAnswer, Decline};
use crate::purchase::input::{ChannelCall, Effect, GrantCall, Notice, Step};
use crate::purchase::money::Money;
use crate::purchase::record::{Attempt, AttemptStatus, Micros, Purchase, ReviewReason, State};
use crate::purchase::rules::{ChannelRules, Flight, Rules};

/// An open purchase with nothing to ask is looked at this often all the same, so that none is ever forgotten.
const LOOK_AGAIN: Micros = 6 * 3_600 * 1_000_000;

/// A timer that is already over comes up at once, but never twice in one instant.
const SOON: Micros = 1_000;

pub(super) struct Turn<'a> {
    pub(super) rules: &'a Rules,
    pub(super) now: Micros,
    pub(super) purchase: Purchase,
    effects: Vec<Effect>,
    /// When the call was let out whose answer is heard now.
    called_at: Option<Micros>,
}

impl<'a> Turn<'a> {
    pub(super) fn new(rules: &'a Rules, purchase: &Purchase, now: Micros) -> Self {
        let mut purchase = purchase.clone();
        purchase.version += 1;
        purchase.updated_at = now;
        Self { rules, now, purchase, effects: Vec::new(), called_at: None }
    }

    pub(super) fn finish(mut self) -> Step {
        if !self.purchase.state.is_end() && holds(Rule::OpenIsDue) {
            self.purchase.due_at = self.purchase.due_at.or(Some(self.now + LOOK_AGAIN));
        }
        self.purchase.due_at = self.purchase.due_at.map(|due| due.max(self.now + SOON));
        Step { purchase: self.purchase, effects: self.effects }
    }

    pub(super) const fn state(&self) -> State {
        self.purchase.state
    }

    /// Moves on: the questions of the state before are answered, so their count and their timer go.
    pub(super) fn enter(&mut self, state: State) {
        self.purchase.state = state;
        self.purchase.review = None;
        self.purchase.retry = None;
        self.purchase.due_at = None;
        self.purchase.asked = 0;
    }

    pub(super) fn end(&mut self, state: State, decline: Option<Decline>, notice: Notice) {
        self.enter(state);
        self.purchase.decline = decline;
        self.purchase.told = Some(state);
        self.tell(notice);
    }

    /// The same for a subscriber who may have been told of this end before it was doubted.
    pub(super) fn end_once(&mut self, state: State, decline: Option<Decline>, notice: Notice) {
        if self.purchase.told == Some(state) {
            self.enter(state);
            self.purchase.decline = decline;
        } else {
            self.end(state, decline, notice);
        }
    }

    /// A person's to look at. The subscriber waits for that person and is told so in time, unless the outcome was told.
    pub(super) fn review(&mut self, reason: ReviewReason) {
        self.purchase.told_checking |= matches!(self.state(), State::Done | State::Refunded);
        self.enter(State::Review);
        self.purchase.review = Some(reason);
        self.purchase.due_at = self.checking_at();
    }

    pub(super) const fn wake_at(&mut self, at: Micros) {
        self.purchase.due_at = Some(at);
    }

    pub(super) fn tell(&mut self, notice: Notice) {
        self.effects.push(Effect::Tell { notice });
    }

    pub(super) fn check_effect(&mut self) {
        self.effects.push(Effect::Check);
    }

    pub(super) fn call(&mut self, call: ChannelCall) {
        self.effects.push(Effect::Call { call });
    }

    pub(super) fn give(&mut self, call: GrantCall) {
        self.effects.push(Effect::Give { call });
    }

    /// The input is the answer to a call that was let out then.
    pub(super) const fn hear(&mut self, called_at: Micros) {
        self.called_at = Some(called_at);
    }

    /// Whether what is heard now answers a call made when no request of this attempt could be under way any more. What
    /// a peer did not find before that may have arrived since, however late its answer is read.
    pub(super) fn asked_past_flight(&self, attempt: Option<&Attempt>) -> bool {
        attempt.zip(self.called_at).is_some_and(|(attempt, called_at)| attempt.in_flight_until < called_at)
    }

    /// The channel's promises. A channel that is no longer configured promises nothing: nothing can be cancelled or
    /// given back there, and what is unknown goes to a person. A partner that has charged promises as little, though a
    /// channel may have its name.
    pub(super) fn channel(&self) -> Option<&'a ChannelRules> {
        self.rules.channels.get(&self.purchase.order.channel).filter(|_| !self.purchase.is_prepaid())
    }

    /// Whether an operator lets no new charge begin on this channel. What is begun goes on.
    pub(super) fn is_frozen(&self) -> bool {
        self.rules.frozen.contains(&self.purchase.order.channel)
    }

    /// Whether the journal may have lost steps of this purchase.
    pub(super) fn may_have_lost(&self) -> bool {
        self.rules.lost_before.is_some_and(|before| self.purchase.created_at < before)
    }

    pub(super) fn channel_flight(&self) -> &'a Flight {
        self.channel().map_or(&self.rules.grant, |channel| &channel.flight)
    }

    /// Keeps what a driver wants to remember, whatever the answer means.
    pub(super) fn remember(&mut self, call: ChannelCall, answer: &ChannelAnswer) {
        // What a partner's payment is known by is what the partner said.
        if self.purchase.is_prepaid() {
            return;
        }
        let attempt = if call.is_of_refund() { &mut self.purchase.refund } else { &mut self.purchase.charge };
        if let Some(attempt) = attempt {
            attempt.handle = answer.handle.clone().or_else(|| attempt.handle.take());
            attempt.peer_reference = answer.peer_reference.clone().or_else(|| attempt.peer_reference.take());
        }
    }

    /// Whether an answer belongs to the newest send of its attempt. An answer to an earlier send proves that money
    /// moved, if it says so; it never proves that none did.
    pub(super) fn is_current(&self, call: ChannelCall, sends: u32) -> bool {
        let newest = self.purchase.attempt_of(call).is_some_and(|attempt| attempt.sends == sends);
        newest || !holds(Rule::OldAnswersDisproveNothing)
    }

    pub(super) fn grant_sends(&self) -> u32 {
        self.purchase.grant.as_ref().map_or(0, |grant| grant.sends)
    }
}

/// The intent to send, once more under the key that the attempt has, or first under `key`.
pub(super) fn intend(
    held: Option<Attempt>,
    key: impl FnOnce() -> String,
    amount: Money,
    flight: &Flight,
    now: Micros,
) -> Attempt {
    match held {
        Some(mut attempt) => {
            intend_again(&mut attempt, flight, now);
            attempt
        }
        None => intent(key(), amount, flight, now),
    }
}

/// A first intent under `key`.
pub(super) fn intent(key: String, amount: Money, flight: &Flight, now: Micros) -> Attempt {
    let send_by = now + flight.send_within;
    Attempt {
        key,
        sends: 1,
        status: AttemptStatus::Intended,
        amount,
        intended_at: now,
        send_by,
        in_flight_until: send_by + flight.max_flight,
        handle: None,
        peer_reference: None,
    }
}

/// A further send under the same key, with deadlines of its own.
fn intend_again(attempt: &mut Attempt, flight: &Flight, now: Micros) {
    attempt.sends += 1;
    attempt.status = AttemptStatus::Intended;
    attempt.send_by = now + flight.send_within;
    attempt.in_flight_until = attempt.in_flight_until.max(attempt.send_by + flight.max_flight);
}
