//! Purchases as people read them: aligned, in local time, the state in colour where there are eyes.

use super::moment::local;
use super::view::grant_id;
use crate::cli::table::{Cell, GREEN, RED, Table, YELLOW};
use crate::journal::rows::{AttemptRow, Listed, Story};
use crate::purchase::record::{ReviewReason, State};

const HEADING: [&str; 11] =
    ["CREATED", "ID", "NUMBER", "ACCOUNT", "PACKAGE", "PRICE", "CHANNEL", "STATE", "PAID", "GRANTED", "REVIEW"];

pub(super) fn list(found: &[Listed], colour: bool) -> String {
    if found.is_empty() {
        return "no purchase matches\n".to_owned();
    }
    let mut table = Table::default();
    table.heading(&HEADING);
    for Listed { purchase, .. } in found {
        let order = &purchase.order;
        table.row([
            Cell::new(&local(purchase.created_at)),
            Cell::new(&purchase.id),
            Cell::new(&order.msisdn.e164()),
            Cell::new(&order.account),
            Cell::new(&format!("{} {}", order.service, order.package)),
            Cell::new(&purchase.price().map(|price| price.to_string()).unwrap_or_default()),
            Cell::new(&order.channel),
            state(purchase.state),
            Cell::new(purchase.paid().as_str()),
            Cell::new(purchase.granted()),
            Cell::painted(purchase.review.map_or("", ReviewReason::as_str), Some(RED)),
        ]);
    }
    table.render(colour)
}

pub(super) fn story(story: &Story, colour: bool) -> String {
    let mut text = facts(story, colour) + "\n" + &events(story, colour);
    for (name, attempts) in [("CHARGE", &story.charges), ("GRANT", &story.grants), ("REFUND", &story.refunds)] {
        if !attempts.is_empty() {
            text += &format!("\n{}", self::attempts(name, attempts, colour));
        }
    }
    if !story.replies.is_empty() {
        text += &format!("\n{}", replies(story, colour));
    }
    text
}

fn facts(story: &Story, colour: bool) -> String {
    let (purchase, order) = (&story.purchase, &story.purchase.order);
    let mut table = Table::default();
    table.facts([
        ("id", purchase.id.as_str()),
        ("created", &local(purchase.created_at)),
        ("number", &order.msisdn.e164()),
        ("account", &order.account),
        ("package", &format!("{} {}", order.service, order.package)),
        ("price", &purchase.price().map_or_else(|| "not known yet".to_owned(), |price| price.to_string())),
        ("channel", &order.channel),
        ("came by", &format!("{} {}, short code {}", order.door, order.link, order.short_code)),
    ]);
    table.row([Cell::new("state"), state(purchase.state)]);
    table.facts([("paid", purchase.paid().as_str()), ("granted", purchase.granted())]);
    table.facts(purchase.review.iter().map(|reason| ("review", reason.as_str())));
    table.facts(grant_id(story).iter().map(|id| ("grant id", *id)));
    table.facts(purchase.due_at.map(local).iter().map(|due| ("looked at", due.as_str())));
    table.render(colour)
}

fn events(story: &Story, colour: bool) -> String {
    let mut table = Table::default();
    table.heading(&["AT", "WHAT HAPPENED", "FROM", "TO"]);
    for event in &story.events {
        let cells = [&local(event.at), &event.kind, &event.state_from, &event.state_to];
        table.row(cells.map(|text| Cell::new(text)));
    }
    table.render(colour)
}

fn attempts(name: &str, attempts: &[AttemptRow], colour: bool) -> String {
    let mut table = Table::default();
    table.heading(&[name, "AT", "STATE", "AMOUNT", "SENDS", "PEER'S REFERENCE"]);
    for AttemptRow { attempt, .. } in attempts {
        table.row([
            Cell::new(&attempt.key),
            Cell::new(&local(attempt.intended_at)),
            Cell::new(attempt.status.as_str()),
            Cell::new(&attempt.amount.to_string()),
            Cell::new(&attempt.sends.to_string()),
            Cell::new(attempt.peer_reference.as_deref().unwrap_or_default()),
        ]);
    }
    table.render(colour)
}

fn replies(story: &Story, colour: bool) -> String {
    let mut table = Table::default();
    table.heading(&["REPLY", "AT", "STATE", "TEXT"]);
    for (reply, status) in &story.replies {
        table.row([&reply.kind, &local(reply.at), status, &reply.text].map(|text| Cell::new(text)));
    }
    table.render(colour)
}

/// Green where all is well, yellow where nobody knows, red where a person is needed.
fn state(state: State) -> Cell {
    let colour = match state {
        State::Done | State::Refunded => Some(GREEN),
        State::ChargeUnknown | State::GrantUnknown | State::RefundUnknown => Some(YELLOW),
        State::Review => Some(RED),
        State::Requested
        | State::Offered
        | State::Charging
        | State::AwaitingUser
        | State::Granting
        | State::Refunding
        | State::Declined
        | State::Expired
        | State::Cancelled
        | State::Refused => None,
    };
    Cell::painted(state.as_str(), colour)
}
