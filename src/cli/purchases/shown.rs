//! Purchases as people read them: aligned, in local time, the state in colour where there are eyes.

use super::rendering::{paint, rendered_timeline};
use super::view::{grant_id, other};
use crate::cli::table::{Cell, RED, Table};
use crate::engine::door::PARTNER;
use crate::journal::rows::{AttemptRow, Listed, Story};
use crate::purchase::fault::Fault;
use crate::purchase::record::{Order, Retry, ReviewReason, State};
use crate::story::moment::local;
use crate::story::timeline::tone;

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
            Cell::new(&order.number()),
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

pub(super) fn story(story: &Story, fault: Option<Fault>, raw: bool, colour: bool) -> String {
    let mut text = facts(story, fault, colour) + "\n";
    let kinds = [("charge", &story.charges), ("grant", &story.grants), ("refund", &story.refunds)];
    let mut table = Table::default();
    table.heading(&["ATTEMPT", "KEY", "STATE", "AMOUNT", "SENDS", "PEER'S REFERENCE"]);
    let mut any = false;
    for (name, attempts) in kinds {
        any |= !attempts.is_empty();
        attempts.iter().for_each(|row| attempt(&mut table, name, row));
    }
    if any {
        text += &(table.render(colour) + "\n");
    }
    text + &rendered_timeline(story, raw, colour)
}

fn facts(story: &Story, fault: Option<Fault>, colour: bool) -> String {
    let (purchase, order) = (&story.purchase, &story.purchase.order);
    let mut table = Table::default();
    table.facts([
        ("id", purchase.id.as_str()),
        ("created", &local(purchase.created_at)),
        ("number", &order.msisdn.map_or_else(|| "none was named".to_owned(), |msisdn| msisdn.e164())),
        ("account", &order.account),
        ("package", &format!("{} {}", order.service, order.package)),
        ("price", &purchase.price().map_or_else(|| "not known yet".to_owned(), |price| price.to_string())),
        ("channel", &order.channel),
        ("came by", &came_by(order)),
    ]);
    table.row([Cell::new("state"), state(purchase.state)]);
    table.facts([("paid", purchase.paid().as_str()), ("granted", purchase.granted())]);
    table.facts(purchase.review.iter().map(|reason| ("review", reason.as_str())));
    table.facts(purchase.verdict.iter().map(|verdict| ("verdict", verdict.as_str())));
    table.facts(grant_id(story).iter().map(|id| ("grant id", *id)));
    table.facts(purchase.due_at.map(local).iter().map(|due| ("looked at", due.as_str())));
    table.facts(purchase.retry.map(retry).iter().map(|retry| ("tried again", retry.as_str())));
    table.facts(fault.map(|fault| told(&fault)).iter().flatten().map(|(name, value)| (*name, value.as_str())));
    let others = story.surplus.iter().map(|pair| format!("charged twice: see {} too", other(pair, &purchase.id)));
    table.facts(others.collect::<Vec<_>>().iter().map(|other| ("surplus", other.as_str())));
    table.render(colour)
}

fn retry(retry: Retry) -> String {
    format!("{}, attempt {}: {}", local(retry.at), retry.attempt, retry.decline.reason.as_str())
}

/// Hop, whose fault, the money, and what to do.
fn told(fault: &Fault) -> Vec<(&'static str, String)> {
    let mut facts = vec![("went wrong at", format!("{}, by {}", fault.hop.as_str(), fault.party.as_str()))];
    facts.extend(
        fault.gives_back.map(|gives_back| ("given back", format!("{} by the channel itself", gives_back.as_str()))),
    );
    facts.push(("to do", fault.care.sentence().to_owned()));
    facts
}

/// Its door, and how its subscriber is told, where that is possible.
fn came_by(order: &Order) -> String {
    let Order { door, channel, link, short_code, app, .. } = order;
    let by = match app {
        Some(app) => format!("{door} {}", app.name),
        None if door == PARTNER => format!("{door} {channel}"),
        None => return format!("{door} {link}, short code {short_code}"),
    };
    if order.is_texted() {
        format!("{by}, told by {link} from {short_code}")
    } else {
        format!("{by}, its subscriber is not texted")
    }
}

fn attempt(table: &mut Table, name: &str, row: &AttemptRow) {
    let attempt = &row.attempt;
    table.row([
        Cell::new(name),
        Cell::new(&attempt.key),
        Cell::new(attempt.status.as_str()),
        Cell::new(&attempt.amount.to_string()),
        Cell::new(&attempt.sends.to_string()),
        Cell::new(attempt.peer_reference.as_deref().unwrap_or_default()),
    ]);
}

fn state(state: State) -> Cell {
    Cell::painted(state.as_str(), tone(state).map(paint))
}
