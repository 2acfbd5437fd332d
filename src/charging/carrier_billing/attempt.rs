//! The steps of one charge: opening, the operator's code, the confirmation, letting go. Each request is sent at most once
//! in a call, and only confirmPayment or createPayment may debit.

use super::Driver;
use super::codes::{Operation, Verdict};
use super::exchange::{Ask, Reply, Said, exchange};
use super::lookup::Until;
use super::reading::{PENDING, UNKNOWN_CODE, payment_answer};
use super::wire::{Payment, PaymentHandle, phone_number, validation};
use crate::charging::ChargeOrder;
use crate::http_client::address;
use crate::purchase::evidence::{Advice, Cause, ChannelAnswer, Decline, Finding, Reason};

impl Driver {
    pub(super) async fn create(&self, order: &ChargeOrder) -> ChannelAnswer {
        if PaymentHandle::read(order.handle.as_deref()).is_some() {
            // What is known under this key is only asked about.
            return self.look(order).await;
        }
        let answer = self.open(Operation::CreatePayment, order).await;
        // One-step payments are validated by nobody and confirmed by nobody: one that waits for either is not ours to end.
        let waits = matches!(answer.finding, Finding::CodeSent | Finding::Reserved);
        if waits { ChannelAnswer { finding: PENDING, ..answer } } else { answer }
    }

    pub(super) async fn two_steps(&self, order: &ChargeOrder) -> ChannelAnswer {
        let handle = match self.reservation(order).await {
            Ok(handle) => handle,
            Err(answer) => return answer,
        };
        let answer = self.confirm(order, &handle).await;
        ChannelAnswer { handle: Some(answer.handle.unwrap_or_else(|| handle.write())), ..answer }
    }

    /// A reservation that may be confirmed now, or the answer that ends the attempt here, with nothing debited.
    async fn reservation(&self, order: &ChargeOrder) -> Result<PaymentHandle, ChannelAnswer> {
        let known = PaymentHandle::read(order.handle.as_deref());
        // On a first send it is known what the payment waits for. Later an earlier send may have been heard: it is asked.
        if let Some(handle) = known.as_ref().filter(|_| order.sends <= 1) {
            match (&handle.authorization, &order.code) {
                (Some(authorization), Some(code)) => {
                    self.validate(order, handle, authorization, code).await?;
                    return Ok(handle.clone());
                }
                (None, None) => return Ok(handle.clone()),
                (Some(_), None) | (None, Some(_)) => {}
            }
        }
        let opened = match &known {
            Some(_) => self.look(order).await,
            None => self.open(Operation::PreparePayment, order).await,
        };
        if opened.finding == Finding::CodeSent {
            return self.validated(order, opened).await;
        }
        if opened.finding == Finding::Reserved { handle_of(opened) } else { Err(opened) }
    }

    /// The operator waits for the code it texted: with the code the reservation stands, without it that is the answer.
    async fn validated(&self, order: &ChargeOrder, opened: ChannelAnswer) -> Result<PaymentHandle, ChannelAnswer> {
        let Some(code) = &order.code else { return Err(opened) };
        let handle = handle_of(opened)?;
        let Some(authorization) = &handle.authorization else {
            // It was found by its key, and the authorization is only shown once: this code can be tried nowhere.
            let finding = Finding::NotCharged(Decline::of(Reason::OtpExpired));
            return Err(with_payment(&handle, finding, "pending_validation, and its authorization is lost"));
        };
        self.validate(order, &handle, authorization, code).await?;
        Ok(handle)
    }

    async fn validate(
        &self,
        order: &ChargeOrder,
        handle: &PaymentHandle,
        authorization: &str,
        code: &str,
    ) -> Result<(), ChannelAnswer> {
        let body = validation(authorization, code);
        let said = self.post(Operation::ValidatePayment, &["payments", &handle.payment, "validate"], body, order).await;
        let answer = match said.reply {
            Reply::Accepted(ref answer) if answer.status == 204 || answer.body.is_empty() => return Ok(()),
            Reply::Refused(Verdict::AlreadyDone) => return Ok(()),
            Reply::Refused(Verdict::WrongCode) => said.concluded(Finding::WrongCode(Decline::of(Reason::OtpWrong))),
            Reply::Refused(Verdict::Declined(reason, advice)) => declined(said, reason, advice),
            Reply::NotSent(_) => said.inconclusive(),
            Reply::Accepted(_) | Reply::Unknown(_) | Reply::Refused(_) => {
                // It may have been taken: the payment's own status says so, and validation moves nothing.
                let seen = self.retrieve(order, handle, self.timeout).await;
                if seen.finding == Finding::Reserved {
                    return Ok(());
                }
                said.unanswered()
            }
        };
        Err(with_payment(handle, answer.finding, &answer.heard))
    }

    /// The one request of two steps that may debit. Its 202 proves nothing: the payment's status does.
    async fn confirm(&self, order: &ChargeOrder, handle: &PaymentHandle) -> ChannelAnswer {
        let path = ["payments", &handle.payment, "confirm"];
        let said = self.post(Operation::ConfirmPayment, &path, phone_number(order), order).await;
        match said.reply {
            Reply::Accepted(_) | Reply::Refused(Verdict::AskPayment) => self.settle(order, handle, Until::Ended).await,
            Reply::Refused(Verdict::Declined(reason, advice)) => declined(said, reason, advice),
            Reply::Refused(_) | Reply::Unknown(_) | Reply::NotSent(_) => said.inconclusive(),
        }
    }

    pub(super) async fn cancel_known(&self, order: &ChargeOrder, handle: &PaymentHandle) -> ChannelAnswer {
        let ask = Ask {
            operation: Operation::CancelPayment,
            url: address(&self.base_url, ["payments", &handle.payment, "cancel"]),
            body: Some(phone_number(order)),
            about: &order.into(),
            send_by: None,
            timeout: self.timeout,
        };
        let said = exchange(&self.client, &self.token, ask).await;
        match said.reply {
            Reply::Accepted(_) | Reply::Refused(Verdict::AskPayment) => self.settle(order, handle, Until::Ended).await,
            Reply::Refused(Verdict::Declined(reason, advice)) => declined(said, reason, advice),
            Reply::Refused(Verdict::NotFound) => said.concluded(Finding::NotFound),
            Reply::Refused(_) | Reply::Unknown(_) | Reply::NotSent(_) => said.inconclusive(),
        }
    }

    /// preparePayment or createPayment, and what stands there after it. A repeat looks first: what a second payment under
    /// a completed one's clientCorrelator does, CAMARA leaves open, and it may be a second debit.
    pub(super) async fn open(&self, operation: Operation, order: &ChargeOrder) -> ChannelAnswer {
        if order.sends > 1 {
            let found = self.find(order).await;
            if found.finding != Finding::NotFound {
                return found;
            }
        }
        let path: &[&str] =
            if operation == Operation::PreparePayment { &["payments", "prepare"] } else { &["payments"] };
        let said = self.post(operation, path, self.request(order), order).await;
        match said.reply {
            Reply::Accepted(ref answer) => match serde_json::from_slice::<Payment>(&answer.body) {
                Ok(payment) => self.opened(operation, order, payment_answer(order, &payment, &said.heard)).await,
                Err(_) => said.unanswered(),
            },
            Reply::Refused(Verdict::Declined(reason, advice)) => declined(said, reason, advice),
            Reply::Refused(verdict @ (Verdict::Exists | Verdict::ExistsOrWrong)) => {
                self.adopted(order, verdict, said).await
            }
            Reply::Refused(_) | Reply::Unknown(_) | Reply::NotSent(_) => said.inconclusive(),
        }
    }

    /// An operator that works asynchronously is asked until the opening is decided.
    async fn opened(&self, operation: Operation, order: &ChargeOrder, answer: ChannelAnswer) -> ChannelAnswer {
        let pending = answer.finding == Finding::Unknown { cause: Cause::Pending };
        match PaymentHandle::read(answer.handle.as_deref()).filter(|_| pending) {
            None => answer,
            Some(handle) => {
                let until = if operation == Operation::CreatePayment { Until::Ended } else { Until::Opened };
                let settled = self.settle(order, &handle, until).await;
                ChannelAnswer { handle: settled.handle.or(answer.handle), ..settled }
            }
        }
    }

    /// Refused because something stands under our key: an earlier send of ours, which is taken up where it is found.
    async fn adopted(&self, order: &ChargeOrder, verdict: Verdict, said: Said) -> ChannelAnswer {
        let found = self.find(order).await;
        if found.finding != Finding::NotFound {
            return found;
        }
        let ours_alone = verdict == Verdict::ExistsOrWrong && order.sends <= 1;
        if ours_alone { declined(said, Reason::Config, Advice::Technical) } else { said.concluded(UNKNOWN_CODE) }
    }

    async fn post(&self, operation: Operation, path: &[&str], body: String, order: &ChargeOrder) -> Said {
        let ask = Ask {
            operation,
            url: address(&self.base_url, path.iter().copied()),
            body: Some(body),
            about: &order.into(),
            send_by: Some(order.send_by),
            timeout: self.timeout,
        };
        exchange(&self.client, &self.token, ask).await
    }
}

fn declined(said: Said, reason: Reason, advice: Advice) -> ChannelAnswer {
    said.concluded(Finding::NotCharged(Decline::new(reason, advice)))
}

fn with_payment(handle: &PaymentHandle, finding: Finding, heard: &str) -> ChannelAnswer {
    let (peer_reference, handle) = (Some(handle.payment.clone()), Some(handle.write()));
    ChannelAnswer { finding, handle, peer_reference, heard: heard.to_owned() }
}

/// The payment an answer is about, or the answer itself where it names none.
pub(super) fn handle_of(answer: ChannelAnswer) -> Result<PaymentHandle, ChannelAnswer> {
    PaymentHandle::read(answer.handle.as_deref()).ok_or(answer)
}
