//! The neighbours' own books about one purchase, held against the journal. The books are never corrected by what the
//! journal says: where the two differ, that is what is shown.

use super::card::Tone;
use super::stage::Neighbours;
use crate::journal::rows::{AttemptRow, Story};
use crate::purchase::money::{Currency, Money};
use crate::purchase::record::{Micros, State};
use crate::sandbox::partner::Payment;
use crate::sandbox::{billing, packages, pay123};
use serde::Serialize;
use std::fmt;

#[derive(Serialize)]
pub(super) struct Books {
    /// Who takes the money: the channel, by its name.
    payer: String,
    billing: Vec<Line>,
    packages: Vec<Line>,
    #[serde(flatten)]
    verdict: Verdict,
}

/// One entry.
#[derive(Serialize)]
struct Line {
    at: Micros,
    says: String,
    /// The peer's own number for it.
    reference: String,
}

/// Whether books and journal agree.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Verdict {
    tone: Tone,
    verdict: String,
}

/// How often each thing was done, by whoever did it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Counts {
    charged: u32,
    given_back: u32,
    granted: u32,
}

const NOTHING: Counts = Counts { charged: 0, given_back: 0, granted: 0 };

pub(super) fn books(story: &Story, neighbours: &Neighbours, started_at: Micros) -> Books {
    let Neighbours { billing, bank, packages, .. } = neighbours;
    let pay123 = &bank.pay123;
    let keys = |rows: &[AttemptRow]| -> Vec<String> { rows.iter().map(|row| row.attempt.key.clone()).collect() };
    let (charges, refunds) = (keys(&story.charges), keys(&story.refunds));
    let id = &story.purchase.id;
    let told: Vec<Payment> = partners_payments(story, neighbours);
    let counts = Counts {
        charged: charges.iter().map(|key| billing.debits(key) + pay123.debits(key)).sum::<u32>() + told.len() as u32,
        given_back: refunds.iter().map(|key| billing.refunds(key)).sum::<u32>()
            + given_back_by_itself(billing, &charges),
        granted: packages.grants_of(id),
    };
    let is_ours = |entry: &billing::Entry| charges.contains(&entry.key) || refunds.contains(&entry.key);
    let money = billing.entries().into_iter().filter(is_ours).map(money_line);
    let orders = pay123.entries().into_iter().filter(|entry| charges.contains(&entry.key)).map(order_line);
    Books {
        payer: story.purchase.order.channel.clone(),
        billing: money.chain(orders).chain(told.into_iter().map(payment_line)).collect(),
        packages: packages.entries().into_iter().filter(|entry| entry.purchase_id == *id).map(grant_line).collect(),
        verdict: if story.purchase.created_at < started_at {
            Verdict { tone: Tone::Plain, verdict: "from an earlier run, whose simulated books are gone".to_owned() }
        } else {
            verdict(story.purchase.state, story.purchase.is_prepaid(), counts)
        },
    }
}

/// How often the operator gave back what nobody had asked it to.
fn given_back_by_itself(billing: &billing::Billing, charges: &[String]) -> u32 {
    let given_back =
        |entry: &billing::Entry| entry.kind == billing::EntryKind::Refunded && charges.contains(&entry.key);
    billing.entries().iter().filter(|entry| given_back(entry)).count() as u32
}

/// What stands in the partner's own book of what it told us.
fn partners_payments(story: &Story, neighbours: &Neighbours) -> Vec<Payment> {
    let told = story.charges.iter().filter(|_| story.purchase.is_prepaid());
    told.filter_map(|row| neighbours.partner.payment(row.attempt.peer_reference.as_deref()?)).collect()
}

fn payment_line(payment: Payment) -> Line {
    let amount = Money::new(payment.sale.amount, Currency::VND);
    Line {
        at: payment.charged_at.as_microsecond(),
        says: format!("debited {amount} in its shop"),
        reference: payment.id,
    }
}

fn money_line(entry: billing::Entry) -> Line {
    let amount = Money::new(entry.amount, Currency::VND);
    let says = match entry.kind {
        billing::EntryKind::CodeTexted => "code texted".to_owned(),
        billing::EntryKind::Reserved => format!("reserved {amount}"),
        billing::EntryKind::Debited => format!("debited {amount}"),
        billing::EntryKind::Denied => "denied".to_owned(),
        billing::EntryKind::Released => "reservation released".to_owned(),
        billing::EntryKind::Refunded => format!("refunded {amount}"),
    };
    Line { at: entry.at, says, reference: entry.id }
}

fn order_line(entry: pay123::Entry) -> Line {
    let amount = Money::new(entry.amount, Currency::VND);
    let says = match entry.kind {
        pay123::EntryKind::Ordered => format!("ordered {amount}"),
        pay123::EntryKind::Debited => format!("debited {amount}"),
        pay123::EntryKind::Failed => "cancelled or refused".to_owned(),
    };
    Line { at: entry.at, says, reference: entry.id }
}

fn grant_line(entry: packages::Entry) -> Line {
    let says = match entry.kind {
        packages::EntryKind::Granted => format!("granted {} to {}", entry.package, entry.account),
        packages::EntryKind::Revoked => format!("took back {} from {}", entry.package, entry.account),
    };
    Line { at: entry.at, says, reference: entry.grant_id }
}

/// `prepaid`: charged before the journal knew of it.
fn verdict(state: State, prepaid: bool, books: Counts) -> Verdict {
    let told = |tone, verdict| Verdict { tone, verdict };
    let expected = match state {
        State::Done => Counts { charged: 1, given_back: 0, granted: 1 },
        State::Refunded => Counts { charged: 1, given_back: 1, granted: 0 },
        State::Requested if prepaid => Counts { charged: 1, ..NOTHING },
        State::Requested | State::Offered | State::Declined | State::Expired | State::Cancelled | State::Refused => {
            NOTHING
        }
        // What is under way may or may not stand in the books already.
        State::Charging | State::ChargeUnknown | State::AwaitingUser => Counts { granted: 0, ..books },
        State::Granting | State::GrantUnknown => Counts { charged: 1, given_back: 0, ..books },
        State::Refunding | State::RefundUnknown => Counts { charged: 1, granted: 0, ..books },
        State::Review => books,
    };
    if books.charged > 1 || books.given_back > 1 || books.granted > 1 || books != expected {
        return told(Tone::Review, format!("{books} — but the journal says {}", state.as_str().replace('_', " ")));
    }
    match state {
        State::Review => told(Tone::Review, format!("{books} — a person decides, paygate moves no more money")),
        State::ChargeUnknown | State::GrantUnknown | State::RefundUnknown => {
            told(Tone::Unknown, format!("{books} — paygate cannot see this, so it asks"))
        }
        State::Requested
        | State::Offered
        | State::Charging
        | State::AwaitingUser
        | State::Granting
        | State::Refunding => told(Tone::Plain, format!("{books} so far")),
        State::Done | State::Declined | State::Expired | State::Cancelled | State::Refunded | State::Refused => {
            told(Tone::Good, books.to_string())
        }
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", times("charged", self.charged))?;
        if self.given_back > 0 {
            write!(f, ", {}", times("given back", self.given_back))?;
        }
        write!(f, ", {}", times("granted", self.granted))
    }
}

fn times(what: &str, count: u32) -> String {
    match count {
        0 => format!("not {what}"),
        1 => format!("{what} once"),
        more => format!("{what} {more} times"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says(state: State, charged: u32, given_back: u32, granted: u32) -> (Tone, String) {
        let Verdict { tone, verdict } = verdict(state, false, Counts { charged, given_back, granted });
        (tone, verdict)
    }

    #[test]
    fn an_end_is_green_only_where_the_books_say_the_same() {
        assert_eq!(says(State::Done, 1, 0, 1), (Tone::Good, "charged once, granted once".to_owned()));
        assert_eq!(
            says(State::Refunded, 1, 1, 0),
            (Tone::Good, "charged once, given back once, not granted".to_owned())
        );
        for state in [State::Declined, State::Expired, State::Cancelled, State::Refused] {
            assert_eq!(says(state, 0, 0, 0), (Tone::Good, "not charged, not granted".to_owned()));
            assert_eq!(says(state, 1, 0, 0).0, Tone::Review);
        }
        for (charged, given_back, granted) in [(0, 0, 0), (1, 0, 0), (0, 0, 1), (1, 1, 1)] {
            assert_eq!(says(State::Done, charged, given_back, granted).0, Tone::Review);
        }
    }

    #[test]
    fn twice_is_never_right() {
        for state in State::ALL {
            for (charged, given_back, granted) in [(2, 0, 0), (2, 0, 1), (1, 2, 0), (1, 0, 2)] {
                let (tone, words) = says(state, charged, given_back, granted);
                assert_eq!(tone, Tone::Review, "{state:?}");
                assert!(words.contains("2 times"), "{words}");
            }
        }
    }

    #[test]
    fn nothing_is_charged_before_the_subscriber_agrees() {
        for state in [State::Requested, State::Offered] {
            assert_eq!(says(state, 0, 0, 0).0, Tone::Plain);
            assert_eq!(says(state, 1, 0, 0).0, Tone::Review);
        }
    }

    #[test]
    fn what_is_unknown_is_called_so_whatever_the_books_say() {
        for charged in [0, 1] {
            assert_eq!(says(State::ChargeUnknown, charged, 0, 0).0, Tone::Unknown);
        }
    }
}
