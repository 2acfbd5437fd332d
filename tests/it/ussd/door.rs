//! The HTTP door by itself: who may send, what is malformed, and that each is counted.

use crate::stores::Store;
use crate::world::{MENU, World};
use paygate::app::check;
use paygate::config::{Config, Environment};
use reqwest::{Client, StatusCode};

async fn posts(url: &str, body: &str) -> (StatusCode, String, String) {
    let form = "application/x-www-form-urlencoded";
    let response = Client::new().post(url).header("content-type", form).body(body.to_owned()).send().await.unwrap();
    let kind = response.headers().get("content-type").map_or("", |value| value.to_str().unwrap()).to_owned();
    (response.status(), kind, response.text().await.unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_malformed_step_is_refused_with_what_is_wrong_and_counted() {
    let world = World::of(Store::sqlite()).set(MENU).start().await;
    let door = world.door("/ussd/aggregator");
    let long = format!("sessionId=s&phoneNumber=84854689520&text={}", "1*".repeat(600));
    for (body, says) in [
        ("", "\"sessionId\" is missing, \"phoneNumber\" is missing, \"text\" is missing"),
        ("sessionId=s&phoneNumber=84854689520", "\"text\" is missing"),
        ("sessionId=&phoneNumber=84854689520&text=", "\"sessionId\" is empty"),
        ("sessionId=s%00&phoneNumber=84854689520&text=", "\"sessionId\" has a control character in it"),
        (&long, "\"text\" is longer than 1024 octets"),
        ("{\"sessionId\": \"s\"}", "\"sessionId\" is missing"),
        ("%ff%fe=%&&&==", "\"sessionId\" is missing"),
    ] {
        let (status, _, text) = posts(&door, body).await;
        let error = serde_json::from_str::<serde_json::Value>(&text).unwrap()["error"].as_str().unwrap().to_owned();
        assert_eq!(status, StatusCode::BAD_REQUEST, "{body:.80}");
        assert!(error.starts_with(says), "{body:.80}: {error}");
    }
    for from in ["hello", "%2B84", "0"] {
        let (status, kind, text) = posts(&door, &format!("sessionId=s&phoneNumber={from}&text=")).await;
        assert_eq!((status, kind.as_str()), (StatusCode::OK, "text/plain; charset=utf-8"));
        assert!(text.starts_with("END Khong nhan ra so dien thoai cua ban."), "{from}: {text}");
    }
    let body = format!("sessionId=s&phoneNumber=84854689520&text={}", "1".repeat(70_000));
    assert_eq!(posts(&door, &body).await.0, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(posts(&world.door("/ussd/nobody"), "text=").await.0, StatusCode::NOT_FOUND);
    assert!(super::counted(&world, "unknown_number").await >= 3);
    let page = reqwest::get(world.door("/metrics")).await.unwrap().text().await.unwrap();
    let refused = page
        .lines()
        .find_map(|line| line.strip_prefix("paygate_http_refused_total{status=\"400\"} ")?.parse::<u64>().ok());
    assert!(refused.is_some_and(|count| count >= 7), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_number_is_read_in_each_spelling_and_the_code_may_be_left_out() {
    let world = World::of(Store::sqlite()).set(MENU).start().await;
    for from in ["%2B84854689520", "+84854689520", "84854689520", "0854689520"] {
        let body = format!("sessionId=s-{}&phoneNumber={from}&text=&unknown=1", from.len());
        let (status, kind, text) = posts(&world.door("/ussd"), &body).await;
        assert_eq!((status, kind.as_str()), (StatusCode::OK, "text/plain; charset=utf-8"), "{from}");
        assert!(text.starts_with("CON Chon dich vu:"), "{from}: {text}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_is_asked_of_everybody_and_the_one_gateway_needs_no_name() {
    let settings = "[ussd.aggregator]\ntoken = \"hush\"\n[ussd.other]\nkind = \"http\"\nlink = \"viettel\"\n";
    let world = World::of(Store::sqlite()).set(MENU).set(settings).start().await;
    let begins = "sessionId=s&phoneNumber=84854689520&text=";
    for (path, status) in [
        ("/ussd/aggregator", StatusCode::UNAUTHORIZED),
        ("/ussd/aggregator?token=wrong", StatusCode::UNAUTHORIZED),
        ("/ussd/aggregator?token=hush", StatusCode::OK),
        ("/ussd/other", StatusCode::OK),
        ("/ussd", StatusCode::NOT_FOUND),
    ] {
        assert_eq!(posts(&world.door(path), begins).await.0, status, "{path}");
    }
    let bearer = Client::new().post(world.door("/ussd/aggregator")).bearer_auth("hush").body(begins);
    assert_eq!(bearer.send().await.unwrap().status(), StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_phones_under_one_session_id_are_two_dialogues() {
    let world = World::of(Store::sqlite()).set(MENU).start().await;
    let (_, first) = world.dials("0854689520", "s-1", &["1", "1"]).await;
    let (_, second) = world.dials("0854689521", "s-1", &[]).await;
    assert!(first.contains("Mua cho:") && second.starts_with("CON Chon dich vu:"), "{first} {second}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_check_names_the_menu_and_each_gateway_and_what_is_wrong_with_them() {
    let faulty = "menu.services = [\"VIP\", \"NHAC\"]\nmenu.screens.lost = \"Mất rồi\"\nmenu.screens.buzy = \"x\"";
    for (settings, faults) in [
        ("", ["", ""]),
        (faulty, ["menu.screens.buzy: there is no such text; did you mean busy?", "nothing is on sale of NHAC"]),
    ] {
        let world = World::of(Store::sqlite()).set(MENU).set(settings).neighbours().await;
        let config = Config::parse(&world.toml(), &Environment::new()).unwrap();
        let told = check(&config).await;
        let fault = |part: &str| {
            let told = told.iter().find(|told| told.part == part).unwrap_or_else(|| panic!("{part} is not named"));
            told.fault.clone().unwrap_or_default()
        };
        assert_eq!(fault("ussd aggregator"), "");
        for (part, says) in ["menu screens", "menu list"].into_iter().zip(faults) {
            assert!(
                fault(part).starts_with(says) && fault(part).is_empty() == says.is_empty(),
                "{part}: {}",
                fault(part)
            );
        }
    }
}
