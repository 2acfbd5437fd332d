//! A partner's part: it asks whether it may sell, takes the money by itself, and tells of it at one instance after the other
//! until it is taken; it may tell it twice at once, again afterwards, use its id for something else, or be imitated. What it
//! is answered is held against what it may be answered.

use super::dice::Dice;
use super::judge::{REFUSED_AND_TAKEN, TWO_ANSWERS};
use super::life::{Debit, Life, PRICE};
use super::subscribers::Subscribers;
use paygate::sandbox::partner::{Heard, Partner, Payment, Sale, Trick};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::sleep;

/// Between two tries.
const PAUSE: Duration = Duration::from_millis(200);
/// What a wrong price has on top: no lie of the package manager's is the same.
const TOO_MUCH: i64 = 7_000;

impl Subscribers {
    /// Nothing is charged that may not be sold.
    pub(super) async fn is_sold_to(&self, at: usize, life: &Life) {
        let (partner, mut dice) = (self.partner(at), Dice::new(self.seed ^ at as u64));
        let Some(payment) = self.sells(at, life, partner).await else { return };
        if dice.roll(4) == 0 {
            let forged = otherwise(&payment, "account", life.strangers_account().into());
            self.is_refused(at, partner, &forged, Trick::Forged, 401).await;
            self.did("payment forged");
        }
        let twice = dice.roll(4) == 0;
        self.tells(at, partner, &payment, twice).await;
        if !life.dear {
            self.recovery.acknowledged(at);
        }
        if dice.roll(4) == 0 {
            let other = match dice.roll(2) {
                0 => otherwise(&payment, "account", life.strangers_account().into()),
                _ => otherwise(&payment, "amount", json!(payment.sale.amount + 1)),
            };
            self.is_refused(at, partner, &other, Trick::None, 409).await;
            self.did("another payment under a taken id");
        }
        self.reads(at, life).await;
        if dice.roll(4) == 0 {
            self.tells(at, partner, &payment, false).await;
        }
    }

    /// One signs as it should, the other as seed 004 has it.
    fn partner(&self, at: usize) -> &Partner {
        let partners = &self.ground.partners;
        &partners[at / 2 % partners.len()]
    }

    async fn sells(&self, at: usize, life: &Life, partner: &Partner) -> Option<Payment> {
        let sale = Sale {
            msisdn: format!("+{}", life.number),
            account: Some(life.account.clone()),
            service: "VIP".to_owned(),
            package: "NAP1".to_owned(),
            amount: PRICE,
            currency: "VND".to_owned(),
        };
        let mut turn = at;
        let price = loop {
            let checked = partner.checks(&self.ground.door(turn), &sale).await;
            match checked.body["package"]["price"].as_i64().filter(|_| checked.word() == "ok") {
                Some(price) => break price,
                None if self.is_dismissed() => return None,
                None => sleep(PAUSE).await,
            }
            turn += 1;
        };
        let amount = price + if life.dear { TOO_MUCH } else { 0 };
        let payment = partner.charges(&Sale { amount, ..sale });
        let debit = Debit { reference: payment.id.clone(), amount };
        self.knows(at, |life| life.debit = Some(debit));
        Some(payment)
    }

    /// Until it is taken.
    async fn tells(&self, at: usize, partner: &Partner, payment: &Payment, twice: bool) {
        let body = payment.body();
        let [first, second] = [at, at + 1].map(|turn| self.insists(turn, partner, &body, Trick::None));
        let heard = if twice {
            self.did("payment told twice at once");
            let (first, second) = tokio::join!(first, second);
            [first, second]
        } else {
            [first.await, None]
        };
        let (new, known): (Vec<_>, Vec<_>) = heard.into_iter().flatten().partition(|heard| heard.word() == "accepted");
        new.into_iter().chain(known).for_each(|heard| self.hears(at, &heard));
    }

    /// Whatever is heard of one payment is of one purchase, and only the first of it can be that it is new.
    fn hears(&self, at: usize, heard: &Heard) {
        let knew = self.purchase_of(at);
        let id = heard.body["purchaseId"].as_str().map(str::to_owned);
        let is_taken = heard.status == 200 && id.is_some();
        let is_new_again = knew.is_some() && heard.word() != "already";
        if !is_taken || is_new_again || knew.is_some_and(|knew| Some(knew) != id) {
            self.broken(at, TWO_ANSWERS, heard);
        }
        self.knows(at, |life| {
            life.request_acknowledged |= is_taken;
            life.purchase = life.purchase.take().or(id);
        });
    }

    async fn is_refused(&self, at: usize, partner: &Partner, body: &Value, trick: Trick, status: u16) {
        if let Some(heard) = self.insists(at, partner, body, trick).await.filter(|heard| heard.status != status) {
            self.broken(at, REFUSED_AND_TAKEN, &heard);
        }
    }

    /// At one instance after the other until it is answered for good.
    async fn insists(&self, at: usize, partner: &Partner, body: &Value, trick: Trick) -> Option<Heard> {
        let mut turn = at;
        loop {
            let heard = partner.sends(&self.ground.door(turn), "payments", body, trick).await;
            if heard.is_final() {
                return Some(heard);
            }
            if self.is_dismissed() {
                return None;
            }
            self.did("payment not answered, told again");
            sleep(PAUSE).await;
            turn += 1;
        }
    }
}

/// The same payment with something else in it.
fn otherwise(payment: &Payment, name: &str, value: Value) -> Value {
    let mut body = payment.body();
    body[name] = value;
    body
}
