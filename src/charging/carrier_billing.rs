//! CAMARA Carrier Billing 0.5 with its Refund 0.3, as a channel: requests and answers of that dialect, and nothing else.
//! Nothing is debited before `confirmPayment` (or `createPayment`, in one step), and neither is ever repeated here.

mod amount;
mod attempt;
pub mod codes;
mod exchange;
mod lookup;
mod reading;
mod refund;
mod search;
mod wire;

use super::{Capabilities, ChargeOrder, Listener, RefundOrder};
use crate::config;
use crate::http_client::{Bearer, HttpClient};
use crate::purchase::evidence::{ChannelAnswer, Finding};
use crate::telemetry::metrics::LATE_SENDS;
use attempt::handle_of;
use codes::Operation;
use search::Searches;
use std::time::Duration;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, timeout_at};
use wire::PaymentHandle;

const NO_PHONE: &str = "an operator's billing charges a phone, and the order names none";

/// Calls that one effect may make one after the other: prepare, validate, confirm and a look.
const CALLS_IN_A_ROW: u32 = 3;

/// One operator's billing.
pub struct Driver {
    capabilities: Capabilities,
    base_url: String,
    refund_url: String,
    token: Bearer,
    /// For one request, and for waiting until a payment is settled.
    timeout: Duration,
    /// How far the operator's clock may be from ours.
    clock_skew: Duration,
    merchant: String,
    one_step: bool,
    /// Charges and refunds under way at once. Inquiries are not held up by them.
    slots: Semaphore,
    searches: Searches,
    client: HttpClient,
}

impl Driver {
    #[must_use]
    pub fn new(settings: &config::CarrierBilling, client: HttpClient) -> Self {
        let capabilities = Capabilities {
            texts_codes: !settings.one_step,
            can_cancel: !settings.one_step,
            can_refund: true,
            link_ttl: None,
            max_flight: settings.max_flight,
            send_within: settings.send_within,
            answer_within: settings.timeout * CALLS_IN_A_ROW,
            inquiry_plan: settings.inquiry_plan.clone(),
            concurrency: settings.concurrency,
        };
        Self {
            capabilities,
            base_url: settings.base_url.clone(),
            refund_url: settings.refund_url.clone(),
            token: Bearer::new(&settings.token),
            timeout: settings.timeout,
            clock_skew: settings.clock_skew,
            merchant: settings.merchant.clone(),
            one_step: settings.one_step,
            slots: Semaphore::new(settings.concurrency.clamp(1, Semaphore::MAX_PERMITS)),
            searches: Searches::default(),
            client,
        }
    }

    #[must_use]
    pub const fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    /// The exact body of preparePayment or createPayment; confirmPayment adds nothing but the same phone number.
    #[must_use]
    pub fn request(&self, order: &ChargeOrder) -> String {
        wire::payment_request(order, &self.merchant)
    }

    /// The exact body of createRefund.
    #[must_use]
    pub fn refund_request(&self, order: &RefundOrder) -> String {
        wire::refund_request(order)
    }

    /// Reserves, and has the operator text its code where it wants one. A reservation that is known is asked about.
    pub async fn prepare(&self, order: &ChargeOrder) -> ChannelAnswer {
        if PaymentHandle::read(order.handle.as_deref()).is_some() {
            return self.look(order).await;
        }
        if order.msisdn.is_none() {
            return unsent(NO_PHONE);
        }
        let Some(_slot) = self.slot(order.send_by).await else { return unsent(full()) };
        self.open(Operation::PreparePayment, order).await
    }

    /// The steps that are still missing, up to the debit and the operator's word that it is done.
    pub async fn charge(&self, order: &ChargeOrder) -> ChannelAnswer {
        if order.msisdn.is_none() {
            return keeping(order, unsent(NO_PHONE));
        }
        let Some(_slot) = self.slot(order.send_by).await else { return keeping(order, unsent(full())) };
        let answer = if self.one_step { self.create(order).await } else { self.two_steps(order).await };
        keeping(order, answer)
    }

    /// What became of a charge: by its id, or by its key in the operator's list.
    pub async fn inquire(&self, order: &ChargeOrder) -> ChannelAnswer {
        keeping(order, self.look(order).await)
    }

    /// Lets go of a reservation. "Cancelled" is only believed of the payment's own status.
    pub async fn cancel(&self, order: &ChargeOrder) -> ChannelAnswer {
        let known = match PaymentHandle::read(order.handle.as_deref()) {
            Some(handle) => handle,
            None => match handle_of(self.find(order).await) {
                Ok(handle) => handle,
                Err(answer) => return answer,
            },
        };
        keeping(order, self.cancel_known(order, &known).await)
    }

    /// Gives the whole charge back.
    pub async fn refund(&self, order: &RefundOrder) -> ChannelAnswer {
        let answer = self.create_refund(order).await;
        ChannelAnswer { handle: answer.handle.or_else(|| order.handle.clone()), ..answer }
    }

    /// What became of a refund: by its id, or by its key in the list of the payment's refunds.
    pub async fn inquire_refund(&self, order: &RefundOrder) -> ChannelAnswer {
        let answer = self.look_for_refund(order).await;
        ChannelAnswer { handle: answer.handle.or_else(|| order.handle.clone()), ..answer }
    }

    /// CAMARA's events need an https address of ours; the operator is asked instead.
    #[must_use]
    pub const fn listener(&self) -> Option<&dyn Listener> {
        None
    }

    /// A place among the charges under way, or none in time.
    async fn slot(&self, send_by: Instant) -> Option<SemaphorePermit<'_>> {
        let slot = timeout_at(send_by, self.slots.acquire()).await;
        if slot.is_err() {
            metrics::counter!(LATE_SENDS).increment(1);
        }
        slot.ok()?.ok()
    }
}

fn unsent(why: &str) -> ChannelAnswer {
    let finding = Finding::NotSent { why: why.to_owned() };
    ChannelAnswer { finding, handle: None, peer_reference: None, heard: String::new() }
}

const fn full() -> &'static str {
    "its time to leave passed while others were under way"
}

/// What is remembered of a payment is not forgotten because one answer did not name it.
fn keeping(order: &ChargeOrder, answer: ChannelAnswer) -> ChannelAnswer {
    let handle = answer.handle.or_else(|| order.handle.clone());
    let known = PaymentHandle::read(handle.as_deref()).map(|handle| handle.payment);
    ChannelAnswer { peer_reference: answer.peer_reference.or(known), handle, ..answer }
}
