//! `paygate purchases`: what was asked, offered, charged and granted, as a care agent or a script reads it. Only reads.

mod rendering;
mod shown;
mod view;

use super::arguments::{List, Purchases, Show};
use super::{Answer, Failure, colour, daemon, json};
use crate::care::{fault_of, sought};
use crate::config::Config;
use crate::journal::rows::{Filter, Search};
use crate::journal::{Journal, JournalError};
use crate::story::moment::Moment;
use crate::telemetry::Output;
use paygate_parsers::msisdn::Country;

pub(super) fn purchases(verb: Purchases, log: Option<&str>) -> Result<Answer, Failure> {
    let at = match &verb {
        Purchases::List(list) => &list.at,
        Purchases::Show(show) => &show.at,
    };
    let config = daemon::load(&at.config)?;
    let _telemetry = daemon::logs(log.unwrap_or("warn"), Output::Readable)?;
    daemon::runtime()?.block_on(async {
        let journal = Journal::open_for_reading(&config.journal).await.map_err(failed)?;
        match verb {
            Purchases::List(asked) => list(&config, &journal, asked).await,
            Purchases::Show(asked) => show(&config, &journal, &asked).await,
        }
    })
}

async fn list(config: &Config, journal: &Journal, asked: List) -> Result<Answer, Failure> {
    let filter = Filter {
        state: asked.state,
        channel: asked.channel,
        since: asked.since.map(Moment::micros),
        until: asked.until.map(Moment::micros),
        search: asked.search.map(|words| spelled_out(config, &words)),
        surplus: asked.surplus,
        limit: asked.limit,
        ..Filter::default()
    };
    let found = journal.list(&filter).await.map_err(failed)?;
    let text = if asked.json {
        json(&found.iter().map(view::Listing::of).collect::<Vec<_>>())?
    } else {
        shown::list(&found, colour())
    };
    Ok(Answer::yes(text))
}

async fn show(config: &Config, journal: &Journal, asked: &Show) -> Result<Answer, Failure> {
    let story = journal.story(&asked.id).await.map_err(failed)?;
    let Some(story) = story else {
        let hint = "find its id with `paygate purchases list --search`";
        return Err(Failure::No(format!("there is no purchase {:?}; {hint}", asked.id)));
    };
    let fault = fault_of(&config.charging, &story.purchase);
    Ok(Answer::yes(if asked.json {
        json(&view::Told::of(&story, fault, asked.raw))?
    } else {
        shown::story(&story, fault, asked.raw, colour())
    }))
}

/// A number in any spelling is searched for as the journal has it.
fn spelled_out(config: &Config, words: &str) -> Search {
    let country = Country::new(&config.purchase.country_code);
    country.map_or_else(|_| Search::exactly(words), |country| sought(&country, words))
}

fn failed(error: JournalError) -> Failure {
    Failure::No(error.to_string())
}
