//! What is to be done about a row that did not match, with its evidence. Pure: proposes acts and writes none; what moves
//! money is the core's answer to an act, and a short is never anything but a person's (charging.md R003.5).

use super::matching::NUMBER;
use crate::config::Long;
use crate::journal::reconciliation::{DiscrepancyRow, Standing};
use crate::purchase::input::Remedy;
use crate::purchase::record::{AttemptStatus, Purchase, State};

/// What is to be done next, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// What a daemon is to be told to do for the purchase; nothing where only people can do something.
    pub remedy: Option<Remedy>,
    /// `statement viettel 2026-11-24 v1 line 17`.
    pub evidence: String,
    /// What it comes to, for a person.
    pub says: &'static str,
}

/// The row by its place, as an act's evidence names it.
#[must_use]
pub fn evidence(row: &DiscrepancyRow) -> String {
    let statement = format!("statement {} {} v{}", row.channel, row.day, row.version);
    match &row.row {
        Some((file, line)) => format!("{statement} line {line} of {file}"),
        None => format!("{statement}, which has no such row"),
    }
}

/// What is proposed. `purchase` is whose charge the row is, if it is anybody's of ours.
#[must_use]
pub fn propose(row: &DiscrepancyRow, purchase: Option<&Purchase>, policy: Long) -> Proposal {
    let (remedy, says) = match (row.standing, purchase) {
        (Standing::Long, Some(purchase)) => long(row, purchase, policy),
        (standing, _) => (None, by_people(standing)),
    };
    Proposal { remedy, evidence: evidence(row), says }
}

/// What only people can find out; nothing of it is done by itself.
const fn by_people(standing: Standing) -> &'static str {
    match standing {
        Standing::Long => "no purchase of ours: ask the channel whose it is, and have it given back there",
        Standing::Short => "ask the channel for its definite word",
        Standing::Differs => "ask the channel which amount or number is right",
        Standing::Duplicate => "charged or listed twice: ask the channel, and have the second given back there",
        Standing::Reversal => "given back by the channel itself: take the package back, or say why not",
        Standing::Unreturned => "ask the channel whether the subscriber has the money back",
        Standing::Carried => "wait for the neighbouring day's statement",
        Standing::Weak => "look whether it is this charge, then `paygate reconcile confirm`",
        Standing::Bad => "read the line, and ask the channel",
        Standing::Matched | Standing::Ignored => "nothing",
    }
}

/// The statement is the strongest evidence (design.md, rule 7): the purchase is paid. The core grants what is still wanted;
/// what it leaves to a person afterwards is granted or given back by the policy.
fn long(row: &DiscrepancyRow, purchase: &Purchase, policy: Long) -> (Option<Remedy>, &'static str) {
    // Only what the purchase itself stands on can be marked as paid; a charge that it has left behind is one too many.
    let Some(charge) = purchase.charge.as_ref().filter(|charge| Some(&charge.key) == row.charge_key.as_ref()) else {
        return (None, "a charge of the purchase beside the one it stands on: have it given back at the channel");
    };
    if charge.amount.amount != row.theirs || Some(charge.amount.currency) != row.currency || row.note.contains(NUMBER) {
        return (None, "charged, but not as agreed: ask the channel before anything is granted");
    }
    match (charge.status, purchase.state, policy) {
        (AttemptStatus::Succeeded, State::Review, Long::Grant) => (Some(Remedy::Grant), "grant it"),
        (AttemptStatus::Succeeded, State::Review, Long::Refund) => {
            (Some(Remedy::Refund { amount: charge.amount }), "give it back; a second person confirms it")
        }
        (AttemptStatus::Succeeded, State::Review, Long::Person) => (None, "marked as paid: grant it, or give it back"),
        (AttemptStatus::Succeeded, _, _) => (None, "our journal has come to know it"),
        (_, _, _) => (Some(Remedy::MarkPaid), "mark it as paid, with the statement as evidence"),
    }
}
