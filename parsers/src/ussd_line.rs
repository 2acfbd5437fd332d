//! The USSD socket of the VinaPhone kind (charging.md §1.4, "USSD GW"): one XML element a line. Reading is lenient, writing
//! exact; a field that a line lacks is absent, never guessed. Both ends of the wire are here. Knows no socket and no menu.

use std::fmt::Write;

use bytes::{Bytes, BytesMut};
use quick_xml::escape::escape;

mod fields;

use fields::Fields;

/// `dataCoding` of GSM 7-bit, the one that every gateway takes.
pub const GSM_7BIT: u8 = 15;
/// The error code that says there is none.
pub const OK: u16 = 0;
/// Stands for an error code that is no number.
pub const NO_NUMBER: u16 = u16::MAX;

/// One line, in either direction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    Login(Login),
    /// Sign of life.
    Ack,
    Ussd(Ussd),
}

/// Ours asks to be let in; theirs has an error code.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Login {
    pub spid: String,
    pub password: String,
    pub error: Option<u16>,
}

impl std::fmt::Debug for Login {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Login").field("spid", &self.spid).field("error", &self.error).finish_non_exhaustive()
    }
}

/// One message of a dialogue, or an answer to one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ussd {
    /// The sender's own number of this message; ours begin with the spid and an underscore.
    pub msg_id: String,
    /// The dialogue.
    pub trans_id: String,
    /// The network's own numbers of the dialogue at its two ends; they go back as they came.
    pub otid: String,
    pub dtid: String,
    /// `84…`
    pub msisdn: String,
    /// With line breaks, which the wire has as tabs.
    pub text: String,
    pub data_coding: Option<u8>,
    pub kind: Option<Kind>,
    /// 0, or one of the codes 203 to 213.
    pub error: Option<u16>,
    pub spid: String,
    pub short_code: String,
}

/// The `type`: who began the dialogue, and what this message does to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind {
    /// Begun by the application, not by a phone.
    pub push: bool,
    /// The dialogue's first message.
    pub first: bool,
    /// `_NTF`: the dialogue ends with it.
    pub ends: bool,
}

impl Kind {
    /// A phone dials.
    pub const PULL_INIT_REQ: Self = Self { push: false, first: true, ends: false };
    /// We ask, or the phone answers.
    pub const PULL_REQ: Self = Self { push: false, first: false, ends: false };
    /// The last screen, or the phone hung up.
    pub const PULL_NTF: Self = Self { push: false, first: false, ends: true };

    fn read(word: &str) -> Option<Self> {
        let word = word.trim().to_ascii_uppercase();
        let (pull, push) = (word.strip_prefix("PULL_"), word.strip_prefix("PUSH_"));
        let rest = pull.or(push)?;
        let (first, rest) = rest.strip_prefix("INIT_").map_or((false, rest), |rest| (true, rest));
        let ends = match rest {
            "REQ" => false,
            "NTF" => true,
            _ => return None,
        };
        Some(Self { push: push.is_some(), first, ends })
    }

    fn word(self) -> String {
        let who = if self.push { "PUSH" } else { "PULL" };
        let (first, what) = (if self.first { "INIT_" } else { "" }, if self.ends { "NTF" } else { "REQ" });
        format!("{who}_{first}{what}")
    }
}

/// A line that says nothing we know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unreadable(pub &'static str);

/// More octets than a line may have, and no end of it yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLong;

/// Cuts the next line from `input`, without its end; `None` when it is not whole yet. Empty lines are passed over.
///
/// # Errors
/// When a line is longer than `max` octets. The stream can no longer be read: where it ends is not known.
pub fn cut(input: &mut BytesMut, max: usize) -> Result<Option<Bytes>, TooLong> {
    loop {
        let Some(end) = input.iter().take(max + 1).position(|octet| *octet == b'\n') else {
            return if input.len() > max { Err(TooLong) } else { Ok(None) };
        };
        let line = input.split_to(end + 1);
        let line = line[..end].trim_ascii();
        if !line.is_empty() {
            return Ok(Some(Bytes::copy_from_slice(line)));
        }
    }
}

impl Line {
    /// Reads one line.
    ///
    /// # Errors
    /// When it is no element, or one we do not know.
    pub fn read(line: &[u8]) -> Result<Self, Unreadable> {
        let text = String::from_utf8_lossy(line);
        let fields = Fields::read(&text)?;
        match fields.element.as_str() {
            "LOGIN" => Ok(Self::Login(Login {
                spid: fields.text("spid"),
                password: fields.text("password"),
                error: fields.error(),
            })),
            "ACK" => Ok(Self::Ack),
            "USSD" => Ok(Self::Ussd(ussd(&fields))),
            _ => Err(Unreadable("an element that is none of LOGIN, ACK and USSD")),
        }
    }

    /// Appends the line and its end to `out`. Absent and empty fields are left out; what no line can hold is, too.
    pub fn write(&self, out: &mut BytesMut) {
        let mut line = String::new();
        match self {
            Self::Login(login) => element(&mut line, "LOGIN", |line| {
                field(line, "spid", &login.spid);
                field(line, "password", &login.password);
                field(line, "errCode", &number(login.error));
            }),
            Self::Ack => line.push_str("<ACK></ACK>"),
            Self::Ussd(ussd) => element(&mut line, "USSD", |line| put_ussd(line, ussd)),
        }
        line.push('\n');
        out.extend_from_slice(line.as_bytes());
    }
}

fn ussd(fields: &Fields) -> Ussd {
    Ussd {
        msg_id: fields.text("msg_id"),
        trans_id: fields.text("trans_id"),
        otid: fields.text("otid"),
        dtid: fields.text("dtid"),
        msisdn: fields.text("msisdn"),
        text: fields.raw("ussdString").replace('\t', "\n"),
        data_coding: fields.text("dataCoding").parse().ok(),
        kind: Kind::read(&fields.text("type")),
        error: fields.error(),
        spid: fields.text("spid"),
        short_code: fields.text("shortCode"),
    }
}

fn put_ussd(line: &mut String, ussd: &Ussd) {
    field(line, "msg_id", &ussd.msg_id);
    field(line, "trans_id", &ussd.trans_id);
    field(line, "otid", &ussd.otid);
    field(line, "dtid", &ussd.dtid);
    field(line, "msisdn", &ussd.msisdn);
    field(line, "ussdString", &ussd.text.replace('\n', "\t"));
    field(line, "dataCoding", &number(ussd.data_coding));
    field(line, "type", &ussd.kind.map(Kind::word).unwrap_or_default());
    field(line, "errCode", &number(ussd.error));
    field(line, "spid", &ussd.spid);
    field(line, "shortCode", &ussd.short_code);
}

fn element(line: &mut String, name: &str, inside: impl FnOnce(&mut String)) {
    // Writing into a string cannot fail.
    let _ = write!(line, "<{name}>");
    inside(line);
    let _ = write!(line, "</{name}>");
}

/// One field. A control character other than a tab would end the line, or not be XML.
fn field(line: &mut String, name: &str, value: &str) {
    let value: String = value.chars().filter(|&character| character == '\t' || !character.is_control()).collect();
    if !value.is_empty() {
        let _ = write!(line, "<{name}>{}</{name}>", escape(value));
    }
}

fn number(value: Option<impl ToString>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;

    fn written(line: &Line) -> String {
        let mut out = BytesMut::new();
        line.write(&mut out);
        String::from_utf8(out.to_vec()).unwrap()
    }

    #[test]
    fn each_line_stands_on_the_wire_as_the_telco_has_it() {
        let login = Login { spid: "2001".into(), password: "s&cret".into(), error: None };
        let screen = Ussd {
            msg_id: "2001_7".into(),
            trans_id: "55".into(),
            otid: "1".into(),
            dtid: "2".into(),
            msisdn: "84912345678".into(),
            text: "1. VIP\n0. Quay lai".into(),
            data_coding: Some(GSM_7BIT),
            kind: Some(Kind::PULL_REQ),
            error: None,
            spid: "2001".into(),
            short_code: "*098#".into(),
        };
        let table = [
            (Line::Login(login), "<LOGIN><spid>2001</spid><password>s&amp;cret</password></LOGIN>\n"),
            (Line::Login(Login { error: Some(OK), ..Login::default() }), "<LOGIN><errCode>0</errCode></LOGIN>\n"),
            (Line::Ack, "<ACK></ACK>\n"),
            (
                Line::Ussd(screen),
                "<USSD><msg_id>2001_7</msg_id><trans_id>55</trans_id><otid>1</otid><dtid>2</dtid>\
                 <msisdn>84912345678</msisdn><ussdString>1. VIP\t0. Quay lai</ussdString><dataCoding>15</dataCoding>\
                 <type>PULL_REQ</type><spid>2001</spid><shortCode>*098#</shortCode></USSD>\n",
            ),
        ];
        for (line, octets) in table {
            assert_eq!(written(&line), octets);
            assert_eq!(Line::read(octets.trim_end().as_bytes()).unwrap(), line);
        }
    }

    #[test]
    fn a_line_of_odd_form_is_read_for_what_it_says() {
        let read = |line: &str| match Line::read(line.as_bytes()).unwrap() {
            Line::Ussd(ussd) => ussd,
            other => panic!("{other:?}"),
        };
        let hop = read(
            "<?xml version=\"1.0\"?><ussd a='b'><MSISDN> 84912345678 </MSISDN><x><msisdn>1</msisdn></x><type>pull_init_req\
             </type><ussdString><![CDATA[*098]]>&#35;</ussdString><errCode/><dataCoding>fifteen</dataCoding></ussd>",
        );
        assert_eq!((hop.msisdn.as_str(), hop.text.as_str()), ("84912345678", "*098#"));
        assert_eq!((hop.kind, hop.error, hop.data_coding), (Some(Kind::PULL_INIT_REQ), None, None));
        let broken = read("<USSD><type>WHAT</type><errCode>none</errCode><ussdString>a & b &what; &lt;c</ussdString>");
        assert_eq!((broken.kind, broken.error), (None, Some(NO_NUMBER)));
        assert_eq!(broken.text, "a & b &what; <c");
        assert_eq!(Line::read(b"<ack/>"), Ok(Line::Ack));
        for line in ["", "hello", "<", "<!--", "<HELLO></HELLO>", "</USSD>"] {
            assert!(Line::read(line.as_bytes()).is_err(), "{line}");
        }
    }

    #[test]
    fn every_type_is_spelled_so_that_it_is_read_back() {
        for (word, kind) in [
            ("PULL_INIT_REQ", Kind::PULL_INIT_REQ),
            ("PULL_REQ", Kind::PULL_REQ),
            ("PULL_NTF", Kind::PULL_NTF),
            ("PULL_INIT_NTF", Kind { push: false, first: true, ends: true }),
            ("PUSH_INIT_REQ", Kind { push: true, first: true, ends: false }),
            ("PUSH_REQ", Kind { push: true, first: false, ends: false }),
            ("PUSH_NTF", Kind { push: true, first: false, ends: true }),
            ("PUSH_INIT_NTF", Kind { push: true, first: true, ends: true }),
        ] {
            assert_eq!((Kind::read(word), kind.word().as_str()), (Some(kind), word));
        }
    }

    #[test]
    fn lines_are_cut_at_their_ends_and_a_stream_without_one_is_given_up() {
        let mut input = BytesMut::from("\r\n<ACK/>\r\n\n <USSD>".as_bytes());
        assert_eq!(cut(&mut input, 16), Ok(Some(Bytes::from_static(b"<ACK/>"))));
        assert_eq!(cut(&mut input, 16), Ok(None));
        input.extend_from_slice(&[b'x'; 16]);
        assert_eq!(cut(&mut input, 16), Err(TooLong));
        assert_eq!(cut(&mut BytesMut::from("0123456789\n".as_bytes()), 8), Err(TooLong));
    }

    #[test]
    fn nothing_written_into_a_field_can_begin_another_line() {
        let ussd = Ussd { trans_id: "1\n<LOGIN>".into(), text: "a\r\nb\u{85}".into(), ..Ussd::default() };
        let line = written(&Line::Ussd(ussd));
        assert_eq!(line.matches('\n').count(), 1);
        assert!(line.contains("<trans_id>1&lt;LOGIN&gt;</trans_id>") && line.contains("a\tb<"), "{line}");
        let login = Login { password: "secret".into(), ..Login::default() };
        assert!(!format!("{login:?}").contains("secret"));
    }
}
