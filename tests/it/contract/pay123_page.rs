//! The simulated bank's page as a browser sees it, and the notifies that follow from it, against the simulator's own books.

use super::operator::{anywhere, order};
use super::shop::Shop;
use paygate::http_client::HttpClient;
use paygate::sandbox::pay123::{EntryKind, NotifyFault, card};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Somebody at the page.
struct Customer {
    client: reqwest::Client,
    page: String,
}

impl Customer {
    async fn of(shop: &Shop) -> Self {
        shop.ordered(order("k1")).await;
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { client, page: shop.pay123.page_of("k1").unwrap() }
    }

    async fn looks(&self) -> String {
        self.client.get(&self.page).send().await.unwrap().text().await.unwrap()
    }

    async fn sends(&self, fields: &[(&str, &str)]) -> String {
        self.client.post(&self.page).form(fields).send().await.unwrap().text().await.unwrap()
    }

    async fn gives_card(&self, holder: &str, number: &str) -> String {
        self.sends(&[("do", "card"), ("holder", holder), ("number", number)]).await
    }
}

#[tokio::test]
async fn the_test_card_and_its_otp_pay_once() {
    let shop = Shop::start().await;
    let customer = Customer::of(&shop).await;
    let page = customer.looks().await;
    assert!(page.contains("10,000 VND") && page.contains("VIP 30 NGAY") && page.contains("Vietinbank"), "{page}");
    assert!(customer.gives_card("Nguyen Van B", card::NUMBER).await.contains("does not know that card"));
    assert!(customer.gives_card("NGUYỄN VĂN A", "0000 0000 0000 0000").await.contains("One-time password"));
    assert!(customer.sends(&[("do", "otp"), ("otp", "12345678")]).await.contains("wrong"));
    assert_eq!(shop.pay123.debits("k1"), 0);
    for _ in 0..2 {
        let page = customer.sends(&[("do", "otp"), ("otp", card::OTP)]).await;
        assert!(page.contains("Paid."), "{page}");
        assert!(page.contains(r#"href="https://shop.example/thanks?from=123pay""#), "{page}");
    }
    assert!(customer.sends(&[("do", "cancel")]).await.contains("Paid."), "what is paid is not cancelled");
    assert_eq!(shop.pay123.debits("k1"), 1);
}

#[tokio::test]
async fn too_many_wrong_otps_and_a_cancelled_order_move_nothing() {
    let shop = Shop::start().await;
    let customer = Customer::of(&shop).await;
    customer.gives_card(card::HOLDER, card::NUMBER).await;
    for _ in 0..3 {
        customer.sends(&[("do", "otp"), ("otp", "1")]).await;
    }
    assert!(customer.sends(&[("do", "otp"), ("otp", card::OTP)]).await.contains("OTP wrong more than 3 times"));
    let other = Shop::start().await;
    let customer = Customer::of(&other).await;
    assert!(customer.sends(&[("do", "cancel")]).await.contains("Cancelled."));
    assert!(customer.gives_card(card::HOLDER, card::NUMBER).await.contains("Cancelled."));
    assert_eq!((shop.pay123.debits_in_all(), other.pay123.debits_in_all()), (0, 0));
}

#[tokio::test]
async fn a_page_that_is_nobodys_says_so_and_an_otp_is_not_taken_before_a_card() {
    let shop = Shop::start().await;
    let customer = Customer::of(&shop).await;
    assert!(customer.sends(&[("do", "otp"), ("otp", card::OTP)]).await.contains("Card number"));
    let nowhere = Customer { page: format!("{}0", customer.page), ..customer };
    let response = nowhere.client.get(&nowhere.page).send().await.unwrap();
    assert_eq!(response.status(), 404);
    assert!(response.text().await.unwrap().contains("No such order"));
    assert_eq!(shop.pay123.debits_in_all(), 0);
}

#[tokio::test]
async fn whoever_does_not_ask_for_json_is_answered_415() {
    let shop = Shop::start().await;
    let url = format!("{}/queryOrder1", shop.pay123.base_url());
    let response = reqwest::Client::new().post(url).body("").send().await.unwrap();
    assert_eq!(response.status(), 415, "seed 004, FAQ 1");
}

/// Takes whatever is posted, and answers nothing of 123PAY's.
async fn collector() -> (String, Arc<Mutex<Vec<String>>>) {
    let bodies: Arc<Mutex<Vec<String>>> = Arc::default();
    let taken = Arc::clone(&bodies);
    let take = move |body: String| async move { taken.lock().unwrap().push(body) };
    let listener = tokio::net::TcpListener::bind(anywhere()).await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let routes = axum::Router::new().route("/", axum::routing::post(take));
    tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
    (url, bodies)
}

#[tokio::test]
async fn an_outcome_is_told_once_or_as_the_switch_says() {
    let client = HttpClient::new().unwrap();
    for (fault, expected) in [
        (None, 1),
        (Some(NotifyFault::Doubled), 2),
        (Some(NotifyFault::Late { ms: 1 }), 1),
        (Some(NotifyFault::Forged), 1),
        (Some(NotifyFault::Stale { ms: 600_000 }), 1),
        (Some(NotifyFault::Garbage), 1),
        (Some(NotifyFault::Missing), 0),
    ] {
        let shop = Shop::with(client.clone(), |settings| settings.pays_at_once = true, |_| {}).await;
        let (url, bodies) = collector().await;
        shop.pay123.notify(&url);
        if let Some(fault) = fault {
            shop.pay123.notify_fault(fault, 1);
        }
        shop.ordered(order("k1")).await;
        let paid = shop.pay123.entries().iter().filter(|entry| entry.kind == EntryKind::Debited).count();
        assert_eq!(paid, 1, "before createOrder is answered");
        // The next one, without a fault, comes after it.
        while shop.pay123.notify_answers().len() < expected {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        shop.pay123.notify_again("k1");
        while shop.pay123.notify_answers().len() < expected + 1 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let bodies = bodies.lock().unwrap().clone();
        assert_eq!(bodies.len(), expected + 1, "{fault:?}: {bodies:?}");
        assert!(bodies[expected].contains("mTransactionID=k1&bankCode=123PVTB&transactionStatus=1&"), "{bodies:?}");
        assert!(shop.pay123.notify_answers().iter().all(|answer| answer.code == "200" && !answer.signed));
    }
}
