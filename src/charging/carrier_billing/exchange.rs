//! One request to the operator and what its answer is, before anyone asks what it means for the money. Never repeats a
//! request, and never lets a code or a whole phone number into what is kept for a person.

use super::codes::{Operation, Verdict, verdict};
use super::wire::ErrorInfo;
use crate::charging::{ChargeOrder, RefundOrder};
use crate::http_client::{Answer, Bearer, Call, Content, Heard, HttpClient};
use crate::purchase::evidence::{Cause, ChannelAnswer, Finding};
use reqwest::Method;
use serde_json::Value;
use std::time::Duration;
use tokio::time::Instant;

/// Characters of an operator's own words that are kept.
const WORDS_LIMIT: usize = 200;

/// Whose attempt a request is about.
pub(super) struct About {
    /// The attempt's key.
    pub key: String,
    /// Blacked out in whatever is kept.
    pub phone: Option<String>,
    pub code: Option<String>,
}

/// One request.
pub(super) struct Ask<'a> {
    pub operation: Operation,
    pub url: String,
    pub body: Option<String>,
    pub about: &'a About,
    pub send_by: Option<Instant>,
    pub timeout: Duration,
}

pub(super) enum Reply {
    NotSent(String),
    Unknown(Cause),
    Refused(Verdict),
    /// Any 2xx.
    Accepted(Answer),
}

/// The reply, and what was heard in words.
pub(super) struct Said {
    pub reply: Reply,
    pub heard: String,
}

pub(super) async fn exchange(client: &HttpClient, token: &Bearer, ask: Ask<'_>) -> Said {
    let Ask { operation, url, body, about, send_by, timeout } = ask;
    let method = if operation.reads() { Method::GET } else { Method::POST };
    let body = body.map(Content::Json);
    let call = Call { method, url, body, token, correlator: &about.key, idempotency_key: None, send_by, timeout };
    let (reply, words) = judge(operation, client.send(call).await);
    Said { reply, heard: format!("{}: {}", operation.as_str(), about.redacted(&words)) }
}

fn judge(operation: Operation, heard: Heard) -> (Reply, String) {
    match heard {
        Heard::NotSent(why) => (Reply::NotSent(why.clone()), format!("not sent, {why}")),
        Heard::NoAnswer(why) => (Reply::Unknown(Cause::NoAnswer), why),
        Heard::Unreadable(why) => (Reply::Unknown(Cause::BadAnswer), why),
        Heard::Answer(answer) => match answer.status {
            200..=299 => (Reply::Accepted(answer.clone()), answer.status.to_string()),
            400..=499 => refusal(operation, &answer),
            status => (Reply::Unknown(Cause::BadAnswer), format!("{status}{}", words(&answer))),
        },
    }
}

fn refusal(operation: Operation, answer: &Answer) -> (Reply, String) {
    let said = format!("{}{}", answer.status, words(answer));
    let Ok(error) = serde_json::from_slice::<ErrorInfo>(&answer.body) else {
        return (Reply::Unknown(Cause::BadAnswer), said);
    };
    match verdict(operation, answer.status, &error.code) {
        Some(verdict) => (Reply::Refused(verdict), said),
        None => (Reply::Unknown(Cause::UnknownCode), said),
    }
}

/// The operator's code and message where the body is an ErrorInfo.
fn words(answer: &Answer) -> String {
    match serde_json::from_slice::<ErrorInfo>(&answer.body) {
        Ok(ErrorInfo { code, message: Value::String(message) }) => format!(" {code}: {message}"),
        Ok(ErrorInfo { code, .. }) => format!(" {code}"),
        Err(_) => format!(" with {} octets that are no answer", answer.body.len()),
    }
}

impl About {
    fn redacted(&self, words: &str) -> String {
        let secrets = [&self.phone, &self.code].into_iter().flatten().filter(|secret| !secret.is_empty());
        let words = secrets.fold(words.to_owned(), |words, secret| words.replace(secret, "***"));
        words.chars().map(|char| if char.is_control() { ' ' } else { char }).take(WORDS_LIMIT).collect()
    }
}

impl From<&ChargeOrder> for About {
    fn from(order: &ChargeOrder) -> Self {
        Self { key: order.key.clone(), phone: order.msisdn.map(|msisdn| msisdn.e164()), code: order.code.clone() }
    }
}

impl From<&RefundOrder> for About {
    fn from(order: &RefundOrder) -> Self {
        Self { key: order.key.clone(), phone: order.msisdn.map(|msisdn| msisdn.e164()), code: None }
    }
}

impl Said {
    /// What a request proves that was not answered with a verdict: only whether it left.
    pub(super) fn inconclusive(self) -> ChannelAnswer {
        match self.reply {
            Reply::NotSent(ref why) => {
                let why = why.clone();
                self.concluded(Finding::NotSent { why })
            }
            Reply::Unknown(_) | Reply::Refused(_) | Reply::Accepted(_) => self.unanswered(),
        }
    }

    /// What a question that was not answered proves: nothing, whether it left or not.
    pub(super) fn unanswered(self) -> ChannelAnswer {
        let cause = match self.reply {
            Reply::NotSent(_) => Cause::NoAnswer,
            Reply::Unknown(cause) => cause,
            Reply::Refused(_) => Cause::UnknownCode,
            Reply::Accepted(_) => Cause::BadAnswer,
        };
        self.concluded(Finding::Unknown { cause })
    }

    /// The answer where nothing more is to be asked.
    pub(super) fn concluded(self, finding: Finding) -> ChannelAnswer {
        ChannelAnswer { finding, handle: None, peer_reference: None, heard: self.heard }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_in_the_operators_words_is_blacked_out() {
        let about = About { key: "k".into(), phone: Some("+84854689520".into()), code: Some("352673".into()) };
        assert_eq!(about.redacted("the code 352673 for\n+84854689520 is wrong"), "the code *** for *** is wrong");
    }
}
