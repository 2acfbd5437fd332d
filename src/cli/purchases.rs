//! `paygate purchases`: what was asked, offered, charged and granted, as a care agent or a script reads it. Only reads.

mod moment;
mod shown;
mod timeline;
mod view;

pub(super) use moment::{Moment, local, moment, utc};

use super::arguments::{List, Purchases, Show};
use super::{Answer, Failure, colour, daemon, json};
use crate::charging::gives_back;
use crate::config::Config;
use crate::journal::rows::Filter;
use crate::journal::{Journal, JournalError};
use crate::purchase::Purchase;
use crate::purchase::fault::{Fault, fault, refusal};
use crate::telemetry::Output;
use paygate_parsers::msisdn::{Country, Msisdn};

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
        search: asked.search.map(|search| spelled_out(config, search)),
        surplus: asked.surplus,
        limit: asked.limit,
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
    let fault = fault_of(config, &story.purchase);
    Ok(Answer::yes(if asked.json {
        json(&view::Told::of(&story, fault, asked.raw))?
    } else {
        shown::story(&story, fault, asked.raw, colour())
    }))
}

/// What went wrong, with what the purchase's channel is configured to give back by itself.
fn fault_of(config: &Config, purchase: &Purchase) -> Option<Fault> {
    let channel = config.charging.get(&purchase.order.channel);
    fault(purchase, gives_back(channel, refusal(purchase)))
}

/// A number in any spelling is searched for as the journal has it.
fn spelled_out(config: &Config, search: String) -> String {
    let country = Country::new(&config.purchase.country_code).ok();
    let number = country.and_then(|country| Msisdn::parse_sender(&country, &search).ok());
    number.map_or(search, |number| number.e164())
}

fn failed(error: JournalError) -> Failure {
    Failure::No(error.to_string())
}
