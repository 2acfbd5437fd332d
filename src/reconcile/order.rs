//! A proposal written as an operator's act, for a daemon to carry out. Moves nothing itself.

use super::import::{Import, Imported, Progress, ReconcileError};
use super::proposal::{Proposal, propose};
use crate::config::Long;
use crate::journal::reconciliation::{DiscrepancyAct, DiscrepancyFilter, DiscrepancyRow, Standing, Total};
use crate::journal::rows::{Deed, NewAct};
use crate::journal::{Journal, JournalError};
use crate::purchase::Purchase;
use std::collections::HashMap;

/// Rows that are ordered by policy at once; more than that many longs of one day are for a person to look at.
const BY_POLICY: u32 = 10_000;

/// What stands before an act's number where it is written down beside a discrepancy.
const ACT: &str = "act ";

/// What an import came to.
#[derive(Clone, Debug)]
pub struct CarriedThrough {
    pub imported: Imported,
    /// What the statement sums up to.
    pub totals: Vec<Total>,
    /// Acts that were ordered by the policy for longs.
    pub ordered: usize,
}

impl Import {
    /// Imports the statement, sums it up, and orders what the policy for longs wants.
    pub async fn carry_through(
        &self,
        journal: &Journal,
        progress: Progress<'_>,
    ) -> Result<CarriedThrough, ReconcileError> {
        let imported = self.run(journal, progress).await?;
        let totals = journal.statement_totals(imported.statement.number).await?;
        let day = &imported.statement.day;
        let ordered = order_longs(journal, &self.channel, day, self.map.long, &self.operator).await?;
        Ok(CarriedThrough { imported, totals, ordered })
    }
}

/// The act that was ordered for it before and that nobody has carried out or taken back yet.
pub async fn waiting(journal: &Journal, number: i64) -> Result<Option<i64>, JournalError> {
    let done = journal.discrepancy_acts(number).await?;
    let act = done.iter().rev().find_map(|done| done.evidence.as_deref()?.strip_prefix(ACT)?.parse().ok());
    let Some(act) = act else { return Ok(None) };
    let waits = journal.act_of(act).await?.is_some_and(|row| row.done.is_none());
    Ok(waits.then_some(act))
}

/// Orders what the policy wants done about the longs of a day: each is marked as paid, with the statement as evidence, and
/// the core grants what is still wanted; what it leaves in review is a person's. Gives how many were ordered.
pub async fn order_longs(
    journal: &Journal,
    channel: &str,
    day: &str,
    policy: Long,
    operator: &str,
) -> Result<usize, JournalError> {
    if policy == Long::Person {
        return Ok(0);
    }
    let (channel, day, standing) = (Some(channel.to_owned()), Some(day.to_owned()), Some(Standing::Long));
    let filter = DiscrepancyFilter { channel, day, standing, limit: BY_POLICY, ..DiscrepancyFilter::default() };
    let rows = journal.discrepancies(&filter).await?;
    let ids: Vec<String> = rows.iter().filter_map(|row| row.purchase.clone()).collect();
    let purchases: HashMap<String, Purchase> =
        journal.purchases(&ids).await?.into_iter().map(|purchase| (purchase.id.clone(), purchase)).collect();
    let mut ordered = 0;
    for row in rows {
        // What was ordered before waits for its daemon, or was refused: a person's.
        if !journal.discrepancy_acts(row.number).await?.is_empty() {
            continue;
        }
        let proposal = propose(&row, row.purchase.as_ref().and_then(|id| purchases.get(id)), policy);
        let reason = "the policy for what the channel charged and we did not know";
        ordered += usize::from(order(journal, &row, &proposal, operator, reason).await?.is_some());
    }
    Ok(ordered)
}

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
    let (at, verb, evidence) = (journal.now().await?, remedy.as_str().to_owned(), Some(format!("{ACT}{number}")));
    journal.note_discrepancy(row.number, DiscrepancyAct { at, operator, verb, reason, evidence }).await?;
    Ok(Some(number))
}
