//! Asking the operator what became of a payment: by its id, by the list of a time, and again until it is settled.
//! Changes nothing there, and answers "not found" only when the whole list was read.

use super::Driver;
use super::codes::{Operation, Verdict};
use super::exchange::{About, Ask, Reply, Said, exchange};
use super::reading::{PENDING, UNKNOWN_CODE, payment_answer};
use super::wire::{Payment, PaymentHandle};
use crate::charging::ChargeOrder;
use crate::http_client::{Answer, address};
use crate::purchase::evidence::{Cause, ChannelAnswer, Finding};
use serde::de::DeserializeOwned;
use std::ops::ControlFlow::{self, Break};
use std::time::Duration;
use tokio::time::{Instant, sleep, sleep_until};

/// So that a page stays well below what is read of an answer.
const PER_PAGE: usize = 50;
/// Pages read of one list; a longer one proves nothing. Some minutes of an operator's busiest hour are in it.
const PAGES: usize = 4_000;
/// How often a page after the first is asked for.
const PAGE_TRIES: u32 = 5;
/// Between two questions about a payment that is still processed; each pause is twice the one before.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// What is being waited for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Until {
    /// A verdict on the opening: reserved, a code sent, or an end.
    Opened,
    /// A verdict on the money.
    Ended,
}

impl Driver {
    /// By id where there is one, otherwise by the list.
    pub(super) async fn look(&self, order: &ChargeOrder) -> ChannelAnswer {
        let Some(handle) = PaymentHandle::read(order.handle.as_deref()) else { return self.find(order).await };
        let answer = self.retrieve(order, &handle, self.timeout).await;
        if answer.finding != Finding::NotFound {
            return answer;
        }
        let answer = self.find(order).await;
        // A payment that was there does not vanish by itself, so its absence proves nothing.
        let gone = answer.finding == Finding::NotFound;
        if gone { ChannelAnswer { finding: UNKNOWN_CODE, ..answer } } else { answer }
    }

    pub(super) async fn retrieve(
        &self,
        order: &ChargeOrder,
        handle: &PaymentHandle,
        timeout: Duration,
    ) -> ChannelAnswer {
        let url = address(&self.base_url, ["payments", &handle.payment]);
        let said = self.read(Operation::RetrievePayment, url, &order.into(), timeout).await;
        match &said.reply {
            Reply::Accepted(answer) => match serde_json::from_slice::<Payment>(&answer.body) {
                Ok(payment) if payment.payment_id == handle.payment => payment_answer(order, &payment, &said.heard),
                Ok(_) | Err(_) => said.unanswered(),
            },
            Reply::Refused(Verdict::NotFound) => said.concluded(Finding::NotFound),
            Reply::Refused(_) | Reply::Unknown(_) | Reply::NotSent(_) => said.unanswered(),
        }
    }

    /// Asks by id, at once and then after growing pauses, until it is settled or `timeout` is over.
    pub(super) async fn settle(&self, order: &ChargeOrder, handle: &PaymentHandle, until: Until) -> ChannelAnswer {
        let deadline = Instant::now() + self.timeout;
        let mut pause = FIRST_PAUSE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let answer = self.retrieve(order, handle, left).await;
            let next = Instant::now() + pause;
            if until.reached(&answer.finding) || next >= deadline {
                return until.concluded(answer);
            }
            sleep_until(next).await;
            pause *= 2;
        }
    }

    /// Reads a list page by page, to its end or until `visit` breaks. Anything short of that is an answer that proves
    /// nothing.
    pub(super) async fn walk<T: DeserializeOwned, B>(
        &self,
        operation: Operation,
        url: &str,
        about: &About,
        visit: &mut impl FnMut(T) -> ControlFlow<B>,
    ) -> Result<Option<B>, ChannelAnswer> {
        let mut seen = 0;
        for page in 1..=PAGES {
            let said = self.read_page(operation, &format!("{url}&page={page}&perPage={PER_PAGE}"), about, page).await;
            let (items, total) = match &said.reply {
                Reply::Refused(Verdict::EndOfList) if page > 1 => return Ok(None),
                Reply::Accepted(answer) => match serde_json::from_slice::<Vec<T>>(&answer.body) {
                    Ok(items) => (items, total_count(answer)),
                    Err(_) => return Err(said.unanswered()),
                },
                Reply::Refused(_) | Reply::Unknown(_) | Reply::NotSent(_) => return Err(said.unanswered()),
            };
            seen += items.len();
            // An operator may give fewer than were asked for: only an empty page or its own count ends the list.
            let last = items.is_empty() || total.is_some_and(|total| seen >= total);
            if let Break(found) = items.into_iter().try_for_each(&mut *visit) {
                return Ok(Some(found));
            }
            if last {
                return Ok(None);
            }
        }
        let finding = Finding::Unknown { cause: Cause::BadAnswer };
        Err(ChannelAnswer { finding, ..nothing(&format!("{}: more than {PAGES} pages", operation.as_str())) })
    }

    /// A long list is not given up for one page that did not come; that the operator is not there shows at the first.
    async fn read_page(&self, operation: Operation, url: &str, about: &About, page: usize) -> Said {
        let mut tries = if page > 1 { PAGE_TRIES } else { 1 };
        let mut pause = FIRST_PAUSE;
        loop {
            let said = self.read(operation, url.to_owned(), about, self.timeout).await;
            tries -= 1;
            if tries == 0 || !matches!(said.reply, Reply::Unknown(_) | Reply::NotSent(_)) {
                return said;
            }
            sleep(pause).await;
            pause *= 2;
        }
    }

    pub(super) async fn read(&self, operation: Operation, url: String, about: &About, timeout: Duration) -> Said {
        let ask = Ask { operation, url, body: None, about, send_by: None, timeout };
        exchange(&self.client, &self.token, ask).await
    }
}

pub(super) fn nothing(heard: &str) -> ChannelAnswer {
    ChannelAnswer { finding: Finding::NotFound, handle: None, peer_reference: None, heard: heard.to_owned() }
}

/// CAMARA's `X-Total-Count`.
fn total_count(answer: &Answer) -> Option<usize> {
    answer.headers.get("x-total-count")?.to_str().ok()?.parse().ok()
}

impl Until {
    fn reached(self, finding: &Finding) -> bool {
        match finding {
            Finding::Charged { .. } | Finding::NotCharged(_) | Finding::NotFound => true,
            Finding::CodeSent | Finding::Reserved => self == Self::Opened,
            Finding::WrongCode(_)
            | Finding::AwaitsPayment { .. }
            | Finding::NotSent { .. }
            | Finding::Unknown { .. }
            | Finding::Refunded { .. }
            | Finding::NotRefunded(_) => false,
        }
    }

    /// After a confirm or cancel that may still be under way, "reserved" and "not found" prove nothing.
    fn concluded(self, answer: ChannelAnswer) -> ChannelAnswer {
        let finding = match answer.finding {
            Finding::CodeSent | Finding::Reserved if self == Self::Ended => PENDING,
            Finding::NotFound => UNKNOWN_CODE,
            finding => finding,
        };
        ChannelAnswer { finding, ..answer }
    }
}
