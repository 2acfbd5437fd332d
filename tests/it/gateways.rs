//! Phones that dial, by each gateway that brings dialogues over a socket of its own kind: what is dialled at one end is seen
//! in the package manager's books at the other.

mod line;
mod smpp;

use crate::world::{PATIENCE, World};
use paygate::sandbox::dialogues::{DialogueId, Shown};
use paygate::sandbox::smsc::Smsc;
use paygate::sandbox::ussd_line::LineGateway;

/// The subscriber of these tests.
const PHONE: &str = "84854689520";

/// A menu that is patient with a slow machine.
const MENU: &str = r#"
[http]
request_timeout = "90s"
[menu]
services = ["VIP"]
answer_within = "60s"
list_retry = "20ms"
"#;

/// What a phone dials through.
#[derive(Clone, Copy)]
enum Gateway<'g> {
    Smsc(&'g Smsc),
    Line(&'g LineGateway),
}

/// A phone in a dialogue.
struct Dialogue<'g> {
    gateway: Gateway<'g>,
    id: DialogueId,
}

impl<'g> Gateway<'g> {
    async fn dials(self, dialled: &str) -> Dialogue<'g> {
        let id = match self {
            Self::Smsc(smsc) => smsc.dial(PHONE, dialled).await,
            Self::Line(line) => line.dial(PHONE, dialled).await,
        };
        Dialogue { gateway: self, id }
    }
}

impl Dialogue<'_> {
    async fn keys(&self, text: &str) {
        match self.gateway {
            Gateway::Smsc(smsc) => drop(smsc.answer(self.id, text).await),
            Gateway::Line(line) => drop(line.answer(self.id, text).await),
        }
    }

    async fn hangs_up(&self) {
        match self.gateway {
            Gateway::Smsc(smsc) => drop(smsc.abort(self.id).await),
            Gateway::Line(line) => drop(line.abort(self.id).await),
        }
    }

    /// The next screen, whatever it says.
    async fn sees(&self) -> Shown {
        let shown = match self.gateway {
            Gateway::Smsc(smsc) => smsc.next_screen(self.id, PATIENCE).await,
            Gateway::Line(line) => line.next_screen(self.id, PATIENCE).await,
        };
        shown.expect("no further screen came")
    }

    /// Chooses the first of everything, to the screen that asks for consent; what agrees there.
    async fn comes_to_the_consent(&self) -> String {
        loop {
            let shown = self.sees().await;
            if let Some(agrees) = consent(&shown) {
                return agrees;
            }
            assert!(!shown.ends, "it ended before the consent: {}", shown.text);
            self.keys("1").await;
        }
    }

    async fn agrees(&self) {
        let agrees = self.comes_to_the_consent().await;
        self.keys(&agrees).await;
    }

    /// Dials through the whole menu and agrees.
    async fn buys(&self) {
        self.agrees().await;
        let last = self.sees().await;
        assert!(last.ends, "the consent is not the end: {}", last.text);
    }
}

/// What agrees on this screen, where it asks for consent.
fn consent(shown: &Shown) -> Option<String> {
    shown.text.lines().find_map(|line| line.strip_suffix(". Dong y mua")).map(str::to_owned)
}

/// Waits until one part of the daemon says this of itself.
async fn comes_to_say(world: &World, words: &str) {
    let mut readiness = world.daemons[0].readiness.clone();
    let said = |missing: Vec<String>| missing.iter().any(|part| part.contains(words));
    tokio::time::timeout(PATIENCE, readiness.wait_for(|parts| said(parts.missing()))).await.unwrap().unwrap();
}

async fn is_ready(world: &World) {
    let mut readiness = world.daemons[0].readiness.clone();
    tokio::time::timeout(PATIENCE, readiness.wait_for(|parts| parts.missing().is_empty())).await.unwrap().unwrap();
}
