//! Who gets what is due: one of many, for as long as the lease lasts.

use super::samples::{T, first, later, purchase, reply, step};
use crate::stores::both_stores;
use paygate::journal::Journal;
use paygate::journal::rows::{Committed, PurchaseRow, Unit};
use paygate::purchase::record::{Purchase, State};
use std::collections::HashSet;
use std::time::Duration;

const LEASE: Duration = Duration::from_secs(30);
const LEASE_MICROS: i64 = 30_000_000;

fn due(id: &str, due_at: i64) -> Unit {
    let purchase = Purchase { due_at: Some(due_at), ..purchase(id) };
    Unit { purchase: Some(PurchaseRow { purchase, seen: 0 }), ..Unit::default() }
}

fn ids(purchases: &[Purchase]) -> Vec<&str> {
    let mut ids: Vec<&str> = purchases.iter().map(|purchase| purchase.id.as_str()).collect();
    ids.sort_unstable();
    ids
}

/// A second daemon on the same store. A SQLite file has only one, which then asks twice as often.
async fn second(store: &crate::stores::Store, journal: &Journal) -> Journal {
    if store.is_postgres() { store.open().await } else { journal.clone() }
}

both_stores! {
    async fn what_is_due_is_claimed_once_and_again_when_the_lease_is_over(store: Store) {
        let journal = store.open().await;
        journal.commit(vec![due("early", T), due("late", T + 2)]).await.unwrap();
        let claimed = journal.claim_due(T + 1, LEASE, 10).await.unwrap();
        assert_eq!(ids(&claimed), ["early"]);
        assert_eq!((claimed[0].version, claimed[0].due_at), (2, Some(T + 1 + LEASE_MICROS)));
        assert!(journal.claim_due(T + 1, LEASE, 10).await.unwrap().is_empty());
        let again = journal.claim_due(T + 1 + LEASE_MICROS, LEASE, 10).await.unwrap();
        assert_eq!(ids(&again), ["early", "late"]);
        assert_eq!(again.iter().map(|purchase| purchase.version).max(), Some(3));
    }

    async fn the_longest_overdue_are_taken_first_and_no_more_than_asked_for(store: Store) {
        let journal = store.open().await;
        journal.commit(vec![due("c", T + 3), due("a", T + 1), due("b", T + 2)]).await.unwrap();
        assert_eq!(ids(&journal.claim_due(T + 9, LEASE, 2).await.unwrap()), ["a", "b"]);
        assert_eq!(ids(&journal.claim_due(T + 9, LEASE, 2).await.unwrap()), ["c"]);
    }

    async fn a_claim_makes_the_version_before_it_stale(store: Store) {
        let journal = store.open().await;
        journal.commit(vec![first("p1")]).await.unwrap();
        let claimed = journal.claim_due(T + 1, LEASE, 1).await.unwrap().remove(0);
        let slow = later(&step(&purchase("p1"), State::Expired));
        assert_eq!(journal.commit(vec![slow]).await.unwrap(), [Committed::Stale]);
        let owner = later(&step(&claimed, State::Offered));
        assert_eq!(journal.commit(vec![owner]).await.unwrap(), [Committed::Durable]);
        assert_eq!(journal.purchases(&["p1".to_owned()]).await.unwrap()[0].version, 3);
    }

    async fn what_has_ended_is_never_due(store: Store) {
        let journal = store.open().await;
        journal.commit(vec![first("p1")]).await.unwrap();
        journal.commit(vec![later(&step(&purchase("p1"), State::Done))]).await.unwrap();
        assert!(journal.claim_due(i64::MAX, LEASE, 10).await.unwrap().is_empty());
    }

    async fn eight_workers_on_two_journals_never_claim_one_purchase_twice(store: Store) {
        let journal = store.open().await;
        let other = second(&store, &journal).await;
        for block in 0..8 {
            let units = (0..250).map(|n| due(&format!("p{block}-{n}"), T)).collect();
            journal.commit(units).await.unwrap();
        }
        let workers = (0..8).map(|worker| {
            let journal = if worker % 2 == 0 { journal.clone() } else { other.clone() };
            tokio::spawn(async move {
                let mut mine = Vec::new();
                loop {
                    let claimed = journal.claim_due(T, LEASE, 10).await.unwrap();
                    assert!(claimed.len() <= 10);
                    if claimed.is_empty() {
                        return mine;
                    }
                    mine.extend(claimed.into_iter().map(|purchase| purchase.id));
                }
            })
        });
        let mut claimed = Vec::new();
        for worker in workers.collect::<Vec<_>>() {
            claimed.extend(worker.await.unwrap());
        }
        // SKIP LOCKED may show a worker nothing while others still hold rows; what is left is claimed now.
        loop {
            let rest = journal.claim_due(T, LEASE, 1000).await.unwrap();
            if rest.is_empty() {
                break;
            }
            claimed.extend(rest.into_iter().map(|purchase| purchase.id));
        }
        assert_eq!(claimed.len(), 2000);
        assert_eq!(claimed.iter().collect::<HashSet<_>>().len(), 2000);
    }

    async fn of_two_steps_from_one_version_one_stands(store: Store) {
        let journal = store.open().await;
        let other = second(&store, &journal).await;
        let mut current = purchase("p1");
        journal.commit(vec![first("p1")]).await.unwrap();
        for _ in 0..50 {
            let next = step(&current, State::Offered);
            let (one, two) = tokio::join!(journal.commit(vec![later(&next)]), other.commit(vec![later(&next)]));
            let mut outcomes = [one.unwrap()[0], two.unwrap()[0]];
            outcomes.sort_unstable_by_key(|outcome| *outcome == Committed::Stale);
            assert_eq!(outcomes, [Committed::Durable, Committed::Stale]);
            current = next;
        }
        assert_eq!(journal.story("p1").await.unwrap().unwrap().events.len(), 51);
    }

    async fn batches_of_the_same_rows_in_other_orders_do_not_block_each_other(store: Store) {
        let journal = store.open().await;
        let other = second(&store, &journal).await;
        for round in 0..10 {
            let forth: Vec<Unit> = (0..100).map(|n| first(&format!("p{round}-{n}"))).collect();
            let back: Vec<Unit> = forth.iter().rev().cloned().collect();
            let (one, two) = tokio::join!(journal.commit(forth), other.commit(back));
            let durable = |outcomes: Vec<Committed>| outcomes.into_iter().filter(|o| *o == Committed::Durable).count();
            assert_eq!(durable(one.unwrap()) + durable(two.unwrap()), 100);
        }
    }

    async fn a_reply_is_claimed_by_its_own_link_with_its_count_of_sends(store: Store) {
        let journal = store.open().await;
        let owed = reply("r1", None);
        let mut elsewhere = reply("r2", None);
        elsewhere.link = "mobifone".to_owned();
        journal.commit(vec![Unit { replies: vec![owed.clone(), elsewhere], ..Unit::default() }]).await.unwrap();
        let links = ["viettel".to_owned(), "vinaphone".to_owned()];
        let claimed = journal.claim_replies(T, LEASE, &links, 10).await.unwrap();
        assert_eq!(claimed.len(), 1);
        assert_eq!((claimed[0].row.key.as_str(), claimed[0].sends), ("r1", 0));
        assert_eq!(claimed[0].row.text, owed.text);
        assert!(journal.claim_replies(T, LEASE, &links, 10).await.unwrap().is_empty());
        let again = journal.claim_replies(T + LEASE_MICROS, LEASE, &links, 10).await.unwrap();
        assert_eq!(again[0].sends, 1);
        assert!(journal.claim_replies(T, LEASE, &[], 10).await.unwrap().is_empty());
    }
}
