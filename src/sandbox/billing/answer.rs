//! The JSON that the simulated billing answers, put together as text: what was asked goes back byte for byte.

use super::books::{Payment, PaymentStatus, Refund, RefundStatus};
use crate::sandbox::server::Reply;
use jiff::Timestamp;
use serde_json::{Value, json};

/// CAMARA's ErrorInfo.
pub(super) fn refusal(status: u16, code: &str) -> Reply {
    let message = format!("The request was refused: {}.", code.to_lowercase().replace(['_', '.'], " "));
    Reply::new(status, json!({"status": status, "code": code, "message": message}).to_string())
}

/// A payment; `opening` shows how it is to be validated, which is shown nowhere else.
pub(super) fn payment_json(payment: &Payment, now: i64, opening: bool) -> String {
    let status = payment.status(now);
    let mut text = format!(
        r#"{{"paymentId":"{}","amountTransaction":{},"paymentStatus":"{}","paymentCreationDate":"{}""#,
        payment.id(),
        payment.transaction,
        status.as_str(),
        date(payment.created)
    );
    if let Some(sink) = &payment.sink {
        text.push_str(&format!(r#","sink":{}"#, Value::from(sink.as_str())));
    }
    if status == PaymentStatus::Succeeded {
        text.push_str(&format!(r#","paymentDate":"{}""#, date(payment.decided)));
    }
    if let (true, PaymentStatus::PendingValidation, Some(otp)) = (opening, status, &payment.otp) {
        text.push_str(&format!(
            r#","validationInfo":{{"action":"validate","authorizationId":"{}"}}"#,
            otp.authorization
        ));
    }
    if let (true, PaymentStatus::PendingValidation, None) = (opening, status, &payment.otp) {
        text.push_str(r#","validationInfo":{"action":"open","validationURL":"https://telco.invalid/authenticate"}"#);
    }
    text.push('}');
    text
}

pub(super) fn refund_json(refund: &Refund, now: i64) -> String {
    let status = refund.status(now);
    let mut text = format!(
        r#"{{"refundId":"{}","type":"{}","amountTransaction":{},"refundStatus":"{}","refundCreationDate":"{}""#,
        refund.id(),
        if refund.total { "total" } else { "partial" },
        refund.transaction,
        status.as_str(),
        date(refund.created)
    );
    if let Some(reason) = &refund.reason {
        text.push_str(&format!(r#","reason":{}"#, Value::from(reason.as_str())));
    }
    if let Some(sink) = &refund.sink {
        text.push_str(&format!(r#","sink":{}"#, Value::from(sink.as_str())));
    }
    if status == RefundStatus::Succeeded {
        text.push_str(&format!(r#","refundDate":"{}""#, date(refund.created)));
    }
    text.push('}');
    text
}

/// One page of a list, with the headers that say where it ends.
pub(super) fn page(items: Vec<String>, last: usize, total: usize) -> Reply {
    let mut reply = Reply::new(200, format!("[{}]", items.join(",")));
    reply.headers.push(("content-last-key", last.to_string()));
    reply.headers.push(("x-total-count", total.to_string()));
    reply
}

/// Unix microseconds as RFC 3339.
fn date(micros: i64) -> String {
    Timestamp::from_microsecond(micros).unwrap_or(Timestamp::UNIX_EPOCH).to_string()
}
