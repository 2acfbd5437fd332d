//! What people do, written down: the one way by which page and command line file an act. Says why it cannot be, writes it
//! for a daemon to carry out, and waits to see what came of it; carries nothing out itself.

use crate::config::Config;
use crate::journal::rows::{ActOutcome, ActRow, Deed, NewAct};
use crate::journal::{Journal, JournalError};
use crate::purchase::record::Micros;
use crate::purchase::rules::Rules;
use crate::purchase::{self, Purchase, objection_to, questions};
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::time::{Instant, sleep, sleep_until};

/// Between two looks at whether a daemon has carried it out.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Why this cannot be done to the purchase as it stands, if it cannot.
pub(crate) fn objection(
    rules: &Rules,
    purchase: &Purchase,
    deed: &Deed,
    evidence: Option<&str>,
    now: Micros,
) -> Option<&'static str> {
    match deed {
        Deed::Inquire { .. } => {
            questions(purchase).is_empty().then_some("nothing about it is unknown, so nobody was asked")
        }
        Deed::Resolve { verdict, .. } => purchase::objection(purchase, *verdict, evidence),
        Deed::Remedy { remedy, overrides, .. } => objection_to(rules, purchase, *remedy, *overrides, evidence, now),
        Deed::Freeze { .. } | Deed::Thaw { .. } => None,
    }
}

/// The freeze that holds on this channel, if any does.
pub(crate) async fn freeze_of(journal: &Journal, channel: &str) -> Result<Option<ActRow>, JournalError> {
    Ok(journal.freezes().await?.into_iter().find(|freeze| channel_of(freeze) == channel))
}

/// The channel that an act is about; empty where it is about a purchase.
pub(crate) fn channel_of(act: &ActRow) -> &str {
    match &act.act.deed {
        Deed::Freeze { channel } | Deed::Thaw { channel } => channel,
        Deed::Inquire { .. } | Deed::Resolve { .. } | Deed::Remedy { .. } => "",
    }
}

/// Whatever charges, by itself or for us: what may be frozen.
pub(crate) fn channels(config: &Config) -> impl Iterator<Item = &str> {
    let all: BTreeSet<&str> = config.charging.keys().chain(config.partner.keys()).map(String::as_str).collect();
    all.into_iter()
}

/// Writes an act, which stands from then on with who, when and why.
pub(crate) async fn file(
    journal: &Journal,
    operator: &str,
    deed: Deed,
    reason: &str,
    evidence: Option<String>,
) -> Result<i64, JournalError> {
    let act = NewAct { operator: operator.to_owned(), deed, reason: reason.to_owned(), evidence };
    journal.act(&act).await
}

/// Waits until a daemon has carried the act out; `None` where none has by then. It stands all the same.
pub(crate) async fn carried_out(
    journal: &Journal,
    number: i64,
    end: Instant,
) -> Result<Option<ActOutcome>, JournalError> {
    loop {
        let act: Option<ActRow> = journal.act_of(number).await?;
        if let Some((_, outcome)) = act.and_then(|act| act.done) {
            return Ok(Some(outcome));
        }
        if Instant::now() >= end {
            return Ok(None);
        }
        pause(end).await;
    }
}

/// Waits the same for a page that shows the act in any case: what is written stands, though the journal fails meanwhile.
pub(crate) async fn awaited(journal: &Journal, number: i64, end: Instant) {
    if let Err(error) = carried_out(journal, number, end).await {
        tracing::warn!(act = number, %error, "an act is written, and what came of it could not be read");
    }
}

/// A look's pause, that does not outlast the wait.
pub(crate) async fn pause(end: Instant) {
    tokio::select! {
        () = sleep(LOOK_EVERY) => {}
        () = sleep_until(end) => {}
    }
}
