//! Every attempt there ever was, abandoned ones too, newest first, with filters and one search. Numbers are masked for
//! everybody here: a list is for many eyes.

use super::frame::{self, Place, field, granted_tone, paid_tone, pill, select, time, words};
use super::html::{El, Html, el};
use super::mask::Mask;
use super::session::Visitor;
use super::{Care, sought};
use crate::engine::door::{Door, PARTNER};
use crate::journal::rows::{self, Filter, Listed, Pending};
use crate::purchase::State;
use crate::purchase::fault;
use crate::purchase::record::ReviewReason;
use crate::story::moment::moment;
use crate::story::timeline::tone;
use axum::extract::{self, Query};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

/// What is asked for; each is in the page's address, so that a list can be kept and sent on.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    pub(super) q: String,
    r#type: String,
    channel: String,
    /// A state's word, `open`, `unknown` or `surplus`.
    state: String,
    since: String,
    until: String,
    /// Where the page before ended: `created_at.id`.
    after: String,
}

/// By which way it was asked for.
const DOORS: [&str; 6] =
    [Door::Smpp.as_str(), Door::Http.as_str(), Door::Kannel.as_str(), Door::App.as_str(), Door::Ussd.as_str(), PARTNER];

/// States together, beside each by itself.
const TOGETHER: [(&str, &str); 3] =
    [("open", "all that is open"), ("unknown", "all that is unknown"), ("surplus", "charged twice")];

pub(super) async fn page(
    extract::State(care): extract::State<Care>,
    visitor: Visitor,
    Query(asked): Query<Asked>,
) -> Response {
    let size = care.0.settings.page;
    // One more than is shown tells whether there is a next page.
    let (filter, fault) = match asked.filter(&care, size + 1) {
        Ok(filter) => (filter, None),
        Err(fault) => (Filter { limit: size + 1, ..Filter::default() }, Some(fault)),
    };
    let mut found = match care.0.journal.list(&filter).await {
        Ok(found) => found,
        Err(error) => return care.failed(&error),
    };
    let more = found.len() > size as usize;
    found.truncate(size as usize);
    let content = Html::from_iter([
        el("h1").text("Purchases").into(),
        filters(&care, &asked).into(),
        fault.map(|fault| el("p").class("fault").attr("role", "alert").text(&fault)).into(),
        if found.is_empty() { nothing(&asked) } else { table(&care, &found) },
        Html::from(found.last().filter(|_| more).map(|last| el("p").class("more").add(next(&asked, last)))),
    ]);
    frame::page(&visitor, "Purchases", Place::Purchases, &asked.q, content).document().into_response()
}

impl Asked {
    fn filter(&self, care: &Care, limit: u32) -> Result<Filter, String> {
        let given = |text: &String| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        let time = |name: &str, text: &String| {
            given(text).map(|text| moment(&text)).transpose().map_err(|expected| format!("{name}: {expected}"))
        };
        let backlog = match self.state.as_str() {
            "open" => Some(Pending::Open),
            "unknown" => Some(Pending::Unknown),
            _ => None,
        };
        let is_state = State::ALL.iter().any(|state| state.as_str() == self.state);
        Ok(Filter {
            state: is_state.then(|| self.state.clone()),
            backlog,
            surplus: self.state == "surplus",
            door: given(&self.r#type),
            channel: given(&self.channel),
            since: time("from", &self.since)?.map(|time| time.micros()),
            until: time("until", &self.until)?.map(|time| time.micros()),
            search: given(&self.q).map(|words| sought(&care.0.country, &words)),
            after: self.place(),
            limit,
        })
    }

    fn place(&self) -> Option<rows::Place> {
        let (at, id) = self.after.split_once('.')?;
        Some(rows::Place { created_at: at.parse().ok()?, id: id.to_owned() })
    }

    fn address(&self, after: &str) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        for (name, value) in [
            ("q", self.q.as_str()),
            ("type", &self.r#type),
            ("channel", &self.channel),
            ("state", &self.state),
            ("since", &self.since),
            ("until", &self.until),
            ("after", after),
        ] {
            if !value.is_empty() {
                query.append_pair(name, value);
            }
        }
        format!("/care/purchases?{}", query.finish())
    }
}

fn next(asked: &Asked, last: &Listed) -> El {
    let place = format!("{}.{}", last.purchase.created_at, last.purchase.id);
    el("a").class("button quiet").attr("rel", "next").attr("href", &asked.address(&place)).text("Older")
}

fn filters(care: &Care, asked: &Asked) -> El {
    let doors = DOORS.into_iter().map(|door| (door, door));
    let channels = care.0.channels.iter().map(|channel| (channel.as_str(), channel.as_str()));
    let names: Vec<String> = State::ALL.iter().map(|state| words(state.as_str())).collect();
    let states = State::ALL.iter().zip(&names).map(|(state, name)| (state.as_str(), name.as_str()));
    let any = |word| [("", word)].into_iter();
    let input = |name, value: &str| {
        el("input").attr("name", name).attr("value", value).attr("placeholder", "2026-11-25, or 2h").attr("size", "16")
    };
    el("form")
        .class("filters")
        .attr("action", "/care/purchases")
        .all((!asked.q.is_empty()).then(|| frame::hidden("q", &asked.q)))
        .add(field("Type", select("type", &asked.r#type, any("any").chain(doors))))
        .add(field("Channel", select("channel", &asked.channel, any("any").chain(channels))))
        .add(field("State", select("state", &asked.state, any("any").chain(TOGETHER).chain(states))))
        .add(field("From", input("since", &asked.since)))
        .add(field("Until", input("until", &asked.until)))
        .add(el("button").class("quiet").text("Show"))
}

/// Somebody whose money was taken and who is not here is the administrator's (charging.md R000.21).
fn nothing(asked: &Asked) -> Html {
    let card = el("div").class("card nothing").add(el("p").text("No purchase matches."));
    if asked.q.is_empty() {
        return card.into();
    }
    let says = "If money was taken all the same, paygate was told of no such transaction. The channel's statement will show it. ";
    let todo = fault::Care::ContactPaygate;
    card.attr("data-care", todo.as_str()).add(el("p").text(says).add(el("strong").text(todo.sentence()))).into()
}

/// On a phone each row is a card, and each cell says what it is.
pub(super) fn table(care: &Care, found: &[Listed]) -> Html {
    const HEADS: [&str; 9] =
        ["Asked", "Number", "Account", "Package", "Price", "Channel", "State", "Paid?", "Granted?"];
    let head = el("thead").add(el("tr").all(HEADS.map(|name| el("th").attr("scope", "col").text(name))));
    let body = el("tbody").all(found.iter().map(|listed| row(care, listed)));
    el("table").class("list card").add(head).add(body).into()
}

fn row(care: &Care, listed: &Listed) -> El {
    let (purchase, order) = (&listed.purchase, &listed.purchase.order);
    let mask = Mask::of(purchase, &care.0.country);
    let link = el("a").attr("href", &format!("/care/purchases/{}", purchase.id)).add(time(purchase.created_at));
    let cell = |name, value: Html| el("td").attr("data-name", name).add(value);
    let number = order.msisdn.map_or_else(|| "none".to_owned(), |msisdn| msisdn.to_string());
    let price = purchase.price().map_or_else(|| "–".to_owned(), |price| price.to_string());
    let (paid, granted) = (purchase.paid().as_str(), purchase.granted());
    el("tr")
        .attr("data-state", purchase.state.as_str())
        .add(cell("Asked", link.into()))
        .add(cell("Number", Html::text(&number)))
        .add(cell("Account", Html::text(&mask.over(&order.account))))
        .add(cell("Package", Html::text(&format!("{} {}", order.service, order.package))))
        .add(cell("Price", Html::text(&price)).class("price"))
        .add(cell("Channel", Html::text(&order.channel)).add(el("small").text(&order.door)))
        .add(cell("State", state(purchase.state, purchase.review)))
        .add(cell("Paid?", pill(paid, paid_tone(paid)).into()).class("paid"))
        .add(cell("Granted?", pill(granted, granted_tone(granted)).into()).class("granted"))
}

/// The state's word, and why a person is needed.
pub(super) fn state(state: State, review: Option<ReviewReason>) -> Html {
    let word = pill(&words(state.as_str()), tone(state));
    let why = review.map(|review| el("small").text(&words(review.as_str())));
    Html::from_iter([Html::from(word), why.into()])
}
