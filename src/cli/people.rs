//! `paygate operator`: who may use the care page, and as what. A password is typed without being shown, or read from a file
//! or from stdin; there is no default one, and none is ever an argument.

use super::acts::failed;
use super::arguments::{Named, NewOperator, Operators, OperatorsAt};
use super::operators::begin;
use super::table::{Cell, DIM, Table};
use super::{Answer, Failure, colour, daemon, json};
use crate::care::password::hash;
use crate::config::{Care, Config};
use crate::journal::Journal;
use crate::journal::rows::{self, NewAudit, OperatorChange, OperatorRow};
use crate::people::{self, Role};
use crate::story::moment::{local, utc};
use secrecy::SecretString;
use serde_json::json;
use std::io::{self, IsTerminal, Read};
use std::path::Path;

/// Octets that are read of a password at most.
const PASSWORD_OCTETS: u64 = 4_096;

pub(super) fn operator(verb: Operators, log: Option<&str>) -> Result<Answer, Failure> {
    let at = match &verb {
        Operators::Add(new) => &new.named.at,
        Operators::List(list) => &list.at,
        Operators::Disable(named) | Operators::Enable(named) => &named.at,
        Operators::Password(secret) => &secret.named.at,
    };
    let (config, _telemetry) = begin(at, log)?;
    let settings = config.care.as_ref().ok_or_else(|| {
        Failure::Usage("there is no care page without a [care] section in the configuration".to_owned())
    })?;
    match verb {
        Operators::Add(new) => add(&config, settings, &new),
        Operators::List(asked) => list(&config, &asked),
        Operators::Disable(named) => {
            let says = "may not log in any more, and is logged out; what they did stands under their name";
            change(&config, &named, &OperatorChange::Disable, "operator_disabled", says)
        }
        Operators::Enable(named) => {
            change(&config, &named, &OperatorChange::Enable, "operator_enabled", "may log in again")
        }
        Operators::Password(secret) => {
            let hashed = hash(&password(secret.file.as_deref())?, settings.password_min).map_err(Failure::Usage)?;
            let says = "has a new password, and is logged out everywhere";
            change(&config, &secret.named, &OperatorChange::Password(hashed), "password_set", says)
        }
    }
}

fn add(config: &Config, settings: &Care, asked: &NewOperator) -> Result<Answer, Failure> {
    let (name, who) = (named(&asked.named)?, operator_of(&asked.named)?);
    let password = hash(&password(asked.file.as_deref())?, settings.password_min).map_err(Failure::Usage)?;
    let new = rows::NewOperator { name: name.clone(), role: asked.role, password };
    daemon::runtime()?.block_on(async {
        let journal = Journal::open_for_an_operator(&config.journal).await.map_err(failed)?;
        if !journal.add_operator(&new).await.map_err(failed)? {
            return Err(Failure::No(format!("there is an operator {name} already")));
        }
        let role = asked.role.as_str();
        note(&journal, &who, "operator_added", &format!("{name}, {role}")).await?;
        Ok(Answer::yes(format!("{name} may log in at /care as {role}\n")))
    })
}

fn change(config: &Config, asked: &Named, change: &OperatorChange, what: &str, says: &str) -> Result<Answer, Failure> {
    let (name, who) = (named(asked)?, operator_of(asked)?);
    daemon::runtime()?.block_on(async {
        let journal = Journal::open_for_an_operator(&config.journal).await.map_err(failed)?;
        if !journal.change_operator(&name, change).await.map_err(failed)? {
            let hint = "`paygate operator list` has them all";
            return Err(Failure::No(format!("there is no operator {name}; {hint}")));
        }
        note(&journal, &who, what, &name).await?;
        Ok(Answer::yes(format!("{name} {says}\n")))
    })
}

/// Who does this to an account. Known before anything is done, since it is written down with it.
fn operator_of(asked: &Named) -> Result<String, Failure> {
    super::acts::operator(asked.operator.as_deref())
}

async fn note(journal: &Journal, operator: &str, what: &str, detail: &str) -> Result<(), Failure> {
    journal.audit(&NewAudit { operator, address: "", what, detail }).await.map_err(failed)
}

fn list(config: &Config, asked: &OperatorsAt) -> Result<Answer, Failure> {
    daemon::runtime()?.block_on(async {
        let journal = Journal::open_for_reading(&config.journal).await.map_err(failed)?;
        let found = journal.operators().await.map_err(failed)?;
        Ok(Answer::yes(if asked.json {
            json(&found.iter().map(entry).collect::<Vec<_>>())?
        } else {
            table(&found, colour())
        }))
    })
}

fn entry(row: &OperatorRow) -> serde_json::Value {
    json!({ "name": row.name, "role": row.role.as_str(), "created_at": utc(row.created_at),
        "password_at": utc(row.password_at), "disabled_at": row.disabled_at.map(utc) })
}

fn table(found: &[OperatorRow], colour: bool) -> String {
    if found.is_empty() {
        return "there is no operator yet; `paygate operator add NAME --role ROLE` makes one\n".to_owned();
    }
    let mut table = Table::default();
    table.heading(&["NAME", "ROLE", "SINCE", "PASSWORD OF", "DISABLED"]);
    for row in found {
        let disabled = row.disabled_at.map(local).unwrap_or_default();
        table.row([
            Cell::painted(&row.name, row.disabled_at.map(|_| DIM)),
            Cell::new(row.role.as_str()),
            Cell::new(&local(row.created_at)),
            Cell::new(&local(row.password_at)),
            Cell::new(&disabled),
        ]);
    }
    table.render(colour)
}

fn named(asked: &Named) -> Result<String, Failure> {
    let expected = "expected 1 to 32 of a-z, 0-9, dot, dash and underscore";
    people::name(&asked.name).ok_or_else(|| Failure::Usage(format!("{:?} cannot be a name; {expected}", asked.name)))
}

/// From the file, from whoever sits at the terminal, twice, or from what is piped in.
fn password(file: Option<&Path>) -> Result<SecretString, Failure> {
    match file {
        Some(file) => first_line(std::fs::File::open(file), &format!("{}", file.display())),
        None if io::stdin().is_terminal() => typed(),
        None => first_line(Ok(io::stdin()), "stdin"),
    }
}

fn typed() -> Result<SecretString, Failure> {
    let ask = |prompt| {
        let typed = rpassword::prompt_password(prompt).map(SecretString::from);
        typed.map_err(|error| Failure::No(format!("no password could be read from the terminal ({error})")))
    };
    let (password, again) = (ask("Password: ")?, ask("The same again: ")?);
    if secrecy::ExposeSecret::expose_secret(&password) != secrecy::ExposeSecret::expose_secret(&again) {
        return Err(Failure::Usage("the two passwords differ; nothing was changed".to_owned()));
    }
    Ok(password)
}

fn first_line(source: io::Result<impl Read>, name: &str) -> Result<SecretString, Failure> {
    let mut text = String::new();
    let read = source.and_then(|source| source.take(PASSWORD_OCTETS).read_to_string(&mut text));
    read.map_err(|error| Failure::Usage(format!("the password cannot be read from {name} ({error})")))?;
    Ok(SecretString::from(text.lines().next().unwrap_or_default()))
}

/// A role as it is typed.
pub(super) fn role(word: &str) -> Result<Role, String> {
    Role::of(word).ok_or_else(|| format!("expected one of: {}", Role::ALL.map(Role::as_str).join(", ")))
}
