//! One purchase as the page shows it: where it stands, what happened to it, and what the books say. Made anew from the
//! journal's own story each time; keeps nothing.

use super::books::{self, Books};
use super::phones::Phone;
use super::progress::{self, Step};
use super::stage::Neighbours;
use crate::journal::rows::{EventRow, Story};
use crate::purchase::input::Input;
use crate::purchase::record::{Micros, Purchase, State};
use crate::story::{self, Who};
use serde::Serialize;
use serde_json::{Value, json};

/// How a line is to be looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Tone {
    Plain,
    Good,
    /// Not known yet.
    Unknown,
    /// Ended without a package, and nobody lost anything.
    Ended,
    /// Somebody has to look.
    Review,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Card {
    id: String,
    /// The telephone's number in national form, where it is one of ours.
    number: Option<&'static str>,
    name: Option<&'static str>,
    /// By which way it was asked for.
    door: String,
    account: String,
    service: String,
    package: String,
    price: Option<String>,
    state: &'static str,
    says: String,
    tone: Tone,
    steps: Vec<Step>,
    /// The code that the telephone was texted, while it may be answered.
    code: Option<String>,
    created_at: Micros,
    updated_at: Micros,
    /// When paygate asks again, while something is unknown.
    asks_at: Option<Micros>,
    events: Vec<Event>,
    books: Books,
}

/// One line of the journal.
#[derive(Serialize)]
struct Event {
    seq: i64,
    at: Micros,
    /// Since the line before; none for the first.
    after: Option<Micros>,
    who: String,
    says: String,
    /// What the peer said, as the driver noted it.
    heard: Option<String>,
    tone: Tone,
    /// The row as it stands in the journal.
    row: Value,
}

impl Card {
    pub(super) fn new(story: &Story, phone: Option<&Phone>, neighbours: &Neighbours, started_at: Micros) -> Self {
        let purchase = &story.purchase;
        Self {
            id: purchase.id.clone(),
            number: phone.map(|phone| phone.number),
            name: phone.map(|phone| phone.name),
            door: purchase.order.door.clone(),
            account: purchase.order.account.clone(),
            service: purchase.order.service.clone(),
            package: purchase.order.package.clone(),
            price: purchase.price().map(|price| price.to_string()),
            state: purchase.state.as_str(),
            says: story::state(purchase),
            tone: tone(purchase.state),
            steps: progress::steps(purchase),
            code: phone.and_then(|phone| code(story, phone)),
            created_at: purchase.created_at,
            updated_at: purchase.updated_at,
            asks_at: purchase.due_at.filter(|_| tone(purchase.state) == Tone::Unknown),
            events: events(story),
            books: books::books(story, neighbours, started_at),
        }
    }
}

fn code(story: &Story, phone: &Phone) -> Option<String> {
    let offered = story.purchase.state == State::Offered;
    let mut offers = story.replies.iter().rev().filter(|(reply, _)| offered && reply.text.contains("{otp}"));
    offers.find_map(|(reply, _)| phone.code_received(&reply.text))
}

fn events(story: &Story) -> Vec<Event> {
    let before = std::iter::once(None).chain(story.events.iter().map(Some));
    before.zip(&story.events).map(|(before, row)| event(&story.purchase, before, row)).collect()
}

fn event(purchase: &Purchase, before: Option<&EventRow>, row: &EventRow) -> Event {
    let input: Option<Input> = serde_json::from_str(&row.body).ok();
    let told = input.as_ref().map(|input| story::event(input, row, purchase));
    // A row of a later version, which this one cannot read, is shown by its name.
    let (who, says) = told.unwrap_or_else(|| (Who::Gateway, row.kind.replace('_', " ")));
    let to = State::ALL.into_iter().find(|state| state.as_str() == row.state_to);
    Event {
        seq: row.seq,
        at: row.at,
        after: before.map(|before| row.at - before.at),
        who: who.word(purchase).to_owned(),
        says,
        heard: input.as_ref().and_then(story::heard).map(str::to_owned),
        tone: to.filter(|_| row.state_from != row.state_to).map_or(Tone::Plain, tone),
        row: json!({
            "purchase_id": row.purchase_id,
            "seq": row.seq,
            "at": row.at,
            "kind": row.kind,
            "from": row.state_from,
            "to": row.state_to,
            "body": serde_json::from_str::<Value>(&row.body).unwrap_or(Value::Null),
        }),
    }
}

const fn tone(state: State) -> Tone {
    match state {
        State::Requested
        | State::Offered
        | State::Charging
        | State::AwaitingUser
        | State::Granting
        | State::Refunding => Tone::Plain,
        State::ChargeUnknown | State::GrantUnknown | State::RefundUnknown => Tone::Unknown,
        State::Review => Tone::Review,
        State::Done => Tone::Good,
        State::Declined | State::Expired | State::Cancelled | State::Refused | State::Refunded => Tone::Ended,
    }
}
