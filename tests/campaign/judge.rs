//! Holds three records against each other, purchase by purchase: the debits and refunds of the operator, 123PAY and the
//! partners, the package manager's grants, and what the phone, partner or app was told and had acknowledged. The journal is
//! asked what it has not finished, and what it has of whoever came in by HTTP.

use super::acts::{Decided, decided};
use super::ground::{Entry, Ground, Open};
use super::life::{BALANCE, Door, Life, PRICE, Told};
use super::subscribers::Subscribers;
use std::collections::{BTreeMap, HashMap};

/// More are counted and not described.
const DESCRIBED_MAX: usize = 30;

/// One payment or one key was answered in two ways.
pub(super) const TWO_ANSWERS: &str = "one key, two answers";
/// What had to be answered 401, 409 or 422 was answered otherwise, or did something.
pub(super) const REFUSED_AND_TAKEN: &str = "to be refused, and taken";
/// What the app reads is not what the journal holds.
pub(super) const SEEN_OTHERWISE: &str = "seen otherwise than it stands";

/// Broken promises that no repair undoes; they may be looked for at any time.
pub(crate) const AT_ANY_TIME: [&str; 6] =
    ["double charges", "double grants", "granted and not paid", "granted and refunded", TWO_ANSWERS, REFUSED_AND_TAKEN];
/// What must not be when everything has settled.
pub(crate) const IN_THE_END: [&str; 8] = [
    "paid and not granted",
    "acknowledged and lost",
    "stuck",
    "told otherwise than the books say",
    "not told",
    "one key, two purchases",
    SEEN_OTHERWISE,
    "in review without its evidence",
];

#[derive(Clone, Debug, Default)]
pub(crate) struct Verdict {
    pub(crate) purchases: u64,
    pub(crate) by_door: BTreeMap<Door, u64>,
    /// Paid to a partner at a price that is not the package's.
    pub(crate) dear: u64,
    pub(crate) debits: u64,
    pub(crate) grants: u64,
    pub(crate) refunds: u64,
    pub(crate) told_done: u64,
    pub(crate) told_not_charged: u64,
    pub(crate) told_refunded: u64,
    pub(crate) in_review: u64,
    /// Messages, payments and orders.
    pub(crate) acknowledged: u64,
    pub(crate) broken: BTreeMap<&'static str, u64>,
    pub(crate) described: Vec<String>,
}

/// One purchase in the simulators' books.
#[derive(Clone, Copy, Debug)]
pub(super) struct Books {
    pub(super) debits: i64,
    pub(super) grants: i64,
    pub(super) refunds: i64,
}

impl Books {
    /// As a person would look it up.
    pub(super) fn looked_up(ground: &Ground, life: &Life) -> Self {
        let grants = ground.packages.grants_to(&life.account).into();
        Self::of(ground, life, grants, &ground.pay123.debits_by_phone())
    }

    /// `grants` were read before, or a purchase that moves in between would look like a breach.
    fn of(ground: &Ground, life: &Life, grants: i64, at_123pay: &HashMap<String, u32>) -> Self {
        let msisdn = format!("+{}", life.number);
        let debits = match life.door {
            Door::Sms | Door::App => return Self::at_the_operators(ground, &msisdn, grants),
            Door::SmsToBank => at_123pay.get(&life.number).copied().unwrap_or_default().into(),
            // One that is not known to its app cannot be paid by its customer.
            Door::AppToBank => life.purchase.as_ref().map_or(0, |id| ground.pay123.debits(&format!("{id}-c1")).into()),
            Door::Partner => i64::from(life.debit.is_some()),
        };
        Self { debits, grants, refunds: 0 }
    }

    fn at_the_operators(ground: &Ground, msisdn: &str, grants: i64) -> Self {
        // The balance and the count of debits must be of one moment.
        loop {
            let debits = i64::from(ground.billing.debits_of(msisdn));
            let balance = ground.billing.balance(msisdn);
            if debits == i64::from(ground.billing.debits_of(msisdn)) {
                let refunds = if debits == 0 { 0 } else { (balance - BALANCE) / PRICE + debits };
                return Self { debits, grants, refunds };
            }
        }
    }
}

/// How all ended, where it has.
pub(super) struct Settled {
    /// What the journal has not finished,
    pub(super) left: Vec<Open>,
    /// and what it has of partners and apps, by account.
    pub(super) entries: HashMap<String, Vec<Entry>>,
}

/// One purchase in the journal.
#[derive(Debug)]
struct Journalled<'s> {
    open: Option<&'s Open>,
    entries: &'s [Entry],
}

impl Settled {
    fn of(&self, life: &Life) -> Journalled<'_> {
        let open = self.left.iter().find(|open| open.account == life.account);
        Journalled { open, entries: self.entries.get(&life.account).map_or(&[], Vec::as_slice) }
    }
}

impl Verdict {
    /// Before the end (`settled` unknown) only what is wrong at any time; after it everything.
    pub(super) async fn of(ground: &Ground, subscribers: &Subscribers, settled: Option<&Settled>) -> Self {
        let mut verdict = Self::default();
        // Grants made by now stand on payments made by now; these are read after them.
        let lives = subscribers.lives();
        let granted: Vec<i64> = lives.iter().map(|life| ground.packages.grants_to(&life.account).into()).collect();
        let at_123pay = ground.pay123.debits_by_phone();
        let read: Vec<(Life, Books)> = lives
            .into_iter()
            .zip(granted)
            .map(|(life, grants)| {
                let books = Books::of(ground, &life, grants, &at_123pay);
                (life, books)
            })
            .collect();
        // What persons had done was decided before, and stood in the journal by then.
        let persons = decided(&ground.acts().await);
        for (life, books) in read {
            let decided = persons.get(&life.account).copied().unwrap_or_default();
            let texts = subscribers.smsc(life.door).texts_to(&life.number);
            let told = told(&life, texts.iter().map(|text| text.text.as_str()));
            let journalled = settled.map(|settled| settled.of(&life));
            let mut broken =
                wrong_at_any_time(books, &life, decided, ground.packages.grants_to(&life.strangers_account()));
            if let Some(journalled) = &journalled {
                broken.extend(wrong_in_the_end(books, &life, decided, &told, journalled));
            }
            verdict.add(books, &life, &told, journalled.as_ref().and_then(|it| it.open));
            if !broken.is_empty() && verdict.described.len() < DESCRIBED_MAX {
                let texts: Vec<&str> = texts.iter().map(|text| text.text.as_str()).collect();
                verdict.described.push(format!("{broken:?}: {books:?} {life:?} told {texts:?} journal {journalled:?}"));
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
        *self.by_door.entry(life.door).or_default() += 1;
        self.dear += u64::from(life.dear && life.debit.is_some());
        self.debits += books.debits as u64;
        self.grants += books.grants as u64;
        self.refunds += books.refunds as u64;
        self.told_done += last(Told::Done);
        self.told_not_charged += last(Told::NotCharged);
        self.told_refunded += last(Told::Refunded);
        self.in_review += u64::from(open.is_some_and(|open| open.review.is_some()));
        self.acknowledged += u64::from(life.request_acknowledged) + u64::from(life.code_acknowledged);
    }

    pub(crate) fn count(&self, name: &str) -> u64 {
        self.broken.get(name).copied().unwrap_or_default()
    }

    pub(crate) fn violations(&self) -> u64 {
        self.broken.values().sum()
    }
}

/// What a phone read, or for an order without one what its app read in the end.
fn told<'t>(life: &Life, texts: impl Iterator<Item = &'t str>) -> Vec<Told> {
    match &life.seen {
        Some([state, ..]) if !life.is_texted => vec![Told::by_state(state)],
        _ => texts.map(Told::of).collect(),
    }
}

fn wrong_at_any_time(books: Books, life: &Life, decided: Decided, granted_to_a_stranger: u32) -> Vec<&'static str> {
    let Books { debits, grants, refunds } = books;
    // Another price than the package's pays for nothing, unless a person has it granted all the same.
    let paid = debits > 0 && (!life.dear || decided.grant);
    let wrong = [
        debits > 1,
        grants > 1,
        grants > 0 && !paid,
        grants > 0 && refunds > 0 && !decided.both,
        life.broken.contains(&TWO_ANSWERS),
        granted_to_a_stranger > 0 || life.broken.contains(&REFUSED_AND_TAKEN),
    ];
    AT_ANY_TIME.into_iter().zip(wrong).filter(|(_, wrong)| *wrong).map(|(name, _)| name).collect()
}

fn wrong_in_the_end(
    books: Books,
    life: &Life,
    decided: Decided,
    told: &[Told],
    journalled: &Journalled<'_>,
) -> Vec<&'static str> {
    let Books { debits, grants, refunds } = books;
    // A person has it, with the evidence: it may be owed, and the phone may still wait.
    let review = journalled.open.is_some_and(|open| open.review.is_some());
    let last: Vec<Told> = told.iter().copied().filter(|told| told.is_last()).collect();
    let both = decided.both && (debits, grants, refunds) == (1, 1, 1);
    let fits = |told: &Told| match told {
        // One after the other, as two people wanted it.
        Told::Done | Told::Refunded if both => true,
        Told::Done => (debits, grants, refunds) == (1, 1, 0),
        Told::Refunded => (debits, grants, refunds) == (1, 0, 1),
        Told::NotCharged => (debits, grants) == (0, 0),
        Told::Offer | Told::PayAt | Told::Wait | Told::Nonsense => false,
    };
    let silent = !review && last.is_empty();
    let asked_in_vain = life.door.is_app() || life.debit.is_some();
    let wrong = [
        !review && debits > refunds && grants == 0,
        silent && (life.code_acknowledged || (life.request_acknowledged && told.is_empty())),
        journalled.open.is_some() && !review,
        !last.iter().all(fits) || told.contains(&Told::Nonsense),
        silent && (debits > 0 || grants > 0) || asked_in_vain && !life.request_acknowledged,
        journalled.entries.len() > 1,
        !is_seen_as_it_stands(life, journalled.entries) || life.broken.contains(&SEEN_OTHERWISE),
        review && life.debit.is_some() && journalled.entries.iter().all(|entry| entry.evidence != life.debit),
    ];
    IN_THE_END.into_iter().zip(wrong).filter(|(_, wrong)| *wrong).map(|(name, _)| name).collect()
}

/// Whoever came in by HTTP finds its own purchase in the journal, and the app reads it as it stands there.
fn is_seen_as_it_stands(life: &Life, entries: &[Entry]) -> bool {
    let Some(id) = &life.purchase else { return true };
    let entry = entries.iter().find(|entry| entry.id == *id);
    entry.is_some_and(|entry| !life.door.is_app() || life.seen.as_ref() == Some(&entry.stands))
}
