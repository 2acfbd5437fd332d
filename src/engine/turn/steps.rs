//! The record of each durable step: one line in the system's journal, counted, and shown to whoever watches. Told only of
//! what is durable; never holds a code, and numbers are masked.

use crate::journal::rows::{EventRow, Unit};
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
                msisdn = %purchase.order.msisdn,
                state = event.state_to,
                from = event.state_from,
                "{}: {what}",
                event.kind
            ),
            None => tracing::info!(
                purchase = purchase.id,
                channel = purchase.order.channel,
                msisdn = %purchase.order.msisdn,
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
    if came_into(State::ChargeUnknown) {
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
            msisdn = %purchase.order.msisdn,
            state = purchase.state.as_str(),
            "money was taken that nothing stood for"
        );
    }
}
