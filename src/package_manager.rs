//! The package manager as a neighbour: check, grant, inquire, revoke. Answers what was heard; never decides what follows
//! and never sends a request twice.

mod wire;

use crate::config;
use crate::http_client::{Answer, Bearer, Call, Content, Heard, HttpClient, address};
use crate::purchase::evidence::{Cause, CheckAnswer, GrantAnswer, Reason};
use crate::purchase::money::Money;
pub use crate::purchase::record::Context;
use crate::telemetry::metrics::LATE_SENDS;
use paygate_parsers::msisdn::Msisdn;
use reqwest::Method;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};
pub use wire::OnSale;
use wire::{CheckRequest, Refusal, checked, grant_request, granted, on_sale, reason};

/// Characters of the package manager's own words that are kept.
const WORDS_LIMIT: usize = 200;

/// One package to be added to one account, once, under the purchase's id.
#[derive(Clone, Debug)]
pub struct GrantOrder {
    pub purchase_id: String,
    pub context: Context,
    pub account: String,
    pub service: String,
    pub package: String,
    pub amount: Money,
    /// The channel's own payment id.
    pub charge_reference: String,
    /// No byte leaves after this.
    pub send_by: Instant,
}

/// The one package manager.
pub struct Client {
    base_url: String,
    token: Bearer,
    /// For one request with its answer.
    timeout: Duration,
    /// Grants under way at once. Questions are not held up by them.
    slots: Semaphore,
    client: HttpClient,
}

impl Client {
    #[must_use]
    pub fn new(settings: &config::PackageManager, client: HttpClient) -> Self {
        Self {
            base_url: settings.base_url.clone(),
            token: Bearer::new(&settings.token),
            timeout: settings.timeout,
            slots: Semaphore::new(settings.concurrency.clamp(1, Semaphore::MAX_PERMITS)),
            client,
        }
    }

    /// The exact body of [`Self::grant`]: what the journal keeps as the intent. Holds no secret.
    #[must_use]
    pub fn request(&self, order: &GrantOrder) -> String {
        grant_request(order)
    }

    /// The packages on sale, in the package manager's order. Carries no subscriber's context: it is nobody's question.
    ///
    /// # Errors
    /// What was heard instead of a list.
    pub async fn packages(&self) -> Result<Vec<OnSale>, String> {
        let call = self.call(Method::GET, &["v1", "packages"], "packages");
        match self.client.send(call).await {
            Heard::NotSent(why) | Heard::NoAnswer(why) | Heard::Unreadable(why) => Err(why),
            Heard::Answer(answer) if answer.status == 200 => on_sale(&answer.body),
            Heard::Answer(answer) => Err(words("packages", &answer).1),
        }
    }

    /// May this account buy this package, and on what terms? Changes nothing there.
    pub async fn check(
        &self,
        context: &Context,
        account: &str,
        service: &str,
        package: &str,
        msisdn: &Msisdn,
    ) -> CheckAnswer {
        let request = CheckRequest::new(context, account, service, package, msisdn);
        let body = serde_json::to_string(&request).expect("text under text keys is always JSON");
        let call = Call {
            body: Some(Content::Json(body)),
            ..self.call(Method::POST, &["v1", "check-user"], &context.device_id)
        };
        match self.client.send(call).await {
            Heard::NotSent(why) | Heard::NoAnswer(why) | Heard::Unreadable(why) => {
                CheckAnswer::Unavailable { heard: format!("check-user: {why}") }
            }
            Heard::Answer(answer) => check_answer(&answer, service, package),
        }
    }

    /// Adds the package to the account: 201 for the first request under the purchase's id, 200 for a repeat of it.
    pub async fn grant(&self, order: &GrantOrder) -> GrantAnswer {
        let Ok(Ok(_slot)) = timeout_at(order.send_by, self.slots.acquire()).await else {
            metrics::counter!(LATE_SENDS).increment(1);
            return GrantAnswer::NotSent { why: "its time to leave passed while others were under way".to_owned() };
        };
        let call = Call {
            body: Some(Content::Json(grant_request(order))),
            idempotency_key: Some(&order.purchase_id),
            send_by: Some(order.send_by),
            ..self.call(Method::POST, &["v1", "grants"], &order.purchase_id)
        };
        match self.heard("grant", call).await {
            Err(unheard) => unheard,
            Ok(answer) => grant_answer(&answer, &order.purchase_id),
        }
    }

    /// What stands under a purchase's id. Changes nothing.
    pub async fn inquire(&self, purchase_id: &str) -> GrantAnswer {
        let call = self.call(Method::GET, &["v1", "grants", purchase_id], purchase_id);
        match self.heard("inquire grant", call).await {
            // A question that did not leave is one without an answer.
            Err(GrantAnswer::NotSent { why }) => GrantAnswer::Unknown { cause: Cause::NoAnswer, heard: why },
            Err(unheard) => unheard,
            Ok(answer) => standing_answer("inquire grant", &answer, purchase_id),
        }
    }

    /// Takes the package back; once or twice is the same.
    pub async fn revoke(&self, purchase_id: &str) -> GrantAnswer {
        let call = self.call(Method::DELETE, &["v1", "grants", purchase_id], purchase_id);
        match self.heard("revoke grant", call).await {
            Err(unheard) => unheard,
            Ok(answer) => standing_answer("revoke grant", &answer, purchase_id),
        }
    }

    fn call<'a>(&'a self, method: Method, path: &[&str], correlator: &'a str) -> Call<'a> {
        let (token, timeout) = (&self.token, self.timeout);
        let url = address(&self.base_url, path.iter().copied());
        Call { method, url, body: None, token, correlator, idempotency_key: None, send_by: None, timeout }
    }

    async fn heard(&self, what: &str, call: Call<'_>) -> Result<Answer, GrantAnswer> {
        let unknown = |cause, why| GrantAnswer::Unknown { cause, heard: format!("{what}: {why}") };
        match self.client.send(call).await {
            Heard::Answer(answer) => Ok(answer),
            Heard::NotSent(why) => Err(GrantAnswer::NotSent { why }),
            Heard::NoAnswer(why) => Err(unknown(Cause::NoAnswer, why)),
            Heard::Unreadable(why) => Err(unknown(Cause::BadAnswer, why)),
        }
    }
}

fn check_answer(answer: &Answer, service: &str, package: &str) -> CheckAnswer {
    let (code, heard) = words("check-user", answer);
    match (answer.status, code.as_deref()) {
        (200, _) => checked(&answer.body, service, package, heard),
        // There is no key in a check, so this can only be a mistake of ours or theirs in the set-up.
        (400..=499, Some("KEY_REUSED")) => CheckAnswer::Refused { reason: Reason::Config, heard },
        (status, Some(code)) => match reason(status, code) {
            Some(reason) => CheckAnswer::Refused { reason, heard },
            None => CheckAnswer::Unavailable { heard },
        },
        (_, None) => CheckAnswer::Unavailable { heard },
    }
}

fn grant_answer(answer: &Answer, purchase_id: &str) -> GrantAnswer {
    let (code, heard) = words("grant", answer);
    match (answer.status, code.as_deref()) {
        (200 | 201, _) => granted(&answer.body, purchase_id, heard),
        (409, Some("IN_PROGRESS")) => GrantAnswer::InProgress,
        // Whatever the body says: who counts requests has not looked into this one.
        (429, _) => GrantAnswer::NotSent { why: heard },
        // KEY_REUSED is not a refusal: something stands under our key that is not what we asked for now.
        (status @ 400..=499, Some(code)) => match reason(status, code) {
            Some(reason) => GrantAnswer::Refused { reason, heard },
            None => GrantAnswer::Unknown { cause: Cause::UnknownCode, heard },
        },
        _ => GrantAnswer::Unknown { cause: Cause::BadAnswer, heard },
    }
}

/// A refused question proves nothing, except that nothing is there.
fn standing_answer(what: &str, answer: &Answer, purchase_id: &str) -> GrantAnswer {
    let (code, heard) = words(what, answer);
    match (answer.status, code.as_deref()) {
        (200, _) => granted(&answer.body, purchase_id, heard),
        (404, Some("NOT_GRANTED")) => GrantAnswer::NotFound,
        (409, Some("IN_PROGRESS")) => GrantAnswer::InProgress,
        (400..=499, Some(_)) => GrantAnswer::Unknown { cause: Cause::UnknownCode, heard },
        _ => GrantAnswer::Unknown { cause: Cause::BadAnswer, heard },
    }
}

/// The code, where the answer is a refusal, and the words to keep.
fn words(what: &str, answer: &Answer) -> (Option<String>, String) {
    let Ok(refusal) = serde_json::from_slice::<Refusal>(&answer.body) else {
        return (None, format!("{what}: {}", answer.status));
    };
    let Refusal { code, message, missing } = refusal;
    let said: String = format!("{code} {message} {}", missing.join(" ")).chars().take(WORDS_LIMIT).collect();
    let said = said.replace(char::is_control, " ");
    (Some(code), format!("{what}: {} {}", answer.status, said.trim_end()))
}
