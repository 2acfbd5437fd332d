//! TLS towards an SMSC: rustls with the public roots, or those the settings name. Never skips a check.

use std::io;
use std::sync::Arc;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::LinkSettings;

/// Shakes hands on a connection; the name to be proven is the host part of the address.
pub(super) async fn handshake(settings: &LinkSettings, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
    let host = settings.address.rsplit_once(':').map_or(settings.address.as_str(), |(host, _)| host);
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
    TlsConnector::from(Arc::new(config(settings)?)).connect(name, stream).await
}

fn config(settings: &LinkSettings) -> io::Result<ClientConfig> {
    let mut roots = RootCertStore::empty();
    if settings.tls_roots.is_empty() {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    for root in &settings.tls_roots {
        roots.add(root.clone()).map_err(io::Error::other)?;
    }
    // Named, because the process's default is unclear as soon as two crates bring a provider each.
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let versions = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    Ok(versions.map_err(io::Error::other)?.with_root_certificates(roots).with_no_client_auth())
}
