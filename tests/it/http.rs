//! The HTTP doors over real sockets, with a test in the engine's place.

mod notify;

use paygate::config::{Config, Environment};
use paygate::engine::door::{Delivery, Door, Incoming, MessageIn, Verdict};
use paygate::http::{Part, Readiness, State, router, serve};
use paygate::telemetry::metrics;
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;

const SMSC: &str = r#"
[[smsc]]
name = "viettel"
address = "127.0.0.1:2775"
password = "secret"
short_codes = ["9029", "9031"]
[[smsc]]
name = "box"
kind = "kannel"
sendsms_url = "http://127.0.0.1:13013/cgi-bin/sendsms"
username = "paygate"
password = "secret"
short_codes = ["9029", "9030"]
[charging.viettel]
kind = "carrier-billing"
base_url = "http://127.0.0.1:9001/carrier-billing/v0.5"
token = "secret"
[package_manager]
base_url = "http://127.0.0.1:9002"
token = "secret"
"#;

/// Doors on a port of their own, with both ends in the test's hand.
struct Doors {
    address: SocketAddr,
    intake: mpsc::Receiver<Delivery>,
    readiness: watch::Sender<Readiness>,
    stop: oneshot::Sender<()>,
    served: JoinHandle<()>,
}

impl Doors {
    /// `http` is what stands in the configuration's `[http]`.
    async fn open(http: &str) -> Self {
        let config = Config::parse(&format!("[http]\n{http}{SMSC}"), &Environment::new()).unwrap();
        let (sender, intake) = mpsc::channel(1);
        let (readiness, ready) = watch::channel(Readiness::starting(["journal".to_owned(), "smsc viettel".to_owned()]));
        let router = router(State::new(&config.http, &config.smsc, sender, ready, metrics::recorder().clone()));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let served = tokio::spawn(async move {
            serve(listener, router, &config.http, async { drop(stopped.await) }).await;
        });
        Self { address, intake, readiness, stop, served }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The engine's part: takes the next message and answers it.
    async fn take(&mut self, verdict: Verdict) -> MessageIn {
        let delivery = self.intake.recv().await.unwrap();
        delivery.done.send(verdict).unwrap();
        match delivery.incoming {
            Incoming::Message(message) => message,
            _ => panic!("a message was sent"),
        }
    }

    async fn post(&self, body: impl Into<reqwest::Body>) -> (StatusCode, String) {
        answer(Client::new().post(self.url("/mo")).body(body)).await
    }

    async fn get(&self, path: &str) -> (StatusCode, String) {
        answer(Client::new().get(self.url(path))).await
    }
}

async fn answer(request: reqwest::RequestBuilder) -> (StatusCode, String) {
    let response = request.send().await.unwrap();
    (response.status(), response.text().await.unwrap())
}

fn error(body: &str) -> String {
    serde_json::from_str::<Value>(body).unwrap()["error"].as_str().unwrap().to_owned()
}

fn message() -> String {
    json!({ "id": "m-1", "from": "+84854689520", "to": "9029", "text": "ĐK VIP NAP1" }).to_string()
}

#[tokio::test]
async fn a_message_reaches_the_engine_as_it_was_sent_and_its_verdict_comes_back() {
    let mut doors = Doors::open("").await;
    for (verdict, status) in [(Verdict::Fresh, 202), (Verdict::Again, 200), (Verdict::Later, 503)] {
        let (url, sent) = (doors.url("/mo"), message());
        let answered = tokio::spawn(answer(Client::new().post(url).body(sent)));
        let message = doors.take(verdict).await;
        let expected = MessageIn {
            door: Door::Http,
            link: "viettel".to_owned(),
            from: "+84854689520".to_owned(),
            to: "9029".to_owned(),
            peer_id: Some("m-1".to_owned()),
            data_coding: None,
            part: None,
            payload: "ĐK VIP NAP1".into(),
            unreadable: None,
        };
        assert_eq!(message, expected);
        assert_eq!(answered.await.unwrap().0, status);
    }
}

#[tokio::test]
async fn kannel_gets_an_empty_page_once_the_message_is_safe() {
    let mut doors = Doors::open("").await;
    for (id, peer_id, verdict, status) in [
        ("&id=k-7", Some("k-7"), Verdict::Fresh, 200),
        ("&id=", None, Verdict::Again, 200),
        ("", None, Verdict::Later, 503),
    ] {
        let url = doors.url(&format!("/mo/kannel?from=%2B84854689520&to=9029&text=ON+VIP%20NAP1{id}"));
        let answered = tokio::spawn(answer(Client::new().get(url)));
        let message = doors.take(verdict).await;
        assert_eq!((message.door, message.link.as_str(), message.peer_id.as_deref()), (Door::Kannel, "box", peer_id));
        assert_eq!((message.from.as_str(), &message.payload[..]), ("+84854689520", &b"ON VIP NAP1"[..]));
        let (answer, body) = answered.await.unwrap();
        assert_eq!(answer, status);
        assert!(answer != 200 || body.is_empty(), "{body}");
    }
}

#[tokio::test]
async fn a_message_goes_to_the_link_that_serves_its_short_code() {
    let mut doors = Doors::open("").await;
    for (path, to, link) in [("/mo", "9030", "box"), ("/mo", "9031", "viettel"), ("/mo/kannel", "9031", "viettel")] {
        let request = match path {
            "/mo" => Client::new().post(doors.url(path)).body(message().replace("9029", to)),
            _ => Client::new().get(doors.url(&format!("{path}?from=1&to={to}&text=x"))),
        };
        let answered = tokio::spawn(answer(request));
        assert_eq!(doors.take(Verdict::Fresh).await.link, link);
        assert!(answered.await.unwrap().0.is_success());
    }
    let (status, body) = doors.post(message().replace("9029", "1234")).await;
    assert_eq!((status.as_u16(), error(&body).as_str()), (422, "no link has short code \"1234\""));
}

#[tokio::test]
async fn what_is_wrong_with_a_message_is_named_at_once() {
    let doors = Doors::open("").await;
    for (body, problem) in [
        ("{", "the body is no JSON object (EOF while parsing an object at line 1 column 1)"),
        ("[]", "the body is no JSON object (invalid type: sequence, expected a map at line 1 column 0)"),
        ("{}", r#""id" is missing, "from" is missing, "to" is missing, "text" is missing"#),
        (
            r#"{"id":"","from":null,"to":["9029"],"text":true}"#,
            r#""id" is empty, "from" is missing, "to" is not a text, "text" is not a text"#,
        ),
        (
            "{\"id\":\"1\",\"from\":\"a\\u0000\",\"to\":\"9029\",\"text\":\"\"}",
            r#""from" has a control character in it"#,
        ),
    ] {
        let (status, answer) = doors.post(body).await;
        assert_eq!((status.as_u16(), error(&answer).as_str()), (400, problem), "{body}");
    }
    let long = json!({ "id": "i".repeat(256), "from": "1", "to": "9029", "text": "x" }).to_string();
    assert_eq!(error(&doors.post(long).await.1), r#""id" is longer than 255 octets"#);
    let (status, answer) = doors.get("/mo/kannel?to=9029&id=%00").await;
    let problem = r#""from" is missing, "text" is missing, "id" has a control character in it"#;
    assert_eq!((status.as_u16(), error(&answer).as_str()), (400, problem));
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_refused() {
    let doors = Doors::open("body_limit = 1024\n").await;
    let (status, _) = doors.post(vec![b' '; 1025]).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn a_token_is_asked_of_everybody_once_it_is_configured() {
    let mut doors = Doors::open("mo_token = \"hush\"\n").await;
    let url = doors.url("/mo");
    let refused = [
        Client::new().post(&url),
        Client::new().post(&url).bearer_auth("wrong"),
        Client::new().post(&url).bearer_auth(""),
        Client::new().post(&url).basic_auth("x", Some("hush")),
        Client::new().post(format!("{url}?token=hus")),
        Client::new().get(format!("{url}/kannel?from=1&to=9029&text=x&token=")),
    ];
    for request in refused {
        let (status, body) = answer(request.body(message())).await;
        assert_eq!((status.as_u16(), error(&body).as_str()), (401, "the token is missing or wrong"));
    }
    let admitted = [
        Client::new().post(&url).bearer_auth("hush"),
        Client::new().post(&url).header("authorization", "bearer hush"),
        Client::new().post(format!("{url}?token=hush")),
        Client::new().get(format!("{url}/kannel?from=1&to=9029&text=x&token=hush")),
    ];
    for request in admitted {
        let answered = tokio::spawn(answer(request.body(message())));
        doors.take(Verdict::Again).await;
        assert_eq!(answered.await.unwrap().0, StatusCode::OK);
    }
}

#[tokio::test]
async fn an_engine_that_does_not_answer_means_send_it_again() {
    let mut doors = Doors::open("ack_within = \"50ms\"\n").await;
    assert_eq!(doors.post(message()).await.0, 503, "nobody answers");
    assert_eq!(doors.post(message()).await.0, 503, "the queue is full");
    doors.intake.close();
    assert_eq!(doors.post(message()).await.0, 503, "the engine is gone");
}

#[tokio::test]
async fn readiness_names_what_is_missing() {
    let doors = Doors::open("").await;
    assert_eq!(doors.get("/healthz").await, (StatusCode::OK, "ok\n".to_owned()));
    let (status, body) = doors.get("/readyz").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(body, r#"{"missing":["journal: starting","smsc viettel: starting"],"ready":false}"#);
    doors.readiness.send_modify(|readiness| {
        readiness.set("journal", Part::Ready);
        readiness.set("smsc viettel", Part::Missing("binding".to_owned()));
    });
    assert!(doors.get("/readyz").await.1.contains(r#"["smsc viettel: binding"]"#));
    doors.readiness.send_modify(|readiness| {
        readiness.set("smsc viettel", Part::Ready);
    });
    assert_eq!(doors.get("/readyz").await, (StatusCode::OK, r#"{"missing":[],"ready":true}"#.to_owned()));
}

#[tokio::test]
async fn prometheus_reads_every_metric_described_and_counted() {
    let mut doors = Doors::open("").await;
    let states = paygate::purchase::State::ALL.map(|state| state.as_str());
    // Other tests of this process bind links and buy under the usual name.
    let config = SMSC.replace("viettel", "nobodys");
    metrics::register(&Config::parse(&config, &Environment::new()).unwrap(), &states);
    let answered = tokio::spawn(answer(Client::new().post(doors.url("/mo")).body(message())));
    doors.take(Verdict::Fresh).await;
    answered.await.unwrap();
    let (status, text) = doors.get("/metrics").await;
    assert_eq!(status, StatusCode::OK);
    for line in [
        "# TYPE paygate_messages_received_total counter",
        "# HELP paygate_smsc_bound 1 while the link is bound",
        "paygate_smsc_bound{smsc=\"nobodys\"} 0",
        "paygate_purchases_total{state=\"done\",channel=\"nobodys\"} 0",
        "# TYPE paygate_backlog gauge",
        "paygate_unknown_outcomes 0",
        "paygate_log_dropped_total 0",
    ] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
    let fresh =
        text.lines().find(|line| line.starts_with("paygate_messages_received_total{door=\"http\",verdict=\"fresh\"}"));
    assert_ne!(fresh.unwrap().rsplit(' ').next().unwrap(), "0");
}

#[tokio::test]
async fn a_peer_that_never_finishes_its_request_is_cut_off() {
    let doors = Doors::open("header_timeout = \"100ms\"\n").await;
    let mut stream = TcpStream::connect(doors.address).await.unwrap();
    stream.write_all(b"POST /mo HTTP/1.1\r\nHost: x\r\n").await.unwrap();
    let mut rest = Vec::new();
    let closed = tokio::time::timeout(Duration::from_secs(30), stream.read_to_end(&mut rest)).await;
    assert!(closed.is_ok(), "the connection is still open");
}

#[tokio::test]
async fn a_stop_lets_the_request_under_way_finish_and_takes_no_other() {
    let mut doors = Doors::open("").await;
    let answered = tokio::spawn(answer(Client::new().post(doors.url("/mo")).body(message())));
    let delivery = doors.intake.recv().await.unwrap();
    doors.stop.send(()).unwrap();
    while TcpStream::connect(doors.address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    assert!(!doors.served.is_finished(), "a request is under way");
    delivery.done.send(Verdict::Fresh).unwrap();
    assert_eq!(answered.await.unwrap().0, StatusCode::ACCEPTED);
    doors.served.await.unwrap();
}
