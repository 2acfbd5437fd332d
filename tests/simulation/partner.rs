//! A partner that charges by itself and tells of it until it is heard: to whichever instance, now and then to two at once,
//! now and then again, or with other words under the same id. Its debit stands in the books before anybody here knows of it.

use super::chance::Chance;
use super::instance::Door;
use super::life::{Event, Life, MINUTE, SECOND, START};
use super::peers::PRICE;
use super::tally::Came;
use paygate::engine::door::{PARTNER, PaymentIn, Verdict};
use paygate::engine::intake::{payment_key, purchase_id};
use paygate::engine::work::Work;
use paygate::purchase::input::Payment;
use paygate::purchase::money::Money;
use paygate::purchase::record::{Micros, Order};
use paygate_parsers::msisdn::Msisdn;
use tokio::sync::oneshot;

const NAME: &str = "vinaphone";
/// Lives with such a partner, of a hundred. They are dealt apart, so that all others stay as they were.
const LIVES: u64 = 20;

/// A payment that is told.
#[derive(Debug)]
pub(crate) struct Told {
    payment: PaymentIn,
    /// Other words under an id that was taken: never to be taken.
    is_other: bool,
    pub(crate) is_heard: bool,
}

impl Life<'_> {
    pub(crate) fn begin_partner(&mut self, seed: u64) {
        let mut chance = Chance::new(seed ^ 0x7e11_5e1f_7e11_5e1f);
        if chance.percent(LIVES) {
            for _ in 0..=chance.below(2) {
                let subscriber = usize::try_from(chance.below(self.subscribers.len() as u64)).unwrap_or(0);
                self.at(START + chance.up_to(2 * MINUTE), Event::PartnerCharges { subscriber });
            }
        }
    }

    pub(crate) fn partner_charges(&mut self, subscriber: usize) {
        let wrong = Money::new(PRICE.amount + 1, PRICE.currency);
        let amount = if self.chance.percent(8) { wrong } else { PRICE };
        let reference = format!("p-{}", self.payments.len());
        let Some(payment) = self.payment(subscriber, &reference, amount) else { return };
        let id = purchase_id(&payment.key, 0);
        self.books.debit_elsewhere(&format!("{id}-c1"), amount);
        self.note(|| format!("the partner charges phone {subscriber}: {id}"));
        self.tally.came(Came::Partner);
        self.payments.push(Told { payment, is_other: false, is_heard: false });
        self.tell_someone(self.payments.len() - 1);
    }

    fn payment(&mut self, subscriber: usize, reference: &str, amount: Money) -> Option<PaymentIn> {
        let phone = &self.subscribers[subscriber];
        let msisdn = Msisdn::parse(&self.desk.reader.country, &phone.number).ok()?;
        let order = Order {
            msisdn: Some(msisdn),
            account: phone.account.clone(),
            service: "VIP".to_owned(),
            package: "NAP1".to_owned(),
            channel: NAME.to_owned(),
            door: PARTNER.to_owned(),
            link: "viettel".to_owned(),
            short_code: "9029".to_owned(),
            repeat: false,
            app: None,
        };
        let (key, fingerprint) = (payment_key(NAME, reference), format!("{reference} {}", amount.amount));
        let payment = Payment { reference: reference.to_owned(), amount, charged_at: self.now, fingerprint };
        Some(PaymentIn { key, order, payment, check: self.says_of_sale(), body: Default::default() })
    }

    /// One of the instances that run, now and then two; what is not heard of is told again.
    fn tell_someone(&mut self, at: usize) {
        let up: Vec<usize> = (0..self.instances.len()).filter(|at| self.instances[*at].is_up).collect();
        let twice = self.chance.percent(15);
        for _ in 0..=u32::from(twice) {
            if !up.is_empty() {
                let instance = *self.chance.one_of(&up);
                let way = self.chance.up_to(SECOND / 2);
                self.after(way, Event::TellPayment { payment: at, instance });
            }
        }
        let wait = 10 * SECOND + self.chance.up_to(20 * SECOND);
        self.after(wait, Event::TellAgain { payment: at });
    }

    pub(crate) fn tell_again(&mut self, at: usize) {
        if !self.payments[at].is_heard {
            self.tally.came(Came::PaymentAgain);
            self.tell_someone(at);
        }
    }

    /// The door asks the package manager each time before it hands the payment in.
    pub(crate) fn tell_payment(&mut self, payment: usize, at: usize) {
        let instance = &self.instances[at];
        if !instance.is_up {
            return;
        }
        if instance.paused_until > self.now {
            let until = instance.paused_until;
            return self.at(until, Event::TellPayment { payment, instance: at });
        }
        let check = self.says_of_sale();
        let told = PaymentIn { check, ..self.payments[payment].payment.clone() };
        let (done, verdict) = oneshot::channel();
        let instance = &mut self.instances[at];
        instance.waiting.push((Door::Payment(payment), verdict));
        instance.inbox.push(Work::Payment { payment: Box::new(told), done: Some(done) });
        self.schedule_turn(at, 0);
        self.maybe_crash(at);
    }

    pub(crate) fn payment_heard(&mut self, at: usize, verdict: Verdict) {
        let Told { payment, is_other, is_heard } = &self.payments[at];
        let (other, heard, payment) = (*is_other, *is_heard, payment.clone());
        let stands = self.store.purchases.contains_key(&purchase_id(&payment.key, 0));
        self.note(|| format!("the partner hears {verdict:?} of {}", payment.payment.reference));
        match verdict {
            Verdict::Later => return,
            _ if !stands => self.wrong("a payment was acknowledged that the journal does not hold"),
            Verdict::Conflict if !other => self.wrong("a payment was called another's"),
            Verdict::Fresh | Verdict::Again | Verdict::Review(_) if other => {
                self.wrong("other words under a taken id were taken for a payment");
            }
            Verdict::Unknown | Verdict::TooMany => self.wrong("a payment heard what no payment is told"),
            Verdict::Fresh | Verdict::Again | Verdict::Review(_) | Verdict::Conflict => {}
        }
        self.payments[at].is_heard = true;
        if !heard && !other {
            self.tells_more(at, payment);
        }
    }

    /// What partners do that have been answered: tell it once more all the same, or use its id for something else.
    fn tells_more(&mut self, at: usize, payment: PaymentIn) {
        if self.chance.percent(25) {
            let (payment, longest) = (at, if self.chance.percent(80) { 10 * SECOND } else { 60 * MINUTE });
            let instance = usize::try_from(self.chance.below(self.instances.len() as u64)).unwrap_or(0);
            let pause: Micros = self.chance.up_to(longest);
            self.after(pause, Event::TellPayment { payment, instance });
        }
        if self.chance.percent(15) {
            self.tally.came(Came::OtherPayment);
            let mut other = payment;
            other.payment.fingerprint += " or another";
            self.payments.push(Told { payment: other, is_other: true, is_heard: false });
            self.tell_someone(self.payments.len() - 1);
        }
    }
}
