//! A telephone that dials: what it shows of the dialogue, and what is keyed into it. The dialogue goes to the daemon by a
//! gateway's own wire; what became of a purchase, the journal says.

use super::gloss::gloss;
use super::stage::{Refusal, Stage};
use crate::sandbox::dialogues::{DialogueId, Shown};
use crate::sandbox::gateways::{DialogueFaults, Offered};
use serde::Serialize;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::sleep;

/// Characters that can be dialled, or keyed in at once.
const KEYED_MAX: usize = 64;
/// How long the network waits for a screen before it gives the dialogue up.
const SCREEN_WITHIN: Duration = Duration::from_secs(4);
/// How long it leaves a screen unanswered.
const UNANSWERED_MAX: Duration = Duration::from_secs(180);
const NO_ANSWER: &str = "No answer: the network gave the dialogue up.";
const BROKEN: &str = "Connection problem: the dialogue broke off.";

/// A dialogue as its telephone shows it.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Call {
    /// Tells it from the one after it.
    #[serde(skip)]
    number: u64,
    #[serde(skip)]
    by: Offered,
    /// The gateway's own name of it, once it was dialled.
    #[serde(skip)]
    id: Option<DialogueId>,
    /// Steps made; of two of them only the newest is waited for.
    step: u32,
    /// Empty while nothing was shown.
    text: String,
    /// What it says, in English.
    gloss: Option<String>,
    is: Stands,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Stands {
    /// For the network.
    Waiting,
    /// For what the subscriber keys in.
    Asking,
    Over,
}

impl Stage {
    /// Dials; what is shown then comes with the telephone. A dialogue before it is hung up.
    pub(super) async fn dial(self: &Arc<Self>, number: &str, gateway: &str, dialled: &str) -> Result<(), Refusal> {
        let by = Offered::named(gateway).ok_or_else(|| Refusal::NoGateway(gateway.to_owned()))?;
        let dialled = dialled.trim();
        let is_code = dialled.starts_with('*') && dialled.ends_with('#') && dialled.len() <= KEYED_MAX;
        if !is_code || dialled.chars().any(char::is_control) {
            return Err(Refusal::NotDialled);
        }
        self.hang_up(number).await?;
        let (call, msisdn) = self.with_phone(number, |phone| {
            phone.calls += 1;
            phone.call = Some(Call {
                number: phone.calls,
                by,
                id: None,
                step: 0,
                text: String::new(),
                gloss: None,
                is: Stands::Waiting,
            });
            (phone.calls, phone.digits())
        })?;
        let (stage, number, dialled) = (Arc::clone(self), number.to_owned(), dialled.to_owned());
        tokio::spawn(async move { stage.converse(&number, call, by, &msisdn, &dialled).await });
        self.nudged.notify_one();
        Ok(())
    }

    /// Keys in an answer to the screen that is shown.
    pub(super) async fn key(self: &Arc<Self>, number: &str, text: &str) -> Result<(), Refusal> {
        let text = text.trim();
        if text.is_empty() || text.len() > KEYED_MAX || text.chars().any(char::is_control) {
            return Err(Refusal::NotKeyed);
        }
        let keyed = self.with_phone(number, |phone| {
            let call = phone.call.as_mut().filter(|call| call.is == Stands::Asking)?;
            (call.is, call.step) = (Stands::Waiting, call.step + 1);
            Some((call.number, call.step, call.by, call.id?))
        })?;
        let (call, step, by, id) = keyed.ok_or(Refusal::NoScreen)?;
        let (stage, number, text) = (Arc::clone(self), number.to_owned(), text.to_owned());
        tokio::spawn(async move {
            let neighbours = &stage.neighbours;
            let answered = neighbours.gateways.answer(&neighbours.smsc, by, id, &text);
            tokio::join!(answered, stage.gives_up(&number, call, step));
        });
        self.nudged.notify_one();
        Ok(())
    }

    /// Hangs up, and takes the last screen from the telephone.
    pub(super) async fn hang_up(&self, number: &str) -> Result<(), Refusal> {
        let call = self.with_phone(number, |phone| phone.call.take())?;
        if let Some(Call { by, id: Some(id), is, .. }) = call
            && is != Stands::Over
        {
            self.neighbours.gateways.abort(&self.neighbours.smsc, by, id).await;
        }
        self.nudged.notify_one();
        Ok(())
    }

    /// A dialogue from its first step to its last screen.
    async fn converse(self: Arc<Self>, number: &str, call: u64, by: Offered, msisdn: &str, dialled: &str) {
        let (gateways, smsc) = (&self.neighbours.gateways, &self.neighbours.smsc);
        let (stage, phone) = (Arc::clone(&self), number.to_owned());
        tokio::spawn(async move { stage.gives_up(&phone, call, 0).await });
        let id = gateways.dial(smsc, by, msisdn, dialled).await;
        if self.with_call(number, call, |call| call.id = Some(id)).is_none() {
            return gateways.abort(smsc, by, id).await;
        }
        while let Some(shown) = gateways.next_screen(smsc, by, id, UNANSWERED_MAX).await {
            if self.is_over_after(number, call, shown).await {
                return;
            }
        }
        self.breaks_off(number, call, NO_ANSWER, |_| true).await;
    }

    /// Shows a screen, if it comes so far.
    async fn is_over_after(&self, number: &str, call: u64, shown: Shown) -> bool {
        let ends = shown.ends;
        let faults = |faults: &mut DialogueFaults| (faults.take_lost_screen(), ends && faults.take_drop());
        match self.neighbours.gateways.faults(faults) {
            (_, true) => self.breaks_off(number, call, BROKEN, |_| true).await,
            (true, false) => return false,
            (false, false) => drop(self.with_call(number, call, |call| call.show(shown))),
        }
        self.nudged.notify_one();
        ends || self.with_call(number, call, |_| ()).is_none()
    }

    /// Ends a dialogue whose step brings no screen in time.
    async fn gives_up(&self, number: &str, call: u64, step: u32) {
        sleep(SCREEN_WITHIN).await;
        self.breaks_off(number, call, NO_ANSWER, |call| call.step == step && call.is == Stands::Waiting).await;
    }

    /// Both sides hear of it, as far as the gateway tells anybody.
    async fn breaks_off(&self, number: &str, call: u64, why: &str, only: impl FnOnce(&Call) -> bool) {
        let broken = self.with_call(number, call, |call| only(call).then(|| call.breaks(why)));
        if let Some((by, id)) = broken.flatten().flatten() {
            self.neighbours.gateways.abort(&self.neighbours.smsc, by, id).await;
        }
        self.nudged.notify_one();
    }

    /// `None` where the telephone is at another call by now.
    fn with_call<T>(&self, number: &str, call: u64, act: impl FnOnce(&mut Call) -> T) -> Option<T> {
        let at = |phone: &mut super::phones::Phone| phone.call.as_mut().filter(|now| now.number == call).map(act);
        self.with_phone(number, at).ok().flatten()
    }
}

impl Call {
    fn show(&mut self, shown: Shown) {
        if self.is == Stands::Over {
            return;
        }
        self.gloss = gloss(&shown.text);
        self.text = shown.text;
        self.is = if shown.ends { Stands::Over } else { Stands::Asking };
    }

    /// What is to be aborted.
    fn breaks(&mut self, why: &str) -> Option<(Offered, DialogueId)> {
        (self.text, self.gloss, self.is) = (why.to_owned(), None, Stands::Over);
        Some((self.by, self.id?))
    }
}
