//! `[menu]` and `[ussd.NAME]`: what a dialled code shows, and the gateways it is dialled through. The menu's texts are known by
//! name in `ussd/screens.rs`.

use super::duration::{HOUR, MINUTE, MS, SECOND};
use super::section::Section;
use super::{Bind, Config, LinkKind, Network, Otp, doors};
use paygate_parsers::smpp::ussd::Dialect;
use paygate_parsers::ussd::Dialled;
use secrecy::SecretString;
use std::collections::BTreeMap;
use std::time::Duration;

/// What a dialled code shows.
#[derive(Clone, Debug)]
pub struct Menu {
    /// A code by SMS besides the consent on the screen.
    pub otp: Otp,
    /// How long a dialogue may rest before it is forgotten.
    pub session_ttl: Duration,
    /// A screen always by then: a gateway waits 2 to 3 s (smpp.md, "Timers").
    pub answer_within: Duration,
    /// Steps one dialogue may have.
    pub hops: u16,
    /// The first menu's services in their order; empty: every service of the package manager's list, in its order.
    pub services: Vec<String>,
    /// How old the package manager's list may be before it is read again.
    pub list_max_age: Duration,
    /// Before a list that could not be read is asked for again.
    pub list_retry: Duration,
    /// Texts that replace the built-in ones, by name.
    pub screens: BTreeMap<String, String>,
}

/// A gateway of dialogues.
#[derive(Clone, Debug)]
pub struct Ussd {
    pub kind: UssdKind,
    /// The SMSC whose link texts the result, and whose channel charges.
    pub link: String,
    /// From which the result is texted; without one it is the link's first.
    pub short_code: Option<String>,
    /// The codes served here; empty: any.
    pub service_codes: Vec<Dialled>,
}

/// What kind of neighbour brings the dialogues.
#[derive(Clone, Debug)]
pub enum UssdKind {
    Smpp(UssdSmpp),
    Http(UssdHttp),
    Line(UssdLine),
}

/// Dialogues over the SMPP link that texts their results.
#[derive(Clone, Debug)]
pub struct UssdSmpp {
    /// How the gateway writes a dialogue (smpp.md, "USSD conventions").
    pub dialect: Dialect,
    /// Hops under way at once; the gateway is told to send more of them again.
    pub concurrency: usize,
    /// How long a screen may wait for its turn on the link.
    pub screen_ttl: Duration,
}

/// `POST /ussd/NAME`.
#[derive(Clone, Debug)]
pub struct UssdHttp {
    pub input: UssdInput,
    /// The first text holds what was dialled behind the code. A dialogue that is not known any more cannot be told from it,
    /// and is then led where its inputs lead, the consent excepted.
    pub shortcuts: bool,
    /// As `mo_token`: without it only loopback may send there.
    pub token: Option<SecretString>,
    /// Addresses that may send without a token, besides loopback.
    pub allow: Vec<Network>,
}

/// What a hop's text holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UssdInput {
    /// All inputs, joined by `*`.
    Whole,
    /// The last input alone.
    Last,
}

/// The XML line socket of charging.md §1.4, where paygate is the client.
#[derive(Clone, Debug)]
pub struct UssdLine {
    /// `host:port`.
    pub address: String,
    /// Who we are there; its messages' ids begin with it.
    pub spid: String,
    pub password: SecretString,
    /// How often we say that we live.
    pub keep_alive: Duration,
    /// How long the gateway may say nothing before another connection is tried.
    pub silence_max: Duration,
    pub login_timeout: Duration,
    /// Hops under way at once; with more the socket is not read.
    pub concurrency: usize,
    /// Octets of one line.
    pub line_max: usize,
    /// First wait before connecting again; doubles with each failure, with jitter.
    pub reconnect_min: Duration,
    pub reconnect_max: Duration,
    /// The longest wait after an error that somebody must mend first (203 to 206).
    pub refused_max: Duration,
}

/// The menu, where there is one.
pub(super) fn menu(root: &mut Section<'_>) -> Option<Menu> {
    root.has("menu").then(|| root.section("menu", Menu::read))
}

pub(super) fn gateways(root: &mut Section<'_>) -> BTreeMap<String, Ussd> {
    root.section("ussd", |section| {
        let names = section.names();
        names
            .into_iter()
            .filter_map(|name| section.section(&name.clone(), |at| Some((name, Ussd::read(at)?))))
            .collect()
    })
}

impl Menu {
    fn read(section: &mut Section<'_>) -> Self {
        Self {
            otp: section
                .choice("otp", &[("none", Otp::None), ("gateway", Otp::Gateway), ("telco", Otp::Telco)])
                .unwrap_or(Otp::None),
            session_ttl: section.duration("session_ttl", 10 * SECOND..=HOUR).unwrap_or(3 * MINUTE),
            answer_within: section.duration("answer_within", 100 * MS..=MINUTE).unwrap_or(2 * SECOND),
            hops: section.integer("hops", 4..=1000).unwrap_or(50),
            services: section
                .list("services", "services of 1 to 64 characters", |text| fits(text, 64))
                .unwrap_or_default(),
            list_max_age: section.duration("list_max_age", 100 * MS..=24 * HOUR).unwrap_or(5 * MINUTE),
            list_retry: section.duration("list_retry", 10 * MS..=HOUR).unwrap_or(5 * SECOND),
            screens: section.section("screens", |at| {
                let names = at.names();
                names.into_iter().filter_map(|name| Some((name.clone(), at.parsed(&name, SCREEN, screen)?))).collect()
            }),
        }
    }
}

const SCREEN: &str = "a text of 1 to 182 characters, \"\\n\" between its lines";

/// A screen may have several lines; whether it fits is counted where its placeholders are known.
fn screen(text: &str) -> Option<String> {
    let fits = (1..=1000).contains(&text.len()) && !text.contains(|c: char| c.is_control() && c != '\n');
    fits.then(|| text.to_owned())
}

impl Ussd {
    fn read(section: &mut Section<'_>) -> Option<Self> {
        const KINDS: &str = "\"smpp\", \"http\" or \"line\"";
        #[derive(Clone, Copy)]
        enum Kind {
            Smpp,
            Http,
            Line,
        }
        let words = [("smpp", Kind::Smpp), ("http", Kind::Http), ("line", Kind::Line)];
        let kind = section.required("kind", None, KINDS, |at| at.choice("kind", &words).map(Some));
        let Some(kind) = kind else {
            section.forgive_the_rest();
            return None;
        };
        Some(Self {
            link: section.required("link", String::new(), "the name of an [[smsc]], which texts the result", |at| {
                at.text("link", 1..=64)
            }),
            short_code: section.parsed("short_code", "a short code of 1 to 20 letters or digits", doors::short_code),
            service_codes: section
                .list("service_codes", "codes such as \"*098#\"", |text| Dialled::parse(text).ok())
                .unwrap_or_default(),
            kind: match kind {
                Kind::Smpp => UssdKind::Smpp(UssdSmpp::read(section)),
                Kind::Http => UssdKind::Http(UssdHttp::read(section)),
                Kind::Line => UssdKind::Line(UssdLine::read(section)),
            },
        })
    }
}

impl UssdSmpp {
    fn read(section: &mut Section<'_>) -> Self {
        let dialects = Dialect::ALL.map(|dialect| (dialect.name, dialect));
        Self {
            dialect: section.choice("dialect", &dialects).unwrap_or(Dialect::STANDARD),
            concurrency: concurrency(section),
            screen_ttl: section.duration("screen_ttl", SECOND..=10 * MINUTE).unwrap_or(20 * SECOND),
        }
    }
}

/// Hops under way at once. Each waits [menu] answer_within at most.
fn concurrency(section: &mut Section<'_>) -> usize {
    section.integer("concurrency", 1..=100_000).unwrap_or(1000)
}

impl UssdHttp {
    fn read(section: &mut Section<'_>) -> Self {
        Self {
            input: section
                .choice("input", &[("whole", UssdInput::Whole), ("last", UssdInput::Last)])
                .unwrap_or(UssdInput::Whole),
            shortcuts: section.boolean("shortcuts").unwrap_or(false),
            token: section.secret("token"),
            allow: section
                .list("allow", "addresses or networks, such as \"10.1.0.0/16\"", |text| text.parse().ok())
                .unwrap_or_default(),
        }
    }
}

impl UssdLine {
    fn read(section: &mut Section<'_>) -> Self {
        const ADDRESS: &str = "\"host:port\"";
        let keep_alive = section.duration("keep_alive", 100 * MS..=HOUR).unwrap_or(30 * SECOND);
        let address = |text: &str| doors::address(text).filter(|(tls, _)| !tls).map(|(_, address)| address);
        Self {
            address: section.required("address", String::new(), ADDRESS, |at| at.parsed("address", ADDRESS, address)),
            spid: section
                .required("spid", String::new(), "the spid that the gateway gave", |at| at.text("spid", 1..=64)),
            password: section.required("password", SecretString::default(), "the gateway's password", |at| {
                at.secret_or_empty("password")
            }),
            keep_alive,
            silence_max: section.duration("silence_max", 100 * MS..=24 * HOUR).unwrap_or(3 * keep_alive),
            login_timeout: section.duration("login_timeout", 100 * MS..=5 * MINUTE).unwrap_or(10 * SECOND),
            concurrency: concurrency(section),
            line_max: section.integer("line_max", 512..=1024 * 1024).unwrap_or(8 * 1024),
            reconnect_min: section.duration("reconnect_min", MS..=HOUR).unwrap_or(SECOND),
            reconnect_max: section.duration("reconnect_max", MS..=24 * HOUR).unwrap_or(MINUTE),
            refused_max: section.duration("refused_max", MS..=24 * HOUR).unwrap_or(5 * MINUTE),
        }
    }
}

fn fits(text: &str, characters: usize) -> Option<String> {
    (1..=characters).contains(&text.trim().chars().count()).then(|| text.trim().to_owned())
}

/// What must agree between the menu, its gateways and the rest.
pub(super) fn check(config: &Config, root: &Section<'_>) {
    match &config.menu {
        None if !config.ussd.is_empty() => root.fault("menu", "is missing", "expected [menu], which [ussd.NAME] shows"),
        Some(_) if config.ussd.is_empty() && !root.told("ussd") => {
            root.fault("ussd", "has no gateway", "expected at least one [ussd.NAME], or no [menu]");
        }
        Some(menu) if menu.answer_within >= config.http.request_timeout => {
            let remedy = "expected less than [http] request_timeout, which ends the request that waits";
            root.fault("menu.answer_within", "is too long", remedy);
        }
        None | Some(_) => {}
    }
    for (name, gateway) in &config.ussd {
        name_fits_a_path(name, root);
        links_are_right(config, name, gateway, root);
    }
}

fn name_fits_a_path(name: &str, root: &Section<'_>) {
    let fits = (1..=64).contains(&name.len())
        && name.bytes().all(|octet| octet.is_ascii_alphanumeric() || b"-_.".contains(&octet));
    if !fits {
        let remedy = "expected 1 to 64 letters, digits, - _ or . : it stands in POST /ussd/NAME and in metrics";
        root.fault(&format!("ussd.{name}"), "has a name that no path can hold", remedy);
    }
}

fn links_are_right(config: &Config, name: &str, gateway: &Ussd, root: &Section<'_>) {
    let key = format!("ussd.{name}.link");
    if gateway.link.is_empty() || config.smsc.is_empty() {
        return;
    }
    super::check::link_is_known(config, Some(&gateway.link), &key, root);
    let mut namesakes = config.smsc.iter().filter(|smsc| smsc.name == gateway.link).peekable();
    let speaks_smpp = |smsc: &super::Smsc| matches!(smsc.kind, LinkKind::Smpp(_));
    if matches!(gateway.kind, UssdKind::Smpp(_)) && namesakes.peek().is_some() && !namesakes.any(speaks_smpp) {
        root.fault(&key, format!("{:?} does not speak SMPP", gateway.link), "expected the name of an SMPP link");
    }
    gateway_is_reached_rightly(config, name, gateway, root);
}

/// Screens leave by the connection that the hop came in by, and there is one gateway at the end of each.
fn gateway_is_reached_rightly(config: &Config, name: &str, gateway: &Ussd, root: &Section<'_>) {
    let earlier = || config.ussd.iter().filter(|(other, _)| other.as_str() < name);
    let fault = |key: &str, problem: String, remedy: &str| root.fault(&format!("ussd.{name}.{key}"), problem, remedy);
    match &gateway.kind {
        UssdKind::Smpp(_) => {
            let is_smpp = |other: &Ussd| matches!(other.kind, UssdKind::Smpp(_)) && other.link == gateway.link;
            if let Some((other, _)) = earlier().find(|(_, other)| is_smpp(other)) {
                fault("link", format!("is the link of ussd.{other}, too"), "expected one gateway for each link");
            }
            let one_way = |smsc: &super::Smsc| match &smsc.kind {
                LinkKind::Smpp(link) => smsc.name == gateway.link && link.bind != Bind::Transceiver,
                LinkKind::Kannel(_) => false,
            };
            if config.smsc.iter().any(one_way) {
                let remedy = "expected bind = \"transceiver\" there: hops come and screens go by one connection";
                fault("link", format!("{:?} is not bound both ways", gateway.link), remedy);
            }
        }
        UssdKind::Line(line) => {
            let same = |other: &UssdLine| other.spid == line.spid && other.address == line.address;
            let is_same = |other: &Ussd| matches!(&other.kind, UssdKind::Line(other) if same(other));
            if let Some((other, _)) = earlier().find(|(_, other)| is_same(other)).filter(|_| !line.spid.is_empty()) {
                fault("spid", format!("is that of ussd.{other}, too"), "expected one gateway for each spid");
            }
        }
        UssdKind::Http(_) => {}
    }
}
