//! The menu, pure: where a dialogue stands and what was answered, to where it goes. Service, package, for whom, price and
//! consent. Never agrees for anybody: a shortcut leads as far as the consent and no further.

use super::catalogue::{Catalogue, Package, Service};
use super::screens::{Screens, Value, label};
use crate::purchase::offer::Terms;
use crate::replies::price;
use paygate_parsers::msisdn::{Country, Msisdn};
use paygate_parsers::request::{Account, AccountForm};
use paygate_parsers::text::shortened;
use serde::{Deserialize, Serialize};

/// Choices on one screen.
const CHOICES: usize = 7;
const BACK: &str = "0";
const MORE: &str = "9";
const MINE: &str = "1";
const OTHERS: &str = "2";
/// Octets of an input that is somebody's number, right or wrong, rather than a choice.
const NUMBER_FROM: usize = 4;
/// Septets of a code on a screen, and of what somebody typed.
const CODE: usize = 20;

/// Where a dialogue stands: what is on the phone now. What was shown is kept by name, so that a list that is read anew
/// meanwhile changes no choice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "at", rename_all = "snake_case")]
pub(super) enum Position {
    Services {
        page: Page,
    },
    Packages {
        service: String,
        page: Page,
    },
    ForWhom {
        service: String,
        package: String,
    },
    Number {
        service: String,
        package: String,
    },
    Consent {
        wanted: Wanted,
        terms: Terms,
        /// What agrees.
        agree: String,
    },
    Over,
}

/// A page of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Page {
    /// Where each page up to this one starts.
    pub(super) starts: Vec<usize>,
    /// The codes of this page's items, in order.
    pub(super) shown: Vec<String>,
    pub(super) has_more: bool,
}

/// What is to be bought, for whom.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Wanted {
    pub(super) service: String,
    pub(super) package: String,
    /// National form where it is a number.
    pub(super) account: String,
    /// The account was typed, rather than the own number taken.
    pub(super) typed: bool,
}

/// Where an answer leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The next screen, which waits for an answer.
    Show { position: Position, text: String, wrong: bool },
    /// May this be bought? The consent's screen follows the package manager's answer.
    Check(Wanted),
    /// The consent on the screen was given.
    Agreed,
    /// The last screen.
    Over(String),
}

/// What a step is taken with.
pub(super) struct Menu<'m> {
    pub(super) catalogue: &'m Catalogue,
    pub(super) screens: &'m Screens,
    pub(super) country: &'m Country,
    pub(super) account: AccountForm,
    /// Whose phone it is.
    pub(super) own: Msisdn,
}

/// A list to be shown in pages.
struct List<'l> {
    screen: &'static str,
    line: &'static str,
    items: Vec<Item<'l>>,
    service: &'l str,
    /// What `0` does on the first page.
    back: &'static str,
}

/// What can be chosen, and what its line may name.
struct Item<'l> {
    code: &'l str,
    values: Vec<(&'static str, String)>,
}

impl Menu<'_> {
    /// The first screen.
    pub(super) fn begin(&self) -> Step {
        match self.catalogue.services.as_slice() {
            [] => Step::Over(self.screens.screen("nothing_on_sale", &[], None)),
            [only] => self.packages(&only.code, vec![0], None),
            _ => self.services(vec![0], None),
        }
    }

    /// Takes the inputs in turn, as far as they lead: to a screen that none of them is right for, or to the consent.
    pub(super) fn walk(&self, start: Step, inputs: &[String]) -> Step {
        let mut step = start;
        for input in inputs {
            let Step::Show { position, wrong: false, .. } = &step else { break };
            step = self.step(position, input, inputs.len() == 1);
        }
        step
    }

    /// One answer to one screen. Nothing is agreed to among other inputs: who wrote them had not seen the price.
    pub(super) fn step(&self, position: &Position, input: &str, alone: bool) -> Step {
        let input = input.trim();
        match position {
            Position::Services { page } => self.at_services(page, input),
            Position::Packages { service, page } => self.at_packages(service, page, input),
            Position::ForWhom { service, package } => self.at_for_whom(service, package, input),
            Position::Number { service, package } if input == BACK => self.for_whom(service, package, None),
            Position::Number { service, package } => self.typed(service, package, input),
            Position::Consent { agree, .. } if input == agree && alone => Step::Agreed,
            Position::Consent { wanted, .. } if input == BACK && wanted.typed => {
                self.number(&wanted.service, &wanted.package, None)
            }
            Position::Consent { wanted, .. } if input == BACK => self.for_whom(&wanted.service, &wanted.package, None),
            Position::Consent { wanted, terms, agree } => {
                let (position, text) = self.consent(wanted, terms, agree, Some("wrong_choice"));
                Step::Show { position, text, wrong: true }
            }
            Position::Over => Step::Over(self.screens.screen("lost", &[], None)),
        }
    }

    fn at_services(&self, page: &Page, input: &str) -> Step {
        let chosen = page.chosen(input).or_else(|| self.catalogue.find_service(input).map(|found| found.code.as_str()));
        match (input, chosen) {
            (_, Some(service)) => self.packages(service, vec![0], None),
            (MORE, _) if page.has_more => self.services(page.next(), None),
            (BACK, _) if page.starts.len() > 1 => self.services(page.previous(), None),
            (BACK, _) => Step::Over(self.screens.screen("left", &[], None)),
            _ => match self.catalogue.find_anywhere(input) {
                Some((service, package)) => self.for_whom(&service.code, &package.code, None),
                None => self.services(page.starts.clone(), Some("wrong_choice")),
            },
        }
    }

    fn at_packages(&self, service: &str, page: &Page, input: &str) -> Step {
        let named = || self.catalogue.find(service, input).map(|found| found.code.as_str());
        let chosen = page.chosen(input).or_else(named);
        match (input, chosen) {
            (_, Some(package)) => self.for_whom(service, package, None),
            (MORE, _) if page.has_more => self.packages(service, page.next(), None),
            (BACK, _) if page.starts.len() > 1 => self.packages(service, page.previous(), None),
            (BACK, _) if self.catalogue.services.len() > 1 => self.services(vec![0], None),
            (BACK, _) => Step::Over(self.screens.screen("left", &[], None)),
            _ => self.packages(service, page.starts.clone(), Some("wrong_choice")),
        }
    }

    fn at_for_whom(&self, service: &str, package: &str, input: &str) -> Step {
        match input {
            MINE => {
                let account = Account::of(self.own, self.country).into();
                Step::Check(Wanted { service: service.to_owned(), package: package.to_owned(), account, typed: false })
            }
            OTHERS => self.number(service, package, None),
            BACK => self.packages(service, vec![0], None),
            // A shortcut may name the account where the menu asks for whom.
            number if number.len() >= NUMBER_FROM => self.typed(service, package, number),
            _ => self.for_whom(service, package, Some("wrong_choice")),
        }
    }

    fn typed(&self, service: &str, package: &str, input: &str) -> Step {
        match Account::parse(self.account, self.country, input) {
            Ok(account) => Step::Check(Wanted {
                service: service.to_owned(),
                package: package.to_owned(),
                account: account.into(),
                typed: true,
            }),
            Err(_) => self.number(service, package, Some(input)),
        }
    }

    fn services(&self, starts: Vec<usize>, note: Option<&'static str>) -> Step {
        let items = self.catalogue.services.iter().map(service_item).collect();
        let list = List { screen: "services", line: "service_item", items, service: "", back: "leave" };
        let (page, text) = self.page(&list, starts, note);
        Step::Show { position: Position::Services { page }, text, wrong: note.is_some() }
    }

    fn packages(&self, code: &str, starts: Vec<usize>, note: Option<&'static str>) -> Step {
        // Sold out since the list was read.
        let Some(service) = self.catalogue.find_service(code) else {
            return Step::Over(self.screens.screen("nothing_on_sale", &[], None));
        };
        let back = if self.catalogue.services.len() > 1 { "back" } else { "leave" };
        let items =
            service.packages.iter().map(|package| Item { code: &package.code, values: values(package) }).collect();
        let list = List { screen: "packages", line: "package_item", items, service: &short(&service.code), back };
        let (page, text) = self.page(&list, starts, note);
        let position = Position::Packages { service: service.code.clone(), page };
        Step::Show { position, text, wrong: note.is_some() }
    }

    /// The last of these pages, with as many items as fit. A list that has become shorter meanwhile is shown from its start.
    fn page(&self, list: &List<'_>, starts: Vec<usize>, note: Option<&'static str>) -> (Page, String) {
        let note = note.map(|note| self.screens.words(note, &[]));
        let start = starts.last().copied().filter(|start| *start < list.items.len());
        let starts = if start.is_some() { starts } else { vec![0] };
        let rest = &list.items[start.unwrap_or(0)..];
        let mut count = rest.len().min(CHOICES);
        loop {
            let (shown, has_more) = (&rest[..count], count < rest.len());
            let back = if starts.len() > 1 { "back" } else { list.back };
            let items = self.items(list.line, shown, has_more, back);
            let values = [("service", list.service), ("items", &items)];
            let fitting = self.screens.fitting(list.screen, &values, note.as_deref());
            if fitting.is_some() || count <= 1 {
                let text = fitting.unwrap_or_else(|| self.screens.screen(list.screen, &values, note.as_deref()));
                let shown = shown.iter().map(|item| item.code.to_owned()).collect();
                return (Page { starts, shown, has_more }, text);
            }
            count -= 1;
        }
    }

    /// The lines of a page, with what leads on and back.
    fn items(&self, line: &str, shown: &[Item<'_>], has_more: bool, back: &str) -> String {
        let item = |(at, item): (usize, &Item<'_>)| {
            let number = (at + 1).to_string();
            let mut named: Vec<Value<'_>> = item.values.iter().map(|(name, value)| (*name, value.as_str())).collect();
            named.push(("number", &number));
            self.screens.line(line, &named)
        };
        let mut lines: Vec<String> = shown.iter().enumerate().map(item).collect();
        lines.extend(has_more.then(|| self.screens.line("more", &[("number", MORE)])));
        lines.push(self.screens.line(back, &[("number", BACK)]));
        lines.join("\n")
    }

    fn for_whom(&self, service: &str, package: &str, note: Option<&'static str>) -> Step {
        self.about(service, package, "for_whom", note.map(|note| self.screens.words(note, &[])), |service, package| {
            Position::ForWhom { service, package }
        })
    }

    /// Asks for another number; `wrong` is what was typed and is none.
    fn number(&self, service: &str, package: &str, wrong: Option<&str>) -> Step {
        let note = wrong.map(|typed| self.screens.words("wrong_number", &[("typed", &short(typed))]));
        self.about(service, package, "number", note, |service, package| Position::Number { service, package })
    }

    fn about(
        &self,
        service: &str,
        code: &str,
        screen: &'static str,
        note: Option<String>,
        position: impl FnOnce(String, String) -> Position,
    ) -> Step {
        let Some(package) = self.catalogue.find(service, code) else {
            let name = label(code);
            return Step::Over(self.screens.screen("refused_no_package", &[("name", &name), ("package", &name)], None));
        };
        let (service_shown, named) = (short(service), values(package));
        let mut named: Vec<Value<'_>> = named.iter().map(|(name, value)| (*name, value.as_str())).collect();
        named.push(("service", &service_shown));
        Step::Show {
            text: self.screens.screen(screen, &named, note.as_deref()),
            position: position(service.to_owned(), package.code.clone()),
            wrong: note.is_some(),
        }
    }

    /// The consent's screen, at the terms that check-user has named.
    pub(super) fn consent(
        &self,
        wanted: &Wanted,
        terms: &Terms,
        agree: &str,
        note: Option<&'static str>,
    ) -> (Position, String) {
        let note = note.map(|note| self.screens.words(note, &[]));
        let text = self.about_wanted("consent", wanted, Some(terms), agree, note.as_deref());
        (Position::Consent { wanted: wanted.clone(), terms: terms.clone(), agree: agree.to_owned() }, text)
    }

    /// A screen about what is wanted, at terms where there are any yet.
    pub(super) fn about_wanted(
        &self,
        screen: &'static str,
        wanted: &Wanted,
        terms: Option<&Terms>,
        agree: &str,
        note: Option<&str>,
    ) -> String {
        let listed = self.catalogue.find(&wanted.service, &wanted.package);
        let name = terms.map(|terms| label(&terms.package_name)).or_else(|| listed.map(|package| package.name.clone()));
        let cost = terms.map(|terms| price(terms.price)).unwrap_or_default();
        let days = terms.map(|terms| terms.days.to_string()).unwrap_or_default();
        let package = short(&wanted.package);
        let (service, account) = (short(&wanted.service), label(&wanted.account));
        let name = name.unwrap_or_else(|| package.clone());
        let values = [
            ("name", name.as_str()),
            ("service", &service),
            ("package", &package),
            ("price", &cost),
            ("days", &days),
            ("account", &account),
            ("number", agree),
        ];
        self.screens.screen(screen, &values, note)
    }
}

impl Page {
    fn chosen(&self, input: &str) -> Option<&str> {
        let number = input.parse::<usize>().ok().filter(|_| input.len() == 1)?;
        self.shown.get(number.checked_sub(1)?).map(String::as_str)
    }

    fn next(&self) -> Vec<usize> {
        let last = self.starts.last().copied().unwrap_or(0);
        [self.starts.as_slice(), &[last + self.shown.len()]].concat()
    }

    fn previous(&self) -> Vec<usize> {
        self.starts.split_last().map_or_else(|| vec![0], |(_, before)| before.to_vec())
    }
}

fn service_item(service: &Service) -> Item<'_> {
    Item { code: &service.code, values: vec![("service", short(&service.code))] }
}

fn short(code: &str) -> String {
    shortened(&label(code), CODE)
}

fn values(package: &Package) -> Vec<(&'static str, String)> {
    vec![
        ("package", short(&package.code)),
        ("name", package.name.clone()),
        ("price", package.price.clone()),
        ("days", package.days.clone()),
    ]
}

#[cfg(test)]
mod tests;
