//! What is found again, by whom it is asked for.

use super::samples::{T, attempt, attempt_row, first, later, message, msisdn, part, purchase, reply, step};
use crate::stores::both_stores;
use paygate::journal::rows::{Backlog, Filter, Listed, MessageFilter, PurchaseRow, Search, Unit};
use paygate::purchase::money::{Currency, Money};
use paygate::purchase::offer::{Asks, Offer};
use paygate::purchase::record::{AttemptStatus, Purchase, ReviewReason, State};

fn new(purchase: Purchase) -> Unit {
    Unit { purchase: Some(PurchaseRow { purchase, seen: 0 }), ..Unit::default() }
}

fn all() -> Filter {
    Filter { limit: 100, ..Filter::default() }
}

fn ids(listed: &[Listed]) -> Vec<&str> {
    listed.iter().map(|line| line.purchase.id.as_str()).collect()
}

fn paid(id: &str) -> Unit {
    let mut after = step(&purchase(id), State::Done);
    let mut charge = attempt(&format!("{id}-c1"), AttemptStatus::Succeeded);
    charge.peer_reference = Some(format!("PAY-{id}"));
    let mut grant = attempt(id, AttemptStatus::Succeeded);
    grant.peer_reference = Some(format!("GRANT-{id}"));
    after.offer = Some(Offer {
        package_name: "Gói VIP".to_owned(),
        price: Money::new(10_000, Currency::VND),
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
    });
    (after.charge, after.grant) = (Some(charge.clone()), Some(grant.clone()));
    let (charge, grant) = (attempt_row(&after, charge), attempt_row(&after, grant));
    Unit { charge: Some(charge), grant: Some(grant), ..later(&after) }
}

both_stores! {
    async fn a_subscriber_has_the_open_and_the_recent_newest_first(store: Store) {
        let journal = store.open().await;
        let end = |id: &str, at: i64| Purchase { state: State::Done, due_at: None, updated_at: at, created_at: at, ..purchase(id) };
        let open = Purchase { created_at: T - 5, updated_at: T - 5, ..purchase("open") };
        let mut foreign = purchase("foreign");
        foreign.order.msisdn = Some(msisdn("+84854689521"));
        journal.commit([end("old", T - 9), end("recent", T), open, foreign].map(new).to_vec()).await.unwrap();
        let found = journal.purchases_of(&[msisdn("+84854689520")], T - 1).await.unwrap();
        assert_eq!(found.iter().map(|purchase| purchase.id.as_str()).collect::<Vec<_>>(), ["recent", "open"]);
        let both = journal.purchases_of(&["+84854689520", "+84854689521", "+84854689520"].map(msisdn), T + 1).await.unwrap();
        assert_eq!(both.iter().map(|purchase| purchase.id.as_str()).collect::<Vec<_>>(), ["foreign", "open"]);
        assert!(journal.purchases_of(&[], T).await.unwrap().is_empty());
    }

    async fn a_subscriber_with_many_purchases_gets_the_newest_twenty(store: Store) {
        let journal = store.open().await;
        let units = (0..30).map(|n| new(Purchase { created_at: T + n, ..purchase(&format!("p{n:02}")) })).collect();
        journal.commit(units).await.unwrap();
        let found = journal.purchases_of(&[msisdn("+84854689520")], T).await.unwrap();
        assert_eq!((found.len(), found[0].id.as_str(), found[19].id.as_str()), (20, "p29", "p10"));
    }

    async fn the_newest_generation_of_a_message_is_seen(store: Store) {
        let journal = store.open().await;
        let row = |generation| {
            let mut row = message("m", Some(&purchase(&format!("p{generation}"))));
            (row.generation, row.at) = (generation, T + generation);
            Unit { message: Some(row), ..Unit::default() }
        };
        journal.commit(vec![row(0), row(2), row(1)]).await.unwrap();
        let seen = journal.seen(&["m".to_owned(), "unheard".to_owned()]).await.unwrap();
        assert_eq!(seen.len(), 1);
        assert_eq!((seen[0].generation, seen[0].at, seen[0].purchase_id.as_deref()), (2, T + 2, Some("p2")));
    }

    async fn parts_of_the_newest_generation_are_found_done_or_not(store: Store) {
        let journal = store.open().await;
        let unit = |generation, number| Unit { part: Some(part("set", generation, number, T)), ..Unit::default() };
        journal.commit(vec![unit(1, 1), unit(2, 1), unit(2, 2)]).await.unwrap();
        let done = Unit { parts_done: Some(("set".to_owned(), 2)), ..Unit::default() };
        journal.commit(vec![done]).await.unwrap();
        let held = journal.parts(&["set".to_owned()]).await.unwrap();
        let found: Vec<_> = held.iter().map(|held| (held.row.generation, held.row.number, held.done)).collect();
        assert_eq!(found, [(2, 1, true), (2, 2, true)]);
        assert_eq!(held[0].row, part("set", 2, 1, T));
    }

    async fn overdue_parts_come_as_whole_sets_oldest_first(store: Store) {
        let journal = store.open().await;
        let unit = |set, number, at| Unit { part: Some(part(set, 1, number, at)), ..Unit::default() };
        journal.commit(vec![unit("b", 1, T), unit("b", 2, T + 9), unit("a", 1, T + 1), unit("new", 1, T + 5)]).await.unwrap();
        let overdue = journal.overdue_parts(T + 5, 10).await.unwrap();
        assert_eq!(overdue, [part("a", 1, 1, T + 1), part("b", 1, 1, T), part("b", 1, 2, T + 9)]);
        assert_eq!(journal.overdue_parts(T + 5, 1).await.unwrap().len(), 2, "the set whose first part is oldest");
        let done = Unit { parts_done: Some(("b".to_owned(), 1)), ..Unit::default() };
        journal.commit(vec![done]).await.unwrap();
        assert_eq!(journal.overdue_parts(T + 5, 10).await.unwrap(), [part("a", 1, 1, T + 1)]);
    }

    async fn a_list_is_filtered_and_newest_first(store: Store) {
        let journal = store.open().await;
        let mut review = Purchase { state: State::Review, created_at: T + 2, ..purchase("review") };
        review.review = Some(ReviewReason::Mismatch);
        let mut bank = Purchase { created_at: T + 1, ..purchase("bank") };
        bank.order.channel = "bank".to_owned();
        journal.commit(vec![new(purchase("p1")), new(bank), new(review)]).await.unwrap();
        assert_eq!(ids(&journal.list(&all()).await.unwrap()), ["review", "bank", "p1"]);
        assert_eq!(ids(&journal.list(&Filter { limit: 1, ..all() }).await.unwrap()), ["review"]);
        let state = Filter { state: Some("review".to_owned()), ..all() };
        assert_eq!(ids(&journal.list(&state).await.unwrap()), ["review"]);
        let channel = Filter { channel: Some("bank".to_owned()), ..all() };
        assert_eq!(ids(&journal.list(&channel).await.unwrap()), ["bank"]);
        let time = Filter { since: Some(T + 1), until: Some(T + 2), ..all() };
        assert_eq!(ids(&journal.list(&time).await.unwrap()), ["bank"]);
    }

    async fn a_purchase_is_found_by_number_account_id_key_and_reference(store: Store) {
        let journal = store.open().await;
        let mut other = first("p2");
        let order = &mut other.purchase.as_mut().unwrap().purchase.order;
        (order.msisdn, order.account) = (Some(msisdn("+84999999999")), "Đặng.An".to_owned());
        journal.commit(vec![first("p1"), other]).await.unwrap();
        journal.commit(vec![paid("p1")]).await.unwrap();
        for (words, expected) in [
            ("+84854689520", "p1"),
            ("p1", "p1"),
            ("0854689520", "p1"),
            ("đẶng.AN", "p2"),
            ("PAY-p1", "p1"),
            ("GRANT-p1", "p1"),
            ("p1-c1", "p1"),
        ] {
            let found = journal.list(&Filter { search: Some(Search::exactly(words)), ..all() }).await.unwrap();
            assert_eq!(ids(&found), [expected], "{words}");
        }
        let nothing = journal.list(&Filter { search: Some(Search::exactly("%")), ..all() }).await.unwrap();
        assert!(nothing.is_empty());
    }

    async fn a_listed_purchase_has_its_charges_and_its_grant(store: Store) {
        let journal = store.open().await;
        journal.commit(vec![first("p1"), first("p2")]).await.unwrap();
        journal.commit(vec![paid("p1")]).await.unwrap();
        let listed = journal.list(&all()).await.unwrap();
        let line = |id: &str| listed.iter().find(|line| line.purchase.id == id).unwrap();
        assert_eq!(line("p1").charges, [paid("p1").charge.unwrap()]);
        assert_eq!(line("p1").grant_id.as_deref(), Some("GRANT-p1"));
        assert_eq!((line("p2").charges.len(), line("p2").grant_id.as_deref()), (0, None));
        let story = journal.story("p1").await.unwrap().unwrap();
        assert_eq!((story.charges, story.grants), (vec![paid("p1").charge.unwrap()], vec![paid("p1").grant.unwrap()]));
        assert_eq!(story.events.len(), 2);
    }

    async fn messages_are_found_by_verdict_and_its_first_word(store: Store) {
        let journal = store.open().await;
        let row = |key: &str, verdict: &str, at| {
            let mut row = message(key, None);
            (row.verdict, row.at) = (verdict.to_owned(), at);
            Unit { message: Some(row), ..Unit::default() }
        };
        let units = vec![row("a", "unreadable", T), row("b", "invalid:account", T + 1), row("c", "invalidated", T + 2)];
        journal.commit(units).await.unwrap();
        let find = async |verdict: Option<&str>| {
            let filter = MessageFilter { verdict: verdict.map(str::to_owned), limit: 10, ..MessageFilter::default() };
            let found = journal.messages(&filter).await.unwrap();
            found.into_iter().map(|message| message.key).collect::<Vec<_>>()
        };
        assert_eq!(find(None).await, ["c", "b", "a"]);
        assert_eq!(find(Some("unreadable")).await, ["a"]);
        assert_eq!(find(Some("invalid")).await, ["b"]);
        assert_eq!(find(Some("invalid:account")).await, ["b"]);
    }

    async fn the_backlog_counts_what_is_open_unknown_in_review_and_owed(store: Store) {
        let journal = store.open().await;
        assert_eq!(journal.backlog().await.unwrap(), Backlog::default());
        let unknown = |id: &str, at| Purchase { state: State::ChargeUnknown, created_at: at, ..purchase(id) };
        let mut review = Purchase { state: State::Review, ..purchase("review") };
        review.review = Some(ReviewReason::ChargeUnknown);
        // A refused purchase whose charge may still come to light is looked at again, but is not open.
        let questionable = Purchase { state: State::Declined, ..purchase("end") };
        let mut units: Vec<Unit> =
            [unknown("u1", T + 1), unknown("u2", T), review, questionable, purchase("p1")].map(new).to_vec();
        units[0].replies.push(reply("r1", None));
        journal.commit(units).await.unwrap();
        let expected = Backlog { open: 4, unknown: 3, oldest_unknown: Some(T), review: 1, replies_owed: 1, acts: 0 };
        assert_eq!(journal.backlog().await.unwrap(), expected);
    }

    async fn a_setting_is_set_once_and_all_get_the_winners(store: Store) {
        let journal = store.open().await;
        assert_eq!(journal.setting("code_key").await.unwrap(), None);
        let (one, two) = tokio::join!(journal.set_setting_once("code_key", "a"), journal.set_setting_once("code_key", "b"));
        let (one, two) = (one.unwrap(), two.unwrap());
        assert_eq!(one, two);
        assert_eq!(journal.set_setting_once("code_key", "c").await.unwrap(), one);
        assert_eq!(journal.setting("code_key").await.unwrap(), Some(one));
    }

    async fn the_databases_clock_is_in_microseconds(store: Store) {
        let now = store.open().await.now().await.unwrap();
        let year_2026 = 1_767_225_600_000_000..1_798_761_600_000_000_i64 * 2;
        assert!(year_2026.contains(&now), "{now}");
    }
}
