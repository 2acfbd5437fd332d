//! What is proposed for rows that did not match, and having it done: each as an operator's act that a daemon carries out.

use super::super::acts::{Desk, Who, failed};
use super::super::arguments::{Discrepancies, RemedyDiscrepancy};
use super::super::table::{Cell, Table};
use super::super::{Answer, Failure, colour, json};
use super::{filter, open};
use crate::config::{Config, Long};
use crate::journal::Journal;
use crate::journal::reconciliation::DiscrepancyRow;
use crate::journal::rows::ActOutcome;
use crate::purchase::Purchase;
use crate::purchase::input::Remedy;
use crate::reconcile::{Proposal, order, propose as proposed};
use serde_json::json;
use std::collections::HashMap;
use tokio::time::Instant;

/// Acts that one row may need, one behind the other: marked as paid, then granted or given back.
const STEPS: usize = 2;

pub(super) async fn propose(config: &Config, asked: Discrepancies) -> Result<Answer, Failure> {
    let journal = Journal::open_for_reading(&config.journal).await.map_err(failed)?;
    let rows = journal.discrepancies(&filter(&asked)).await.map_err(failed)?;
    let ids: Vec<String> = rows.iter().filter_map(|row| row.purchase.clone()).collect();
    let purchases = journal.purchases(&ids).await.map_err(failed)?;
    let purchases: HashMap<&str, &Purchase> =
        purchases.iter().map(|purchase| (purchase.id.as_str(), purchase)).collect();
    let of = |row: &DiscrepancyRow| {
        let purchase = row.purchase.as_deref().and_then(|id| purchases.get(id).copied());
        proposed(row, purchase, policy(config, row))
    };
    let all: Vec<(&DiscrepancyRow, Proposal)> = rows.iter().map(|row| (row, of(row))).collect();
    if asked.json {
        let entry = |(row, proposal): &(&DiscrepancyRow, Proposal)| {
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
    for (row, proposal) in &all {
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

fn policy(config: &Config, row: &DiscrepancyRow) -> Long {
    config.statement.get(&row.channel).map_or(Long::Person, |statement| statement.long)
}

pub(super) async fn remedy(config: &Config, asked: &RemedyDiscrepancy) -> Result<Answer, Failure> {
    let (who, number) = (Who::of(&asked.about.by)?, asked.about.number);
    let (desk, end) = (Desk::open(config).await?, Instant::now() + asked.wait.wait);
    let row = open(&desk.journal, number).await?;
    let mut told = String::new();
    for _ in 0..STEPS {
        let purchase = match &row.purchase {
            Some(id) => Some(desk.purchase(id).await?),
            None => None,
        };
        let proposal = proposed(&row, purchase.as_ref(), policy(config, &row));
        let act = order(&desk.journal, &row, &proposal, &who.operator, &who.reason).await.map_err(failed)?;
        let (Some(act), Some(purchase)) = (act, purchase) else {
            if told.is_empty() {
                return Err(Failure::No(format!(
                    "for discrepancy {number} nothing is done by an act: {}",
                    proposal.says
                )));
            }
            break;
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
