//! The package manager as a neighbour: check, grant, inquire, revoke. Answers what was heard; never decides what follows.

use crate::config;
use crate::http_client::HttpClient;
use crate::purchase::evidence::{Cause, CheckAnswer, GrantAnswer};
use crate::purchase::money::Money;
use paygate_parsers::msisdn::Msisdn;
use serde::Serialize;
use tokio::time::Instant;

/// The seven parameters that go with each check-user and grant (seed 000); none may be left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Context {
    /// `sms`, `ussd`, `app`, `partner`.
    pub platform: String,
    /// The partner the purchase came through.
    pub dt_id: String,
    /// Such as `purchase`.
    pub r#type: String,
    pub device_type: String,
    pub device_id: String,
    /// `telco`, `bank`, `wallet`, `card`.
    pub pay_type: String,
    /// The charging channel's configured name.
    pub pay_partner: String,
}

/// One package to be added to one account, once, under the purchase's id.
#[derive(Clone, Debug)]
pub struct GrantOrder {
    pub purchase_id: String,
    pub context: Context,
    pub account: String,
    pub service: String,
    pub package: String,
    pub amount: Money,
    /// The channel's own payment id.
    pub charge_reference: String,
    /// No byte leaves after this.
    pub send_by: Instant,
}

/// The one package manager.
pub struct Client {
    #[expect(dead_code, reason = "the signatures stand before the calls")]
    client: HttpClient,
}

impl Client {
    #[must_use]
    pub fn new(_settings: &config::PackageManager, client: HttpClient) -> Self {
        Self { client }
    }

    /// The exact body of [`Self::grant`]: what the journal keeps as the intent.
    #[must_use]
    pub fn request(&self, order: &GrantOrder) -> String {
        order.purchase_id.clone()
    }

    /// May this account buy this package, and on what terms? Changes nothing there.
    pub async fn check(
        &self,
        _context: &Context,
        _account: &str,
        _service: &str,
        _package: &str,
        _msisdn: &Msisdn,
    ) -> CheckAnswer {
        CheckAnswer::Unavailable { heard: String::new() }
    }

    /// Adds the package to the account.
    pub async fn grant(&self, _order: &GrantOrder) -> GrantAnswer {
        unknown()
    }

    /// What stands under a purchase's id. Changes nothing.
    pub async fn inquire(&self, _purchase_id: &str) -> GrantAnswer {
        unknown()
    }

    /// Takes the package back; once or twice is the same.
    pub async fn revoke(&self, _purchase_id: &str) -> GrantAnswer {
        unknown()
    }
}

fn unknown() -> GrantAnswer {
    GrantAnswer::Unknown { cause: Cause::NoAnswer, heard: String::new() }
}
