//! One purchase's life as one line of time: what came in, what was intended, what was answered and how long it took, who
//! decided, and the texts with their fate. Reads what the journal has; shows no code that may still be good.

use super::moment::{clock, day};
use crate::cli::table::{DIM, GREEN, RED, YELLOW, plain};
use crate::engine::door::PARTNER;
use crate::journal::rows::{ActRow, AttemptRow, Deed, EventRow, MessageRow, ReplyRow, Story};
use crate::purchase::input::Input;
use crate::purchase::record::{Micros, State};
use crate::story::{self, Who};
use serde_json::Value;

/// Columns of a line at most; longer ones go on below themselves.
const WIDTH: usize = 110;
/// `12:00:01.123`, and who.
const TIME: usize = 12;
const WHO: usize = 10;
const INDENT: usize = TIME + 2 + WHO + 2;

/// Holds two words together where a line ends.
const GLUE: char = '\u{a0}';

/// One moment. What is told at the same time keeps this order: in, decided, out.
struct Line {
    at: Micros,
    order: u8,
    who: String,
    says: String,
    colour: Option<&'static str>,
    below: Vec<String>,
    /// Octets and requests, never wrapped: they are for copying.
    raw: Vec<String>,
}

pub(super) fn timeline(story: &Story, raw: bool, colour: bool) -> String {
    let mut lines: Vec<Line> = story.messages.iter().map(|message| heard(story, message, raw)).collect();
    lines.extend(story.events.iter().map(|row| event(story, row, raw)));
    lines.extend(story.replies.iter().map(|(reply, status)| text(reply, status)));
    lines.extend(story.acts.iter().filter(|act| act.done.is_none()).map(waiting));
    lines.sort_by_key(|line| (line.at, line.order));
    let (mut out, mut today) = (String::new(), String::new());
    for line in &lines {
        let day = day(line.at);
        if day != today {
            out += &painted(&day, Some(DIM), colour);
            out.push('\n');
            today = day;
        }
        out += &rendered(line, colour);
    }
    out
}

fn rendered(line: &Line, colour: bool) -> String {
    let who: String = line.who.chars().take(WHO).collect();
    let head = format!("{:TIME$}  {who:WHO$}  ", clock(line.at));
    let mut out = painted(&head, Some(DIM), colour);
    for (at, part) in wrapped(&plain(&line.says), WIDTH - INDENT).iter().enumerate() {
        if at > 0 {
            out += &" ".repeat(INDENT);
        }
        out += &painted(part, line.colour, colour);
        out.push('\n');
    }
    for below in &line.below {
        for part in wrapped(&plain(below), WIDTH - INDENT - 2) {
            out += &format!("{}{}\n", " ".repeat(INDENT + 2), painted(&part, Some(DIM), colour));
        }
    }
    for raw in &line.raw {
        out += &format!("{}{}\n", " ".repeat(INDENT + 2), plain(raw));
    }
    out
}

fn painted(text: &str, paint: Option<&str>, colour: bool) -> String {
    match paint.filter(|_| colour) {
        Some(paint) => format!("{paint}{text}\x1b[0m"),
        None => text.to_owned(),
    }
}

/// Words in lines of at most `width` columns; a word that is longer is cut.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let letters: Vec<char> = word.chars().collect();
        let mut pieces = letters.chunks(width).map(|piece| piece.iter().collect::<String>());
        for piece in std::iter::once(pieces.next().unwrap_or_default()).chain(pieces) {
            let last = lines.last_mut().expect("there is a first line from the start");
            if last.is_empty() {
                *last = piece;
            } else if last.chars().count() + 1 + piece.chars().count() <= width {
                last.push(' ');
                last.push_str(&piece);
            } else {
                lines.push(piece);
            }
        }
    }
    lines.into_iter().map(|line| line.replace(GLUE, " ")).collect()
}

fn heard(story: &Story, message: &MessageRow, raw: bool) -> Line {
    let octets = &message.raw;
    let readable = octets.iter().all(|octet| (b' '..=b'~').contains(octet));
    let secret = message.verdict == "confirm";
    let words = match str::from_utf8(octets) {
        _ if secret => "a code".to_owned(),
        Ok(words) if message.door == PARTNER => words.to_owned(),
        Ok(words) if readable && !words.is_empty() => format!("{words:?}"),
        _ => {
            let coding = message.data_coding.map_or_else(String::new, |coding| format!(", data coding {coding}"));
            format!("{} octets{coding}", octets.len())
        }
    };
    let to = if message.to.is_empty() { String::new() } else { format!(" to {}", message.to) };
    let says = format!("{words}{to} by {} {}, taken for {}", message.door, message.link, message.verdict);
    let hidden = "octets are not shown while the code may be good";
    let octets = || super::view::octets(story, message).map_or(hidden.to_owned(), |hex| format!("octets {hex}"));
    let raw = raw.then(octets).into_iter().collect();
    Line { at: message.at, order: 0, who: "message".to_owned(), says, colour: None, below: Vec::new(), raw }
}

fn event(story: &Story, row: &EventRow, raw: bool) -> Line {
    let input: Option<Input> = serde_json::from_str(&row.body).ok();
    let told = input.as_ref().map(|input| story::event(input, row, &story.purchase));
    // A row of a later version is shown by its name.
    let (who, mut says) = told.unwrap_or_else(|| (Who::Gateway, row.kind.replace('_', " ")));
    if row.state_from != row.state_to || row.seq == 1 {
        says += &format!(" ->{GLUE}{}", row.state_to);
    }
    let mut below = Vec::new();
    if let Some(input) = &input {
        below.extend(answer(input, row));
    }
    let body: Value = serde_json::from_str(&row.body).unwrap_or(Value::Null);
    below.extend(["charge", "grant", "refund"].into_iter().filter_map(|what| intent(&body, what)));
    let raw = if raw { requests(story, &body) } else { Vec::new() };
    let colour = State::ALL.into_iter().find(|state| state.as_str() == row.state_to);
    let colour = colour.filter(|_| row.state_from != row.state_to).and_then(tone);
    Line { at: row.at, order: 1, who: who.word(&story.purchase).to_owned(), says, colour, below, raw }
}

/// What was asked, how long it took, and the peer's own words.
fn answer(input: &Input, row: &EventRow) -> Option<String> {
    let heard = story::heard(input).map(|heard| format!(": {heard}")).unwrap_or_default();
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
    let colour = matches!(status, "refused" | "undelivered" | "lapsed" | "unknown").then_some(YELLOW);
    Line { at: reply.at, order: 2, who: "text".to_owned(), says, colour, below: Vec::new(), raw: Vec::new() }
}

fn waiting(row: &ActRow) -> Line {
    let what = match &row.act.deed {
        Deed::Inquire { .. } => "wants the peers asked".to_owned(),
        Deed::Resolve { verdict, .. } => format!("says that it is {}", verdict.as_str()),
        Deed::Remedy { remedy, .. } => format!("orders {}", remedy.as_str().replace('_', " ")),
        Deed::Freeze { .. } | Deed::Thaw { .. } => row.act.deed.verb().to_owned(),
    };
    let operator = &row.act.operator;
    let waits = if row.act.deed.needs_second() && row.second.is_none() {
        "a second person must confirm it"
    } else {
        "no daemon has taken it yet"
    };
    let says = format!("{operator} {what}: {} (act {}; {waits})", row.act.reason, row.number);
    let colour = Some(YELLOW);
    Line { at: row.at, order: 3, who: "operator".to_owned(), says, colour, below: Vec::new(), raw: Vec::new() }
}

/// Green where all is well, yellow where nobody knows, red where a person is needed.
pub(super) const fn tone(state: State) -> Option<&'static str> {
    match state {
        State::Done | State::Refunded => Some(GREEN),
        State::ChargeUnknown | State::GrantUnknown | State::RefundUnknown => Some(YELLOW),
        State::Review => Some(RED),
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

#[cfg(test)]
mod tests {
    use super::wrapped;

    #[test]
    fn words_go_on_in_the_next_line_and_a_word_too_long_is_cut() {
        assert_eq!(wrapped("one two three", 8), ["one two", "three"]);
        assert_eq!(wrapped("abcdefghij k", 4), ["abcd", "efgh", "ij k"]);
        assert_eq!(wrapped("", 4), [""]);
    }
}
