//! Phones that dial: each chooses the first of everything up to the consent, holds its dialogue open there, and agrees when it
//! is told to. Times each screen that they wait for.

use crate::daemon::GATEWAY;
use crate::load::{Load, Times, all, tells_done};
use paygate::sandbox::dialogues::{Dialogue, DialogueId, Shown, Stands};
use paygate::sandbox::smsc::MtText;
use paygate::sandbox::ussd_http::{HttpGateway, HttpGatewaySettings};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// The times of screens, by what stands behind each, and of what follows the last.
#[derive(Default)]
pub(crate) struct Screens {
    /// Only what is remembered of the dialogue.
    pub(crate) menu: Times,
    /// The package manager's answer.
    pub(crate) consent: Times,
    /// The commit of what was agreed to.
    pub(crate) taken: Times,
    /// From the consent to the text that tells that it is done.
    pub(crate) told: Times,
}

/// All phones, and the gateway that they dial through.
pub(crate) struct Phones<'l> {
    gateway: Arc<HttpGateway>,
    seen: Arc<Mutex<Screens>>,
    load: &'l Load,
}

/// Dialogues by the gateway's own books.
pub(crate) struct Books {
    /// With the consent on the phone.
    pub(crate) open: usize,
    pub(crate) agreed: usize,
}

/// A phone with the consent on its screen.
pub(crate) struct Phone {
    gateway: Arc<HttpGateway>,
    seen: Arc<Mutex<Screens>>,
    dialogue: DialogueId,
    agrees: String,
    /// The first that it is sent.
    text: oneshot::Receiver<MtText>,
}

impl<'l> Phones<'l> {
    pub(crate) fn new(door: &str, load: &'l Load) -> Self {
        let gateway = HttpGateway::new(HttpGatewaySettings { name: GATEWAY.to_owned(), ..Default::default() });
        gateway.is_told_of(door);
        Self { gateway: Arc::new(gateway), seen: Arc::default(), load }
    }

    /// `count` phones dial, `at_once` of them at a time; those that came to the consent.
    pub(crate) async fn dial(&self, count: u32, at_once: u32) -> Vec<Phone> {
        let phones = (0..count).map(|_| self.dials());
        all(phones, at_once, None).await.into_iter().flatten().collect()
    }

    /// These agree, `at_once` of them at a time; how many were told that they have bought.
    pub(crate) async fn agree(&self, phones: Vec<Phone>, at_once: u32) -> u32 {
        self.told(&all(phones.into_iter().map(Phone::agrees), at_once, None).await)
    }

    /// `count` phones dial and agree, evenly at `rate` a second if there is one; how many were told that they have bought.
    pub(crate) async fn buy(&self, count: u32, at_once: u32, rate: Option<f64>) -> u32 {
        let phones = (0..count).map(|_| self.dials());
        let buying = phones.map(|phone| async { phone.await?.agrees().await });
        self.told(&all(buying, at_once, rate).await)
    }

    /// What was seen since the last look.
    pub(crate) fn seen(&self) -> Screens {
        std::mem::take(&mut *self.seen.lock().unwrap())
    }

    pub(crate) fn books(&self) -> Books {
        let dialogues = self.gateway.dialogues();
        let waits = |one: &&Dialogue| one.stands == Stands::Open && one.screens.last().and_then(agrees).is_some();
        let open = dialogues.iter().filter(waits).count();
        Books { open, agreed: dialogues.iter().filter(|one| was_agreed_to(one)).count() }
    }

    fn told(&self, phones: &[Option<()>]) -> u32 {
        let done = phones.iter().flatten().count() as u32;
        self.load.completed.fetch_add(done, Ordering::Relaxed);
        done
    }

    /// A phone that nobody has had before dials, and comes to the consent.
    fn dials(&self) -> impl Future<Output = Option<Phone>> + Send + use<> {
        let (gateway, seen) = (Arc::clone(&self.gateway), Arc::clone(&self.seen));
        let number = self.load.number();
        let text = self.load.text_to(&number);
        async move {
            let mut asked = Instant::now();
            let dialogue = gateway.dial(&number, "*098#").await;
            loop {
                // The gateway has been answered by now, or never will be.
                let shown = gateway.next_screen(dialogue, Duration::ZERO).await?;
                if let Some(agrees) = agrees(&shown) {
                    seen.lock().unwrap().consent.add(asked.elapsed());
                    return Some(Phone { gateway, seen, dialogue, agrees, text });
                }
                (!shown.ends).then_some(())?;
                seen.lock().unwrap().menu.add(asked.elapsed());
                asked = Instant::now();
                gateway.answer(dialogue, "1").await;
            }
        }
    }
}

impl Phone {
    /// Agrees, and waits for the text that tells that it is done.
    async fn agrees(self) -> Option<()> {
        let agreed = Instant::now();
        self.gateway.answer(self.dialogue, &self.agrees).await;
        self.gateway.next_screen(self.dialogue, Duration::ZERO).await.filter(|shown| shown.ends)?;
        self.seen.lock().unwrap().taken.add(agreed.elapsed());
        self.text.await.ok().filter(tells_done)?;
        self.seen.lock().unwrap().told.add(agreed.elapsed());
        Some(())
    }
}

/// What agrees on this screen, where it asks for consent.
fn agrees(shown: &Shown) -> Option<String> {
    shown.text.lines().find_map(|line| line.strip_suffix(". Dong y mua")).map(str::to_owned)
}

fn was_agreed_to(dialogue: &Dialogue) -> bool {
    dialogue.screens.iter().zip(&dialogue.keyed).any(|(shown, keyed)| agrees(shown).as_ref() == Some(keyed))
}
