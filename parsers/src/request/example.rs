//! A right message to show beside a wrong one, keeping what was right in it. Never makes up a number from digits that did
//! not stand together, and every example would itself be understood.

use super::account::{self, Account, AccountForm};
use super::grammar::{self, Order};
use super::syntax::{Example, Verb};
use super::{Part, Reader, Request, name};

pub(super) const CODE: &str = "123456";

impl Reader<'_> {
    /// A right message with this keyword, keeping what is right in `rest`.
    pub(super) fn example(&self, verb: Verb, keyword: &str, rest: &str) -> String {
        match verb {
            Verb::Buy => self.buy_example(keyword, &Order::read(self.country, rest)),
            Verb::Cancel => self.cancel_example(keyword, &Order::read(self.country, rest).with_package_first()),
            Verb::Confirm => format!("{keyword} {CODE}"),
            Verb::Status | Verb::Help | Verb::Yes => keyword.to_owned(),
        }
    }

    /// A right message for one whose keyword is unknown. The nearest keyword is only shown, since the word that was typed
    /// may have meant something else.
    pub(super) fn example_of_unknown(&self, text: &str) -> String {
        let rest = grammar::after_word(text);
        let near = self.syntax.nearest(grammar::first_word(text)).map(|(verb, keyword)| (verb, keyword, rest));
        // XIN is near XN, but only digits behind it make it a confirmation.
        let near = near.filter(|(verb, _, rest)| *verb != Verb::Confirm || grammar::is_spaced_digits(rest));
        if let Some((verb, keyword, rest)) = near.or_else(|| self.syntax.run_together(text)) {
            return self.example(verb, &keyword, rest);
        }
        // A complete order behind a wrong keyword, or without any, is worth showing; chatter is not.
        let complete = |order: &&str| matches!(self.buy(order), Ok(Request::Buy { account: Some(_), .. }));
        let order = [rest, text].into_iter().find(complete).unwrap_or_default();
        self.example(Verb::Buy, &self.syntax.first(Verb::Buy), order)
    }

    fn buy_example(&self, keyword: &str, order: &Order<'_>) -> String {
        let Example { service, package, account } = &self.syntax.example;
        let mut words = vec![name_or(order.service, service), name_or(order.package, package)];
        match order.account {
            Some(typed) => words.push(self.account_in(typed).unwrap_or_else(|| account.clone())),
            None if *order == Order::default() => words.push(account.clone()),
            None => {}
        }
        let line = words.join(" ");
        // Names of digits alone can read as a number, or as part of the one behind them; those are not worth keeping.
        if self.buy(&line).is_ok() { format!("{keyword} {line}") } else { self.whole_example() }
    }

    fn cancel_example(&self, keyword: &str, order: &Order<'_>) -> String {
        let Example { service, package, .. } = &self.syntax.example;
        let service = order.service.map(|typed| name_or(Some(typed), service));
        let line = service.into_iter().chain([name_or(order.package, package)]).collect::<Vec<_>>().join(" ");
        if self.cancel(&line).is_ok() { format!("{keyword} {line}") } else { format!("{keyword} {package}") }
    }

    /// A right account that stands whole within a wrong one. Digits on two sides of a letter are never joined, which would
    /// make up somebody's number.
    fn account_in(&self, typed: &str) -> Option<String> {
        let mut runs = typed.split(|c: char| !account::is_number_character(c));
        runs.find_map(|run| Account::parse(AccountForm::Number, self.country, run).ok()).map(String::from)
    }

    /// The whole syntax, where nothing that was typed can be kept.
    pub(super) fn whole_example(&self) -> String {
        let Example { service, package, account } = &self.syntax.example;
        format!("{} {service} {package} {account}", self.syntax.first(Verb::Buy))
    }
}

fn name_or(typed: Option<&str>, example: &str) -> String {
    name(Part::Package, typed).unwrap_or_else(|_| example.to_owned())
}
