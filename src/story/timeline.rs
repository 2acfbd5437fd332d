//! One purchase's life as one line of time: what came in, what was intended, what was answered and how long it took, who
//! decided, and the texts with their fate. Reads what the journal has; shows no code that may still be good.

use super::moment::clock;
use super::{Who, ordered};
use crate::engine::door::PARTNER;
use crate::journal::rows::{ActOutcome, ActRow, AttemptRow, Deed, EventRow, MessageRow, ReplyRow, Story};
use crate::purchase::input::Input;
use crate::purchase::record::{Micros, State};
use serde_json::Value;

/// Holds two words together where a line ends.
pub(crate) const GLUE: char = '\u{a0}';

/// One moment. What is told at the same time keeps this order: in, decided, out.
pub(crate) struct Line {
    pub(crate) at: Micros,
    order: u8,
    pub(crate) who: String,
    pub(crate) says: String,
    pub(crate) tone: Option<Tone>,
    /// What belongs to it: the peer's own words, the intent.
    pub(crate) below: Vec<String>,
    /// Octets and requests, never wrapped: they are for copying.
    pub(crate) raw: Vec<String>,
}

/// How a moment, or a state, is to be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    /// All is well.
    Good,
    /// Nobody knows.
    Unknown,
    /// A person is needed.
    Person,
}

/// Everything that is known of one purchase, the oldest first. `raw`: with each exact request, and each message's octets.
pub(crate) fn timeline(story: &Story, raw: bool) -> Vec<Line> {
    let mut lines: Vec<Line> = story.messages.iter().map(|message| heard(story, message, raw)).collect();
    lines.extend(story.events.iter().map(|row| event(story, row, raw)));
    lines.extend(story.replies.iter().map(|(reply, status)| text(reply, status)));
    let has_no_event = |act: &&ActRow| act.done.is_none() || act.withdrawn_by.is_some();
    lines.extend(story.acts.iter().filter(has_no_event).map(waiting));
    lines.sort_by_key(|line| (line.at, line.order));
    lines
}

fn heard(story: &Story, message: &MessageRow, raw: bool) -> Line {
    let raw_octets = &message.raw;
    let readable = raw_octets.iter().all(|octet| (b' '..=b'~').contains(octet));
    let secret = message.verdict == "confirm";
    let words = match str::from_utf8(raw_octets) {
        _ if secret => "a code".to_owned(),
        Ok(words) if message.door == PARTNER => words.to_owned(),
        Ok(words) if readable && !words.is_empty() => format!("{words:?}"),
        _ => {
            let coding = message.data_coding.map_or_else(String::new, |coding| format!(", data coding {coding}"));
            format!("{} octets{coding}", raw_octets.len())
        }
    };
    let to = if message.to.is_empty() { String::new() } else { format!(" to {}", message.to) };
    let says = format!("{words}{to} by {} {}, taken for {}", message.door, message.link, message.verdict);
    let hidden = "octets are not shown while the code may be good";
    let in_hex = || octets(story, message).map_or(hidden.to_owned(), |hex| format!("octets {hex}"));
    let raw = raw.then(in_hex).into_iter().collect();
    Line { at: message.at, order: 0, who: "message".to_owned(), says, tone: None, below: Vec::new(), raw }
}

/// A message as it came, in hex; nothing while it holds a code that may still be good.
pub(crate) fn octets(story: &Story, message: &MessageRow) -> Option<String> {
    let still_good = message.verdict == "confirm" && !story.purchase.state.is_end();
    (!still_good).then(|| message.raw.iter().map(|octet| format!("{octet:02x}")).collect())
}

fn event(story: &Story, row: &EventRow, raw: bool) -> Line {
    let input: Option<Input> = serde_json::from_str(&row.body).ok();
    let told = input.as_ref().map(|input| super::event(input, row, &story.purchase));
    // A row of a later version is shown by its name.
    let (who, mut says) = told.unwrap_or_else(|| (Who::Gateway, row.kind.replace('_', " ")));
    if row.state_from != row.state_to || row.seq == 1 {
        says += &format!(" ->{GLUE}{}", row.state_to);
    }
    let mut below = Vec::new();
    if let Some(input) = &input {
        below.extend(answer(input, row));
        below.extend(refused(story, input));
    }
    let body: Value = serde_json::from_str(&row.body).unwrap_or(Value::Null);
    below.extend(["charge", "grant", "refund"].into_iter().filter_map(|what| intent(&body, what)));
    let raw = if raw { requests(story, &body) } else { Vec::new() };
    let after = State::ALL.into_iter().find(|state| state.as_str() == row.state_to);
    let tone = after.filter(|_| row.state_from != row.state_to).and_then(tone);
    Line { at: row.at, order: 1, who: who.word(&story.purchase).to_owned(), says, tone, below, raw }
}

/// That an ordered remedy changed nothing: its act knows, and the purchase's states need not tell.
fn refused(story: &Story, input: &Input) -> Option<String> {
    let Input::Remedy { by, .. } = input else { return None };
    let act = story.acts.iter().find(|act| act.number == by.act)?;
    matches!(act.done, Some((_, ActOutcome::Refused))).then(|| "refused: the purchase had moved on".to_owned())
}

/// What was asked, how long it took, and the peer's own words.
fn answer(input: &Input, row: &EventRow) -> Option<String> {
    let heard = super::heard(input).map(|heard| format!(": {heard}")).unwrap_or_default();
    let (call, sends, called_at) = match input {
        Input::Channel { call, sends, called_at, .. } => (call.as_str(), *sends, *called_at),
        Input::Grant { call, sends, called_at, .. } => (call.as_str(), *sends, *called_at),
        _ => return (!heard.is_empty()).then(|| format!("check{heard}")),
    };
    let again = if sends > 1 { format!(" (send {sends})") } else { String::new() };
    Some(format!("{} answered{again} after {} ms{heard}", call.replace('_', " "), (row.at - called_at).max(0) / 1_000))
}

/// An intent that this step committed: under which key, and until when a byte may leave.
fn intent(body: &Value, what: &str) -> Option<String> {
    let intent = body.get(format!("intends_{what}"))?;
    let (key, send) = (intent.get("key")?.as_str()?, intent.get("send")?.as_u64()?);
    let again = if send > 1 { format!(", send {send}") } else { String::new() };
    Some(format!("intends {what} {key}{again}, to leave by {}", clock(intent.get("send_by")?.as_i64()?)))
}

/// The exact requests of the intents that this step committed.
fn requests(story: &Story, body: &Value) -> Vec<String> {
    let of = |what: &str, rows: &[AttemptRow]| {
        let key = body.get(format!("intends_{what}"))?.get("key")?.as_str()?.to_owned();
        let row = rows.iter().find(|row| row.attempt.key == key)?;
        Some([format!("{what} request {}", row.request), format!("sha-256 {}", row.fingerprint)])
    };
    let all = [("charge", &story.charges), ("grant", &story.grants), ("refund", &story.refunds)];
    all.into_iter().filter_map(|(what, rows)| of(what, rows)).flatten().collect()
}

fn text(reply: &ReplyRow, status: &str) -> Line {
    let says = format!("{} {status}: {}", reply.kind.replace('_', " "), reply.text);
    let tone = matches!(status, "refused" | "undelivered" | "lapsed" | "unknown").then_some(Tone::Unknown);
    Line { at: reply.at, order: 2, who: "text".to_owned(), says, tone, below: Vec::new(), raw: Vec::new() }
}

fn waiting(row: &ActRow) -> Line {
    let what = match &row.act.deed {
        Deed::Inquire { .. } => "wants the peers asked".to_owned(),
        Deed::Resolve { verdict, .. } => format!("says that it is {}", verdict.as_str()),
        Deed::Remedy { .. } => format!("orders {}", ordered(&row.act.deed)),
        Deed::Freeze { .. } | Deed::Thaw { .. } => row.act.deed.verb().to_owned(),
    };
    let operator = &row.act.operator;
    let waits = match &row.withdrawn_by {
        Some(by) => format!("taken back by {by}"),
        None if row.waits_for_second() => "a second person must confirm it".to_owned(),
        None => "no daemon has taken it yet".to_owned(),
    };
    let says = format!("{operator} {what}: {} (act {}; {waits})", row.act.reason, row.number);
    let tone = row.withdrawn_by.is_none().then_some(Tone::Unknown);
    Line { at: row.at, order: 3, who: "operator".to_owned(), says, tone, below: Vec::new(), raw: Vec::new() }
}

pub(crate) const fn tone(state: State) -> Option<Tone> {
    match state {
        State::Done | State::Refunded => Some(Tone::Good),
        State::ChargeUnknown | State::GrantUnknown | State::RefundUnknown => Some(Tone::Unknown),
        State::Review => Some(Tone::Person),
        State::Requested
        | State::Offered
        | State::Charging
        | State::AwaitingUser
        | State::Granting
        | State::Refunding
        | State::Declined
        | State::Expired
        | State::Cancelled
        | State::Refused => None,
    }
}
