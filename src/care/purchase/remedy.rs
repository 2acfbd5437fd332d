//! What went wrong and the remedy that fits, from the tables of `purchase/fault.rs` and `purchase/advice.rs`. Decides nothing.

use super::super::frame::words;
use super::super::html::{El, Html, el};
use super::super::{Care, fault_of};
use super::duration::duration;
use crate::config::GivesBack;
use crate::journal::rows::{Story, Surplus};
use crate::purchase::evidence::Decline;
use crate::purchase::fault;

pub(super) fn card(care: &Care, story: &Story) -> El {
    let purchase = &story.purchase;
    let card = el("section").class("card remedy").add(el("h2").text("What to do"));
    let pairs = story.surplus.iter().map(|pair| surplus(pair, &purchase.id));
    let found: Vec<El> = pairs.chain(duration(story).and_then(|duration| duration.finding())).collect();
    let Some(fault) = fault_of(&care.0.charging, purchase) else {
        if found.is_empty() {
            return card.add(el("p").text("Nothing went wrong."));
        }
        let todo = fault::Care::ContactPaygate;
        let card = card.attr("data-care", todo.as_str()).add(el("p").class("todo").text(todo.sentence()));
        return card.all(found);
    };
    let fact = |name: &str, value: &str| Html::from_iter([el("dt").text(name), el("dd").text(value)]);
    let money = fault.gives_back.map(|gives_back| fact("The money", by_itself(gives_back)));
    let facts = el("dl")
        .add(fact("Went wrong at", &words(fault.hop.as_str())))
        .add(fact("Whose fault", &words(fault.party.as_str())))
        .add(money)
        .add(purchase.decline.map(|decline| fact("Refused for", &refused(decline))));
    card.attr("data-care", fault.care.as_str())
        .add(el("p").class("todo").text(fault.care.sentence()))
        .add(facts)
        .all(found)
}

const fn by_itself(gives_back: GivesBack) -> &'static str {
    match gives_back {
        GivesBack::Now => "the channel gives it back by itself, at once",
        GivesBack::InDays => "the channel gives it back by itself, in one or two days",
        GivesBack::Never => "the channel gives nothing back by itself",
    }
}

fn refused(decline: Decline) -> String {
    let (reason, advice) = (words(decline.reason.as_str()), words(decline.advice.as_str()));
    format!("{reason} (advice {}: {advice})", decline.advice.number())
}

/// The same package, charged twice within a short time (R000.27).
fn surplus(pair: &Surplus, id: &str) -> El {
    let other = if pair.first == id { &pair.second } else { &pair.first };
    let link = el("a").attr("href", &format!("/care/purchases/{other}")).text(other);
    let says = "The same package was charged twice to this subscriber. If that was not meant, one of both is given back, by two \
                people. The other purchase is ";
    el("p").class("why").attr("data-finding", "surplus").text(says).add(link)
}
