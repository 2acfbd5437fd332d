//! Phones that dial through the simulated SMSC. Each hop is a `deliver_sm` in the dialect that the settings name, each
//! screen a `submit_sm` that bears an operation; both are kept apart from texts.

use std::time::Duration;

use paygate_parsers::smpp::message::Message;
use paygate_parsers::smpp::ussd::{self, Event, Handset};

use super::{AckStatus, Mo, Shared, Smsc};
use crate::sandbox::dialogues::{Dialogue, DialogueId, Shown};

impl Smsc {
    /// Dials. Whether the gateway under test took the hop is in [`Smsc::hops`]; what it shows comes with
    /// [`Smsc::next_screen`].
    pub async fn dial(&self, msisdn: &str, dialled: &str) -> DialogueId {
        let id = self.shared.dialogues.open(msisdn, dialled);
        self.hop(&self.dialogue(id), 0, Event::Begins, dialled).await;
        id
    }

    /// Keys in an answer.
    pub async fn answer(&self, id: DialogueId, text: &str) -> AckStatus {
        let dialogue = self.shared.dialogues.key(id, text);
        self.hop(&dialogue, dialogue.hops(), Event::Answers, text).await
    }

    /// Hangs up.
    pub async fn abort(&self, id: DialogueId) -> AckStatus {
        let dialogue = self.shared.dialogues.abort(id);
        self.hop(&dialogue, dialogue.hops() + 1, Event::Over, "").await
    }

    /// The first screen that no earlier call has returned; `None` when none comes within `wait`.
    pub async fn next_screen(&self, id: DialogueId, wait: Duration) -> Option<Shown> {
        self.shared.dialogues.next_screen(id, wait).await
    }

    #[must_use]
    pub fn dialogue(&self, id: DialogueId) -> Dialogue {
        self.shared.dialogues.get(id)
    }

    #[must_use]
    pub fn dialogues(&self) -> Vec<Dialogue> {
        self.shared.dialogues.all()
    }

    /// Screens for dialogues that were over, or never were.
    #[must_use]
    pub fn stray_screens(&self) -> usize {
        self.shared.dialogues.strays()
    }

    /// How each hop was answered, in order, those sent twice included.
    #[must_use]
    pub fn hops(&self) -> Vec<AckStatus> {
        self.shared.hops().clone()
    }

    async fn hop(&self, dialogue: &Dialogue, hops: u16, event: Event, text: &str) -> AckStatus {
        let handset =
            Handset { msisdn: dialogue.msisdn.clone(), code: dialogue.service_code(), number: dialogue.number };
        let message = ussd::deliver(&self.shared.settings.dialect, &handset, hops, event, text);
        let mo = Mo { message, ..Mo::default() };
        let times = if self.shared.faults().take_doubled_hop() { 2 } else { 1 };
        let mut status = AckStatus::NotBound;
        for _ in 0..times {
            status = self.exchange(&mo).await;
            self.shared.hops().push(status);
        }
        status
    }
}

impl Shared {
    /// Shows what may be a screen: `None` for a text, else whether there was a dialogue to show it.
    pub(super) fn show(&self, message: &Message) -> Option<bool> {
        let dialect = &self.settings.dialect;
        let ussd::Shown { msisdn, number, text, ends } = ussd::shown(dialect, message)?;
        let fits =
            |dialogue: &Dialogue| dialogue.msisdn == msisdn && number.is_none_or(|number| number == dialogue.number);
        Some(self.dialogues.show(fits, Shown { text, ends }))
    }
}
