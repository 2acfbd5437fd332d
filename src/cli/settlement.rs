//! `paygate settlement`: a day's money by channel, short code, service and package (seed 003's question), whether it adds up
//! to the statements, and the same as double entries. Only reads.

use super::acts::failed;
use super::arguments::Settlement as Asked;
use super::reconcile::shown::money;
use super::table::{Cell, DIM, GREEN, RED, Table};
use super::{Answer, Failure, colour, daemon, json};
use crate::config::{Config, Statement};
use crate::journal::Journal;
use crate::journal::reconciliation::DiscrepancyRow;
use crate::purchase::money::{Currency, grouped};
use crate::reconcile::books::{Account, Books, account, effect};
use crate::reconcile::{Settlement, settle};
use crate::telemetry::Output;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Days in one settlement.
const DAYS: usize = 366;
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
            Asked { csv: true, .. } => csv(&all)?,
            Asked { books: true, .. } => books(&all),
            _ => table(&all),
        }))
    })
}

async fn settled(config: &Config, journal: &Journal, asked: &Asked) -> Result<Vec<Settlement>, Failure> {
    let known: BTreeSet<&str> = config.charging.keys().chain(config.partner.keys()).map(String::as_str).collect();
    if let Some(channel) = asked.channel.as_deref().filter(|channel| !known.contains(channel)) {
        let known = known.into_iter().collect::<Vec<_>>().join(", ");
        return Err(Failure::Usage(format!("no channel {channel:?} is configured; the channels are {known}")));
    }
    let until = asked.until.unwrap_or(asked.day);
    let days: Vec<_> =
        asked.day.series(jiff::Span::new().days(1)).take_while(|day| *day <= until).take(DAYS + 1).collect();
    if days.is_empty() || days.len() > DAYS {
        return Err(Failure::Usage(format!("expected --until on the first day or later, and {DAYS} days at most")));
    }
    // A channel without statements has days, too.
    let usual = Statement::default();
    let mut all = Vec::new();
    for day in days {
        for channel in known.iter().filter(|channel| asked.channel.as_deref().is_none_or(|wanted| wanted == **channel))
        {
            let map = config.statement.get(*channel).unwrap_or(&usual);
            let settlement =
                settle(journal, channel, map, day).await.map_err(|error| Failure::No(error.to_string()))?;
            if settlement.statement.is_some() || !settlement.groups.is_empty() {
                all.push(settlement);
            }
        }
    }
    Ok(all)
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
        for (what, amount) in by_kind(&settlement.rows, sums.currency) {
            line(&mut table, &what, amount);
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

/// What the rows that did not match come to, by how they stand.
fn by_kind(rows: &[DiscrepancyRow], currency: Currency) -> Vec<(String, i64)> {
    let kinds: BTreeSet<_> = rows.iter().map(|row| row.standing).collect();
    let sum = |standing| {
        let of =
            rows.iter().filter(|row| row.standing == standing && row.currency == Some(currency) && effect(row) != 0);
        let (count, amount) = of.fold((0, 0), |(count, amount), row| (count + 1, amount + effect(row)));
        (count > 0).then(|| (format!("{standing}, {count} rows", standing = standing.as_str()), amount))
    };
    kinds.into_iter().filter_map(sum).collect()
}

/// The rows that are on the suspense account.
fn suspense(settlement: &Settlement) -> String {
    let open: Vec<_> =
        settlement.rows.iter().filter(|row| account(row) == Some(Account::Suspense) && effect(row) != 0).collect();
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
    let mut books = Books::default();
    for settlement in all {
        books.add(&settlement.books);
    }
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

fn csv(all: &[Settlement]) -> Result<String, Failure> {
    let failed = |error: csv::Error| Failure::No(format!("cannot write CSV: {error}"));
    let mut out = csv::Writer::from_writer(Vec::new());
    let head = "day,channel,short_code,service,package,currency,charges,charged,refunds,refunded,granted,owed_grants";
    out.write_record(head.split(',')).map_err(failed)?;
    for settlement in all {
        for one in &settlement.groups {
            let (group, owed) = (&one.group, one.owed());
            let words =
                [&settlement.channel, &group.short_code, &group.service, &group.package].map(|word| harmless(word));
            let figures = [one.charges, one.charged, one.refunds, one.refunded, one.granted, owed]
                .map(|figure| figure.to_string());
            let day = [settlement.day.to_string()];
            let currency = [group.currency.as_str().to_owned()];
            out.write_record(day.iter().chain(&words).chain(&currency).chain(&figures)).map_err(failed)?;
        }
    }
    let octets = out.into_inner().map_err(|error| Failure::No(format!("cannot write CSV: {error}")))?;
    Ok(String::from_utf8_lossy(&octets).into_owned())
}

/// A spreadsheet must not take a name for a formula.
fn harmless(word: &str) -> String {
    if word.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{word}") } else { word.to_owned() }
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

#[cfg(test)]
mod tests {
    use super::harmless;

    #[test]
    fn a_name_is_no_formula_to_a_spreadsheet() {
        for (word, written) in [("=1+1", "'=1+1"), ("@x", "'@x"), ("-5", "'-5"), ("NAP1", "NAP1"), ("", "")] {
            assert_eq!(harmless(word), written);
        }
    }
}
