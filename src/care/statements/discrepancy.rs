//! One row that did not match: what both sides say, what is proposed, what was done about it and what may be, each with a
//! reason. Moves no money: a remedy is an operator's act.

use super::super::WORDS;
use super::super::acts::awaited;
use super::super::discrepancies::{self, By, Doing, Refusal, open, proposed};
use super::super::door::{Fields, Posted};
use super::super::frame::{self, Place, age, field, form, hidden, time, words};
use super::super::html::{El, Html, el};
use super::super::press::Press;
use super::super::session::Visitor;
use super::{Care, standing};
use crate::journal::JournalError;
use crate::journal::reconciliation::{DiscrepancyAct, DiscrepancyFilter, DiscrepancyRow, Standing};
use crate::people::Right;
use crate::purchase::Purchase;
use crate::purchase::input::Remedy;
use crate::reconcile::{Proposal, evidence, money, waiting};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use tokio::time::Instant;

/// Characters of an owner's name.
const OWNER: usize = 64;

/// What may be done from the page.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Verb {
    Remedy,
    Confirm,
    Assign,
    Close,
}

impl Verb {
    const ALL: [Self; 4] = [Self::Remedy, Self::Confirm, Self::Assign, Self::Close];

    /// The last part of its address.
    const fn as_str(self) -> &'static str {
        match self {
            Self::Remedy => "remedy",
            Self::Confirm => "confirm",
            Self::Assign => "assign",
            Self::Close => "close",
        }
    }

    const fn title(self) -> &'static str {
        match self {
            Self::Remedy => "Have that done",
            Self::Confirm => "Confirm the match",
            Self::Assign => "Give it to somebody",
            Self::Close => "Explain and close",
        }
    }

    const fn says(self) -> &'static str {
        match self {
            Self::Remedy => {
                "Writes what is proposed as an act, with the statement as its evidence; a daemon carries it out. Money goes \
                 back only when a second person confirms it."
            }
            Self::Confirm => "Says that the row is this charge of ours. Moves no money.",
            Self::Assign => "Whoever it is given to looks after it. Moves no money.",
            Self::Close => "The two sides do not agree, and this is why. It stays in the settlement as explained.",
        }
    }
}

pub(in super::super) async fn one(State(care): State<Care>, visitor: Visitor, Path(number): Path<i64>) -> Response {
    if !visitor.role.may(Right::ReadStatements) {
        return frame::forbidden(&visitor, "Statements", Place::Statements, Right::ReadStatements);
    }
    shown(&care, &visitor, number, None).await.unwrap_or_else(|error| care.failed(&error))
}

/// The row, open or closed.
async fn found(care: &Care, number: i64) -> Result<Option<DiscrepancyRow>, JournalError> {
    if let Some(row) = open(&care.0.journal, number).await? {
        return Ok(Some(row));
    }
    let filter = DiscrepancyFilter { number: Some(number), closed: true, limit: 1, ..DiscrepancyFilter::default() };
    Ok(care.0.journal.discrepancies(&filter).await?.pop())
}

async fn shown(
    care: &Care,
    visitor: &Visitor,
    number: i64,
    note: Option<(StatusCode, &str)>,
) -> Result<Response, JournalError> {
    let title = format!("Discrepancy {number}");
    let Some(row) = found(care, number).await? else {
        let nothing = el("p").class("card nothing").text("There is no discrepancy of this number that counts.");
        let page = frame::page(visitor, &title, Place::Statements, "", nothing);
        return Ok((StatusCode::NOT_FOUND, page.document()).into_response());
    };
    let (acts, now) = (care.0.journal.discrepancy_acts(number).await?, care.0.journal.now().await?);
    let proposed = proposed(&care.0.journal, &care.0.statements, vec![row.clone()]).await?.pop();
    let proposal = proposed.map(|(_, _, proposal)| proposal).filter(|_| row.closed.is_none());
    let ordered = waiting(&care.0.journal, number).await?;
    let list = format!("/care/statements?channel={}&day={}", row.channel, row.day);
    let heading = el("div")
        .class("heading")
        .add(el("h1").text(&title))
        .add(standing(&row))
        .add(el("a").class("again").attr("href", &list).text("All of that day"));
    let left = el("div").class("column").add(facts(&row, now)).add(so_far(&acts));
    let right = el("div")
        .class("column")
        .all(proposal.as_ref().map(|proposal| to_do(&row, proposal, ordered)))
        .all(proposal.as_ref().map(|proposal| verbs(visitor, &row, proposal, ordered)));
    let content = Html::from_iter::<[Html; 3]>([
        heading.into(),
        note.map(|(_, note)| el("p").class("note").attr("role", "status").text(note)).into(),
        el("div").class("columns").add(left).add(right).into(),
    ]);
    let status = note.map_or(StatusCode::OK, |(status, _)| status);
    Ok((status, frame::page(visitor, &title, Place::Statements, "", content).document()).into_response())
}

fn facts(row: &DiscrepancyRow, now: i64) -> El {
    let fact = |name: &str, value: Html| Html::from_iter([el("dt").text(name), el("dd").add(value)]);
    let or_dash = |text: Option<&str>| Html::text(text.filter(|text| !text.is_empty()).unwrap_or("–"));
    let purchase = row.purchase.as_ref().map_or_else(
        || Html::text("none of ours"),
        |id| el("a").attr("href", &format!("/care/purchases/{id}")).text(id).into(),
    );
    let aged = age(row.closed.map_or(now, |(at, _)| at) - row.opened_at);
    let closed = row.closed.map(|(at, how)| {
        fact("Closed", Html::from_iter([time(at).into(), Html::text(&format!(", {}", how.as_str()))]))
    });
    let list = el("dl").all([
        fact("Stands in", Html::text(&evidence(row))),
        fact("Why", or_dash(Some(&row.note))),
        fact("Theirs", or_dash(Some(&money(row.theirs, row.currency)))),
        fact("Ours", or_dash(Some(&money(row.ours, row.currency)))),
        fact("Purchase", purchase),
        fact("Our key", or_dash(row.charge_key.as_deref())),
        fact("Their reference", or_dash(row.reference.as_deref())),
        fact("Number", or_dash(row.msisdn.map(|msisdn| msisdn.to_string()).as_deref())),
        fact("Taken", row.at.map_or_else(|| Html::text("–"), |at| time(at).into())),
        fact("Owner", Html::text(&row.owner)),
        fact("Open for", Html::text(&aged)),
    ]);
    el("section").class("card").add(el("h2").text("What both sides say")).add(list.all(closed))
}

fn so_far(acts: &[DiscrepancyAct]) -> Option<El> {
    let one = |act: &DiscrepancyAct| {
        el("li")
            .add(el("span").class("what").text(&words(&act.verb)))
            .add(el("small").text(&act.operator).text(", ").add(time(act.at)))
            .add(el("span").text(&act.reason))
            .all(act.evidence.as_ref().map(|it| el("small").text(&format!("evidence: {it}"))))
    };
    let list = el("ol").class("acts").all(acts.iter().map(one));
    (!acts.is_empty()).then(|| el("section").class("card").add(el("h2").text("Acts so far")).add(list))
}

fn to_do(row: &DiscrepancyRow, proposal: &Proposal, ordered: Option<i64>) -> El {
    let waits = ordered.zip(row.purchase.as_ref()).map(|(act, id)| {
        let link = el("a").attr("href", &format!("/care/purchases/{id}")).text("the purchase's page");
        el("p").text(&format!("Act {act} is written down and waits for a daemon or a second person: see ")).add(link)
    });
    let says = el("p").class("todo").text(proposal.says);
    el("section")
        .class("card remedy")
        .attr("data-care", "proposal")
        .add(el("h2").text("What to do"))
        .add(says)
        .all(waits)
}

/// What the proposal comes to: a form carries it, and does nothing where it has changed since.
fn seen(proposal: &Proposal) -> &'static str {
    proposal.remedy.map_or("", Remedy::as_str)
}

fn verbs(visitor: &Visitor, row: &DiscrepancyRow, proposal: &Proposal, ordered: Option<i64>) -> El {
    let card = el("section").class("card verbs").add(el("h2").text("What may be done"));
    if !visitor.role.may(Right::Reconcile) {
        return card.add(el("p").class("why").text(&format!("This is for {}.", Right::Reconcile.holders())));
    }
    let possible = |verb: &Verb| match verb {
        Verb::Remedy => proposal.remedy.is_some() && ordered.is_none(),
        Verb::Confirm => row.standing == Standing::Weak,
        Verb::Assign | Verb::Close => true,
    };
    card.all(Verb::ALL.into_iter().filter(possible).map(|verb| verb_form(visitor, row, proposal, verb)))
}

fn verb_form(visitor: &Visitor, row: &DiscrepancyRow, proposal: &Proposal, verb: Verb) -> El {
    let input = |name, longest: &str| {
        el("input").attr("name", name).attr("maxlength", longest).attr("autocomplete", "off").flag("required", true)
    };
    let (own, reason) = match verb {
        Verb::Remedy => (Some(hidden("seen", seen(proposal))), "Written down with your name"),
        Verb::Confirm => (None, "Why it is the same charge"),
        Verb::Assign => (Some(field("Owner", input("owner", "64"))), "Why they"),
        Verb::Close => (Some(field("Evidence", input("evidence", "1000"))), "Why they do not agree"),
    };
    let form = form(&format!("/care/discrepancies/{}/{}", row.number, verb.as_str()), visitor)
        .all(own)
        .add(field("Reason", input("reason", "1000").attr("placeholder", reason)))
        .add(el("button").text(verb.title()));
    el("details")
        .attr("data-verb", verb.as_str())
        .flag("open", verb == Verb::Remedy)
        .add(el("summary").text(verb.title()))
        .add(el("p").text(verb.says()))
        .add(form)
}

/// Why nothing was done, as the page says it.
type Refused = (StatusCode, String);

pub(in super::super) async fn act(
    State(care): State<Care>,
    Path((number, verb)): Path<(i64, String)>,
    Posted { visitor, fields }: Posted,
) -> Response {
    let Some(verb) = Verb::ALL.into_iter().find(|known| known.as_str() == verb) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    if !visitor.role.may(Right::Reconcile) {
        return frame::forbidden(&visitor, "Statements", Place::Statements, Right::Reconcile);
    }
    let done = match asked(verb, &fields) {
        Err(says) => Ok(Err((StatusCode::UNPROCESSABLE_ENTITY, says.to_owned()))),
        Ok(None) => remedied(&care, &visitor, number, &fields).await,
        Ok(Some(doing)) => does(&care, &visitor, number, verb, doing, fields.get("reason")).await,
    };
    let response = match done {
        Ok(Ok(())) => return Redirect::to(&format!("/care/discrepancies/{number}")).into_response(),
        Ok(Err((status, says))) => shown(&care, &visitor, number, Some((status, &says))).await,
        Err(error) => Err(error),
    };
    response.unwrap_or_else(|error| care.failed(&error))
}

/// What is to be done, nothing where it is the remedy; or what the form lacks.
fn asked(verb: Verb, fields: &Fields) -> Result<Option<Doing>, &'static str> {
    let fits = |name: &str, longest: usize| (1..=longest).contains(&fields.get(name).chars().count());
    if !fits("reason", WORDS) {
        return Err("Say why in a few words; it is written down with your name.");
    }
    match verb {
        Verb::Remedy => Ok(None),
        Verb::Confirm => Ok(Some(Doing::Confirm)),
        Verb::Assign if fits("owner", OWNER) => Ok(Some(Doing::Assign(fields.get("owner").to_owned()))),
        Verb::Assign => Err("Say whose it is from now on."),
        Verb::Close if fits("evidence", WORDS) => {
            Ok(Some(Doing::Explain { evidence: fields.get("evidence").to_owned() }))
        }
        Verb::Close => Err("Say by which evidence: a letter, a ticket, whom you spoke to."),
    }
}

fn refused(refusal: &Refusal) -> Refused {
    (StatusCode::CONFLICT, format!("Nothing was done: {refusal}."))
}

async fn does(
    care: &Care,
    visitor: &Visitor,
    number: i64,
    verb: Verb,
    doing: Doing,
    reason: &str,
) -> Result<Result<(), Refused>, JournalError> {
    care.note(visitor, "act", &format!("{} discrepancy {number}: {reason}", verb.as_str())).await?;
    let by = By { operator: &visitor.name, reason };
    let done = discrepancies::act(&care.0.journal, number, doing, by).await?;
    Ok(done.map_err(|refusal| refused(&refusal)))
}

async fn remedied(
    care: &Care,
    visitor: &Visitor,
    number: i64,
    fields: &Fields,
) -> Result<Result<(), Refused>, JournalError> {
    let row = open(&care.0.journal, number).await?;
    let found = proposed(&care.0.journal, &care.0.statements, row.into_iter().collect()).await?.pop();
    let Some((row, purchase, proposal)) = found else { return Ok(Err(refused(&Refusal::NotOpen(number)))) };
    if fields.get("seen") != seen(&proposal) {
        let says = "It has changed since you looked. Read it again; nothing was done.";
        return Ok(Err((StatusCode::CONFLICT, says.to_owned())));
    }
    once(care, visitor, (&row, purchase.as_ref(), &proposal), fields.get("reason")).await
}

/// A form that is sent twice orders one act.
async fn once(
    care: &Care,
    visitor: &Visitor,
    proposed: (&DiscrepancyRow, Option<&Purchase>, &Proposal),
    reason: &str,
) -> Result<Result<(), Refused>, JournalError> {
    let (number, wanted) = (proposed.0.number, seen(proposed.2));
    let key = format!("care: discrepancy {number} {wanted}");
    let Some(press) = Press::first(&care.0.keys, key).await else { return Ok(Ok(())) };
    let ordered = async {
        care.note(visitor, "act", &format!("{wanted} for discrepancy {number}: {reason}")).await?;
        let by = By { operator: &visitor.name, reason };
        discrepancies::remedy(&care.0.journal, &care.0.rules, proposed, by).await
    };
    let ordered = ordered.await;
    let act = match &ordered {
        Ok(Ok(act)) => *act,
        Ok(Err(_)) | Err(_) => {
            press.came_to_nothing().await;
            return ordered.map(|refused_or| refused_or.map(drop).map_err(|refusal| refused(&refusal)));
        }
    };
    if !matches!(proposed.2.remedy, Some(Remedy::Refund { .. })) {
        awaited(&care.0.journal, act, Instant::now() + care.0.settings.act_wait).await;
        care.0.journal.close_what_agrees().await?;
    }
    Ok(Ok(()))
}
