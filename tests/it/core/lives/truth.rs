//! What must be true of every step and of every end, judged by the peers' own books and never by the purchase's opinion.

use super::world::{Question, World};
use crate::core::sample::PRICE;
use paygate::config::Otp;
use paygate::purchase::input::{ChannelCall, Effect, GrantCall, Input, Notice};
use paygate::purchase::offer::{Asks, ConsentBy};
use paygate::purchase::record::{Attempt, AttemptStatus, Micros, Purchase, State};
use paygate::purchase::{Step, next};

/// How often the phone showed each outcome.
#[derive(Debug, Default)]
pub(super) struct Told {
    pub(super) done: u32,
    pub(super) refunded: u32,
    pub(super) checking: u32,
    /// Declined, or the codes used up.
    pub(super) declined: u32,
    pub(super) expired: u32,
    pub(super) cancelled: u32,
    /// Refused, or busy.
    pub(super) refused: u32,
}

impl Told {
    pub(super) fn count(&mut self, notice: Notice) {
        let counter = match notice {
            Notice::Done => &mut self.done,
            Notice::Refunded => &mut self.refunded,
            Notice::Checking => &mut self.checking,
            Notice::Declined { .. } | Notice::CodesUsedUp => &mut self.declined,
            Notice::Expired => &mut self.expired,
            Notice::Cancelled => &mut self.cancelled,
            Notice::Refused { .. } | Notice::Busy => &mut self.refused,
            Notice::Offer | Notice::PayAt | Notice::WrongCode { .. } | Notice::CodeAgain | Notice::PutOff { .. } => {
                return;
            }
        };
        *counter += 1;
    }

    const fn counts(&self) -> [u32; 7] {
        [self.done, self.refunded, self.checking, self.declined, self.expired, self.cancelled, self.refused]
    }
}

/// A request that may do what is to be done once.
pub(super) const fn moves(question: Question) -> bool {
    match question {
        Question::Channel(ChannelCall::Prepare | ChannelCall::Charge | ChannelCall::Refund)
        | Question::Grant(GrantCall::Grant) => true,
        Question::Check
        | Question::Channel(ChannelCall::InquireCharge | ChannelCall::CancelCharge | ChannelCall::InquireRefund)
        | Question::Grant(GrantCall::InquireGrant) => false,
    }
}

pub(super) const fn attempt_of(purchase: &Purchase, question: Question) -> Option<&Attempt> {
    match question {
        Question::Check => None,
        Question::Grant(_) => purchase.grant.as_ref(),
        Question::Channel(ChannelCall::Refund | ChannelCall::InquireRefund) => purchase.refund.as_ref(),
        Question::Channel(
            ChannelCall::Prepare | ChannelCall::Charge | ChannelCall::InquireCharge | ChannelCall::CancelCharge,
        ) => purchase.charge.as_ref(),
    }
}

fn hold(stands: bool, rule: &str) -> Result<(), String> {
    if stands { Ok(()) } else { Err(rule.to_owned()) }
}

const CHARGE: Question = Question::Channel(ChannelCall::Charge);
const REFUND: Question = Question::Channel(ChannelCall::Refund);
const GRANT: Question = Question::Grant(GrantCall::Grant);

/// Whether such a request may still take effect.
fn in_flight(world: &World, question: Question) -> bool {
    world.requests.iter().any(|request| request.question == question && request.acts_at.is_some())
}

fn status(attempt: Option<&Attempt>) -> Option<AttemptStatus> {
    attempt.map(|attempt| attempt.status)
}

pub(super) fn of_step(world: &World, input: &Input, step: &Step, wall: Micros) -> Result<(), String> {
    let (before, after) = (&world.purchase, &step.purchase);
    hold(after.version == before.version + 1, "the version grows by one")?;
    hold(after.order == before.order && after.id == before.id, "what was asked for never changes")?;
    hold(
        after.state.is_end() || after.due_at.is_some_and(|due| due > wall),
        "a purchase that is open has a time to come at which it is looked at",
    )?;
    hold(
        !after.state.is_end() || after.due_at.is_none() || is_reserved(after),
        "an end wakes nobody but to let go of what is set aside",
    )?;
    hold((after.state == State::Review) == after.review.is_some(), "a review has its reason")?;
    prepaid(before, input, after)?;
    proven(world, after)?;
    for effect in &step.effects {
        of_effect(world, after, effect, wall)?;
    }
    let by_a_person = matches!(input, Input::Remedy { .. });
    hold(
        before.state != State::Review || by_a_person || !step.effects.iter().any(moves_money),
        "no money is moved for a purchase in review, unless a person has it moved",
    )?;
    hold(
        !matches!(input, Input::Resolve { .. } | Input::Inquire { .. })
            || step.effects.iter().all(|effect| !moves_money(effect) && !gives(effect)),
        "what an operator says moves nothing",
    )?;
    hold(
        *input != Input::Timer || step.effects.iter().all(|effect| !is_verdict(effect)),
        "no timer is a verdict on money",
    )
}

/// Money that a partner has taken is never the end of it by our own word: given for, or in a person's hands.
fn prepaid(before: &Purchase, input: &Input, after: &Purchase) -> Result<(), String> {
    if !after.is_prepaid() {
        return Ok(());
    }
    let by_a_person = matches!(input, Input::Resolve { .. } | Input::Remedy { .. }) || before.state == after.state;
    hold(
        !after.state.is_end() || after.state == State::Done || by_a_person,
        "what a partner has charged does not end without the package unless a person says so",
    )?;
    hold(after.charge.as_ref().is_some_and(|charge| charge.sends == 0), "no charge is sent for what is paid already")
}

fn is_reserved(purchase: &Purchase) -> bool {
    status(purchase.charge.as_ref()) == Some(AttemptStatus::Reserved)
}

const fn moves_money(effect: &Effect) -> bool {
    matches!(effect, Effect::Call { call: ChannelCall::Charge | ChannelCall::Refund })
}

const fn gives(effect: &Effect) -> bool {
    matches!(effect, Effect::Give { call: GrantCall::Grant })
}

/// What only evidence may say. A charge that waits to be sent again and may not be is declined by its timer: that is no
/// verdict, the proof was heard before.
const fn is_verdict(effect: &Effect) -> bool {
    matches!(effect, Effect::Tell { notice: Notice::Done | Notice::Refunded })
}

/// What the purchase says of its money is so, in the books and on the wires.
fn proven(world: &World, after: &Purchase) -> Result<(), String> {
    let books = &world.channel;
    if let Some(AttemptStatus::Failed | AttemptStatus::Reserved) = status(after.charge.as_ref()) {
        hold(books.charges == 0 && !in_flight(world, CHARGE), "a charge is called not made only when it was not")?;
        hold(!world.link_is_good(), "a charge is called not made only when its link can be paid at no more")?;
    }
    if status(after.charge.as_ref()) == Some(AttemptStatus::Succeeded) {
        hold(books.charges > 0, "a charge is called made only when it was")?;
    }
    if status(after.grant.as_ref()) == Some(AttemptStatus::Succeeded) {
        hold(world.packages.grants > 0, "a grant is called made only when it was")?;
    }
    if status(after.refund.as_ref()) == Some(AttemptStatus::Succeeded) {
        hold(books.refunds > 0, "a refund is called made only when it was")?;
    }
    Ok(())
}

fn of_effect(world: &World, after: &Purchase, effect: &Effect, wall: Micros) -> Result<(), String> {
    let (books, packages) = (&world.channel, &world.packages);
    match effect {
        Effect::Call { call: ChannelCall::Charge } => {
            intended(after.charge.as_ref(), wall)?;
            hold(after.state == State::Charging, "a charge is let out while charging")?;
            hold(!world.is_frozen(), "no charge begins on a frozen channel")?;
            agreed(world, after, wall)?;
            hold(books.charges == 0, "no charge is let out when one was made")?;
            let failed = |former: &Attempt| former.status == AttemptStatus::Failed;
            hold(
                after.former.iter().all(failed),
                "no charge is let out beside another key that is not proven unmoved",
            )?;
            let keys: std::collections::BTreeSet<_> =
                after.former.iter().chain(&after.charge).map(|charge| &charge.key).collect();
            hold(keys.len() == after.former.len() + 1, "each attempt has a key of its own")?;
            hold(keys.len() <= 4, "at most four attempts")?;
            hold(!in_flight(world, CHARGE), "no charge is let out while one is in flight")
        }
        Effect::Call { call: ChannelCall::Refund } => {
            intended(after.refund.as_ref(), wall)?;
            hold(
                status(after.charge.as_ref()) == Some(AttemptStatus::Succeeded),
                "only a proven charge is given back",
            )?;
            hold(packages.grants == 0 && !in_flight(world, GRANT), "no refund beside a grant, made or in flight")?;
            hold(books.refunds == 0 && !in_flight(world, REFUND), "no second refund")
        }
        Effect::Give { call: GrantCall::Grant } => {
            intended(after.grant.as_ref(), wall)?;
            hold(status(after.charge.as_ref()) == Some(AttemptStatus::Succeeded), "only a proven charge is granted")?;
            hold(books.charges > 0 && books.debits == PRICE, "nothing is granted for another amount")?;
            let back = books.refunds > 0 || in_flight(world, REFUND);
            hold(
                status(after.refund.as_ref()).is_none_or(|it| it == AttemptStatus::Failed) && !back,
                "no grant beside a refund",
            )?;
            let again = packages.grants > 0 || in_flight(world, GRANT);
            hold(packages.recognises_keys || !again, "no second grant where it would be another one")
        }
        Effect::Call { call: ChannelCall::Prepare } => {
            hold(!world.is_frozen(), "nothing is set aside on a frozen channel")
        }
        Effect::Check | Effect::Call { .. } | Effect::Give { .. } | Effect::Tell { .. } => Ok(()),
    }
}

fn intended(attempt: Option<&Attempt>, wall: Micros) -> Result<(), String> {
    let stands = attempt.is_some_and(|attempt| attempt.status == AttemptStatus::Intended && attempt.send_by > wall);
    hold(stands, "what moves money stands under an intent whose send deadline is ahead")
}

/// The subscriber's own confirmation of the offer, as the configuration asks for it.
fn agreed(world: &World, after: &Purchase, wall: Micros) -> Result<(), String> {
    let (Some(consent), Some(offer)) = (&after.consent, &after.offer) else {
        return Err("no charge without a consent".to_owned());
    };
    let valid = match world.rules.channels.get("viettel").filter(|_| !after.former.is_empty()) {
        Some(channel) => channel.retry_consent,
        None => world.rules.consent_valid,
    };
    hold(wall < consent.given_at + valid, "no charge on a consent that is no longer valid")?;
    let fits = match consent.by {
        ConsentBy::Code => offer.asks == Asks::Code,
        ConsentBy::ChannelCode => offer.asks == Asks::ChannelCode && world.channel.texts_code,
        ConsentBy::Yes => offer.asks == Asks::Yes,
        ConsentBy::Payment => offer.asks == Asks::Payment,
        ConsentBy::Partner | ConsentBy::Lost => false,
        ConsentBy::Screen => world.begins_agreed && world.rules.menu_otp == Otp::None && !after.order.repeat,
        ConsentBy::Message => world.rules.otp == Otp::None && !world.rules.confirm_without_code && !after.order.repeat,
    };
    hold(fits, "the consent is of the kind that was asked for, and a code that nobody judges is none")
}

/// When nothing more can happen: the money is where the purchase says, and the phone was told once.
pub(super) fn at_rest(world: &World) -> Result<(), String> {
    let (books, packages, told) = (&world.channel, &world.packages, &world.told);
    hold(books.charges <= 1, "at most one charge")?;
    hold(world.earlier.values().all(|book| book.charges == 0), "no charge under an earlier key")?;
    hold(books.refunds <= books.charges, "no more given back than charged")?;
    hold(packages.grants <= 1, "at most one grant")?;
    hold(packages.grants == 0 || books.charges == 1, "nothing granted that was not paid")?;
    hold(packages.grants == 0 || books.refunds == 0, "no package and its money both")?;
    hold(told.counts().iter().all(|count| *count <= 1), "no outcome is told twice")?;
    match world.purchase.state {
        State::Done => {
            hold(packages.grants == 1 && books.refunds == 0 && told.done == 1, "done: paid, granted and told")
        }
        State::Refunded => hold(books.refunds == 1 && told.refunded == 1, "refunded: given back and told"),
        State::Declined => hold(books.charges == 0 && told.declined == 1, "declined: not charged and told"),
        State::Expired => hold(books.charges == 0 && told.expired == 1, "expired: not charged and told"),
        State::Cancelled => hold(books.charges == 0 && told.cancelled == 1, "cancelled: not charged and told"),
        State::Refused => hold(books.charges == 0 && told.refused == 1, "refused: not charged and told"),
        State::Review => hold(told.checking == 1, "review: told that it is being checked"),
        State::Requested
        | State::Offered
        | State::Charging
        | State::ChargeUnknown
        | State::AwaitingUser
        | State::Granting
        | State::GrantUnknown
        | State::Refunding
        | State::RefundUnknown => Err("an open purchase came to rest".to_owned()),
    }
}

/// The journal's bodies are JSON: nothing may be lost on the way there and back.
pub(super) fn through_json(input: &Input, after: &Purchase) -> Result<(), String> {
    let again = |error: serde_json::Error| format!("JSON: {error}");
    let read: Purchase = serde_json::from_str(&serde_json::to_string(after).map_err(again)?).map_err(again)?;
    let heard: Input = serde_json::from_str(&serde_json::to_string(input).map_err(again)?).map_err(again)?;
    hold(read == *after && heard == *input, "the journal reads what was written")
}

/// Applying the events anew gives the purchase that stands.
pub(super) fn folded(world: &World, born: &Purchase, events: &[(Input, Micros, bool)]) -> Result<(), String> {
    let mut purchase = born.clone();
    let mut rules = world.rules.clone();
    for (input, wall, frozen) in events {
        rules.frozen = frozen.then(|| "viettel".to_owned()).into_iter().collect();
        purchase = next(&rules, &purchase, input, *wall).purchase;
    }
    hold(purchase == world.purchase, "the fold of the events is the purchase")
}
