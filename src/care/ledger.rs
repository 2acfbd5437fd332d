//! Tables of figures, and files of them to take along. Knows no statement.

use super::html::{El, Html, el};
use axum::body::Body;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};

/// A column's name, and whether figures stand in it: to the right, each digit below its like.
#[derive(Clone, Copy)]
pub(super) enum Column {
    Word(&'static str),
    Figure(&'static str),
}

/// On a phone each row is a card, and each cell says what it is.
pub(super) fn ledger<const N: usize>(columns: [Column; N], rows: impl IntoIterator<Item = [Html; N]>) -> El {
    let head = |column| match column {
        Column::Word(name) => el("th").attr("scope", "col").text(name),
        Column::Figure(name) => el("th").attr("scope", "col").class("price").text(name),
    };
    let cell = |(column, value): (Column, Html)| match column {
        Column::Word(name) => el("td").attr("data-name", name).add(value),
        Column::Figure(name) => el("td").class("price").attr("data-name", name).add(value),
    };
    let row = |values: [Html; N]| el("tr").all(columns.into_iter().zip(values).map(cell));
    let head = el("thead").add(el("tr").all(columns.map(head)));
    el("table").class("list ledger").add(head).add(el("tbody").all(rows.into_iter().map(row)))
}

/// A file that the browser keeps.
pub(super) fn file(name: &str, body: impl Into<Body>) -> Response {
    let disposition = format!("attachment; filename=\"{name}\"");
    ([(CONTENT_TYPE, "text/csv; charset=utf-8"), (CONTENT_DISPOSITION, disposition.as_str())], body.into())
        .into_response()
}
