//! The first screen, for whoever is on call: what is wrong at this moment, and how much is under way. Reads what health and
//! metrics know already.

use super::Care;
use super::acts::channel_of;
use super::frame::{self, Place, age, toned};
use super::html::{El, Html, el};
use super::session::Visitor;
use crate::alarm::Alarm;
use crate::journal::JournalError;
use crate::journal::rows::{ActRow, Backlog, Filter};
use crate::people::Right;
use crate::purchase::State;
use crate::purchase::record::Micros;
use crate::story::ordered;
use crate::story::timeline::Tone;
use axum::extract;
use axum::response::{IntoResponse, Response};

/// Purchases in review that are shown at once.
const REVIEWS: u32 = 10;

/// Something that needs a person, and where to look.
struct Sign {
    tone: Tone,
    says: String,
    look: String,
}

pub(super) async fn page(extract::State(care): extract::State<Care>, visitor: Visitor) -> Response {
    match content(&care, &visitor).await {
        Ok(content) => frame::page(&visitor, "Now", Place::Now, "", content).document().into_response(),
        Err(error) => care.failed(&error),
    }
}

async fn content(care: &Care, visitor: &Visitor) -> Result<Html, JournalError> {
    let journal = &care.0.journal;
    let (backlog, freezes, now) = (journal.backlog().await?, journal.freezes().await?, journal.now().await?);
    let in_review = Some(State::Review.as_str().to_owned());
    let reviews = journal.list(&Filter { state: in_review, limit: REVIEWS, ..Filter::default() }).await?;
    let unconfirmed = journal.unconfirmed_acts().await?;
    let waiting = backlog.acts - i64::try_from(unconfirmed.len()).unwrap_or(i64::MAX);
    let mut signs = at_once(care, &backlog, waiting, now);
    let reads_statements = visitor.role.may(Right::ReadStatements);
    signs.extend(care.0.told.alarms.borrow().iter().filter_map(|alarm| raised(alarm, reads_statements)));
    signs.extend(freezes.iter().map(|freeze| frozen(freeze, now)));
    signs.extend(unconfirmed.iter().filter_map(|act| for_second(act, now)));
    let heading = el("h2").text("In review").add(el("small").text("newest first"));
    let waiting = (!reviews.is_empty()).then(|| {
        let table = super::list::table(care, &reviews);
        Html::from(el("section").add(heading).add(table))
    });
    Ok(Html::from_iter::<[Html; 4]>([
        el("h1").text("Now").into(),
        sign_list(&signs).into(),
        figures(&backlog, now).into(),
        waiting.into(),
    ]))
}

/// What the journal says at this very moment; the worst stands first.
fn at_once(care: &Care, backlog: &Backlog, acts: i64, now: Micros) -> Vec<Sign> {
    let mut signs = Vec::new();
    let mut sign = |tone, says: String, look: &str| signs.push(Sign { tone, says, look: String::from(look) });
    for part in care.0.told.readiness.borrow().missing() {
        sign(Tone::Person, format!("Not ready: {part}"), "/care");
    }
    let too_long = i64::try_from(care.0.unknown_too_long.as_micros()).unwrap_or(i64::MAX);
    if let Some(oldest) = backlog.oldest_unknown.filter(|at| now - at > too_long) {
        let says = format!("What became of some money is unknown, the oldest since {}", age(now - oldest));
        sign(Tone::Person, says, "/care/purchases?state=unknown");
    }
    if backlog.review > 0 {
        sign(Tone::Person, format!("{} in review: a person must look", backlog.review), "/care/purchases?state=review");
    }
    if acts > 0 {
        let says = format!("{acts} acts wait for a daemon to carry them out");
        sign(Tone::Unknown, says, "/care/purchases?state=open");
    }
    signs
}

/// What the daemon's watch has raised and is not said at once.
fn raised(alarm: &Alarm, reads_statements: bool) -> Option<Sign> {
    let look = match alarm {
        Alarm::OldestUnknown { .. } | Alarm::Review { .. } => return None,
        Alarm::ReviewGrows { .. } => "/care/purchases?state=review".to_owned(),
        Alarm::Surplus { .. } => "/care/purchases?state=surplus".to_owned(),
        Alarm::Long { channel, .. } | Alarm::Short { channel, .. } if reads_statements => {
            format!("/care/statements?channel={channel}&standing={}", alarm.name())
        }
        Alarm::NotifySilent { .. } | Alarm::Long { .. } | Alarm::Short { .. } => "/care/channels".to_owned(),
    };
    Some(Sign { tone: Tone::Person, says: alarm.says(), look })
}

fn frozen(freeze: &ActRow, now: Micros) -> Sign {
    let (channel, act) = (channel_of(freeze), &freeze.act);
    let says = format!("{channel} is frozen since {} by {}: {}", age(now - freeze.at), act.operator, act.reason);
    Sign { tone: Tone::Unknown, says, look: "/care/channels".to_owned() }
}

fn for_second(row: &ActRow, now: Micros) -> Option<Sign> {
    let (id, act) = (row.act.deed.purchase()?, &row.act);
    let (what, by) = (ordered(&act.deed), &act.operator);
    let says = format!("{what}, ordered by {by}, waits for a second person since {}", age(now - row.at));
    Some(Sign { tone: Tone::Unknown, says, look: format!("/care/purchases/{id}") })
}

fn sign_list(signs: &[Sign]) -> El {
    if signs.is_empty() {
        return toned(el("p").class("alarm"), Some(Tone::Good)).text("Nothing needs a person.");
    }
    let sign = |sign: &Sign| {
        let link = el("a").attr("href", &sign.look).text(&sign.says);
        toned(el("li").class("alarm"), Some(sign.tone)).add(link)
    };
    el("ul").class("alarms").all(signs.iter().map(sign))
}

fn figures(backlog: &Backlog, now: Micros) -> El {
    let oldest = backlog.oldest_unknown.map_or_else(|| "–".to_owned(), |at| age(now - at));
    let figure = |name: &str, value: String, look: Option<&str>| {
        let value = match look {
            Some(look) => el("a").attr("href", look).text(&value),
            None => el("span").text(&value),
        };
        el("li").add(value).add(el("small").text(name))
    };
    el("ul").class("figures card").all([
        figure("open", backlog.open.to_string(), Some("/care/purchases?state=open")),
        figure("unknown", backlog.unknown.to_string(), Some("/care/purchases?state=unknown")),
        figure("oldest unknown", oldest, Some("/care/purchases?state=unknown")),
        figure("in review", backlog.review.to_string(), Some("/care/purchases?state=review")),
        figure("texts owed", backlog.replies_owed.to_string(), None),
        figure("acts waiting", backlog.acts.to_string(), None),
    ])
}
