//! What may be done to a purchase from its page: each verb with who may, what it does, and what its form asks for. One that
//! cannot be done now stays in its place and says why.

use super::super::acts::objection;
use super::super::door::Fields;
use super::super::frame::{field, form, hidden, select};
use super::super::html::{El, Html, el};
use super::super::session::Visitor;
use crate::journal::rows::Deed;
use crate::people::Right;
use crate::purchase::Purchase;
use crate::purchase::record::Verdict;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    Inquire,
    Resolve,
}

impl Verb {
    const ALL: [Self; 2] = [Self::Inquire, Self::Resolve];

    /// The last part of its address.
    const fn as_str(self) -> &'static str {
        match self {
            Self::Inquire => "inquire",
            Self::Resolve => "resolve",
        }
    }

    pub(super) fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|verb| verb.as_str() == word)
    }

    pub(super) const fn right(self) -> Right {
        match self {
            Self::Inquire => Right::Inquire,
            Self::Resolve => Right::Resolve,
        }
    }

    const fn title(self) -> &'static str {
        match self {
            Self::Inquire => "Inquire now",
            Self::Resolve => "Resolve the review",
        }
    }

    const fn says(self) -> &'static str {
        match self {
            Self::Inquire => "Asks the peers now what became of it. Moves no money; what they prove goes on by itself.",
            Self::Resolve => {
                "Says what became of it, as strong as a statement. The subscriber is told once. Moves no money: that was \
                 done before, by you."
            }
        }
    }

    /// What is filed, or what the form lacks.
    pub(super) fn deed(self, id: &str, fields: &Fields) -> Result<Deed, &'static str> {
        let purchase = id.to_owned();
        match self {
            Self::Inquire => Ok(Deed::Inquire { purchase }),
            Self::Resolve => {
                let verdict = Verdict::ALL.into_iter().find(|verdict| verdict.as_str() == fields.get("verdict"));
                let verdict = verdict.ok_or("Choose what became of it.")?;
                Ok(Deed::Resolve { purchase, verdict })
            }
        }
    }

    /// What stands in the way as the purchase is, whatever the form will say.
    fn obstacle(self, purchase: &Purchase) -> Option<&'static str> {
        let id = purchase.id.clone();
        match self {
            Self::Inquire => objection(purchase, &Deed::Inquire { purchase: id }, None),
            // With some evidence; which verdicts need one, the form's answer says.
            Self::Resolve => {
                objection(purchase, &Deed::Resolve { purchase: id, verdict: Verdict::Done }, Some("evidence"))
            }
        }
    }

    /// What its form asks for besides the reason.
    fn fields(self) -> Html {
        match self {
            Self::Inquire => Html::default(),
            Self::Resolve => {
                let verdicts = [
                    ("", "choose"),
                    (Verdict::Done.as_str(), "done: paid, and the package stands"),
                    (Verdict::Refunded.as_str(), "refunded: paid, and the money is back"),
                    (Verdict::Declined.as_str(), "declined: not paid"),
                ];
                let evidence = el("input").attr("name", "evidence").attr("placeholder", "A statement's line, a ticket");
                Html::from_iter([
                    field("What became of it", select("verdict", "", verdicts).flag("required", true)),
                    field("Evidence", evidence.attr("maxlength", "1000")),
                ])
            }
        }
    }
}

pub(super) fn card(visitor: &Visitor, purchase: &Purchase) -> El {
    let verbs = Verb::ALL.into_iter().map(|verb| one(verb, visitor, purchase));
    el("section").class("card verbs").add(el("h2").text("What can be done")).all(verbs)
}

fn one(verb: Verb, visitor: &Visitor, purchase: &Purchase) -> El {
    let may = visitor.role.may(verb.right());
    let obstacle = if may { verb.obstacle(purchase).map(str::to_owned) } else { Some(not_yours(verb)) };
    let head = el("summary").add(el("span").text(verb.title()));
    let head = if obstacle.is_some() { head.add(el("small").text("not now")) } else { head };
    let details = el("details").attr("data-verb", verb.as_str()).add(head).add(el("p").text(verb.says()));
    if let Some(why) = obstacle {
        return details.add(el("p").class("why").text(&format!("Not possible: {why}.")));
    }
    let reason = el("input").attr("name", "reason").attr("maxlength", "1000").flag("required", true);
    let form = form(&format!("/care/purchases/{}/{}", purchase.id, verb.as_str()), visitor)
        .add(hidden("seen", &purchase.version.to_string()))
        .add(verb.fields())
        .add(field("Reason", reason.attr("placeholder", "Written down with your name")))
        .add(el("button").text(verb.title()));
    details.add(form)
}

fn not_yours(verb: Verb) -> String {
    format!("this is for {}", verb.right().holders())
}
