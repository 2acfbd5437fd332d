//! The payment endpoints of the simulated billing. Money is taken in one place, by a confirmation or a one-step payment.

use super::answer::{page, payment_json, refusal};
use super::books::{Books, Caller, EntryKind, Otp, Payment, PaymentStatus, now};
use super::request::{charging, details, field, invalid, is_phone_number, object, optional_text, sink, text};
use super::{Duplicates, Office, advice, numbers};
use crate::sandbox::server::{Call, Reply};
use serde_json::{Map, Value};

impl Office {
    /// createPayment (`one_step`) and preparePayment.
    pub(super) fn open(&self, caller: &Caller, call: &Call, one_step: bool) -> Result<Reply, Reply> {
        let fields = object(call)?;
        let sink = sink(&fields)?;
        let mut transaction = field(&fields, "amountTransaction")?.clone();
        let mut payment = self.payment(caller, &transaction)?;
        payment.sink = sink;
        let correlator = optional_text(&transaction, "clientCorrelator")?;
        let reference = text(&transaction, "referenceCode")?.to_owned();
        let mut books = self.books();
        if let Some(answer) = self.repeated(&books, caller, correlator.as_deref(), &reference)? {
            return Ok(answer);
        }
        self.affordable(&books, &payment)?;
        if books.payments.len() >= self.settings.capacity {
            return Err(refusal(503, "UNAVAILABLE"));
        }
        let number = books.payments.len();
        complete(&mut transaction, &payment.msisdn, number);
        payment.transaction = Value::Object(transaction).to_string();
        books.add_payment(payment, correlator.as_deref(), &reference);
        self.begin(&mut books, number, one_step);
        Ok(Reply::new(201, payment_json(&books.payments[number], now(), true)))
    }

    fn payment(&self, caller: &Caller, transaction: &Map<String, Value>) -> Result<Payment, Reply> {
        let amount = field(transaction, "paymentAmount")?;
        let money = charging(amount)?;
        let items = details(amount, "paymentDetails", "id")?;
        let meta = amount.get("chargingMetaData").and_then(Value::as_object);
        let merchant = meta.map(|meta| optional_text(meta, "merchantIdentifier")).transpose()?.flatten();
        let correlator = optional_text(transaction, "clientCorrelator")?;
        let key = correlator.unwrap_or(text(transaction, "referenceCode")?.to_owned());
        let msisdn = self.subscriber(caller, transaction)?;
        let now = now();
        let settle = self.settle();
        Ok(Payment {
            number: 0,
            application: caller.application,
            key,
            msisdn,
            amount: money.amount,
            currency: money.currency,
            tax_included: money.tax_included,
            items,
            merchant,
            transaction: String::new(),
            sink: None,
            created: now,
            decided: now,
            shown_from: now + settle,
            lapses: now + micros(self.settings.reservation_ms),
            otp: None,
            outcome: PaymentStatus::Reserved,
        })
    }

    /// Who pays: named by the token or by the request, and not by both.
    fn subscriber(&self, caller: &Caller, fields: &Map<String, Value>) -> Result<String, Reply> {
        let named = optional_text(fields, "phoneNumber")?;
        if named.as_deref().is_some_and(|number| !is_phone_number(number)) {
            return Err(invalid());
        }
        let msisdn = match (&caller.msisdn, named) {
            (None, None) => return Err(refusal(422, &self.settings.missing_number_code)),
            (None, Some(named)) => named,
            (Some(known), None) => known.clone(),
            (Some(known), Some(named)) if self.settings.takes_known_number && *known == named => named,
            (Some(_), Some(_)) => return Err(refusal(422, "UNNECESSARY_IDENTIFIER")),
        };
        match msisdn.as_str() {
            numbers::NOBODY => Err(refusal(404, "IDENTIFIER_NOT_FOUND")),
            numbers::NOT_APPLICABLE => Err(refusal(422, "SERVICE_NOT_APPLICABLE")),
            _ => Ok(msisdn),
        }
    }

    fn repeated(
        &self,
        books: &Books,
        caller: &Caller,
        correlator: Option<&str>,
        reference: &str,
    ) -> Result<Option<Reply>, Reply> {
        let Some(correlator) = correlator else {
            let used = books.has_reference(caller.application, reference);
            return if used { Err(refusal(409, "ALREADY_EXISTS")) } else { Ok(None) };
        };
        let Some(first) = books.payment_under(caller.application, correlator) else { return Ok(None) };
        match self.settings.duplicates {
            Duplicates::Replay => Ok(Some(Reply::new(201, payment_json(first, now(), true)))),
            Duplicates::Conflict => Err(refusal(409, "ALREADY_EXISTS")),
            Duplicates::Refuse if first.is_completed(now()) => Ok(None),
            Duplicates::Refuse => Err(invalid()),
        }
    }

    fn affordable(&self, books: &Books, payment: &Payment) -> Result<(), Reply> {
        advice::refused(payment.amount)?;
        if payment.amount > self.settings.amount_limit.saturating_mul(1000) {
            return Err(refusal(422, "CARRIER_BILLING.UNAUTHORIZED_AMOUNT"));
        }
        if books.spent(&payment.msisdn) + payment.amount > self.settings.spending_limit.saturating_mul(1000) {
            return Err(refusal(422, "CARRIER_BILLING.AMOUNT_THRESHOLD_OVERPASSED"));
        }
        let poor = matches!(payment.msisdn.as_str(), numbers::NO_MONEY | numbers::BARRED);
        if poor || !books.can_pay(&payment.msisdn, payment.amount) {
            return Err(refusal(403, "CARRIER_BILLING.PAYMENT_DENIED"));
        }
        Ok(())
    }

    /// What follows at once: the debit, the code, or the reservation.
    fn begin(&self, books: &mut Books, number: usize, one_step: bool) {
        if advice::wants_a_page(books.payments[number].amount) {
            books.payments[number].outcome = PaymentStatus::PendingValidation;
        } else if one_step {
            books.debit(number, is_denied(&books.payments[number]), self.settle());
        } else if self.settings.texts_codes {
            let code = self.settings.fixed_code.clone().unwrap_or_else(random_code);
            let payment = &mut books.payments[number];
            payment.outcome = PaymentStatus::PendingValidation;
            payment.otp = Some(Otp { authorization: format!("A{number:012}"), code: code.clone(), wrong: 0 });
            books.enter_payment(number, EntryKind::CodeTexted, Some(code));
        } else {
            books.enter_payment(number, EntryKind::Reserved, None);
        }
    }

    pub(super) fn validate(&self, id: &str, call: &Call) -> Result<Reply, Reply> {
        let fields = object(call)?;
        let (authorization, code) = (text(&fields, "authorizationId")?, text(&fields, "code")?);
        let mut books = self.books();
        let attempts = self.settings.code_attempts;
        let payment = books.payment_mut(id).ok_or_else(|| refusal(404, "NOT_FOUND"))?;
        let pending = payment.status(now()) == PaymentStatus::PendingValidation;
        let Some(otp) = payment.otp.as_mut().filter(|otp| otp.authorization == authorization) else {
            return Err(refusal(400, "CARRIER_BILLING.INVALID_AUTHORIZATION_ID"));
        };
        if otp.wrong >= attempts {
            return Err(refusal(400, "CARRIER_BILLING.VALIDATION_FAILED"));
        }
        if !pending {
            return Err(refusal(409, "ALREADY_EXISTS"));
        }
        if otp.code != code {
            otp.wrong += 1;
            let used_up = otp.wrong >= attempts;
            if used_up {
                payment.outcome = PaymentStatus::Denied;
            }
            return Err(refusal(
                400,
                if used_up { "CARRIER_BILLING.VALIDATION_FAILED" } else { "CARRIER_BILLING.INVALID_CODE" },
            ));
        }
        payment.outcome = PaymentStatus::Reserved;
        let number = payment.number;
        books.enter_payment(number, EntryKind::Reserved, None);
        Ok(Reply::new(204, String::new()))
    }

    pub(super) fn confirm(&self, caller: &Caller, id: &str, call: &Call) -> Result<Reply, Reply> {
        let msisdn = self.subscriber(caller, &object(call)?)?;
        let mut books = self.books();
        let payment = books.payment(id).ok_or_else(|| refusal(404, "NOT_FOUND"))?;
        let number = payment.number;
        decidable(payment)?;
        if payment.msisdn != msisdn || payment.outcome != PaymentStatus::Reserved {
            return Err(refusal(403, "CARRIER_BILLING.PAYMENT_DENIED"));
        }
        if msisdn == numbers::CONFIRM_REFUSED {
            return Err(refusal(403, "CARRIER_BILLING.PAYMENT_DENIED"));
        }
        let denied = is_denied(payment);
        books.debit(number, denied, self.settle());
        Ok(Reply::new(202, String::new()))
    }

    pub(super) fn cancel(&self, caller: &Caller, id: &str, call: &Call) -> Result<Reply, Reply> {
        let msisdn = self.subscriber(caller, &object(call)?)?;
        let mut books = self.books();
        let payment = books.payment_mut(id).ok_or_else(|| refusal(404, "NOT_FOUND"))?;
        decidable(payment)?;
        if payment.msisdn != msisdn {
            return Err(refusal(404, "IDENTIFIER_NOT_FOUND"));
        }
        payment.outcome = PaymentStatus::Cancelled;
        payment.decided = now();
        let number = payment.number;
        books.enter_payment(number, EntryKind::Released, None);
        Ok(Reply::new(202, String::new()))
    }

    pub(super) fn retrieve(&self, caller: &Caller, id: &str) -> Result<Reply, Reply> {
        let books = self.books();
        let payment = books.payment(id).filter(|payment| may_see(caller, payment));
        let payment = payment.ok_or_else(|| refusal(404, "NOT_FOUND"))?;
        Ok(Reply::new(200, payment_json(payment, now(), false)))
    }

    pub(super) fn list(&self, caller: &Caller, call: &Call) -> Result<Reply, Reply> {
        let wanted = Wanted::read(call, "paymentCreationDate", "paymentStatus")?;
        let (books, now) = (self.books(), now());
        let from = books.payments.partition_point(|payment| wanted.from.is_some_and(|from| payment.created < from));
        let to = books.payments.partition_point(|payment| wanted.to.is_none_or(|to| payment.created <= to));
        let matching = books.payments[from..to.max(from)].iter().filter(|payment| {
            may_see(caller, payment)
                && wanted.has(payment.status(now).as_str())
                && wanted.merchant.as_ref().is_none_or(|merchant| payment.merchant.as_ref() == Some(merchant))
        });
        let matching: Vec<&Payment> = matching.take(self.settings.match_limit + 1).collect();
        self.paged("CARRIER_BILLING", &wanted, &matching, |payment| payment_json(payment, now, false))
    }

    /// One page of what matches, which is in the order of creation.
    pub(super) fn paged<T>(
        &self,
        prefix: &str,
        wanted: &Wanted,
        matching: &[&T],
        show: impl Fn(&T) -> String,
    ) -> Result<Reply, Reply> {
        let total = matching.len();
        if total > self.settings.match_limit {
            return Err(refusal(400, &format!("{prefix}.TOO_MANY_MATCHING_RECORDS")));
        }
        let size = wanted.per_page.min(self.settings.page_limit);
        let start = (wanted.page - 1).saturating_mul(size);
        if wanted.page > 1 && start >= total {
            return Err(refusal(400, &format!("{prefix}.OUT_OF_RANGE")));
        }
        let end = start.saturating_add(size).min(total);
        let at = |index: usize| if wanted.ascending { matching[index] } else { matching[total - 1 - index] };
        Ok(page((start..end).map(|index| show(at(index))).collect(), end, total))
    }

    fn settle(&self) -> i64 {
        micros(self.settings.settle_ms)
    }
}

/// Milliseconds of a setting as microseconds, so few that a time can always be put before them.
pub(super) fn micros(ms: u64) -> i64 {
    i64::try_from(ms).unwrap_or(i64::MAX).min(i64::MAX / 4_000) * 1_000
}

/// What a list was asked for.
pub(super) struct Wanted {
    from: Option<i64>,
    to: Option<i64>,
    statuses: Vec<String>,
    pub merchant: Option<String>,
    ascending: bool,
    page: usize,
    per_page: usize,
}

impl Wanted {
    pub(super) fn read(call: &Call, date: &str, status: &str) -> Result<Self, Reply> {
        let (from, to) = (time(call, &format!("{date}.gte"))?, time(call, &format!("{date}.lte"))?);
        if from.zip(to).is_some_and(|(from, to)| from > to) {
            let prefix = if date == "paymentCreationDate" { "CARRIER_BILLING" } else { "CARRIER_BILLING_REFUND" };
            return Err(refusal(400, &format!("{prefix}.INVALID_DATE_RANGE")));
        }
        let statuses = call.query(status).iter().flat_map(|list| list.split(',').map(str::to_owned)).collect();
        let ascending = match call.query("order").first().map(String::as_str) {
            None | Some("desc") => false,
            Some("asc") => true,
            Some(_) => return Err(invalid()),
        };
        let (page, per_page) = (count(call, "page", 1)?, count(call, "perPage", 10)?);
        Ok(Self { from, to, statuses, merchant: call.query("merchantIdentifier").pop(), ascending, page, per_page })
    }

    pub(super) fn has(&self, status: &str) -> bool {
        self.statuses.is_empty() || self.statuses.iter().any(|wanted| wanted == status)
    }

    pub(super) fn spans(&self, created: i64) -> bool {
        self.from.is_none_or(|from| from <= created) && self.to.is_none_or(|to| created <= to)
    }
}

fn time(call: &Call, name: &str) -> Result<Option<i64>, Reply> {
    let text = call.query(name).pop();
    let time = text.map(|text| text.parse::<jiff::Timestamp>()).transpose().map_err(|_| invalid())?;
    Ok(time.map(jiff::Timestamp::as_microsecond))
}

fn count(call: &Call, name: &str, default: usize) -> Result<usize, Reply> {
    match call.query(name).pop() {
        None => Ok(default),
        Some(text) => text.parse().ok().filter(|count| *count > 0).ok_or_else(invalid),
    }
}

/// Whether the money is not to move, though the payment was taken.
fn is_denied(payment: &Payment) -> bool {
    payment.msisdn == numbers::DENIED_LATE || advice::is_denied(payment.amount)
}

/// A payment that was confirmed or cancelled before is not decided again.
fn decidable(payment: &Payment) -> Result<(), Reply> {
    if matches!(payment.outcome, PaymentStatus::Succeeded | PaymentStatus::Denied) {
        return Err(refusal(409, "CARRIER_BILLING.PAYMENT_CONFIRMED"));
    }
    if payment.status(now()) == PaymentStatus::Cancelled {
        return Err(refusal(409, "CARRIER_BILLING.PAYMENT_CANCELLED"));
    }
    Ok(())
}

fn may_see(caller: &Caller, payment: &Payment) -> bool {
    payment.application == caller.application && caller.msisdn.as_ref().is_none_or(|only| *only == payment.msisdn)
}

/// What the operator adds to the request's `amountTransaction` when it shows it.
fn complete(transaction: &mut Map<String, Value>, msisdn: &str, number: usize) {
    transaction.insert("phoneNumber".to_owned(), msisdn.into());
    transaction.insert("resourceURL".to_owned(), format!("urn:payments:P{number:012}").into());
    transaction.insert("serverReferenceCode".to_owned(), format!("S{number:012}").into());
}

/// Six digits. A simulator's code guards nothing: without an entropy source it is simply always the same.
fn random_code() -> String {
    let mut bytes = [0; 4];
    let number = if getrandom::fill(&mut bytes).is_ok() { u32::from_le_bytes(bytes) } else { 0 };
    format!("{:06}", number % 1_000_000)
}
