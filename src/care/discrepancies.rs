//! What people do about what did not match, the one way for page and command line: give it to somebody, confirm a weak match,
//! explain it, or have its remedy ordered. Moves no money: a remedy is an operator's act, and the engine carries it out.

mod entry;

use super::acts::objection;
use crate::config::{Long, Statement};
use crate::journal::reconciliation::{Closing, DiscrepancyAct, DiscrepancyFilter, DiscrepancyRow, Standing};
use crate::journal::rows::Deed;
use crate::journal::{Journal, JournalError};
use crate::purchase::Purchase;
use crate::purchase::rules::Rules;
use crate::reconcile::{Proposal, order, propose, waiting};
pub(crate) use entry::{COLUMNS, Entry};
use std::collections::{BTreeMap, HashMap};

/// Who acts, and why.
#[derive(Clone, Copy, Debug)]
pub(crate) struct By<'w> {
    pub(crate) operator: &'w str,
    pub(crate) reason: &'w str,
}

/// What is done about it; none of it moves money.
#[derive(Clone, Debug)]
pub(crate) enum Doing {
    Assign(String),
    /// A weak match is one.
    Confirm,
    /// It stays, and this is why.
    Explain {
        evidence: String,
    },
}

/// Why nothing was done.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("no discrepancy {0} is open")]
    NotOpen(i64),
    #[error("discrepancy {0} is {word}; only a weak match is confirmed", word = .1.as_str())]
    NotWeak(i64, Standing),
    #[error("discrepancy {0} was closed by somebody else meanwhile")]
    Meanwhile(i64),
    #[error("for discrepancy {0} nothing is done by an act: {1}")]
    NoAct(i64, &'static str),
    #[error("act {1} is ordered for discrepancy {0} already and is not carried out yet")]
    Ordered(i64, i64),
    #[error("for discrepancy {0} nothing was done: {1}")]
    Objected(i64, &'static str),
}

impl Doing {
    const fn verb(&self) -> &'static str {
        match self {
            Self::Assign(_) => "assign",
            Self::Confirm => "confirm",
            Self::Explain { .. } => "close",
        }
    }
}

/// One that is open.
pub(crate) async fn open(journal: &Journal, number: i64) -> Result<Option<DiscrepancyRow>, JournalError> {
    let filter = DiscrepancyFilter { number: Some(number), limit: 1, ..DiscrepancyFilter::default() };
    Ok(journal.discrepancies(&filter).await?.pop())
}

/// Does it, and writes down who did and why.
pub(crate) async fn act(
    journal: &Journal,
    number: i64,
    doing: Doing,
    by: By<'_>,
) -> Result<Result<(), Refusal>, JournalError> {
    let Some(open) = open(journal, number).await? else { return Ok(Err(Refusal::NotOpen(number))) };
    if matches!(doing, Doing::Confirm) && open.standing != Standing::Weak {
        return Ok(Err(Refusal::NotWeak(number, open.standing)));
    }
    let mut act = DiscrepancyAct {
        at: journal.now().await?,
        operator: by.operator.to_owned(),
        verb: doing.verb().to_owned(),
        reason: by.reason.to_owned(),
        evidence: None,
    };
    let done = match doing {
        Doing::Assign(to) => journal.assign_discrepancy(number, &to, act).await?,
        Doing::Confirm => journal.close_discrepancy(number, Closing::Agreed, act).await?,
        Doing::Explain { evidence } => {
            act.evidence = Some(evidence);
            journal.close_discrepancy(number, Closing::Explained, act).await?
        }
    };
    Ok(if done { Ok(()) } else { Err(Refusal::Meanwhile(number)) })
}

/// Each with its purchase, where it is anybody's of ours, and what is proposed by the policy of its channel.
pub(crate) async fn proposed(
    journal: &Journal,
    statements: &BTreeMap<String, Statement>,
    rows: Vec<DiscrepancyRow>,
) -> Result<Vec<(DiscrepancyRow, Option<Purchase>, Proposal)>, JournalError> {
    let ids: Vec<String> = rows.iter().filter_map(|row| row.purchase.clone()).collect();
    let purchases = journal.purchases(&ids).await?;
    let purchases: HashMap<&str, &Purchase> =
        purchases.iter().map(|purchase| (purchase.id.as_str(), purchase)).collect();
    let with_both = |row: DiscrepancyRow| {
        let purchase = row.purchase.as_deref().and_then(|id| purchases.get(id).copied());
        let policy = statements.get(&row.channel).map_or(Long::Person, |statement| statement.long);
        let proposal = propose(&row, purchase, policy);
        (row, purchase.cloned(), proposal)
    };
    Ok(rows.into_iter().map(with_both).collect())
}

/// Has ordered what is proposed, with the statement as its evidence. Gives the act's number.
pub(crate) async fn remedy(
    journal: &Journal,
    rules: &Rules,
    (row, purchase, proposal): (&DiscrepancyRow, Option<&Purchase>, &Proposal),
    by: By<'_>,
) -> Result<Result<i64, Refusal>, JournalError> {
    let (Some(remedy), Some(purchase)) = (proposal.remedy, purchase) else {
        return Ok(Err(Refusal::NoAct(row.number, proposal.says)));
    };
    if let Some(act) = waiting(journal, row.number).await? {
        return Ok(Err(Refusal::Ordered(row.number, act)));
    }
    let deed = Deed::Remedy { purchase: purchase.id.clone(), remedy, overrides: false };
    let now = journal.now().await?;
    if let Some(objection) = objection(rules, purchase, &deed, Some(&proposal.evidence), now) {
        return Ok(Err(Refusal::Objected(row.number, objection)));
    }
    let act = order(journal, row, proposal, by.operator, by.reason).await?;
    Ok(act.ok_or(Refusal::NoAct(row.number, proposal.says)))
}
