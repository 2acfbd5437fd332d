//! The sandbox's USSD gateways, one of each kind that paygate speaks with, so that a telephone can dial by any of them; and
//! what may go wrong with a dialogue on its way. Knows nothing of menus.

use super::ANYWHERE;
use super::configuration::{SECRET, SHORT_CODE, SYSTEM_ID, TELCO};
use super::dialogues::{DialogueId, Shown};
use super::smsc::{Smsc, SmscSettings};
use super::ussd_http::{HttpGateway, HttpGatewaySettings};
use super::ussd_line::{LineGateway, LineGatewaySettings};
use crate::config::UssdInput;
use anyhow::Context;
use paygate_parsers::smpp::ussd::Dialect;
use secrecy::ExposeSecret;
use serde::Serialize;
use std::fmt::Write;
use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What the telephones dial.
pub(super) const SERVICE_CODE: &str = "*098#";
/// Of paygate's side, at the gateway that it connects to.
const LINE: &str = "line";

pub(super) struct Gateways {
    http: [HttpGateway; 2],
    /// The telco's own SMSC speaks the standard dialect; these speak the others, each by a link of its own.
    dialects: Vec<(Dialect, Smsc)>,
    line: LineGateway,
    faults: Mutex<DialogueFaults>,
}

/// What may go wrong with a dialogue, each for the next so many times.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct DialogueFaults {
    /// The telephone is not shown the next screen.
    pub(super) lose_screens: u32,
    /// The gateway sends the next step twice.
    pub(super) double_hops: u32,
    /// The dialogue dies when its last screen should be shown: what was agreed to is agreed.
    pub(super) drop_at_the_end: u32,
}

/// A gateway as the page offers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Offered {
    /// As the configuration names it.
    name: &'static str,
    words: &'static str,
}

/// Every gateway, in the order that the page has them in.
pub(super) const ALL: [Offered; 7] = [
    Offered { name: "http-whole", words: "HTTP, each step with all inputs" },
    Offered { name: "http-last", words: "HTTP, each step with its own input" },
    Offered { name: "smpp-standard", words: "SMPP, its_session_info" },
    Offered { name: "smpp-mica", words: "SMPP as Mica speaks it" },
    Offered { name: "smpp-6d", words: "SMPP as 6D speaks it" },
    Offered { name: "smpp-msisdn", words: "SMPP without a session" },
    Offered { name: "line", words: "XML lines on a socket" },
];

impl Offered {
    pub(super) fn named(name: &str) -> Option<Self> {
        ALL.into_iter().find(|offered| offered.name == name)
    }
}

/// One gateway.
enum Gateway<'g> {
    Http(&'g HttpGateway),
    Smpp(&'g Smsc),
    Line(&'g LineGateway),
}

impl Gateways {
    pub(super) async fn start() -> anyhow::Result<Self> {
        let http = |name: &str, input| {
            HttpGateway::new(HttpGatewaySettings { name: name.to_owned(), input, ..HttpGatewaySettings::default() })
        };
        let mut dialects = Vec::new();
        for dialect in Dialect::ALL.into_iter().filter(|dialect| *dialect != Dialect::STANDARD) {
            let account = Some((SYSTEM_ID.to_owned(), SECRET.into()));
            let smsc = Smsc::start(ANYWHERE, SmscSettings { account, dialect, ..SmscSettings::default() }).await;
            dialects.push((dialect, smsc.context("a simulated SMSC cannot be started")?));
        }
        let line = LineGateway::start(ANYWHERE, LineGatewaySettings::default()).await;
        Ok(Self {
            http: [http("http-whole", UssdInput::Whole), http("http-last", UssdInput::Last)],
            dialects,
            line: line.context("the simulated USSD gateway cannot be started")?,
            faults: Mutex::default(),
        })
    }

    /// Menu, links and gateways as the daemon's configuration has them.
    pub(super) fn toml(&self) -> String {
        let mut toml = format!("# What a dialled {SERVICE_CODE} shows, by whichever gateway.\n[menu]\n");
        for gateway in &self.http {
            let HttpGatewaySettings { name, input, shortcuts, .. } = gateway.settings();
            let input = if *input == UssdInput::Whole { "whole" } else { "last" };
            let keys = format!("kind = \"http\"\ninput = \"{input}\"\nshortcuts = {shortcuts}\nlink = \"{TELCO}\"");
            push(&mut toml, name, &keys);
        }
        push(&mut toml, "smpp-standard", &format!("kind = \"smpp\"\nlink = \"{TELCO}\"\ndialect = \"standard\""));
        for (Dialect { name, .. }, smsc) in &self.dialects {
            push(
                &mut toml,
                &format!("smpp-{name}"),
                &format!("kind = \"smpp\"\nlink = \"{name}\"\ndialect = \"{name}\""),
            );
            let address = smsc.address();
            let link = format!(
                r#"
[[smsc]]
name = "{name}"
address = "{address}"
system_id = "{SYSTEM_ID}"
password = "{SECRET}"
short_codes = ["{SHORT_CODE}"]
charging = "{TELCO}"
"#
            );
            toml += &link;
        }
        let LineGatewaySettings { spid, password, .. } = LineGatewaySettings::default();
        let (address, password) = (self.line.address(), password.expose_secret().to_owned());
        let keys = format!(
            "kind = \"line\"\naddress = \"{address}\"\nspid = \"{spid}\"\npassword = \"{password}\"\nlink = \"{TELCO}\""
        );
        push(&mut toml, LINE, &keys);
        toml
    }

    /// The daemon answers at this address.
    pub(super) fn are_told_of(&self, daemon: SocketAddr) {
        for gateway in &self.http {
            gateway.is_told_of(&format!("http://{daemon}"));
        }
    }

    /// Waits until paygate has come to all that it connects to.
    pub(super) async fn connected(&self) {
        for (_, smsc) in &self.dialects {
            smsc.bound(1).await;
        }
        self.line.logged_in().await;
    }

    /// The SMSCs of its own, by which results are texted too.
    pub(super) fn smscs(&self) -> impl Iterator<Item = &Smsc> {
        self.dialects.iter().map(|(_, smsc)| smsc)
    }

    /// `telco`: its SMSC, which is a gateway as well.
    pub(super) async fn dial(&self, telco: &Smsc, by: Offered, msisdn: &str, dialled: &str) -> DialogueId {
        let gateway = self.at(telco, by);
        self.doubled(&gateway);
        match gateway {
            Gateway::Http(http) => http.dial(msisdn, dialled).await,
            Gateway::Smpp(smsc) => smsc.dial(msisdn, dialled).await,
            Gateway::Line(line) => line.dial(msisdn, dialled).await,
        }
    }

    /// What comes of it is shown.
    pub(super) async fn answer(&self, telco: &Smsc, by: Offered, id: DialogueId, text: &str) {
        let gateway = self.at(telco, by);
        self.doubled(&gateway);
        match gateway {
            Gateway::Http(http) => drop(http.answer(id, text).await),
            Gateway::Smpp(smsc) => drop(smsc.answer(id, text).await),
            Gateway::Line(line) => drop(line.answer(id, text).await),
        }
    }

    pub(super) async fn abort(&self, telco: &Smsc, by: Offered, id: DialogueId) {
        match self.at(telco, by) {
            Gateway::Http(http) => http.abort(id),
            Gateway::Smpp(smsc) => drop(smsc.abort(id).await),
            Gateway::Line(line) => drop(line.abort(id).await),
        }
    }

    /// The first screen that no earlier call has returned; `None` when none comes within `wait`.
    pub(super) async fn next_screen(&self, telco: &Smsc, by: Offered, id: DialogueId, wait: Duration) -> Option<Shown> {
        match self.at(telco, by) {
            Gateway::Http(http) => http.next_screen(id, wait).await,
            Gateway::Smpp(smsc) => smsc.next_screen(id, wait).await,
            Gateway::Line(line) => line.next_screen(id, wait).await,
        }
    }

    /// Turns the switches.
    pub(super) fn faults<T>(&self, change: impl FnOnce(&mut DialogueFaults) -> T) -> T {
        change(&mut self.switches())
    }

    fn at<'g>(&'g self, telco: &'g Smsc, by: Offered) -> Gateway<'g> {
        if let Some(http) = self.http.iter().find(|http| http.settings().name == by.name) {
            return Gateway::Http(http);
        }
        if by.name == LINE {
            return Gateway::Line(&self.line);
        }
        let dialect = by.name.trim_start_matches("smpp-");
        let own = self.dialects.iter().find(|(known, _)| known.name == dialect);
        Gateway::Smpp(own.map_or(telco, |(_, smsc)| smsc))
    }

    /// The gateway itself sends the step twice, if that is switched on.
    fn doubled(&self, gateway: &Gateway<'_>) {
        if !self.faults(|faults| take(&mut faults.double_hops)) {
            return;
        }
        match gateway {
            Gateway::Http(http) => http.faults(|faults| faults.double_hops = 1),
            Gateway::Smpp(smsc) => smsc.faults(|faults| faults.double_hops = 1),
            Gateway::Line(line) => line.faults(|faults| faults.double_hops = 1),
        }
    }

    fn switches(&self) -> MutexGuard<'_, DialogueFaults> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl DialogueFaults {
    pub(super) fn take_lost_screen(&mut self) -> bool {
        take(&mut self.lose_screens)
    }

    pub(super) fn take_drop(&mut self) -> bool {
        take(&mut self.drop_at_the_end)
    }
}

/// Whether one was left.
fn take(left: &mut u32) -> bool {
    let one = *left > 0;
    *left = left.saturating_sub(1);
    one
}

fn push(toml: &mut String, name: &str, keys: &str) {
    // Writing to a text cannot fail.
    let _ = write!(toml, "\n[ussd.{name}]\n{keys}\nservice_codes = [\"{SERVICE_CODE}\"]\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn every_gateway_that_the_page_offers_is_one_of_its_own() {
        let telco = Smsc::start(ANYWHERE, SmscSettings::default()).await.expect("a free port");
        let gateways = Gateways::start().await.expect("free ports");
        let toml = gateways.toml();
        for offered in ALL {
            assert!(toml.contains(&format!("[ussd.{}]", offered.name)), "{}", offered.name);
            let by_telco = matches!(gateways.at(&telco, offered), Gateway::Smpp(smsc) if std::ptr::eq(smsc, &telco));
            assert_eq!(by_telco, offered.name == "smpp-standard", "{}", offered.name);
        }
    }
}
