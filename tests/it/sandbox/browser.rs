//! The real page in a real browser.

use super::{LAN, PATIENCE, Visit, verdict};
use crate::browser::{Browser, ask};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// Width and height by the header (PNG, 11.2.2), after its signature.
fn png_size(image: &[u8]) -> (u32, u32) {
    assert_eq!(&image[..8], b"\x89PNG\r\n\x1a\n");
    let number = |at: usize| u32::from_be_bytes(image[at..at + 4].try_into().unwrap());
    (number(16), number(20))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_visitor_buys_a_package_with_a_few_clicks() {
    let visit = Visit::start().await;
    let browser = Browser::start(1440, 900).await;
    browser.open(&visit.url("/")).await;
    browser.sees("#empty:not([hidden])").await;
    browser.types("#text", "ON VIP NAP1").await;
    browser.clicks("#send").await;
    browser.clicks(".chip.code").await;
    let card = browser.reads(".card[data-state=done]").await;
    assert!(card.contains("done"), "{card}");
    assert_eq!(browser.reads(".card[data-state=done] .verdict").await, "Books agree: charged once, granted once");
    let image = browser.screenshot().await;
    let (width, height) = png_size(&image);
    // Of one colour it would be a few thousand octets.
    assert!(width >= 1200 && height >= 600 && image.len() > 30_000, "{width}x{height}, {} octets", image.len());
    assert_eq!(browser.complaints().await, Vec::<String>::new());
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fault_switched_on_is_plain_to_see_and_switched_off_with_one_click() {
    let visit = Visit::start().await;
    let browser = Browser::start(420, 900).await;
    browser.open(&visit.url("/")).await;
    browser.clicks("input[name=charge_answer_lost][value=once]").await;
    browser.sees("fieldset[data-setting=once]").await;
    assert!(browser.reads("#banner").await.contains("its answer is lost (once)"));
    browser.clicks("#banner-off").await;
    browser.sees("#banner[hidden]").await;
    browser.clicks("input[name=charge_answer_lost][value=once]").await;
    browser.sees("fieldset[data-setting=once]").await;
    browser.clicks("#begin").await;
    browser.clicks(".chip.code").await;
    browser.sees(".card[data-state=charge_unknown] [data-mark=unknown]").await;
    browser.sees(".card[data-state=done]").await;
    // A message that the SMSC delivers again starts nothing.
    browser.clicks(".again").await;
    browser.sees("[data-taken=again]").await;
    let newest = visit.newest_in("done").await;
    assert_eq!((verdict(&newest).1, &newest["number"]), ("charged once, granted once", &json!(LAN)));
    assert_eq!(browser.complaints().await, Vec::<String>::new());
    browser.close().await;
}

/// Pays on the bank's page, which the page's link opens in a window of its own, and comes back.
async fn pays_by(browser: &Browser, link: &str) {
    let ours = browser.get("/window").await;
    browser.clicks(link).await;
    let opened = timeout(PATIENCE, async {
        loop {
            let windows = browser.get("/window/handles").await;
            if let Some(other) = windows.as_array().unwrap().iter().find(|window| **window != ours) {
                return other.clone();
            }
            sleep(Duration::from_millis(50)).await;
        }
    });
    browser.post("/window", json!({ "handle": opened.await.unwrap() })).await;
    browser.clicks("button[value=card]").await;
    browser.types("input[name=otp]", paygate::sandbox::pay123::card::OTP).await;
    browser.clicks("button[value=otp]").await;
    browser.sees("main a").await;
    ask(&browser.client, Method::DELETE, &format!("{}/window", browser.session), &Value::Null).await;
    browser.post("/window", json!({ "handle": ours })).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_visitor_orders_in_the_app_pays_at_the_bank_and_orders_again_for_nothing() {
    let visit = Visit::start().await;
    let browser = Browser::start(1440, 900).await;
    browser.open(&visit.url("/")).await;
    browser.sees("#order-account option").await;
    browser.clicks("#order-send").await;
    browser.sees("#ordered .qr").await;
    pays_by(&browser, "#order-pay").await;
    browser.sees(".card[data-state=done]").await;
    browser.sees("#ordered .pill[data-tone=good]").await;
    browser.clicks("#order-again").await;
    assert!(browser.reads("#order-note").await.contains("nothing second happened"));
    assert_eq!(verdict(&only_purchase(&visit).await), ("good", "charged once, granted once"));
    assert_eq!(browser.complaints().await, Vec::<String>::new());
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_double_click_orders_once_and_so_does_a_second_click_after_a_lost_answer() {
    let visit = Visit::start().await;
    let browser = Browser::start(1440, 900).await;
    browser.open(&visit.url("/")).await;
    browser.sees("#order-account option").await;
    // The request is answered, and the page never hears of it.
    let lossy = "const kept = window.fetch; window.asked = 0; window.fetch = (...request) => {
        window.asked += 1;
        const answer = kept(...request);
        return window.asked > 1 ? answer : answer.then(() => { throw new TypeError('lost'); });
    };";
    browser.runs(lossy).await;
    browser.clicks("#order-send").await;
    browser.sees("#order-trouble:not([hidden])").await;
    visit.newest_in("awaiting_user").await;
    browser.runs("const order = document.getElementById('order-send'); order.click(); order.click();").await;
    browser.sees("#ordered .qr").await;
    browser.sees("#order-send:not(:disabled)").await;
    assert_eq!(browser.runs("return window.asked").await, 2);
    only_purchase(&visit).await;
    // What is meant after an answer is another order.
    browser.clicks("#order-send").await;
    browser.sees(".card + .card").await;
    assert_eq!(browser.complaints().await, Vec::<String>::new());
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_visitor_buys_in_the_telcos_shop_and_a_payment_told_three_times_is_granted_once() {
    let visit = Visit::start().await;
    let browser = Browser::start(1440, 900).await;
    browser.open(&visit.url("/")).await;
    browser.clicks("[data-mishap=told_again]").await;
    browser.sees(".card[data-state=done]").await;
    assert!(browser.reads("#sold:not([hidden])").await.contains("accepted, already, already"));
    assert_eq!(browser.reads(".card[data-state=done] .verdict").await, "Books agree: charged once, granted once");
    browser.clicks("[data-mishap=wrong_price]").await;
    browser.sees(".card[data-state=review]").await;
    browser.clicks(".contact:nth-child(3)").await;
    browser.clicks("[data-mishap=none]").await;
    assert!(browser.reads("#shop-trouble:not([hidden])").await.contains("not enough money"));
    browser.close().await;
}

async fn only_purchase(visit: &Visit) -> Value {
    let purchases = visit.state().await["purchases"].clone();
    assert_eq!(purchases.as_array().unwrap().len(), 1, "{purchases:#}");
    purchases[0].clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_visitor_dials_chooses_agrees_and_gets_the_package_and_the_text() {
    let visit = Visit::start().await;
    let browser = Browser::start(1440, 900).await;
    browser.open(&visit.url("/")).await;
    browser.sees("#through option").await;
    browser.clicks("#open-dialler").await;
    browser.clicks("#call").await;
    for (step, shows) in ["Chon dich vu", "chon goi", "Mua cho", "Dong y mua"].into_iter().enumerate() {
        // A screen shows its own step alone: the answer to the one before is keyed in once.
        let at = format!("#ussd[data-step='{step}'][data-is=asking]");
        browser.sees(&at).await;
        let screen = browser.reads("#ussd-text").await;
        assert!(screen.contains(shows), "{screen}");
        browser.types("#ussd-answer", "1").await;
        browser.clicks("#ussd-send").await;
    }
    browser.sees("#ussd[data-is=over]").await;
    assert!(browser.reads("#ussd-text").await.contains("SMS"));
    browser.clicks("#ussd-cancel").await;
    browser.sees("#ussd[hidden]").await;
    browser.sees(".card[data-state=done]").await;
    assert_eq!(browser.reads(".card[data-state=done] .verdict").await, "Books agree: charged once, granted once");
    assert!(browser.reads(".bubble.received").await.contains("Thanh cong: goi NAP1"));
    only_purchase(&visit).await;
    assert_eq!(browser.complaints().await, Vec::<String>::new());
    browser.close().await;
}
