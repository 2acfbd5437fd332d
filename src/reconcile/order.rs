//! A proposal written as an operator's act, for a daemon to carry out. Moves nothing itself.

use super::proposal::Proposal;
use crate::journal::reconciliation::{DiscrepancyAct, DiscrepancyRow};
use crate::journal::rows::{Deed, NewAct};
use crate::journal::{Journal, JournalError};

/// Writes the act with the statement as its evidence, and beside the discrepancy that it was ordered. Gives the act's
/// number; nothing where there is none to write.
pub async fn order(
    journal: &Journal,
    row: &DiscrepancyRow,
    proposal: &Proposal,
    operator: &str,
    reason: &str,
) -> Result<Option<i64>, JournalError> {
    let (Some(remedy), Some(purchase)) = (proposal.remedy, row.purchase.clone()) else { return Ok(None) };
    let deed = Deed::Remedy { purchase, remedy, overrides: false };
    let (operator, reason) = (operator.to_owned(), reason.to_owned());
    let act =
        NewAct { operator: operator.clone(), deed, reason: reason.clone(), evidence: Some(proposal.evidence.clone()) };
    let number = journal.act(&act).await?;
    let (at, verb, evidence) = (journal.now().await?, remedy.as_str().to_owned(), Some(format!("act {number}")));
    journal.note_discrepancy(row.number, DiscrepancyAct { at, operator, verb, reason, evidence }).await?;
    Ok(Some(number))
}
