//! HTTP for a simulated neighbour: requests in, answers out, and the faults between them, down to a connection cut in the
//! middle of an answer. Knows nothing of what the neighbour does, and logs nothing.

use super::faults::{Fault, Faults, with_others_data, with_wrong_amount};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::connect_info::{ConnectInfo, Connected};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::serve::{IncomingStream, Listener};
use bytes::Bytes;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::sleep;

/// Octets of a request body that are read.
const BODY_LIMIT: usize = 64 * 1024;

/// A simulated neighbour. All of it is quick and never waits: a held request is held here.
pub(super) trait Peer: Send + Sync + 'static {
    type Endpoint: Copy + PartialEq + Send + Sync + 'static;

    /// Which endpoint it is, by the path's segments; `None` is 404.
    fn endpoint(method: &Method, path: &[&str]) -> Option<Self::Endpoint>;
    fn faults(&self) -> &Faults<Self::Endpoint>;
    fn act(&self, endpoint: Self::Endpoint, call: &Call) -> Reply;
    /// An error in the neighbour's own form.
    fn refusal(status: u16, code: &str) -> Reply;
    /// A request is being held (true) or let go (false): what others may be told of meanwhile.
    fn held(&self, endpoint: Self::Endpoint, call: &Call, held: bool);

    /// Whether a request is about the subscriber or account with these digits.
    fn is_about(&self, call: &Call, who: &str) -> bool {
        call.mentions(who)
    }

    /// The answer with every amount and price one more than it was.
    fn with_wrong_amount(&self, reply: Reply) -> Reply {
        Reply { body: with_wrong_amount(&reply.body), ..reply }
    }

    /// The answer as if it were about somebody else.
    fn with_others_data(&self, reply: Reply) -> Reply {
        Reply { body: with_others_data(&reply.body), ..reply }
    }
}

/// One request, read whole.
pub(super) struct Call {
    path: String,
    pub query: Option<String>,
    pub headers: HeaderMap,
    pub body: Bytes,
}

pub(super) struct Reply {
    pub status: u16,
    pub body: String,
    pub headers: Vec<(&'static str, String)>,
}

impl Call {
    pub(super) fn segments(&self) -> Vec<&str> {
        self.path.split('/').filter(|segment| !segment.is_empty()).collect()
    }

    pub(super) fn mentions(&self, digits: &str) -> bool {
        String::from_utf8_lossy(&self.body).contains(digits)
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    pub(super) fn bearer(&self) -> Option<&str> {
        self.header("authorization")?.strip_prefix("Bearer ")
    }

    /// Every value of one query parameter, unescaped.
    pub(super) fn query(&self, name: &str) -> Vec<String> {
        let pairs: Vec<(String, String)> = self.pairs();
        pairs.into_iter().filter(|(key, _)| key == name).map(|(_, value)| value).collect()
    }

    fn pairs(&self) -> Vec<(String, String)> {
        let query = self.query.as_deref().unwrap_or_default();
        reqwest::Url::parse(&format!("http://peer/?{query}"))
            .map(|url| url.query_pairs().into_owned().collect())
            .unwrap_or_default()
    }
}

impl Reply {
    pub(super) fn new(status: u16, body: String) -> Self {
        Self { status, body, headers: Vec::new() }
    }
}

/// A neighbour that is being served. Dropped, it is gone: its port refuses and its connections break.
pub(super) struct Serving {
    pub address: SocketAddr,
    task: JoinHandle<()>,
    gone: Arc<AtomicBool>,
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.gone.store(true, Ordering::Relaxed);
        self.task.abort();
    }
}

pub(super) async fn serve<P: Peer>(address: SocketAddr, peer: Arc<P>) -> io::Result<Serving> {
    let listener = TcpListener::bind(address).await?;
    let address = listener.local_addr()?;
    let gone = Arc::new(AtomicBool::new(false));
    let lines = Lines { listener, gone: Arc::clone(&gone) };
    let app = Router::new().fallback(answer::<P>).with_state(peer).into_make_service_with_connect_info::<Cut>();
    let serving = async move {
        if let Err(error) = axum::serve(lines, app).await {
            tracing::error!(%error, "a simulated neighbour stopped");
        }
    };
    Ok(Serving { address, task: tokio::spawn(serving), gone })
}

async fn answer<P: Peer>(State(peer): State<Arc<P>>, ConnectInfo(cut): ConnectInfo<Cut>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, BODY_LIMIT).await else { return StatusCode::PAYLOAD_TOO_LARGE.into_response() };
    let query = parts.uri.query().map(str::to_owned);
    let call = Call { path: parts.uri.path().to_owned(), query, headers: parts.headers, body };
    let Some(endpoint) = P::endpoint(&parts.method, &call.segments()) else {
        return response(P::refusal(404, "NOT_FOUND"));
    };
    match peer.faults().take(endpoint, |who| peer.is_about(&call, who)) {
        None => response(peer.act(endpoint, &call)),
        Some(fault) => faulty(peer, endpoint, call, fault, &cut).await,
    }
}

async fn faulty<P: Peer>(peer: Arc<P>, endpoint: P::Endpoint, call: Call, fault: Fault, cut: &Cut) -> Response {
    let nothing = Reply::new(200, String::new());
    let reply = match fault {
        Fault::LostBefore => {
            cut.after(0);
            nothing
        }
        Fault::Refuse { status, code } => P::refusal(status, &code),
        Fault::Late { ms } => late(peer, endpoint, call, Duration::from_millis(ms)).await,
        Fault::Slow { ms } => {
            let reply = peer.act(endpoint, &call);
            sleep(Duration::from_millis(ms)).await;
            reply
        }
        Fault::Silent => {
            peer.act(endpoint, &call);
            std::future::pending().await
        }
        Fault::Lost => {
            peer.act(endpoint, &call);
            cut.after(0);
            nothing
        }
        Fault::Truncated => {
            let reply = peer.act(endpoint, &call);
            cut.after(TRUNCATED_HEAD + reply.body.len() / 2);
            reply
        }
        Fault::Failed { status } => {
            peer.act(endpoint, &call);
            P::refusal(status, "INTERNAL")
        }
        Fault::Denied { status, code } => {
            peer.act(endpoint, &call);
            P::refusal(status, &code)
        }
        Fault::Garbage => {
            peer.act(endpoint, &call);
            Reply::new(200, "<html><body>welcome</body></html>".to_owned())
        }
        Fault::WrongAmount => peer.with_wrong_amount(peer.act(endpoint, &call)),
        Fault::OthersData => peer.with_others_data(peer.act(endpoint, &call)),
    };
    response(reply)
}

/// About half of what an answer's head is long, so that an answer without a body is cut too.
const TRUNCATED_HEAD: usize = 60;

/// On a task of its own: the client's leaving does not undo the request.
async fn late<P: Peer>(peer: Arc<P>, endpoint: P::Endpoint, call: Call, wait: Duration) -> Reply {
    peer.held(endpoint, &call, true);
    let acting = tokio::spawn(async move {
        sleep(wait).await;
        peer.held(endpoint, &call, false);
        peer.act(endpoint, &call)
    });
    acting.await.unwrap_or_else(|_| P::refusal(500, "INTERNAL"))
}

fn response(reply: Reply) -> Response {
    let kind = if reply.body.starts_with('<') { "text/html; charset=utf-8" } else { "application/json" };
    let mut builder = Response::builder().status(reply.status).header(header::CONTENT_TYPE, kind);
    for (name, value) in reply.headers {
        builder = builder.header(name, value);
    }
    builder.body(Body::from(reply.body)).unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())
}

/// How many more octets one connection may write before it breaks.
#[derive(Clone)]
struct Cut(Arc<AtomicUsize>);

impl Cut {
    fn after(&self, octets: usize) {
        self.0.store(octets, Ordering::Relaxed);
    }
}

impl Connected<IncomingStream<'_, Lines>> for Cut {
    fn connect_info(stream: IncomingStream<'_, Lines>) -> Self {
        stream.io().cut.clone()
    }
}

/// A listener whose connections can be cut.
struct Lines {
    listener: TcpListener,
    gone: Arc<AtomicBool>,
}

struct Line {
    stream: TcpStream,
    cut: Cut,
    gone: Arc<AtomicBool>,
}

impl Listener for Lines {
    type Io = Line;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Line, SocketAddr) {
        let (stream, address) = Listener::accept(&mut self.listener).await;
        // Without it an answer may wait 40 ms for an acknowledgement; where it fails it is only slower.
        let _ = stream.set_nodelay(true);
        let cut = Cut(Arc::new(AtomicUsize::new(usize::MAX)));
        (Line { stream, cut, gone: Arc::clone(&self.gone) }, address)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

impl AsyncRead for Line {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.stream).poll_read(cx, buf);
        // A request that came in after the neighbour was gone is not to be seen.
        if self.gone.load(Ordering::Relaxed) { Poll::Ready(Err(io::ErrorKind::ConnectionReset.into())) } else { polled }
    }
}

impl AsyncWrite for Line {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let left = self.cut.0.load(Ordering::Relaxed);
        if left == 0 {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        let allowed = &buf[..buf.len().min(left)];
        let written = std::task::ready!(Pin::new(&mut self.stream).poll_write(cx, allowed))?;
        if left != usize::MAX {
            self.cut.after(left - written);
        }
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
