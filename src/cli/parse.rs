//! `paygate parse`: the daemon's own reading of a message, for whoever writes `[syntax]` or answers a customer.

use super::arguments::Parse;
use super::table::Table;
use super::{Answer, Failure, daemon, json};
use paygate_parsers::msisdn::Country;
use paygate_parsers::request::{self, Invalid, Request, Syntax};

pub(super) fn parse(parse: &Parse) -> Result<Answer, Failure> {
    let (syntax, code) = match &parse.config {
        Some(path) => {
            let config = daemon::load(path)?;
            (config.syntax, config.purchase.country_code)
        }
        None => (Syntax::default(), "84".to_owned()),
    };
    let country = Country::new(&code).map_err(|error| Failure::Usage(format!("purchase.country_code: {error}")))?;
    match request::parse(&syntax, &country, &parse.text.join(" ")) {
        Ok(request) => Ok(Answer::yes(if parse.json { json(&request)? } else { understood(&request) })),
        Err(invalid) => Ok(Answer { text: if parse.json { json(&invalid)? } else { refused(&invalid)? }, yes: false }),
    }
}

fn understood(request: &Request) -> String {
    let mut table = Table::default();
    match request {
        Request::Buy { service, package, account } => {
            let account = account.as_ref().map_or("the sender's own number", |account| account.as_str());
            table.facts([("kind", "buy"), ("service", service), ("package", package), ("account", account)]);
        }
        Request::Confirm { code } => table.facts([("kind", "confirm"), ("code", code.as_str())]),
        Request::Cancel { service, package } => {
            table.facts([("kind", "cancel")]);
            table.facts(service.iter().map(|service| ("service", service.as_str())));
            table.facts(package.iter().map(|package| ("package", package.as_str())));
        }
        Request::Status => table.facts([("kind", "status")]),
        Request::Help => table.facts([("kind", "help")]),
        Request::Yes => table.facts([("kind", "yes")]),
    }
    table.render(false)
}

fn refused(invalid: &Invalid) -> Result<String, Failure> {
    // The part's word is the one it has in JSON.
    let part = serde_json::to_value(invalid.part).map_err(|error| Failure::No(error.to_string()))?;
    let mut table = Table::default();
    table.facts([("kind", "invalid"), ("part", part.as_str().unwrap_or_default())]);
    table.facts([("reason", invalid.reason.as_str()), ("example", invalid.example.as_str())]);
    Ok(table.render(false))
}
