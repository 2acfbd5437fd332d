//! What a payment or a refund, as the operator shows it, proves about our attempt. Pure; believes nothing that stands
//! under another key.

use super::amount::to_minor;
use super::wire::{AmountTransaction, ChargingInformation, Payment, PaymentHandle, Refund, RefundHandle};
use crate::charging::{ChargeOrder, RefundOrder};
use crate::purchase::evidence::{Cause, ChannelAnswer, Decline, Finding, Reason};
use crate::purchase::money::Money;

pub(super) const BAD_ANSWER: Finding = Finding::Unknown { cause: Cause::BadAnswer };
pub(super) const UNKNOWN_CODE: Finding = Finding::Unknown { cause: Cause::UnknownCode };
pub(super) const PENDING: Finding = Finding::Unknown { cause: Cause::Pending };

/// A payment's answer, with the handle to find it again. The handle of a payment that is not ours is not taken over.
pub(super) fn payment_answer(order: &ChargeOrder, payment: &Payment, heard: &str) -> ChannelAnswer {
    let heard = format!("{heard} {:.40}", payment.payment_status);
    if !payment.amount_transaction.is_under(&order.key) {
        return ChannelAnswer { finding: BAD_ANSWER, handle: None, peer_reference: None, heard };
    }
    let handle = handle(order, payment);
    let (handle, peer_reference) = (Some(handle.write()), Some(handle.payment));
    ChannelAnswer { finding: payment_finding(order, payment), handle, peer_reference, heard }
}

/// The authorization is only shown once, by preparePayment: it is kept as long as the payment is the same.
fn handle(order: &ChargeOrder, payment: &Payment) -> PaymentHandle {
    let shown = payment.validation_info.as_ref().and_then(|info| info.authorization_id.clone());
    let kept = PaymentHandle::read(order.handle.as_deref()).filter(|kept| kept.payment == payment.payment_id);
    PaymentHandle {
        payment: payment.payment_id.clone(),
        authorization: shown.or(kept.and_then(|kept| kept.authorization)),
    }
}

fn payment_finding(order: &ChargeOrder, payment: &Payment) -> Finding {
    let declined = |reason| Finding::NotCharged(Decline::of(reason));
    match payment.payment_status.as_str() {
        "processing" => PENDING,
        "pending_validation" if !payment.can_be_validated() => declined(Reason::NeedAuth),
        "pending_validation" => as_ordered(order, payment, Finding::CodeSent),
        "reserved" => as_ordered(order, payment, Finding::Reserved),
        "succeeded" => charged(payment),
        "denied" => declined(Reason::Declined),
        "cancelled" => declined(Reason::Cancelled),
        _ => UNKNOWN_CODE,
    }
}

/// What was debited is told as the operator tells it, for the core to compare.
fn charged(payment: &Payment) -> Finding {
    match paid(&payment.amount_transaction) {
        Some(amount) => Finding::Charged { amount, msisdn: payment.amount_transaction.phone_number.clone() },
        None => BAD_ANSWER,
    }
}

/// Money set aside for another amount or subscriber must never be confirmed.
fn as_ordered(order: &ChargeOrder, payment: &Payment, finding: Finding) -> Finding {
    let transaction = &payment.amount_transaction;
    let ordered = order.msisdn.map(|msisdn| msisdn.e164());
    let phone = transaction.phone_number.is_none() || transaction.phone_number == ordered;
    if paid(transaction) == Some(order.amount) && phone { finding } else { BAD_ANSWER }
}

fn paid(transaction: &AmountTransaction) -> Option<Money> {
    money(transaction.payment_amount.as_ref()?.charging_information.as_ref()?)
}

fn money(information: &ChargingInformation) -> Option<Money> {
    to_minor(&information.amount, &information.currency)
}

impl Payment {
    /// An operator that wants a web page opened (`action: "open"`) cannot be answered by text message.
    fn can_be_validated(&self) -> bool {
        self.validation_info.as_ref().is_none_or(|info| info.authorization_id.is_some())
    }

    /// Whether it can still move money, or has.
    pub(super) fn lives(&self) -> bool {
        !matches!(self.payment_status.as_str(), "denied" | "cancelled")
    }
}

pub(super) fn refund_answer(order: &RefundOrder, refund: &Refund, heard: &str) -> ChannelAnswer {
    let heard = format!("{heard} {:.40}", refund.refund_status);
    if !refund.amount_transaction.is_under(&order.key) {
        return ChannelAnswer { finding: BAD_ANSWER, handle: None, peer_reference: None, heard };
    }
    let handle = RefundHandle { refund: refund.refund_id.clone() }.write();
    let (handle, peer_reference) = (Some(handle), Some(refund.refund_id.clone()));
    ChannelAnswer { finding: refund_finding(order, refund), handle, peer_reference, heard }
}

fn refund_finding(order: &RefundOrder, refund: &Refund) -> Finding {
    match refund.refund_status.as_str() {
        "processing" => PENDING,
        "succeeded" => refunded(order, refund),
        "denied" => Finding::NotRefunded(Decline::of(Reason::Declined)),
        _ => UNKNOWN_CODE,
    }
}

/// A total refund names no amount: it is the payment's, which is the order's.
fn refunded(order: &RefundOrder, refund: &Refund) -> Finding {
    let amount = refund.amount_transaction.refund_amount.as_ref();
    match amount.and_then(|amount| amount.charging_information.as_ref()) {
        None => Finding::Refunded { amount: order.amount },
        Some(information) => money(information).map_or(BAD_ANSWER, |amount| Finding::Refunded { amount }),
    }
}
