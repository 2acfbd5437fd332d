//! Our end of the USSD socket as a pure machine: octets, moments and screens in; octets and hops out. Knows no socket, task
//! or clock. One session serves a gateway through all its connections.
//!
//! Its law: whatever comes in, [`Session::advance`] follows before anything else does; so [`Session::wake_at`] is right.

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Instant;

use bytes::BytesMut;
use paygate_parsers::ussd_line::{GSM_7BIT, Kind, Line, Login, NO_NUMBER, OK, Ussd, cut};
use secrecy::ExposeSecret;
use tracing::{debug, warn};

use super::LineSettings;
use super::codes::{Meaning, meaning_of};
use super::meters::Meters;
use crate::ussd::{Hop, HopInput, InTurn, Screen};

/// Why a connection is to be closed, or was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    Refused(Meaning),
    /// It gave no answer to what is named here.
    Silent(&'static str),
    /// A line without an end.
    TooLong,
    /// We stopped; all screens that were owed are out, or had their time.
    Drained,
}

impl fmt::Display for Ended {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(meaning) => write!(out, "the gateway refused us with {meaning}"),
            Self::Silent(what) => write!(out, "the gateway gave no {what} in time"),
            Self::TooLong => out.write_str("the gateway sent a line without an end"),
            Self::Drained => out.write_str("we stopped"),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// There is no connection.
    Closed,
    /// Our login is out.
    LoggingIn,
    LoggedIn,
    /// We are stopping: screens that are owed, and nothing new.
    Draining,
    Ended(Ended),
}

/// How a screen finds its dialogue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Back {
    trans_id: String,
    otid: String,
    dtid: String,
    msisdn: String,
    short_code: String,
}

/// The moments at which the session must act by itself.
#[derive(Debug, Default)]
struct Timers {
    /// The login is not answered (`login_timeout`).
    login: Option<Instant>,
    /// Our next sign of life (`keep_alive`).
    alive: Option<Instant>,
    /// Nothing was heard for `silence_max`.
    silence: Option<Instant>,
    /// The screens that are owed had their time (`drain_timeout`).
    drain: Option<Instant>,
}

pub(super) struct Session {
    settings: Arc<LineSettings>,
    meters: Meters,
    state: State,
    /// The last number given to a message of ours; never given again, not even by a later process.
    number: u64,
    /// Our screens that the gateway said nothing about yet, the oldest first.
    unanswered: VecDeque<u64>,
    /// When our last sign of life went out.
    acked: Option<Instant>,
    timers: Timers,
    /// Hops that are not answered yet.
    hops: InTurn<Back>,
    /// Octets to be written.
    pub(super) out: BytesMut,
}

impl Session {
    /// `number` is higher than any that an earlier session came to.
    pub(super) fn new(settings: Arc<LineSettings>, number: u64) -> Self {
        Self {
            meters: Meters::new(&settings.name),
            settings,
            state: State::Closed,
            number,
            unanswered: VecDeque::new(),
            acked: None,
            timers: Timers::default(),
            hops: InTurn::default(),
            out: BytesMut::new(),
        }
    }

    // What may be asked at any time.

    pub(super) fn is_logged_in(&self) -> bool {
        self.state == State::LoggedIn
    }

    pub(super) fn ended(&self) -> Option<Ended> {
        match self.state {
            State::Ended(ended) => Some(ended),
            State::Closed | State::LoggingIn | State::LoggedIn | State::Draining => None,
        }
    }

    /// When [`Self::advance`] must be called at the latest.
    pub(super) fn wake_at(&self) -> Option<Instant> {
        let Timers { login, alive, silence, drain } = self.timers;
        [login, alive, silence, drain].into_iter().flatten().min()
    }

    /// Whether more octets can be taken: menus and gateway keep up with those before.
    pub(super) fn wants_octets(&self) -> bool {
        let reads = matches!(self.state, State::LoggingIn | State::LoggedIn);
        reads && self.has_room() && self.out.len() < self.settings.write_buffer_max
    }

    fn has_room(&self) -> bool {
        self.hops.len() < self.settings.concurrency.max(1)
    }

    /// The next hop to be answered by [`Self::answer`].
    pub(super) fn next_hop(&mut self) -> Option<(Hop, Back)> {
        self.hops.take()
    }

    // What comes in.

    /// A connection stands: log in.
    pub(super) fn connected(&mut self, now: Instant) {
        let LineSettings { spid, password, login_timeout, .. } = &*self.settings;
        let login = Login { spid: spid.clone(), password: password.expose_secret().to_owned(), error: None };
        self.timers = Timers { login: Some(now + *login_timeout), ..Timers::default() };
        self.state = State::LoggingIn;
        Line::Login(login).write(&mut self.out);
    }

    /// The connection is gone. Dialogues stay where they are: their phones may go on by the next one.
    pub(super) fn closed(&mut self) {
        self.hops.clear();
        self.unanswered.clear();
        self.out.clear();
        self.acked = None;
        self.timers = Timers::default();
        self.state = State::Closed;
        self.meters.show_up(false);
    }

    /// Octets came. Leaves in `input` what is not a whole line yet, or more than can be taken now.
    pub(super) fn receive(&mut self, input: &mut BytesMut, now: Instant) {
        while self.has_room() && self.ended().is_none() {
            match cut(input, self.settings.line_max) {
                Ok(None) => return,
                Err(_) => return self.state = State::Ended(Ended::TooLong),
                Ok(Some(line)) => {
                    self.timers.silence = Some(now + self.settings.silence_max);
                    match Line::read(&line) {
                        Ok(line) => self.line(line, now),
                        Err(unreadable) => self.malformed(unreadable.0),
                    }
                }
            }
        }
    }

    /// The screen of a dialogue's hop, and its way back; `None` where nobody would see one.
    pub(super) fn answer(&mut self, session: &str, screen: Option<(Back, Screen)>) {
        self.hops.done(session);
        let Some((back, screen)) = screen else { return };
        if !matches!(self.state, State::LoggedIn | State::Draining) {
            return self.meters.lost.increment(1);
        }
        let (text, kind) = match screen {
            Screen::Ask(text) => (text, Kind::PULL_REQ),
            Screen::End(text) => (text, Kind::PULL_NTF),
        };
        self.number += 1;
        let Back { trans_id, otid, dtid, msisdn, short_code } = back;
        let spid = self.settings.spid.clone();
        let msg_id = format!("{spid}_{}", self.number);
        let (data_coding, kind, error) = (Some(GSM_7BIT), Some(kind), None);
        Line::Ussd(Ussd { msg_id, trans_id, otid, dtid, msisdn, text, data_coding, kind, error, spid, short_code })
            .write(&mut self.out);
        self.meters.sent.increment(1);
        self.unanswered.push_back(self.number);
        if self.unanswered.len() > self.settings.concurrency.max(1) {
            // Some gateways answer only what they refuse.
            self.unanswered.pop_front();
        }
    }

    /// We are to stop: screens that are owed go out, and nothing new is read.
    pub(super) fn shutdown(&mut self, now: Instant) {
        match self.state {
            State::LoggedIn => {
                self.timers = Timers { drain: Some(now + self.settings.drain_timeout), ..Timers::default() };
                self.state = State::Draining;
            }
            State::Closed | State::LoggingIn => self.state = State::Ended(Ended::Drained),
            State::Draining | State::Ended(_) => {}
        }
    }

    /// Does what is due by `now`. Follows everything that comes in.
    pub(super) fn advance(&mut self, now: Instant) {
        let due = |at: Option<Instant>| at.is_some_and(|at| at <= now);
        if due(self.timers.login) {
            self.end(Ended::Silent("answer to the login"));
        }
        if self.timers.silence.is_some() && !self.wants_octets() {
            // What we do not read cannot be heard.
            self.timers.silence = Some(now + self.settings.silence_max);
        }
        if due(self.timers.silence) {
            self.end(Ended::Silent("sign of life"));
        }
        if due(self.timers.alive) {
            self.acknowledge(now);
        }
        let drained = self.state == State::Draining && self.hops.is_empty();
        if drained || due(self.timers.drain) {
            self.end(Ended::Drained);
        }
    }

    fn end(&mut self, ended: Ended) {
        if self.ended().is_none() {
            self.timers = Timers::default();
            self.state = State::Ended(ended);
        }
    }

    // Lines.

    fn line(&mut self, line: Line, now: Instant) {
        match (line, self.state) {
            (Line::Login(Login { error: Some(OK), .. }), State::LoggingIn) => self.logged_in(now),
            (Line::Login(Login { error: Some(OK), .. }), _) => {}
            (Line::Login(login), _) => self.end(Ended::Refused(meaning_of(login.error.unwrap_or(NO_NUMBER)))),
            // At most two for each of theirs' intervals: a gateway that answers each of ours is not answered for ever.
            (Line::Ack, State::LoggedIn) => {
                if self.acked.is_none_or(|last| now >= last + self.settings.keep_alive / 2) {
                    self.acknowledge(now);
                }
            }
            (Line::Ack, _) => {}
            (Line::Ussd(ussd), _) => self.ussd(ussd),
        }
    }

    fn logged_in(&mut self, now: Instant) {
        self.state = State::LoggedIn;
        self.timers.login = None;
        self.timers.alive = Some(now + self.settings.keep_alive);
        self.timers.silence = Some(now + self.settings.silence_max);
        self.meters.show_up(true);
    }

    fn acknowledge(&mut self, now: Instant) {
        Line::Ack.write(&mut self.out);
        self.acked = Some(now);
        self.timers.alive = Some(now + self.settings.keep_alive);
    }

    fn ussd(&mut self, ussd: Ussd) {
        let own = self.own_number(&ussd.msg_id);
        match (ussd.error, ussd.kind) {
            (Some(code), _) if code != OK => self.refused(meaning_of(code), own),
            _ if own.is_some() => self.unanswered.retain(|number| Some(*number) != own),
            _ if self.state != State::LoggedIn => debug!(gateway = self.settings.name, "a hop before the login"),
            (_, None) => self.malformed("no type"),
            (_, Some(kind)) if kind.push => self.malformed("a dialogue that no phone began"),
            (_, Some(kind)) => {
                let (hop, back) = hop(&self.settings, kind, ussd);
                self.hops.push(hop, back);
            }
        }
    }

    /// The number of a message of ours that is not answered yet.
    fn own_number(&self, msg_id: &str) -> Option<u64> {
        let number = msg_id.strip_prefix(&self.settings.spid)?.strip_prefix('_')?.parse().ok()?;
        self.unanswered.contains(&number).then_some(number)
    }

    fn refused(&mut self, meaning: Meaning, own: Option<u64>) {
        self.unanswered.retain(|number| Some(*number) != own);
        self.meters.refused.increment(1);
        warn!(gateway = self.settings.name, "the USSD gateway refused a message with {meaning}");
        if meaning.ends {
            self.end(Ended::Refused(meaning));
        }
    }

    fn malformed(&mut self, what: &'static str) {
        self.meters.malformed.increment(1);
        debug!(gateway = self.settings.name, what, "a line of the USSD gateway leads to nothing");
    }
}

/// A phone's message as a hop, and the way back.
fn hop(settings: &LineSettings, kind: Kind, ussd: Ussd) -> (Hop, Back) {
    let Ussd { msg_id, trans_id, otid, dtid, msisdn, text, short_code, .. } = ussd;
    let begins = kind.first && !kind.ends;
    let input = match kind {
        _ if kind.ends => HopInput::Ended,
        _ if kind.first => HopInput::Dialled(dialled(text, &short_code)),
        _ => HopInput::Last(text),
    };
    let hop = Hop {
        gateway: settings.name.clone(),
        session: if trans_id.is_empty() { msisdn.clone() } else { format!("{msisdn}+{trans_id}") },
        from: msisdn.clone(),
        service_code: service_code(&short_code),
        begins,
        sequence: (!msg_id.is_empty()).then(|| hash(&msg_id)),
        input,
    };
    (hop, Back { trans_id, otid, dtid, msisdn, short_code })
}

/// What was dialled. Where the text is no dialled string, the short code is all of it.
fn dialled(text: String, short_code: &str) -> String {
    if text.trim_start().starts_with(['*', '#']) { text } else { service_code(short_code) }
}

/// `098` and `*098#` are both written, and nothing is.
fn service_code(short_code: &str) -> String {
    let digits = short_code.trim_matches(['*', '#']);
    if digits.is_empty() { String::new() } else { format!("*{digits}#") }
}

fn hash(text: &str) -> u32 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    // The low half is as good as the whole for telling two hops of one dialogue apart.
    hasher.finish() as u32
}
