//! Consents on a screen: handed in each time that the step comes, and judged by what the phone itself agreed to, whatever the
//! journal or an ingest key says. One dialogue is one purchase at most.

use super::dialogues::{Session, Shown};
use super::instance::Door;
use super::life::{Event, Life, SECOND};
use super::tally::Came;
use paygate::engine::door::{DialledIn, Door as Peer, Verdict};
use paygate::engine::intake::Reading;
use paygate::engine::work::Work;
use paygate::purchase::Purchase;
use paygate::purchase::record::{Micros, State};
use paygate_parsers::msisdn::Msisdn;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::oneshot;

/// Until then a step is answered.
const ANSWER_WITHIN: Micros = 2 * SECOND;

/// One time that a consent was handed in.
#[derive(Debug)]
pub(crate) struct Consent {
    dialogue: usize,
    name: String,
    key: String,
    process: (usize, u32),
    is_answered: bool,
    is_taken: bool,
}

impl Life<'_> {
    pub(super) fn hand_in(&mut self, at: usize, session: &Session, process: (usize, u32)) {
        let Some(dialled) = self.dialled(at, session) else { return };
        let reading = Arc::new(Reading::dialled(dialled));
        let (name, instance) = (session.name.clone(), process.0);
        let mut before = self.consents.iter().filter(|consent| consent.name == name).peekable();
        let (is_again, elsewhere) = (before.peek().is_some(), before.any(|consent| consent.process != process));
        if is_again {
            self.tally.came(Came::ConsentAgain);
        }
        if elsewhere {
            self.tally.came(Came::ConsentElsewhere);
        }
        self.note(|| format!("the consent of {name} is handed in at instance {instance}"));
        let key = reading.key.clone();
        let consent = self.consents.len();
        self.consents.push(Consent { dialogue: at, name, key, process, is_answered: false, is_taken: false });
        let (done, verdict) = oneshot::channel();
        let door = &mut self.instances[instance];
        door.waiting.push((Door::Consent(consent), verdict));
        door.inbox.push(Work::Message { reading, done: Some(done), parts: None });
        // What is not durable in time is called so; it may become so yet.
        self.after(ANSWER_WITHIN, Event::ConsentHeard { consent, verdict: Verdict::Later });
        self.schedule_turn(instance, 0);
        self.maybe_crash(instance);
    }

    fn dialled(&self, at: usize, session: &Session) -> Option<DialledIn> {
        let (dialogue, terms) = (&self.dialogues[at], session.terms.clone()?);
        let from = Msisdn::parse(&self.desk.reader.country, &self.subscribers[dialogue.subscriber].number).ok()?;
        let text = |value: &str| value.to_owned();
        Some(DialledIn {
            dialogue: session.name.clone(),
            gateway: text("aggregator"),
            link: text("viettel"),
            channel: text("viettel"),
            from,
            short_code: text("9029"),
            service: text("VIP"),
            package: text(dialogue.package),
            account: dialogue.account.clone(),
            screen: format!("{} {} {}d: 1. Dong y", session.name, terms.package_name, terms.price.amount),
            terms,
        })
    }

    /// The door has heard this of a consent, or has waited long enough.
    pub(crate) fn consent_heard(&mut self, consent: usize, verdict: Verdict) {
        let Consent { dialogue, process, .. } = self.consents[consent];
        let is_gone = self.instances[process.0].epoch != process.1;
        if is_gone || std::mem::replace(&mut self.consents[consent].is_answered, true) {
            return;
        }
        let name = self.consents[consent].name.clone();
        self.note(|| format!("the door hears {verdict:?} of the consent of {name}"));
        match verdict {
            Verdict::Later => return self.show(dialogue, Shown::TryAgain),
            Verdict::Fresh | Verdict::Again => {}
            Verdict::Review(_) | Verdict::Conflict | Verdict::TooMany | Verdict::Unknown => {
                return self.wrong("a consent heard what none is told");
            }
        }
        let key = &self.consents[consent].key;
        let is_anothers = self.consents.iter().any(|other| other.key == *key && other.name != name);
        if is_anothers || self.store.seen(key).is_none() {
            self.wrong("a consent was acknowledged that the journal does not hold");
        }
        self.consents[consent].is_taken = true;
        let over = Session { name, awaits: None, terms: None };
        self.keys.remember(process, dialogue, over, self.now);
        self.show(dialogue, Shown::End);
    }

    /// The name of the dialogue on the screen that this purchase began with, as its first event keeps it.
    fn on_its_screen(&self, purchase: &str) -> Option<String> {
        let first = self.store.events.get(purchase)?.first()?;
        let body: serde_json::Value = serde_json::from_str(&first.body).ok()?;
        body.get("screen")?.as_str()?.split(' ').next().map(str::to_owned)
    }

    /// Whether the purchase's own phone has agreed to exactly this on that screen.
    pub(crate) fn is_agreed_on_a_screen(&self, purchase: &Purchase) -> bool {
        let Some(name) = self.on_its_screen(&purchase.id) else { return false };
        let Some((dialogue, terms)) = self.dialogues.iter().find_map(|it| Some((it, it.agreed.get(&name)?))) else {
            return false;
        };
        let (order, number) = (&purchase.order, &self.subscribers[dialogue.subscriber].number);
        let is_offered = purchase.offer.as_ref().is_none_or(|offer| {
            (&offer.package_name, offer.price, offer.days) == (&terms.package_name, terms.price, terms.days)
        });
        let is_wanted = order.package == dialogue.package && order.account == dialogue.account;
        is_offered && is_wanted && order.msisdn.is_some_and(|msisdn| msisdn.digits() == *number)
    }

    /// What dialogues came to, in the end.
    pub(crate) fn of_dialogues(&mut self) -> Vec<String> {
        let dialled = |purchase: &&Purchase| purchase.order.door == Peer::Ussd.as_str();
        let purchases: Vec<&Purchase> = self.store.purchases.values().filter(dialled).collect();
        let mut wrong: Vec<String> = purchases.iter().filter_map(|purchase| self.of_dialled(purchase)).collect();
        let mut bought: BTreeMap<String, u32> = BTreeMap::new();
        for name in purchases.iter().filter_map(|purchase| self.on_its_screen(&purchase.id)) {
            *bought.entry(name).or_default() += 1;
        }
        let twice = bought.iter().filter(|(_, count)| **count > 1);
        wrong.extend(twice.map(|(name, _)| format!("the dialogue {name} bought more than once")));
        let is_lost = |consent: &&Consent| consent.is_taken && self.store.seen(&consent.key).is_none();
        wrong.extend(self.consents.iter().filter(is_lost).map(|it| format!("the consent of {} is lost", it.name)));
        let counts = |consent: &&Consent| self.store.seen(&consent.key).is_some_and(|seen| seen.generation > 0);
        wrong.extend(self.consents.iter().find(counts).map(|it| format!("the consent of {} counts as two", it.name)));
        let repeats = purchases.iter().filter(|purchase| purchase.order.repeat).count();
        let counted = [(Came::ScreenBought, purchases.len()), (Came::RepeatAsked, repeats)];
        for (came, count) in counted {
            (0..count).for_each(|_| self.tally.came(came));
        }
        wrong
    }

    fn of_dialled(&self, purchase: &Purchase) -> Option<String> {
        let number = purchase.order.number();
        let writes_to_cancel = self.messages.iter().any(|sms| {
            sms.text.starts_with("HUY") && number.ends_with(self.subscribers[sms.subscriber].number.as_str())
        });
        let what = match purchase.state {
            _ if !self.is_agreed_on_a_screen(purchase) => "it began without its own phone's consent on a screen",
            State::Cancelled if !writes_to_cancel => "nobody but its dialogue's end cancelled it",
            _ => return None,
        };
        Some(format!("{}, {}: {what}", purchase.id, purchase.state.as_str()))
    }
}
