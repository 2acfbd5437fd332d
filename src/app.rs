//! Builds all parts and joins them; starts, drains and stops. Alone knows them all, and does none of their work.

mod check;
mod gateways;
mod links;
mod rules;
mod status;

use crate::alarm::{self, Alarm, Notifies};
use crate::care::{Care, Told};
use crate::charging::Channels;
use crate::config::{Config, LinkKind};
use crate::engine::clock::Clock;
use crate::engine::desk::Desk;
use crate::engine::doubt::Doubt;
use crate::engine::{self, Engine, Moved, Reader, random_hex};
use crate::http::{self, Part, Readiness};
use crate::http_client::HttpClient;
use crate::idempotency::Keys;
use crate::journal::Journal;
use crate::package_manager;
use crate::purchase::State;
use crate::purchase::rules::Rules;
use crate::replies::Replies;
use crate::telemetry::watchdog::Heartbeat;
use crate::telemetry::{self, systemd};
use crate::ussd::Dialogues;
use anyhow::{Context, anyhow};
use axum::Router;
pub use check::{Checked, check};
use links::Starter;
use paygate_parsers::msisdn::Country;
use rules::micros;
use secrecy::ExposeSecret;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{broadcast, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Keys remembered in this process when no Redis is configured.
const KEYS_IN_PROCESS: usize = 100_000;

/// A running daemon.
pub struct App {
    pub address: SocketAddr,
    pub journal: Journal,
    pub readiness: watch::Receiver<Readiness>,
    /// What is wrong now.
    pub alarms: watch::Receiver<Vec<Alarm>>,
    engine: Engine,
    heartbeat: Heartbeat,
    /// Ends the doors: nothing new comes in.
    doors: CancellationToken,
    /// Ends what only watches.
    rest: CancellationToken,
    tasks: TaskTracker,
}

impl App {
    /// Starts everything the configuration names. Neighbours need not be up: links and channels are tried for ever.
    ///
    /// # Errors
    /// What only a person can mend: the journal cannot be opened, the address is taken, a text or certificate is wrong.
    pub async fn start(config: &Config) -> anyhow::Result<Self> {
        let journal = Journal::open(&config.journal).await.context("the journal cannot be opened")?;
        let client = HttpClient::new().context("TLS cannot be set up on this machine")?;
        let listener = TcpListener::bind(config.http.listen).await.with_context(|| {
            format!("[http] listen = {} cannot be listened on; is another paygate running?", config.http.listen)
        })?;
        let address = listener.local_addr().context("the listening address cannot be read")?;
        let parts =
            config.smsc.iter().map(links::part_name).chain(gateways::parts(config)).chain(["journal".to_owned()]);
        let (readiness, ready) = watch::channel(Readiness::starting(parts));
        let (heartbeat, doors, rest, tasks) =
            (Heartbeat::default(), CancellationToken::new(), CancellationToken::new(), TaskTracker::new());
        let (senders, outboxes) = links::outboxes(config);
        let desk = desk(config, &journal, &client).await?;
        let (channels, for_partners) = (Arc::clone(&desk.channels), desk.clone());
        let country = desk.reader.country.clone();
        let clock = Clock::start(&journal, desk.landing()).await.context("the journal's clock cannot be read")?;
        let doubt = Doubt { max_lag: config.journal.max_lag, redelivery: config.purchase.redelivery_window };
        let keys = keys(config)?;
        let engine = Engine::start(engine::Parts {
            channel_places: places(&desk.channels),
            package_manager_places: config.package_manager.concurrency,
            keys: keys.clone(),
            settings: config.engine.clone(),
            journal: journal.clone(),
            doubt,
            clock,
            links: senders,
            heartbeat: heartbeat.clone(),
            desk,
        });
        let dialogues = dialogues(config, &for_partners, keys.clone(), &engine)?;
        let (intake, menus) = (engine.intake(), dialogues.as_ref());
        Starter { intake, menus, client: &client, readiness: &readiness, stop: &doors, tasks: &tasks }
            .start(config, outboxes)?;
        let metrics = telemetry::metrics::recorder().clone();
        let told = Arc::<Notifies>::default();
        let notifies =
            http::notify::State::new(&config.http, Arc::clone(&channels), engine.intake(), Arc::clone(&told));
        let (raised, alarms) = watch::channel(Vec::new());
        let care = care(config, &for_partners, &journal, &keys, Told::new(&ready, &alarms, &doors));
        let partners = http::partner::State::new(config, &for_partners, keys, engine.intake(), engine.frozen());
        let paged = channels.iter().map(|(name, it)| (name.to_owned(), it.capabilities().link_ttl.is_some()));
        let hearing = http::Hearing::default();
        let orders = http::Orders::new(config, country, paged, engine.intake(), journal.clone(), hearing.clone());
        let router =
            http::router(http::State::new(&config.http, &config.smsc, engine.intake(), ready.clone(), metrics))
                .merge(http::notify::router(notifies, &config.http))
                .merge(http::partner::router(partners, &config.http))
                .merge(orders.routes(&config.http))
                .merge(care);
        let router = match dialogues {
            Some(dialogues) => {
                tasks.spawn(rest.clone().run_until_cancelled_owned(dialogues.clone().keep_catalogue()));
                router.merge(http::ussd::router(http::ussd::State::new(config, dialogues), &config.http))
            }
            None => router,
        };
        if !config.app.is_empty() {
            tasks.spawn(hearing.hear(engine.moves()));
        }
        let (limits, stop) = (config.http.clone(), doors.clone());
        tasks.spawn(async move { http::serve(listener, router, &limits, stop.cancelled_owned()).await });
        tasks.spawn(rest.clone().run_until_cancelled_owned(telemetry::metrics::upkeep()));
        tasks.spawn(rest.clone().run_until_cancelled_owned(status::count_untold(engine.moves(), Arc::clone(&told))));
        let on_call = status::OnCall { watch: alarm::Watch::new(config.alarms.clone()), notifies: told, raised };
        tasks.spawn(rest.clone().run_until_cancelled_owned(status::watch(journal.clone(), readiness, on_call)));
        Ok(Self { address, journal, readiness: ready, alarms, engine, heartbeat, doors, rest, tasks })
    }

    /// Every durable step of every purchase from now on.
    #[must_use]
    pub fn moves(&self) -> broadcast::Receiver<Arc<Moved>> {
        self.engine.moves()
    }

    /// Closes the doors, lets what is under way finish within `[engine] drain`, and stops.
    pub async fn stop(self) {
        self.doors.cancel();
        self.engine.stop().await;
        self.rest.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

/// The daemon until it is told to stop (SIGTERM, SIGINT).
///
/// # Errors
/// As [`App::start`].
pub async fn run(config: Config) -> anyhow::Result<()> {
    let mut signals = StopSignals::listen()?;
    telemetry::metrics::register(&config, &State::ALL.map(State::as_str));
    status::register();
    let app = App::start(&config).await?;
    tracing::info!(message_id = telemetry::message_ids::STARTED, http = %app.address, "paygate is running");
    systemd::ready();
    let rest = app.rest.clone();
    app.tasks.spawn(rest.clone().run_until_cancelled_owned(status::tell_systemd(app.readiness.clone())));
    if let Some(every) = systemd::alive_every() {
        let feeding = telemetry::watchdog::feed(app.heartbeat.clone(), every, systemd::alive);
        app.tasks.spawn(rest.run_until_cancelled_owned(feeding));
    }
    let signal = signals.told().await;
    tracing::info!(
        message_id = telemetry::message_ids::STOPPING,
        signal,
        "stopping: no new messages, finishing what is under way"
    );
    systemd::stopping();
    app.stop().await;
    Ok(())
}

/// The signals that end a daemon. Listened to before anything is started: one that comes early is heard all the same.
pub(crate) struct StopSignals {
    terminate: Signal,
    interrupt: Signal,
}

impl StopSignals {
    pub(crate) fn listen() -> anyhow::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate()).context("SIGTERM cannot be waited for")?,
            interrupt: signal(SignalKind::interrupt()).context("SIGINT cannot be waited for")?,
        })
    }

    pub(crate) async fn told(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}

/// The care page; nothing where none is configured.
fn care(config: &Config, desk: &Desk, journal: &Journal, keys: &Keys, told: Told) -> Router {
    let Some(settings) = &config.care else { return Router::new() };
    Care::new(config, settings, desk, journal.clone(), keys.clone(), told).routes(&config.http)
}

/// The rules of this configuration, for whoever asks whether something may be done and does nothing itself. Codes are made with
/// none of it.
///
/// # Errors
/// TLS cannot be set up on this machine.
pub(crate) fn policy(config: &Config) -> anyhow::Result<Rules> {
    let client = HttpClient::new().context("TLS cannot be set up on this machine")?;
    Ok(rules::rules(config, &Channels::new(&config.charging, &client), ""))
}

async fn desk(config: &Config, journal: &Journal, client: &HttpClient) -> anyhow::Result<Desk> {
    let channels = Arc::new(Channels::new(&config.charging, client));
    let secret = code_secret(config, journal).await?;
    Ok(Desk {
        rules: Rules { frozen: journal.frozen().await?, ..rules::rules(config, &channels, &secret) },
        reader: reader(config)?,
        replies: replies(config)?,
        link_channels: config.smsc.iter().map(|smsc| (smsc.name.clone(), smsc.charging.clone())).collect(),
        package_manager: Arc::new(package_manager::Client::new(&config.package_manager, client.clone())),
        channels,
        redelivery_window: micros(config.purchase.redelivery_window),
        parts_window: micros(config.purchase.parts_window),
        reply_lease: micros(config.engine.reply_lease),
        reply_pause: micros(config.engine.reply_pause),
        reply_doubt: micros(config.engine.reply_doubt),
    })
}

/// What codes are derived with: configured, or made once and shared by all who share the journal.
async fn code_secret(config: &Config, journal: &Journal) -> anyhow::Result<String> {
    if let Some(secret) = &config.purchase.code_key {
        return Ok(secret.expose_secret().to_owned());
    }
    journal
        .set_setting_once("code_key", &(random_hex() + &random_hex()))
        .await
        .context("the code key cannot be kept in the journal")
}

fn reader(config: &Config) -> anyhow::Result<Reader> {
    let alphabets = config.smsc.iter().filter_map(|smsc| match &smsc.kind {
        LinkKind::Smpp(link) => Some((smsc.name.clone(), link.default_alphabet)),
        LinkKind::Kannel(_) => None,
    });
    Ok(Reader {
        country: Country::new(&config.purchase.country_code).context("[purchase] country_code")?,
        syntax: config.syntax.clone(),
        alphabets: alphabets.collect(),
    })
}

/// The texts, checked; every fault in them is named.
pub(crate) fn replies(config: &Config) -> anyhow::Result<Replies> {
    let word = |words: &[String], default: &str| words.first().map_or_else(|| default.to_owned(), Clone::clone);
    let (buy, cancel) = (word(&config.syntax.buy, "ON"), word(&config.syntax.cancel, "HUY"));
    Replies::new(&config.replies, &config.purchase.hotline, &buy, &cancel).map_err(|errors| anyhow!(errors.join("\n")))
}

/// What a dialled code shows, where there is a menu.
fn dialogues(config: &Config, desk: &Desk, keys: Keys, engine: &Engine) -> anyhow::Result<Option<Dialogues>> {
    let dialogues =
        config.menu.as_ref().map(|menu| Dialogues::new(config, menu, desk, keys, engine.intake(), engine.frozen()));
    dialogues.transpose().map_err(|errors| anyhow!(errors.join("\n")))
}

fn keys(config: &Config) -> anyhow::Result<Keys> {
    match &config.redis {
        Some(redis) => Keys::redis(redis).context("[redis]"),
        None => Ok(Keys::process(KEYS_IN_PROCESS)),
    }
}

fn places(channels: &Channels) -> BTreeMap<String, usize> {
    channels.iter().map(|(name, channel)| (name.to_owned(), channel.capabilities().concurrency)).collect()
}

/// Marks a part ready or says why not.
fn mark(readiness: &watch::Sender<Readiness>, part: &str, state: Part) {
    readiness.send_if_modified(|parts| parts.set(part, state));
}
