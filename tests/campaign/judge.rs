//! Holds three records against each other, purchase by purchase: the operator's debits and refunds, the package manager's
//! grants, and what the phone was told and had acknowledged. The journal is asked only what it has not finished.

use super::ground::{Ground, Open};
use super::subscribers::{Life, Subscribers, Told};
use std::collections::{BTreeMap, HashMap};

/// What the simulated operator starts each subscriber with, and what the package costs.
const BALANCE: i64 = 50_000;
const PRICE: i64 = 10_000;
/// More are counted and not described.
const DESCRIBED_MAX: usize = 30;

/// Broken promises that no repair undoes; they may be looked for at any time.
pub(crate) const AT_ANY_TIME: [&str; 4] =
    ["double charges", "double grants", "granted and not paid", "granted and refunded"];
/// What must not be when everything has settled.
pub(crate) const IN_THE_END: [&str; 5] =
    ["paid and not granted", "acknowledged messages lost", "stuck", "told otherwise than the books say", "not told"];

#[derive(Clone, Debug, Default)]
pub(crate) struct Verdict {
    pub(crate) purchases: u64,
    pub(crate) debits: u64,
    pub(crate) grants: u64,
    pub(crate) refunds: u64,
    pub(crate) told_done: u64,
    pub(crate) told_not_charged: u64,
    pub(crate) told_refunded: u64,
    pub(crate) in_review: u64,
    pub(crate) messages: u64,
    pub(crate) broken: BTreeMap<&'static str, u64>,
    pub(crate) described: Vec<String>,
}

/// One purchase in the simulators' books.
#[derive(Clone, Copy, Debug)]
struct Books {
    debits: i64,
    grants: i64,
    refunds: i64,
}

impl Books {
    /// `grants` were read before, or a purchase that moves in between would look like a breach.
    fn of(ground: &Ground, life: &Life, grants: i64, at_123pay: &HashMap<String, u32>) -> Self {
        let msisdn = format!("+{}", life.number);
        if life.bank {
            let debits = at_123pay.get(&life.number).copied().unwrap_or_default().into();
            return Self { debits, grants, refunds: 0 };
        }
        // The balance and the count of debits must be of one moment.
        loop {
            let debits = i64::from(ground.billing.debits_of(&msisdn));
            let balance = ground.billing.balance(&msisdn);
            if debits == i64::from(ground.billing.debits_of(&msisdn)) {
                let refunds = if debits == 0 { 0 } else { (balance - BALANCE) / PRICE + debits };
                return Self { debits, grants, refunds };
            }
        }
    }
}

impl Verdict {
    /// Before the end (`left` unknown) only what is wrong at any time; after it everything.
    pub(super) fn of(ground: &Ground, subscribers: &Subscribers, left: Option<&[Open]>) -> Self {
        let left_of: Option<HashMap<&str, &Open>> =
            left.map(|left| left.iter().map(|open| (open.msisdn.trim_start_matches('+'), open)).collect());
        let mut verdict = Self::default();
        // Grants made by now stand on payments made by now; these are read after them.
        let lives = subscribers.lives();
        let granted: Vec<i64> = lives.iter().map(|life| ground.packages.grants_to(&life.account).into()).collect();
        let at_123pay = ground.pay123.debits_by_phone();
        for (life, grants) in lives.into_iter().zip(granted) {
            let books = Books::of(ground, &life, grants, &at_123pay);
            let texts = subscribers.smsc(life.bank).texts_to(&life.number);
            let told: Vec<Told> = texts.iter().map(|text| Told::of(&text.text)).collect();
            let open = left_of.as_ref().map(|left| left.get(life.number.as_str()).copied());
            let mut broken = wrong_at_any_time(books);
            if let Some(open) = open {
                broken.extend(wrong_in_the_end(books, &life, &told, open));
            }
            verdict.add(books, &life, &told, open.flatten());
            if !broken.is_empty() && verdict.described.len() < DESCRIBED_MAX {
                let texts: Vec<&str> = texts.iter().map(|text| text.text.as_str()).collect();
                verdict.described.push(format!("{broken:?}: {books:?} {life:?} told {texts:?} journal {open:?}"));
            }
            for name in broken {
                *verdict.broken.entry(name).or_default() += 1;
            }
        }
        verdict
    }

    fn add(&mut self, books: Books, life: &Life, told: &[Told], open: Option<&Open>) {
        let last = |wanted| u64::from(told.iter().rfind(|told| told.is_last()) == Some(&wanted));
        self.purchases += 1;
        self.debits += books.debits as u64;
        self.grants += books.grants as u64;
        self.refunds += books.refunds as u64;
        self.told_done += last(Told::Done);
        self.told_not_charged += last(Told::NotCharged);
        self.told_refunded += last(Told::Refunded);
        self.in_review += u64::from(open.is_some_and(|open| open.review.is_some()));
        self.messages += u64::from(life.request_acknowledged) + u64::from(life.code_acknowledged);
    }

    pub(crate) fn count(&self, name: &str) -> u64 {
        self.broken.get(name).copied().unwrap_or_default()
    }

    pub(crate) fn violations(&self) -> u64 {
        self.broken.values().sum()
    }
}

fn wrong_at_any_time(books: Books) -> Vec<&'static str> {
    let Books { debits, grants, refunds } = books;
    let wrong = [debits > 1, grants > 1, grants > 0 && debits == 0, grants > 0 && refunds > 0];
    AT_ANY_TIME.into_iter().zip(wrong).filter(|(_, wrong)| *wrong).map(|(name, _)| name).collect()
}

fn wrong_in_the_end(books: Books, life: &Life, told: &[Told], open: Option<&Open>) -> Vec<&'static str> {
    let Books { debits, grants, refunds } = books;
    // A person has it, with the evidence: it may be owed, and the phone may still wait.
    let review = open.is_some_and(|open| open.review.is_some());
    let last: Vec<Told> = told.iter().copied().filter(|told| told.is_last()).collect();
    let fits = |told: &Told| match told {
        Told::Done => (debits, grants, refunds) == (1, 1, 0),
        Told::Refunded => (debits, grants, refunds) == (1, 0, 1),
        Told::NotCharged => (debits, grants) == (0, 0),
        Told::Offer | Told::PayAt | Told::Wait | Told::Nonsense => false,
    };
    let silent = !review && last.is_empty();
    let wrong = [
        !review && debits > refunds && grants == 0,
        silent && (life.code_acknowledged || (life.request_acknowledged && told.is_empty())),
        open.is_some() && !review,
        !last.iter().all(fits) || told.contains(&Told::Nonsense),
        silent && (debits > 0 || grants > 0),
    ];
    IN_THE_END.into_iter().zip(wrong).filter(|(_, wrong)| *wrong).map(|(name, _)| name).collect()
}
