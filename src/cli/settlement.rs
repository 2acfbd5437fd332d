//! `paygate settlement`: a day's money by channel, short code, service and package (seed 003's question), whether it adds up
//! to the statements, and the same as double entries. Only reads.

use super::acts::failed;
use super::arguments::Settlement as Asked;
use super::table::{Cell, DIM, GREEN, RED, Table};
use super::{Answer, Failure, colour, daemon, json};
use crate::care::acts;
use crate::config::Config;
use crate::journal::Journal;
use crate::purchase::money::{Currency, grouped};
use crate::reconcile::books::{Account, account, effect};
use crate::reconcile::{Period, Settlement, Unsettled, books_of, csv_of, money};
use crate::telemetry::Output;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Rows that keep a day from adding up, in the table; all of them are in the list.
const ROWS: usize = 20;

pub(super) fn settlement(asked: &Asked, log: Option<&str>) -> Result<Answer, Failure> {
    let config = daemon::load(&asked.at.config)?;
    let _telemetry = daemon::logs(log.unwrap_or("warn"), Output::Readable)?;
    daemon::runtime()?.block_on(async {
        let journal = Journal::open_for_reading(&config.journal).await.map_err(failed)?;
        let all = settled(&config, &journal, asked).await?;
        Ok(Answer::yes(match asked {
            Asked { json: true, .. } => json(&all.iter().map(as_json).collect::<Vec<_>>())?,
            Asked { csv: true, .. } => {
                csv_of(&all).map_err(|error| Failure::No(format!("cannot write CSV: {error}")))?
            }
            Asked { books: true, .. } => books(&all),
            _ => table(&all),
        }))
    })
}

async fn settled(config: &Config, journal: &Journal, asked: &Asked) -> Result<Vec<Settlement>, Failure> {
    let known: Vec<String> = acts::channels(config).map(str::to_owned).collect();
    let period = Period { day: asked.day, until: asked.until, channel: asked.channel.clone() };
    period.settle(journal, &config.statement, &known).await.map_err(|error| match error {
        Unsettled::Asked(says) => Failure::Usage(says),
        Unsettled::Failed(error) => Failure::No(error.to_string()),
    })
}

const COLUMNS: [&str; 9] =
    ["DAY", "CHANNEL", "SHORT CODE", "SERVICE", "PACKAGE", "CHARGES", "CHARGED", "GIVEN BACK", "OWED GRANTS"];

fn table(all: &[Settlement]) -> String {
    if all.is_empty() {
        return "nothing was charged, and no statement is there\n".to_owned();
    }
    let mut table = Table::default();
    table.heading(&COLUMNS);
    for settlement in all {
        for one in &settlement.groups {
            let of = |amount: i64| if amount == 0 { String::new() } else { money(amount, Some(one.group.currency)) };
            table.row([
                Cell::new(&settlement.day.to_string()),
                Cell::new(&settlement.channel),
                Cell::new(&one.group.short_code),
                Cell::new(&one.group.service),
                Cell::new(&one.group.package),
                Cell::figure(&grouped(one.charges.unsigned_abs(), ",")),
                Cell::figure(&of(one.charged)),
                Cell::figure(&of(-one.refunded)),
                Cell::figure(&of(one.owed())),
            ]);
        }
    }
    let mut text = table.render(colour());
    for settlement in all {
        text += "\n";
        text += &adds_up(settlement);
    }
    text
}

/// A channel's day: our journal, what did not match, and the statement.
fn adds_up(settlement: &Settlement) -> String {
    let mut table = Table::default();
    let head = format!("{} {}", settlement.channel, settlement.day);
    for sums in &settlement.sums {
        let line = |table: &mut Table, what: &str, amount: i64| {
            table.row([
                Cell::painted(&head, Some(DIM)),
                Cell::new(what),
                Cell::figure(&money(amount, Some(sums.currency))),
            ]);
        };
        line(&mut table, "our journal, charged less given back", sums.journal);
        let Some(statement) = sums.statement else {
            table.row([Cell::painted(&head, Some(DIM)), Cell::painted("no statement is imported", Some(RED))]);
            continue;
        };
        if sums.unlisted != 0 {
            line(&mut table, "given back, and not in its statements", sums.unlisted);
        }
        for (standing, (count, amount)) in settlement.by_standing(sums.currency) {
            line(&mut table, &format!("{}, rows: {count}", standing.as_str()), amount);
        }
        line(&mut table, "its statement", statement);
        let (verdict, tone) = match sums.unexplained() {
            0 => ("adds up".to_owned(), GREEN),
            rest => (format!("does not add up: {} that no row explains", money(rest, Some(sums.currency))), RED),
        };
        table.row([Cell::painted(&head, Some(DIM)), Cell::painted(&verdict, Some(tone))]);
    }
    table.render(colour()) + &suspense(settlement)
}

/// The rows that are on the suspense account.
fn suspense(settlement: &Settlement) -> String {
    let open: Vec<_> = settlement.suspense().collect();
    let mut table = Table::default();
    for row in open.iter().take(ROWS) {
        table.row([
            Cell::new("  suspense"),
            Cell::figure(&row.number.to_string()),
            Cell::new(row.standing.as_str()),
            Cell::figure(&money(effect(row), row.currency)),
            Cell::new(&row.owner),
            Cell::new(row.purchase.as_deref().or(row.reference.as_deref()).unwrap_or_default()),
            Cell::new(&row.note),
        ]);
    }
    let more = open.len().saturating_sub(ROWS);
    let more = if more == 0 {
        String::new()
    } else {
        format!(
            "  and {more} more: see `paygate reconcile list --channel {} --day {}`\n",
            settlement.channel, settlement.day
        )
    };
    table.render(colour()) + &more
}

/// All accounts of all channels and days together.
fn books(all: &[Settlement]) -> String {
    let books = books_of(all);
    let mut table = Table::default();
    table.heading(&["ACCOUNT", "DEBIT", "CREDIT", "BALANCE"]);
    let currencies: BTreeSet<Currency> = books.accounts.keys().map(|(currency, _)| *currency).collect();
    for currency in currencies {
        let (mut debit, mut credit) = (0, 0);
        let mut line = |name: &str, debit: i64, credit: i64| {
            let cells = [debit, credit, debit - credit].map(|amount| Cell::figure(&money(amount, Some(currency))));
            table.row([Cell::new(name)].into_iter().chain(cells));
        };
        for ((_, account), sides) in books.accounts.iter().filter(|((of, _), _)| *of == currency) {
            line(&account.name(), sides.debit, sides.credit);
            debit += sides.debit;
            credit += sides.credit;
        }
        line("in all", debit, credit);
    }
    table.render(colour())
}

fn as_json(settlement: &Settlement) -> Value {
    let groups = settlement.groups.iter().map(|one| {
        json!({
            "short_code": one.group.short_code, "service": one.group.service, "package": one.group.package,
            "currency": one.group.currency, "charges": one.charges, "charged": one.charged, "refunds": one.refunds,
            "refunded": one.refunded, "granted": one.granted, "owed_grants": one.owed(),
        })
    });
    let sums = settlement.sums.iter().map(|sums| {
        json!({
            "currency": sums.currency, "journal": sums.journal, "unlisted": sums.unlisted, "explained": sums.explained, "statement": sums.statement,
            "unexplained": sums.unexplained(),
        })
    });
    let accounts = settlement.books.accounts.iter().map(|((currency, account), sides)| {
        json!({
            "account": account.name(), "currency": currency, "debit": sides.debit, "credit": sides.credit,
            "balance": sides.balance(),
        })
    });
    let open = settlement.rows.iter().filter(|row| account(row) == Some(Account::Suspense)).map(|row| row.number);
    json!({
        "channel": settlement.channel, "day": settlement.day.to_string(),
        "statement": settlement.statement.as_ref().map(|statement| json!({ "version": statement.version, "files": statement.files })),
        "groups": groups.collect::<Vec<_>>(), "sums": sums.collect::<Vec<_>>(), "books": accounts.collect::<Vec<_>>(),
        "suspense": open.collect::<Vec<_>>(),
    })
}
