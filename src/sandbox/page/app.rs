//! The content service's app, as the page shows it: its server orders from the daemon, and keeps the token to itself. What
//! became of an order, the journal says.

use super::stage::{Refusal, Stage};
use crate::sandbox::configuration::BANK;
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde_json::{Value, json};
use std::time::Duration;

/// Longer than the daemon lets an order wait for its page (8 s).
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// What a visitor orders.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    service: String,
    package: String,
    account: String,
    /// One for each order that is meant: an order that was not answered is sent again under it.
    key: String,
}

impl Stage {
    /// Orders once under its key. The answer is the daemon's, with whether the order was known already. One that is not ready yet has a purchase too, and can be sent again.
    pub(super) async fn order(&self, wanted: Wanted) -> Result<Value, Refusal> {
        let Wanted { service, package, account, key } = wanted;
        let body = json!({ "service": service, "package": package, "account": account, "channel": BANK,
            "platform": "app", "dtId": "sandbox", "type": "purchase", "deviceType": "phone", "deviceId": "sandbox",
            "payType": "bank", "payPartner": BANK });
        let request = self.client.post(format!("{}/v1/orders", self.door)).bearer_auth(self.app_token.expose_secret());
        let request = request.header("idempotency-key", &key).json(&body).timeout(ANSWER_WITHIN);
        let unanswered = |_| Refusal::App("paygate does not answer now".to_owned());
        let answer = request.send().await.map_err(unanswered)?;
        let known = answer.status() == reqwest::StatusCode::OK;
        let mut said: Value = answer.json().await.map_err(unanswered)?;
        if !said["purchaseId"].is_string() {
            return Err(Refusal::App(said["message"].as_str().unwrap_or("paygate takes no order now").to_owned()));
        }
        said["known"] = known.into();
        Ok(said)
    }
}
