//! The real page in a real browser.

use super::{LAN, Visit, verdict};
use crate::browser::Browser;
use serde_json::json;

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
