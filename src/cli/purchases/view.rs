//! A purchase as other programs read it. The keys are a promise; new ones may come, none changes.

use crate::config::GivesBack;
use crate::journal::rows::{ActOutcome, ActRow, AttemptRow, EventRow, Listed, MessageRow, ReplyRow, Story, Surplus};
use crate::purchase::Purchase;
use crate::purchase::evidence::Decline;
use crate::purchase::fault::Fault;
use crate::purchase::record::{AttemptStatus, Retry, ReviewReason};
use crate::story::moment::utc;
use crate::story::timeline::octets;
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
    /// The app that ordered it; absent where none did.
    #[serde(skip_serializing_if = "Option::is_none")]
    app: Option<&'p str>,
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
    /// Where the charge moved nothing and is made anew later.
    #[serde(skip_serializing_if = "Option::is_none")]
    retry: Option<Waiting>,
    grant_id: Option<&'p str>,
}

#[derive(Serialize)]
struct Waiting {
    attempt: u32,
    at: String,
    reason: &'static str,
    advice: u8,
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
    texts: Vec<Text<'p>>,
    /// What operators did to it.
    acts: Vec<Act<'p>>,
    /// Why it failed, and what that advises; null where it did not.
    decline: Option<Declined>,
    /// Null where nothing went wrong.
    fault: Option<Wrong>,
    /// Other purchases that make a pair with it: the same package, charged twice.
    surplus: Vec<Pair<'p>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    raw: Option<Raw<'p>>,
}

#[derive(Serialize)]
struct Declined {
    reason: &'static str,
    /// 1 to 6 (seed 001).
    advice: u8,
}

#[derive(Serialize)]
struct Wrong {
    hop: &'static str,
    party: &'static str,
    /// Whether the channel gives the money back by itself; null where it was never asked for any.
    gives_back: Option<&'static str>,
    care: &'static str,
    to_do: &'static str,
}

#[derive(Serialize)]
struct Pair<'p> {
    other: &'p str,
    found_at: String,
}

#[derive(Serialize)]
struct Text<'p> {
    at: String,
    kind: &'p str,
    status: &'p str,
    text: &'p str,
}

#[derive(Serialize)]
struct Act<'p> {
    number: i64,
    at: String,
    operator: &'p str,
    verb: &'static str,
    reason: &'p str,
    evidence: Option<&'p str>,
    /// Null until a daemon has taken it.
    done_at: Option<String>,
    outcome: Option<&'static str>,
}

/// With `--raw`: what was sent and what came in, octet by octet.
#[derive(Serialize)]
struct Raw<'p> {
    requests: Vec<Request<'p>>,
    messages: Vec<Message<'p>>,
}

#[derive(Serialize)]
struct Request<'p> {
    key: &'p str,
    request: &'p str,
    sha256: &'p str,
}

#[derive(Serialize)]
struct Message<'p> {
    at: String,
    verdict: &'p str,
    data_coding: Option<i64>,
    /// Hex; null while it holds a code that may still be good.
    octets: Option<String>,
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
            app: order.app.as_ref().map(|app| app.name.as_str()),
            msisdn: order.number(),
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
            retry: purchase.retry.map(Waiting::of),
            grant_id,
        }
    }
}

impl Waiting {
    fn of(Retry { attempt, at, decline }: Retry) -> Self {
        Self { attempt, at: utc(at), reason: decline.reason.as_str(), advice: decline.advice.number() }
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
    pub(super) fn of(story: &'p Story, fault: Option<Fault>, raw: bool) -> Self {
        let pair = |pair: &'p Surplus| Pair { other: other(pair, &story.purchase.id), found_at: utc(pair.at) };
        Self {
            listing: Listing::new(&story.purchase, &story.charges, grant_id(story)),
            events: story.events.iter().map(Event::of).collect(),
            texts: story.replies.iter().map(Text::of).collect(),
            acts: story.acts.iter().map(Act::of).collect(),
            decline: story.purchase.decline.map(Declined::of),
            fault: fault.as_ref().map(Wrong::of),
            surplus: story.surplus.iter().map(pair).collect(),
            raw: raw.then(|| Raw::of(story)),
        }
    }
}

impl Declined {
    const fn of(decline: Decline) -> Self {
        Self { reason: decline.reason.as_str(), advice: decline.advice.number() }
    }
}

impl Wrong {
    fn of(fault: &Fault) -> Self {
        Self {
            hop: fault.hop.as_str(),
            party: fault.party.as_str(),
            gives_back: fault.gives_back.map(GivesBack::as_str),
            care: fault.care.as_str(),
            to_do: fault.care.sentence(),
        }
    }
}

/// The other purchase of a pair.
pub(super) fn other<'p>(pair: &'p Surplus, id: &str) -> &'p str {
    if pair.first == id { &pair.second } else { &pair.first }
}

impl<'p> Text<'p> {
    fn of((reply, status): &'p (ReplyRow, String)) -> Self {
        Self { at: utc(reply.at), kind: &reply.kind, status, text: &reply.text }
    }
}

impl<'p> Act<'p> {
    fn of(row: &'p ActRow) -> Self {
        let act = &row.act;
        Self {
            number: row.number,
            at: utc(row.at),
            operator: &act.operator,
            verb: act.deed.verb(),
            reason: &act.reason,
            evidence: act.evidence.as_deref(),
            done_at: row.done.map(|(at, _)| utc(at)),
            outcome: row.done.map(|(_, outcome)| ActOutcome::as_str(outcome)),
        }
    }
}

impl<'p> Raw<'p> {
    fn of(story: &'p Story) -> Self {
        let attempts = story.charges.iter().chain(&story.grants).chain(&story.refunds);
        let request =
            |row: &'p AttemptRow| Request { key: &row.attempt.key, request: &row.request, sha256: &row.fingerprint };
        let message = |message: &'p MessageRow| Message {
            at: utc(message.at),
            verdict: &message.verdict,
            data_coding: message.data_coding,
            octets: octets(story, message),
        };
        Self { requests: attempts.map(request).collect(), messages: story.messages.iter().map(message).collect() }
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
