//! `paygate reconcile`: a channel's statement against the journal, and what people do about what did not match. Moves no
//! money.

mod bar;
mod remedies;
mod shown;

use super::acts::{Desk, Who, failed, operator};
use super::arguments::{About, Discrepancies, Reconcile, Reconciliation, ShowStatement};
use super::{Answer, Failure, colour, daemon, json};
use crate::care::discrepancies::{self, By, Doing, Entry, Refusal};
use crate::config::Config;
use crate::journal::Journal;
use crate::journal::reconciliation::{DiscrepancyFilter, DiscrepancyRow, Standing};
use crate::reconcile::Import;
use crate::telemetry::Output;
use paygate_parsers::msisdn::Country;

/// Discrepancies that a statement's page shows at most.
const SHOWN: u32 = 100_000;
/// Versions of one day.
const VERSIONS: u32 = 1_000;

pub(super) fn reconcile(asked: Reconcile, log: Option<&str>) -> Result<Answer, Failure> {
    let at = match &asked.verb {
        None => asked.config.as_ref(),
        Some(Reconciliation::List(asked) | Reconciliation::Propose(asked)) => Some(&asked.at.config),
        Some(Reconciliation::Show(asked)) => Some(&asked.at.config),
        Some(Reconciliation::Assign(asked)) => Some(&asked.about.at.config),
        Some(Reconciliation::Confirm(asked)) => Some(&asked.at.config),
        Some(Reconciliation::Close(asked)) => Some(&asked.about.at.config),
        Some(Reconciliation::Remedy(asked)) => Some(&asked.about.at.config),
    };
    let at = at.ok_or_else(|| Failure::Usage("--config FILE is needed".to_owned()))?;
    let config = daemon::load(at)?;
    let _telemetry = daemon::logs(log.unwrap_or("warn"), Output::Readable)?;
    daemon::runtime()?.block_on(async {
        match asked.verb {
            None => import(&config, asked).await,
            Some(Reconciliation::List(asked)) => list(&config, asked).await,
            Some(Reconciliation::Propose(asked)) => remedies::propose(&config, asked).await,
            Some(Reconciliation::Remedy(asked)) => remedies::remedy(&config, &asked).await,
            Some(Reconciliation::Show(asked)) => show(&config, &asked).await,
            Some(Reconciliation::Assign(asked)) => {
                let done = format!("is {}'s from now on", asked.to);
                act(&config, &asked.about, Doing::Assign(asked.to.clone()), &done).await
            }
            Some(Reconciliation::Confirm(asked)) => {
                act(&config, &asked, Doing::Confirm, "is a match, and closed").await
            }
            Some(Reconciliation::Close(asked)) => {
                let doing = Doing::Explain { evidence: asked.evidence.clone() };
                act(&config, &asked.about, doing, "is explained, and closed").await
            }
        }
    })
}

async fn import(config: &Config, asked: Reconcile) -> Result<Answer, Failure> {
    let (Some(channel), Some(day)) = (asked.channel, asked.day) else {
        return Err(Failure::Usage("a channel and a day are needed".to_owned()));
    };
    let Some(map) = config.statement.get(&channel) else {
        let known = config.statement.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
        let known = if known.is_empty() { "none is".to_owned() } else { format!("configured are {known}") };
        return Err(Failure::Usage(format!("[statement.{channel}] is not configured; {known}")));
    };
    let country = Country::new(&config.purchase.country_code).map_err(|error| Failure::Usage(error.to_string()))?;
    let import = Import {
        map: map.clone(),
        country,
        day,
        files: asked.files,
        operator: operator(asked.operator.as_deref())?,
        anew: asked.anew,
        channel,
    };
    let desk = Desk::open(config).await?;
    let bar = bar::Bar::new();
    let through = import.carry_through(&desk.journal, &|step| bar.show(step)).await;
    bar.clear();
    let through = through.map_err(|error| Failure::No(error.to_string()))?;
    let statement = &through.imported.statement;
    let open = unmatched(&desk.journal, &statement.channel, &statement.day, false).await?;
    Ok(Answer::yes(shown::way(&through) + &shown::statement(statement, &through.totals, &open, colour())))
}

async fn unmatched(journal: &Journal, channel: &str, day: &str, all: bool) -> Result<Vec<DiscrepancyRow>, Failure> {
    let filter = DiscrepancyFilter {
        channel: Some(channel.to_owned()),
        day: Some(day.to_owned()),
        closed: all,
        limit: SHOWN,
        ..DiscrepancyFilter::default()
    };
    journal.discrepancies(&filter).await.map_err(failed)
}

fn filter(asked: &Discrepancies) -> DiscrepancyFilter {
    DiscrepancyFilter {
        channel: asked.channel.clone(),
        day: asked.day.map(|day| day.to_string()),
        standing: asked.standing.as_deref().and_then(Standing::of),
        closed: asked.all,
        limit: asked.limit,
        ..DiscrepancyFilter::default()
    }
}

async fn list(config: &Config, asked: Discrepancies) -> Result<Answer, Failure> {
    let journal = Journal::open_for_reading(&config.journal).await.map_err(failed)?;
    let filter = filter(&asked);
    let found = journal.discrepancies(&filter).await.map_err(failed)?;
    let now = journal.now().await.map_err(failed)?;
    let found: Vec<_> = found.iter().map(|row| Entry::of(row, now)).collect();
    Ok(Answer::yes(if asked.json { json(&found)? } else { shown::list(&found, colour()) }))
}

async fn show(config: &Config, asked: &ShowStatement) -> Result<Answer, Failure> {
    let journal = Journal::open_for_reading(&config.journal).await.map_err(failed)?;
    let day = asked.day.to_string();
    let versions = journal.statements(Some(&asked.channel), Some(&day), Some(&day), VERSIONS).await.map_err(failed)?;
    let Some(statement) = versions.first() else {
        let hint = format!("import it with `paygate reconcile {} {day} FILE`", asked.channel);
        return Err(Failure::No(format!("there is no statement of {} for {day}; {hint}", asked.channel)));
    };
    let counts = journal.statement_of(&asked.channel, &day).await.map_err(failed)?;
    let statement = counts.as_ref().unwrap_or(statement);
    let totals = journal.statement_totals(statement.number).await.map_err(failed)?;
    let rows = unmatched(&journal, &asked.channel, &day, true).await?;
    let now = journal.now().await.map_err(failed)?;
    Ok(Answer::yes(if asked.json {
        json(&shown::Shown::of(&versions, statement, &totals, &rows, now))?
    } else {
        let open: Vec<_> = rows.iter().filter(|row| row.closed.is_none()).cloned().collect();
        shown::statement(statement, &totals, &open, colour()) + &shown::versions(&versions)
    }))
}

async fn act(config: &Config, about: &About, doing: Doing, done: &str) -> Result<Answer, Failure> {
    let (who, number) = (Who::of(&about.by)?, about.number);
    let desk = Desk::open(config).await?;
    let by = By { operator: &who.operator, reason: &who.reason };
    discrepancies::act(&desk.journal, number, doing, by).await.map_err(failed)?.map_err(refused)?;
    Ok(Answer::yes(format!("discrepancy {number} {done}\n")))
}

fn refused(refusal: Refusal) -> Failure {
    Failure::No(match refusal {
        Refusal::NotOpen(_) => format!("{refusal}; `paygate reconcile list` has them"),
        refusal => refusal.to_string(),
    })
}
