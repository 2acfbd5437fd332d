//! What people have done to a purchase, and the second person's word where an act waits for one: whoever wrote it does not
//! confirm it.

use super::super::Care;
use super::super::acts;
use super::super::door::Posted;
use super::super::frame::{form, time, words};
use super::super::html::{El, Html, el};
use super::super::mask::Mask;
use super::super::session::Visitor;
use super::{Note, shown};
use crate::journal::JournalError;
use crate::journal::rows::{ActRow, Story};
use crate::people::Right;
use crate::story::ordered;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use tokio::time::Instant;

const CONFIRM: &str = "confirm";
const WITHDRAW: &str = "withdraw";

pub(super) fn card(visitor: &Visitor, story: &Story, mask: &Mask) -> Option<El> {
    let acts = story.acts.iter().map(|row| one(visitor, row, mask));
    let card = el("section").class("card").add(el("h2").text("Acts so far"));
    (!story.acts.is_empty()).then(|| card.add(el("ol").class("acts").all(acts)))
}

fn one(visitor: &Visitor, row: &ActRow, mask: &Mask) -> El {
    let came = match row.done {
        None if row.waits_for_second() => "waits for a second person".to_owned(),
        None => "waits for a daemon".to_owned(),
        Some((_, outcome)) => match &row.withdrawn_by {
            Some(by) => format!("taken back by {by}"),
            None => words(outcome.as_str()),
        },
    };
    let what = format!("{} {}: {came}", row.number, ordered(&row.act.deed));
    let second = row.second.as_ref().map(|(second, _)| el("small").text(&format!("confirmed by {second}")));
    let evidence = row.act.evidence.as_ref().map(|it| el("small").text(&format!("evidence: {}", mask.over(it))));
    el("li")
        .attr("data-act", &row.number.to_string())
        .add(el("span").class("what").text(&what))
        .add(el("small").text(&row.act.operator).text(", ").add(time(row.at)))
        .add(el("span").text(&mask.over(&row.act.reason)))
        .add(evidence)
        .add(second)
        .add(answers(visitor, row))
}

/// The second person confirms; the first takes back.
fn answers(visitor: &Visitor, row: &ActRow) -> Html {
    if !row.waits_for_second() {
        return Html::default();
    }
    let answer = |word: &str, title: &str| {
        form(&format!("/care/acts/{}/{word}", row.number), visitor).add(el("button").class("quiet").text(title))
    };
    let confirms = may(visitor, row, CONFIRM).then(|| answer(CONFIRM, "Confirm"));
    let withdraws = may(visitor, row, WITHDRAW).then(|| answer(WITHDRAW, "Take back"));
    el("div").class("answers").add(confirms).add(withdraws).into()
}

fn may(visitor: &Visitor, row: &ActRow, word: &str) -> bool {
    let (own, second) = (row.act.operator == visitor.name, visitor.role.may(Right::Confirm));
    match word {
        CONFIRM => second && !own,
        _ => second || own,
    }
}

/// A word on an act that waits for a second person: `confirm` or `withdraw`.
pub(crate) async fn second(
    State(care): State<Care>,
    Path((number, word)): Path<(i64, String)>,
    Posted { visitor, .. }: Posted,
) -> Response {
    match answered(&care, &visitor, number, &word).await {
        Ok(response) => response,
        Err(error) => care.failed(&error),
    }
}

async fn answered(care: &Care, visitor: &Visitor, number: i64, word: &str) -> Result<Response, JournalError> {
    let Some(row) = care.0.journal.act_of(number).await? else { return Ok(StatusCode::NOT_FOUND.into_response()) };
    let Some(id) = row.act.deed.purchase().filter(|_| [CONFIRM, WITHDRAW].contains(&word)) else {
        return Ok(StatusCode::NOT_FOUND.into_response());
    };
    if !may(visitor, &row, word) {
        let who = Right::Confirm.holders();
        let says = format!("Another person than the one who wrote it confirms an act: {who}. Nothing was done.");
        return shown(care, visitor, id, None, Some(Note { status: StatusCode::FORBIDDEN, says })).await;
    }
    care.note(visitor, "act", &format!("{word} act {number} ({} of {id})", ordered(&row.act.deed))).await?;
    let taken = match word {
        CONFIRM => care.0.journal.confirm_act(number, &visitor.name).await?,
        _ => care.0.journal.withdraw_act(number, &visitor.name).await?,
    };
    if !taken {
        let says = "It waits for nobody any more. Nothing was done.".to_owned();
        return shown(care, visitor, id, None, Some(Note { status: StatusCode::CONFLICT, says })).await;
    }
    acts::awaited(&care.0.journal, number, Instant::now() + care.0.settings.act_wait).await;
    Ok(Redirect::to(&format!("/care/purchases/{id}?done={number}")).into_response())
}
