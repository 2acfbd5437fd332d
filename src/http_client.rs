//! HTTP as the neighbours' clients need it: one request, and the truth about whether a byte of it left. Never retries,
//! never follows a redirect, never speaks through a proxy, and never reads more than a bounded answer.

use crate::telemetry::metrics as names;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Response, Url};
use secrecy::{ExposeSecret, SecretString};
use std::error::Error;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// Octets of an answer that are read; a longer one is unreadable.
const ANSWER_LIMIT: usize = 64 * 1024;
/// Idle connections kept for each peer.
const POOL_SIZE: usize = 256;
/// How long one is kept: less than common servers keep theirs, so that a request seldom meets a closing door.
const POOL_IDLE: Duration = Duration::from_secs(20);

/// Cheap to clone; all clones share one pool of connections.
#[derive(Clone, Debug)]
pub struct HttpClient {
    inner: reqwest::Client,
}

/// One request. Everything that may be sent is here, so that nothing is added on the way.
#[derive(Debug)]
pub struct Call<'a> {
    pub method: Method,
    pub url: String,
    /// Without it no byte may move money, and `send_by` is judged by the connection alone.
    pub body: Option<Content>,
    pub token: &'a Bearer,
    /// Goes out as `x-correlator`, cut to what CAMARA allows there.
    pub correlator: &'a str,
    /// Goes out as `Idempotency-Key`.
    pub idempotency_key: Option<&'a str>,
    /// No byte of the body, nor of the head before it, leaves after this.
    pub send_by: Option<Instant>,
    /// From now until the last byte of the answer.
    pub timeout: Duration,
}

/// A request's body, and how it is written. Prints as nothing: a form may hold a password.
pub enum Content {
    Json(String),
    /// `application/x-www-form-urlencoded`.
    Form(String),
}

/// What came of it. Each but `Answer` says why in words for a person.
#[derive(Debug)]
pub enum Heard {
    /// A whole answer, of whatever status.
    Answer(Answer),
    /// Not one byte left, and none will.
    NotSent(String),
    /// It left, or may have, and no whole answer came.
    NoAnswer(String),
    /// An answer came that is longer than anyone should send.
    Unreadable(String),
}

#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Bytes,
}

/// A bearer token that prints as nothing.
#[derive(Clone)]
pub struct Bearer(Option<HeaderValue>);

impl Bearer {
    /// For peers that are told who asks in another way.
    #[must_use]
    pub const fn none() -> Self {
        Self(None)
    }

    /// A token with a control character in it cannot be sent; the peer then answers 401, which operators are told of.
    #[must_use]
    pub fn new(token: &SecretString) -> Self {
        let mut value = HeaderValue::from_str(&format!("Bearer {}", token.expose_secret())).ok();
        if let Some(value) = &mut value {
            value.set_sensitive(true);
        }
        Self(value)
    }
}

impl std::fmt::Debug for Bearer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Bearer ***")
    }
}

impl Content {
    const fn kind(&self) -> &'static str {
        match self {
            Self::Json(_) => "application/json",
            Self::Form(_) => "application/x-www-form-urlencoded",
        }
    }

    fn octets(self) -> Bytes {
        match self {
            Self::Json(text) | Self::Form(text) => text.into(),
        }
    }
}

impl std::fmt::Debug for Content {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ***", self.kind())
    }
}

impl HttpClient {
    /// # Errors
    /// When TLS cannot be set up on this machine.
    pub fn new() -> Result<Self, reqwest::Error> {
        Ok(Self { inner: builder().build()? })
    }

    /// Sends one request once, and says what is certain about it.
    pub async fn send(&self, call: Call<'_>) -> Heard {
        if call.send_by.is_some_and(|send_by| Instant::now() > send_by) {
            return refused_as_late("its time to leave had passed");
        }
        let deadline = Instant::now() + call.timeout;
        let (request, gate) = self.request(call);
        let answered = timeout_at(deadline, async { read(request.send().await?).await }).await;
        match answered {
            Ok(Ok(heard)) => heard,
            Ok(Err(error)) if unsent(gate.as_deref(), Some(&error)) => Heard::NotSent(told(&error)),
            Ok(Err(error)) => Heard::NoAnswer(told(&error)),
            Err(_) if unsent(gate.as_deref(), None) => Heard::NotSent("no connection in time".to_owned()),
            Err(_) => Heard::NoAnswer("no answer in time".to_owned()),
        }
    }

    fn request(&self, call: Call<'_>) -> (reqwest::RequestBuilder, Option<Arc<Gate>>) {
        let mut request = self.inner.request(call.method, call.url).header("x-correlator", correlator(call.correlator));
        if let Some(token) = &call.token.0 {
            request = request.header(AUTHORIZATION, token);
        }
        if let Some(key) = call.idempotency_key {
            request = request.header(HeaderName::from_static("idempotency-key"), key);
        }
        let Some(body) = call.body else { return (request, None) };
        let gate = Arc::new(Gate::default());
        let kind = body.kind();
        let body = GatedBody { bytes: Some(body.octets()), gate: Arc::clone(&gate), send_by: call.send_by };
        // 123PAY answers 415 to whoever does not ask for JSON (seed 004, FAQ 1).
        let request = request.header(ACCEPT, "application/json").header(CONTENT_TYPE, kind);
        (request.body(reqwest::Body::wrap(body)), Some(gate))
    }
}

/// What is too late is not sent, and counted.
fn refused_as_late(why: &str) -> Heard {
    ::metrics::counter!(names::LATE_SENDS).increment(1);
    Heard::NotSent(why.to_owned())
}

fn builder() -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .retry(reqwest::retry::never())
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .tcp_nodelay(true)
        .pool_max_idle_per_host(POOL_SIZE)
        .pool_idle_timeout(POOL_IDLE)
}

/// Whether it is certain that nothing left and nothing will. A request with a body is asked at its gate; one without
/// moves no money, and a failed connection is proof enough.
fn unsent(gate: Option<&Gate>, error: Option<&reqwest::Error>) -> bool {
    match gate {
        Some(gate) => gate.shut(),
        None => error.is_some_and(|error| error.is_connect() || error.is_builder()),
    }
}

async fn read(mut response: Response) -> Result<Heard, reqwest::Error> {
    let (status, headers) = (response.status().as_u16(), std::mem::take(response.headers_mut()));
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > ANSWER_LIMIT {
            return Ok(Heard::Unreadable(format!("{status} with more than {ANSWER_LIMIT} octets")));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Heard::Answer(Answer { status, headers, body: body.into() }))
}

/// The error and what lies under it, without the address, which the caller knows.
fn told(error: &reqwest::Error) -> String {
    let mut text = if error.is_connect() { "no connection".to_owned() } else { "no whole answer".to_owned() };
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}

/// An address below a base. Each segment is escaped: an id from the peer cannot lead anywhere else.
#[must_use]
pub fn address<'a>(base: &str, segments: impl IntoIterator<Item = &'a str>) -> String {
    let Ok(mut url) = Url::parse(base) else { return base.to_owned() };
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend(segments);
    }
    url.into()
}

/// CAMARA allows `^[a-zA-Z0-9-_:;.\/<>{}]{0,256}$` in `x-correlator`.
fn correlator(text: &str) -> String {
    text.chars().filter(|char| char.is_ascii_alphanumeric() || "-_:;./<>{}".contains(*char)).take(256).collect()
}

/// Where the sender and whoever gave up on it meet: exactly one of them passes first.
#[derive(Debug, Default)]
struct Gate(AtomicU8);

const OPEN: u8 = 0;
const PASSED: u8 = 1;
const SHUT: u8 = 2;

impl Gate {
    /// The body is on its way to the wire. False when the gate was shut before.
    fn pass(&self) -> bool {
        self.0.compare_exchange(OPEN, PASSED, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    /// Nothing may leave any more. False when it has already.
    fn shut(&self) -> bool {
        self.0.compare_exchange(OPEN, SHUT, Ordering::AcqRel, Ordering::Acquire).unwrap_or_else(|now| now) != PASSED
    }
}

/// A request's body that leaves whole or not at all. HTTP/1 asks for the body before it flushes the head, so a body
/// that is refused here takes the head with it: past `send_by` not one byte is on the wire.
struct GatedBody {
    bytes: Option<Bytes>,
    gate: Arc<Gate>,
    send_by: Option<Instant>,
}

#[derive(Debug, thiserror::Error)]
#[error("its time to leave had passed before there was a connection")]
struct TooLate;

impl Body for GatedBody {
    type Data = Bytes;
    type Error = TooLate;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, TooLate>>> {
        let Some(bytes) = self.bytes.take() else { return Poll::Ready(None) };
        let late = self.send_by.is_some_and(|send_by| Instant::now() > send_by);
        if late {
            ::metrics::counter!(names::LATE_SENDS).increment(1);
        }
        if late || !self.gate.pass() {
            return Poll::Ready(Some(Err(TooLate)));
        }
        Poll::Ready(Some(Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.bytes.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;
    use std::sync::OnceLock;

    #[test]
    fn an_id_from_the_peer_stays_below_its_address() {
        assert_eq!(address("http://peer/v0.5", ["payments", "a/../b?c"]), "http://peer/v0.5/payments/a%2F..%2Fb%3Fc");
        assert_eq!(address("http://peer/v0.5/", ["payments"]), "http://peer/v0.5/payments");
    }

    #[test]
    fn a_correlator_carries_only_what_camara_allows() {
        assert_eq!(correlator("p-1;\r\nX: y é"), "p-1;X:y");
        assert_eq!(correlator(&"a".repeat(300)).len(), 256);
    }

    /// Finds the address only after the time to leave has passed.
    struct SlowName(Arc<OnceLock<Instant>>, std::net::SocketAddr);

    impl reqwest::dns::Resolve for SlowName {
        fn resolve(&self, _: reqwest::dns::Name) -> reqwest::dns::Resolving {
            let (until, address) = (self.0.get().map(|send_by| *send_by + Duration::from_millis(1)), self.1);
            Box::pin(async move {
                tokio::time::sleep_until(until.unwrap()).await;
                Ok(Box::new(std::iter::once(address)) as reqwest::dns::Addrs)
            })
        }
    }

    #[tokio::test]
    async fn a_connection_that_comes_too_late_carries_not_one_byte() {
        let server = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, time) = (server.local_addr().unwrap(), Arc::new(OnceLock::new()));
        let slow = Arc::new(SlowName(Arc::clone(&time), address));
        let client = HttpClient { inner: builder().dns_resolver(slow).build().unwrap() };
        let token = Bearer::new(&"secret".into());
        let send_by = *time.get_or_init(|| Instant::now() + Duration::from_millis(200));
        let call = Call {
            method: Method::POST,
            url: format!("http://peer.example:{}/", address.port()),
            body: Some(Content::Json("{}".to_owned())),
            token: &token,
            correlator: "k1",
            idempotency_key: None,
            send_by: Some(send_by),
            timeout: Duration::from_secs(60),
        };
        let heard = client.send(call).await;
        assert!(matches!(heard, Heard::NotSent(_)), "{heard:?}");
        drop(client);
        server.set_nonblocking(true).unwrap();
        // On a machine so slow that the time was over before the call, there is not even a connection.
        while let Ok((mut connection, _)) = server.accept() {
            connection.set_nonblocking(false).unwrap();
            let mut received = Vec::new();
            std::io::Read::read_to_end(&mut connection, &mut received).unwrap();
            assert_eq!(received, b"", "the head leaves with the body or not at all");
        }
    }

    fn post(token: &Bearer, port: u16, timeout: Duration) -> Call<'_> {
        Call {
            method: Method::POST,
            url: format!("http://127.0.0.1:{port}/"),
            body: Some(Content::Json("{}".to_owned())),
            token,
            correlator: "k1",
            idempotency_key: None,
            send_by: Some(Instant::now() + Duration::from_secs(60)),
            timeout,
        }
    }

    /// Reads one request and answers so.
    async fn serve_one(peer: &mut tokio::net::TcpStream, answer: &[u8]) {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let mut received = Vec::new();
        while !received.ends_with(b"\r\n\r\n{}") {
            assert_ne!(peer.read_buf(&mut received).await.unwrap(), 0, "the request is whole");
        }
        peer.write_all(answer).await.unwrap();
    }

    #[tokio::test]
    async fn a_peer_that_closes_a_kept_connection_under_a_request_is_not_sent_it_again() {
        const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";
        let server = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = server.local_addr().unwrap().port();
        let peer = tokio::spawn(async move {
            let (mut kept, _) = server.accept().await.unwrap();
            serve_one(&mut kept, OK).await;
            serve_one(&mut kept, b"").await;
            drop(kept);
            // The last request comes by the only further connection.
            let (mut last, _) = server.accept().await.unwrap();
            serve_one(&mut last, b"HTTP/1.1 201 Created\r\ncontent-length: 2\r\n\r\n{}").await;
        });
        let (client, token) = (HttpClient::new().unwrap(), Bearer::new(&"secret".into()));
        let patience = Duration::from_secs(60);
        assert!(
            matches!(client.send(post(&token, port, patience)).await, Heard::Answer(answer) if answer.status == 200)
        );
        let heard = client.send(post(&token, port, patience)).await;
        assert!(matches!(heard, Heard::NoAnswer(_)), "{heard:?}");
        let heard = client.send(post(&token, port, patience)).await;
        assert!(matches!(&heard, Heard::Answer(answer) if answer.status == 201), "{heard:?}");
        peer.await.unwrap();
    }

    #[tokio::test]
    async fn an_answer_that_trickles_in_is_cut_off_at_the_deadline_of_the_whole() {
        let server = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = server.local_addr().unwrap().port();
        let peer = tokio::spawn(async move {
            use tokio::io::AsyncWriteExt;
            let (mut peer, _) = server.accept().await.unwrap();
            serve_one(&mut peer, b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n").await;
            // Each octet comes long before any pause between two could be noticed, until the client leaves.
            while peer.write_all(b" ").await.is_ok() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        });
        let (client, token) = (HttpClient::new().unwrap(), Bearer::new(&"secret".into()));
        let heard = client.send(post(&token, port, Duration::from_millis(500))).await;
        assert!(matches!(heard, Heard::NoAnswer(_)), "{heard:?}");
        peer.await.unwrap();
    }

    #[test]
    fn what_is_too_late_is_not_sent_and_is_counted() {
        let recorder = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder();
        let heard = ::metrics::with_local_recorder(&recorder, || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            let token = Bearer::none();
            let call = Call {
                method: Method::POST,
                url: "http://127.0.0.1:9/".to_owned(),
                body: Some(Content::Json("{}".to_owned())),
                token: &token,
                correlator: "k1",
                idempotency_key: None,
                send_by: Instant::now().checked_sub(Duration::from_millis(1)),
                timeout: Duration::from_secs(60),
            };
            let client = HttpClient::new().unwrap();
            runtime.block_on(client.send(call))
        });
        assert!(matches!(heard, Heard::NotSent(_)), "{heard:?}");
        let told = recorder.handle().render();
        assert!(told.contains(&format!("{} 1", names::LATE_SENDS)), "{told}");
    }

    #[test]
    fn whoever_comes_first_to_the_gate_decides() {
        let (passed, shut) = (Gate::default(), Gate::default());
        assert!(passed.pass() && !passed.shut());
        assert!(shut.shut() && !shut.pass() && shut.shut());
    }
}
