//! The first screen, for whoever is on call: what is wrong at this moment, and how much is under way. Reads what health and
//! metrics know already.

use super::Care;
use super::acts::channel_of;
use super::frame::{self, Place, age, toned};
use super::html::{El, Html, el};
use super::session::Visitor;
use crate::journal::JournalError;
use crate::journal::rows::{ActRow, Backlog, Filter};
use crate::purchase::State;
use crate::purchase::record::Micros;
use crate::story::timeline::Tone;
use axum::extract;
use axum::response::{IntoResponse, Response};

/// An unknown that is older needs a person's eyes (README, "Operating it").
const UNKNOWN_TOO_LONG: Micros = 15 * 60 * 1_000_000;
/// Purchases in review that are shown at once.
const REVIEWS: u32 = 10;

/// Something that needs a person, and where to look.
struct Alarm {
    tone: Tone,
    says: String,
    look: String,
}

pub(super) async fn page(extract::State(care): extract::State<Care>, visitor: Visitor) -> Response {
    match content(&care).await {
        Ok(content) => frame::page(&visitor, "Now", Place::Now, "", content).document().into_response(),
        Err(error) => care.failed(&error),
    }
}

async fn content(care: &Care) -> Result<Html, JournalError> {
    let journal = &care.0.journal;
    let (backlog, freezes, now) = (journal.backlog().await?, journal.freezes().await?, journal.now().await?);
    let in_review = Some(State::Review.as_str().to_owned());
    let reviews = journal.list(&Filter { state: in_review, limit: REVIEWS, ..Filter::default() }).await?;
    let missing = care.0.readiness.borrow().missing();
    let mut alarms = alarms(&backlog, &freezes, &missing, now);
    alarms.extend(journal.unconfirmed_acts().await?.iter().filter_map(|act| unconfirmed(act, now)));
    let heading = el("h2").text("In review").add(el("small").text("newest first"));
    let waiting = (!reviews.is_empty()).then(|| {
        let table = super::list::table(care, &reviews);
        Html::from(el("section").add(heading).add(table))
    });
    Ok(Html::from_iter::<[Html; 4]>([
        el("h1").text("Now").into(),
        alarm_list(&alarms).into(),
        figures(&backlog, now).into(),
        waiting.into(),
    ]))
}

/// Whatever a person should see first; the worst stands first.
fn alarms(backlog: &Backlog, freezes: &[ActRow], missing: &[String], now: Micros) -> Vec<Alarm> {
    let mut alarms = Vec::new();
    let mut alarm = |tone, says: String, look: &str| alarms.push(Alarm { tone, says, look: String::from(look) });
    for part in missing {
        alarm(Tone::Person, format!("Not ready: {part}"), "/care");
    }
    if let Some(oldest) = backlog.oldest_unknown.filter(|at| now - at > UNKNOWN_TOO_LONG) {
        let says = format!("What became of some money is unknown, the oldest since {}", age(now - oldest));
        alarm(Tone::Person, says, "/care/purchases?state=unknown");
    }
    if backlog.review > 0 {
        alarm(
            Tone::Person,
            format!("{} in review: a person must look", backlog.review),
            "/care/purchases?state=review",
        );
    }
    for freeze in freezes {
        let (channel, act) = (channel_of(freeze), &freeze.act);
        let says = format!("{channel} is frozen since {} by {}: {}", age(now - freeze.at), act.operator, act.reason);
        alarm(Tone::Unknown, says, "/care/channels");
    }
    if backlog.acts > 0 {
        alarm(
            Tone::Unknown,
            format!("{} acts wait, and no daemon has taken them", backlog.acts),
            "/care/purchases?state=open",
        );
    }
    alarms
}

fn unconfirmed(row: &ActRow, now: Micros) -> Option<Alarm> {
    let (id, act) = (row.act.deed.purchase()?, &row.act);
    let says = format!("{} of {} waits for a second person since {}", act.deed.verb(), act.operator, age(now - row.at));
    Some(Alarm { tone: Tone::Unknown, says, look: format!("/care/purchases/{id}") })
}

fn alarm_list(alarms: &[Alarm]) -> El {
    if alarms.is_empty() {
        return toned(el("p").class("alarm"), Some(Tone::Good)).text("Nothing needs a person.");
    }
    let alarm = |alarm: &Alarm| {
        let link = el("a").attr("href", &alarm.look).text(&alarm.says);
        toned(el("li").class("alarm"), Some(alarm.tone)).add(link)
    };
    el("ul").class("alarms").all(alarms.iter().map(alarm))
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
