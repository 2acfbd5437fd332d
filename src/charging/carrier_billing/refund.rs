//! Giving a charge back by CAMARA Carrier Billing Refund 0.3, and asking what became of it. Never gives back a part, and
//! never asks twice for what may be under way.

use super::codes::{Operation, Verdict};
use super::exchange::{About, Ask, Reply, Said, exchange};
use super::lookup::nothing;
use super::reading::{PENDING, UNKNOWN_CODE, refund_answer};
use super::wire::{Payment, PaymentHandle, Refund, RefundHandle, refund_request};
use super::{Driver, full, unsent};
use crate::charging::RefundOrder;
use crate::http_client::address;
use crate::purchase::evidence::{Advice, ChannelAnswer, Decline, Finding, Reason};
use std::ops::ControlFlow::{Break, Continue};

impl Driver {
    /// A repeat looks first: after a refund that was done, the operator refuses a second one in words that say nothing of
    /// the first.
    pub(super) async fn create_refund(&self, order: &RefundOrder) -> ChannelAnswer {
        let Some(payment) = payment_id(order) else { return unsent("no payment id is known to give money back for") };
        let Some(_slot) = self.slot(order.send_by).await else { return unsent(full()) };
        if order.sends > 1 {
            let found = self.find_refund(order, &payment).await;
            if found.finding != Finding::NotFound {
                return found;
            }
        }
        let said = self.post_refund(order, &payment).await;
        match &said.reply {
            Reply::Accepted(answer) => match serde_json::from_slice::<Refund>(&answer.body) {
                Ok(refund) => refund_answer(order, &refund, &said.heard),
                Err(_) => said.unanswered(),
            },
            Reply::NotSent(_) | Reply::Unknown(_) => said.inconclusive(),
            Reply::Refused(verdict) => {
                let verdict = *verdict;
                self.refused_refund(order, &payment, verdict, said).await
            }
        }
    }

    async fn post_refund(&self, order: &RefundOrder, payment: &str) -> Said {
        let ask = Ask {
            operation: Operation::CreateRefund,
            url: address(&self.refund_url, ["payments", payment, "refunds"]),
            body: Some(refund_request(order)),
            about: &order.into(),
            send_by: Some(order.send_by),
            timeout: self.timeout,
        };
        exchange(&self.client, &self.token, ask).await
    }

    async fn refused_refund(&self, order: &RefundOrder, payment: &str, verdict: Verdict, said: Said) -> ChannelAnswer {
        let not_refunded = |reason, advice| Finding::NotRefunded(Decline::new(reason, advice));
        match verdict {
            Verdict::Declined(reason, advice) => said.concluded(not_refunded(reason, advice)),
            Verdict::TryLater => said.concluded(Finding::NotSent { why: "the operator takes no more now".to_owned() }),
            Verdict::Exists | Verdict::ExistsOrWrong => {
                let found = self.find_refund(order, payment).await;
                if found.finding != Finding::NotFound {
                    return found;
                }
                let ours_alone = verdict == Verdict::ExistsOrWrong && order.sends <= 1;
                let refused = not_refunded(Reason::Config, Advice::Technical);
                said.concluded(if ours_alone { refused } else { UNKNOWN_CODE })
            }
            Verdict::AskPayment => self.unrefundable(order, payment, said).await,
            Verdict::WrongCode | Verdict::AlreadyDone | Verdict::NotFound | Verdict::EndOfList => said.unanswered(),
        }
    }

    /// The operator says that the payment is in no state to be refunded: its own status tells for how long.
    async fn unrefundable(&self, order: &RefundOrder, payment: &str, said: Said) -> ChannelAnswer {
        let url = address(&self.base_url, ["payments", payment]);
        let read = self.read(Operation::RetrievePayment, url, &order.into(), self.timeout).await;
        let Reply::Accepted(answer) = &read.reply else { return read.unanswered() };
        match serde_json::from_slice::<Payment>(&answer.body) {
            Ok(payment) if matches!(payment.payment_status.as_str(), "denied" | "cancelled") => {
                said.concluded(Finding::NotRefunded(Decline::of(Reason::Declined)))
            }
            Ok(_) => said.concluded(PENDING),
            Err(_) => read.unanswered(),
        }
    }

    /// By id where there is one, otherwise in the list of the payment's refunds.
    pub(super) async fn look_for_refund(&self, order: &RefundOrder) -> ChannelAnswer {
        let Some(payment) = payment_id(order) else {
            return ChannelAnswer { finding: UNKNOWN_CODE, ..nothing("no payment id is known to ask about") };
        };
        let Some(handle) = RefundHandle::read(order.handle.as_deref()) else {
            return self.find_refund(order, &payment).await;
        };
        let url = address(&self.refund_url, ["payments", &payment, "refunds", &handle.refund]);
        let said = self.read(Operation::RetrieveRefund, url, &order.into(), self.timeout).await;
        let Reply::Accepted(answer) = &said.reply else { return said.unanswered() };
        match serde_json::from_slice::<Refund>(&answer.body) {
            Ok(refund) if refund.refund_id == handle.refund => refund_answer(order, &refund, &said.heard),
            Ok(_) | Err(_) => said.unanswered(),
        }
    }

    async fn find_refund(&self, order: &RefundOrder, payment: &str) -> ChannelAnswer {
        let url = format!("{}?order=asc", address(&self.refund_url, ["payments", payment, "refunds"]));
        let mut visit = |refund: Refund| if refund.mentions(&order.key) { Break(refund) } else { Continue(()) };
        match self.walk(Operation::RetrieveRefunds, &url, &About::from(order), &mut visit).await {
            Ok(Some(refund)) => refund_answer(order, &refund, "retrieveRefunds: 200"),
            Ok(None) => nothing("retrieveRefunds: 200, nothing under this key"),
            Err(answer) => answer,
        }
    }
}

impl Refund {
    fn mentions(&self, key: &str) -> bool {
        self.amount_transaction.mentions(key)
    }
}

/// CAMARA's `paymentId` of the charge.
fn payment_id(order: &RefundOrder) -> Option<String> {
    let handle = PaymentHandle::read(order.charge_handle.as_deref()).map(|handle| handle.payment);
    handle.or_else(|| order.peer_reference.clone())
}
