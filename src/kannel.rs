//! Kannel as a neighbour that carries replies: one `sendsms` request for each. Messages from Kannel come in at the HTTP
//! door; nothing here reads them.

use crate::config::KannelLink;
use crate::engine::door::{Submit, Submitted};
use crate::http_client::{Bearer, Call, Heard, HttpClient};
use paygate_parsers::text::is_gsm;
use reqwest::{Method, Url};
use secrecy::ExposeSecret;
use std::sync::Arc;
use tokio::sync::{Semaphore, mpsc};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Sends replies until `stop`; at most `window` requests are under way at once.
pub async fn run(link: KannelLink, client: HttpClient, mut outbox: mpsc::Receiver<Submit>, stop: CancellationToken) {
    let places = Arc::new(Semaphore::new(usize::from(link.window)));
    let (link, tasks) = (Arc::new(link), TaskTracker::new());
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { break };
        let submit = tokio::select! {
            () = stop.cancelled() => break,
            submit = outbox.recv() => submit,
        };
        let Some(submit) = submit else { break };
        let (link, client) = (Arc::clone(&link), client.clone());
        tasks.spawn(async move {
            let submitted = send(&link, &client, &submit).await;
            let _ = submit.done.send(submitted);
            drop(place);
        });
    }
    tasks.close();
    tasks.wait().await;
}

async fn send(link: &KannelLink, client: &HttpClient, submit: &Submit) -> Submitted {
    if Instant::now() >= submit.not_after {
        return Submitted::NotSent("expired");
    }
    let Some(url) = url(link, submit) else { return Submitted::NotSent("sendsms_url is no address") };
    let call = Call {
        method: Method::GET,
        url,
        body: None,
        token: &Bearer::none(),
        correlator: "",
        idempotency_key: None,
        send_by: None,
        timeout: link.timeout,
    };
    let heard = client.send(call).await;
    match heard {
        // 202 is "accepted for delivery", and 200 older Kannels' word for the same.
        Heard::Answer(answer) if matches!(answer.status, 200 | 202) => {
            Submitted::Accepted { message_id: String::new() }
        }
        Heard::Answer(answer) if answer.status == 503 => Submitted::NotSent("Kannel is busy"),
        Heard::Answer(answer) if (400..500).contains(&answer.status) => {
            Submitted::Refused { status: u32::from(answer.status) }
        }
        Heard::Answer(_) | Heard::NoAnswer(_) | Heard::Unreadable(_) => {
            Submitted::Unknown("Kannel gave no answer that says so")
        }
        Heard::NotSent(_) => Submitted::NotSent("Kannel cannot be reached"),
    }
}

/// Kannel's user guide, "sendsms": texts outside GSM 7-bit need `coding=2`. `None` for an address that is none.
fn url(link: &KannelLink, submit: &Submit) -> Option<String> {
    let coding = if is_gsm(&submit.text) { "0" } else { "2" };
    let to = format!("+{}", submit.to);
    let query = [
        ("username", link.username.as_str()),
        ("password", link.password.expose_secret()),
        ("from", &submit.from),
        ("to", &to),
        ("coding", coding),
        ("charset", "UTF-8"),
        ("text", &submit.text),
    ];
    Url::parse_with_params(&link.sendsms_url, query).ok().map(String::from)
}
