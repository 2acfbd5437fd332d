//! What a message says about itself: text or payload, whole or part, message or report. What belongs to the engine (which
//! parts make a text, what is a redelivery) is here only seen to be handed over complete.

use paygate::engine::door::{Incoming, MessageIn, Verdict};
use paygate_parsers::concat::Part;
use paygate_parsers::smpp::message::{Address, Message};
use paygate_parsers::smpp::receipt::State;
use paygate_parsers::smpp::tlv::{self, Tlvs};
use paygate_parsers::smpp::{Body, Pdu};

use super::{OK, Peer, hostile, hostile_with, mo};
use crate::smpp::{Link, settings};

fn payload(text: &'static str) -> Tlvs {
    let mut tlvs = Tlvs::default();
    tlvs.push(tlv::MESSAGE_PAYLOAD, text);
    tlvs
}

fn sar(reference: u16, total: u8, number: u8) -> Tlvs {
    let mut tlvs = Tlvs::default();
    tlvs.push(tlv::SAR_MSG_REF_NUM, reference.to_be_bytes().to_vec());
    tlvs.push(tlv::SAR_TOTAL_SEGMENTS, vec![total]);
    tlvs.push(tlv::SAR_SEGMENT_SEQNUM, vec![number]);
    tlvs
}

/// A message whose text opens with a user data header.
fn with_udh(octets: &'static [u8]) -> Message {
    Message { esm_class: 0x40, short_message: octets.into(), ..mo("") }
}

/// Delivers a message, finds it new, sees it acknowledged.
async fn through(peer: &mut Peer, link: &mut Link, message: Message) -> MessageIn {
    peer.deliver(1, message).await;
    let message = link.message().await;
    assert_eq!(peer.ack().await, (OK, 1));
    message
}

/// Cases 7 and 8.
#[tokio::test]
async fn the_payload_stands_for_an_absent_text_and_before_a_present_one() {
    let (_script, mut peer, mut link) = hostile().await;
    for text in ["", "OFF"] {
        let message = through(&mut peer, &mut link, Message { tlvs: payload("ON VIP"), ..mo(text) }).await;
        assert_eq!(message.payload, "ON VIP");
    }
}

/// Case 9.
#[tokio::test]
async fn a_message_without_any_text_is_acknowledged_and_kept() {
    let (_script, mut peer, mut link) = hostile().await;
    let message = through(&mut peer, &mut link, mo("")).await;
    assert_eq!((message.payload.as_ref(), message.unreadable), (b"".as_slice(), None));
}

/// Case 10.
#[tokio::test]
async fn whatever_esm_class_calls_a_report_is_no_message() {
    let (_script, mut peer, mut link) = hostile().await;
    for esm_class in [0x04, 0x08, 0x20, 0x44, 0x10, 0x18] {
        peer.deliver(1, Message { esm_class, ..mo("id:7f stat:DELIVRD err:000 text:ON VIP NAP1") }).await;
        let receipt = link.receipt().await;
        assert_eq!((receipt.message_id.as_str(), receipt.state), ("7f", State::Delivered));
        assert_eq!((receipt.link.as_str(), receipt.error.as_deref()), ("viettel", Some("000")));
        assert_eq!(peer.ack().await, (OK, 1));

        let nameless = through(&mut peer, &mut link, Message { esm_class, ..mo("ON VIP NAP1") }).await;
        assert!(nameless.unreadable.is_some(), "a report without a name must not pass for a subscriber's text");
    }
}

/// Case 11.
#[tokio::test]
async fn a_receipt_may_speak_in_tlvs_alone() {
    let (_script, mut peer, mut link) = hostile().await;
    for esm_class in [0, 0x04] {
        let mut tlvs = Tlvs::default();
        tlvs.push(tlv::RECEIPTED_MESSAGE_ID, "00abc\0");
        tlvs.push(tlv::MESSAGE_STATE, vec![5]);
        peer.deliver(1, Message { esm_class, tlvs, ..mo("") }).await;
        let receipt = link.receipt().await;
        assert_eq!((receipt.message_id.as_str(), receipt.state), ("00abc", State::Undeliverable));
        assert_eq!(peer.ack().await, (OK, 1));
    }
}

/// Case 12.
#[tokio::test]
async fn a_text_in_the_form_of_a_receipt_is_a_text_unless_the_link_is_told_otherwise() {
    const FORGED: &str = "id:7f stat:DELIVRD";
    let (_script, mut peer, mut link) = hostile().await;
    assert_eq!(through(&mut peer, &mut link, mo(FORGED)).await.payload, FORGED);

    let (_script, mut peer, mut link) = hostile_with(|settings| settings.receipts_by_text = true).await;
    peer.deliver(1, mo(FORGED)).await;
    assert_eq!(link.receipt().await.message_id, "7f");
    assert_eq!(peer.ack().await, (OK, 1));
    assert_eq!(through(&mut peer, &mut link, mo("ON VIP NAP1")).await.payload, "ON VIP NAP1");
}

/// Cases 13 and 16.
#[tokio::test]
async fn a_header_or_place_that_cannot_be_is_kept_unread_and_acknowledged() {
    let (_script, mut peer, mut link) = hostile().await;
    let broken: [&[u8]; 4] =
        [b"\x20\x00\x03\x01ON", b"", b"\x05\x00\x03\x07\x02\x03ON VIP", b"\x05\x00\x03\x07\x00\x00ON VIP"];
    for octets in broken {
        let message = through(&mut peer, &mut link, with_udh(octets)).await;
        assert!(message.unreadable.is_some() && message.part.is_none(), "{octets:?}");
        assert_eq!(message.payload, octets, "every octet is kept");
    }
    let message = through(&mut peer, &mut link, Message { tlvs: sar(1, 2, 3), ..mo("ON") }).await;
    assert!(message.unreadable.is_some());
}

/// Cases 14, 15 and 16.
#[tokio::test]
async fn a_part_is_handed_over_with_its_place_and_its_octets_unpacked() {
    let (_script, mut peer, mut link) = hostile().await;
    let part = |reference, total, number| Some(Part { reference, total, number });
    let table: [(&[u8], Option<Part>); 5] = [
        (b"\x05\x00\x03\x2a\x02\x01ON VIP", part(0x2a, 2, 1)),
        (b"\x06\x08\x04\x12\x34\x03\x02ON VIP", part(0x1234, 3, 2)),
        (b"\x0b\x05\x04\x0b\x84\x23\xf0\x00\x03\x2a\x02\x02ON VIP", part(0x2a, 2, 2)),
        (b"\x08\x24\x01\x01\x00\x03\x2a\x02\x01ON VIP", part(0x2a, 2, 1)),
        (b"\x05\x00\x03\x2a\x01\x01ON VIP", None),
    ];
    for (octets, place) in table {
        let message = through(&mut peer, &mut link, with_udh(octets)).await;
        assert_eq!((message.part, message.payload.as_ref(), message.unreadable), (place, b"ON VIP".as_slice(), None));
    }
}

/// Case 17: what a joiner needs to keep two senders with one reference apart is there.
#[tokio::test]
async fn equal_references_of_two_senders_are_told_apart_by_the_sender() {
    let (_script, mut peer, mut link) = hostile().await;
    let second = Message { source: Address::new(1, 1, "84999999999"), ..with_udh(b"\x05\x00\x03\x2a\x02\x01ON B") };
    let one = through(&mut peer, &mut link, with_udh(b"\x05\x00\x03\x2a\x02\x02-A")).await;
    let other = through(&mut peer, &mut link, second).await;
    assert_eq!(one.part.unwrap().reference, other.part.unwrap().reference);
    assert_ne!(one.from, other.from);
}

/// Cases 18, 19, 21 and 22: the link hands over each copy; the engine's word that it knows it is an acknowledgement.
#[tokio::test]
async fn a_redelivery_the_engine_knows_is_acknowledged_like_a_new_message() {
    let (_script, mut peer, mut link) = hostile().await;
    for (sequence, verdict) in [(1, Verdict::Fresh), (2, Verdict::Again), (3, Verdict::Again)] {
        peer.deliver(sequence, with_udh(b"\x05\x00\x03\x2a\x02\x01ON VIP")).await;
        let delivery = link.delivery().await;
        let Incoming::Message(message) = delivery.incoming else { panic!("no message") };
        assert_eq!(message.part.map(|part| part.number), Some(1));
        delivery.done.send(verdict).unwrap();
        assert_eq!(peer.ack().await, (OK, sequence));
    }
}

/// Case 20.
#[tokio::test]
async fn sar_parameters_place_a_part_and_a_header_goes_before_them() {
    let (_script, mut peer, mut link) = hostile().await;
    let message = through(&mut peer, &mut link, Message { tlvs: sar(0x0102, 3, 2), ..mo("VIP") }).await;
    assert_eq!(message.part, Some(Part { reference: 0x0102, total: 3, number: 2 }));
    let both = Message { tlvs: sar(9, 3, 3), ..with_udh(b"\x05\x00\x03\x2a\x02\x01ON VIP") };
    assert_eq!(through(&mut peer, &mut link, both).await.part, Some(Part { reference: 0x2a, total: 2, number: 1 }));
    assert_eq!(through(&mut peer, &mut link, Message { tlvs: sar(9, 1, 1), ..mo("ON") }).await.part, None);
}

/// Case 23.
#[tokio::test]
async fn a_message_whose_answer_was_lost_comes_again_and_is_handed_over_again() {
    let (script, mut peer, mut link) = hostile().await;
    peer.deliver(1, mo("ON VIP NAP1")).await;
    let delivery = link.delivery().await;
    drop(peer);
    let mut peer = script.bound().await;
    // The link may or may not have noticed the loss: its answer has nowhere to go either way.
    let _ = delivery.done.send(Verdict::Fresh);
    peer.deliver(2, mo("ON VIP NAP1")).await;
    link.delivery().await.done.send(Verdict::Again).unwrap();
    assert_eq!(peer.ack().await, (OK, 2), "and the lost answer does not turn up on the new connection");
    peer.in_step().await;
}

/// Cases 34 and 35: octets and coding reach their reader untouched.
#[tokio::test]
async fn no_coding_is_refused_and_no_octet_is_changed() {
    let (_script, mut peer, mut link) = hostile().await;
    for data_coding in 0..=255 {
        let text = b"\xfe\xff\x00O\x00N\x00_@$\xd8\x00\0";
        let message = Message { data_coding, short_message: text.as_slice().into(), ..mo("") };
        let message = through(&mut peer, &mut link, message).await;
        assert_eq!((message.data_coding, message.payload.as_ref()), (Some(data_coding), text.as_slice()));
    }
}

/// Case 36.
#[tokio::test]
async fn a_sender_is_handed_over_as_the_smsc_wrote_it() {
    let (_script, mut peer, mut link) = hostile().await;
    for (ton, digits) in [(0, "0854689520"), (1, "84854689520"), (1, "+84854689520"), (2, "854689520"), (5, "VNPT")] {
        let source = Address::new(ton, 1, digits);
        assert_eq!(through(&mut peer, &mut link, Message { source, ..mo("KT") }).await.from, digits);
    }
}

/// Case 37.
#[tokio::test]
async fn data_sm_brings_a_message_too_and_gets_its_own_answer() {
    let (_script, mut peer, mut link) = hostile().await;
    peer.send(&Pdu::new(5, Body::DataSm(Message { tlvs: payload("ON VIP NAP1"), ..mo("") }))).await;
    let message = link.message().await;
    assert_eq!((message.payload.as_ref(), message.from.as_str()), (b"ON VIP NAP1".as_slice(), "84912345678"));
    assert_eq!(peer.read().await, Pdu::new(5, Body::DataSmResp("".into())));
}

/// Case 57.
#[tokio::test]
async fn all_binds_of_one_smsc_hand_over_under_its_one_name() {
    let (script, mut first, mut link) = hostile().await;
    let mut second_link = Link::start(script.settings());
    let mut second = script.bound().await;
    assert_eq!(through(&mut first, &mut link, mo("KT")).await.link, settings("").name);
    second.deliver(1, Message { esm_class: 0x04, ..mo("id:1 stat:DELIVRD") }).await;
    assert_eq!(second_link.receipt().await.link, settings("").name);
}

#[tokio::test]
async fn a_messages_own_id_is_read_from_the_tlv_the_link_is_told_of() {
    let id = |tag| {
        let mut tlvs = Tlvs::default();
        tlvs.push(tag, "mo-17\0");
        Message { tlvs, ..mo("KT") }
    };
    let (_script, mut peer, mut link) = hostile_with(|settings| settings.message_id_tlv = Some(0x1500)).await;
    assert_eq!(through(&mut peer, &mut link, id(0x1500)).await.peer_id.as_deref(), Some("mo-17"));
    assert_eq!(through(&mut peer, &mut link, id(tlv::RECEIPTED_MESSAGE_ID)).await.peer_id, None);
}
