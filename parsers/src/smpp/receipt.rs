//! Delivery receipts: the text of SMPP 3.4 Appendix B and the receipt TLVs. Every SMSC writes them a little differently,
//! so fields are found by name, in any order. Never takes what stands after `text:`, which a subscriber may have chosen.

use super::message::Message;
use super::tlv;

/// The longest `err:` value kept, in characters.
const ERROR_MAX: usize = 8;

/// The final or passing state of a message (SMPP 3.4 §5.2.28).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Enroute,
    Delivered,
    Expired,
    Deleted,
    Undeliverable,
    Accepted,
    Unknown,
    Rejected,
}

impl State {
    /// The value of the TLV `message_state`; what the standard does not list is unknown.
    #[must_use]
    pub fn of_octet(octet: u8) -> Self {
        match octet {
            1 => Self::Enroute,
            2 => Self::Delivered,
            3 => Self::Expired,
            4 => Self::Deleted,
            5 => Self::Undeliverable,
            6 => Self::Accepted,
            8 => Self::Rejected,
            _ => Self::Unknown,
        }
    }

    /// The value of the TLV `message_state`.
    #[must_use]
    pub fn octet(self) -> u8 {
        match self {
            Self::Enroute => 1,
            Self::Delivered => 2,
            Self::Expired => 3,
            Self::Deleted => 4,
            Self::Undeliverable => 5,
            Self::Accepted => 6,
            Self::Unknown => 7,
            Self::Rejected => 8,
        }
    }

    /// The word after `stat:`. Its first five letters decide: `DELIVRD` and `DELIVERED` are both sent.
    #[must_use]
    pub fn of_word(word: &str) -> Self {
        let start: String = word.chars().take(5).map(|letter| letter.to_ascii_uppercase()).collect();
        match start.as_str() {
            "ENROU" | "BUFFE" => Self::Enroute,
            "DELIV" => Self::Delivered,
            "EXPIR" => Self::Expired,
            "DELET" => Self::Deleted,
            "UNDEL" | "FAILE" => Self::Undeliverable,
            "ACCEP" => Self::Accepted,
            "REJEC" => Self::Rejected,
            _ => Self::Unknown,
        }
    }

    /// The word after `stat:` (Appendix B).
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Enroute => "ENROUTE",
            Self::Delivered => "DELIVRD",
            Self::Expired => "EXPIRED",
            Self::Deleted => "DELETED",
            Self::Undeliverable => "UNDELIV",
            Self::Accepted => "ACCEPTD",
            Self::Unknown => "UNKNOWN",
            Self::Rejected => "REJECTD",
        }
    }
}

/// What became of a message that we submitted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// As the receipt spells it; SMSCs change base, case and leading zeros against `submit_sm_resp`.
    pub message_id: String,
    pub state: State,
    /// The `err:` field, at most 8 characters.
    pub error: Option<String>,
}

impl Receipt {
    /// Reads text and TLVs; where both speak the TLVs are believed, being the less dressed up of the two. `None` when
    /// no message is named, or no state.
    #[must_use]
    pub fn of_message(message: &Message) -> Option<Self> {
        let text = String::from_utf8_lossy(message.payload());
        let fields = Fields::find(&text);
        let id = message.tlvs.c_octets(tlv::RECEIPTED_MESSAGE_ID).map(String::from_utf8_lossy);
        let message_id = match id.as_deref().map(str::trim) {
            Some(id) if !id.is_empty() => id,
            _ => fields.id?,
        };
        let state = message.tlvs.octet(tlv::MESSAGE_STATE).map(State::of_octet);
        let state = state.or(fields.stat.map(State::of_word))?;
        let error = fields.err.map(|error| error.chars().take(ERROR_MAX).collect());
        Some(Self { message_id: message_id.to_owned(), state, error })
    }

    /// The text of Appendix B, without its dates, as the simulated SMSC sends it.
    #[must_use]
    pub fn text(&self) -> String {
        let delivered = u8::from(self.state == State::Delivered);
        let Self { message_id, state, error } = self;
        let error = error.as_deref().unwrap_or("000");
        format!("id:{message_id} sub:001 dlvrd:{delivered:03} stat:{} err:{error} text:", state.word())
    }
}

/// The fields of a receipt's text that say something.
#[derive(Default)]
struct Fields<'a> {
    id: Option<&'a str>,
    stat: Option<&'a str>,
    err: Option<&'a str>,
}

impl<'a> Fields<'a> {
    /// Walks the words once. Names are matched without case; a blank may follow the colon; `submit date:` and `done
    /// date:` are two words and stand for nothing here. The first of two equal names counts.
    fn find(text: &'a str) -> Self {
        let mut fields = Self::default();
        let mut words = text.split([' ', '\r', '\n', '\t', '\0']).filter(|word| !word.is_empty()).peekable();
        while let Some(word) = words.next() {
            let Some((name, value)) = word.split_once(':') else { continue };
            let slot = match name.to_ascii_lowercase().as_str() {
                "id" => &mut fields.id,
                "stat" => &mut fields.stat,
                "err" => &mut fields.err,
                "text" => break,
                _ => continue,
            };
            let value = match value {
                "" => words.next_if(|word| !word.contains(':')),
                value => Some(value),
            };
            *slot = slot.or(value);
        }
        fields
    }
}
