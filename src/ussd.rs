//! Dialogues: a menu on the screen of any phone, whichever gateway brings its steps. Answers each step in time, and never waits
//! for a charge: what was agreed to is handed to the engine, and its result is texted.

mod answer;
mod catalogue;
mod gateway;
mod in_turn;
pub mod line;
mod menu;
mod open;
mod screens;
mod session;
mod wanted;

pub use catalogue::Catalogue;
pub use in_turn::{InTurn, Stepping};
pub use screens::{SEPTETS, Screens};

use crate::config::{self, Config};
use crate::engine::Frozen;
use crate::engine::desk::Desk;
use crate::engine::door::Delivery;
use crate::idempotency::Keys;
use crate::package_manager;
use crate::telemetry::metrics::{USSD_ANSWER, USSD_HOPS, USSD_LATE};
use crate::telemetry::sparing::Sparing;
use gateway::Gateway;
use open::Open;
use paygate_parsers::msisdn::Country;
use paygate_parsers::request::AccountForm;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, timeout_at};

/// One step of a dialogue, as any gateway tells it.
#[derive(Clone, Debug)]
pub struct Hop {
    /// The gateway's configured name.
    pub gateway: String,
    /// The gateway's name of the dialogue; where it has none, `from` as it stands here, and then a begin while another dialogue
    /// of that phone is under way is a new one.
    pub session: String,
    /// The phone as the gateway wrote it.
    pub from: String,
    /// Such as `*098#`; empty where only the dialled string says it.
    pub service_code: String,
    /// The gateway says that the dialogue begins.
    pub begins: bool,
    /// The step's own number, or a hash of its id: the same again is answered the same. `None` where the gateway has none.
    pub sequence: Option<u32>,
    pub input: HopInput,
}

impl Hop {
    /// The gateway has no name for the dialogue but the phone.
    fn is_named_by_phone(&self) -> bool {
        self.session == self.from
    }
}

/// What came with a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HopInput {
    /// The whole dialled string, `*098*1*2#`: of the first step.
    Dialled(String),
    /// All inputs so far, joined by `*`.
    Whole(String),
    /// The last input alone.
    Last(String),
    /// The dialogue is over: aborted, timed out, or ended by us and told so.
    Ended,
}

/// What the phone shows, at most [`SEPTETS`] of GSM 7-bit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Screen {
    /// Waits for an answer.
    Ask(String),
    /// Closes the dialogue.
    End(String),
}

impl Screen {
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::Ask(text) | Self::End(text) => text,
        }
    }
}

/// All dialogues of one instance. Cheap to clone.
#[derive(Clone)]
pub struct Dialogues(Arc<Inner>);

struct Inner {
    gateways: BTreeMap<String, Gateway>,
    settings: config::Menu,
    screens: Screens,
    /// `None` until the package manager's list was read once.
    catalogue: watch::Sender<Option<Arc<Catalogue>>>,
    package_manager: Arc<package_manager::Client>,
    keys: Keys,
    intake: mpsc::Sender<Delivery>,
    /// Channels where nothing new may begin.
    frozen: Frozen,
    country: Country,
    account: AccountForm,
    open: Open,
    /// For what stands in the way of an answer, which comes as often as somebody dials.
    sparing: Sparing,
}

impl Dialogues {
    /// `desk` has what the engine knows of packages, numbers and channels; `intake` is the engine's bounded queue, and
    /// `frozen` where nothing new may begin.
    ///
    /// # Errors
    /// Every fault of `[menu.screens]`, one line each.
    pub fn new(
        config: &Config,
        menu: &config::Menu,
        desk: &Desk,
        keys: Keys,
        intake: mpsc::Sender<Delivery>,
        frozen: Frozen,
    ) -> Result<Self, Vec<String>> {
        let gateway = |(name, settings): (&String, &config::Ussd)| {
            (name.clone(), Gateway::new(name, settings, config, &desk.channels))
        };
        Ok(Self(Arc::new(Inner {
            gateways: config.ussd.iter().map(gateway).collect(),
            settings: menu.clone(),
            screens: Screens::new(&menu.screens, &config.purchase.hotline)?,
            catalogue: watch::channel(None).0,
            package_manager: Arc::clone(&desk.package_manager),
            keys,
            intake,
            frozen,
            country: desk.reader.country.clone(),
            account: desk.reader.syntax.account,
            open: Open::default(),
            sparing: Sparing::default(),
        })))
    }

    /// Keeps the package manager's list, until it is dropped.
    pub async fn keep_catalogue(self) {
        let (inner, menu) = (&self.0, &self.0.settings);
        let (list, services) = (inner.catalogue.clone(), menu.services.clone());
        catalogue::keep(list, Arc::clone(&inner.package_manager), services, menu.list_max_age, menu.list_retry).await;
    }

    /// The screen that follows, always within `[menu] answer_within`. What is shown after an end nobody sees.
    pub async fn step(&self, hop: Hop) -> Screen {
        let inner = &self.0;
        let (began, gateway) = (Instant::now(), hop.gateway.clone());
        // What is left is for the way back.
        let deadline = began + inner.settings.answer_within - inner.settings.answer_within / 16;
        let (outcome, screen) = match timeout_at(deadline, inner.answer(&hop, deadline)).await {
            Ok(answered) => answered,
            Err(_) => {
                metrics::counter!(USSD_LATE, "gateway" => gateway.clone()).increment(1);
                // Whether the consent was taken is not known here; the words leave it open.
                ("late", Screen::End(inner.screens.screen("too_late", &[], None)))
            }
        };
        metrics::counter!(USSD_HOPS, "gateway" => gateway.clone(), "outcome" => outcome).increment(1);
        metrics::histogram!(USSD_ANSWER, "gateway" => gateway).record(began.elapsed());
        screen
    }
}
