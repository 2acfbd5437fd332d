//! The record of each durable step: one line in the system's journal, counted, and shown to whoever watches. Told only of
//! what is durable; never holds a code, and numbers are masked.

use crate::journal::rows::{EventRow, Unit};
use crate::purchase::evidence::Reason;
use crate::purchase::{Purchase, State};
use crate::telemetry::{message_ids, metrics as names};
use tracing::Level;

/// The events of a unit, kept while the unit is being committed; none where nobody would hear of them.
pub(super) fn of(unit: &Unit, watched: bool) -> Vec<EventRow> {
    if watched || tracing::enabled!(Level::INFO) { unit.events.clone() } else { Vec::new() }
}

/// `journalctl PURCHASE=…` tells one purchase's life by these records.
pub(super) fn tell(purchase: &Purchase, events: &[EventRow]) {
    for event in events {
        match worth_acting_on(event, purchase) {
            Some((message_id, what)) => tracing::warn!(
                message_id,
                purchase = purchase.id,
                channel = purchase.order.channel,
                msisdn = purchase.order.msisdn.map(display),
                state = event.state_to,
                from = event.state_from,
                "{}: {what}",
                event.kind
            ),
            None => tracing::info!(
                purchase = purchase.id,
                channel = purchase.order.channel,
                msisdn = purchase.order.msisdn.map(display),
                state = event.state_to,
                from = event.state_from,
                "{}",
                event.kind
            ),
        }
    }
}

/// Steps that an operator may have to act on, with their fixed identity: those that came into such a state.
fn worth_acting_on(event: &EventRow, purchase: &Purchase) -> Option<(&'static str, &'static str)> {
    if event.kind == "resolve" && event.state_from != event.state_to {
        return Some((message_ids::RESOLVED, "a person has said what became of it"));
    }
    let came_into = |state: State| event.state_to == state.as_str() && event.state_from != event.state_to;
    let ended = came_into(State::Declined) || came_into(State::Refused);
    if ended && purchase.declined_for() == Some(Reason::Config) {
        Some((message_ids::WE_ARE_REFUSED, "our own configuration is refused; nothing was charged"))
    } else if came_into(State::ChargeUnknown) {
        Some((message_ids::CHARGE_UNKNOWN, "money may have moved; it is being asked about"))
    } else if came_into(State::GrantUnknown) {
        Some((message_ids::GRANT_UNKNOWN, "the package may have been granted; it is being asked about"))
    } else if came_into(State::Review) {
        Some((message_ids::REVIEW, purchase.review.map_or("a person must look at it", |reason| reason.as_str())))
    } else if came_into(State::Refunding) {
        Some((message_ids::REFUND_ISSUED, "the money is being given back"))
    } else {
        None
    }
}

/// A purchase that came to rest, or to a person.
pub(super) fn count(purchase: &Purchase) {
    if purchase.state.is_end() || purchase.state == State::Review {
        let channel = purchase.order.channel.clone();
        metrics::counter!("paygate_purchases_total", "state" => purchase.state.as_str(), "channel" => channel)
            .increment(1);
    }
}

/// Money that was taken and that nothing stood for: what became of it stands in the purchase.
pub(super) fn tell_of_extra_charges(purchase: &Purchase, count: u64) {
    if count > 0 {
        let channel = &purchase.order.channel;
        metrics::counter!(names::EXTRA_CHARGES, "channel" => channel.clone()).increment(count);
        tracing::error!(
            message_id = message_ids::EXTRA_CHARGE,
            purchase = purchase.id,
            channel,
            msisdn = purchase.order.msisdn.map(display),
            state = purchase.state.as_str(),
            "money was taken that nothing stood for"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::worth_acting_on;
    use crate::engine::decide::tests::{SECOND, START, allowed, answer, channel, decide, desk, known, purchase};
    use crate::purchase::evidence::{Advice, Cause, Decline, Finding, Reason};
    use crate::purchase::input::{ChannelCall, Input, Person};
    use crate::purchase::record::Verdict;
    use crate::telemetry::message_ids;

    /// The fixed record of the step that these inputs end with.
    fn record(inputs: Vec<Input>, last: Input) -> Option<&'static str> {
        let desk = desk();
        let before = purchase(&desk, inputs);
        let (decisions, _) = decide(&desk, &known(&before), START + 60 * SECOND, vec![answer(&before, last)]);
        let unit = &decisions[0].unit;
        let after = &unit.purchase.as_ref()?.purchase;
        worth_acting_on(&unit.events[0], after).map(|(message_id, _)| message_id)
    }

    fn confirmed() -> Vec<Input> {
        vec![allowed(), Input::CodeRight]
    }

    #[test]
    fn what_needs_a_person_has_its_record_and_what_does_not_has_none() {
        let by = Person { act: 1, operator: "lan".to_owned(), reason: "seen".to_owned(), evidence: None, second: None };
        let in_review = [confirmed(), vec![Input::Timer; 45]].concat();
        let refused_with = |reason| Finding::NotCharged(Decline::new(reason, Advice::Technical));
        let silence = Finding::Unknown { cause: Cause::NoAnswer };
        for (inputs, last, expected) in [
            (in_review, Input::Resolve { verdict: Verdict::Declined, by }, Some(message_ids::RESOLVED)),
            (
                confirmed(),
                channel(ChannelCall::Charge, 1, refused_with(Reason::Config)),
                Some(message_ids::WE_ARE_REFUSED),
            ),
            (confirmed(), channel(ChannelCall::Charge, 1, silence), Some(message_ids::CHARGE_UNKNOWN)),
            (confirmed(), channel(ChannelCall::Charge, 1, refused_with(Reason::NoMoney)), None),
            (vec![allowed()], Input::CodeWrong, None),
        ] {
            assert_eq!(record(inputs, last), expected);
        }
    }
}
