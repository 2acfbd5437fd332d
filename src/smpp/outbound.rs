//! Replies into `submit_sm`s, as many as the text takes, and the SMSC's answers back into one outcome for each reply.
//! Never sends; never decides what an outcome means for the purchase.

use std::collections::HashMap;
use std::time::Instant;

use bytes::Bytes;
use paygate_parsers::smpp::message::{Address, Message, RECEIPT_WANTED, UDHI};
use paygate_parsers::text::{Alphabet, Coding, Segment, decode, split};
use tokio::sync::oneshot;

use super::LinkSettings;
use super::window::{Outgoing, Ticket};
use crate::engine::door::{Submit, Submitted};

/// Tickets of one reply are consecutive and share all bits above these.
const PART_BITS: u32 = 8;
const PART_MASK: u64 = (1 << PART_BITS) - 1;

/// Replies of which an answer is still to come.
#[derive(Default)]
pub(super) struct Replies {
    last: u64,
    open: HashMap<u64, Reply>,
}

struct Reply {
    parts: u64,
    parts_open: u64,
    outcome: Option<Submitted>,
    done: oneshot::Sender<Submitted>,
}

impl Replies {
    /// Cuts a reply into messages to be sent in this order. A reply that cannot be sent at all is answered at once.
    pub(super) fn open(&mut self, settings: &LinkSettings, submit: Submit, now: Instant) -> Vec<Outgoing> {
        let Submit { from, to, text, not_after, done, .. } = submit;
        let reference = u8::try_from(self.last % 256).unwrap_or_default();
        let segments = match split(&text, reference) {
            Ok(segments) if segments.len() <= settings.parts_max => segments,
            Ok(_) | Err(_) => return refuse(done, "the text is too long for this link"),
        };
        let not_after = not_after.into_std();
        if not_after <= now {
            return refuse(done, "expired");
        }
        self.last += 1;
        let (first, parts) = (self.last << PART_BITS, segments.len() as u64);
        self.open.insert(self.last, Reply { parts, parts_open: parts, outcome: None, done });
        let coding = Coding::of(&text);
        let outgoing = |(index, segment)| Outgoing {
            ticket: first + index,
            message: message(settings, (&from, &to), coding, segment, index + 1 == parts),
            follows: index > 0,
            not_after,
            failures: 0,
        };
        (0..).zip(segments).map(outgoing).collect()
    }

    /// The ticket of something else that is sent in its turn among the replies, and is none.
    pub(super) fn ticket(&mut self) -> Ticket {
        self.last += 1;
        self.last << PART_BITS
    }

    /// Files one part's outcome; with the last part the reply's own is told.
    pub(super) fn settle(&mut self, ticket: Ticket, mut part: Submitted) {
        let (key, index) = (ticket >> PART_BITS, ticket & PART_MASK);
        let Some(reply) = self.open.get_mut(&key) else { return };
        if let Submitted::Accepted { message_id } = &mut part
            && index + 1 < reply.parts
        {
            message_id.clear();
        }
        reply.outcome = Some(match reply.outcome.take() {
            None => part,
            Some(before) => joined(before, part),
        });
        reply.parts_open -= 1;
        if reply.parts_open == 0
            && let Some(Reply { outcome: Some(outcome), done, .. }) = self.open.remove(&key)
        {
            // The engine may have stopped waiting: it reads an unanswered reply as unknown by itself.
            let _ = done.send(outcome);
        }
    }
}

fn refuse(done: oneshot::Sender<Submitted>, reason: &'static str) -> Vec<Outgoing> {
    let _ = done.send(Submitted::NotSent(reason));
    Vec::new()
}

/// Two parts' outcomes as one: a text of which a part is missing has not arrived, one of which a part is unknown is
/// unknown. Only the part that asked for a receipt still has its id, which is the reply's.
fn joined(one: Submitted, other: Submitted) -> Submitted {
    use Submitted::{Accepted, NotSent, Refused, Unknown};
    match (one, other) {
        (Accepted { message_id }, Accepted { message_id: last }) => {
            Accepted { message_id: if last.is_empty() { message_id } else { last } }
        }
        (Refused { status }, _) | (_, Refused { status }) => Refused { status },
        (Unknown(why), _) | (_, Unknown(why)) => Unknown(why),
        (NotSent(why), NotSent(_)) => NotSent(why),
        (Accepted { .. }, NotSent(_)) | (NotSent(_), Accepted { .. }) => Unknown("only some parts of the text left"),
    }
}

/// One `submit_sm`. The receipt is asked for once, with the last part: a reply has one receipt.
fn message(settings: &LinkSettings, parties: (&str, &str), coding: Coding, segment: Segment, last: bool) -> Message {
    let Segment { udh, octets } = segment;
    let octets = in_alphabet(settings.default_alphabet, coding, octets);
    let (from, to) = parties;
    let (source, destination) = (settings.source_ton_npi, settings.destination_ton_npi);
    let esm_class = if udh.is_some() { UDHI } else { 0 };
    let header = udh.iter().flatten().copied();
    Message {
        source: Address::new(source.0, source.1, from.as_bytes().to_vec()),
        destination: Address::new(destination.0, destination.1, to.as_bytes().to_vec()),
        esm_class,
        registered_delivery: if settings.receipts && last { RECEIPT_WANTED } else { 0 },
        data_coding: coding.data_coding(),
        short_message: header.chain(octets).collect::<Bytes>(),
        ..Message::default()
    }
}

/// Text in the octets this SMSC takes under `data_coding` 0. Some read it as Latin-1 or ASCII, where `@`, `$` and `_` stand
/// elsewhere than in GSM 7-bit; a character that such an alphabet lacks becomes `?`.
fn in_alphabet(alphabet: Alphabet, coding: Coding, octets: Vec<u8>) -> Vec<u8> {
    let last = match (coding, alphabet) {
        (Coding::Ucs2, _) | (Coding::Gsm7, Alphabet::Gsm7 | Alphabet::Ucs2) => return octets,
        (Coding::Gsm7, Alphabet::Latin1) => '\u{ff}',
        (Coding::Gsm7, Alphabet::Ascii) => '\u{7f}',
    };
    let text = decode(coding.data_coding(), Alphabet::Gsm7, &octets).text.unwrap_or_default();
    let octet = |character: char| u8::try_from(character).ok().filter(|_| character <= last).unwrap_or(b'?');
    text.chars().map(octet).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_is_written_in_the_alphabet_its_smsc_reads() {
        let written = |alphabet, text: &str| in_alphabet(alphabet, Coding::Gsm7, split(text, 0).map_or(vec![], first));
        assert_eq!(written(Alphabet::Gsm7, "a_b@c$"), b"a\x11b\x00c\x02");
        assert_eq!(written(Alphabet::Ascii, "a_b@c$ {x} \u{e9}"), b"a_b@c$ {x} ?");
        assert_eq!(written(Alphabet::Latin1, "a_b@c$ \u{e9}\u{394}"), b"a_b@c$ \xe9?");
    }

    fn first(segments: Vec<Segment>) -> Vec<u8> {
        segments.into_iter().next().map_or(vec![], |segment| segment.octets)
    }

    #[test]
    fn a_reply_of_several_parts_has_the_worst_outcome_of_any() {
        use Submitted::{NotSent, Refused, Unknown};
        let accepted = |id: &str| Submitted::Accepted { message_id: id.to_owned() };
        let table = [
            (vec![accepted("a"), accepted("b"), accepted("c")], accepted("c")),
            (vec![accepted("a"), Refused { status: 1 }, Unknown("x")], Refused { status: 1 }),
            (vec![accepted("a"), Unknown("x"), NotSent("y")], Unknown("x")),
            (vec![NotSent("y"), NotSent("y"), NotSent("y")], NotSent("y")),
        ];
        for (parts, whole) in table {
            assert_eq!(settled(parts), Some(whole));
        }
        let torn = settled(vec![accepted("a"), accepted("b"), NotSent("expired")]);
        assert!(matches!(torn, Some(Unknown(_))), "a text of which a part is on its way was sent: {torn:?}");
    }

    /// The outcome of a reply whose parts, settled from last to first, had these.
    fn settled(parts: Vec<Submitted>) -> Option<Submitted> {
        let settings = LinkSettings::new("test", "", "", "".into());
        let (done, mut outcome) = oneshot::channel();
        let (from, to, text) = ("9029".to_owned(), "84912345678".to_owned(), "x".repeat(400));
        let not_after = (Instant::now() + std::time::Duration::from_secs(60)).into();
        let submit = Submit { from, to, text, not_after, done };
        let mut replies = Replies::default();
        let sent = replies.open(&settings, submit, Instant::now());
        assert_eq!(sent.len(), parts.len());
        for (outgoing, part) in sent.into_iter().zip(parts).rev() {
            replies.settle(outgoing.ticket, part);
        }
        assert!(replies.open.is_empty());
        outcome.try_recv().ok()
    }
}
