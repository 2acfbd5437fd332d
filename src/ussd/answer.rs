//! A step to its screen: what is remembered of the dialogue, where the menu leads from there, and what is remembered now. Of two
//! copies of a step the second finds what the first has left, at whichever instance.

use super::gateway::{Beginning, Gateway};
use super::menu::{Menu, Position, Step, Wanted};
use super::session::{Heard, Session};
use super::wanted::Agreed;
use super::{Catalogue, Hop, HopInput, Inner, Screen};
use crate::config::Otp;
use crate::engine::random_hex;
use crate::idempotency::{Recalled, Remembered};
use paygate_parsers::msisdn::Msisdn;
use sha2::{Digest, Sha256};
use std::sync::Arc;
use tokio::time::{Instant, timeout_at};

/// How often a step looks again at what another copy of it, or a lapse, has left.
const TRIES: u32 = 4;

/// What became of a step, as metrics name it, and its screen.
pub(super) type Answered = (&'static str, Screen);

/// A step whose phone and gateway are known.
struct Asked<'a> {
    hop: &'a Hop,
    gateway: &'a Gateway,
    from: Msisdn,
    /// Of the dialogue in the key store.
    key: String,
    /// What others are asked must be answered by then, so that there is time left to remember it.
    by: Instant,
    deadline: Instant,
}

impl Inner {
    pub(super) async fn answer(&self, hop: &Hop, deadline: Instant) -> Answered {
        let Some(gateway) = self.gateways.get(&hop.gateway) else { return ("unknown_code", self.end("unknown_code")) };
        let Ok(from) = Msisdn::parse_sender(&self.country, &hop.from) else {
            return ("unknown_number", self.end("unknown_number"));
        };
        let by = deadline - self.settings.answer_within / 4;
        let asked = Asked { hop, gateway, from, key: key(hop, from), by, deadline };
        for _ in 0..TRIES {
            let (version, held) = match self.keys.recall(&asked.key).await {
                Recalled::Nothing => (0, None),
                // What cannot be read was written by another version of ours.
                Recalled::Found { version, value } => (version, serde_json::from_str::<Session>(&value).ok()),
                Recalled::Unavailable => return ("busy", self.end(unknown(hop))),
            };
            if let Some(answered) = self.once(&asked, version, held).await {
                return answered;
            }
        }
        ("busy", self.end(unknown(hop)))
    }

    /// `None` where somebody else has written meanwhile.
    async fn once(&self, asked: &Asked<'_>, version: u64, held: Option<Session>) -> Option<Answered> {
        let hop = asked.hop;
        if hop.input == HopInput::Ended {
            return self.ended(asked, version, held).await;
        }
        let heard = held.as_ref().map_or(Heard::Anew, |session| session.hears(hop));
        match (heard, held) {
            (Heard::Again, Some(session)) => Some(("again", session.screen)),
            (Heard::Lost, _) => Some(("lost", self.end("lost"))),
            (Heard::Next(_), Some(session)) if session.hops >= self.settings.hops => {
                self.keep(asked, version, session.after(hop), ("lost", self.end("lost"))).await
            }
            (Heard::Next(inputs), Some(session)) => {
                let after = session.after(hop);
                let start =
                    Step::Show { position: session.position, text: session.screen.text().to_owned(), wrong: false };
                self.lead(asked, version, after, start, &inputs).await
            }
            (Heard::Anew | Heard::Next(_) | Heard::Again, _) => match asked.gateway.beginning(hop) {
                Beginning::Inputs(inputs) => {
                    let Some(list) = self.list(asked.by).await else { return Some(("busy", self.end("busy"))) };
                    let start = self.menu(asked, &list).begin();
                    self.lead(asked, version, Session::new(random_hex(), hop), start, &inputs).await
                }
                Beginning::Lost => Some(("lost", self.end("lost"))),
                Beginning::UnknownCode => Some(("unknown_code", self.end("unknown_code"))),
            },
        }
    }

    /// From a screen to the next, by these inputs.
    async fn lead(
        &self,
        asked: &Asked<'_>,
        version: u64,
        mut session: Session,
        start: Step,
        inputs: &[String],
    ) -> Option<Answered> {
        let Some(list) = self.list(asked.by).await else { return Some(("busy", self.end("busy"))) };
        let menu = self.menu(asked, &list);
        match menu.walk(start, inputs) {
            Step::Show { position, text, .. } => {
                session.position = position;
                self.keep(asked, version, session, ("ask", Screen::Ask(text))).await
            }
            Step::Over(text) => self.keep(asked, version, over(session), ("end", Screen::End(text))).await,
            Step::Check(wanted) => self.check(asked, version, session, &menu, &wanted).await,
            Step::Agreed => self.agreed(asked, version, session, &menu).await,
        }
    }

    /// The consent's screen, or why there is none.
    async fn check(
        &self,
        asked: &Asked<'_>,
        version: u64,
        mut session: Session,
        menu: &Menu<'_>,
        wanted: &Wanted,
    ) -> Option<Answered> {
        match self.terms(asked.gateway, asked.from, wanted, asked.by).await {
            Ok(terms) => {
                let (position, text) = menu.consent(wanted, &terms, asked.gateway.agree(asked.hop), None);
                session.position = position;
                self.keep(asked, version, session, ("consent", Screen::Ask(text))).await
            }
            Err(screen) => {
                let screen = Screen::End(menu.about_wanted(screen, wanted, None, "", None));
                self.keep(asked, version, over(session), ("refused", screen)).await
            }
        }
    }

    /// Hands in what was agreed to. From here on the dialogue may die: it is the engine's.
    async fn agreed(&self, asked: &Asked<'_>, version: u64, session: Session, menu: &Menu<'_>) -> Option<Answered> {
        let Position::Consent { wanted, terms, agree } = &session.position else { return None };
        let words = session.screen.text();
        let agreed = Agreed { dialogue: &session.name, wanted, terms, screen: words };
        if self.hand_in(asked.gateway, asked.from, agreed, asked.by).await {
            let screen = Screen::End(menu.about_wanted(self.taken(asked.gateway), wanted, Some(terms), "", None));
            let answered = ("taken", screen);
            // Whatever becomes of the memory of it, this was taken.
            return Some(self.keep(asked, version, over(session), answered.clone()).await.unwrap_or(answered));
        }
        let (_, text) = menu.consent(wanted, terms, agree, Some("try_again"));
        self.keep(asked, version, session, ("later", Screen::Ask(text))).await
    }

    fn taken(&self, gateway: &Gateway) -> &'static str {
        match self.settings.otp {
            _ if gateway.pays_by_link => "taken_pay",
            Otp::Gateway | Otp::Telco => "taken_code",
            Otp::None => "taken",
        }
    }

    /// A dialogue that died before its consent is over; after it there is nothing left to die.
    async fn ended(&self, asked: &Asked<'_>, version: u64, held: Option<Session>) -> Option<Answered> {
        self.open.is_over(&asked.key);
        let ended = ("ended", Screen::End(String::new()));
        match held.filter(|session| !session.is_over()) {
            None => Some(ended),
            Some(session) => {
                let last = self.keep(asked, version, over(session), ("ended", self.end("lost"))).await;
                last.map(|_| ended)
            }
        }
    }

    /// Remembers the screen before it is shown: one that is not remembered could not be answered. `None` where somebody else
    /// has written meanwhile.
    async fn keep(
        &self,
        asked: &Asked<'_>,
        version: u64,
        mut session: Session,
        answered: Answered,
    ) -> Option<Answered> {
        session.screen = answered.1;
        let value = serde_json::to_string(&session).expect("text and numbers under text keys are always JSON");
        let life = self.settings.session_ttl;
        // A little before the step itself is cut off, so that what was taken is still said to be.
        let by = asked.deadline - self.settings.answer_within / 16;
        let kept = timeout_at(by, self.keys.remember(&asked.key, version, &value, life)).await;
        match (kept.unwrap_or(Remembered::Unavailable), &session.screen) {
            (Remembered::Overtaken, _) => return None,
            (Remembered::Kept, Screen::Ask(_)) => self.open.waits(&asked.key, life),
            (Remembered::Kept | Remembered::Unavailable, Screen::End(_)) => self.open.is_over(&asked.key),
            (Remembered::Unavailable, Screen::Ask(_)) => return Some(("busy", self.end(unsaved(answered.0)))),
        }
        Some((answered.0, session.screen))
    }

    /// What is on sale; waits for the first list.
    async fn list(&self, by: Instant) -> Option<Arc<Catalogue>> {
        let mut lists = self.catalogue.subscribe();
        let list = timeout_at(by, lists.wait_for(Option::is_some)).await.ok()?.ok()?;
        list.clone()
    }

    fn menu<'m>(&'m self, asked: &Asked<'_>, catalogue: &'m Catalogue) -> Menu<'m> {
        Menu { catalogue, screens: &self.screens, country: &self.country, account: self.account, own: asked.from }
    }

    fn end(&self, screen: &str) -> Screen {
        Screen::End(self.screens.screen(screen, &[], None))
    }
}

/// What is said where nothing is known of the dialogue: it may have agreed by now, unless it begins.
fn unknown(hop: &Hop) -> &'static str {
    if hop.begins { "busy" } else { "too_late" }
}

/// What is said instead of a screen that cannot be remembered.
fn unsaved(outcome: &str) -> &'static str {
    if outcome == "later" { "too_late" } else { "busy" }
}

fn over(mut session: Session) -> Session {
    session.position = Position::Over;
    session
}

/// Two gateways may give one name, and one gateway one name to two phones.
fn key(hop: &Hop, from: Msisdn) -> String {
    let mut hash = Sha256::new_with_prefix("paygate dialogue\0");
    for field in [hop.gateway.as_str(), &from.e164(), if hop.is_named_by_phone() { "" } else { &hop.session }] {
        hash.update((field.len() as u64).to_be_bytes());
        hash.update(field);
    }
    let hash = hash.finalize();
    let name: String = hash.iter().take(16).map(|octet| format!("{octet:02x}")).collect();
    format!("ussd:{name}")
}
