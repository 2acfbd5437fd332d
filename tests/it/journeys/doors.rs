//! Purchases by the HTTP doors: an aggregator's `POST /mo` and Kannel's `GET /mo/kannel`.

use crate::stores::both_stores;
use crate::world::{Books, World};
use reqwest::{Client, StatusCode};
use serde_json::json;

/// An aggregator hands a message over; what it is told.
async fn post(world: &World, id: &str, from: &str, text: &str, token: &str) -> StatusCode {
    let body = json!({ "id": id, "from": from, "to": "9029", "text": text }).to_string();
    let request = Client::new().post(world.door("/mo")).header("content-type", "application/json").body(body);
    let request = if token.is_empty() { request } else { request.bearer_auth(token) };
    request.send().await.unwrap().status()
}

/// As Kannel's sms-service calls.
async fn get(world: &World, id: &str, from: &str, text: &str) -> (StatusCode, String) {
    let query = [("from", from), ("to", "9029"), ("text", text), ("id", id)];
    let answer = Client::new().get(world.door("/mo/kannel")).query(&query).send().await.unwrap();
    (answer.status(), answer.text().await.unwrap())
}

both_stores! {
    async fn an_aggregators_message_buys_and_its_id_twice_is_one_message(store: Store) {
        let world = World::of(store).start().await;
        let phone = world.phone("0854689520");
        assert_eq!(post(&world, "m-1", &phone.e164(), "ON VIP NAP1", "").await, StatusCode::ACCEPTED);
        assert_eq!(post(&world, "m-1", &phone.e164(), "ON VIP NAP1", "").await, StatusCode::OK);
        let code = phone.reads_offer().await;
        assert_eq!(post(&world, "m-2", &phone.e164(), &code, "").await, StatusCode::ACCEPTED);
        phone.reads_done().await;
        assert_eq!(post(&world, "m-2", &phone.e164(), &code, "").await, StatusCode::OK);
        assert_eq!(world.purchases().await[0].purchase.order.door, "http");
        world.ends(&["done"], Books::BOUGHT).await;
    }

    async fn kannels_message_buys_and_its_id_twice_is_one_message(store: Store) {
        let world = World::of(store).start().await;
        let phone = world.phone("0854689520");
        let taken = (StatusCode::OK, String::new());
        assert_eq!(get(&world, "k-1", &phone.e164(), "ON VIP NAP1").await, taken);
        assert_eq!(get(&world, "k-1", &phone.e164(), "ON VIP NAP1").await, taken);
        let code = phone.reads_offer().await;
        assert_eq!(get(&world, "k-2", &phone.e164(), &code).await, taken);
        phone.reads_done().await;
        world.ends(&["done"], Books::BOUGHT).await;
    }

    async fn one_id_by_two_doors_is_one_message_however_the_sender_is_spelled(store: Store) {
        let world = World::of(store).start().await;
        let phone = world.phone("0854689520");
        assert_eq!(post(&world, "m-1", &phone.e164(), "ON VIP NAP1", "").await, StatusCode::ACCEPTED);
        assert_eq!(get(&world, "m-1", phone.digits(), "ON VIP NAP1").await.0, StatusCode::OK);
        assert_eq!(post(&world, "m-1", "0854689520", "ON VIP NAP1", "").await, StatusCode::OK);
        phone.reads_offer().await;
        world.ends(&["offered"], Books::NOTHING).await;
    }

    async fn what_was_asked_by_one_door_is_confirmed_by_another(store: Store) {
        let world = World::of(store).start().await;
        let phone = world.phone("0854689520");
        assert_eq!(post(&world, "m-1", &phone.e164(), "ON VIP NAP1", "").await, StatusCode::ACCEPTED);
        let code = phone.reads_offer().await;
        phone.texts(&code).await;
        phone.reads_done().await;
        world.ends(&["done"], Books::BOUGHT).await;
    }

    async fn without_the_token_nothing_comes_in(store: Store) {
        let world = World::of(store).set("http.mo_token = \"hush\"").start().await;
        let phone = world.phone("0854689520");
        assert_eq!(post(&world, "m-1", &phone.e164(), "ON VIP NAP1", "").await, StatusCode::UNAUTHORIZED);
        assert_eq!(get(&world, "m-1", &phone.e164(), "ON VIP NAP1").await.0, StatusCode::UNAUTHORIZED);
        assert_eq!(post(&world, "m-1", &phone.e164(), "ON VIP NAP1", "hush").await, StatusCode::ACCEPTED);
        phone.reads_offer().await;
        world.ends(&["offered"], Books::NOTHING).await;
    }
}
