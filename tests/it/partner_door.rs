//! The partners' door over real sockets: who is let in, who is turned away, and that nobody learns why.

use crate::stores::Store;
use crate::world::{Books, World};
use paygate::config::Signature;
use paygate::sandbox::partner::{Heard, Partner, Sale, Settings, Trick};
use reqwest::Client;
use serde_json::{Value, json};

fn sale() -> Sale {
    Sale {
        msisdn: "+84854689520".to_owned(),
        account: None,
        service: "VIP".to_owned(),
        package: "NAP1".to_owned(),
        amount: 10_000,
        currency: "VND".to_owned(),
    }
}

fn check_user() -> Value {
    json!({ "requestId": "r-1", "msisdn": "+84854689520", "service": "VIP", "package": "NAP1" })
}

fn turned_away() -> Heard {
    Heard { status: 401, body: json!({ "status": "unauthorized" }) }
}

/// A world with this partner and no subscriber of it who is told.
async fn world(settings: Settings, keys: &str) -> World {
    World::of(Store::sqlite()).partner(|partner| *partner = settings).with_partner(keys).start().await
}

fn named(name: &str) -> Settings {
    Settings { name: name.to_owned(), ..Settings::default() }
}

/// What the metrics page says of a partner: call, outcome and count, where that is not 0.
async fn counted(world: &World, partner: &str) -> Vec<String> {
    let page = Client::new().get(world.door("/metrics")).send().await.unwrap().text().await.unwrap();
    let prefix = format!("paygate_partner_requests_total{{partner=\"{partner}\",");
    let lines = page.lines().filter_map(|line| line.strip_prefix(&prefix)).filter(|line| !line.ends_with(" 0"));
    let mut lines: Vec<String> = lines.map(str::to_owned).collect();
    lines.sort();
    lines
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everybody_who_is_not_believed_hears_the_same_and_only_the_operator_reads_why() {
    for (signature, name) in [(Signature::HmacSha256, "door-hmac"), (Signature::Sha1, "door-sha1")] {
        let world = world(Settings { signature, ..named(name) }, "").await;
        let (door, partner) = (world.door(""), &world.partner);
        let payment = partner.charges(&sale()).body();
        for (call, body) in [("check-user", check_user()), ("payments", payment.clone())] {
            for trick in [Trick::Forged, Trick::Unsigned, Trick::ClockOff(-330), Trick::ClockOff(330), Trick::Stranger]
            {
                assert_eq!(partner.sends(&door, call, &body, trick).await, turned_away(), "{call} {trick:?}");
            }
        }
        assert_eq!(world.purchases().await.len(), 0);
        for trick in [Trick::ClockOff(-270), Trick::ClockOff(270), Trick::None] {
            assert_eq!(partner.sends(&door, "check-user", &check_user(), trick).await.word(), "ok", "{trick:?}");
        }
        let expected = [
            r#"call="check_user",outcome="ok"} 3"#,
            r#"call="check_user",outcome="signature"} 2"#,
            r#"call="check_user",outcome="timestamp"} 2"#,
            r#"call="payments",outcome="signature"} 2"#,
            r#"call="payments",outcome="timestamp"} 2"#,
        ];
        assert_eq!(counted(&world, name).await, expected);
        assert_eq!(counted(&world, "stranger").await, [""; 0], "what a stranger calls itself is no label");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_is_changed_on_its_way_is_nobodys() {
    let world = world(named("door-changed"), "").await;
    let partner = Partner::new(Settings { secret: "hush".to_owned(), ..named("door-changed") });
    assert_eq!(partner.checks(&world.door(""), &sale()).await, turned_away(), "another secret");
    let signed = |body: &str, headers: &[(&str, &str)]| {
        let request = Client::new().post(world.door("/partner/v1/check-user")).body(body.to_owned());
        headers.iter().fold(request, |request, (name, value)| request.header(*name, *value)).send()
    };
    for headers in [
        &[] as &[(&str, &str)],
        &[("x-partner", "door-changed")],
        &[("x-partner", "door-changed"), ("x-timestamp", "0"), ("x-signature", "")],
        &[("x-partner", "door-changed"), ("x-timestamp", "soon"), ("x-signature", "00")],
    ] {
        let heard = signed(&check_user().to_string(), headers).await.unwrap();
        assert_eq!((heard.status().as_u16(), heard.json::<Value>().await.unwrap()), (401, turned_away().body));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_partner_calls_from_where_it_may_and_from_nowhere_else() {
    for (allow, expected) in
        [(r#"["10.0.0.0/8", "::1"]"#, "unauthorized"), (r#"["10.0.0.0/8", "127.0.0.1/32"]"#, "ok"), ("[]", "ok")]
    {
        let world = world(named("door-allow"), &format!("allow = {allow}")).await;
        assert_eq!(world.partner.checks(&world.door(""), &sale()).await.word(), expected, "{allow}");
    }
}

/// Twenty at once, one allowed: some are served, and some are not.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_asks_too_much_is_told_so_and_nobody_else_can_use_up_what_it_may() {
    let world = world(named("door-rate"), "rate = 1").await;
    let door = world.door("");
    let forged = (0..20).map(|_| world.partner.sends(&door, "check-user", &CHECK, Trick::Forged));
    for heard in futures_util::future::join_all(forged).await {
        assert_eq!(heard, turned_away());
    }
    let sale = sale();
    assert_eq!(world.partner.checks(&door, &sale).await.word(), "ok", "its rate is untouched");
    let many = futures_util::future::join_all((0..20).map(|_| world.partner.checks(&door, &sale))).await;
    let turned_away = many.iter().filter(|heard| heard.status == 429 && heard.word() == "too_many").count();
    assert!(turned_away > 0, "{many:?}");
    assert!(many.iter().all(|heard| matches!(heard.status, 200 | 429)), "{many:?}");
    assert_eq!(world.packages.requests().len(), 1 + 20 - turned_away, "who is turned away costs nobody a question");
}

static CHECK: std::sync::LazyLock<Value> = std::sync::LazyLock::new(check_user);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_read_is_told_with_all_its_faults_and_leads_nowhere() {
    let world = world(named("door-faults"), "").await;
    let (door, partner) = (world.door(""), &world.partner);
    for (call, body, faults) in [
        ("check-user", json!({}), 4),
        ("payments", json!({ "paymentId": "p", "msisdn": "1", "amount": 0, "chargedAt": "soon" }), 6),
        ("payments", json!([]), 1),
    ] {
        let heard = partner.sends(&door, call, &body, Trick::None).await;
        assert_eq!((heard.status, heard.word()), (422, "malformed"), "{heard:?}");
        assert_eq!(heard.body["faults"].as_array().unwrap().len(), faults, "{heard:?}");
    }
    let mut long = check_user();
    long["note"] = "x".repeat(70_000).into();
    let heard = partner.sends(&door, "check-user", &long, Trick::None).await;
    assert_eq!((heard.status, heard.word()), (413, "too_large"));
    assert_eq!(world.purchases().await.len(), 0);
    world.ends(&[], Books::NOTHING).await;
}

/// What was overheard is the same payment, and the same question.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_played_again_buys_nothing_more() {
    let world = world(named("door-replay"), "").await;
    let payment = world.partner.charges(&sale());
    let (timestamp, body) = (jiff::Timestamp::now().as_second().to_string(), payment.body().to_string());
    let signature = paygate::http::partner::hmac_sha256("secret", &timestamp, body.as_bytes());
    let mut words = Vec::new();
    for _ in 0..3 {
        let request = Client::new().post(world.door("/partner/v1/payments")).header("x-partner", "door-replay");
        let request = request.header("x-timestamp", &timestamp).header("x-signature", &signature).body(body.clone());
        let heard: Value = request.send().await.unwrap().json().await.unwrap();
        words.push(heard["status"].as_str().unwrap().to_owned());
    }
    assert_eq!(words, ["accepted", "already", "already"]);
    world.comes_to("done").await;
    world.ends(&["done"], Books::BOUGHT).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_a_post_is_a_call() {
    let world = world(named("door-get"), "").await;
    let heard = Client::new().get(world.door("/partner/v1/payments")).send().await.unwrap();
    assert_eq!(heard.status().as_u16(), 405);
}

/// SHA-1 parts no values: whoever has caught a payment can move its first letters from one value to the next.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_payment_that_is_caught_and_cut_anew_under_its_sum_buys_nothing_more() {
    let world = world(Settings { signature: Signature::Sha1, ..named("door-cut") }, "").await;
    let made = world.partner.charges(&sale()).body();
    let ts = jiff::Timestamp::now().as_second().to_string();
    let at = "2026-11-25T12:00:00Z";
    let id = made["paymentId"].as_str().unwrap();
    let values = [id, "", "+84854689520", "", "VIP", "NAP1", "10000", "VND", at];
    let sum = paygate::http::partner::sha1_of_values(&values.map(str::to_owned), &ts, "secret");
    let mut words = Vec::new();
    for cut in [id.len(), id.len() - 1, 1, id.len()] {
        let (payment, request) = id.split_at(cut);
        let body = json!({ "paymentId": payment, "requestId": request, "msisdn": "+84854689520", "service": "VIP",
            "package": "NAP1", "amount": 10_000, "currency": "VND", "chargedAt": at, "ts": ts, "checksum": sum });
        let request = Client::new().post(world.door("/partner/v1/payments")).header("x-partner", "door-cut");
        let heard: Value = request.body(body.to_string()).send().await.unwrap().json().await.unwrap();
        words.push(heard["status"].as_str().unwrap().to_owned());
    }
    assert_eq!(words, ["accepted", "conflict", "conflict", "already"]);
    world.comes_to("done").await;
    world.ends(&["done"], Books::BOUGHT).await;
}
