//! The partner's own shop, as a telephone on the page buys there: the partner asks the daemon, takes the money, and tells it.
//! What it took stands in its own book; what became of it, the journal says.

use super::stage::{Refusal, Stage};
use crate::sandbox::partner::Sale;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// What the shop does wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Mishap {
    None,
    /// It tells the same payment three times.
    ToldAgain,
    /// It takes another price than the package's.
    WrongPrice,
}

/// What it takes by mistake, in dong.
const WRONG_PRICE: i64 = 3_000;

impl Stage {
    /// Carried to its end though the browser may go away: money that was taken must be told of.
    pub(super) async fn shop(self: &Arc<Self>, number: &str, mishap: Mishap) -> Result<Value, Refusal> {
        let msisdn = self.with_phone(number, |phone| phone.e164())?;
        let stage = Arc::clone(self);
        let sold = tokio::spawn(async move {
            let sold = stage.sell(msisdn, mishap).await;
            stage.nudged.notify_one();
            sold
        });
        sold.await.unwrap_or_else(|_stopped| Err(Refusal::Shop("it is closed".to_owned())))
    }

    async fn sell(&self, msisdn: String, mishap: Mishap) -> Result<Value, Refusal> {
        let (partner, billing, door) = (&self.neighbours.partner, &self.neighbours.billing, self.door.as_str());
        let word = str::to_owned;
        let sale = Sale {
            msisdn,
            account: None,
            service: word("VIP"),
            package: word("NAP1"),
            amount: 0,
            currency: word("VND"),
        };
        let checked = partner.checks(door, &sale).await;
        let Some(price) = checked.body["package"]["price"].as_i64().filter(|_| checked.word() == "ok") else {
            let message = checked.body["message"].as_str().unwrap_or("paygate cannot say now; nothing was charged");
            return Err(Refusal::Shop(message.to_owned()));
        };
        let amount = if mishap == Mishap::WrongPrice { WRONG_PRICE } else { price };
        let balance = billing.balance(&sale.msisdn);
        if balance < amount {
            return Err(Refusal::Shop("not enough money; nothing was charged".to_owned()));
        }
        billing.set_balance(&sale.msisdn, balance - amount);
        let payment = partner.charges(&Sale { amount, ..sale });
        let first = partner.tells(door, &payment).await;
        let mut answers = vec![first.body];
        if mishap == Mishap::ToldAgain {
            for _ in 0..2 {
                answers.push(partner.tells(door, &payment).await.body);
            }
        }
        Ok(json!({ "payment": payment.id, "answers": answers }))
    }
}
