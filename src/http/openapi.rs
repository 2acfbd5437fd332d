//! `/openapi.json`: all of this as OpenAPI 3.1, for whoever writes a client. The document is data; a test holds it against the
//! routes and their answers.

use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;

const DOCUMENT: &str = include_str!("../../docs/openapi.json");

pub(super) async fn document() -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json")], DOCUMENT)
}
