//! A link over TLS: to an SMSC it can trust, and not to one it cannot.

use std::sync::Arc;

use paygate::smpp::LinkSettings;
use rustls::ServerConfig;
use rustls::pki_types::CertificateDer;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;

use paygate::sandbox::smsc::{Smsc, SmscSettings};

use super::{Link, settings};

/// A door with TLS before the simulated SMSC.
struct TlsDoor {
    address: String,
    certificate: CertificateDer<'static>,
    /// Whether each handshake came to its end.
    handshakes: mpsc::UnboundedReceiver<bool>,
}

async fn door(smsc: &Smsc) -> TlsDoor {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let certificate = made.cert.der().clone();
    let key = rustls::pki_types::PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_no_client_auth().with_single_cert(vec![certificate.clone()], key).unwrap();
    let (acceptor, inside) = (TlsAcceptor::from(Arc::new(config)), smsc.address());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("localhost:{}", listener.local_addr().unwrap().port());
    let (ended, handshakes) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let accepted = acceptor.accept(stream).await;
            // The test may have seen enough.
            let _ = ended.send(accepted.is_ok());
            let Ok(mut outside) = accepted else { continue };
            let mut inside = TcpStream::connect(inside).await.unwrap();
            tokio::spawn(async move { copy_bidirectional(&mut outside, &mut inside).await });
        }
    });
    TlsDoor { address, certificate, handshakes }
}

#[tokio::test]
async fn texts_and_replies_pass_over_tls() {
    let smsc = Smsc::start("127.0.0.1:0", SmscSettings::default()).await.unwrap();
    let TlsDoor { address, certificate, .. } = door(&smsc).await;
    let mut link = Link::start(LinkSettings { tls: true, tls_roots: vec![certificate], ..settings(address) });
    link.bound().await;
    for number in 0..50 {
        let text = format!("ON VIP NAP{number}");
        let (ack, message) = tokio::join!(smsc.text("84912345678", "9029", &text), link.message());
        assert!(ack.is_ok());
        assert_eq!(message.payload, text);
    }
    let long = "x".repeat(1000);
    let reply = link.reply("84912345678", &long).await;
    super::outcome(reply).await;
    assert_eq!(smsc.texts_to("84912345678")[0].text, long);
}

#[tokio::test]
async fn an_smsc_that_cannot_prove_its_name_never_sees_the_password() {
    let smsc = Smsc::start("127.0.0.1:0", SmscSettings::default()).await.unwrap();
    let mut door = door(&smsc).await;
    let trusted = vec![door.certificate.clone()];
    let elsewhere = door.address.replace("localhost", "127.0.0.1");
    let another_name = Link::start(LinkSettings { tls: true, tls_roots: trusted, ..settings(elsewhere) });
    assert!(!door.handshakes.recv().await.unwrap());
    another_name.stopped().await;
    while door.handshakes.try_recv().is_ok() {}
    let _untrusted = Link::start(LinkSettings { tls: true, ..settings(door.address) });
    assert!(!door.handshakes.recv().await.unwrap());
    assert_eq!(smsc.bind_count(), 0);
}
