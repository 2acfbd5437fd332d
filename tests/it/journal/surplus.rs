//! The same package charged twice to one subscriber in a short time: found in the commit, told of once.

use super::samples::{T, attempt, attempt_row, event, later, msisdn, purchase, step};
use crate::stores::both_stores;
use paygate::journal::Journal;
use paygate::journal::rows::{Committed, Filter, PurchaseRow, SurplusLook, Unit};
use paygate::purchase::money::{Currency, Money};
use paygate::purchase::offer::{Asks, Offer};
use paygate::purchase::record::{AttemptStatus, Purchase, State};

const MINUTE: i64 = 60_000_000;

fn offer(price: i64) -> Offer {
    Offer {
        package_name: "VIP".to_owned(),
        price: Money::new(price, Currency::VND),
        days: 30,
        asks: Asks::Yes,
        nonce: String::new(),
        digits: 6,
        answered: None,
        pay_url: None,
        expires_at: T,
        tries_left: 3,
        sends: 1,
        last_sent_at: T,
    }
}

/// A purchase and its paid successor, charged at `T` and so many minutes.
fn paid(id: &str, minutes: i64, change: impl FnOnce(&mut Purchase)) -> [Unit; 2] {
    let at = T + minutes * MINUTE;
    let mut asked = Purchase { created_at: at, updated_at: at, ..purchase(id) };
    asked.offer = Some(offer(10_000));
    change(&mut asked);
    let mut after = step(&asked, State::Granting);
    let price = asked.price().unwrap();
    let mut charge = attempt(&format!("{id}-c1"), AttemptStatus::Succeeded);
    (charge.intended_at, charge.amount) = (at, price);
    after.charge = Some(charge.clone());
    let charge = attempt_row(&after, charge);
    let asked = Unit {
        events: vec![event(&asked)],
        purchase: Some(PurchaseRow { purchase: asked, seen: 0 }),
        ..Unit::default()
    };
    [asked, Unit { charge: Some(charge), surplus: Some(look(at)), ..later(&after) }]
}

fn look(at: i64) -> SurplusLook {
    SurplusLook { at, charged_at: at, window: 10 * MINUTE, created_from: at - 70 * MINUTE }
}

async fn commit(journal: &Journal, units: [Unit; 2]) {
    for unit in units {
        assert_eq!(journal.commit(vec![unit]).await.unwrap(), [Committed::Durable]);
    }
}

async fn pairs(journal: &Journal) -> Vec<(String, String)> {
    let mut pairs: Vec<_> =
        journal.claim_surplus().await.unwrap().into_iter().map(|pair| (pair.first, pair.second)).collect();
    pairs.sort();
    pairs
}

both_stores! {
    async fn a_charge_that_is_proven_late_is_flagged_with_the_one_after_it(store: Store) {
        let journal = store.open().await;
        let [asked, late] = paid("late", 0, |_| {});
        journal.commit(vec![asked]).await.unwrap();
        commit(&journal, paid("next", 5, |_| {})).await;
        assert_eq!(pairs(&journal).await, []);
        journal.commit(vec![late]).await.unwrap();
        assert_eq!(pairs(&journal).await, [("late".to_owned(), "next".to_owned())]);
    }

    async fn a_second_charge_for_the_same_is_flagged_with_the_first_and_told_of_once(store: Store) {
        let journal = store.open().await;
        commit(&journal, paid("one", 0, |_| {})).await;
        assert_eq!(pairs(&journal).await, [], "one alone is no surplus");
        commit(&journal, paid("two", 9, |_| {})).await;
        let told = journal.claim_surplus().await.unwrap();
        assert_eq!((told.len(), told[0].channel.as_str(), told[0].msisdn), (1, "viettel", msisdn("+84854689520")));
        assert_eq!((told[0].first.as_str(), told[0].second.as_str()), ("one", "two"));
        assert_eq!(pairs(&journal).await, [], "it is told of once");
        for id in ["one", "two"] {
            assert_eq!(journal.story(id).await.unwrap().unwrap().surplus, told, "both show it");
        }
        let listed = journal.list(&Filter { surplus: true, limit: 10, ..Filter::default() }).await.unwrap();
        assert_eq!(listed.iter().map(|it| it.purchase.id.as_str()).collect::<Vec<_>>(), ["two", "one"]);
    }

    async fn another_subscriber_package_price_or_time_and_money_given_back_is_no_surplus(store: Store) {
        let journal = store.open().await;
        commit(&journal, paid("one", 0, |_| {})).await;
        commit(&journal, paid("later", 11, |_| {})).await;
        commit(&journal, paid("other", 1, |it| it.order.msisdn = Some(msisdn("+84854689521")))).await;
        commit(&journal, paid("nobody", 1, |it| it.order.msisdn = None)).await;
        commit(&journal, paid("nobody2", 1, |it| it.order.msisdn = None)).await;
        commit(&journal, paid("pack", 1, |it| it.order.package = "NAP7".to_owned())).await;
        commit(&journal, paid("price", 1, |it| it.offer = Some(offer(20_000)))).await;
        let [asked, mut refunded] = paid("back", 25, |_| {});
        let row = refunded.purchase.as_mut().unwrap();
        (row.purchase.state, row.purchase.due_at) = (State::Refunded, None);
        commit(&journal, [asked, refunded]).await;
        commit(&journal, paid("again", 26, |_| {})).await;
        assert_eq!(pairs(&journal).await, []);
    }

    async fn those_that_are_charged_in_one_commit_are_flagged_each_with_the_nearest(store: Store) {
        let journal = store.open().await;
        let units = [paid("a", 0, |_| {}), paid("b", 1, |_| {}), paid("c", 2, |_| {})];
        let (asked, charged): (Vec<_>, Vec<_>) = units.into_iter().map(|[asked, charged]| (asked, charged)).unzip();
        journal.commit(asked).await.unwrap();
        assert_eq!(journal.commit(charged).await.unwrap(), [Committed::Durable; 3]);
        let found = pairs(&journal).await;
        let pair = |first: &str, second: &str| (first.to_owned(), second.to_owned());
        assert_eq!(found, [pair("a", "b"), pair("b", "c")]);
    }
}
