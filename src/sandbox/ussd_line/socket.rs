//! One application's connection to the simulated USSD gateway, in one task. Answers each line by the books and the fault
//! switches, and holds to the telco's error codes.

use super::{Holder, Shared};
use bytes::BytesMut;
use paygate_parsers::ussd_line::{Kind, Line, Login, OK, Ussd, cut};
use secrecy::ExposeSecret;
use std::io;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::select;
use tokio::sync::mpsc;
use tokio::time::interval;
use tokio_util::sync::CancellationToken;

/// Octets of one line.
const LINE_MAX: usize = 8 * 1024;

/// The telco's error codes that a simulated gateway can come to by itself.
mod code {
    pub(super) const OTHER_SOCKET: u16 = 203;
    pub(super) const LOGIN: u16 = 204;
    pub(super) const NOT_LOGGED_IN: u16 = 207;
    pub(super) const SPID: u16 = 208;
    pub(super) const CODING: u16 = 209;
    pub(super) const ID_PREFIX: u16 = 212;
    pub(super) const DIRECTION: u16 = 213;
}

pub(super) fn octets(line: &Line) -> Vec<u8> {
    let mut out = BytesMut::new();
    line.write(&mut out);
    out.to_vec()
}

/// Serves one connection to its end.
pub(super) async fn serve(connection: usize, stream: TcpStream, shared: Arc<Shared>, cut: CancellationToken) {
    let (lines, inbox) = mpsc::channel(shared.settings.queue.max(1));
    let holder = Holder { connection, lines, cut: cut.clone() };
    let mut application = Application { shared: Arc::clone(&shared), holder, closing: false };
    // Every end is alike: the application is gone.
    let _ = cut.run_until_cancelled(application.drive(stream, inbox)).await;
    shared.holder.send_if_modified(|holder| {
        let own = holder.as_ref().is_some_and(|holder| holder.connection == connection);
        if own {
            *holder = None;
        }
        own
    });
}

/// The application at the other end.
struct Application {
    shared: Arc<Shared>,
    holder: Holder,
    /// To be hung up once all is written.
    closing: bool,
}

impl Application {
    async fn drive(&mut self, mut stream: TcpStream, mut inbox: mpsc::Receiver<Vec<u8>>) -> io::Result<()> {
        let (mut reader, mut writer) = stream.split();
        let (mut input, mut alive) = (BytesMut::new(), interval(self.shared.settings.keep_alive));
        loop {
            while let Some(line) = cut(&mut input, LINE_MAX).map_err(|_| io::ErrorKind::InvalidData)? {
                let answer = Line::read(&line).ok().and_then(|line| self.answer(line));
                if let Some(answer) = answer {
                    writer.write_all(&octets(&answer)).await?;
                }
            }
            if self.closing {
                return writer.shutdown().await;
            }
            select! {
                read = reader.read_buf(&mut input) => if read? == 0 { return Ok(()) },
                Some(octets) = inbox.recv() => writer.write_all(&octets).await?,
                _ = alive.tick() => if self.logged_in() && !self.shared.faults().silent {
                    writer.write_all(&octets(&Line::Ack)).await?;
                },
            }
        }
    }

    fn logged_in(&self) -> bool {
        let holder = self.shared.holder.borrow();
        holder.as_ref().is_some_and(|holder| holder.connection == self.holder.connection)
    }

    fn answer(&mut self, line: Line) -> Option<Line> {
        match line {
            Line::Login(login) => {
                let error = self.log_in(&login);
                self.closing = error != OK;
                Some(Line::Login(Login { error: Some(error), ..Login::default() }))
            }
            Line::Ack => (!self.shared.faults().silent).then_some(Line::Ack),
            Line::Ussd(ussd) => {
                let error = self.show(&ussd);
                Some(Line::Ussd(Ussd {
                    msg_id: ussd.msg_id,
                    trans_id: ussd.trans_id,
                    error: Some(error),
                    ..Ussd::default()
                }))
            }
        }
    }

    fn log_in(&self, login: &Login) -> u16 {
        self.shared.logins.send_modify(|logins| *logins += 1);
        if let Some(code) = self.shared.faults().take_login_refusal() {
            return code;
        }
        let settings = &self.shared.settings;
        if login.spid != settings.spid || login.password != settings.password.expose_secret() {
            return code::LOGIN;
        }
        if self.shared.holder.borrow().is_some() {
            return code::OTHER_SOCKET;
        }
        self.shared.holder.send_replace(Some(self.holder.clone()));
        OK
    }

    fn show(&self, ussd: &Ussd) -> u16 {
        let spid = &self.shared.settings.spid;
        match ussd.kind {
            _ if !self.logged_in() => code::NOT_LOGGED_IN,
            _ if ussd.spid != *spid => code::SPID,
            _ if !ussd.msg_id.starts_with(&format!("{spid}_")) => code::ID_PREFIX,
            _ if ussd.data_coding != Some(paygate_parsers::ussd_line::GSM_7BIT) => code::CODING,
            Some(kind @ (Kind::PULL_REQ | Kind::PULL_NTF)) => {
                if let Some(code) = self.shared.faults().take_screen_refusal() {
                    return code;
                }
                if self.shared.show(ussd, kind.ends) { OK } else { code::DIRECTION }
            }
            _ => code::DIRECTION,
        }
    }
}
