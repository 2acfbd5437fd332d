//! Somebody who opens a link on a phone and stands at the simulated bank's page.

use paygate::sandbox::pay123::card;

/// Gives the test card and its OTP.
pub(crate) async fn pays_at(link: &str) {
    sends(link, &[("do", "card"), ("holder", card::HOLDER), ("number", card::NUMBER)]).await;
    let page = sends(link, &[("do", "otp"), ("otp", card::OTP)]).await;
    assert!(page.contains("Paid."), "{page}");
}

pub(crate) async fn cancels_at(link: &str) {
    let page = sends(link, &[("do", "cancel")]).await;
    assert!(page.contains("Cancelled."), "{page}");
}

async fn sends(link: &str, fields: &[(&str, &str)]) -> String {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    client.post(link).form(fields).send().await.unwrap().text().await.unwrap()
}
