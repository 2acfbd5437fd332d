//! An address where nobody listens, for sure: the tests run side by side, and a port that a simulator let go of may be
//! another simulator's by now. Never accepts anything.

use std::net::{Ipv4Addr, SocketAddr};
use tokio::net::TcpSocket;

/// An address that refuses each connection for as long as this lives: bound, so that nobody else can listen there, and
/// never listened on.
pub(crate) struct Refusing {
    socket: TcpSocket,
}

impl Refusing {
    pub(crate) fn bind() -> Self {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).expect("a free port");
        Self { socket }
    }

    /// `http://host:port`, with no path.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.socket.local_addr().expect("a bound address"))
    }
}
