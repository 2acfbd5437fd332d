//! Dialogues over a link: a `deliver_sm` that bears an operation becomes a hop for the menus, their screen a `submit_sm` by
//! the same link. Journals nothing: a dialogue that is lost begins anew, and a purchase is the engine's from the consent on.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use metrics::{Counter, counter};
use paygate_parsers::smpp::message::Message;
use paygate_parsers::smpp::ussd::{self, Back, Dialect, Event};
use tracing::debug;

use super::LinkSettings;
use super::window::{Outgoing, Ticket};
use crate::engine::door::Submitted;
use crate::ussd::{Hop, HopInput, Screen};

/// How the USSD gateway at the other end of a link speaks, and how much of it is taken.
#[derive(Clone, Debug)]
pub struct UssdLink {
    /// The gateway's configured name.
    pub gateway: String,
    pub dialect: Dialect,
    /// Hops under way at once; the gateway is told to send more of them again.
    pub concurrency: usize,
    /// How long a screen may wait for its turn on the link. Its phone does not wait for ever.
    pub screen_ttl: Duration,
}

/// What a `deliver_sm` of a dialogue asks for.
pub(super) enum Asks {
    /// A screen, or at least that the dialogue's end is known.
    Step(Box<(Hop, Back)>),
    /// Nothing.
    Nothing,
}

/// `None` where the message is no part of a dialogue, or nobody here serves dialogues.
pub(super) fn read(settings: &LinkSettings, message: &Message) -> Option<Asks> {
    let link = settings.ussd.as_ref()?;
    let ussd::Hop { event, session, sequence, msisdn, code, text, back } =
        ussd::read(&link.dialect, settings.default_alphabet, message)?;
    let input = match event {
        Event::Begins => HopInput::Dialled(text),
        Event::Answers => HopInput::Last(text),
        Event::Over => HopInput::Ended,
        Event::Notice => return Some(Asks::Nothing),
    };
    let begins = event == Event::Begins;
    let gateway = link.gateway.clone();
    let hop = Hop { gateway, session, from: msisdn, service_code: code, begins, sequence, input };
    Some(Asks::Step(Box::new((hop, back))))
}

/// Screens of which an answer is still to come.
pub(super) struct Screens {
    open: HashSet<Ticket>,
    sent: Counter,
    refused: Counter,
    lost: Counter,
}

impl Screens {
    pub(super) fn new(settings: &LinkSettings) -> Self {
        let gateway = settings.ussd.as_ref().map(|link| link.gateway.clone()).unwrap_or_default();
        let screens =
            |outcome| counter!("paygate_ussd_screens_total", "gateway" => gateway.clone(), "outcome" => outcome);
        Self { open: HashSet::new(), sent: screens("sent"), refused: screens("refused"), lost: screens("lost") }
    }

    /// A screen on its way. It is not tried again after an error of its own, which says that its dialogue is gone.
    pub(super) fn open(
        &mut self,
        link: &UssdLink,
        ticket: Ticket,
        back: &Back,
        screen: &Screen,
        now: Instant,
    ) -> Outgoing {
        self.open.insert(ticket);
        let (text, ends) = match screen {
            Screen::Ask(text) => (text, false),
            Screen::End(text) => (text, true),
        };
        let message = ussd::screen(&link.dialect, back, text, ends);
        Outgoing { ticket, message, follows: false, not_after: now + link.screen_ttl, failures: u32::MAX }
    }

    /// Counts what became of a screen; false where the ticket is that of a reply.
    pub(super) fn settle(&mut self, ticket: Ticket, outcome: &Submitted) -> bool {
        if !self.open.remove(&ticket) {
            return false;
        }
        match outcome {
            Submitted::Accepted { .. } => self.sent.increment(1),
            Submitted::Refused { .. } => self.refused.increment(1),
            Submitted::NotSent(_) | Submitted::Unknown(_) => self.lost.increment(1),
        }
        debug!(?outcome, "a screen is settled");
        true
    }
}
