//! The phones at a simulated USSD gateway: what they dialled and keyed in, each screen they were shown, and how each
//! dialogue ended. Kept by the gateway itself as a second opinion; knows no wire, and nothing of menus.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::timeout;

/// Names one dialogue of one simulated gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DialogueId(usize);

impl DialogueId {
    /// Its place among the gateway's dialogues.
    pub(super) const fn place(self) -> usize {
        self.0
    }
}

/// A screen as a phone shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    pub text: String,
    /// The dialogue ended with it: nothing can be keyed in any more.
    pub ends: bool,
}

/// How a dialogue stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stands {
    Open,
    /// By the last screen.
    Ended,
    /// The subscriber hung up, or the network did.
    Aborted,
}

/// The gateway's record of one dialogue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dialogue {
    /// As the gateway writes it: `84912345678`.
    pub msisdn: String,
    pub dialled: String,
    /// What was keyed in, in order.
    pub keyed: Vec<String>,
    /// Every screen, in order.
    pub screens: Vec<Shown>,
    pub stands: Stands,
    /// The gateway's number of it on the wire.
    pub(super) number: u16,
}

impl Dialogue {
    /// The service code of what was dialled: `*098#` of `*098*1*2#`.
    #[must_use]
    pub fn service_code(&self) -> String {
        let first = self.dialled.trim_matches(['*', '#']).split(['*', '#']).next().unwrap_or_default();
        format!("*{first}#")
    }

    /// Hops before the one that is made now.
    pub(super) fn hops(&self) -> u16 {
        u16::try_from(self.keyed.len()).unwrap_or(u16::MAX)
    }
}

/// One dialogue, with what its phone has not looked at yet.
#[derive(Debug)]
struct Open {
    dialogue: Dialogue,
    unseen: VecDeque<Shown>,
    arrival: Arc<Notify>,
}

/// All dialogues of one gateway. No lock is held across an await.
#[derive(Debug, Default)]
pub(super) struct Dialogues(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    all: Vec<Open>,
    strays: usize,
}

impl Kept {
    fn show(&mut self, at: Option<usize>, shown: Shown) -> bool {
        let Some(open) = at.and_then(|at| self.all.get_mut(at)) else {
            self.strays += 1;
            return false;
        };
        if shown.ends {
            open.dialogue.stands = Stands::Ended;
        }
        open.dialogue.screens.push(shown.clone());
        open.unseen.push_back(shown);
        open.arrival.notify_waiters();
        true
    }
}

impl Dialogues {
    pub(super) fn open(&self, msisdn: &str, dialled: &str) -> DialogueId {
        let mut kept = self.kept();
        let id = kept.all.len();
        // The low octet is left free: some dialects count hops there.
        let number = u16::try_from(id % 255 + 1).unwrap_or_default() << 8;
        let (msisdn, dialled) = (msisdn.trim_start_matches('+').to_owned(), dialled.to_owned());
        let dialogue =
            Dialogue { msisdn, dialled, keyed: Vec::new(), screens: Vec::new(), stands: Stands::Open, number };
        kept.all.push(Open { dialogue, unseen: VecDeque::new(), arrival: Arc::default() });
        DialogueId(id)
    }

    /// Files what was keyed in, and returns the dialogue as it then is.
    pub(super) fn key(&self, id: DialogueId, text: &str) -> Dialogue {
        let mut kept = self.kept();
        let dialogue = &mut kept.all[id.0].dialogue;
        dialogue.keyed.push(text.to_owned());
        dialogue.clone()
    }

    pub(super) fn abort(&self, id: DialogueId) -> Dialogue {
        let mut kept = self.kept();
        let dialogue = &mut kept.all[id.0].dialogue;
        if dialogue.stands == Stands::Open {
            dialogue.stands = Stands::Aborted;
        }
        dialogue.clone()
    }

    /// Shows a screen to the newest open dialogue that `fits`; false where there is none, and the screen is a stray.
    pub(super) fn show(&self, fits: impl Fn(&Dialogue) -> bool, shown: Shown) -> bool {
        let mut kept = self.kept();
        let at = kept.all.iter().rposition(|open| open.dialogue.stands == Stands::Open && fits(&open.dialogue));
        kept.show(at, shown)
    }

    /// Shows a screen to this dialogue; false where it is over, and the screen is a stray. Needs no search, which among
    /// thousands would be felt.
    pub(super) fn show_in(&self, id: DialogueId, shown: Shown) -> bool {
        let mut kept = self.kept();
        let at = Some(id.0).filter(|at| kept.all[*at].dialogue.stands == Stands::Open);
        kept.show(at, shown)
    }

    /// The first screen that no earlier call has returned; `None` when none comes within `wait`.
    pub(super) async fn next_screen(&self, id: DialogueId, wait: Duration) -> Option<Shown> {
        let next = async {
            loop {
                let arrival = Arc::clone(&self.kept().all[id.0].arrival);
                let mut arrived = std::pin::pin!(arrival.notified());
                // Listening must begin before looking, or a screen between the two would be missed.
                arrived.as_mut().enable();
                if let Some(shown) = self.kept().all[id.0].unseen.pop_front() {
                    return shown;
                }
                arrived.await;
            }
        };
        timeout(wait, next).await.ok()
    }

    pub(super) fn get(&self, id: DialogueId) -> Dialogue {
        self.kept().all[id.0].dialogue.clone()
    }

    pub(super) fn all(&self) -> Vec<Dialogue> {
        self.kept().all.iter().map(|open| open.dialogue.clone()).collect()
    }

    /// Screens for dialogues that were over, or never were.
    pub(super) fn strays(&self) -> usize {
        self.kept().strays
    }

    // A panic elsewhere leaves books that are still worth reading.

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
