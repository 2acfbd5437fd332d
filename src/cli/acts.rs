//! Writing an operator's act into the journal, beside the daemons that carry it out, and waiting a bounded time for one to
//! do so. Carries nothing out itself.

use super::Failure;
use super::arguments::By;
use crate::app;
use crate::care::{acts, discrepancies};
use crate::config::Config;
use crate::journal::reconciliation::DiscrepancyRow;
use crate::journal::rows::{ActOutcome, Deed};
use crate::journal::{Journal, JournalError};
use crate::purchase::Purchase;
use crate::purchase::rules::Rules;
use crate::reconcile::Proposal;
use std::io::{self, IsTerminal, Write};
use tokio::time::Instant;

/// The journal that daemons share, for an operator.
pub(super) struct Desk {
    pub(super) journal: Journal,
    rules: Rules,
}

impl Desk {
    pub(super) async fn open(config: &Config) -> Result<Self, Failure> {
        let rules = app::policy(config).map_err(|error| Failure::No(format!("{error:#}")))?;
        Ok(Self { journal: Journal::open_for_an_operator(&config.journal).await.map_err(failed)?, rules })
    }

    pub(super) async fn purchase(&self, id: &str) -> Result<Purchase, Failure> {
        let found = self.journal.purchases(&[id.to_owned()]).await.map_err(failed)?.pop();
        let hint = "find its id with `paygate purchases list --search`";
        found.ok_or_else(|| Failure::No(format!("there is no purchase {id:?}; {hint}")))
    }

    /// Why it cannot be done to the purchase as it stands, if it cannot.
    pub(super) async fn objection(
        &self,
        purchase: &Purchase,
        deed: &Deed,
        evidence: Option<&str>,
    ) -> Result<Option<&'static str>, Failure> {
        let now = self.journal.now().await.map_err(failed)?;
        Ok(acts::objection(&self.rules, purchase, deed, evidence, now))
    }

    pub(super) async fn write(&self, who: Who, deed: Deed, evidence: Option<String>) -> Result<i64, Failure> {
        acts::file(&self.journal, &who.operator, deed, &who.reason, evidence).await.map_err(failed)
    }

    /// Has the remedy ordered that is proposed for what did not match.
    pub(super) async fn remedy(
        &self,
        proposed: (&DiscrepancyRow, Option<&Purchase>, &Proposal),
        by: discrepancies::By<'_>,
    ) -> Result<Result<i64, discrepancies::Refusal>, Failure> {
        discrepancies::remedy(&self.journal, &self.rules, proposed, by).await.map_err(failed)
    }

    /// Waits until a daemon has carried the act out, or says that none has and that it stands all the same.
    pub(super) async fn carried_out(&self, number: i64, id: &str, end: Instant) -> Result<ActOutcome, Failure> {
        let outcome = acts::carried_out(&self.journal, number, end).await.map_err(failed)?;
        outcome.ok_or_else(|| {
            Failure::No(format!(
                "no daemon has taken it yet; it stands as act {number} and the next one to run carries it out: see \
                 `paygate purchases show {id}`"
            ))
        })
    }
}

/// Who acts, and why.
pub(super) struct Who {
    pub(super) operator: String,
    pub(super) reason: String,
}

impl Who {
    /// As the arguments say; a reason that is missing is asked for where somebody can be asked.
    pub(super) fn of(by: &By) -> Result<Self, Failure> {
        let operator = operator(by.operator.as_deref())?;
        let reason = match &by.reason {
            Some(reason) => reason.clone(),
            None if io::stdin().is_terminal() => ask_for_a_reason()?,
            None => String::new(),
        };
        let reason = reason.trim().to_owned();
        if reason.is_empty() {
            return Err(usage("a reason is needed; say why with --reason TEXT, it is written down with your name"));
        }
        Ok(Self { operator, reason })
    }
}

/// The name of whoever acts, as given or as the system knows it.
pub(super) fn operator(given: Option<&str>) -> Result<String, Failure> {
    let name = given.map(str::to_owned).or_else(|| name_in("SUDO_USER")).or_else(|| name_in("USER"));
    let name = name.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty());
    name.ok_or_else(|| usage("it is not known who you are; say so with --operator NAME"))
}

fn name_in(variable: &str) -> Option<String> {
    std::env::var(variable).ok().filter(|name| !name.trim().is_empty())
}

fn ask_for_a_reason() -> Result<String, Failure> {
    let mut reason = String::new();
    let asked = write!(io::stderr(), "Reason: ").and_then(|()| io::stdin().read_line(&mut reason));
    asked.map_err(|error| Failure::No(format!("no reason could be read from the terminal ({error})")))?;
    Ok(reason)
}

fn usage(fault: &str) -> Failure {
    Failure::Usage(fault.to_owned())
}

pub(super) fn failed(error: JournalError) -> Failure {
    Failure::No(error.to_string())
}
