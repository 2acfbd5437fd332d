//! The settlement, for the accountant at day's end: each day's money by channel, short code, service and package, whether it
//! adds up to the statements, and the same as double entries. The command line's sums, and its CSV. Only reads.

use super::Care;
use super::frame::{self, Place, field, pill, select};
use super::html::{El, Html, el};
use super::ledger::{Column, file, ledger};
use super::session::Visitor;
use crate::journal::JournalError;
use crate::people::Right;
use crate::purchase::money::{Currency, grouped};
use crate::reconcile::books::{Books, Sides, effect};
use crate::reconcile::{Period, ReconcileError, Settlement, Sums, Unsettled, books_of, csv_of, money};
use crate::story::timeline::Tone;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use jiff::Zoned;
use jiff::civil::Date;
use serde::Deserialize;
use std::collections::BTreeSet;

/// Rows of one day's suspense that are shown at once; all of them are in the list.
const ROWS: usize = 20;

/// What is asked for; each is in the page's address.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    day: String,
    until: String,
    channel: String,
}

impl Asked {
    /// Without a day it is yesterday: today's statement is not there yet.
    fn period(&self) -> Result<Period, String> {
        let date = |name: &str, text: &str| match text.trim() {
            "" => Ok(None),
            text => text.parse().map(Some).map_err(|_| format!("{name}: expected a day such as 2026-11-24")),
        };
        let yesterday = || Zoned::now().date().yesterday().unwrap_or(Date::MIN);
        Ok(Period {
            day: date("day", &self.day)?.unwrap_or_else(yesterday),
            until: date("until", &self.until)?,
            channel: Some(self.channel.trim().to_owned()).filter(|channel| !channel.is_empty()),
        })
    }

    /// The same question again, its day named.
    fn query(&self, period: &Period) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("day", &period.day.to_string());
        query.append_pair("until", &self.until).append_pair("channel", &self.channel).finish()
    }
}

/// Why there is nothing to show.
enum Fault {
    /// What was asked for cannot be.
    Asked(String),
    Failed(JournalError),
}

async fn settled(care: &Care, asked: &Asked) -> Result<(Period, Vec<Settlement>), Fault> {
    let period = asked.period().map_err(Fault::Asked)?;
    let settled = period.settle(&care.0.journal, &care.0.statements, &care.0.channels).await;
    settled.map(|all| (period, all)).map_err(|error| match error {
        Unsettled::Failed(ReconcileError::Journal(error)) => Fault::Failed(error),
        error => Fault::Asked(error.to_string()),
    })
}

pub(super) async fn csv(State(care): State<Care>, visitor: Visitor, Query(asked): Query<Asked>) -> Response {
    if !visitor.role.may(Right::ReadStatements) {
        return frame::forbidden(&visitor, "Settlement", Place::Settlement, Right::ReadStatements);
    }
    let (period, all) = match settled(&care, &asked).await {
        Ok(settled) => settled,
        Err(Fault::Asked(says)) => return (StatusCode::UNPROCESSABLE_ENTITY, says + "\n").into_response(),
        Err(Fault::Failed(error)) => return care.failed(&error),
    };
    let name = format!("settlement-{}.csv", period.day);
    if let Err(error) = care.note(&visitor, "export", &name).await {
        return care.failed(&error);
    }
    match csv_of(&all) {
        Ok(text) => file(&name, text),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("cannot write CSV: {error}\n")).into_response(),
    }
}

pub(super) async fn page(State(care): State<Care>, visitor: Visitor, Query(asked): Query<Asked>) -> Response {
    if !visitor.role.may(Right::ReadStatements) {
        return frame::forbidden(&visitor, "Settlement", Place::Settlement, Right::ReadStatements);
    }
    let (status, content) = match settled(&care, &asked).await {
        Ok((period, all)) => (StatusCode::OK, content(&care, &asked, &period, &all)),
        Err(Fault::Asked(says)) => {
            let fault = el("p").class("fault").attr("role", "alert").text(&says);
            (StatusCode::UNPROCESSABLE_ENTITY, Html::from_iter([filters(&care, &asked, ""), fault]))
        }
        Err(Fault::Failed(error)) => return care.failed(&error),
    };
    let content = Html::from_iter([Html::from(el("h1").text("Settlement")), content]);
    (status, frame::page(&visitor, "Settlement", Place::Settlement, "", content).document()).into_response()
}

fn content(care: &Care, asked: &Asked, period: &Period, all: &[Settlement]) -> Html {
    let filters = filters(care, asked, &period.day.to_string());
    if all.is_empty() {
        let nothing = el("p").class("card nothing").text("Nothing was charged, and no statement is there.");
        return Html::from_iter([filters, nothing]);
    }
    let take = format!("/care/settlement.csv?{}", asked.query(period));
    let take = el("a").class("again").attr("href", &take).text("CSV");
    let heading = el("div").class("heading").add(el("h2").text("By short code, service and package")).add(take);
    let nothing = || el("p").class("card nothing").text("Our journal has no charge in this time.");
    let none = all.iter().all(|settlement| settlement.groups.is_empty());
    let groups = el("section").class("paper").add(heading).add(if none { nothing() } else { groups(all) });
    let days = el("div").class("days").all(all.iter().map(adds_up));
    Html::from_iter([filters, groups, days, double_entries(all)])
}

fn filters(care: &Care, asked: &Asked, day: &str) -> El {
    let day = if asked.day.is_empty() { day } else { &asked.day };
    let date = |name, value: &str| el("input").attr("type", "date").attr("name", name).attr("value", value);
    let channels = care.0.channels.iter().map(|channel| (channel.as_str(), channel.as_str()));
    el("form")
        .class("filters")
        .attr("action", "/care/settlement")
        .add(field("Day", date("day", day)))
        .add(field("Until", date("until", &asked.until)))
        .add(field("Channel", select("channel", &asked.channel, [("", "all")].into_iter().chain(channels))))
        .add(el("button").class("quiet").text("Show"))
}

fn groups(all: &[Settlement]) -> El {
    use Column::{Figure, Word};
    let columns = [
        Word("Day"),
        Word("Channel"),
        Word("Short code"),
        Word("Service"),
        Word("Package"),
        Figure("Charges"),
        Figure("Charged"),
        Figure("Given back"),
        Figure("Owed grants"),
    ];
    let groups = all.iter().flat_map(|settlement| settlement.groups.iter().map(move |one| (settlement, one)));
    let rows = groups.map(|(settlement, one)| {
        let figure = |amount: i64| match amount {
            0 => Html::text("–"),
            amount => Html::text(&money(amount, Some(one.group.currency))),
        };
        [
            Html::from(el("time").text(&settlement.day.to_string())),
            Html::text(&settlement.channel),
            Html::text(&one.group.short_code),
            Html::text(&one.group.service),
            Html::text(&one.group.package),
            Html::text(&grouped(one.charges.unsigned_abs(), ",")),
            figure(one.charged),
            figure(-one.refunded),
            figure(one.owed()),
        ]
    });
    ledger(columns, rows)
}

/// A channel's day: our journal, what did not match, and the statement.
fn adds_up(settlement: &Settlement) -> El {
    let open = settlement.suspense().count();
    let (word, tone) = match settlement.sums.iter().find(|sums| sums.unexplained() != 0) {
        _ if settlement.statement.is_none() => ("no statement is imported", Tone::Unknown),
        Some(_) => ("does not add up", Tone::Person),
        // Explained row by row, but by nobody yet.
        None if open > 0 => ("adds up with its suspense", Tone::Unknown),
        None => ("adds up", Tone::Good),
    };
    let heading = el("div")
        .class("heading")
        .add(el("h2").text(&format!("{} {}", settlement.channel, settlement.day)))
        .add(pill(word, Some(tone)))
        .all((open > 0).then(|| pill(&format!("{open} in suspense"), Some(Tone::Unknown))));
    let sums = settlement.sums.iter().flat_map(|sums| lines(settlement, *sums));
    let sums =
        sums.map(|(what, amount)| Html::from_iter([el("dt").text(&what), el("dd").class("price").text(&amount)]));
    el("section")
        .class("card day")
        .attr("data-day", &format!("{} {}", settlement.channel, settlement.day))
        .add(heading)
        .add(el("dl").class("sums").all(sums))
        .add(suspense(settlement))
}

fn lines(settlement: &Settlement, sums: Sums) -> Vec<(String, String)> {
    let line = |what: &str, amount: i64| (what.to_owned(), money(amount, Some(sums.currency)));
    let mut lines = vec![line("our journal, charged less given back", sums.journal)];
    let Some(statement) = sums.statement else { return lines };
    if sums.unlisted != 0 {
        lines.push(line("given back, and not in its statements", sums.unlisted));
    }
    let by_standing = settlement.by_standing(sums.currency).into_iter();
    lines.extend(
        by_standing.map(|(standing, (count, amount))| line(&format!("{}, rows: {count}", standing.as_str()), amount)),
    );
    lines.push(line("its statement", statement));
    if sums.unexplained() != 0 {
        lines.push(line("that no row explains", sums.unexplained()));
    }
    lines
}

/// The rows that are on the suspense account, each with its page.
fn suspense(settlement: &Settlement) -> Option<Html> {
    use Column::{Figure, Word};
    let open: Vec<_> = settlement.suspense().collect();
    let columns = [Word("Suspense"), Word("Stands"), Word("Owner"), Word("Why"), Figure("Amount")];
    let rows = open.iter().take(ROWS).map(|row| {
        let number = row.number.to_string();
        [
            Html::from(el("a").attr("href", &format!("/care/discrepancies/{number}")).text(&number)),
            Html::text(row.standing.as_str()),
            Html::text(&row.owner),
            Html::text(&row.note),
            Html::text(&money(effect(row), row.currency)),
        ]
    });
    let more = open.len().checked_sub(ROWS).filter(|more| *more > 0).map(|more| {
        let at = format!("/care/statements?channel={}&day={}", settlement.channel, settlement.day);
        el("p").add(el("a").attr("href", &at).text(&format!("and {more} more")))
    });
    (!open.is_empty()).then(|| Html::from_iter([Html::from(ledger(columns, rows)), more.into()]))
}

/// All accounts of all channels and days together.
fn double_entries(all: &[Settlement]) -> El {
    use Column::{Figure, Word};
    let books = books_of(all);
    let currencies: BTreeSet<Currency> = books.accounts.keys().map(|(currency, _)| *currency).collect();
    let rows = currencies.into_iter().flat_map(|currency| accounts(&books, currency));
    let columns = [Word("Account"), Figure("Debit"), Figure("Credit"), Figure("Balance")];
    let says = "Each sum stands on two accounts; all balances together are nothing.";
    el("section")
        .class("card books")
        .add(el("h2").text("Double entries").add(el("small").text(says)))
        .add(ledger(columns, rows))
}

fn accounts(books: &Books, currency: Currency) -> Vec<[Html; 4]> {
    let line = |name: String, sides: Sides| {
        let figure = |amount: i64| Html::text(&money(amount, Some(currency)));
        [Html::text(&name), figure(sides.debit), figure(sides.credit), figure(sides.balance())]
    };
    let own = || books.accounts.iter().filter(|((of, _), _)| *of == currency);
    let all = own().fold(Sides::default(), |all, (_, sides)| Sides {
        debit: all.debit + sides.debit,
        credit: all.credit + sides.credit,
    });
    own().map(|((_, account), sides)| line(account.name(), *sides)).chain([line("in all".to_owned(), all)]).collect()
}
