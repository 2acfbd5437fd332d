//! One typed tree of everything that can be set, checked once at start. Every limit, wait and deadline has its line here.
//! Never opens a connection: whether a neighbour can be reached is `paygate check`'s question.

mod apps;
mod care;
mod check;
mod doors;
mod duration;
mod environment;
mod errors;
mod neighbours;
mod network;
mod partners;
mod pay123;
mod policy;
mod refusals;
mod section;
mod statements;
mod ussd;

pub use duration::{parse_duration, spell_duration};
pub use environment::{Environment, environment};
pub use errors::{ConfigError, ConfigErrors};
pub use network::{Network, NotANetwork};
pub use refusals::REASONS;
pub use ussd::{Menu, Ussd, UssdHttp, UssdInput, UssdKind, UssdLine, UssdSmpp};

use errors::Faults;
use secrecy::SecretString;
use section::{Section, Source};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::{collections::BTreeMap, time::Duration};
use toml::Table;

impl Config {
    /// Reads the file, lays the environment over it, and tells everything that is wrong at once.
    ///
    /// # Errors
    /// Each fault on its own line: key, what is wrong, what to write instead.
    pub fn load(path: &Path, environment: &Environment) -> Result<Self, ConfigErrors> {
        let text = std::fs::read_to_string(path).map_err(|error| {
            ConfigErrors::one(path.display().to_string(), format!("cannot be read ({error})"), "expected a TOML file")
        })?;
        Self::read(&text, path.parent().unwrap_or(Path::new(".")), environment)
    }

    /// The same from a text. Relative `…_file` paths start at the working directory.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn parse(text: &str, environment: &Environment) -> Result<Self, ConfigErrors> {
        Self::read(text, Path::new("."), environment)
    }

    fn read(text: &str, folder: &Path, environment: &Environment) -> Result<Self, ConfigErrors> {
        let table: Table = toml::from_str(text).map_err(|error| not_toml(text, &error))?;
        let faults = Faults::default();
        let (table, origins) = environment::overlay(table, environment, &faults);
        let secrets = environment.get("CREDENTIALS_DIRECTORY").map_or_else(|| folder.to_owned(), PathBuf::from);
        let source = Source { origins, secrets, faults };
        let mut root = Section::new(&source, String::new(), table);
        let config = Self::from_root(&mut root);
        root.close();
        source.faults.judge(config)
    }

    fn from_root(root: &mut Section<'_>) -> Self {
        let charging = neighbours::channels(root);
        let only_channel = charging.keys().next().filter(|_| charging.len() == 1).cloned();
        let config = Self {
            http: root.section("http", Http::read),
            journal: root.section("journal", Journal::read),
            redis: root.has("redis").then(|| root.section("redis", Redis::read)),
            purchase: root.section("purchase", Purchase::read),
            syntax: root.section("syntax", policy::syntax),
            smsc: root.sections("smsc", |section| Smsc::read(section, only_channel.as_deref())),
            charging,
            partner: partners::partners(root),
            app: apps::apps(root),
            statement: statements::statements(root),
            care: root.has("care").then(|| root.section("care", Care::read)),
            menu: ussd::menu(root),
            ussd: ussd::gateways(root),
            package_manager: root.section("package_manager", PackageManager::read),
            replies: root.section("replies", policy::replies),
            engine: root.section("engine", Engine::read),
            alarms: root.section("alarms", Alarms::read),
        };
        check::check(&config, root);
        config
    }
}

/// A text that is no TOML has no keys to be judged by: only the first place where it breaks is known.
fn not_toml(text: &str, error: &toml::de::Error) -> ConfigErrors {
    let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    ConfigErrors::one(format!("line {line}"), error.message().lines().collect::<Vec<_>>().join(", "), "expected TOML")
}

/// The whole configuration, valid.
#[derive(Clone, Debug)]
pub struct Config {
    pub http: Http,
    pub journal: Journal,
    pub redis: Option<Redis>,
    pub purchase: Purchase,
    pub syntax: paygate_parsers::request::Syntax,
    pub smsc: Vec<Smsc>,
    pub charging: BTreeMap<String, Charging>,
    /// Telcos that charge by themselves and tell us, by name.
    pub partner: BTreeMap<String, Partner>,
    /// Apps of the content service that order by themselves, by name.
    pub app: BTreeMap<String, App>,
    /// How the channels' statements are read, by the channel's or the partner's name.
    pub statement: BTreeMap<String, Statement>,
    /// The care page; without it there is none.
    pub care: Option<Care>,
    /// What a dialled code shows.
    pub menu: Option<Menu>,
    /// Gateways of dialogues, by name.
    pub ussd: BTreeMap<String, Ussd>,
    pub package_manager: PackageManager,
    /// Texts that replace the built-in ones, by name.
    pub replies: BTreeMap<String, String>,
    pub engine: Engine,
    pub alarms: Alarms,
}

/// From where on an operator is woken.
#[derive(Clone, Debug)]
pub struct Alarms {
    /// For so long something may be unknown,
    pub oldest_unknown: Duration,
    /// so many may wait for a person,
    pub review: i64,
    /// so many more than an hour ago,
    pub review_growth: i64,
    /// and so many be charged twice within an hour.
    pub surplus: i64,
    /// Payments at a channel's page that it tells us nothing of, until it counts as silent.
    pub notify_silence: usize,
    /// Rows of one channel's statements that we know nothing of, and charges of ours that they lack.
    pub long: i64,
    pub short: i64,
}

#[derive(Clone, Debug)]
pub struct Http {
    pub listen: SocketAddr,
    /// Bearer token or `&token=` for `/mo` and `/mo/kannel`; without it only loopback may send there.
    pub mo_token: Option<SecretString>,
    /// Addresses that may send messages without a token, besides loopback.
    pub mo_allow: Vec<Network>,
    /// Octets a request body may have; more is 413.
    pub body_limit: usize,
    /// How long one request may take in all.
    pub request_timeout: Duration,
    /// How long a peer may take to send a request's head; a slower one is cut off.
    pub header_timeout: Duration,
    /// A message that is not durable by then is answered 503, and the peer sends it again.
    pub ack_within: Duration,
    /// Connections open at once; more wait to be accepted.
    pub connections: usize,
}

#[derive(Clone, Debug)]
pub struct Journal {
    /// `sqlite:FILE` or `postgres://…`.
    pub url: SecretString,
    /// Connections for reading beside the one that writes.
    pub readers: u32,
    /// How long a statement may take before the store counts as down.
    pub statement_timeout: Duration,
    /// How long after a failover a former primary may still take our commits: what it took then is lost.
    pub max_lag: Duration,
}

#[derive(Clone, Debug)]
pub struct Redis {
    /// One url, or several for a cluster.
    pub urls: Vec<SecretString>,
    /// How long one answer may take; past it the key falls through to the journal.
    pub timeout: Duration,
    /// After a failure, how long nothing is asked of it.
    pub pause_after_failure: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Otp {
    /// paygate makes the code and texts it.
    Gateway,
    /// The channel texts it; paygate passes the answer on.
    Telco,
    /// No code. With `confirm_without_code` the subscriber still has to answer `Y`.
    None,
}

#[derive(Clone, Debug)]
pub struct Purchase {
    /// Country calling code without `+`, such as `84`.
    pub country_code: String,
    pub otp: Otp,
    /// Digits in a code, 4 to 10.
    pub otp_length: u8,
    pub otp_ttl: Duration,
    /// Wrong answers allowed; the last one ends the purchase.
    pub otp_attempts: u8,
    /// Codes texted for one purchase.
    pub otp_sends: u8,
    /// Codes texted to one subscriber in an hour.
    pub otp_hourly: u32,
    /// With `otp = "none"`: ask for `Y` before charging.
    pub confirm_without_code: bool,
    /// What codes are derived with; made once and kept beside the journal where it is not configured.
    pub code_key: Option<SecretString>,
    /// A second purchase of the same package for the same account inside it asks first.
    pub repeat_window: Duration,
    pub redelivery_window: Duration,
    /// How long a consent may be acted on after it was given; a charge proven lost is sent again only inside it.
    pub consent_valid: Duration,
    /// When unknown lasts longer, the subscriber is told once that it is being checked.
    pub checking_after: Duration,
    /// A charge found this late after its purchase had ended is given back rather than granted.
    pub grant_fresh: Duration,
    /// Tries to reach the package manager for check-user before the subscriber is told "busy".
    pub check_attempts: u8,
    /// Between two such tries, and before a charge proven lost is sent once more.
    pub retry_pause: Duration,
    /// How long the parts of a long message wait for each other.
    pub parts_window: Duration,
    /// The same package charged twice to one subscriber inside it is flagged; 0 flags nothing.
    pub surplus_window: Duration,
    /// Where customers call, for the texts.
    pub hotline: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bind {
    Transceiver,
    Transmitter,
    Receiver,
}

/// What kind of neighbour carries a link's replies.
#[derive(Clone, Debug)]
pub enum LinkKind {
    Smpp(SmppLink),
    /// Replies leave by Kannel's sendsms; messages come in at `/mo/kannel`.
    Kannel(KannelLink),
}

#[derive(Clone, Debug)]
pub struct Smsc {
    pub name: String,
    pub short_codes: Vec<String>,
    /// The channel that charges this link's subscribers.
    pub charging: String,
    pub kind: LinkKind,
}

#[derive(Clone, Debug)]
pub struct SmppLink {
    pub address: String,
    pub tls: bool,
    /// Certificates (PEM) to trust besides the public ones.
    pub tls_ca: Option<PathBuf>,
    pub bind: Bind,
    pub system_id: String,
    pub password: SecretString,
    pub system_type: String,
    /// SMPP 3.4 §5.2.4, 0x34 unless the SMSC insists.
    pub interface_version: u8,
    /// `submit_sm` unanswered at once.
    pub window: u16,
    /// `submit_sm` a second; 0 is no limit.
    pub throughput: u32,
    pub enquire_link: Duration,
    pub response_timeout: Duration,
    pub bind_timeout: Duration,
    pub pdu_read_timeout: Duration,
    /// A `deliver_sm` not durable by then is answered ESME_RX_T_APPN.
    pub ack_within: Duration,
    /// What data_coding 0 means at this SMSC.
    pub default_alphabet: paygate_parsers::text::Alphabet,
    /// Octets one PDU may have.
    pub max_pdu: u32,
}

#[derive(Clone, Debug)]
pub struct KannelLink {
    /// Such as `http://127.0.0.1:13013/cgi-bin/sendsms`.
    pub sendsms_url: String,
    pub username: String,
    pub password: SecretString,
    pub timeout: Duration,
    /// Requests under way at once.
    pub window: u16,
}

#[derive(Clone, Debug)]
pub enum Charging {
    CarrierBilling(CarrierBilling),
    Pay123(Pay123),
}

/// `kind = "carrier-billing"`.
#[derive(Clone, Debug)]
pub struct CarrierBilling {
    /// `{apiRoot}/carrier-billing/v0.5`, without a closing slash.
    pub base_url: String,
    pub refund_url: String,
    pub token: SecretString,
    pub timeout: Duration,
    pub merchant: String,
    /// `POST /payments` at once instead of prepare and confirm.
    pub one_step: bool,
    pub max_flight: Duration,
    /// How long after its intent a request may still leave.
    pub send_within: Duration,
    pub inquiry_plan: Vec<Duration>,
    /// How far the operator's clock may be from ours: what is looked for in its list is looked for so much earlier and
    /// later.
    pub clock_skew: Duration,
    /// Charges under way at once; more wait in order.
    pub concurrency: usize,
    pub refusals: Refusals,
}

/// What follows a channel's refusal.
#[derive(Clone, Debug)]
pub struct Refusals {
    /// Pauses before a charge that moved nothing, and that it is advised to wait with, is made anew; none: it is not.
    pub retry: Vec<Duration>,
    /// How long the subscriber's consent stands for that.
    pub retry_consent: Duration,
    /// Where the channel gives money back otherwise than its kind does, by reason.
    pub gives_back: BTreeMap<&'static str, GivesBack>,
}

/// Whether a channel gives money back by itself after an error (R000.28).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GivesBack {
    Now,
    /// In one or two days.
    InDays,
    Never,
}

/// An app of the content service, which orders for its customers (seed 000, flow A1).
#[derive(Clone, Debug)]
pub struct App {
    /// What it sends as its bearer.
    pub token: SecretString,
    /// The SMSC by which a customer is told whose phone is known; without one nobody is texted.
    pub link: Option<String>,
    /// From which the customer is told; without one it is the link's first.
    pub short_code: Option<String>,
    /// How long an order waits for what its app can show: a page to pay at, or that a code was texted.
    pub wait: Duration,
    /// Streams of events open at once.
    pub events_max: usize,
    /// How often a stream, or an order that waits, looks into the journal unasked: steps of other instances are seen so.
    pub poll: Duration,
    /// How often a silent stream says that it lives.
    pub keep_alive: Duration,
    /// Requests a second, and as many at once.
    pub rate: u32,
}

/// `kind = "123pay"` (seed 004).
#[derive(Clone, Debug)]
pub struct Pay123 {
    /// What `createOrder1` and `queryOrder1` stand below, without a closing slash.
    pub base_url: String,
    /// Who we are to 123PAY.
    pub merchant_code: String,
    pub passcode: SecretString,
    /// Ends every text that is hashed, theirs and ours.
    pub secret_key: SecretString,
    /// The bank that pays; `123PAY` lets the subscriber choose there.
    pub bank_code: String,
    /// What 123PAY is told as the customer's address: one who writes by SMS has none.
    pub client_ip: Ipv4Addr,
    /// Where 123PAY sends the customer afterwards, whatever came of it.
    pub return_url: String,
    /// How long a link that was handed out counts as one that may be paid.
    pub link_ttl: Duration,
    /// How far a notify's own time may be from ours.
    pub notify_max_age: Duration,
    pub timeout: Duration,
    pub max_flight: Duration,
    /// How long after its intent a request may still leave.
    pub send_within: Duration,
    pub inquiry_plan: Vec<Duration>,
    /// Calls under way at once; more wait in order.
    pub concurrency: usize,
    pub refusals: Refusals,
}

/// How a partner signs its requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signature {
    /// HMAC-SHA256 over timestamp and body, in a header.
    HmacSha256,
    /// SHA-1 over the values and the secret, in the body (as in seed 004): for partners that can do no better.
    Sha1,
}

/// A telco that charges by itself and tells us (seed 000, R000.3).
#[derive(Clone, Debug)]
pub struct Partner {
    pub secret: SecretString,
    pub signature: Signature,
    /// Where it may call from; empty is everywhere, since the signature is asked of everybody.
    pub allow: Vec<Network>,
    /// Requests a second, and as many at once.
    pub rate: u32,
    /// How old, or how far ahead, a request's timestamp may be.
    pub max_age: Duration,
    /// How long one of its requests waits for the package manager.
    pub check_within: Duration,
    /// The SMSC by which its subscribers are told; without one nobody is texted.
    pub link: Option<String>,
    /// From which its subscribers are told; without one it is the link's first.
    pub short_code: Option<String>,
}

/// A column of a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Column {
    /// As the header spells it, without case, accents and spaces.
    Name(String),
    /// From 1.
    Number(usize),
}

/// Which column of a statement is what.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Columns {
    /// The channel's own reference, the same as in its answers.
    pub reference: Option<Column>,
    /// Our key, as the channel was given it.
    pub key: Option<Column>,
    pub msisdn: Option<Column>,
    pub amount: Option<Column>,
    pub currency: Option<Column>,
    pub time: Option<Column>,
    /// Whether money was taken or given back.
    pub kind: Option<Column>,
    pub status: Option<Column>,
}

/// What is done where a channel charged and our journal does not say so: marked as paid by whom, and what is proposed then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Long {
    /// A person decides.
    Person,
    Grant,
    Refund,
}

/// How the statements of one channel are read and held against the journal (charging.md R003.4).
#[derive(Clone, Debug)]
pub struct Statement {
    pub separator: u8,
    /// The first line names the columns.
    pub header: bool,
    /// Whether a field may stand in quotes.
    pub quoted: bool,
    /// How many fields a line has, where the format says so.
    pub fields: Option<usize>,
    pub columns: Columns,
    /// Where no column has it. ISO 4217.
    pub default_currency: String,
    /// By strftime's letters; without one the usual forms are understood.
    pub time_format: Option<String>,
    /// Of times without an offset, and of the day.
    pub zone: jiff::tz::TimeZone,
    /// Words of `kind` that mean a charge; none: whatever is neither a reversal nor ignored.
    pub charges: Vec<String>,
    /// Words of `kind` that mean money given back.
    pub reversals: Vec<String>,
    /// Words of `kind` that mean that no money moved.
    pub ignored: Vec<String>,
    /// Words of `status` that mean that money moved; none: every row.
    pub charged: Vec<String>,
    /// Each row of the file is money given back.
    pub all_reversals: bool,
    /// When the channel's day begins and ends.
    pub day_cut: jiff::civil::Time,
    /// How near to the day's cut a charge may be and stand in the neighbouring day's statement.
    pub carry: Duration,
    /// How far apart a row and a charge of the same phone and amount may be to be offered to a person as one.
    pub match_within: Duration,
    /// Who owns what does not match, until it is given to somebody.
    pub owner: String,
    pub long: Long,
    /// Rows that cannot be read before the import stops, since the map must be wrong.
    pub bad_max: u32,
}

/// The page for the people who answer for the money.
#[derive(Clone, Debug)]
pub struct Care {
    /// How browsers reach it: behind TLS, or on this machine. Without it the page answers to addresses of this machine
    /// alone.
    pub origin: Option<String>,
    /// Proxies in front: whose `X-Forwarded-For` says who asks.
    pub proxies: Vec<Network>,
    /// A session that nobody uses for so long is over,
    pub session_idle: Duration,
    /// and one that is so old in any case.
    pub session_max: Duration,
    /// Characters that a new password has at least.
    pub password_min: usize,
    /// Passwords hashed at once: each takes 19 MiB and some 20 ms of a processor.
    pub hashes: usize,
    /// How long a login waits for its turn.
    pub hash_wait: Duration,
    /// Logins tried under one name, and
    pub login_tries: u64,
    /// from one address,
    pub address_tries: u64,
    /// within this time at most; what comes after is not even looked at until it is over.
    pub login_window: Duration,
    /// Purchases on one page of a list.
    pub page: u32,
    /// How long the page waits to show what came of an act.
    pub act_wait: Duration,
    /// Octets of a statement given on the page, all its files together.
    pub upload_limit: usize,
    /// How long it may take on its way.
    pub upload_timeout: Duration,
    /// Where it lies while it is read; the system's own folder for that where none is named.
    pub upload_folder: Option<PathBuf>,
}

#[derive(Clone, Debug)]
pub struct PackageManager {
    pub base_url: String,
    pub token: SecretString,
    pub timeout: Duration,
    pub idempotent_grants: bool,
    pub max_flight: Duration,
    pub send_within: Duration,
    pub inquiry_plan: Vec<Duration>,
    pub concurrency: usize,
}

/// Bounds of the one loop.
#[derive(Clone, Debug)]
pub struct Engine {
    /// Messages and answers waiting to be taken up; past it the doors wait.
    pub queue: usize,
    /// Inputs taken into one commit.
    pub batch: usize,
    /// Purchases kept in memory between two steps.
    pub cache: usize,
    /// How often due purchases are looked for.
    pub poll: Duration,
    /// How long a claimed purchase is left to its owner.
    pub lease: Duration,
    /// Replies waiting for one link.
    pub outbox: usize,
    /// How long a reply is left to whoever lets it out: by half of it at the latest, so that the other half is left for the
    /// answer. Twice each link's `response_timeout` at least, or a text may be sent beside one that is not answered yet.
    pub reply_lease: Duration,
    /// Before a reply that its link could not take is offered to it again.
    pub reply_pause: Duration,
    /// Before a reply that left and was not answered is sent once more.
    pub reply_doubt: Duration,
    /// How long a stop may take.
    pub drain: Duration,
}
