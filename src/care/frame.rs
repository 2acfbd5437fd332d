//! What all pages have: the head, the way around, and small pieces that many of them are made of. Knows no purchase.

use super::door::CSRF;
use super::html::{El, Html, el};
use super::session::Visitor;
use crate::people::Right;
use crate::story::moment::local;
use crate::story::timeline::Tone;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

/// The same mark as the sandbox's page has, in another colour.
const ICON: &str = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Crect width='16' \
     height='16' rx='4' fill='%23345995'/%3E%3Cpath d='M4 8.5l2.6 2.6L12 5.6' fill='none' stroke='white' \
     stroke-width='2' stroke-linecap='round' stroke-linejoin='round'/%3E%3C/svg%3E";

/// The pages that are always one step away.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Now,
    Purchases,
    Statements,
    Settlement,
    Channels,
    Audit,
}

impl Place {
    const ALL: [(Self, &'static str, &'static str); 6] = [
        (Self::Now, "/care", "Now"),
        (Self::Purchases, "/care/purchases", "Purchases"),
        (Self::Statements, "/care/statements", "Statements"),
        (Self::Settlement, "/care/settlement", "Settlement"),
        (Self::Channels, "/care/channels", "Channels"),
        (Self::Audit, "/care/audit", "Audit"),
    ];

    /// What somebody needs to go there; nothing where everybody may.
    const fn right(self) -> Option<Right> {
        match self {
            Self::Now | Self::Purchases | Self::Channels => None,
            Self::Statements | Self::Settlement => Some(Right::ReadStatements),
            Self::Audit => Some(Right::ReadAudit),
        }
    }
}

/// A page of somebody who is logged in.
pub(super) fn page(visitor: &Visitor, title: &str, place: Place, search: &str, content: impl Into<Html>) -> Html {
    document(title, None, body(visitor, place, search, content))
}

/// The same, where it changes by itself: it is asked for again after so many seconds.
pub(super) fn page_again(visitor: &Visitor, title: &str, place: Place, after: u32, content: impl Into<Html>) -> Html {
    document(title, Some(after), body(visitor, place, "", content))
}

/// What somebody is told who may not go there.
pub(super) fn forbidden(visitor: &Visitor, title: &str, place: Place, right: Right) -> Response {
    let says = format!("This is for {}.", right.holders());
    let page = page(visitor, title, place, "", el("p").class("card nothing").text(&says));
    (StatusCode::FORBIDDEN, page.document()).into_response()
}

fn body(visitor: &Visitor, place: Place, search: &str, content: impl Into<Html>) -> El {
    let shown = |(to, _, _): &(Place, &str, &str)| to.right().is_none_or(|right| visitor.role.may(right));
    let link = |(to, path, name): (Place, &'static str, &'static str)| {
        let link = el("a").attr("href", path).text(name);
        if to == place { link.attr("aria-current", "page") } else { link }
    };
    let logout = form("/care/logout", visitor).class("logout").add(el("button").class("quiet").text("Log out"));
    let who = el("span").class("who").text(&visitor.name).add(el("small").text(visitor.role.as_str()));
    let header = el("header")
        .class("top")
        .add(el("a").class("name").attr("href", "/care").text("paygate").add(el("span").text(" care")))
        .add(el("nav").all(Place::ALL.into_iter().filter(shown).map(link)))
        .add(search_box(search))
        .add(el("div").class("me").add(who).add(logout));
    el("body").add(header).add(el("main").add(content))
}

/// A page of nobody's.
pub(super) fn bare(title: &str, content: impl Into<Html>) -> Html {
    document(title, None, el("body").class("bare").add(el("main").add(content)))
}

fn document(title: &str, again: Option<u32>, body: El) -> Html {
    let meta = |name, content: &str| el("meta").attr("name", name).attr("content", content);
    let head = el("head")
        .add(el("meta").attr("charset", "utf-8"))
        .add(meta("viewport", "width=device-width, initial-scale=1"))
        .add(meta("color-scheme", "light dark"))
        .all(again.map(|after| el("meta").attr("http-equiv", "refresh").attr("content", &after.to_string())))
        .add(el("title").text(&format!("{title} · paygate care")))
        .add(el("link").attr("rel", "icon").attr("href", ICON))
        .add(el("link").attr("rel", "stylesheet").attr("href", "/care/care.css"));
    el("html").attr("lang", "en").add(head).add(body).into()
}

/// The one search box.
fn search_box(search: &str) -> El {
    let input = el("input").attr("type", "search").attr("name", "q").attr("value", search).attr("maxlength", "128");
    let input = input.attr("placeholder", "Number, account, purchase id or a peer's reference");
    el("form")
        .class("search")
        .attr("action", "/care/purchases")
        .attr("role", "search")
        .add(input.attr("aria-label", "Search").attr("autocomplete", "off").attr("spellcheck", "false"))
        .add(el("button").text("Search"))
}

/// A form that changes something: it carries the session's token.
pub(super) fn form(action: &str, visitor: &Visitor) -> El {
    el("form").attr("method", "post").attr("action", action).add(hidden(CSRF, &visitor.csrf))
}

pub(super) fn hidden(name: &'static str, value: &str) -> El {
    el("input").attr("type", "hidden").attr("name", name).attr("value", value)
}

/// An input under its name.
pub(super) fn field(label: &str, input: El) -> El {
    el("label").class("field").add(el("span").text(label)).add(input)
}

/// A choice; the value that is chosen now is marked.
pub(super) fn select<'o>(
    name: &'static str,
    chosen: &str,
    options: impl IntoIterator<Item = (&'o str, &'o str)>,
) -> El {
    let option =
        |(value, label): (&str, &str)| el("option").attr("value", value).flag("selected", value == chosen).text(label);
    el("select").attr("name", name).all(options.into_iter().map(option))
}

/// A word in a coloured field.
pub(super) fn pill(word: &str, tone: Option<Tone>) -> El {
    toned(el("span").class("pill"), tone).text(word)
}

pub(super) fn toned(element: El, tone: Option<Tone>) -> El {
    match tone {
        Some(Tone::Good) => element.attr("data-tone", "good"),
        Some(Tone::Unknown) => element.attr("data-tone", "unknown"),
        Some(Tone::Person) => element.attr("data-tone", "person"),
        None => element,
    }
}

/// How `paid` is to be taken.
pub(super) fn paid_tone(word: &str) -> Option<Tone> {
    match word {
        "yes" => Some(Tone::Good),
        "unknown" => Some(Tone::Unknown),
        _ => None,
    }
}

/// How `granted` is to be taken.
pub(super) fn granted_tone(word: &str) -> Option<Tone> {
    match word {
        "yes" | "elsewhere" => Some(Tone::Good),
        "owed" => Some(Tone::Unknown),
        _ => None,
    }
}

/// A moment in this server's own time zone.
pub(super) fn time(at: i64) -> El {
    el("time").text(&local(at))
}

/// `charge_unknown` as people read it.
pub(super) fn words(word: &str) -> String {
    word.replace('_', " ")
}

/// `3 d 4 h`, `2 h 10 min`, `5 min`, `40 s`.
pub(super) fn age(micros: i64) -> String {
    let seconds = micros.max(0) / 1_000_000;
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, minutes) => format!("{minutes} min"),
        (0, hours, minutes) => format!("{hours} h {minutes} min"),
        (days, hours, _) => format!("{days} d {hours} h"),
    }
}
