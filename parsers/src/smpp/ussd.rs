//! USSD over SMPP: a `deliver_sm` as one hop of a dialogue, and a screen as the `submit_sm` that answers it; the gateway's
//! side beside ours. What sets one gateway apart from another is a record, [`Dialect`]. Knows no menu, and remembers no
//! dialogue.

use bytes::Bytes;

use super::message::{Address, Message};
use super::tlv::{self, Tlvs};
use crate::text::{Alphabet, Coding, decode, encode};

/// A phone dials (`ussd_service_op`, SMPP 3.4 §5.3.2.44): process unstructured data, the older kind.
const PSSD_INDICATION: u8 = 0;
/// A phone dials.
const PSSR_INDICATION: u8 = 1;
/// We ask, and the phone may answer.
const USSR_REQUEST: u8 = 2;
/// We tell, and the phone confirms that it shows it.
const USSN_REQUEST: u8 = 3;
const PSSD_RESPONSE: u8 = 16;
/// The last screen of a dialogue that the phone began.
const PSSR_RESPONSE: u8 = 17;
/// The phone answers.
const USSR_CONFIRM: u8 = 18;
const USSN_CONFIRM: u8 = 19;
/// Vendors': the dialogue is over.
const END: u8 = 0x17;
/// Vendors': the subscriber hung up.
const USER_ABORT: u8 = 0x81;

/// Bit 0 of `its_session_info`: the dialogue is over.
const SESSION_ENDS: u16 = 1;
/// `data_coding` of a screen in GSM 7-bit (TS 23.038 §5, the scheme that USSD shares with cell broadcast).
const GSM_SCREEN: u8 = 0x0f;
/// `service_type` (SMPP 3.4 §5.2.11).
const SERVICE_TYPE: &[u8] = b"USSD";

/// Where a gateway writes which dialogue it means. Its numbers are no more than the phone's own: two phones may share one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Number {
    /// `its_session_info`, of which `dialogue` masks what stays the same and `sequence` what counts the hops; bit 0 ends.
    SessionInfo { dialogue: u16, sequence: u16 },
    /// `user_message_reference`.
    Reference,
    /// Nowhere: a phone has one dialogue at a time.
    Phone,
}

/// How one make of USSD gateway speaks SMPP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dialect {
    /// Its word in the configuration.
    pub name: &'static str,
    number: Number,
    /// The operations that end a dialogue, when the gateway sends them.
    over: &'static [u8],
    /// The operation of a last screen.
    end: u8,
}

impl Dialect {
    pub const ALL: [Self; 4] = [Self::STANDARD, Self::MICA, Self::SIXDEE, Self::MSISDN];

    /// `its_session_info` as its definition has it: octet 1 the dialogue, 7 bits that count, 1 bit that ends.
    pub const STANDARD: Self = Self {
        name: "standard",
        number: Number::SessionInfo { dialogue: 0xff00, sequence: 0x00fe },
        over: &[PSSR_RESPONSE],
        end: PSSR_RESPONSE,
    };
    /// Mica: the dialogue is a `user_message_reference`, and operations are numbered in hexadecimal.
    pub const MICA: Self =
        Self { name: "mica", number: Number::Reference, over: &[END, PSSR_RESPONSE, USER_ABORT], end: END };
    /// 6D: all of `its_session_info` but the bit that ends is the dialogue.
    pub const SIXDEE: Self = Self {
        name: "6d",
        number: Number::SessionInfo { dialogue: 0xfffe, sequence: 0 },
        over: &[END, PSSR_RESPONSE, USER_ABORT],
        end: END,
    };
    /// Huawei: no dialogue is named, so the phone's number names it.
    pub const MSISDN: Self =
        Self { name: "msisdn", number: Number::Phone, over: &[PSSR_RESPONSE, USER_ABORT], end: PSSR_RESPONSE };

    fn event(&self, operation: u8, ends: bool) -> Event {
        match operation {
            _ if ends || self.over.contains(&operation) => Event::Over,
            PSSD_INDICATION | PSSR_INDICATION => Event::Begins,
            USSN_REQUEST | USSN_CONFIRM | PSSD_RESPONSE => Event::Notice,
            // Also what we do not know: if it was no answer, the worst is a screen shown again.
            _ => Event::Answers,
        }
    }
}

/// What a hop does to its dialogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    Begins,
    Answers,
    /// Hung up, timed out or ended by the network: no screen is seen any more.
    Over,
    /// Needs no screen: a phone confirms what it was told.
    Notice,
}

/// One hop, as its `deliver_sm` has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hop {
    pub event: Event,
    /// Names the dialogue among all of this gateway.
    pub session: String,
    /// Counts hops, where the gateway counts them: one that has the same comes again.
    pub sequence: Option<u32>,
    /// The phone, as the gateway wrote it.
    pub msisdn: String,
    /// The service code as the gateway wrote it; empty where it stands in the text alone.
    pub code: String,
    /// The whole dialled string in the first hop, and what was keyed in in the others.
    pub text: String,
    pub back: Back,
}

/// How a screen finds its phone. Good for one hop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Back {
    phone: Address,
    code: Address,
    /// The value of the dialect's TLV, where the hop had one.
    number: Option<u16>,
}

/// Reads a hop; `None` where the message is no part of a dialogue. `default` is what the SMSC means by `data_coding` 0.
#[must_use]
pub fn read(dialect: &Dialect, default: Alphabet, message: &Message) -> Option<Hop> {
    let operation = message.tlvs.octet(tlv::USSD_SERVICE_OP).filter(|_| !message.is_report())?;
    let (number, sequence, ends) = numbers(dialect, &message.tlvs);
    let (msisdn, code) = (characters(&message.source.digits), characters(&message.destination.digits));
    let event = dialect.event(operation, ends);
    let text = decode(message.data_coding, default, message.payload()).text.unwrap_or_default();
    let text = if event == Event::Begins { dialled(text, &code) } else { text };
    let named = number.map(|number| named(dialect, number));
    let session = named.map_or_else(|| msisdn.clone(), |dialogue| format!("{msisdn}+{dialogue:04x}"));
    let back = Back { phone: message.source.clone(), code: message.destination.clone(), number };
    Some(Hop { event, session, sequence, msisdn, code, text, back })
}

/// The `submit_sm` of a screen. `ends` closes the dialogue with it.
#[must_use]
pub fn screen(dialect: &Dialect, back: &Back, text: &str, ends: bool) -> Message {
    let Back { phone, code, number } = back.clone();
    let operation = if ends { dialect.end } else { USSR_REQUEST };
    message((code, phone), text, tlvs(dialect, operation, number, ends))
}

/// The dialect's TLV, the hop's count and whether it ends the dialogue. A count of 0 is that of a gateway that does not
/// count, or of a first hop, which is known by its operation.
fn numbers(dialect: &Dialect, tlvs: &Tlvs) -> (Option<u16>, Option<u32>, bool) {
    match dialect.number {
        Number::Phone => (None, None, false),
        Number::Reference => (tlvs.pair(tlv::USER_MESSAGE_REFERENCE), None, false),
        Number::SessionInfo { sequence, .. } => {
            let Some(info) = tlvs.pair(tlv::ITS_SESSION_INFO) else { return (None, None, false) };
            let count = u32::from(info & sequence) >> 1;
            (Some(info), Some(count).filter(|count| *count > 0), info & SESSION_ENDS != 0)
        }
    }
}

/// What of a TLV's value stays the same through a dialogue.
fn named(dialect: &Dialect, number: u16) -> u16 {
    match dialect.number {
        Number::SessionInfo { dialogue, .. } => number & dialogue,
        Number::Reference | Number::Phone => number,
    }
}

fn tlvs(dialect: &Dialect, operation: u8, number: Option<u16>, ends: bool) -> Tlvs {
    let mut tlvs = Tlvs::default();
    tlvs.push(tlv::USSD_SERVICE_OP, vec![operation]);
    let Some(number) = number else { return tlvs };
    match dialect.number {
        Number::Phone => {}
        Number::Reference => tlvs.push(tlv::USER_MESSAGE_REFERENCE, number.to_be_bytes().to_vec()),
        Number::SessionInfo { .. } => {
            let info = (number & !SESSION_ENDS) | if ends { SESSION_ENDS } else { 0 };
            tlvs.push(tlv::ITS_SESSION_INFO, info.to_be_bytes().to_vec());
        }
    }
    tlvs
}

/// The dialled string: in the text with most gateways, in the address with some. With both, the text says more.
fn dialled(text: String, code: &str) -> String {
    let is_dialled = |text: &str| text.trim_start().starts_with(['*', '#']);
    if is_dialled(&text) || (!text.trim().is_empty() && !is_dialled(code)) { text } else { code.to_owned() }
}

fn message((source, destination): (Address, Address), text: &str, tlvs: Tlvs) -> Message {
    let (coding, octets) = encode(text);
    let data_coding = match coding {
        Coding::Gsm7 => GSM_SCREEN,
        Coding::Ucs2 => coding.data_coding(),
    };
    let (service_type, short_message) = (Bytes::from_static(SERVICE_TYPE), octets.into());
    Message { service_type, source, destination, data_coding, short_message, tlvs, ..Message::default() }
}

/// An address's octets as characters; what is not UTF-8 is read as Latin-1.
fn characters(octets: &[u8]) -> String {
    match std::str::from_utf8(octets) {
        Ok(text) => text.to_owned(),
        Err(_) => octets.iter().map(|octet| char::from(*octet)).collect(),
    }
}

/// A phone in a dialogue, seen from its gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handset {
    pub msisdn: String,
    /// What was dialled, as far as it is an address: `*098#`.
    pub code: String,
    /// The gateway's number of the dialogue; as many of its bits as the dialect has room for count.
    pub number: u16,
}

/// The gateway's `deliver_sm` of a hop. `hops` counts those before it.
#[must_use]
pub fn deliver(dialect: &Dialect, handset: &Handset, hops: u16, event: Event, text: &str) -> Message {
    let ends = event == Event::Over;
    let operation = match event {
        Event::Begins => PSSR_INDICATION,
        Event::Answers => USSR_CONFIRM,
        Event::Notice => USSN_CONFIRM,
        Event::Over => dialect.over.last().copied().unwrap_or(PSSR_RESPONSE),
    };
    let number = match dialect.number {
        Number::Phone => None,
        Number::Reference => Some(handset.number),
        Number::SessionInfo { dialogue, sequence } => Some((handset.number & dialogue) | ((hops << 1) & sequence)),
    };
    let address = |digits: &str, ton| Address::new(ton, 1, digits.as_bytes().to_vec());
    let parties = (address(&handset.msisdn, 1), address(&handset.code, 0));
    message(parties, text, tlvs(dialect, operation, number, ends))
}

/// A screen as its gateway reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    pub msisdn: String,
    /// As much of [`Handset::number`] as the dialect carries.
    pub number: Option<u16>,
    pub text: String,
    pub ends: bool,
}

/// Reads a `submit_sm`; `None` where it is no screen, which a text is not.
#[must_use]
pub fn shown(dialect: &Dialect, message: &Message) -> Option<Shown> {
    let operation = message.tlvs.octet(tlv::USSD_SERVICE_OP)?;
    let (number, _, ends) = numbers(dialect, &message.tlvs);
    Some(Shown {
        msisdn: characters(&message.destination.digits),
        number: number.map(|number| named(dialect, number)),
        text: decode(message.data_coding, Alphabet::Gsm7, message.payload()).text.unwrap_or_default(),
        ends: ends || operation == dialect.end,
    })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;

    /// A `deliver_sm` as a gateway would write it by hand.
    fn hop(tags: &[(u16, &[u8])], to: &str, data_coding: u8, text: &str) -> Message {
        let mut tlvs = Tlvs::default();
        tags.iter().for_each(|(tag, value)| tlvs.push(*tag, value.to_vec()));
        Message {
            source: Address::new(1, 1, "84912345678"),
            destination: Address::new(0, 1, to.as_bytes().to_vec()),
            data_coding,
            short_message: text.as_bytes().to_vec().into(),
            tlvs,
            ..Message::default()
        }
    }

    #[test]
    fn each_dialect_names_its_dialogues_in_its_own_way() {
        use Event::{Answers, Begins, Over};
        const OP: u16 = tlv::USSD_SERVICE_OP;
        const INFO: u16 = tlv::ITS_SESSION_INFO;
        const REFERENCE: u16 = tlv::USER_MESSAGE_REFERENCE;
        type Case<'a> = (Dialect, &'a [(u16, &'a [u8])], Event, &'a str, Option<u32>);
        let table: [Case<'_>; 14] = [
            (Dialect::STANDARD, &[(OP, &[1]), (INFO, &[7, 0])], Begins, "84912345678+0700", None),
            (Dialect::STANDARD, &[(OP, &[18]), (INFO, &[7, 6])], Answers, "84912345678+0700", Some(3)),
            (Dialect::STANDARD, &[(OP, &[18]), (INFO, &[7, 7])], Over, "84912345678+0700", Some(3)),
            (Dialect::STANDARD, &[(OP, &[17]), (INFO, &[7, 6])], Over, "84912345678+0700", Some(3)),
            (Dialect::STANDARD, &[(OP, &[1])], Begins, "84912345678", None),
            (Dialect::MICA, &[(OP, &[1]), (REFERENCE, &[1, 2])], Begins, "84912345678+0102", None),
            (Dialect::MICA, &[(OP, &[0x12]), (REFERENCE, &[1, 2])], Answers, "84912345678+0102", None),
            (Dialect::MICA, &[(OP, &[0x17]), (REFERENCE, &[1, 2])], Over, "84912345678+0102", None),
            (Dialect::SIXDEE, &[(OP, &[18]), (INFO, &[7, 6])], Answers, "84912345678+0706", None),
            (Dialect::SIXDEE, &[(OP, &[18]), (INFO, &[7, 7])], Over, "84912345678+0706", None),
            (Dialect::SIXDEE, &[(OP, &[0x81]), (INFO, &[7, 6])], Over, "84912345678+0706", None),
            (Dialect::MSISDN, &[(OP, &[1]), (INFO, &[7, 7])], Begins, "84912345678", None),
            (Dialect::MSISDN, &[(OP, &[18])], Answers, "84912345678", None),
            (Dialect::MSISDN, &[(OP, &[0x81])], Over, "84912345678", None),
        ];
        for (dialect, tlvs, event, session, sequence) in table {
            let read = read(&dialect, Alphabet::Gsm7, &hop(tlvs, "*098#", 15, "*098#")).unwrap();
            let expected = (event, session, sequence);
            assert_eq!((read.event, read.session.as_str(), read.sequence), expected, "{} {tlvs:?}", dialect.name);
        }
    }

    #[test]
    fn a_screen_goes_back_the_way_its_hop_came_and_the_last_one_says_so() {
        let table: [(Dialect, (u16, u16), u8, u16); 4] = [
            (Dialect::STANDARD, (tlv::ITS_SESSION_INFO, 0x0706), 17, 0x0707),
            (Dialect::MICA, (tlv::USER_MESSAGE_REFERENCE, 0x0706), 0x17, 0x0706),
            (Dialect::SIXDEE, (tlv::ITS_SESSION_INFO, 0x0706), 0x17, 0x0707),
            (Dialect::MSISDN, (tlv::ITS_SESSION_INFO, 0x0706), 17, 0),
        ];
        for (dialect, (tag, value), end, closed) in table {
            let sent = value.to_be_bytes();
            let asked =
                read(&dialect, Alphabet::Gsm7, &hop(&[(tlv::USSD_SERVICE_OP, &[18]), (tag, &sent)], "*098#", 15, "1"))
                    .unwrap();
            for (ends, operation, number) in [(false, 2, value), (true, end, closed)] {
                let message = screen(&dialect, &asked.back, "1. VIP\n2. Data", ends);
                assert_eq!(message.tlvs.octet(tlv::USSD_SERVICE_OP), Some(operation), "{}", dialect.name);
                let number = Some(number).filter(|_| dialect.number != Number::Phone);
                assert_eq!(message.tlvs.pair(tag), number, "{}", dialect.name);
                assert_eq!((message.source.digits.as_ref(), message.data_coding), (b"*098#".as_slice(), 0x0f));
                assert_eq!(message.destination, Address::new(1, 1, "84912345678"));
                assert_eq!((message.short_message.as_ref(), message.registered_delivery), (&b"1. VIP\n2. Data"[..], 0));
            }
        }
    }

    #[test]
    fn the_dialled_string_is_found_in_the_text_or_in_the_address() {
        for (to, data_coding, text, expected) in [
            ("", 15, "*098*1*2#", "*098*1*2#"),
            ("*098#", 15, "*098*1*2#", "*098*1*2#"),
            ("*098*1#", 15, "", "*098*1#"),
            ("*098#", 15, " ", "*098#"),
            ("*098#", 15, "NEW", "*098#"),
            ("098", 15, "*098#", "*098#"),
            ("098", 15, "098", "098"),
            ("*098#", 4, "\x01", "*098#"),
        ] {
            let message = hop(&[(tlv::USSD_SERVICE_OP, &[1])], to, data_coding, text);
            assert_eq!(read(&Dialect::MSISDN, Alphabet::Gsm7, &message).unwrap().text, expected, "{to:?} {text:?}");
        }
    }

    #[test]
    fn texts_and_receipts_are_no_hops() {
        let text = hop(&[], "9029", 0, "ON VIP NAP1");
        let receipt = Message { esm_class: 0x04, ..hop(&[(tlv::USSD_SERVICE_OP, &[18])], "9029", 0, "id:1") };
        for message in [text, receipt] {
            assert_eq!(read(&Dialect::STANDARD, Alphabet::Gsm7, &message), None);
        }
        let confirms = hop(&[(tlv::USSD_SERVICE_OP, &[19])], "*098#", 15, "");
        assert_eq!(read(&Dialect::STANDARD, Alphabet::Gsm7, &confirms).unwrap().event, Event::Notice);
    }

    #[test]
    fn a_screen_of_182_characters_is_one_message() {
        let text = "x".repeat(182);
        let back = Back { phone: Address::default(), code: Address::default(), number: None };
        assert_eq!(screen(&Dialect::MSISDN, &back, &text, true).short_message.len(), 182);
        assert_eq!(screen(&Dialect::MSISDN, &back, "đ", true).data_coding, 8);
    }
}
