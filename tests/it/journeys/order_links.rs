//! Orders of the content service's app that are paid at the bank's page: the link and its picture, the payment, and every way
//! it may not come to one.

use crate::stores::{Store, both_stores, free_port};
use crate::world::{APP, AppClient, BANK, Books, LOOKS, Plan, Process, World, bank_order, cancels_at, pays_at};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use paygate::sandbox::faults::Fault;
use paygate::sandbox::pay123::Endpoint::CreateOrder;
use reqwest::StatusCode;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::sleep;

fn with_bank(store: Store) -> Plan {
    World::of(store).set(APP).set(BANK)
}

fn link(answer: &Value) -> String {
    answer["paymentUrl"].as_str().expect("a link").to_owned()
}

/// What an independent scanner reads in the PNG.
fn scanned(answer: &Value) -> String {
    let file = STANDARD.decode(answer["qr"]["png"].as_str().unwrap()).unwrap();
    let mut reader = png::Decoder::new(std::io::Cursor::new(file)).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let frame = reader.next_frame(&mut pixels).unwrap();
    let side = frame.width as usize;
    let grey = |x: usize, y: usize| if pixels[y * frame.line_size + x / 8] >> (7 - x % 8) & 1 == 1 { 255 } else { 0 };
    let mut picture = rqrr::PreparedImage::prepare_from_greyscale(side, side, grey);
    picture.detect_grids()[0].decode().unwrap().1
}

async fn answered_on(app: &AppClient, key: &str) -> (StatusCode, Value) {
    loop {
        let answer = app.orders(key, &bank_order()).await;
        if answer.status.is_success() {
            return (answer.status, answer.json);
        }
        assert!(answer.retry_after, "{answer:?}");
        sleep(Duration::from_millis(20)).await;
    }
}

both_stores! {
    async fn an_app_shows_the_link_its_customer_pays_and_the_stream_shows_it_to_the_end(store: Store) {
        let world = with_bank(store).start().await;
        let app = world.app();
        let answer = app.orders("k-1", &bank_order()).await;
        assert_eq!((answer.status, &answer.json["state"]), (StatusCode::CREATED, &json!("awaiting_user")), "{answer:?}");
        assert_eq!(scanned(&answer.json), link(&answer.json));
        assert!(answer.json["qr"]["svg"].as_str().unwrap().contains("<svg"));
        let id = answer.json["purchaseId"].as_str().unwrap();
        let mut events = app.follows(id, None).await.unwrap();
        assert_eq!(events.next().await.unwrap().data["state"], "awaiting_user");
        pays_at(&link(&answer.json)).await;
        let states = events.states().await;
        assert_eq!(states.last().map(String::as_str), Some("done"), "{states:?}");
        let stands = app.shows(id).await.json;
        assert_eq!(["paid", "granted"].map(|key| stands[key].clone()), [json!("yes"), json!("yes")]);
        assert_eq!(app.orders("k-1", &bank_order()).await.text, answer.text, "to the last byte, though it is done");
        let charge = &world.purchases().await[0].charges[0];
        assert!(charge.request.contains("https%3A%2F%2Fapp.example%2Fdone%3Fcart%3D4711"), "{}", charge.request);
        assert_eq!((charge.msisdn, world.smsc.texts_to("84854689520").len()), (None, 0), "nobody's phone is known");
        world.ends(&["done"], Books::BOUGHT).await;
    }

    async fn a_customer_whose_phone_is_known_is_texted_the_same_link(store: Store) {
        let world = with_bank(store).start().await;
        let mut order = bank_order();
        order["msisdn"] = json!("+84854689520");
        let answer = world.app().orders("k-1", &order).await;
        let phone = world.phone("0854689520");
        assert_eq!(phone.reads_link().await, link(&answer.json));
        pays_at(&link(&answer.json)).await;
        phone.reads_done().await;
        world.ends(&["done"], Books::BOUGHT).await;
    }

    async fn what_the_customer_cancels_at_the_bank_is_declined_and_says_why(store: Store) {
        let world = with_bank(store).start().await;
        let app = world.app();
        let answer = app.orders("k-1", &bank_order()).await;
        let id = answer.json["purchaseId"].as_str().unwrap();
        let mut events = app.follows(id, None).await.unwrap();
        cancels_at(&link(&answer.json)).await;
        let mut last = Value::Null;
        while let Some(event) = events.next().await {
            last = event.data;
        }
        assert_eq!((&last["state"], &last["paid"]), (&json!("declined"), &json!("no")));
        assert_eq!(last["decline"], json!({ "reason": "cancelled", "advice": 1 }));
        world.ends(&["declined"], Books::NOTHING).await;
    }

    async fn an_order_that_the_bank_refuses_has_no_link_and_says_why(store: Store) {
        let world = with_bank(store).start().await;
        world.pay123_faults(CreateOrder, Fault::Refuse { status: 200, code: "6212".to_owned() }, 1);
        let answer = world.app().orders("k-1", &bank_order()).await;
        assert_eq!((answer.status, &answer.json["state"]), (StatusCode::CREATED, &json!("declined")), "{answer:?}");
        assert_eq!((&answer.json["paymentUrl"], &answer.json["qr"]), (&Value::Null, &Value::Null));
        assert_eq!(answer.json["decline"], json!({ "reason": "limit", "advice": 2 }));
        world.ends(&["declined"], Books::NOTHING).await;
    }

    /// The page stands at the bank and its address is lost: nobody can be shown it, and the app is told in the end.
    async fn an_order_whose_link_is_lost_ends_unpaid_and_its_key_says_so(store: Store) {
        let quick = "charging.bank = { timeout = \"500ms\", send_within = \"500ms\" }";
        let world = with_bank(store).set(quick).start().await;
        world.pay123_faults(CreateOrder, Fault::Lost, 1);
        let (_, answer) = answered_on(&world.app(), "k-1").await;
        assert_eq!((&answer["state"], &answer["paymentUrl"]), (&json!("declined"), &Value::Null));
        assert_eq!(world.pay123.orders_in_all(), 1);
        world.ends(&["declined"], Books::NOTHING).await;
    }

    async fn a_kill_between_the_link_and_the_payment_loses_neither(store: Store) {
        let listen = format!("127.0.0.1:{}", free_port());
        let world = with_bank(store).set(&format!("http.listen = {listen:?}")).neighbours().await;
        world.pay123.notify(&format!("http://{listen}/notify/bank"));
        let app = AppClient::new(&format!("http://{listen}"), "app-secret");
        let first = Process::start(&world).await;
        let answer = app.orders("k-1", &bank_order()).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
        first.kill(&world).await;
        pays_at(&link(&answer.json)).await;
        let second = Process::start(&world).await;
        assert_eq!(app.orders("k-1", &bank_order()).await.text, answer.text);
        let id = answer.json["purchaseId"].as_str().unwrap();
        let mut events = app.follows(id, None).await.unwrap();
        let states = events.states().await;
        assert_eq!(states.last().map(String::as_str), Some("done"), "{states:?}");
        assert_eq!(app.orders("k-1", &bank_order()).await.text, answer.text);
        second.stop().await;
        world.ends_though_killed(&["done"], Books::BOUGHT).await;
    }
}

#[tokio::test]
async fn one_key_at_two_instances_at_once_is_one_order_at_the_bank() {
    let mut world = with_bank(Store::postgres().await).set(LOOKS).with_redis().start().await;
    world.start_daemon().await;
    let (one, two) = (world.app_at(0), world.app_at(1));
    for round in 1..=5 {
        let key = format!("k-{round}");
        let (first, second) = tokio::join!(answered_on(&one, &key), answered_on(&two, &key));
        assert_eq!(first.1, second.1);
        let created = [first.0, second.0].iter().filter(|status| **status == StatusCode::CREATED).count();
        assert_eq!((created, world.pay123.orders_in_all()), (1, round));
    }
    world.ends(&["awaiting_user"; 5], Books::NOTHING).await;
}
