//! What a commit writes, and what it leaves alone.

use super::samples::{T, attempt, attempt_row, event, first, later, message, part, purchase, reply, step};
use crate::stores::both_stores;
use paygate::journal::rows::{Committed, MessageRow, PurchaseRow, ReplyStatus, ReplyUpdate, Unit};
use paygate::purchase::money::{Currency, Money};
use paygate::purchase::record::{AttemptStatus, Purchase, ReviewReason, State};

/// A purchase whose charge stands as given, one step after `before`.
fn charged(before: &Purchase, key: &str, status: AttemptStatus) -> Unit {
    let mut after = step(before, State::Charging);
    after.charge = Some(attempt(key, status));
    let charge = Some(attempt_row(&after, attempt(key, status)));
    Unit { charge, ..later(&after) }
}

fn after(unit: &Unit) -> Purchase {
    unit.purchase.as_ref().expect("the unit has a purchase").purchase.clone()
}

both_stores! {
    async fn a_step_is_read_back_as_it_was_written(store: Store) {
        let journal = store.open().await;
        let unit = first("p1");
        assert_eq!(journal.commit(vec![unit.clone()]).await.unwrap(), [Committed::Durable]);
        let story = journal.story("p1").await.unwrap().unwrap();
        assert_eq!(story.purchase, after(&unit));
        assert_eq!(story.events, unit.events);
        assert_eq!(story.messages, [unit.message.unwrap()]);
        assert_eq!(story.replies, [(unit.replies[0].clone(), "queued".to_owned())]);
    }

    async fn a_redelivered_message_writes_nothing(store: Store) {
        let journal = store.open().await;
        journal.commit(vec![first("p1")]).await.unwrap();
        let mut again = first("p2");
        again.message = Some(message("m-p1", None));
        assert_eq!(journal.commit(vec![again]).await.unwrap(), [Committed::Duplicate]);
        assert!(journal.story("p2").await.unwrap().is_none());
    }

    async fn of_two_equal_messages_in_a_batch_the_first_is_kept(store: Store) {
        let journal = store.open().await;
        let mut again = first("p2");
        again.message = Some(message("m-p1", None));
        let outcomes = journal.commit(vec![first("p1"), again, first("p3")]).await.unwrap();
        assert_eq!(outcomes, [Committed::Durable, Committed::Duplicate, Committed::Durable]);
        assert!(journal.story("p2").await.unwrap().is_none());
    }

    async fn an_honest_repetition_is_a_generation_of_its_own(store: Store) {
        let journal = store.open().await;
        journal.commit(vec![first("p1")]).await.unwrap();
        let mut later = first("p2");
        later.message = Some(MessageRow { generation: 1, ..message("m-p1", None) });
        assert_eq!(journal.commit(vec![later]).await.unwrap(), [Committed::Durable]);
    }

    async fn a_key_with_a_nul_is_stored_and_recognised(store: Store) {
        let journal = store.open().await;
        let mut unit = first("p1");
        unit.message = Some(message("peer:a\0b", None));
        assert_eq!(journal.commit(vec![unit.clone()]).await.unwrap(), [Committed::Durable]);
        assert_eq!(journal.commit(vec![unit]).await.unwrap(), [Committed::Duplicate]);
    }

    async fn a_stale_step_leaves_nothing_behind(store: Store) {
        let journal = store.open().await;
        journal.commit(vec![first("p1")]).await.unwrap();
        let one = step(&purchase("p1"), State::Offered);
        journal.commit(vec![later(&one)]).await.unwrap();
        let mut other = later(&step(&purchase("p1"), State::Cancelled));
        other.message = Some(message("m-other", None));
        other.replies = vec![reply("r-other", None)];
        other.part = Some(part("set", 1, 1, T));
        assert_eq!(journal.commit(vec![other, first("p2")]).await.unwrap(), [Committed::Stale, Committed::Durable]);
        assert_eq!(journal.story("p1").await.unwrap().unwrap().purchase.state, State::Offered);
        assert!(journal.seen(&["m-other".to_owned()]).await.unwrap().is_empty());
        assert!(journal.parts(&["set".to_owned()]).await.unwrap().is_empty());
        assert_eq!(journal.backlog().await.unwrap().replies_owed, 2);
    }

    async fn a_message_is_fresh_again_when_the_unit_that_held_it_is_stale(store: Store) {
        let journal = store.open().await;
        journal.commit(vec![first("p1")]).await.unwrap();
        let mut stale = first("p1");
        stale.message = Some(message("m", None));
        let mut same_message = first("p2");
        same_message.message = Some(message("m", None));
        let outcomes = journal.commit(vec![stale, same_message]).await.unwrap();
        assert_eq!(outcomes, [Committed::Stale, Committed::Durable]);
    }

    async fn a_step_of_a_purchase_that_is_not_there_is_stale(store: Store) {
        let journal = store.open().await;
        let orphan = later(&step(&purchase("p1"), State::Offered));
        assert_eq!(journal.commit(vec![orphan]).await.unwrap(), [Committed::Stale]);
        assert!(journal.purchases(&["p1".to_owned()]).await.unwrap().is_empty());
    }

    async fn a_purchase_takes_one_step_in_a_batch(store: Store) {
        let journal = store.open().await;
        let second = later(&step(&purchase("p1"), State::Offered));
        let outcomes = journal.commit(vec![first("p1"), second]).await.unwrap();
        assert_eq!(outcomes, [Committed::Durable, Committed::Refused]);
        assert_eq!(journal.purchases(&["p1".to_owned()]).await.unwrap()[0].version, 1);
    }

    async fn one_refused_unit_does_not_hurt_its_batch(store: Store) {
        let journal = store.open().await;
        let mut units: Vec<Unit> = (0..21).map(|n| first(&format!("p{n}"))).collect();
        // The same event twice is what a fault above would look like.
        let twice = units[13].events[0].clone();
        units[13].events.push(twice);
        let outcomes = journal.commit(units).await.unwrap();
        for (at, outcome) in outcomes.iter().enumerate() {
            assert_eq!(*outcome, if at == 13 { Committed::Refused } else { Committed::Durable }, "unit {at}");
        }
        assert!(journal.story("p13").await.unwrap().is_none());
        assert_eq!(journal.story("p20").await.unwrap().unwrap().replies.len(), 1);
    }

    async fn a_batch_of_any_size_is_committed_whole(store: Store) {
        let journal = store.open().await;
        for size in [0, 1, 127, 128, 129, 300] {
            let units: Vec<Unit> = (0..size).map(|n| first(&format!("p{size}-{n}"))).collect();
            let ids: Vec<String> = units.iter().map(|unit| after(unit).id).collect();
            assert_eq!(journal.commit(units).await.unwrap(), vec![Committed::Durable; size]);
            assert_eq!(journal.purchases(&ids).await.unwrap().len(), size);
        }
    }

    async fn a_second_live_charge_is_refused_and_one_after_a_failed_charge_is_not(store: Store) {
        let journal = store.open().await;
        journal.commit(vec![first("p1")]).await.unwrap();
        let one = charged(&purchase("p1"), "p1-c1", AttemptStatus::Unknown);
        assert_eq!(journal.commit(vec![one.clone()]).await.unwrap(), [Committed::Durable]);
        let second = charged(&after(&one), "p1-c2", AttemptStatus::Intended);
        assert_eq!(journal.commit(vec![second]).await.unwrap(), [Committed::Refused]);
        let failed = charged(&after(&one), "p1-c1", AttemptStatus::Failed);
        assert_eq!(journal.commit(vec![failed.clone()]).await.unwrap(), [Committed::Durable]);
        let second = charged(&after(&failed), "p1-c2", AttemptStatus::Intended);
        assert_eq!(journal.commit(vec![second]).await.unwrap(), [Committed::Durable]);
        let charges = journal.story("p1").await.unwrap().unwrap().charges;
        let keys: Vec<&str> = charges.iter().map(|charge| charge.attempt.key.as_str()).collect();
        assert_eq!(keys, ["p1-c1", "p1-c2"]);
    }

    async fn a_charge_key_is_never_used_for_another_purchase_or_amount(store: Store) {
        let journal = store.open().await;
        journal.commit(vec![first("p1"), first("p2")]).await.unwrap();
        let one = charged(&purchase("p1"), "p1-c1", AttemptStatus::Unknown);
        journal.commit(vec![one.clone()]).await.unwrap();
        let other = charged(&purchase("p2"), "p1-c1", AttemptStatus::Failed);
        assert_eq!(journal.commit(vec![other]).await.unwrap(), [Committed::Refused]);
        let mut dearer = charged(&after(&one), "p1-c1", AttemptStatus::Succeeded);
        dearer.charge.as_mut().unwrap().attempt.amount = Money::new(20_000, Currency::VND);
        assert_eq!(journal.commit(vec![dearer]).await.unwrap(), [Committed::Refused]);
        let kept = journal.story("p1").await.unwrap().unwrap();
        assert_eq!(kept.charges[0].attempt, attempt("p1-c1", AttemptStatus::Unknown));
        assert_eq!(kept.purchase.version, 2);
    }

    async fn the_request_of_the_intent_outlives_later_updates(store: Store) {
        let journal = store.open().await;
        journal.commit(vec![first("p1")]).await.unwrap();
        let one = charged(&purchase("p1"), "p1-c1", AttemptStatus::Intended);
        journal.commit(vec![one.clone()]).await.unwrap();
        let mut paid = charged(&after(&one), "p1-c1", AttemptStatus::Succeeded);
        let row = paid.charge.as_mut().unwrap();
        (row.request, row.fingerprint) = (String::new(), String::new());
        row.attempt.peer_reference = Some("PAY-1".to_owned());
        journal.commit(vec![paid]).await.unwrap();
        let charge = journal.story("p1").await.unwrap().unwrap().charges.remove(0);
        assert_eq!(charge.request, r#"{"amount":10000}"#);
        assert_eq!(charge.fingerprint.len(), 64);
        assert_eq!(charge.attempt.status, AttemptStatus::Succeeded);
        assert_eq!(charge.attempt.peer_reference.as_deref(), Some("PAY-1"));
    }

    async fn a_refund_never_exceeds_its_charge(store: Store) {
        let journal = store.open().await;
        journal.commit(vec![first("p1")]).await.unwrap();
        let paid = charged(&purchase("p1"), "p1-c1", AttemptStatus::Succeeded);
        journal.commit(vec![paid.clone()]).await.unwrap();
        let refund = |amount: i64| {
            let mut row = attempt_row(&purchase("p1"), attempt("p1-r1", AttemptStatus::Intended));
            row.attempt.amount = Money::new(amount, Currency::VND);
            Unit { refund: Some(row), ..later(&step(&after(&paid), State::Refunding)) }
        };
        assert_eq!(journal.commit(vec![refund(10_001)]).await.unwrap(), [Committed::Refused]);
        assert_eq!(journal.commit(vec![refund(0)]).await.unwrap(), [Committed::Refused]);
        assert_eq!(journal.commit(vec![refund(10_000)]).await.unwrap(), [Committed::Durable]);
    }

    async fn a_refund_without_a_charge_is_refused(store: Store) {
        let journal = store.open().await;
        journal.commit(vec![first("p1")]).await.unwrap();
        let row = attempt_row(&purchase("p1"), attempt("p1-r1", AttemptStatus::Intended));
        let unit = Unit { refund: Some(row), ..later(&step(&purchase("p1"), State::Refunding)) };
        assert_eq!(journal.commit(vec![unit]).await.unwrap(), [Committed::Refused]);
    }

    async fn nothing_open_is_stored_without_a_time_to_look_at_it(store: Store) {
        let journal = store.open().await;
        let mut forgotten = first("p1");
        forgotten.purchase.as_mut().unwrap().purchase.due_at = None;
        assert_eq!(journal.commit(vec![forgotten]).await.unwrap(), [Committed::Refused]);
    }

    async fn review_and_its_reason_come_together(store: Store) {
        let journal = store.open().await;
        let review = |state, review| {
            let purchase = Purchase { state, review, ..purchase("p1") };
            Unit { purchase: Some(PurchaseRow { purchase, seen: 0 }), ..Unit::default() }
        };
        let reason = Some(ReviewReason::Mismatch);
        assert_eq!(journal.commit(vec![review(State::Review, None)]).await.unwrap(), [Committed::Refused]);
        assert_eq!(journal.commit(vec![review(State::Offered, reason)]).await.unwrap(), [Committed::Refused]);
        assert_eq!(journal.commit(vec![review(State::Review, reason)]).await.unwrap(), [Committed::Durable]);
    }

    async fn events_are_never_changed_or_deleted(store: Store) {
        let journal = store.open().await;
        journal.commit(vec![first("p1")]).await.unwrap();
        let update = store.execute("UPDATE event SET kind = 'other'").await.unwrap_err().to_string();
        assert!(update.contains("append-only"), "{update}");
        let delete = store.execute("DELETE FROM event").await.unwrap_err().to_string();
        assert!(delete.contains("append-only"), "{delete}");
        assert_eq!(journal.story("p1").await.unwrap().unwrap().events, [event(&purchase("p1"))]);
    }

    async fn every_state_of_the_core_can_be_stored(store: Store) {
        let journal = store.open().await;
        let unit = |state: State| {
            let mut purchase = Purchase { state, ..purchase(state.as_str()) };
            purchase.review = (state == State::Review).then_some(ReviewReason::LateCharge);
            Unit { purchase: Some(PurchaseRow { purchase, seen: 0 }), ..Unit::default() }
        };
        let outcomes = journal.commit(State::ALL.map(unit).to_vec()).await.unwrap();
        assert_eq!(outcomes, [Committed::Durable; 16]);
    }

    async fn a_reply_keeps_its_id_and_is_found_by_it(store: Store) {
        let journal = store.open().await;
        journal.commit(vec![first("p1")]).await.unwrap();
        let update = |status, message_id: Option<&str>| Unit {
            reply_update: Some(ReplyUpdate {
                key: "p1-1".to_owned(),
                at: T,
                status,
                message_id: message_id.map(str::to_owned),
                due_at: None,
            }),
            ..Unit::default()
        };
        journal.commit(vec![update(ReplyStatus::Sent, Some("a1b2")), update(ReplyStatus::Unknown, None)]).await.unwrap();
        assert_eq!(journal.reply_by_message_id("viettel", "a1b2").await.unwrap().as_deref(), Some("p1-1"));
        assert_eq!(journal.reply_by_message_id("mobifone", "a1b2").await.unwrap(), None);
        journal.commit(vec![update(ReplyStatus::Delivered, None)]).await.unwrap();
        let replies = journal.story("p1").await.unwrap().unwrap().replies;
        assert_eq!(replies[0].1, "delivered");
        assert_eq!(journal.reply_by_message_id("viettel", "a1b2").await.unwrap().as_deref(), Some("p1-1"));
        assert_eq!(journal.backlog().await.unwrap().replies_owed, 0);
    }

    async fn a_reply_is_updated_by_its_key_whether_it_belongs_to_a_purchase_or_not(store: Store) {
        let journal = store.open().await;
        let (offer, second) = (reply("p1-1-0", Some(&purchase("p1"))), reply("p1-1-1", Some(&purchase("p1"))));
        let (help, marked) = (reply("m-help-0", None), reply("peer:a-b-0", None));
        let keys: Vec<String> = [&offer, &second, &help, &marked].map(|reply| reply.key.clone()).to_vec();
        let unit = Unit { replies: vec![offer, second, help, marked], ..first("p1") };
        journal.commit(vec![unit]).await.unwrap();
        for (left, key) in (0..4).rev().zip(keys) {
            let update = ReplyUpdate { key, at: T, status: ReplyStatus::Sent, message_id: None, due_at: None };
            journal.commit(vec![Unit { reply_update: Some(update), ..Unit::default() }]).await.unwrap();
            assert_eq!(journal.backlog().await.unwrap().replies_owed, left);
        }
    }

    async fn the_same_text_is_never_owed_twice(store: Store) {
        let journal = store.open().await;
        let help = || Unit { replies: vec![reply("m-help-0", None)], ..Unit::default() };
        assert_eq!(journal.commit(vec![first("p1"), help()]).await.unwrap(), [Committed::Durable; 2]);
        let mut again = later(&step(&purchase("p1"), State::Offered));
        again.replies = first("p1").replies;
        assert_eq!(journal.commit(vec![again, help()]).await.unwrap(), [Committed::Refused; 2]);
    }

    async fn a_row_of_a_purchase_that_the_unit_does_not_write_is_refused(store: Store) {
        let journal = store.open().await;
        journal.commit(vec![first("p1")]).await.unwrap();
        let charge = attempt_row(&purchase("p1"), attempt("p1-c1", AttemptStatus::Intended));
        let orphans = [
            Unit { events: vec![event(&step(&purchase("p1"), State::Offered))], ..Unit::default() },
            Unit { charge: Some(charge), ..Unit::default() },
            Unit { replies: vec![reply("p1-2-0", Some(&purchase("p1")))], ..Unit::default() },
        ];
        assert_eq!(journal.commit(orphans.to_vec()).await.unwrap(), [Committed::Refused; 3]);
    }

    async fn a_redelivered_part_writes_nothing(store: Store) {
        let journal = store.open().await;
        let unit = |number| Unit { part: Some(part("set", 1, number, T)), ..Unit::default() };
        let outcomes = journal.commit(vec![unit(1), unit(1), unit(2)]).await.unwrap();
        assert_eq!(outcomes, [Committed::Durable, Committed::Duplicate, Committed::Durable]);
        assert_eq!(journal.commit(vec![unit(1)]).await.unwrap(), [Committed::Duplicate]);
    }

    async fn a_commit_is_finished_though_its_caller_went_away(store: Store) {
        let journal = store.open().await;
        let commit = tokio::spawn({
            let journal = journal.clone();
            async move { journal.commit((0..200).map(|n| first(&format!("p{n}"))).collect()).await }
        });
        tokio::task::yield_now().await;
        commit.abort();
        let _ = commit.await;
        // The next commit waits for the one before; all or nothing of that one stands by then.
        journal.commit(vec![first("last")]).await.unwrap();
        let ids: Vec<String> = (0..200).map(|n| format!("p{n}")).collect();
        let found = journal.purchases(&ids).await.unwrap().len();
        assert!(found == 0 || found == 200, "{found} of 200");
    }
}
