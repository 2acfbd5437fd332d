//! The audit, for whoever answers for the others: who came, who looked at what, who did what. It only grows.

use super::Care;
use super::frame::{self, Place, time, words};
use super::html::{El, Html, el};
use super::session::Visitor;
use crate::journal::rows::AuditRow;
use crate::people::Right;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

#[derive(Deserialize)]
pub(super) struct Asked {
    before: Option<i64>,
}

pub(super) async fn page(State(care): State<Care>, visitor: Visitor, Query(asked): Query<Asked>) -> Response {
    if !visitor.role.may(Right::ReadAudit) {
        let says = format!("The audit is for {}.", Right::ReadAudit.holders());
        let page = frame::page(&visitor, "Audit", Place::Audit, "", el("p").class("card nothing").text(&says));
        return (StatusCode::FORBIDDEN, page.document()).into_response();
    }
    let size = care.0.settings.page;
    let mut lines = match care.0.journal.audited(asked.before, size + 1).await {
        Ok(lines) => lines,
        Err(error) => return care.failed(&error),
    };
    let more = lines.len() > size as usize;
    lines.truncate(size as usize);
    let older = lines.last().filter(|_| more).map(|last| {
        let link = el("a").class("button quiet").attr("href", &format!("/care/audit?before={}", last.number));
        el("p").class("more").add(link.text("Older"))
    });
    let content = Html::from_iter([el("h1").text("Audit").into(), table(&lines).into(), Html::from(older)]);
    frame::page(&visitor, "Audit", Place::Audit, "", content).document().into_response()
}

fn table(lines: &[AuditRow]) -> El {
    const HEADS: [&str; 5] = ["When", "Who", "From", "What", "About"];
    let head = el("thead").add(el("tr").all(HEADS.map(|name| el("th").attr("scope", "col").text(name))));
    let row = |line: &AuditRow| {
        let or_dash = |text: &str| Html::text(if text.is_empty() { "–" } else { text });
        let cells = [
            ("When", Html::from(time(line.at))),
            ("Who", or_dash(&line.operator)),
            ("From", or_dash(&line.address)),
            ("What", Html::text(&words(&line.what))),
            ("About", or_dash(&line.detail)),
        ];
        el("tr")
            .attr("data-what", &line.what)
            .all(cells.map(|(name, value)| el("td").attr("data-name", name).add(value)))
    };
    el("table").class("list card").add(head).add(el("tbody").all(lines.iter().map(row)))
}
