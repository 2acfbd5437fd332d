//! `paygate reconcile`: a channel's statement against the journal, and what people do about what did not match. Moves no
//! money.

mod bar;
mod remedies;
pub(super) mod shown;

use super::acts::{Desk, Who, failed, operator};
use super::arguments::{About, Discrepancies, Reconcile, Reconciliation, ShowStatement};
use super::{Answer, Failure, colour, daemon, json};
use crate::config::Config;
use crate::journal::Journal;
use crate::journal::reconciliation::{Closing, DiscrepancyAct, DiscrepancyFilter, DiscrepancyRow, Standing};
use crate::reconcile::{Import, order_longs};
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
                act(&config, &asked.about, None, "assign", Deed::Assign(asked.to.clone()), &done).await
            }
            Some(Reconciliation::Confirm(asked)) => {
                act(&config, &asked, None, "confirm", Deed::Close(Closing::Agreed), "is a match, and closed").await
            }
            Some(Reconciliation::Close(asked)) => {
                let evidence = Some(asked.evidence.clone());
                let deed = Deed::Close(Closing::Explained);
                act(&config, &asked.about, evidence, "close", deed, "is explained, and closed").await
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
    let imported = import.run(&desk.journal, &|step| bar.show(step)).await;
    bar.clear();
    let imported = imported.map_err(|error| Failure::No(error.to_string()))?;
    let statement = &imported.statement;
    let said = if imported.before {
        format!("imported before, as version {}; nothing was read again\n\n", statement.version)
    } else {
        String::new()
    };
    let totals = desk.journal.statement_totals(statement.number).await.map_err(failed)?;
    let ordered =
        order_longs(&desk.journal, &statement.channel, &statement.day, import.map.long, &import.operator).await;
    let said = match ordered.map_err(failed)? {
        0 => said,
        count => format!("{said}{count} acts are ordered by the policy for longs; see `paygate purchases show`\n\n"),
    };
    let open = discrepancies(&desk.journal, &statement.channel, &statement.day, false).await?;
    Ok(Answer::yes(said + &shown::statement(statement, &totals, &open, colour())))
}

async fn discrepancies(journal: &Journal, channel: &str, day: &str, all: bool) -> Result<Vec<DiscrepancyRow>, Failure> {
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
    let found: Vec<_> = found.iter().map(|row| shown::Entry::of(row, now)).collect();
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
    let rows = discrepancies(&journal, &asked.channel, &day, true).await?;
    let now = journal.now().await.map_err(failed)?;
    Ok(Answer::yes(if asked.json {
        json(&shown::Shown::of(&versions, statement, &totals, &rows, now))?
    } else {
        let open: Vec<_> = rows.iter().filter(|row| row.closed.is_none()).cloned().collect();
        shown::statement(statement, &totals, &open, colour()) + &shown::versions(&versions)
    }))
}

async fn open(journal: &Journal, number: i64) -> Result<DiscrepancyRow, Failure> {
    let filter = DiscrepancyFilter { number: Some(number), limit: 1, ..DiscrepancyFilter::default() };
    let open = journal.discrepancies(&filter).await.map_err(failed)?.pop();
    open.ok_or_else(|| Failure::No(format!("no discrepancy {number} is open; `paygate reconcile list` has them")))
}

/// What is done about a discrepancy.
enum Deed {
    Assign(String),
    Close(Closing),
}

async fn act(
    config: &Config,
    about: &About,
    evidence: Option<String>,
    verb: &str,
    deed: Deed,
    done: &str,
) -> Result<Answer, Failure> {
    let (who, number) = (Who::of(&about.by)?, about.number);
    let desk = Desk::open(config).await?;
    let open = open(&desk.journal, number).await?;
    if verb == "confirm" && open.standing != Standing::Weak {
        return Err(Failure::No(format!(
            "discrepancy {number} is {}; only a weak match is confirmed",
            open.standing.as_str()
        )));
    }
    let at = desk.journal.now().await.map_err(failed)?;
    let act = DiscrepancyAct { at, operator: who.operator, verb: verb.to_owned(), reason: who.reason, evidence };
    let taken = match deed {
        Deed::Assign(to) => desk.journal.assign_discrepancy(number, &to, act).await,
        Deed::Close(closing) => desk.journal.close_discrepancy(number, closing, act).await,
    };
    if taken.map_err(failed)? {
        Ok(Answer::yes(format!("discrepancy {number} {done}\n")))
    } else {
        Err(Failure::No(format!("discrepancy {number} was closed by somebody else meanwhile")))
    }
}
