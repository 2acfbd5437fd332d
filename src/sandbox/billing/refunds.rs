//! The refund endpoints of the simulated billing. Gives back no more than was taken, and counts what is under way.

use super::answer::{page, refund_json, refusal};
use super::books::{Books, Payment, PaymentStatus, Refund, RefundStatus, now};
use super::payments::{Wanted, micros};
use super::request::{Milli, charging, details, field, invalid, object, optional_text, sink, text};
use super::{Duplicates, Office, numbers};
use crate::sandbox::server::{Call, Reply};
use serde_json::{Map, Value, json};

impl Office {
    pub(super) fn create_refund(&self, id: &str, call: &Call) -> Result<Reply, Reply> {
        let fields = object(call)?;
        let total = match text(&fields, "type")? {
            "total" => true,
            "partial" => false,
            _ => return Err(invalid()),
        };
        let (sink, reason) = (sink(&fields)?, optional_text(&fields, "reason")?);
        let transaction = field(&fields, "amountTransaction")?;
        let refund_amount = field(transaction, "refundAmount")?;
        let correlator = optional_text(transaction, "clientCorrelator")?;
        let reference = text(transaction, "referenceCode")?;
        let mut books = self.books();
        let payment = books.payment(id).ok_or_else(|| refusal(404, "NOT_FOUND"))?;
        if let Some(answer) = self.repeated_refund(&books, correlator.as_deref(), reference)? {
            return Ok(answer);
        }
        let amount = self.refundable(&books, payment, total, refund_amount)?;
        let outcome =
            if payment.msisdn == numbers::REFUND_FAILS { RefundStatus::Denied } else { RefundStatus::Succeeded };
        let meta = refund_amount.get("chargingMetaData").and_then(Value::as_object);
        let now = now();
        let refund = Refund {
            number: 0,
            payment: payment.number,
            key: correlator.clone().unwrap_or(reference.to_owned()),
            total,
            amount,
            reason,
            sink,
            merchant: meta.map(|meta| optional_text(meta, "merchantIdentifier")).transpose()?.flatten(),
            transaction: Value::Object(transaction.clone()).to_string(),
            created: now,
            shown_from: now + micros(self.settings.refund_settle_ms),
            outcome,
        };
        let number = books.add_refund(refund, correlator.as_deref(), reference);
        Ok(Reply::new(201, refund_json(&books.refunds[number], now)))
    }

    fn repeated_refund(
        &self,
        books: &Books,
        correlator: Option<&str>,
        reference: &str,
    ) -> Result<Option<Reply>, Reply> {
        let Some(correlator) = correlator else {
            let used = books.has_refund_reference(reference);
            return if used { Err(refusal(409, "ALREADY_EXISTS")) } else { Ok(None) };
        };
        let Some(first) = books.refund_under(correlator) else { return Ok(None) };
        match self.settings.duplicates {
            Duplicates::Replay => Ok(Some(Reply::new(201, refund_json(first, now())))),
            Duplicates::Conflict => Err(refusal(409, "ALREADY_EXISTS")),
            Duplicates::Refuse if first.status(now()) == RefundStatus::Processing => Err(invalid()),
            Duplicates::Refuse => Ok(None),
        }
    }

    /// How much this refund gives back, if it may.
    fn refundable(
        &self,
        books: &Books,
        payment: &Payment,
        total: bool,
        asked: &Map<String, Value>,
    ) -> Result<Milli, Reply> {
        let money = if total { None } else { Some(charging(asked)?) };
        let items = details(asked, "refundDetails", "paymentItemId")?;
        if payment.status(now()) != PaymentStatus::Succeeded {
            return Err(refused(422, "INVALID_PAYMENT_STATUS"));
        }
        match payment.msisdn.as_str() {
            numbers::REFUND_DENIED => return Err(refused(403, "REFUND_DENIED")),
            numbers::NOT_REFUNDABLE => return Err(refused(403, "PAYMENT_NOT_ELIGIBLE_FOR_REFUND")),
            _ => {}
        }
        let closed =
            books.refunds_of(payment.number).any(|refund| refund.total && refund.outcome != RefundStatus::Denied);
        let left = books.remaining(payment);
        let amount = money.as_ref().map_or(left, |money| money.amount);
        if closed || amount > left || amount <= 0 {
            return Err(refused(422, "UNAUTHORIZED_AMOUNT"));
        }
        if money.is_some_and(|money| money.tax_included != payment.tax_included) {
            return Err(refused(422, "TAXES_MANAGEMENT_MISMATCH"));
        }
        if items.iter().any(|item| !payment.items.contains(item)) {
            return Err(refused(422, "REFUND_DETAILS_MISMATCH"));
        }
        if books.given_back(&payment.msisdn) + amount > self.settings.refund_limit.saturating_mul(1000) {
            return Err(refused(422, "AMOUNT_THRESHOLD_OVERPASSED"));
        }
        Ok(amount)
    }

    pub(super) fn retrieve_refund(&self, payment: &str, id: &str) -> Result<Reply, Reply> {
        let books = self.books();
        let payment = books.payment(payment).ok_or_else(|| refusal(404, "NOT_FOUND"))?;
        let refund = books.refund(id).filter(|refund| refund.payment == payment.number);
        Ok(Reply::new(200, refund_json(refund.ok_or_else(|| refusal(404, "NOT_FOUND"))?, now())))
    }

    pub(super) fn list_refunds(&self, payment: &str, call: &Call) -> Result<Reply, Reply> {
        let wanted = Wanted::read(call, "refundCreationDate", "refundStatus")?;
        let (books, now) = (self.books(), now());
        let Some(payment) = books.payment(payment) else {
            return Err(refusal(404, "NOT_FOUND"));
        };
        let matching = books.refunds_of(payment.number).filter(|refund| {
            wanted.spans(refund.created)
                && wanted.has(refund.status(now).as_str())
                && wanted.merchant.as_ref().is_none_or(|merchant| refund.merchant.as_ref() == Some(merchant))
        });
        let matching: Vec<&Refund> = matching.collect();
        if matching.is_empty() {
            return Ok(page(Vec::new(), 0, 0));
        }
        self.paged("CARRIER_BILLING_REFUND", &wanted, &matching, |refund| refund_json(refund, now))
    }

    pub(super) fn remaining_amount(&self, payment: &str) -> Result<Reply, Reply> {
        let books = self.books();
        let payment = books.payment(payment).ok_or_else(|| refusal(404, "NOT_FOUND"))?;
        let left = books.remaining(payment);
        let amount = if left % 1000 == 0 { json!(left / 1000) } else { json!(left as f64 / 1000.0) };
        let body = json!({"amount": amount, "currency": payment.currency, "isTaxIncluded": payment.tax_included});
        Ok(Reply::new(200, body.to_string()))
    }
}

fn refused(status: u16, code: &str) -> Reply {
    refusal(status, &format!("CARRIER_BILLING_REFUND.{code}"))
}
