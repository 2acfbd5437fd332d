//! The peers' own books: what was really charged, granted and given back, under which key, and what was wrong the moment
//! it was done. Never looks at the gateway's opinion.

use super::chance::Chance;
use super::pages::LINK_TTL;
use super::peers::{ChannelBook, PackageBook};
use super::weather::Weather;
use paygate::purchase::evidence::{Finding, GrantAnswer};
use paygate::purchase::input::{ChannelCall, GrantCall};
use paygate::purchase::money::Money;
use paygate::purchase::record::Micros;
use std::collections::{BTreeMap, BTreeSet};

/// A number that is nobody's here.
const STRANGER: &str = "+84900000000";
/// The length of a purchase's id, which each of its keys begins with.
const ID: usize = 16;

#[derive(Debug)]
pub(crate) struct Books {
    channel: ChannelBook,
    packages: PackageBook,
    charges: BTreeMap<String, ChannelBook>,
    grants: BTreeMap<String, PackageBook>,
    /// Charges that the channel books on somebody else.
    strangers: BTreeSet<String>,
    /// When each page was opened.
    pages: BTreeMap<String, Micros>,
}

/// What stands in the books for one purchase, over all its keys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sums {
    pub(crate) charges: u32,
    pub(crate) refunds: u32,
    pub(crate) grants: u32,
}

impl Books {
    pub(crate) fn new(chance: &mut Chance, weather: Weather) -> Self {
        let (mut channel, packages) = (ChannelBook::new(chance), PackageBook::new(chance));
        // Where grants are refused it is about refunds, which no page has.
        channel.has_page = !weather.refuses_grants && chance.percent(15);
        Self {
            channel,
            packages: if weather.refuses_grants { PackageBook::hard() } else { packages },
            charges: BTreeMap::new(),
            grants: BTreeMap::new(),
            strangers: BTreeSet::new(),
            pages: BTreeMap::new(),
        }
    }

    /// Subscribers pay at a page of the channel's own.
    pub(crate) const fn has_pages(&self) -> bool {
        self.channel.has_page
    }

    /// The subscriber at the page: whether money moved. None where there is no page, or it has closed.
    pub(crate) fn pay(&mut self, chance: &mut Chance, key: &str, now: Micros) -> Option<bool> {
        let opened_at = *self.pages.get(key)?;
        let book = self.charges.get_mut(key).filter(|_| now <= opened_at + LINK_TTL)?;
        book.can_be_paid().then(|| book.pay(chance))
    }

    /// A partner has taken the money by itself.
    pub(crate) fn debit_elsewhere(&mut self, key: &str, amount: Money) {
        let mut book = self.channel.clone();
        (book.charges, book.debits) = (1, amount);
        self.charges.insert(key.to_owned(), book);
    }

    /// The same as [`Self::sums`], by one of the purchase's keys.
    pub(crate) fn sums_of(&self, key: &str) -> Sums {
        self.sums(key.get(..ID).unwrap_or(key))
    }

    pub(crate) const fn grants_are_recognised(&self) -> bool {
        self.packages.recognises_keys
    }

    pub(crate) fn sums(&self, purchase: &str) -> Sums {
        let own = self.charges.iter().filter(|(key, _)| key.starts_with(purchase));
        let mut sums = own.fold(Sums::default(), |sums, (_, book)| Sums {
            charges: sums.charges + book.charges,
            refunds: sums.refunds + book.refunds,
            ..sums
        });
        sums.grants = self.grants.get(purchase).map_or(0, |book| book.grants);
        sums
    }

    /// Ids of all purchases that money moved or a package was granted for.
    pub(crate) fn purchases(&self) -> BTreeSet<String> {
        let charged = self.charges.keys().map(|key| key.chars().take(ID).collect());
        charged.chain(self.grants.keys().cloned()).collect()
    }

    /// What is really debited under this key; sometimes not what was asked for.
    pub(crate) fn debits(&self, key: &str) -> Option<Money> {
        self.charges.get(key).map(|book| book.debits)
    }

    pub(crate) fn is_a_strangers(&self, key: &str) -> bool {
        self.strangers.contains(key)
    }

    pub(crate) fn channel(
        &mut self,
        chance: &mut Chance,
        call: ChannelCall,
        (key, price): (&str, Money),
        code: Option<&str>,
        now: Micros,
    ) -> Finding {
        if !self.charges.contains_key(key) {
            self.charges.insert(key.to_owned(), self.channel.clone().at(price));
            if chance.percent(2) {
                self.strangers.insert(key.to_owned());
            }
        }
        let Some(book) = self.charges.get_mut(key) else { return Finding::NotFound };
        let finding = book.act(chance, call, code);
        if matches!(finding, Finding::AwaitsPayment { url: Some(_), .. }) {
            self.pages.insert(key.to_owned(), now);
        }
        match finding {
            Finding::Charged { amount, .. } if self.strangers.contains(key) => {
                Finding::Charged { amount, msisdn: Some(STRANGER.to_owned()) }
            }
            finding => finding,
        }
    }

    pub(crate) fn packages(&mut self, chance: &mut Chance, call: GrantCall, purchase: &str) -> GrantAnswer {
        self.grants.entry(purchase.to_owned()).or_insert_with(|| self.packages.clone()).act(chance, call)
    }
}
