//! `paygate check`: reaches every part that the configuration names once, as the daemon would, and says what is wrong.
//! Moves no money and changes nothing at any neighbour.

use super::{Config, gateways, links, replies};
use crate::charging::{Channel, Channels, ChargeOrder};
use crate::config::{KannelLink, LinkKind, Menu, SmppLink, Smsc, Ussd, UssdKind};
use crate::http_client::{Bearer, Call, Heard, HttpClient};
use crate::idempotency::Keys;
use crate::journal::Journal;
use crate::package_manager;
use crate::purchase::evidence::{Finding, GrantAnswer};
use crate::purchase::money::{Currency, Money};
use crate::smpp::{self, Health};
use crate::ussd::{Catalogue, Screens, line};
use paygate_parsers::msisdn::{Country, Msisdn};
use reqwest::Method;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

/// A key under which nothing was ever charged or granted.
const NOBODYS_KEY: &str = "paygate-check";
/// ESME_RALYBND: the account is right, and somebody is bound with it, most likely the daemon.
const ALREADY_BOUND: u32 = 0x05;

/// One part of the configuration, and whether it could be reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// Such as `journal` or `smsc viettel`.
    pub part: String,
    /// What is wrong and what to do about it; `None` where it is well.
    pub fault: Option<String>,
}

/// Reaches every part once; a part that is well has no fault.
pub async fn check(config: &Config) -> Vec<Checked> {
    let client = match HttpClient::new() {
        Ok(client) => client,
        Err(error) => return vec![checked("tls".to_owned(), Err(error.to_string()))],
    };
    let mut parts = vec![
        checked("replies".to_owned(), replies(config).map(|_| ()).map_err(|error| error.to_string())),
        checked("journal".to_owned(), journal(config).await),
    ];
    if let Some(redis) = &config.redis {
        let answers = match Keys::redis(redis) {
            Ok(keys) => keys
                .healthy()
                .await
                .then_some(())
                .ok_or_else(|| "it does not answer; is it running at this url?".to_owned()),
            Err(error) => Err(error.to_string()),
        };
        parts.push(checked("redis".to_owned(), answers));
    }
    for smsc in &config.smsc {
        let reached = match &smsc.kind {
            LinkKind::Smpp(link) => bind(smsc, link).await,
            LinkKind::Kannel(link) => sendsms(link, &client).await,
        };
        parts.push(checked(links::part_name(smsc), reached));
    }
    for (name, gateway) in &config.ussd {
        parts.push(checked(gateways::part_name(name), dialled_through(name, gateway).await));
    }
    for (name, channel) in Channels::new(&config.charging, &client).iter() {
        parts.push(checked(format!("charging {name}"), inquire(channel, &config.purchase.country_code).await));
    }
    let package_manager = package_manager::Client::new(&config.package_manager, client.clone());
    parts.push(checked("package_manager".to_owned(), granted(&package_manager).await));
    if let Some(settings) = &config.menu {
        let screens = Screens::new(&settings.screens, &config.purchase.hotline).map(|_| ());
        parts.push(checked("menu screens".to_owned(), screens.map_err(|errors| errors.join("; "))));
        parts.push(checked("menu list".to_owned(), on_sale(&package_manager, settings).await));
    }
    parts
}

fn checked(part: String, reached: Result<(), String>) -> Checked {
    Checked { part, fault: reached.err() }
}

/// Beside a running daemon the store is only read; where there is none yet, it is made.
async fn journal(config: &Config) -> Result<(), String> {
    let journal = match Journal::open_for_reading(&config.journal).await {
        Ok(journal) => journal,
        Err(_) => Journal::open(&config.journal).await.map_err(|error| error.to_string())?,
    };
    journal.now().await.map(|_| ()).map_err(|error| error.to_string())
}

/// Binds as the daemon would, and unbinds again.
async fn bind(smsc: &Smsc, link: &SmppLink) -> Result<(), String> {
    let settings = links::settings(smsc, link).map_err(|error| format!("{error:#}"))?;
    let wait = settings.connect_timeout + settings.bind_timeout;
    let (intake, _deliveries) = mpsc::channel(1);
    let (health, mut changes) = watch::channel(Health::Down);
    let stop = CancellationToken::new();
    let running = tokio::spawn(smpp::run(settings, intake, mpsc::channel(1).1, None, health, stop.clone()));
    let settled = |health: &Health| matches!(health, Health::Bound { .. } | Health::Refused { .. });
    let outcome = timeout(wait, changes.wait_for(settled)).await.map(|state| state.map(|state| *state));
    stop.cancel();
    let _ = timeout(Duration::from_secs(5), running).await;
    match outcome {
        Ok(Ok(Health::Refused { status })) if status != ALREADY_BOUND => Err(format!(
            "the SMSC refused the bind with status 0x{status:08x}; system_id and password are to be checked"
        )),
        Ok(Ok(_)) => Ok(()),
        Ok(Err(_)) | Err(_) => Err(format!(
            "no bind within {} s at {}; is the address right and open to us?",
            wait.as_secs(),
            link.address
        )),
    }
}

/// Those that paygate connects to are asked for once; the others come by a door of ours, or by a link that is reached above.
async fn dialled_through(name: &str, gateway: &Ussd) -> Result<(), String> {
    match &gateway.kind {
        UssdKind::Line(line) => line::log_in_once(gateways::settings(name, line)).await,
        UssdKind::Http(_) | UssdKind::Smpp(_) => Ok(()),
    }
}

/// What the menu would show first.
async fn on_sale(package_manager: &package_manager::Client, settings: &Menu) -> Result<(), String> {
    let list = package_manager.packages().await.map_err(|heard| format!("its packages cannot be read: {heard}"))?;
    let catalogue = Catalogue::new(list, &settings.services);
    match (catalogue.missing(&settings.services).as_slice(), catalogue.is_empty()) {
        (_, true) => Err("the package manager has nothing on sale for it".to_owned()),
        ([], false) => Ok(()),
        (missing, false) => Err(format!("nothing is on sale of {}; is it spelled as there?", missing.join(", "))),
    }
}

/// Any answer will do: without a text there is nothing for Kannel to send.
async fn sendsms(link: &KannelLink, client: &HttpClient) -> Result<(), String> {
    let call = Call {
        method: Method::GET,
        url: link.sendsms_url.clone(),
        body: None,
        token: &Bearer::none(),
        correlator: "",
        idempotency_key: None,
        send_by: None,
        timeout: link.timeout,
    };
    match client.send(call).await {
        Heard::Answer(_) | Heard::Unreadable(_) => Ok(()),
        Heard::NotSent(why) | Heard::NoAnswer(why) => Err(format!("sendsms does not answer: {why}")),
    }
}

/// Asks about a charge that was never made: the right answer is that there is none.
async fn inquire(channel: &Channel, country_code: &str) -> Result<(), String> {
    let country = Country::new(country_code).map_err(|error| error.to_string())?;
    let msisdn = Msisdn::parse(&country, &format!("+{country_code}900000000")).map_err(|error| error.to_string())?;
    let now = jiff::Timestamp::now().as_microsecond();
    let order = ChargeOrder {
        key: NOBODYS_KEY.to_owned(),
        msisdn: Some(msisdn),
        amount: Money::new(0, Currency::VND),
        service: String::new(),
        package: String::new(),
        description: String::new(),
        return_url: None,
        handle: None,
        code: None,
        sends: 1,
        intended_at: now,
        lost_since: None,
        in_flight_until: now,
        send_by: Instant::now(),
    };
    let answer = channel.inquire(&order).await;
    match answer.finding {
        Finding::NotFound => Ok(()),
        _ => Err(format!("an inquiry was not answered as it should be: {}", answer.heard)),
    }
}

async fn granted(client: &package_manager::Client) -> Result<(), String> {
    match client.inquire(NOBODYS_KEY).await {
        GrantAnswer::NotFound => Ok(()),
        GrantAnswer::Unknown { heard, .. } => Err(format!("an inquiry was not answered as it should be: {heard}")),
        other => Err(format!("an inquiry was not answered as it should be: {other:?}")),
    }
}
