//! Dialogues: a menu on the screen of any phone, whichever gateway brings its steps. Answers each step in time, and never waits
//! for a charge: what was agreed to is handed to the engine, and its result is texted.

pub mod line;

use crate::config::{Config, Menu};
use crate::engine::desk::Desk;
use crate::engine::door::Delivery;
use crate::idempotency::Keys;
use std::sync::Arc;
use tokio::sync::mpsc;

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

/// What came with a step.
#[derive(Clone, Debug, PartialEq, Eq)]
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

/// What the phone shows, at most 182 septets of GSM 7-bit.
#[derive(Clone, Debug, PartialEq, Eq)]
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
    first: String,
}

impl Dialogues {
    /// `desk` has what the engine knows of packages, numbers and channels; `intake` is the engine's bounded queue.
    ///
    /// # Errors
    /// Every fault of `[menu.screens]`, one line each.
    pub fn new(
        _config: &Config,
        menu: &Menu,
        _desk: &Desk,
        _keys: Keys,
        _intake: mpsc::Sender<Delivery>,
    ) -> Result<Self, Vec<String>> {
        Ok(Self(Arc::new(Inner { first: menu.services.join("\n") })))
    }

    /// The screen that follows, always within `[menu] answer_within`. What is shown after an end nobody sees.
    pub async fn step(&self, hop: Hop) -> Screen {
        match hop.input {
            HopInput::Dialled(_) => Screen::Ask(self.0.first.clone()),
            HopInput::Whole(_) | HopInput::Last(_) | HopInput::Ended => Screen::End("Moi bam lai.".to_owned()),
        }
    }
}
