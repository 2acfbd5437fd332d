//! The content service's app: it orders under a key until it is answered, at whichever instance, now and then at two at
//! once, and repeats the key later, now and then with another order. What it was answered first is what it must hear again.

use super::chance::Chance;
use super::instance::Door;
use super::life::{Event, Life, MINUTE, SECOND, START};
use super::tally::Came;
use paygate::engine::door::{Door as Peer, OrderIn, Verdict};
use paygate::engine::intake::{Reading, order_key, purchase_id};
use paygate::engine::order::Answered;
use paygate::engine::work::Work;
use paygate::purchase::record::{AppOrder, Context, Micros, Order};
use paygate_parsers::msisdn::Msisdn;
use std::sync::Arc;
use tokio::sync::oneshot;

const NAME: &str = "web";
/// Lives with such an app, of a hundred. They are dealt apart, so that all others stay as they were.
const LIVES: u64 = 20;

/// An order that is sent.
#[derive(Debug)]
pub(crate) struct Sent {
    order: OrderIn,
    /// Another order under a taken key: never to begin anything.
    is_other: bool,
    /// What its app was told first.
    answer: Option<Answered>,
    pub(crate) is_heard: bool,
    /// How often it was sent.
    tries: u32,
}

impl Sent {
    pub(crate) fn purchase(&self) -> String {
        purchase_id(&self.order.key, 0)
    }

    pub(crate) fn key(&self) -> &str {
        &self.order.key
    }
}

impl Life<'_> {
    pub(crate) fn begin_app(&mut self, seed: u64) {
        let mut chance = Chance::new(seed ^ 0x0a99_0a99_0a99_0a99);
        if !chance.percent(LIVES) {
            return;
        }
        // Few codes an hour, so that an order is now and then one too many.
        self.desk.rules.otp_hourly = *chance.one_of(&[1, 2, 5]);
        for _ in 0..=chance.below(2) {
            let subscriber = usize::try_from(chance.below(self.subscribers.len() as u64)).unwrap_or(0);
            // Only a page can be paid at by somebody who is not known.
            let names_its_phone = !self.books.has_pages() || chance.percent(50);
            let event = Event::AppOrders { subscriber, names_its_phone };
            self.at(START + chance.up_to(2 * MINUTE), event);
        }
    }

    pub(crate) fn app_orders(&mut self, subscriber: usize, names_its_phone: bool) {
        let phone = &self.subscribers[subscriber];
        let msisdn = Msisdn::parse(&self.desk.reader.country, &phone.number).ok().filter(|_| names_its_phone);
        let text = |value: &str| if names_its_phone { value.to_owned() } else { String::new() };
        let order = Order {
            msisdn,
            account: phone.account.clone(),
            service: "VIP".to_owned(),
            package: "NAP1".to_owned(),
            channel: "viettel".to_owned(),
            door: Peer::App.as_str().to_owned(),
            link: text("viettel"),
            short_code: text("9029"),
            repeat: false,
            app: Some(Box::new(AppOrder { name: NAME.to_owned(), context: context(), return_url: None })),
        };
        let key = order_key(NAME, &format!("k-{}", self.orders.len()));
        self.note(|| format!("the app orders for phone {subscriber}: {}", purchase_id(&key, 0)));
        self.tally.came(if names_its_phone { Came::AppWithPhone } else { Came::App });
        let order = OrderIn { key, app: NAME.to_owned(), order, body: "{}".into() };
        self.orders.push(Sent { order, is_other: false, answer: None, is_heard: false, tries: 0 });
        self.send_order(self.orders.len() - 1);
    }

    /// To one of the instances that run, now and then to two; what is not answered is sent again.
    fn send_order(&mut self, at: usize) {
        let up: Vec<usize> = (0..self.instances.len()).filter(|at| self.instances[*at].is_up).collect();
        let twice = self.chance.percent(15);
        for _ in 0..=u32::from(twice) {
            if !up.is_empty() {
                let instance = *self.chance.one_of(&up);
                let way = self.chance.up_to(SECOND / 2);
                self.after(way, Event::Order { order: at, instance });
            }
        }
        // An order that a charge is unknown of may be answered hours later.
        let longest = ((5 * SECOND) << self.orders[at].tries.min(10)).min(60 * MINUTE);
        self.orders[at].tries += 1;
        let wait = longest / 2 + self.chance.up_to(longest);
        self.after(wait, Event::OrderAgain { order: at });
    }

    pub(crate) fn order_again(&mut self, at: usize) {
        if !self.orders[at].is_heard {
            self.tally.came(Came::OrderAgain);
            self.send_order(at);
        }
    }

    pub(crate) fn order(&mut self, order: usize, at: usize) {
        let instance = &self.instances[at];
        if !instance.is_up {
            return;
        }
        if instance.paused_until > self.now {
            let until = instance.paused_until;
            return self.at(until, Event::Order { order, instance: at });
        }
        let reading = Arc::new(Reading::of(self.orders[order].order.clone()));
        let (done, verdict) = oneshot::channel();
        let instance = &mut self.instances[at];
        instance.waiting.push((Door::Order(order), verdict));
        instance.inbox.push(Work::Message { reading, done: Some(done), parts: None });
        self.schedule_turn(at, 0);
        self.maybe_crash(at);
    }

    /// The door has heard this of an order that it had handed in.
    pub(crate) fn order_heard(&mut self, at: usize, verdict: Verdict) {
        let (id, is_other) = (self.orders[at].purchase(), self.orders[at].is_other);
        let stands = self.store.purchases.contains_key(&id);
        self.note(|| format!("the app's door hears {verdict:?} of {id}"));
        match verdict {
            Verdict::Later => {}
            Verdict::TooMany if stands => self.wrong("an order was refused that the journal holds"),
            Verdict::TooMany => self.orders[at].is_heard = true,
            Verdict::Fresh | Verdict::Again if !stands => {
                self.wrong("an order was acknowledged that the journal does not hold");
            }
            Verdict::Fresh if is_other => self.wrong("another order under a taken key began something"),
            Verdict::Again if is_other => self.orders[at].is_heard = true,
            Verdict::Fresh | Verdict::Again => self.answered(at, &id),
            Verdict::Unknown | Verdict::Review(_) | Verdict::Conflict => self.wrong("an order heard what none is told"),
        }
    }

    /// What is not known yet is asked for again under the same key.
    fn answered(&mut self, at: usize, id: &str) {
        let events = self.store.events.get(id).map_or(&[][..], Vec::as_slice);
        let Some(answer) = Answered::first(events) else { return };
        let first = self.orders[at].answer.get_or_insert_with(|| answer.clone());
        if *first != answer {
            return self.wrong("one key was answered in two ways");
        }
        if std::mem::replace(&mut self.orders[at].is_heard, true) {
            return;
        }
        if answer.pay_url.is_some() {
            self.goes_to_the_page(id);
        }
        self.sends_more(at);
    }

    /// What apps do that have been answered: send it once more all the same, or use its key for something else.
    fn sends_more(&mut self, at: usize) {
        if self.chance.percent(30) {
            let longest = if self.chance.percent(50) { 10 * SECOND } else { 60 * MINUTE };
            let instance = usize::try_from(self.chance.below(self.instances.len() as u64)).unwrap_or(0);
            let pause: Micros = self.chance.up_to(longest);
            self.tally.came(Came::OrderAgain);
            self.after(pause, Event::Order { order: at, instance });
        }
        if self.chance.percent(15) {
            let mut order = self.orders[at].order.clone();
            order.order.account = "0912999999".to_owned();
            order.body = "{\"another\":1}".into();
            self.tally.came(Came::OtherOrder);
            self.orders.push(Sent { order, is_other: true, answer: None, is_heard: false, tries: 0 });
            self.send_order(self.orders.len() - 1);
        }
    }
}

fn context() -> Context {
    let text = |value: &str| value.to_owned();
    Context {
        platform: text("app"),
        dt_id: text("thudo"),
        r#type: text("purchase"),
        device_type: text("phone"),
        device_id: text("ios-7"),
        pay_type: text("bank"),
        pay_partner: text("bank"),
    }
}
