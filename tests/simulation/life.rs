//! One life: several instances of the gateway, their subscribers, stores and peers, in one thread and in virtual time. A
//! seed decides all of it; the decisions are the real ones of `engine` and `purchase`. Never looks at a clock of this
//! machine's.

use super::app::Sent;
use super::books::Books;
use super::broken::Broken;
use super::chance::Chance;
use super::consents::Consent;
use super::dialogues::{Dialogue, Hop, Shown};
use super::instance::Instance;
use super::keys::KeyStore;
use super::pages::LINK_TTL;
use super::partner::Told;
use super::phones::{Sms, Subscriber};
use super::store::Store;
use super::tally::{Fault, Tally};
use super::weather::{Said, Weather};
use super::wires::{Request, Telling};
use paygate::config::Otp;
use paygate::engine::desk::Desk;
use paygate::engine::door::Verdict;
use paygate::engine::work::Work;
use paygate::journal::rows::Unit;
use paygate::purchase::input::Input;
use paygate::purchase::record::Micros;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::time::Instant;

pub(crate) const SECOND: Micros = 1_000_000;
pub(crate) const MINUTE: Micros = 60 * SECOND;
pub(crate) const START: Micros = 1_780_000_000 * SECOND;
/// A life that takes more events than this goes round in a circle.
const EVENTS_AT_MOST: u64 = 20_000;

/// What is to happen next, and to whom.
#[derive(Debug)]
pub(crate) enum Event {
    Write {
        subscriber: usize,
        text: String,
    },
    Deliver {
        sms: usize,
        instance: usize,
    },
    /// The SMSC has heard this of a message that it had delivered.
    Acknowledged {
        sms: usize,
        verdict: Verdict,
    },
    /// The SMSC delivers again what is not acknowledged by now.
    Redeliver {
        sms: usize,
    },
    Turn {
        instance: usize,
        epoch: u32,
    },
    Poll {
        instance: usize,
        epoch: u32,
    },
    /// A commit arrives at the journal's store,
    Reach {
        instance: usize,
        epoch: u32,
        units: Vec<Unit>,
        answered_after: Micros,
    },
    /// and its answer at the instance. `None`: the journal could not say.
    Committed {
        instance: usize,
        epoch: u32,
        outcomes: Option<Vec<paygate::journal::rows::Committed>>,
    },
    Leave {
        request: usize,
    },
    Act {
        request: usize,
    },
    /// The channel says anew what it had said wrongly.
    Notify {
        request: usize,
        input: Box<Input>,
    },
    /// A call hears its answer or its timeout.
    Tell {
        request: usize,
        work: Box<Work>,
        telling: Telling,
    },
    /// Something is heard by an instance, if it is still the same one.
    Hear {
        instance: usize,
        epoch: u32,
        work: Box<Work>,
    },
    Read {
        subscriber: usize,
        key: String,
        code: Option<String>,
    },
    /// A subscriber at the channel's page.
    Pay {
        key: String,
    },
    /// The channel speaks of a payment by itself.
    Notified {
        key: String,
        paid: bool,
    },
    /// A partner takes the money of this subscriber,
    PartnerCharges {
        subscriber: usize,
    },
    /// tells of it at this instance,
    TellPayment {
        payment: usize,
        instance: usize,
    },
    /// hears what became of it,
    PaymentHeard {
        payment: usize,
        verdict: Verdict,
    },
    /// and tells again what it has not heard of.
    TellAgain {
        payment: usize,
    },
    /// An app orders for this subscriber, or for whoever pays,
    AppOrders {
        subscriber: usize,
        names_its_phone: bool,
    },
    /// sends it to this instance,
    Order {
        order: usize,
        instance: usize,
    },
    /// hears what became of it,
    OrderHeard {
        order: usize,
        verdict: Verdict,
    },
    /// and sends again what is not answered.
    OrderAgain {
        order: usize,
    },
    /// A subscriber dials,
    Dials {
        subscriber: usize,
        /// This one, which has died or is through.
        instead_of: Option<usize>,
    },
    /// a step of the dialogue comes to this instance,
    Hop {
        dialogue: usize,
        hop: Hop,
        instance: usize,
    },
    /// and its answer to the phone,
    Shows {
        dialogue: usize,
        shown: Shown,
    },
    /// which nothing came to.
    Waits {
        dialogue: usize,
        hop: Hop,
    },
    /// The gateway says that the dialogue is over.
    HangsUp {
        dialogue: usize,
        instance: usize,
    },
    /// The door has heard this of a consent.
    ConsentHeard {
        consent: usize,
        verdict: Verdict,
    },
    Start {
        instance: usize,
    },
}

pub(crate) struct Life<'d> {
    pub(crate) desk: &'d mut Desk,
    pub(crate) chance: Chance,
    pub(crate) now: Micros,
    pub(crate) base: Instant,
    queue: BTreeMap<(Micros, u64), Event>,
    queued: u64,
    pub(crate) instances: Vec<Instance>,
    pub(crate) subscribers: Vec<Subscriber>,
    pub(crate) messages: Vec<Sms>,
    pub(crate) payments: Vec<Told>,
    pub(crate) orders: Vec<Sent>,
    pub(crate) dialogues: Vec<Dialogue>,
    /// What was handed in, each time that it was.
    pub(crate) consents: Vec<Consent>,
    pub(crate) store: Store,
    pub(crate) store_down_until: Micros,
    pub(crate) keys: KeyStore,
    pub(crate) books: Books,
    pub(crate) requests: Vec<Request>,
    /// What the journal's clock shows on top of the steady one, and since when.
    pub(crate) clock: Vec<(Micros, Micros)>,
    /// The ingest key of each message.
    pub(crate) keys_of: BTreeMap<usize, String>,
    /// Keys of charges that the channel called refused though it had made them.
    pub(crate) denied: BTreeSet<String>,
    /// What was heard of each purchase's charge and refund.
    pub(crate) said: BTreeMap<(String, bool), Said>,
    pub(crate) weather: Weather,
    pub(crate) broken: Broken,
    pub(crate) tally: Tally,
    /// What was wrong at the moment it happened.
    pub(crate) before: Vec<String>,
    pub(crate) trace: u64,
    pub(crate) story: Option<Vec<String>>,
}

impl<'d> Life<'d> {
    pub(crate) fn new(desk: &'d mut Desk, base: Instant, seed: u64, broken: Broken, tell: bool) -> Self {
        let mut chance = Chance::new(seed ^ 0x5eed_11fe_5eed_11fe);
        let weather = Weather::dealt(&mut chance);
        let books = Books::new(&mut chance, weather);
        deal_rules(desk, &mut chance, &books);
        // Dealt apart, so that a life without it is the life that it was. Where grants are refused it is about refunds.
        deal_retries(desk, !weather.refuses_grants && Chance::new(seed ^ 0x2e72_7e72).percent(50));
        let (most, crowd) =
            if weather.needs_a_crowd() { (&[2, 3][..], &[3][..]) } else { (&[1, 2, 2, 3][..], &[1, 1, 2, 3][..]) };
        let instances = (0..*chance.one_of(most)).map(|_| Instance::default()).collect();
        let subscribers = (0..*chance.one_of(crowd)).map(Subscriber::new).collect();
        let keys = KeyStore::new(chance.percent(60));
        let mut life = Self {
            desk,
            chance,
            now: START,
            base,
            queue: BTreeMap::new(),
            queued: 0,
            instances,
            subscribers,
            messages: Vec::new(),
            payments: Vec::new(),
            orders: Vec::new(),
            dialogues: Vec::new(),
            consents: Vec::new(),
            store: Store::new(broken),
            store_down_until: START,
            keys,
            books,
            requests: Vec::new(),
            clock: vec![(START, 0)],
            keys_of: BTreeMap::new(),
            denied: BTreeSet::new(),
            said: BTreeMap::new(),
            weather,
            broken,
            tally: Tally::default(),
            before: Vec::new(),
            trace: seed,
            story: tell.then(Vec::new),
        };
        life.begin();
        life.begin_partner(seed);
        life.begin_app(seed);
        life.begin_dialogues(seed);
        life
    }

    fn begin(&mut self) {
        for instance in 0..self.instances.len() {
            self.start(instance);
        }
        for subscriber in 0..self.subscribers.len() {
            let at = self.now + self.chance.up_to(MINUTE);
            let own = self.chance.percent(30);
            let account = if own { String::new() } else { format!(" {}", self.subscribers[subscriber].account) };
            let text = format!("ON VIP NAP1{account}");
            if self.chance.percent(10) {
                self.tally.saw(Fault::F66);
                let again = at + self.chance.up_to(5 * SECOND);
                self.at(again, Event::Write { subscriber, text: text.clone() });
            }
            self.at(at, Event::Write { subscriber, text });
        }
    }

    /// Lives until nothing more can happen.
    pub(crate) fn live(mut self) -> Self {
        while let Some(((at, _), event)) = self.queue.pop_first() {
            self.now = self.now.max(at);
            self.tally.events += 1;
            if self.tally.events > EVENTS_AT_MOST {
                self.wrong(format!("{EVENTS_AT_MOST} events and no rest"));
                break;
            }
            self.happens(event);
        }
        self
    }

    fn happens(&mut self, event: Event) {
        match event {
            Event::Write { subscriber, text } => self.writes(subscriber, text),
            Event::Deliver { sms, instance } => self.deliver(sms, instance),
            Event::Acknowledged { sms, verdict } => self.acknowledged(sms, verdict),
            Event::Redeliver { sms } => self.redeliver(sms),
            Event::Turn { instance, epoch } => {
                self.if_same(instance, epoch, Event::Turn { instance, epoch }, Self::turn)
            }
            Event::Poll { instance, epoch } => {
                self.if_same(instance, epoch, Event::Poll { instance, epoch }, Self::poll)
            }
            Event::Reach { instance, epoch, units, answered_after } => {
                self.reach(instance, epoch, &units, answered_after)
            }
            Event::Committed { instance, epoch, outcomes } => self.committed(instance, epoch, outcomes),
            Event::Leave { request } => self.leave(request),
            Event::Act { request } => self.act(request),
            Event::Notify { request, input } => self.notify(request, input),
            Event::Tell { request, work, telling } => self.tell(request, work, telling),
            Event::Hear { instance, epoch, work } => self.hear(instance, epoch, work),
            Event::Read { subscriber, key, code } => self.reads(subscriber, &key, code.as_deref()),
            Event::Pay { key } => self.pays(&key),
            Event::Notified { key, paid } => self.notified(&key, paid),
            Event::PartnerCharges { subscriber } => self.partner_charges(subscriber),
            Event::TellPayment { payment, instance } => self.tell_payment(payment, instance),
            Event::PaymentHeard { payment, verdict } => self.payment_heard(payment, verdict),
            Event::TellAgain { payment } => self.tell_again(payment),
            Event::AppOrders { subscriber, names_its_phone } => self.app_orders(subscriber, names_its_phone),
            Event::Order { order, instance } => self.order(order, instance),
            Event::OrderHeard { order, verdict } => self.order_heard(order, verdict),
            Event::OrderAgain { order } => self.order_again(order),
            Event::Dials { subscriber, instead_of } => self.dials(subscriber, instead_of),
            Event::Hop { dialogue, hop, instance } => self.hop(dialogue, hop, instance),
            Event::Shows { dialogue, shown } => self.shows(dialogue, shown),
            Event::Waits { dialogue, hop } => self.waits(dialogue, hop),
            Event::HangsUp { dialogue, instance } => self.hangs_up(dialogue, instance),
            Event::ConsentHeard { consent, verdict } => self.consent_heard(consent, verdict),
            Event::Start { instance } => self.start(instance),
        }
    }

    /// A stopped process takes up where it was; a killed one never does.
    fn if_same(&mut self, instance: usize, epoch: u32, event: Event, go_on: fn(&mut Self, usize)) {
        let it = &self.instances[instance];
        if it.epoch != epoch || !it.is_up {
            return;
        }
        match it.paused_until > self.now {
            true => self.at(it.paused_until, event),
            false => go_on(self, instance),
        }
    }

    pub(crate) fn at(&mut self, at: Micros, event: Event) {
        self.queued += 1;
        self.queue.insert((at.max(self.now), self.queued), event);
    }

    pub(crate) fn after(&mut self, pause: Micros, event: Event) {
        self.at(self.now + pause, event);
    }

    pub(crate) fn instant(&self, at: Micros) -> Instant {
        self.base + Duration::from_micros(u64::try_from(at - START).unwrap_or(0))
    }

    pub(crate) fn steady(&self, instant: Instant) -> Micros {
        START + Micros::try_from(instant.saturating_duration_since(self.base).as_micros()).unwrap_or(Micros::MAX / 2)
    }

    pub(crate) fn wrong(&mut self, what: impl Into<String>) {
        let what = what.into();
        self.note(|| format!("WRONG: {what}"));
        self.before.push(what);
    }

    /// One line of the life's story, which is also what two runs of a seed are compared by.
    pub(crate) fn note(&mut self, line: impl FnOnce() -> String) {
        if self.story.is_some() {
            let (line, at) = (line(), (self.now - START) / 1_000);
            if let Some(story) = &mut self.story {
                story.push(format!("{:>9}.{:03} s  {line}", at / 1_000, at % 1_000));
            }
        }
    }

    /// Mixes what happened into the trace (FNV-1a).
    pub(crate) fn mix(&mut self, what: &str) {
        for byte in what.bytes().chain(self.now.to_le_bytes()) {
            self.trace = (self.trace ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}

/// Pauses longer than it takes to hear the truth of a charge that was denied; together longer than the consent stands.
fn deal_retries(desk: &mut Desk, anew: bool) {
    for channel in desk.rules.channels.values_mut() {
        channel.retry = if anew { [10, 30, 60].map(|it| it * MINUTE).to_vec() } else { Vec::new() };
        channel.retry_consent = 70 * MINUTE;
    }
}

/// Each life has its own policy, within what the peers can do.
fn deal_rules(desk: &mut Desk, chance: &mut Chance, books: &Books) {
    let rules = &mut desk.rules;
    rules.otp = *chance.one_of(&[Otp::Gateway, Otp::Gateway, Otp::Gateway, Otp::Telco, Otp::None]);
    rules.confirm_without_code = chance.percent(50);
    rules.otp_hourly = 5;
    rules.idempotent_grants = books.grants_are_recognised();
    for channel in rules.channels.values_mut() {
        channel.can_refund = chance.percent(90);
        channel.can_cancel = chance.percent(80);
        channel.texts_codes = true;
        channel.link_ttl = None;
        if books.has_pages() {
            (channel.can_refund, channel.can_cancel, channel.texts_codes) = (false, false, false);
            channel.link_ttl = Some(LINK_TTL);
        }
    }
}
