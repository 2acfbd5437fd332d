//! The sandbox's second way to pay: an SMSC of its own, whose subscribers are charged at 123PAY's page, and 123PAY itself.

use super::ANYWHERE;
use super::configuration::{BANK, BANK_CODE, SECRET, SYSTEM_ID};
use super::pay123::{self, Pay123};
use super::smsc::{Smsc, SmscSettings};
use anyhow::Context;
use std::net::SocketAddr;

pub(super) struct Bank {
    pub(super) smsc: Smsc,
    pub(super) pay123: Pay123,
    /// Where a customer goes after the bank: the sandbox's own page.
    page: SocketAddr,
}

impl Bank {
    pub(super) async fn start(page: SocketAddr) -> anyhow::Result<Self> {
        let account = Some((SYSTEM_ID.to_owned(), SECRET.into()));
        let smsc = Smsc::start(ANYWHERE, SmscSettings { account, ..SmscSettings::default() }).await;
        let smsc = smsc.context("the second simulated SMSC cannot be started")?;
        let pay123 = Pay123::start(ANYWHERE, pay123::Settings::default()).await;
        Ok(Self { smsc, pay123: pay123.context("the simulated 123PAY cannot be started")?, page })
    }

    /// Link and channel as the daemon's configuration has them.
    pub(super) fn toml(&self) -> String {
        let (smsc, pay123, page) = (self.smsc.address(), self.pay123.base_url(), self.page);
        format!(
            r#"[[smsc]]
name = "{BANK}"
address = "{smsc}"
system_id = "{SYSTEM_ID}"
password = "{SECRET}"
short_codes = ["{BANK_CODE}"]
charging = "{BANK}"
response_timeout = "5s"        # short (10s)

[charging.{BANK}]
kind = "123pay"
base_url = "{pay123}"
merchant_code = "MICODE"
passcode = "MIPASSCODE"
secret_key = "MIKEY"
return_url = "http://{page}/"
link_ttl = "3m"                # short (15m)
timeout = "2s"                 # short (5s)
send_within = "2s"             # short (10s)
max_flight = "3s"              # short (30s)
inquiry_plan = ["5s", "10s", "15s", "15s", "30s", "60s"]   # short (5s, 15s, 60s, 5m, 1h, 6h)
"#
        )
    }

    /// 123PAY notifies the daemon at this address.
    pub(super) fn is_told_of(&self, daemon: SocketAddr) {
        self.pay123.notify(&format!("http://{daemon}/notify/{BANK}"));
    }
}
