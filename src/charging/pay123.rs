//! 123PAY as a channel (seed 004): the subscriber pays at a page of theirs, by a link that we hand out. createOrder only makes
//! the order; nothing is debited before the customer types the bank's OTP there. It can be neither cancelled nor given back.

pub mod banks;
mod checksum;
pub mod codes;
mod notify;
mod reading;
mod request;

use super::{Capabilities, ChargeOrder, RefundOrder};
use crate::config;
use crate::http_client::{Bearer, Call, Content, Heard, HttpClient, address};
use crate::purchase::evidence::{Cause, ChannelAnswer, Decline, Finding, Reason};
use bytes::Bytes;
use notify::NotifyListener;
use reading::Read;
use request::{Form, Shop, Unfit};
use reqwest::Method;
use secrecy::ExposeSecret;
use std::time::Duration;
use tokio::time::Instant;

/// Characters of 123PAY's own words that are kept.
const WORDS_LIMIT: usize = 200;

/// One shop at 123PAY.
pub struct Driver {
    capabilities: Capabilities,
    base_url: String,
    shop: Shop,
    timeout: Duration,
    listener: NotifyListener,
    client: HttpClient,
}

impl Driver {
    #[must_use]
    pub fn new(settings: &config::Pay123, client: HttpClient) -> Self {
        let capabilities = Capabilities {
            texts_codes: false,
            can_cancel: false,
            can_refund: false,
            link_ttl: Some(settings.link_ttl),
            max_flight: settings.max_flight,
            send_within: settings.send_within,
            answer_within: settings.timeout,
            inquiry_plan: settings.inquiry_plan.clone(),
            concurrency: settings.concurrency,
        };
        Self {
            capabilities,
            base_url: settings.base_url.clone(),
            shop: settings.into(),
            timeout: settings.timeout,
            listener: NotifyListener::new(settings.secret_key.clone(), settings.notify_max_age),
            client,
        }
    }

    #[must_use]
    pub const fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    /// createOrder's body but for passcode and checksum, which are secrets or made of them.
    #[must_use]
    pub fn request(&self, order: &ChargeOrder) -> String {
        self.shop.create_order(order).map_or_else(|unfit| unfit.to_string(), |form| form.text())
    }

    /// There is none.
    #[must_use]
    pub const fn refund_request(&self, _: &RefundOrder) -> String {
        String::new()
    }

    /// 123PAY sets nothing aside.
    pub async fn prepare(&self, _: &ChargeOrder) -> ChannelAnswer {
        unoffered()
    }

    /// Makes the order and brings the link. What is known under this key is only asked about.
    pub async fn charge(&self, order: &ChargeOrder) -> ChannelAnswer {
        if order.handle.is_some() {
            return self.inquire(order).await;
        }
        match self.shop.create_order(order) {
            Err(unfit) => refused_by_us(&unfit),
            Ok(form) => match self.post("createOrder1", form, order, Some(order.send_by)).await {
                Err(answer) => answer,
                Ok(body) => {
                    let answer = self.answer("createOrder", order, reading::created(order, &body, self.secret_key()));
                    // Only this answer is known to be about our order: by its id the later ones are recognised.
                    ChannelAnswer { handle: answer.peer_reference.clone(), ..answer }
                }
            },
        }
    }

    /// How the order stands, by its key.
    pub async fn inquire(&self, order: &ChargeOrder) -> ChannelAnswer {
        let Ok(form) = self.shop.query_order(&order.key) else { return unknown(Cause::NoAnswer, "no such key fits") };
        match self.post("queryOrder1", form, order, None).await {
            // A question that did not leave is one without an answer.
            Err(ChannelAnswer { finding: Finding::NotSent { .. }, heard, .. }) => unknown(Cause::NoAnswer, &heard),
            Err(answer) => answer,
            Ok(body) => self.answer("queryOrder", order, reading::queried(order, &body, self.secret_key())),
        }
    }

    /// An order is let go of by not being paid.
    pub async fn cancel(&self, _: &ChargeOrder) -> ChannelAnswer {
        unoffered()
    }

    /// 123PAY's own page for merchants refunds; its interface does not.
    pub async fn refund(&self, _: &RefundOrder) -> ChannelAnswer {
        unoffered()
    }

    pub async fn inquire_refund(&self, _: &RefundOrder) -> ChannelAnswer {
        unknown(Cause::NoAnswer, "123PAY has no refunds to be asked about")
    }

    #[must_use]
    pub fn listener(&self) -> Option<&dyn super::Listener> {
        Some(&self.listener)
    }

    fn secret_key(&self) -> &str {
        self.shop.secret_key.expose_secret()
    }

    /// One request, sent once; the body of a 200, or what its absence proves.
    async fn post(
        &self,
        name: &str,
        form: Form,
        order: &ChargeOrder,
        send_by: Option<Instant>,
    ) -> Result<Bytes, ChannelAnswer> {
        let call = Call {
            method: Method::POST,
            url: address(&self.base_url, [name]),
            body: Some(Content::Form(self.shop.sealed(form))),
            token: &Bearer::none(),
            correlator: &order.key,
            idempotency_key: None,
            send_by,
            timeout: self.timeout,
        };
        match self.client.send(call).await {
            Heard::Answer(answer) if answer.status == 200 => Ok(answer.body),
            Heard::Answer(answer) => Err(unknown(Cause::BadAnswer, &format!("{name}: {}", answer.status))),
            Heard::Unreadable(why) => Err(unknown(Cause::BadAnswer, &format!("{name}: {why}"))),
            Heard::NoAnswer(why) => Err(unknown(Cause::NoAnswer, &format!("{name}: {why}"))),
            Heard::NotSent(why) => {
                let heard = format!("{name}: not sent, {why}");
                Err(answered(Finding::NotSent { why }, heard))
            }
        }
    }

    fn answer(&self, name: &str, order: &ChargeOrder, read: Read) -> ChannelAnswer {
        let heard = format!("{name}: {}", self.redacted(&read.heard, order));
        // What is known of an order is not forgotten because one answer did not name it.
        let (handle, peer_reference) = (order.handle.clone(), read.transaction.or_else(|| order.handle.clone()));
        ChannelAnswer { finding: read.finding, handle, peer_reference, heard }
    }

    /// 123PAY's words may repeat what we sent.
    fn redacted(&self, words: &str, order: &ChargeOrder) -> String {
        let phone = order.msisdn.map(|msisdn| msisdn.digits());
        let secrets = [Some(self.shop.passcode.expose_secret()), Some(self.secret_key()), phone.as_deref()];
        let words = secrets.into_iter().flatten().fold(words.to_owned(), |words, secret| words.replace(secret, "***"));
        let plain = words.chars().map(|char| if char.is_control() { ' ' } else { char });
        plain.take(WORDS_LIMIT).collect::<String>().trim_end().to_owned()
    }
}

fn answered(finding: Finding, heard: String) -> ChannelAnswer {
    ChannelAnswer { finding, handle: None, peer_reference: None, heard }
}

fn unknown(cause: Cause, heard: &str) -> ChannelAnswer {
    answered(Finding::Unknown { cause }, heard.to_owned())
}

fn unoffered() -> ChannelAnswer {
    let why = "123PAY offers no such call".to_owned();
    answered(Finding::NotSent { why }, String::new())
}

/// It would be refused for ever: the configuration or the package is wrong.
fn refused_by_us(unfit: &Unfit) -> ChannelAnswer {
    let finding = Finding::NotCharged(Decline::of(Reason::Config));
    answered(finding, format!("createOrder: not sent, {unfit}"))
}
