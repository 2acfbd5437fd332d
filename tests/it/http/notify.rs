//! `POST /notify/{channel}` over real sockets, with a test in the engine's place.

use jiff::Timestamp;
use paygate::charging::Channels;
use paygate::config::{Config, Environment};
use paygate::engine::door::{Delivery, Incoming, NotifyIn, Verdict};
use paygate::http::notify::{State, router};
use paygate::http::serve;
use paygate::http_client::HttpClient;
use paygate::telemetry::metrics;
use reqwest::{Client, StatusCode};
use serde_json::Value;
use sha1::{Digest, Sha1};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::mpsc;

/// A door on a port of its own, with the engine's end in the test's hand.
struct Door {
    address: SocketAddr,
    intake: mpsc::Receiver<Delivery>,
}

impl Door {
    /// Each test has a channel of its own, since all share one recorder of metrics.
    async fn open(channel: &str, http: &str) -> Self {
        let text = format!(
            r#"
[http]
{http}
[[smsc]]
name = "viettel"
address = "127.0.0.1:2775"
password = "secret"
short_codes = ["9029"]
charging = "telco"
[charging.telco]
kind = "carrier-billing"
base_url = "http://127.0.0.1:9001/carrier-billing/v0.5"
token = "secret"
[charging.{channel}]
kind = "123pay"
base_url = "http://127.0.0.1:9003/miservice"
merchant_code = "MICODE"
passcode = "MIPASSCODE"
secret_key = "MIKEY"
[package_manager]
base_url = "http://127.0.0.1:9002"
token = "secret"
"#
        );
        let config = Config::parse(&text, &Environment::new()).unwrap();
        metrics::recorder();
        metrics::register(&config, &[]);
        let channels = Arc::new(Channels::new(&config.charging, &HttpClient::new().unwrap()));
        let (sender, intake) = mpsc::channel(1);
        let routes = router(State::new(&config.http, channels, sender, Default::default()), &config.http);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { serve(listener, routes, &config.http, std::future::pending()).await });
        Self { address, intake }
    }

    /// The engine's part: takes the next notify and answers it.
    async fn take(&mut self, verdict: Verdict) -> NotifyIn {
        let delivery = self.intake.recv().await.unwrap();
        delivery.done.send(verdict).unwrap();
        match delivery.incoming {
            Incoming::Notify(notify) => notify,
            _ => panic!("a notify was sent"),
        }
    }
}

async fn posted(address: SocketAddr, channel: &str, body: String) -> (StatusCode, String) {
    let response = Client::new().post(format!("http://{address}/notify/{channel}")).body(body).send().await.unwrap();
    (response.status(), response.text().await.unwrap())
}

fn sha1(text: &str) -> String {
    Sha1::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A notify of so many milliseconds ago.
fn notify(status: &str, age: i64) -> String {
    let ts = Timestamp::now().as_millisecond() - age;
    let sum = sha1(&format!("k1123PVTB{status}{ts}MIKEY"));
    format!("mTransactionID=k1&bankCode=123PVTB&transactionStatus={status}&description=&ts={ts}&checksum={sum}")
}

/// returnCode of an answer that is signed, fresh and about `k1`.
fn code(answer: &(StatusCode, String)) -> String {
    assert_eq!(answer.0, StatusCode::OK, "{answer:?}");
    let object: Value = serde_json::from_str(&answer.1).unwrap();
    let field = |name: &str| object[name].as_str().unwrap().to_owned();
    let (id, code, ts) = (field("mTransactionID"), field("returnCode"), field("ts"));
    assert_eq!(field("checksum"), sha1(&format!("{id}{code}{ts}MIKEY")));
    assert!(ts.parse::<i64>().unwrap().abs_diff(Timestamp::now().as_millisecond()) < 60_000, "{ts}");
    assert_eq!(id, "k1");
    code
}

/// How often a verdict was counted for a channel.
fn counted(channel: &str, verdict: &str) -> u64 {
    let text = metrics::recorder().render();
    let labels = [format!(r#"channel="{channel}""#), format!(r#"verdict="{verdict}""#)];
    let line = text.lines().find(|line| {
        line.starts_with("paygate_notifies_received_total{") && labels.iter().all(|label| line.contains(label))
    });
    line.and_then(|line| line.rsplit(' ').next()?.parse().ok()).unwrap_or_else(|| panic!("{channel} {verdict}"))
}

#[tokio::test]
async fn each_verdict_of_the_engine_has_its_signed_answer() {
    let mut door = Door::open("verdicts", "").await;
    for (verdict, word, returned) in [
        (Verdict::Fresh, "fresh", "1"),
        (Verdict::Again, "again", "2"),
        (Verdict::Later, "later", "-3"),
        (Verdict::Unknown, "unknown", "-3"),
    ] {
        let posted = tokio::spawn(posted(door.address, "verdicts", notify("1", 0)));
        let taken = door.take(verdict).await;
        assert_eq!((taken.channel.as_str(), taken.key.as_str(), taken.paid), ("verdicts", "k1", true));
        assert!(!taken.heard.contains("MIKEY") && !taken.digest.is_empty());
        assert_eq!(code(&posted.await.unwrap()), returned);
        assert_eq!(counted("verdicts", word), 1);
    }
}

#[tokio::test]
async fn what_is_not_believed_never_reaches_the_engine_and_is_told_apart() {
    let mut door = Door::open("doubted", "").await;
    let forged = notify("1", 0).replace("transactionStatus=1", "transactionStatus=0");
    for (body, word, returned) in [
        (forged, "bad_checksum", "-1"),
        (notify("1", 330_000), "stale", "-1"),
        (notify("1", -330_000), "stale", "-1"),
        (notify("9999", 0), "unreadable", "-3"),
    ] {
        let before = counted("doubted", word);
        assert_eq!(code(&posted(door.address, "doubted", body).await), returned, "{word}");
        assert_eq!(counted("doubted", word), before + 1);
    }
    assert!(door.intake.try_recv().is_err());
}

#[tokio::test]
async fn a_notify_that_cannot_be_made_durable_in_time_is_answered_as_not_stored() {
    let mut door = Door::open("slow", "ack_within = \"100ms\"").await;
    assert_eq!(code(&posted(door.address, "slow", notify("1", 0)).await), "-3", "the engine does not answer");
    door.intake.close();
    assert_eq!(code(&posted(door.address, "slow", notify("1", 0)).await), "-3", "the engine is gone");
    assert_eq!(counted("slow", "later"), 2);
}

#[tokio::test]
async fn only_channels_that_listen_have_a_door_and_it_is_bounded() {
    let door = Door::open("bounded", "body_limit = 1024").await;
    for channel in ["telco", "nobody"] {
        assert_eq!(posted(door.address, channel, notify("1", 0)).await.0, StatusCode::NOT_FOUND);
    }
    assert_eq!(posted(door.address, "bounded", "x".repeat(1_025)).await.0, StatusCode::PAYLOAD_TOO_LARGE);
    let got = Client::new().get(format!("http://{}/notify/bounded", door.address)).send().await.unwrap();
    assert_eq!(got.status(), StatusCode::METHOD_NOT_ALLOWED);
}
