//! The accept loop: bounded connections, a bounded wait for a request's head, and a stop that lets requests finish.

use axum::Router;
use axum::extract::ConnectInfo;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tracing::{debug, warn};

/// After a failed accept (out of files, as a rule) the next one waits, so that a full machine is not kept busy by us.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_millis(100);

/// Serves until `shutdown` resolves, then takes nothing new and returns when the requests under way are answered.
/// Bounding that wait is the caller's: each request has its own limit already.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    limits: &crate::config::Http,
    shutdown: impl Future<Output = ()> + Send,
) {
    let places = Arc::new(Semaphore::new(limits.connections));
    let mut connection = http1::Builder::new();
    connection.timer(TokioTimer::new()).header_read_timeout(limits.header_timeout);
    let graceful = GracefulShutdown::new();
    let mut shutdown = pin!(shutdown);
    loop {
        let accepted = tokio::select! {
            () = &mut shutdown => break,
            accepted = accept(&listener, &places) => accepted,
        };
        let Some((stream, peer, place)) = accepted else { continue };
        let routes = TowerToHyperService::new(router.clone());
        let service = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(ConnectInfo(peer));
            routes.call(request)
        });
        let served = graceful.watch(connection.serve_connection(TokioIo::new(stream), service));
        tokio::spawn(async move {
            if let Err(error) = served.await {
                debug!(%peer, %error, "an HTTP connection ended early");
            }
            drop(place);
        });
    }
    drop(listener);
    graceful.shutdown().await;
}

/// The next connection and its place among those that may be open at once.
async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> Option<(TcpStream, SocketAddr, tokio::sync::OwnedSemaphorePermit)> {
    // Closed never: nobody else holds the semaphore.
    let place = Arc::clone(places).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, peer)) => {
            // Answers are small and wanted at once; without it the last segment would wait for an acknowledgement.
            if let Err(error) = stream.set_nodelay(true) {
                debug!(%peer, %error, "TCP_NODELAY cannot be set");
            }
            Some((stream, peer, place))
        }
        Err(error) => {
            warn!(%error, "an HTTP connection cannot be accepted; trying again");
            tokio::time::sleep(PAUSE_AFTER_FAILURE).await;
            None
        }
    }
}
