//! Where an import is, and what it came to. Asks to be asked again while it runs.

use super::super::frame::{self, Place, pill, time};
use super::super::html::{El, Html, el};
use super::super::ledger::{Column, ledger};
use super::super::session::Visitor;
use super::job::{At, Running};
use super::{Care, upload};
use crate::journal::reconciliation::{StatementState, Total};
use crate::people::Right;
use crate::purchase::money::grouped;
use crate::reconcile::{CarriedThrough, Imported, Step, money};
use crate::story::timeline::Tone;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

pub(super) const AT: &str = "/care/statements/import";
/// Seconds between two looks of a browser.
const AGAIN: u32 = 2;

pub(in super::super) async fn progress(State(care): State<Care>, visitor: Visitor) -> Response {
    if !visitor.role.may(Right::ReadStatements) {
        return frame::forbidden(&visitor, "Import", Place::Statements, Right::ReadStatements);
    }
    shown(&care, &visitor, StatusCode::OK, None)
}

/// The page, with what is wrong with a form that was sent just now.
pub(super) fn shown(care: &Care, visitor: &Visitor, status: StatusCode, fault: Option<&str>) -> Response {
    let job = care.0.job.seen();
    let under_way = job.as_ref().is_some_and(Running::is_under_way);
    let form = (!under_way).then(|| upload::card(care, visitor, fault));
    let busy = fault.filter(|_| under_way).map(|fault| el("p").class("fault").attr("role", "alert").text(fault));
    let content = Html::from_iter::<[Html; 4]>([
        el("h1").text("Import").into(),
        busy.into(),
        job.as_ref().filter(|_| fault.is_none() || under_way).map(card).into(),
        form.flatten().into(),
    ]);
    let page = match under_way && fault.is_none() {
        true => frame::page_again(visitor, "Import", Place::Statements, AGAIN, content),
        false => frame::page(visitor, "Import", Place::Statements, "", content),
    };
    (status, page.document()).into_response()
}

fn card(job: &Running) -> El {
    let (word, tone) = match job.at {
        At::Coming | At::Step(_) => ("under way", Tone::Unknown),
        At::Done(_) => ("done", Tone::Good),
        At::Failed(_) => ("failed", Tone::Person),
    };
    let title = el("h2").text(&format!("{} {}", job.channel, job.day));
    let by = el("small").text(&format!("given by {}", job.operator));
    let heading = el("div").class("heading").add(title).add(pill(word, Some(tone))).add(by);
    let card = el("section").class("card import").attr("data-import", word).add(heading);
    match &job.at {
        At::Coming => card.add(el("p").text("Its files are on their way here.")),
        At::Step(step) => card.add(bar(*step)),
        At::Done(through) => card.add(came_to(through)),
        At::Failed(why) => card.add(el("p").class("fault").attr("role", "alert").text(why)),
    }
}

fn bar(step: Step) -> Html {
    let (behind, of, says) = match step {
        Step::Reading { behind, of, rows } => (behind, of, format!("{} rows read", grouped(rows, ","))),
        Step::Missing { behind, of } => (behind, of, "looking for what is missing".to_owned()),
        Step::Done => (1, 1, "settling the day's cuts".to_owned()),
    };
    let percent = (u128::from(behind) * 100 / u128::from(of.max(1))).min(100).to_string();
    let bar = el("progress").attr("max", "100").attr("value", &percent).attr("aria-label", "Read so far");
    Html::from_iter([Html::from(bar), el("p").text(&format!("{percent} %, {says}")).into()])
}

fn came_to(through: &CarriedThrough) -> Html {
    let Imported { statement, before, resumed } = &through.imported;
    let mut says = Vec::new();
    if *before {
        says.push(format!("Imported before, as version {}; nothing was read again.", statement.version));
    }
    if let Some(line) = resumed {
        let line = grouped(line.unsigned_abs(), ",");
        says.push(format!("It had been begun before and not read to its end; it went on behind line {line}."));
    }
    if statement.state == StatementState::Superseded {
        says.push("A later version of that day counts.".to_owned());
    }
    if through.ordered > 0 {
        says.push(format!("Acts ordered by the policy for longs: {}.", through.ordered));
    }
    let query = format!("channel={}&day={}", statement.channel, statement.day);
    let link = |to: &str, text: &str| el("a").class("button quiet").attr("href", &format!("{to}?{query}")).text(text);
    let version = format!("Version {}, done ", statement.version);
    Html::from_iter::<[Html; 4]>([
        el("p")
            .text(&version)
            .all(statement.done_at.map(time))
            .text(&format!(", from {}", statement.files.join(", ")))
            .into(),
        Html::from_iter(says.iter().map(|says| el("p").class("note").attr("role", "status").text(says))),
        totals(&through.totals).into(),
        el("p")
            .class("answers")
            .add(link("/care/statements", "What is open"))
            .add(link("/care/settlement", "Settlement"))
            .into(),
    ])
}

fn totals(totals: &[Total]) -> El {
    use Column::{Figure, Word};
    let rows = totals.iter().map(|total| {
        [
            Html::text(total.standing.as_str()),
            Html::text(total.kind.as_str()),
            Html::text(&grouped(total.rows.unsigned_abs(), ",")),
            Html::text(&money(total.amount, total.currency)),
        ]
    });
    ledger([Word("Stands"), Word("Kind"), Figure("Rows"), Figure("Amount")], rows)
}
