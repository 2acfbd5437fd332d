//! What is proposed for rows that did not match, and having it done: each as an operator's act that a daemon carries out.

use super::super::acts::{Desk, Who, failed};
use super::super::arguments::{Discrepancies, RemedyDiscrepancy};
use super::super::table::{Cell, Table};
use super::super::{Answer, Failure, colour, json};
use super::{filter, refused};
use crate::care::discrepancies::{self, By, Refusal, proposed};
use crate::config::Config;
use crate::journal::Journal;
use crate::journal::reconciliation::DiscrepancyRow;
use crate::journal::rows::ActOutcome;
use crate::purchase::Purchase;
use crate::purchase::input::Remedy;
use crate::reconcile::Proposal;
use serde_json::json;
use tokio::time::Instant;

/// Acts that one row may need, one behind the other: marked as paid, then granted or given back.
const STEPS: usize = 2;

pub(super) async fn propose(config: &Config, asked: Discrepancies) -> Result<Answer, Failure> {
    let journal = Journal::open_for_reading(&config.journal).await.map_err(failed)?;
    let rows = journal.discrepancies(&filter(&asked)).await.map_err(failed)?;
    let all = proposed(&journal, &config.statement, rows).await.map_err(failed)?;
    if asked.json {
        let entry = |(row, _, proposal): &(DiscrepancyRow, Option<Purchase>, Proposal)| {
            json!({
                "number": row.number, "standing": row.standing.as_str(), "purchase": row.purchase, "act": proposal.remedy.map(Remedy::as_str),
                "evidence": proposal.evidence, "to_do": proposal.says, "owner": row.owner,
            })
        };
        return Ok(Answer::yes(json(&all.iter().map(entry).collect::<Vec<_>>())?));
    }
    if all.is_empty() {
        return Ok(Answer::yes("nothing is left to anybody\n".to_owned()));
    }
    let mut table = Table::default();
    table.heading(&["NUMBER", "STANDS", "PURCHASE", "ACT", "EVIDENCE", "TO DO"]);
    for (row, _, proposal) in &all {
        table.row([
            Cell::figure(&row.number.to_string()),
            Cell::new(row.standing.as_str()),
            Cell::new(row.purchase.as_deref().unwrap_or_default()),
            Cell::new(proposal.remedy.map(Remedy::as_str).unwrap_or_default()),
            Cell::new(&proposal.evidence),
            Cell::new(proposal.says),
        ]);
    }
    Ok(Answer::yes(table.render(colour())))
}

pub(super) async fn remedy(config: &Config, asked: &RemedyDiscrepancy) -> Result<Answer, Failure> {
    let (who, number) = (Who::of(&asked.about.by)?, asked.about.number);
    let (desk, end) = (Desk::open(config).await?, Instant::now() + asked.wait.wait);
    let by = By { operator: &who.operator, reason: &who.reason };
    let row = discrepancies::open(&desk.journal, number).await.map_err(failed)?;
    let row = row.ok_or_else(|| refused(Refusal::NotOpen(number)))?;
    let mut told = String::new();
    for _ in 0..STEPS {
        let found = proposed(&desk.journal, &config.statement, vec![row.clone()]).await.map_err(failed)?.pop();
        let Some((row, purchase, proposal)) = found else { break };
        let ordered = desk.remedy((&row, purchase.as_ref(), &proposal), by).await?;
        let (act, purchase) = match (ordered, purchase) {
            (Ok(act), Some(purchase)) => (act, purchase),
            (Err(refusal), _) if told.is_empty() => return Err(refused(refusal)),
            (_, _) => break,
        };
        if matches!(proposal.remedy, Some(Remedy::Refund { .. })) {
            told += &format!("Act {act} is written and waits for a second person: paygate acts confirm {act}\n");
            break;
        }
        let outcome = desk.carried_out(act, &purchase.id, end).await?;
        let stands = desk.purchase(&purchase.id).await?.state.as_str();
        if outcome == ActOutcome::Refused {
            return Err(Failure::No(format!("act {act} changed nothing: purchase {} is {stands}", purchase.id)));
        }
        told += &format!("Act {act} ({}) is carried out: {} is {stands}.\n", proposal.says, purchase.id);
    }
    desk.journal.close_what_agrees().await.map_err(failed)?;
    Ok(Answer::yes(told))
}
