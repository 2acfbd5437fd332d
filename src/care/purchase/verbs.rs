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
use crate::purchase::input::Remedy;
use crate::purchase::money::Money;
use crate::purchase::record::{Micros, Verdict};
use crate::purchase::rules::Rules;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    Inquire,
    Grant,
    MarkPaid,
    MarkGranted,
    Refund,
    Resolve,
}

impl Verb {
    const ALL: [Self; 6] = [Self::Inquire, Self::Grant, Self::MarkPaid, Self::MarkGranted, Self::Refund, Self::Resolve];

    /// The last part of its address.
    const fn as_str(self) -> &'static str {
        match self {
            Self::Inquire => "inquire",
            Self::Grant => "grant",
            Self::MarkPaid => "mark_paid",
            Self::MarkGranted => "mark_granted",
            Self::Refund => "refund",
            Self::Resolve => "resolve",
        }
    }

    pub(super) fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|verb| verb.as_str() == word)
    }

    pub(super) const fn right(self) -> Right {
        match self {
            Self::Inquire => Right::Inquire,
            Self::Grant => Right::Grant,
            Self::MarkPaid | Self::MarkGranted => Right::Mark,
            Self::Refund => Right::Refund,
            Self::Resolve => Right::Resolve,
        }
    }

    const fn title(self) -> &'static str {
        match self {
            Self::Inquire => "Inquire now",
            Self::Grant => "Grant again",
            Self::MarkPaid => "Mark paid",
            Self::MarkGranted => "Mark granted elsewhere",
            Self::Refund => "Refund",
            Self::Resolve => "Resolve the review",
        }
    }

    const fn says(self) -> &'static str {
        match self {
            Self::Inquire => "Asks the peers now what became of it. Moves no money; what they prove goes on by itself.",
            Self::Grant => {
                "Has the package granted that was paid for. Only ever as a grant, under its own key: it is not added twice, \
                 and nothing is charged."
            }
            Self::MarkPaid => {
                "Says that the channel did take the money, with the evidence. What is fresh is then granted."
            }
            Self::MarkGranted => "Says that the package came by another way. It is then never sent by this one.",
            Self::Refund => {
                "Has exactly what was charged given back. A second person confirms it before anything is sent."
            }
            Self::Resolve => {
                "Says what became of it, as strong as a statement. The subscriber is told once. Moves no money: that was \
                 done before, by you."
            }
        }
    }

    /// What is filed, or what the form lacks.
    pub(super) fn deed(self, purchase: &Purchase, fields: &Fields) -> Result<Deed, &'static str> {
        let overrides = fields.get("override") == "yes";
        let remedy = |remedy, overrides| Deed::Remedy { purchase: purchase.id.clone(), remedy, overrides };
        Ok(match self {
            Self::Inquire => Deed::Inquire { purchase: purchase.id.clone() },
            Self::Grant => remedy(Remedy::Grant, overrides),
            Self::MarkPaid => remedy(Remedy::MarkPaid, false),
            Self::MarkGranted => remedy(Remedy::MarkGranted, false),
            Self::Refund => remedy(Remedy::Refund { amount: typed(purchase, fields.get("amount"))? }, overrides),
            Self::Resolve => {
                let verdict = Verdict::ALL.into_iter().find(|verdict| verdict.as_str() == fields.get("verdict"));
                let verdict = verdict.ok_or("Choose what became of it.")?;
                Deed::Resolve { purchase: purchase.id.clone(), verdict }
            }
        })
    }

    /// What stands in the way as the purchase is, whatever the form will say: the most that it can say is asked about.
    fn obstacle(self, rules: &Rules, purchase: &Purchase, now: Micros) -> Option<&'static str> {
        let remedy = |remedy, overrides| Deed::Remedy { purchase: purchase.id.clone(), remedy, overrides };
        let deed = match self {
            Self::Inquire => Deed::Inquire { purchase: purchase.id.clone() },
            Self::Grant => remedy(Remedy::Grant, true),
            Self::MarkPaid => remedy(Remedy::MarkPaid, false),
            Self::MarkGranted => remedy(Remedy::MarkGranted, false),
            Self::Refund => {
                let Some(charge) = &purchase.charge else { return Some("nothing was charged here") };
                remedy(Remedy::Refund { amount: charge.amount }, true)
            }
            Self::Resolve => Deed::Resolve { purchase: purchase.id.clone(), verdict: Verdict::Done },
        };
        objection(rules, purchase, &deed, Some("evidence"), now)
    }

    /// What its form asks for besides the reason.
    fn fields(self, purchase: &Purchase) -> Html {
        let evidence = |needed| {
            let input = el("input").attr("name", "evidence").attr("maxlength", "1000").flag("required", needed);
            Html::from(field("Evidence", input.attr("placeholder", "A statement's line, a ticket")))
        };
        match self {
            Self::Inquire => Html::default(),
            Self::Grant => overriding("The money was given back, and the package is to be granted all the same"),
            Self::MarkPaid => evidence(true),
            Self::MarkGranted => evidence(false),
            Self::Refund => {
                let charged = purchase.charge.as_ref().map_or_else(String::new, |charge| charge.amount.to_string());
                let amount =
                    el("input").attr("name", "amount").attr("inputmode", "numeric").attr("autocomplete", "off");
                let label = format!("Amount: type again what was charged, {charged}");
                Html::from_iter([
                    field(&label, amount.flag("required", true)).into(),
                    evidence(false),
                    overriding("The package is granted, and the money is to go back all the same"),
                ])
            }
            Self::Resolve => {
                let verdicts = [
                    ("", "choose"),
                    (Verdict::Done.as_str(), "done: paid, and the package stands"),
                    (Verdict::Refunded.as_str(), "refunded: paid, and the money is back"),
                    (Verdict::Declined.as_str(), "declined: not paid"),
                ];
                let verdict = select("verdict", "", verdicts).flag("required", true);
                Html::from_iter([field("What became of it", verdict).into(), evidence(false)])
            }
        }
    }
}

/// What somebody typed as an amount, in the currency's minor unit; separators between digits mean nothing.
fn typed(purchase: &Purchase, text: &str) -> Result<Money, &'static str> {
    let charge = purchase.charge.as_ref().ok_or("Nothing was charged here.")?;
    let digits: String = text.chars().filter(|c| !['.', ',', ' ', '\u{a0}'].contains(c)).collect();
    let amount = digits.parse().map_err(|_| "Type the amount that was charged, in digits.")?;
    Ok(Money::new(amount, charge.amount.currency))
}

/// Package and money back, both: never by accident.
fn overriding(says: &str) -> Html {
    let input = el("input").attr("type", "checkbox").attr("name", "override").attr("value", "yes");
    el("label")
        .class("check")
        .add(input)
        .add(el("span").text(says).add(el("small").text(" (a second person confirms)")))
        .into()
}

pub(super) fn card(rules: &Rules, visitor: &Visitor, purchase: &Purchase, now: Micros) -> El {
    let verbs = Verb::ALL.into_iter().map(|verb| {
        let may = visitor.role.may(verb.right());
        let obstacle = if may { verb.obstacle(rules, purchase, now).map(str::to_owned) } else { Some(not_yours(verb)) };
        one(verb, visitor, purchase, obstacle)
    });
    el("section").class("card verbs").add(el("h2").text("What can be done")).all(verbs)
}

fn one(verb: Verb, visitor: &Visitor, purchase: &Purchase, obstacle: Option<String>) -> El {
    let head = el("summary").add(el("span").text(verb.title()));
    let head = if obstacle.is_some() { head.add(el("small").text("not now")) } else { head };
    let details = el("details").attr("data-verb", verb.as_str()).add(head).add(el("p").text(verb.says()));
    if let Some(why) = obstacle {
        return details.add(el("p").class("why").text(&format!("Not possible: {why}.")));
    }
    let reason = el("input").attr("name", "reason").attr("maxlength", "1000").flag("required", true);
    let form = form(&format!("/care/purchases/{}/{}", purchase.id, verb.as_str()), visitor)
        .add(hidden("seen", &super::standing(purchase)))
        .add(verb.fields(purchase))
        .add(field("Reason", reason.attr("placeholder", "Written down with your name")))
        .add(el("button").text(verb.title()));
    details.add(form)
}

fn not_yours(verb: Verb) -> String {
    format!("this is for {}", verb.right().holders())
}
