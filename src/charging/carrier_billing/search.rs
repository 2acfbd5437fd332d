//! Finding payments by their keys in the operator's list. The list is long and the searches are many, so one reading answers
//! all that wait when it begins; a search never joins a reading that began before it was asked. Who is found is told at
//! once; that nothing is found is said only when all of the time was read. Changes nothing there.

use super::Driver;
use super::codes::Operation;
use super::exchange::About;
use super::lookup::nothing;
use super::reading::payment_answer;
use super::wire::Payment;
use crate::charging::ChargeOrder;
use crate::http_client::address;
use crate::purchase::evidence::{Cause, ChannelAnswer, Finding};
use jiff::{SignedDuration, Timestamp};
use std::collections::HashMap;
use std::ops::ControlFlow::{Break, Continue};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;

/// Payments created from this long before the intent are looked at first: nearly always ours is among them.
const NEAR: Duration = Duration::from_secs(2);

/// What a reading of the list says to one search.
type Found = Result<Option<Payment>, ChannelAnswer>;

/// The searches of one operator's list.
#[derive(Default)]
pub(super) struct Searches {
    waiting: Mutex<Vec<Search>>,
    /// Held by whoever reads for all.
    reading: tokio::sync::Mutex<()>,
}

struct Search {
    key: String,
    stretch: Stretch,
    told: oneshot::Sender<Found>,
}

/// The time in which a payment may have been created, by the operator's clock.
#[derive(Clone, Copy)]
struct Stretch {
    far: Timestamp,
    near: Timestamp,
    end: Timestamp,
}

impl Searches {
    fn wait(&self, search: Search) {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).push(search);
    }

    fn take(&self) -> Vec<Search> {
        std::mem::take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Driver {
    /// By the key, in the list of the time around the intent. A payment that may still move money is stronger than one
    /// under the same key that ended without.
    pub(super) async fn find(&self, order: &ChargeOrder) -> ChannelAnswer {
        let (told, mut answer) = oneshot::channel();
        let stretch = Stretch::around(order, self.clock_skew);
        self.searches.wait(Search { key: order.key.clone(), stretch, told });
        let found = tokio::select! {
            biased;
            found = &mut answer => found,
            _reader = self.searches.reading.lock() => {
                // Whoever read before us has answered us, or has left us to ourselves.
                if answer.is_empty() {
                    self.read_for_all(&About::from(order)).await;
                }
                answer.await
            }
        };
        match found {
            Ok(Ok(Some(payment))) => payment_answer(order, &payment, "retrievePayments: 200"),
            Ok(Ok(None)) => nothing("retrievePayments: 200, nothing under this key"),
            Ok(Err(answer)) => answer,
            Err(_) => {
                let finding = Finding::Unknown { cause: Cause::NoAnswer };
                ChannelAnswer { finding, ..nothing("retrievePayments: its reading was given up") }
            }
        }
    }

    async fn read_for_all(&self, about: &About) {
        let searches = self.searches.take();
        let Some(whole) = searches.iter().map(|search| search.stretch).reduce(Stretch::and) else { return };
        let mut wanted: HashMap<String, Vec<Search>> = HashMap::new();
        for search in searches {
            wanted.entry(search.key.clone()).or_default().push(search);
        }
        let mut ended = HashMap::new();
        let mut visit = |payment: Payment| {
            let key = payment.amount_transaction.names().find(|name| wanted.contains_key(*name)).map(str::to_owned);
            let Some(key) = key else { return Continue(()) };
            if payment.lives() {
                wanted.remove(&key).into_iter().flatten().for_each(|search| search.tell(Ok(Some(payment.clone()))));
            } else {
                ended.insert(key, payment);
            }
            if wanted.is_empty() { Break(()) } else { Continue(()) }
        };
        let mut read = Ok(None);
        for query in whole.queries() {
            let url = format!("{}?{query}", address(&self.base_url, ["payments"]));
            read = self.walk(Operation::RetrievePayments, &url, about, &mut visit).await;
            if !matches!(read, Ok(None)) {
                break;
            }
        }
        for search in wanted.into_values().flatten() {
            let found = read.as_ref().map(|_| ended.get(&search.key).cloned()).map_err(Clone::clone);
            search.tell(found);
        }
    }
}

impl Search {
    /// Who has stopped waiting asks again.
    fn tell(self, found: Found) {
        let _ = self.told.send(found);
    }
}

impl Stretch {
    /// `skew` is how far the operator's clock may be from ours.
    fn around(order: &ChargeOrder, skew: Duration) -> Self {
        let time = |micros: i64| Timestamp::from_microsecond(micros).unwrap_or(Timestamp::UNIX_EPOCH);
        let intended = time(order.intended_at);
        let first = order.lost_since.map_or(intended, |since| intended.min(time(since)));
        Self {
            far: shifted(first, -signed(skew)),
            near: shifted(intended, -signed(NEAR.min(skew))),
            end: shifted(time(order.in_flight_until), signed(skew)),
        }
    }

    fn and(self, other: Self) -> Self {
        Self { far: self.far.min(other.far), near: self.near.min(other.near), end: self.end.max(other.end) }
    }

    /// Two parts of `paymentCreationDate`, oldest first so that new payments only lengthen the list's end: from just
    /// before the intent until nothing of any send can be under way any more, and then what the clocks' difference may hide. An
    /// end that is still to come is left out.
    fn queries(&self) -> [String; 2] {
        let Self { far, near, end } = self;
        let to = if *end < Timestamp::now() { format!("&paymentCreationDate.lte={end}") } else { String::new() };
        [
            format!("order=asc&paymentCreationDate.gte={near}{to}"),
            format!("order=asc&paymentCreationDate.gte={far}&paymentCreationDate.lte={near}"),
        ]
    }
}

fn signed(duration: Duration) -> SignedDuration {
    SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX)
}

fn shifted(time: Timestamp, by: SignedDuration) -> Timestamp {
    time.checked_add(by).unwrap_or(time)
}
