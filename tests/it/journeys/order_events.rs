//! An order's events as an app follows them: the present first, every change once, across instances, breaks and restarts.

use crate::stores::{Store, both_stores};
use crate::world::{APP, AppClient, Books, Event, LOOKS, Plan, World, order};
use reqwest::StatusCode;
use serde_json::{Value, json};

fn with_app(store: Store) -> Plan {
    World::of(store).set(APP)
}

/// Orders, and gives the purchase's id.
async fn ordered(app: &AppClient, key: &str) -> String {
    let answer = app.orders(key, &order()).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
    answer.json["purchaseId"].as_str().unwrap().to_owned()
}

/// The changes that the journal has, from this version on.
async fn changes(world: &World, id: &str, after: i64) -> Vec<(i64, String)> {
    let events = world.journal().await.story(id).await.unwrap().unwrap().events;
    let changed = events.into_iter().filter(|row| row.seq > after && (row.state_from != row.state_to || row.seq == 1));
    changed.map(|row| (row.seq, row.state_to)).collect()
}

fn told(event: &Event) -> (i64, String) {
    (event.id, event.data["state"].as_str().unwrap().to_owned())
}

both_stores! {
    async fn the_present_state_comes_first_and_then_each_change_to_the_end(store: Store) {
        let world = with_app(store).start().await;
        let (app, phone) = (world.app(), world.phone("0854689520"));
        let id = ordered(&app, "k-1").await;
        let mut events = app.follows(&id, None).await.unwrap();
        let first = events.next().await.unwrap();
        assert_eq!((&first.data["state"], &first.data["paid"]), (&json!("offered"), &json!("no")));
        let code = phone.reads_offer().await;
        phone.texts(&code).await;
        phone.reads_done().await;
        let mut heard = vec![];
        let mut last = Value::Null;
        while let Some(event) = events.next().await {
            heard.push(told(&event));
            last = event.data;
        }
        assert_eq!(heard, changes(&world, &id, first.id).await);
        let result = ["state", "paid", "granted", "purchaseId"].map(|key| last[key].clone());
        assert_eq!(result, [json!("done"), json!("yes"), json!("yes"), json!(id)], "the end is told whole");
        assert_eq!(app.follows(&id, None).await.unwrap().states().await, ["done"], "whoever comes late is told the end");
        world.ends(&["done"], Books::BOUGHT).await;
    }

    async fn a_stream_that_broke_goes_on_behind_the_last_event_that_was_heard(store: Store) {
        let mut world = with_app(store).start().await;
        let id = ordered(&world.app(), "k-1").await;
        let first = world.app().follows(&id, None).await.unwrap().next().await.unwrap();
        let code = world.phone("0854689520").reads_offer().await;
        world.stop_daemons().await;
        world.start_daemon().await;
        world.phone("0854689520").texts(&code).await;
        world.phone("0854689520").reads_done().await;
        let (app, mut heard) = (world.app(), Vec::new());
        let mut events = app.follows(&id, Some(first.id)).await.unwrap();
        while let Some(event) = events.next().await {
            heard.push(told(&event));
        }
        assert_eq!(heard, changes(&world, &id, first.id).await);
        let over = app.follows(&id, heard.last().map(|(version, _)| *version)).await;
        assert_eq!(over.err(), Some(StatusCode::NO_CONTENT), "an EventSource must not ask for ever");
        world.ends(&["done"], Books::BOUGHT).await;
    }

    async fn a_stop_ends_the_streams_that_are_open(store: Store) {
        let mut world = with_app(store).start().await;
        let id = ordered(&world.app(), "k-1").await;
        let mut events = world.app().follows(&id, None).await.unwrap();
        assert_eq!(events.next().await.unwrap().data["state"], "offered");
        world.phone("0854689520").reads_offer().await;
        world.stop_daemons().await;
        assert!(events.next().await.is_none());
        world.ends(&["offered"], Books::NOTHING).await;
    }
}

#[tokio::test]
async fn steps_that_another_instance_takes_are_followed_too() {
    let mut world = with_app(Store::postgres().await).set(LOOKS).start().await;
    let id = ordered(&world.app(), "k-1").await;
    let code = world.phone("0854689520").reads_offer().await;
    world.start_daemon().await;
    let follower = world.app_at(1);
    let mut events = follower.follows(&id, None).await.unwrap();
    let first = events.next().await.unwrap();
    // Only the first instance takes messages by HTTP here; the link of either may take the code.
    world.phone("0854689520").texts(&code).await;
    world.phone("0854689520").reads_done().await;
    let mut heard = Vec::new();
    while let Some(event) = events.next().await {
        heard.push(told(&event));
    }
    assert_eq!(heard, changes(&world, &id, first.id).await);
    world.ends(&["done"], Books::BOUGHT).await;
}

#[tokio::test]
async fn streams_are_bounded_live_in_silence_and_are_the_apps_own() {
    let plan = with_app(Store::sqlite()).set("app.web.events_max = 2\napp.other.token = \"other\"");
    let world = plan.start().await;
    let app = world.app();
    let id = ordered(&app, "k-1").await;
    world.phone("0854689520").reads_offer().await;
    let mut one = app.follows(&id, None).await.unwrap();
    let two = app.follows(&id, None).await.unwrap();
    assert_eq!(app.follows(&id, None).await.err(), Some(StatusCode::TOO_MANY_REQUESTS));
    drop(two);
    let end = tokio::time::Instant::now() + crate::world::PATIENCE;
    while app.follows(&id, None).await.is_err() {
        assert!(tokio::time::Instant::now() < end, "a place is free again once a stream has ended");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    one.next().await.unwrap();
    one.hears_a_comment().await;
    let other = AppClient::new(&world.door(""), "other");
    assert_eq!(other.follows(&id, None).await.err(), Some(StatusCode::NOT_FOUND));
    assert_eq!(other.shows(&id).await.status, StatusCode::NOT_FOUND);
    drop(one);
    world.ends(&["offered"], Books::NOTHING).await;
}
