//! A purchase as other programs read it. The keys are a promise; new ones may come, none changes.

use super::moment::utc;
use crate::journal::rows::{AttemptRow, EventRow, Listed, Story};
use crate::purchase::Purchase;
use crate::purchase::record::{AttemptStatus, ReviewReason};
use serde::Serialize;
use serde_json::Value;

/// One entry of `purchases list --json`. Numbers stand in full: whoever may read the configuration may read them.
#[derive(Serialize)]
pub(super) struct Listing<'p> {
    id: &'p str,
    created_at: String,
    door: &'p str,
    link: &'p str,
    short_code: &'p str,
    /// E.164.
    msisdn: String,
    account: &'p str,
    service: &'p str,
    package: &'p str,
    /// The price in minor units; null until the package manager has named it.
    amount: Option<i64>,
    currency: Option<String>,
    channel: &'p str,
    state: &'static str,
    paid: &'static str,
    granted: &'p str,
    review: Option<&'static str>,
    charges: Vec<Charge<'p>>,
    grant_id: Option<&'p str>,
}

#[derive(Serialize)]
struct Charge<'p> {
    key: &'p str,
    peer_reference: Option<&'p str>,
    state: &'static str,
    amount: i64,
}

/// `purchases show --json`: the entry of the list, and what happened.
#[derive(Serialize)]
pub(super) struct Told<'p> {
    #[serde(flatten)]
    listing: Listing<'p>,
    events: Vec<Event<'p>>,
}

#[derive(Serialize)]
struct Event<'p> {
    seq: i64,
    at: String,
    kind: &'p str,
    from: &'p str,
    to: &'p str,
    /// The input, without codes and what they are made of.
    body: Value,
}

impl<'p> Listing<'p> {
    pub(super) fn of(listed: &'p Listed) -> Self {
        Self::new(&listed.purchase, &listed.charges, listed.grant_id.as_deref())
    }

    fn new(purchase: &'p Purchase, charges: &'p [AttemptRow], grant_id: Option<&'p str>) -> Self {
        let (order, price) = (&purchase.order, purchase.price());
        Self {
            id: &purchase.id,
            created_at: utc(purchase.created_at),
            door: &order.door,
            link: &order.link,
            short_code: &order.short_code,
            msisdn: order.msisdn.e164(),
            account: &order.account,
            service: &order.service,
            package: &order.package,
            amount: price.map(|price| price.amount),
            currency: price.map(|price| price.currency.as_str().to_owned()),
            channel: &order.channel,
            state: purchase.state.as_str(),
            paid: purchase.paid().as_str(),
            granted: purchase.granted(),
            review: purchase.review.map(ReviewReason::as_str),
            charges: charges.iter().map(Charge::of).collect(),
            grant_id,
        }
    }
}

impl<'p> Charge<'p> {
    fn of(AttemptRow { attempt, .. }: &'p AttemptRow) -> Self {
        Self {
            key: &attempt.key,
            peer_reference: attempt.peer_reference.as_deref(),
            state: attempt.status.as_str(),
            amount: attempt.amount.amount,
        }
    }
}

impl<'p> Told<'p> {
    pub(super) fn of(story: &'p Story) -> Self {
        Self {
            listing: Listing::new(&story.purchase, &story.charges, grant_id(story)),
            events: story.events.iter().map(Event::of).collect(),
        }
    }
}

impl<'p> Event<'p> {
    fn of(event: &'p EventRow) -> Self {
        Self {
            seq: event.seq,
            at: utc(event.at),
            kind: &event.kind,
            from: &event.state_from,
            to: &event.state_to,
            body: without_codes(serde_json::from_str(&event.body).unwrap_or(Value::Null)),
        }
    }
}

/// The package manager's id of the grant that stands.
pub(super) fn grant_id(story: &Story) -> Option<&str> {
    let standing = story.grants.iter().rev().find(|grant| grant.attempt.status == AttemptStatus::Succeeded)?;
    standing.attempt.peer_reference.as_deref()
}

/// An answered code may still be good at its channel, and whoever has the key can make ours from the nonce.
pub(super) fn without_codes(mut body: Value) -> Value {
    match &mut body {
        Value::Object(fields) => {
            fields.retain(|name, _| !["code", "answered", "nonce"].contains(&name.as_str()));
            for value in fields.values_mut() {
                *value = without_codes(value.take());
            }
        }
        Value::Array(list) => list.iter_mut().for_each(|value| *value = without_codes(value.take())),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
    body
}
