//! HTTP as the neighbours' clients need it: one request, and whether a byte of it left. Never retries, never follows a
//! redirect, never speaks through a proxy, and reads no more than a bounded answer.

/// Cheap to clone; all clones share one pool of connections.
#[derive(Clone, Debug)]
pub struct HttpClient {
    #[expect(dead_code, reason = "the signatures stand before the calls")]
    inner: reqwest::Client,
}

impl HttpClient {
    /// # Errors
    /// When TLS cannot be set up on this machine.
    pub fn new() -> Result<Self, reqwest::Error> {
        let inner = reqwest::Client::builder()
            .retry(reqwest::retry::never())
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .tcp_nodelay(true)
            .build()?;
        Ok(Self { inner })
    }
}
