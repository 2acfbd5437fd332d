//! A purchase as it stands and as it came to be: the two answers that everybody asks for, its line of time, its attempts,
//! and the rest. Shows no code that may still be good.

use super::super::frame::{granted_tone, paid_tone, pill, time, toned, words};
use super::super::html::{El, Html, el};
use super::super::mask::Mask;
use super::duration::duration;
use crate::journal::rows::{AttemptRow, Story};
use crate::purchase::Purchase;
use crate::purchase::record::{AttemptStatus, Paid};
use crate::story;
use crate::story::moment::{clock, day};
use crate::story::timeline::{Line, timeline as lines};

/// Paid, and granted: two questions with an answer each.
pub(super) fn two(purchase: &Purchase) -> El {
    let (paid, granted) = (purchase.paid().as_str(), purchase.granted());
    let answer = |name: &'static str, question: &str, word: &str, tone, says: &str| {
        let head = el("h2").text(question);
        el("section").class(name).add(head).add(pill(word, tone)).add(el("p").text(says))
    };
    el("div").class("two card").add(answer("paid", "Paid?", paid, paid_tone(paid), paid_says(purchase))).add(answer(
        "granted",
        "Granted?",
        granted,
        granted_tone(granted),
        granted_says(granted),
    ))
}

/// What the channel has said; what it has not said is not known to be untrue (charging.md R002.5).
fn paid_says(purchase: &Purchase) -> &'static str {
    match (purchase.paid(), &purchase.charge) {
        (Paid::Yes, _) => "The channel has taken the money.",
        (Paid::Refunded, _) => "The money was taken, and is back.",
        (Paid::Unknown, _) => "Not known: the channel has not said. It is being asked.",
        (Paid::No, None) => "The channel was never asked to take money.",
        (Paid::No, Some(charge)) => match charge.status {
            AttemptStatus::Failed => "The channel says that it took nothing.",
            AttemptStatus::Intended | AttemptStatus::Reserved | AttemptStatus::Unknown | AttemptStatus::Succeeded => {
                "The channel has reported no payment."
            }
        },
    }
}

fn granted_says(granted: &str) -> &'static str {
    match granted {
        "yes" => "The package manager has added the package.",
        "owed" => "Paid, and not added yet: the package is owed.",
        "elsewhere" => "Added by another way, as a person has said.",
        _ => "The package was not added.",
    }
}

pub(super) fn timeline(story: &Story, mask: &Mask) -> El {
    let mut list = el("ol").class("timeline");
    let mut today = String::new();
    for line in lines(story, false) {
        let day = day(line.at);
        if day != today {
            list = list.add(el("li").class("day").text(&day));
            today = day;
        }
        list = list.add(moment(&line, mask));
    }
    el("section").class("card").add(el("h2").text("Story")).add(list)
}

fn moment(line: &Line, mask: &Mask) -> El {
    let below = line.below.iter().map(|below| el("small").text(&mask.over(below)));
    let says = el("div")
        .class("says")
        .add(toned(el("span"), line.tone).text(&mask.over(&line.says).replace("->", "→")))
        .all(below);
    el("li").add(el("time").text(&clock(line.at))).add(el("span").class("who").text(&line.who)).add(says)
}

pub(super) fn attempts(story: &Story) -> El {
    let kinds = [("charge", &story.charges), ("grant", &story.grants), ("refund", &story.refunds)];
    let rows = kinds.into_iter().flat_map(|(kind, attempts)| attempts.iter().map(move |row| attempt(kind, row)));
    let rows: Vec<El> = rows.collect();
    let card = el("section").class("card").add(el("h2").text("Attempts"));
    if rows.is_empty() {
        return card.add(el("p").class("nothing").text("Nothing was asked of a peer."));
    }
    const HEADS: [&str; 6] = ["What", "State", "Amount", "Sent", "Our key", "The peer's reference"];
    let head = el("thead").add(el("tr").all(HEADS.map(|name| el("th").attr("scope", "col").text(name))));
    card.add(el("table").class("list").add(head).add(el("tbody").all(rows)))
}

fn attempt(kind: &str, row: &AttemptRow) -> El {
    let attempt = &row.attempt;
    let code = |text: &str| Html::from(el("code").text(text));
    let cells = [
        ("What", Html::text(kind)),
        ("State", Html::text(attempt.status.as_str())),
        ("Amount", Html::text(&attempt.amount.to_string())),
        ("Sent", Html::text(&format!("{}×", attempt.sends))),
        ("Our key", code(&attempt.key)),
        ("The peer's reference", attempt.peer_reference.as_deref().map_or_else(|| Html::text("–"), code)),
    ];
    el("tr").all(cells.map(|(name, value)| el("td").attr("data-name", name).add(value)))
}

pub(super) fn card(story: &Story, mask: &Mask) -> El {
    let (purchase, order) = (&story.purchase, &story.purchase.order);
    let fact = |name: &str, value: &str| Html::from_iter([el("dt").text(name), el("dd").text(value)]);
    let number = order.msisdn.map_or_else(|| "none was named".to_owned(), |msisdn| mask.over(&msisdn.e164()));
    let price = purchase.price().map_or_else(|| "not known yet".to_owned(), |price| price.to_string());
    let moment = |name: &str, at: i64| Html::from_iter([el("dt").text(name), el("dd").add(time(at))]);
    let app = order.app.as_ref().map(|app| fact("App", &app.name));
    let by_link = !order.link.is_empty();
    let facts = el("dl")
        .add(Html::from_iter([el("dt").text("Id"), el("dd").add(el("code").text(&purchase.id))]))
        .add(fact("State", &story::state(purchase)))
        .add(fact("Number", &number))
        .add(fact("Account", &mask.over(&order.account)))
        .add(fact("Price", &price))
        .add(fact("Channel", &order.channel))
        .add(fact("Type", &order.door))
        .add(app)
        .add(by_link.then(|| fact("Link", &format!("{}, short code {}", order.link, order.short_code))))
        .add(moment("Asked", purchase.created_at))
        .add(moment("Last step", purchase.updated_at))
        .add(purchase.due_at.map(|at| moment("Looked at next", at)))
        .add(duration(story).map(|duration| moment("Runs until", duration.runs_until)))
        .add(purchase.verdict.map(|verdict| fact("Verdict", &words(verdict.as_str()))));
    el("section").class("card").add(el("h2").text("The purchase")).add(facts)
}
