//! Orders of the content service's app on a channel that charges a phone: the code by text, the answer to each key, and what is
//! refused. What concerns payment pages stands beside.

use crate::stores::{Store, both_stores, free_port};
use crate::world::{APP, AppClient, Books, LOOKS, Plan, Process, World, order, order_with};
use paygate::sandbox::faults::Fault;
use paygate::sandbox::packages::Endpoint::CheckUser;
use reqwest::StatusCode;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::sleep;

fn with_app(store: Store) -> Plan {
    World::of(store).set(APP)
}

/// Asks again until the answer is there; says how it was refused before.
async fn orders_on(app: &AppClient, key: &str, body: &Value) -> (Vec<StatusCode>, String) {
    let mut refused = Vec::new();
    loop {
        let answer = app.orders(key, body).await;
        if answer.status.is_success() {
            return (refused, answer.text);
        }
        assert!(answer.retry_after, "{answer:?}");
        refused.push(answer.status);
        sleep(Duration::from_millis(20)).await;
    }
}

both_stores! {
    async fn an_app_orders_and_its_customer_confirms_by_the_code_that_was_texted(store: Store) {
        let world = with_app(store).start().await;
        let (app, phone) = (world.app(), world.phone("0854689520"));
        let answer = app.orders("k-1", &order()).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
        let id = answer.json["purchaseId"].as_str().unwrap().to_owned();
        assert_eq!((&answer.json["state"], &answer.json["paymentUrl"]), (&json!("offered"), &Value::Null));
        assert!(answer.json["expiresAt"].as_str().unwrap().ends_with('Z'), "{answer:?}");
        let code = phone.reads_offer().await;
        phone.texts(&code).await;
        phone.reads_done().await;
        let stands = app.shows(&id).await.json;
        let told = ["state", "paid", "granted", "amount", "currency"].map(|key| stands[key].clone());
        assert_eq!(told, [json!("done"), json!("yes"), json!("yes"), json!(10_000), json!("VND")]);
        let story = world.journal().await.story(&id).await.unwrap().unwrap();
        assert_eq!((story.purchase.order.door.as_str(), story.messages[0].link.as_str()), ("app", "web"));
        let granted: Value = serde_json::from_str(&story.grants[0].request).unwrap();
        for (name, value) in [("platform", "app"), ("dtId", "thudo"), ("deviceId", "ios-7"), ("payPartner", "viettel")] {
            assert_eq!(granted[name], value, "the app's own context goes with the grant");
        }
        world.ends(&["done"], Books::BOUGHT).await;
    }

    async fn the_same_key_hears_the_same_to_the_last_byte_and_begins_nothing(store: Store) {
        let mut world = with_app(store).start().await;
        let phone = world.phone("0854689520");
        let first = world.app().orders("k-1", &order()).await;
        let again = world.app().orders("\"k-1\"", &order()).await;
        assert_eq!((first.status, again.status), (StatusCode::CREATED, StatusCode::OK));
        assert_eq!(again.text, first.text, "quoted or not, a key is the same");
        let code = phone.reads_offer().await;
        phone.texts(&code).await;
        phone.reads_done().await;
        let spelled = format!(" {{\"unknown\": 1, {}", &order().to_string()[1..]);
        assert_eq!(world.app().posts(Some("k-1"), spelled).await.text, first.text, "though it is done by now");
        world.stop_daemons().await;
        world.start_daemon().await;
        assert_eq!(world.app().orders("k-1", &order()).await.text, first.text, "after a restart");
        let other = world.app().orders("k-1", &order_with(json!({ "deviceId": "ios-8" }))).await;
        assert_eq!((other.status, &other.json["code"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("KEY_REUSED")));
        world.ends(&["done"], Books::BOUGHT).await;
    }

    async fn an_order_that_takes_longer_than_it_may_wait_is_answered_under_the_same_key_later(store: Store) {
        let world = with_app(store).set("app.web.wait = \"1s\"").start().await;
        world.package_faults(CheckUser, Fault::Slow { ms: 4_000 }, 1);
        let app = world.app();
        let first = app.orders("k-1", &order()).await;
        assert_eq!((first.status, &first.json["code"]), (StatusCode::SERVICE_UNAVAILABLE, &json!("NOT_YET")));
        let (refused, text) = orders_on(&app, "k-1", &order()).await;
        assert!(first.retry_after && refused.contains(&StatusCode::CONFLICT), "under way: {refused:?}");
        let answer: Value = serde_json::from_str(&text).unwrap();
        assert_eq!((&answer["state"], &answer["purchaseId"]), (&json!("offered"), &first.json["purchaseId"]));
        world.phone("0854689520").reads_offer().await;
        world.ends(&["offered"], Books::NOTHING).await;
    }

    async fn what_cannot_be_bought_is_an_order_that_ended_and_says_why(store: Store) {
        use paygate::sandbox::packages::accounts::NOBODY;
        let world = with_app(store).start().await;
        let answer = world.app().orders("k-1", &order_with(json!({ "account": NOBODY }))).await;
        assert_eq!((answer.status, &answer.json["state"]), (StatusCode::CREATED, &json!("refused")));
        assert_eq!(answer.json["decline"], json!({ "reason": "no_account", "advice": 4 }));
        world.phone("0854689520").reads("").await;
        world.ends(&["refused"], Books::NOTHING).await;
    }

    async fn where_no_code_is_asked_for_an_order_buys_by_itself_and_nobody_need_be_texted(store: Store) {
        let world = with_app(store).set("purchase.otp = \"none\"\napp.quiet.token = \"quiet\"").start().await;
        let quiet = AppClient::new(&world.door(""), "quiet");
        let answer = quiet.orders("k-1", &order()).await;
        assert_eq!((answer.status, &answer.json["state"]), (StatusCode::CREATED, &json!("done")), "{answer:?}");
        assert_eq!(world.smsc.texts_to("84854689520").len(), 0);
        world.ends(&["done"], Books::BOUGHT).await;
    }

    async fn orders_are_no_way_around_the_codes_that_an_hour_allows(store: Store) {
        let world = with_app(store).set("purchase.otp_hourly = 2").start().await;
        let (app, phone) = (world.app(), world.phone("0854689520"));
        for key in ["k-1", "k-2"] {
            assert_eq!(app.orders(key, &order()).await.status, StatusCode::CREATED);
            phone.reads_offer().await;
        }
        let third = app.orders("k-3", &order()).await;
        assert_eq!((third.status, &third.json["code"]), (StatusCode::TOO_MANY_REQUESTS, &json!("TOO_MANY_CODES")));
        world.ends(&["offered", "offered"], Books::NOTHING).await;
    }

    async fn a_kill_between_the_answer_and_the_code_leaves_the_order_as_it_was_told(store: Store) {
        let listen = format!("127.0.0.1:{}", free_port());
        let world = with_app(store).set(&format!("http.listen = {listen:?}")).neighbours().await;
        let (app, phone) = (AppClient::new(&format!("http://{listen}"), "app-secret"), world.phone("0854689520"));
        let first = Process::start(&world).await;
        let answer = app.orders("k-1", &order()).await;
        assert_eq!(answer.status, StatusCode::CREATED);
        let code = phone.reads_offer().await;
        first.kill(&world).await;
        let second = Process::start(&world).await;
        assert_eq!(app.orders("k-1", &order()).await.text, answer.text);
        let id = answer.json["purchaseId"].as_str().unwrap();
        assert_eq!(app.shows(id).await.json["state"], "offered");
        phone.texts(&code).await;
        // A text that was just leaving when the daemon was killed comes twice.
        while !phone.reads_on().await.starts_with("Thanh cong") {}
        assert_eq!(app.shows(id).await.json["state"], "done");
        assert_eq!(app.orders("k-1", &order()).await.text, answer.text);
        second.stop().await;
        world.ends_though_killed(&["done"], Books::BOUGHT).await;
    }
}

#[tokio::test]
async fn an_order_is_known_again_where_redis_has_forgotten_it_and_no_further_code_may_be_sent() {
    let world = with_app(Store::sqlite()).set("purchase.otp_hourly = 1").with_redis().start().await;
    let app = world.app();
    let first = app.orders("k-1", &order()).await;
    assert_eq!(first.status, StatusCode::CREATED, "{first:?}");
    world.phone("0854689520").reads_offer().await;
    assert_eq!(app.orders("k-2", &order()).await.json["code"], "TOO_MANY_CODES");
    world.redis.as_ref().unwrap().command(&["FLUSHALL"]).await;
    let again = app.orders("k-1", &order()).await;
    assert_eq!((again.status, again.text), (StatusCode::OK, first.text));
    world.ends(&["offered"], Books::NOTHING).await;
}

#[tokio::test]
async fn everything_that_is_missing_or_wrong_is_named_at_once() {
    let world = with_app(Store::sqlite()).set("app.mute.token = \"mute\"").start().await;
    let app = world.app();
    let context = json!({
        "platform": null, "dtId": null, "type": "", "deviceType": null, "deviceId": null, "payType": null,
        "payPartner": null, "account": null,
    });
    let answer = app.orders("k-1", &order_with(context)).await;
    assert_eq!((answer.status, &answer.json["code"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("MISSING_PARAMETER")));
    let all = ["account", "platform", "dtId", "type", "deviceType", "deviceId", "payType", "payPartner"];
    assert_eq!(answer.json["missing"], json!(all));
    let wrong = json!({
        "channel": "momo", "account": "a085468952", "msisdn": "12", "service": "V I P", "returnUrl": "javascript:alert(1)",
    });
    let answer = app.orders("k-1", &order_with(wrong)).await;
    let faults = answer.json["faults"].as_array().unwrap();
    let named: Vec<&str> = faults.iter().map(|fault| fault["parameter"].as_str().unwrap()).collect();
    assert_eq!(
        (answer.status, named),
        (StatusCode::UNPROCESSABLE_ENTITY, vec!["service", "account", "channel", "returnUrl", "msisdn"],)
    );
    let no_phone = app.orders("k-1", &order_with(json!({ "msisdn": null }))).await;
    assert_eq!(
        (no_phone.status, &no_phone.json["faults"][0]["parameter"]),
        (StatusCode::UNPROCESSABLE_ENTITY, &json!("msisdn"),)
    );
    let mute = AppClient::new(&world.door(""), "mute").orders("k-1", &order()).await;
    assert_eq!(
        (mute.status, &mute.json["faults"][0]["parameter"]),
        (StatusCode::UNPROCESSABLE_ENTITY, &json!("channel"),)
    );
    assert_eq!(app.posts(None, order().to_string()).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(app.posts(Some("a,b"), order().to_string()).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(app.posts(Some("k-1"), "[]".to_owned()).await.status, StatusCode::BAD_REQUEST);
    let stranger = AppClient::new(&world.door(""), "app-secreT").orders("k-1", &order()).await;
    assert_eq!(stranger.status, StatusCode::UNAUTHORIZED);
    world.ends(&[], Books::NOTHING).await;
}

#[tokio::test]
async fn an_app_that_asks_too_fast_is_told_so() {
    let world = with_app(Store::sqlite()).set("app.web.rate = 2").start().await;
    let mut told = Vec::new();
    for _ in 0..20 {
        told.push(world.app().shows("0123456789abcdef").await.status);
    }
    assert!(told.contains(&StatusCode::TOO_MANY_REQUESTS) && told.contains(&StatusCode::NOT_FOUND), "{told:?}");
    world.ends(&[], Books::NOTHING).await;
}

/// Two instances on one PostgreSQL and one Redis, or without one: the journal's key alone decides.
#[tokio::test]
async fn one_key_at_two_instances_at_once_is_one_purchase() {
    for redis in [true, false] {
        let plan = with_app(Store::postgres().await).set(LOOKS);
        let mut world = if redis { plan.with_redis() } else { plan }.start().await;
        world.start_daemon().await;
        let apps = [world.app_at(0), world.app_at(1)];
        for round in 0..5 {
            let account = json!({ "account": format!("085468952{round}"), "msisdn": format!("085468952{round}") });
            let (key, body) = (format!("k-{round}"), order_with(account));
            let (one, two) = tokio::join!(orders_on(&apps[0], &key, &body), orders_on(&apps[1], &key, &body));
            assert_eq!(one.1, two.1, "both are told of one purchase");
            world.phone(&format!("085468952{round}")).reads_offer().await;
        }
        world.ends(&["offered"; 5], Books::NOTHING).await;
    }
}
