//! What is open as a CSV, page by page out of the journal: never held as a whole. Numbers are masked.

use super::super::discrepancies::{COLUMNS, Entry};
use super::super::frame::{self, Place};
use super::super::ledger::file;
use super::super::session::Visitor;
use super::{Asked, Care};
use crate::journal::Journal;
use crate::journal::reconciliation::DiscrepancyFilter;
use crate::people::Right;
use axum::body::Body;
use axum::extract::{Query, State};
use axum::response::Response;
use futures_util::stream;
use std::io;

/// Rows that are read at once.
const AT_ONCE: u32 = 1_000;

pub(in super::super) async fn csv(State(care): State<Care>, visitor: Visitor, Query(asked): Query<Asked>) -> Response {
    if !visitor.role.may(Right::ReadStatements) {
        return frame::forbidden(&visitor, "Statements", Place::Statements, Right::ReadStatements);
    }
    if let Err(error) = care.note(&visitor, "export", "discrepancies.csv").await {
        return care.failed(&error);
    }
    let (journal, filter) = (care.0.journal.clone(), asked.filter(AT_ONCE));
    let lines = stream::try_unfold(Some(filter), move |filter| part(journal.clone(), filter));
    file("discrepancies.csv", Body::from_stream(lines))
}

/// The next rows, and from where on it goes.
async fn part(
    journal: Journal,
    filter: Option<DiscrepancyFilter>,
) -> io::Result<Option<(Vec<u8>, Option<DiscrepancyFilter>)>> {
    let Some(filter) = filter else { return Ok(None) };
    let rows = journal.discrepancies(&filter).await.map_err(io::Error::other)?;
    let now = journal.now().await.map_err(io::Error::other)?;
    let mut out = csv::Writer::from_writer(Vec::new());
    if filter.after.is_none() {
        out.write_record(COLUMNS)?;
    }
    for row in &rows {
        out.write_record(Entry::of(row, now).line())?;
    }
    let lines = out.into_inner().map_err(csv::IntoInnerError::into_error)?;
    let last = rows.last().filter(|_| rows.len() >= AT_ONCE as usize);
    let next = last.map(|last| DiscrepancyFilter { after: Some((last.opened_at, last.number)), ..filter });
    Ok(Some((lines, next)))
}
