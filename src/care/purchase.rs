//! One purchase's page: where it stands, what went wrong and what to do about it, its story, and what may be done. Whoever
//! may read its number in full has that look written down first.

mod acts_so_far;
mod duration;
mod facts;
mod remedy;
mod verbs;

use super::acts;
use super::door::{Fields, Posted};
use super::frame::{self, Place};
use super::html::{Html, el};
use super::mask::Mask;
use super::press::Press;
use super::session::Visitor;
use super::{Care, WORDS};
use crate::journal::JournalError;
use crate::journal::rows::{ActOutcome, Deed, Story};
use crate::people::Right;
use crate::purchase::Purchase;
use crate::purchase::record::{Micros, ReviewReason};
use crate::story::ordered;
pub(super) use acts_so_far::second;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use tokio::time::Instant;
use verbs::Verb;

#[derive(Deserialize)]
pub(super) struct Asked {
    /// The act that this page is shown after.
    done: Option<i64>,
}

/// What is said at the top of the page.
struct Note {
    status: StatusCode,
    says: String,
}

pub(super) async fn page(
    State(care): State<Care>,
    visitor: Visitor,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
) -> Response {
    match shown(&care, &visitor, &id, asked.done, None).await {
        Ok(response) => response,
        Err(error) => care.failed(&error),
    }
}

async fn shown(
    care: &Care,
    visitor: &Visitor,
    id: &str,
    done: Option<i64>,
    note: Option<Note>,
) -> Result<Response, JournalError> {
    let Some(story) = care.0.journal.story(id).await? else {
        let nothing = el("p").class("card nothing").text("There is no purchase of this id.");
        let page = frame::page(visitor, "No such purchase", Place::Purchases, id, nothing);
        return Ok((StatusCode::NOT_FOUND, page.document()).into_response());
    };
    let in_full = visitor.role.may(Right::SeeNumbers);
    if in_full {
        care.note(visitor, "look", &story.purchase.id).await?;
    }
    let mask = if in_full { Mask::none() } else { Mask::of(&story.purchase, &care.0.country) };
    let status = note.as_ref().map_or(StatusCode::OK, |note| note.status);
    let after = note.map(|note| note.says).or_else(|| came_of(&story, done?));
    let now = care.0.journal.now().await?;
    let content = content(care, visitor, &story, &mask, after.as_deref(), now);
    let title = format!("{} {}", story.purchase.order.service, story.purchase.order.package);
    Ok((status, frame::page(visitor, &title, Place::Purchases, "", content).document()).into_response())
}

fn content(care: &Care, visitor: &Visitor, story: &Story, mask: &Mask, note: Option<&str>, now: Micros) -> Html {
    let purchase = &story.purchase;
    let heading = el("div")
        .class("heading")
        .add(el("h1").text(&format!("{} {}", purchase.order.service, purchase.order.package)))
        .add(super::list::state(purchase.state, purchase.review))
        .add(el("a").class("again").attr("href", &format!("/care/purchases/{}", purchase.id)).text("Look again"));
    let left = el("div")
        .class("column")
        .add(facts::timeline(story, mask))
        .add(facts::attempts(story))
        .add(facts::card(story, mask));
    let right = el("div")
        .class("column")
        .add(remedy::card(care, story))
        .add(acts_so_far::card(visitor, story, mask))
        .add(verbs::card(&care.0.rules, visitor, purchase, now));
    Html::from_iter([
        heading.into(),
        note.map(|note| el("p").class("note").attr("role", "status").text(note)).into(),
        facts::two(purchase).into(),
        Html::from(el("div").class("columns").add(left).add(right)),
    ])
}

/// What came of the act that was just filed.
fn came_of(story: &Story, number: i64) -> Option<String> {
    let act = story.acts.iter().find(|act| act.number == number)?;
    let (verb, number) = (ordered(&act.act.deed), act.number);
    Some(match act.done {
        None if act.waits_for_second() => {
            format!("Act {number} ({verb}) is written down, and waits for a second person to confirm it.")
        }
        None => format!("Act {number} ({verb}) is written down. No daemon has taken it yet; look again in a moment."),
        Some((_, ActOutcome::CarriedOut)) => {
            format!("Act {number} ({verb}) is carried out. Its story below has the rest.")
        }
        Some((_, ActOutcome::Refused)) if act.withdrawn_by.is_some() => {
            format!("Act {number} ({verb}) is taken back; nothing was done by it.")
        }
        Some((_, ActOutcome::Refused)) => {
            format!("Act {number} ({verb}) changed nothing: the purchase had moved on when a daemon took it.")
        }
    })
}

/// Files what a form asks for, and shows the purchase after it.
pub(super) async fn act(
    State(care): State<Care>,
    Path((id, verb)): Path<(String, String)>,
    Posted { visitor, fields }: Posted,
) -> Response {
    let Some(verb) = Verb::of(&verb) else { return StatusCode::NOT_FOUND.into_response() };
    match filed(&care, &visitor, &id, verb, &fields).await {
        Ok(Ok(Some(number))) => Redirect::to(&format!("/care/purchases/{id}?done={number}")).into_response(),
        Ok(Ok(None)) => Redirect::to(&format!("/care/purchases/{id}")).into_response(),
        Ok(Err(note)) => match shown(&care, &visitor, &id, None, Some(note)).await {
            Ok(response) => response,
            Err(error) => care.failed(&error),
        },
        Err(error) => care.failed(&error),
    }
}

/// What somebody has seen who decides by it. The version would be too much: it grows with each inquiry.
fn standing(purchase: &Purchase) -> String {
    let review = purchase.review.map_or("", ReviewReason::as_str);
    format!("{} {review} {} {}", purchase.state.as_str(), purchase.paid().as_str(), purchase.granted())
}

/// The number of the act; none where the same form was sent before.
async fn filed(
    care: &Care,
    visitor: &Visitor,
    id: &str,
    verb: Verb,
    fields: &Fields,
) -> Result<Result<Option<i64>, Note>, JournalError> {
    let refused = |status, says: &str| Ok(Err(Note { status, says: says.to_owned() }));
    if !visitor.role.may(verb.right()) {
        return refused(StatusCode::FORBIDDEN, &format!("This is for {}.", verb.right().holders()));
    }
    let (reason, evidence) = (fields.get("reason"), Some(fields.get("evidence")).filter(|it| !it.is_empty()));
    if reason.is_empty() || [reason, evidence.unwrap_or_default()].iter().any(|it| it.chars().count() > WORDS) {
        return refused(StatusCode::UNPROCESSABLE_ENTITY, "Say why in a few words; it is written down with your name.");
    }
    let Some(purchase) = care.0.journal.purchases(&[id.to_owned()]).await?.pop() else {
        return refused(StatusCode::NOT_FOUND, "There is no purchase of this id.");
    };
    let deed = match verb.deed(&purchase, fields) {
        Ok(deed) => deed,
        Err(says) => return refused(StatusCode::UNPROCESSABLE_ENTITY, says),
    };
    if fields.get("seen") != standing(&purchase) {
        return refused(StatusCode::CONFLICT, "It has changed since you looked. Read it again; nothing was done.");
    }
    let now = care.0.journal.now().await?;
    if let Some(objection) = acts::objection(&care.0.rules, &purchase, &deed, evidence, now) {
        return refused(StatusCode::CONFLICT, &format!("Nothing was done: {objection}."));
    }
    once(care, visitor, &purchase, deed, reason, evidence).await.map(Ok)
}

async fn once(
    care: &Care,
    visitor: &Visitor,
    purchase: &Purchase,
    deed: Deed,
    reason: &str,
    evidence: Option<&str>,
) -> Result<Option<i64>, JournalError> {
    let (verb, waits) = (deed.verb(), deed.needs_second());
    let key = format!("care: {} {} {} {verb} {reason}", visitor.csrf, purchase.id, standing(purchase));
    let Some(press) = Press::first(&care.0.keys, key).await else { return Ok(None) };
    let written = async {
        care.note(visitor, "act", &format!("{verb} {}: {reason}", purchase.id)).await?;
        acts::file(&care.0.journal, &visitor.name, deed, reason, evidence.map(str::to_owned)).await
    };
    let number = match written.await {
        Ok(number) => number,
        Err(error) => {
            press.came_to_nothing().await;
            return Err(error);
        }
    };
    if !waits {
        acts::awaited(&care.0.journal, number, Instant::now() + care.0.settings.act_wait).await;
    }
    Ok(Some(number))
}
