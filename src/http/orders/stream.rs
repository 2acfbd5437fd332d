//! `GET /v1/orders/{id}/events`: a purchase's states as server-sent events, until its end. Each event is a step of the journal
//! and carries its version, so that a stream that broke goes on behind the last one heard; what is told is read from the
//! journal and never from what flew by.

use super::answer::{Refusal, standing_text, utc};
use super::hearing::Listening;
use super::{Counter, Orders};
use crate::journal::JournalError;
use crate::journal::rows::EventRow;
use crate::purchase::record::{Purchase, State as Stands};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde_json::json;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;

/// A proxy before us (nginx) passes each event on as it comes.
const UNBUFFERED: (&str, &str) = ("x-accel-buffering", "no");

/// One app following one purchase.
struct Follower {
    counter: Arc<Counter>,
    listening: Listening,
    purchase: String,
    /// The version of the last event that was looked at.
    seen: i64,
    /// To be sent, the oldest first.
    waiting: VecDeque<Event>,
    /// The end was told, or is waiting to be.
    is_over: bool,
    poll: Duration,
    _place: OwnedSemaphorePermit,
}

/// The present state first, or with `Last-Event-ID` what came after it; then each change.
pub(super) async fn follow(
    State(Orders(counter)): State<Orders>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    followed(counter, &id, &headers).await.unwrap_or_else(IntoResponse::into_response)
}

async fn followed(counter: Arc<Counter>, id: &str, headers: &HeaderMap) -> Result<Response, Refusal> {
    let app = counter.app(headers)?;
    let (poll, keep_alive) = (app.poll, app.keep_alive);
    let place = Arc::clone(&app.streams).try_acquire_owned().map_err(|_| Refusal::too_many_streams())?;
    // Listened to before it is read, so that no step falls between.
    let listening = counter.hearing.listen(id);
    let purchase = counter.ordered(app, id).await?;
    let (is_over, waiting) = (false, VecDeque::new());
    let mut follower = Follower {
        counter: Arc::clone(&counter),
        listening,
        purchase: id.to_owned(),
        seen: 0,
        waiting,
        is_over,
        poll,
        _place: place,
    };
    match last_heard(headers) {
        Some(version) => {
            follower.seen = version;
            follower.look().await?;
            if purchase.state.is_end() && follower.waiting.is_empty() {
                // By the standard the one answer that keeps an EventSource from asking again.
                return Ok(StatusCode::NO_CONTENT.into_response());
            }
        }
        None => follower.begin(&purchase),
    }
    let events = stream::unfold(follower, |mut follower| async {
        let event = follower.next().await?;
        Some((Ok::<_, Infallible>(event), follower))
    });
    let events = Sse::new(events).keep_alive(KeepAlive::new().interval(keep_alive));
    Ok(([UNBUFFERED], events).into_response())
}

/// What an EventSource sends when it comes back. What is no version of ours is none at all.
fn last_heard(headers: &HeaderMap) -> Option<i64> {
    headers.get("last-event-id")?.to_str().ok()?.trim().parse().ok().filter(|version| *version > 0)
}

impl Follower {
    fn begin(&mut self, purchase: &Purchase) {
        self.seen = purchase.version;
        self.is_over = purchase.state.is_end();
        self.waiting.push_back(event(purchase.version, standing_text(purchase)));
    }

    /// The next event; none behind the end, and none once the engine has stopped.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.waiting.pop_front() {
                return Some(event);
            }
            if self.is_over || !self.listening.changed(Instant::now() + self.poll).await {
                return None;
            }
            if let Err(error) = self.look().await {
                tracing::warn!(%error, purchase = self.purchase, "a stream of events waits for the journal");
            }
        }
    }

    /// Reads what came after the last event that was looked at. The newest is told with all that is known by now, and the
    /// ones before it by their states.
    async fn look(&mut self) -> Result<(), JournalError> {
        let rows = self.counter.journal.events(&self.purchase, self.seen).await?;
        let Some(newest) = rows.last().map(|row| row.seq) else { return Ok(()) };
        let purchase = self.counter.journal.purchases(std::slice::from_ref(&self.purchase)).await?.pop();
        let changes: Vec<&EventRow> =
            rows.iter().filter(|row| row.state_from != row.state_to || row.seq == 1).collect();
        for (at, row) in changes.iter().enumerate() {
            // Steps that change no state may have come since: what is known by now is told all the same.
            let stands_so = |purchase: &&Purchase| purchase.state.as_str() == row.state_to;
            let whole = purchase.as_ref().filter(stands_so).filter(|_| at + 1 == changes.len());
            self.waiting.push_back(event(row.seq, whole.map_or_else(|| brief(row), standing_text)));
        }
        self.seen = newest;
        let is_end = |row: &EventRow| Stands::ALL.iter().any(|state| state.is_end() && state.as_str() == row.state_to);
        self.is_over = rows.last().is_some_and(is_end);
        Ok(())
    }
}

fn event(version: i64, text: String) -> Event {
    Event::default().event("state").id(version.to_string()).data(text)
}

/// A step that others have followed already.
fn brief(row: &EventRow) -> String {
    json!({ "purchaseId": row.purchase_id, "state": row.state_to, "updatedAt": utc(row.at) }).to_string()
}
