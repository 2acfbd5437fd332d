//! The configuration that the sandbox's daemon runs with, as the text that the page shows and that is kept beside the
//! journal. Shorter waits than a real one's, and said so; everything else is the default.

use super::page::Neighbours;
use std::path::Path;
use toml::Value;

pub(super) const SYSTEM_ID: &str = "paygate";
pub(super) const SECRET: &str = "secret";
/// The number that the telephones write to.
pub(super) const SHORT_CODE: &str = "9029";
/// The number they write to for paying at a bank's page.
pub(super) const BANK_CODE: &str = "9030";
/// The link and the channel that charges the telephone itself.
pub(super) const TELCO: &str = "telco";
/// The partner's name: a telco that sells in a shop of its own.
pub(super) const SHOP: &str = "shop";
/// The channel's name, at which its notifies come in.
pub(super) const BANK: &str = "bank";
/// The file with the app's token, beside the configuration, which the page shows.
pub(super) const APP_TOKEN: &str = "app.token";
/// The app, by whose name its orders are known.
const APP: &str = r#"
# The content service's app, whose customers pay at the bank's page.
[app.sandbox]
token_file = "app.token"

# The page for care agents, under /care of the daemon. Its four people are made at the sandbox's start, with new passwords.
[care]"#;

/// As `paygate run --config` would read it.
pub(super) fn text(neighbours: &Neighbours, folder: &Path) -> String {
    let Neighbours { smsc, billing, bank, packages, partner, gateways } = neighbours;
    let journal = Value::from(format!("sqlite:{}", folder.join("paygate.db").display()));
    let (smsc, billing, refunds, packages) =
        (smsc.address(), billing.base_url(), billing.refund_url(), packages.base_url());
    let (bank, partner, gateways) = (bank.toml(), partner.toml(), gateways.toml());
    format!(
        r#"# The daemon beside this page reads exactly this. Lines marked "short" are made for looking on:
# a real operator is given minutes where this one is given seconds.

[http]
listen = "127.0.0.1:0"

[journal]
url = {journal}

[purchase]
country_code = "84"
otp = "gateway"
otp_ttl = "5m"
otp_attempts = 3
otp_hourly = 100               # the default is 5: a demonstration buys more often
repeat_window = "10m"
redelivery_window = "1m"       # short (2m)
checking_after = "6s"          # short (30s)
hotline = "18001090"

[[smsc]]
name = "{TELCO}"
address = "{smsc}"
system_id = "{SYSTEM_ID}"
password = "{SECRET}"
short_codes = ["{SHORT_CODE}"]
charging = "{TELCO}"
response_timeout = "5s"        # short (10s)

[charging.{TELCO}]
kind = "carrier-billing"
base_url = "{billing}"
refund_url = "{refunds}"
token = "{SECRET}"
timeout = "2s"                 # short (5s)
send_within = "2s"             # short (10s)
max_flight = "3s"              # short (30s)
inquiry_plan = ["2s", "3s", "5s", "10s"]   # short (5s, 15s, 60s, 5m, 1h, 6h): care sees it soon
gives_back = {{ not_allowed = "in_1_2_days", declined = "never", no_money = "never" }}   # by itself, after such a refusal; else at once

{bank}
# A telco that sells in a shop of its own, charges, and tells us.
{partner}link = "{TELCO}"
{APP}

{gateways}
[package_manager]
base_url = "{packages}"
token = "{SECRET}"
timeout = "2s"                 # short (5s)
send_within = "2s"             # short (10s)
max_flight = "3s"              # short (30s)
inquiry_plan = ["2s", "3s", "5s", "10s"]   # short (5s, 15s, 60s, 5m, 1h, 6h): care sees it soon

[engine]
poll = "100ms"                 # short (500ms)
"#
    )
}
