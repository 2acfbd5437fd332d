//! Octets that come in odd pieces, lengths that lie and fields that do not end: nothing of one PDU may reach the next.

use std::time::Duration;

use paygate::smpp::Health;
use paygate_parsers::smpp::message::Message;
use paygate_parsers::smpp::tlv::{self, Tlvs};
use paygate_parsers::smpp::{Body, Pdu, header, status};

use super::{OK, Script, hostile, hostile_with, mo, octets, raw};
use crate::smpp::Link;

/// The body of a plain text `ON` of one phone, in octets a test may break.
const BODY: &[u8] = b"\0\x01\x0184912345678\0\0\x019029\0\0\0\0\0\0\0\0\0\0\x02ON";

/// Case 1.
#[tokio::test]
async fn a_pdu_that_comes_one_octet_at_a_time_is_read_as_one() {
    let (_script, mut peer, mut link) = hostile().await;
    for octet in octets(&Pdu::new(1, Body::DeliverSm(mo("ON VIP NAP1")))) {
        peer.octets(&[octet]).await;
    }
    assert_eq!(link.message().await.payload, "ON VIP NAP1");
    assert_eq!(peer.ack().await, (OK, 1));
}

/// Case 2.
#[tokio::test]
async fn a_thousand_pdus_in_one_write_are_each_answered() {
    let (_script, mut peer, mut link) = hostile().await;
    let flood: Vec<u8> =
        (1..=1000).flat_map(|sequence| octets(&Pdu::new(sequence, Body::DeliverSm(mo("KT"))))).collect();
    let engine = async {
        for _ in 0..1000 {
            link.message().await;
        }
    };
    let smsc = async {
        peer.octets(&flood).await;
        let mut answered = Vec::new();
        for _ in 0..1000 {
            let (status, sequence) = peer.ack().await;
            assert_eq!(status, OK);
            answered.push(sequence);
        }
        answered.sort_unstable();
        assert_eq!(answered, (1..=1000).collect::<Vec<_>>());
    };
    tokio::join!(engine, smsc);
}

/// Cases 3 and 4.
#[tokio::test]
async fn an_impossible_length_is_refused_and_the_link_binds_anew() {
    let (script, mut peer, mut link) = hostile().await;
    for length in [0, 15, 0x0002_0000, 0x7FFF_FFFF, u32::MAX] {
        peer.octets(&length.to_be_bytes()).await;
        assert_eq!(peer.read().await, Pdu::with_status(status::ESME_RINVCMDLEN, 0, Body::GenericNack));
        peer.hung_up().await;
        peer = script.bound().await;
    }
    link.bound().await;
    peer.in_step().await;
}

/// Case 5.
#[tokio::test]
async fn a_payload_of_sixty_thousand_octets_is_taken() {
    let (_script, mut peer, mut link) = hostile().await;
    let mut tlvs = Tlvs::default();
    tlvs.push(tlv::MESSAGE_PAYLOAD, vec![b'x'; 60_000]);
    peer.deliver(1, Message { tlvs, ..mo("") }).await;
    assert_eq!(link.message().await.payload.len(), 60_000);
    assert_eq!(peer.ack().await, (OK, 1));
}

/// Case 6.
#[tokio::test]
async fn a_pdu_that_never_ends_ends_the_connection() {
    let (script, mut peer, _link) =
        hostile_with(|settings| settings.pdu_read_timeout = Duration::from_millis(50)).await;
    peer.octets(&octets(&Pdu::new(1, Body::DeliverSm(mo("ON VIP NAP1"))))[..30]).await;
    peer.hung_up().await;
    script.bound().await.in_step().await;
}

/// Cases 24, 25, 26 and 28: what hangs on behind a sound text costs itself alone.
#[tokio::test]
async fn odd_octets_behind_the_text_do_not_cost_the_text() {
    let (_script, mut peer, mut link) = hostile().await;
    let tails: [&[u8]; 9] = [
        b"\x14\x00\0\x03abc",
        b"\x14\x01\0\0",
        b"\x02\x0c\0\x01\x05",
        b"\x04\x27\0\x02\x01\x02",
        b"\x14\x00\xff\xffabc",
        b"\0",
        b"\x14\x00\0",
        b" VIP NAP1",
        b"\x02\x10\0\0\x14\x00\0\x01z\0\0\0",
    ];
    for (sequence, tail) in (1..).zip(tails) {
        peer.octets(&raw(header::DELIVER_SM, 0, sequence, &[BODY, tail].concat())).await;
        let message = link.message().await;
        assert_eq!((message.payload.as_ref(), message.unreadable, message.part), (b"ON".as_slice(), None, None));
        assert_eq!(peer.ack().await, (OK, sequence), "{tail:?}");
    }
    peer.in_step().await;
}

/// Cases 27, 29 and 54.
#[tokio::test]
async fn an_unreadable_body_is_refused_by_its_own_sequence_and_the_next_pdu_is_whole() {
    let (_script, mut peer, mut link) = hostile().await;
    let mut lying = BODY.to_vec();
    lying[BODY.len() - 3] = 200;
    let table: [(&[u8], u32); 4] = [
        (&lying, status::ESME_RINVMSGLEN),
        (b"\0\x01\x0184912345678", status::ESME_RINVPARLEN),
        (&[b"\0\x01\x01".as_slice(), &[b'9'; 200]].concat(), status::ESME_RINVPARLEN),
        (b"", status::ESME_RINVPARLEN),
    ];
    for (sequence, (body, status)) in (1..).zip(table) {
        peer.octets(&raw(header::DELIVER_SM, 0, sequence, body)).await;
        peer.deliver(100, mo("KT")).await;
        assert_eq!(peer.ack().await, (status, sequence));
        assert_eq!(link.message().await.payload, "KT");
        assert_eq!(peer.ack().await, (OK, 100));
    }
}

/// Case 27: refused three times, taken in the fourth, although the SMSC binds anew each time.
#[tokio::test]
async fn an_unreadable_pdu_that_keeps_coming_is_at_last_taken_off_the_smsc() {
    let (script, mut peer, mut link) = hostile().await;
    let poison = raw(header::DELIVER_SM, 0, 9, b"\0\x01\x0184912345678");
    for _ in 0..3 {
        peer.octets(&poison).await;
        assert_eq!(peer.ack().await, (status::ESME_RINVPARLEN, 9));
        drop(peer);
        peer = script.bound().await;
    }
    peer.octets(&poison).await;
    let message = link.message().await;
    assert_eq!((message.unreadable, message.payload.as_ref()), (Some("source_addr"), &poison[16..]));
    assert_eq!(peer.ack().await, (OK, 9));
}

/// Cases 30, 31, 32 and 53.
#[tokio::test]
async fn fields_of_odd_form_but_plain_meaning_are_taken() {
    let (_script, mut peer, mut link) = hostile().await;
    let long = b"service10\0\x01\x01+84912345678901234567890\0\0\x019029\0\0\0\0\0\0\0\0\0\0\x02ON";
    peer.octets(&raw(header::DELIVER_SM, 0, 1, long)).await;
    assert_eq!(link.message().await.from, "+84912345678901234567890");
    assert_eq!(peer.ack().await, (OK, 1));

    let names: [(&[u8], &str); 2] = [(b"Caf\xe9", "Caf\u{e9}"), ("Café".as_bytes(), "Café")];
    for (name, read) in names {
        let body = [b"\0\x05\x00", name, b"\0\0\x019029\0\0\0\x00260101\0x\0\0\0\0\0\x02ON"].concat();
        peer.octets(&raw(header::DELIVER_SM, 0xFF, 2, &body)).await;
        assert_eq!(link.message().await.from, read);
        assert_eq!(peer.ack().await, (OK, 2));
    }
}

/// Case 33.
#[tokio::test]
async fn an_empty_destination_is_the_short_code_the_link_stands_for() {
    let (script, mut peer, mut link) = hostile_with(|settings| settings.default_short_code = Some("9029".into())).await;
    let unaddressed = Message { destination: Default::default(), ..mo("KT") };
    peer.deliver(1, unaddressed.clone()).await;
    assert_eq!(link.message().await.to, "9029");
    assert_eq!(peer.ack().await, (OK, 1));

    let mut bare = Link::start(script.settings());
    let mut peer = script.bound().await;
    peer.deliver(1, unaddressed).await;
    assert_eq!(bare.message().await.to, "");
    assert_eq!(peer.ack().await, (OK, 1));
    bare.until(|health| matches!(health, Health::Bound { .. })).await;
}

/// Cases 3 and 4, at the bind: a peer that is no SMSC at all does not end the link.
#[tokio::test]
async fn a_peer_that_does_not_speak_smpp_is_left_and_tried_again() {
    let script = Script::new().await;
    let mut link = Link::start(script.settings());
    let mut peer = script.accept().await;
    peer.read().await;
    peer.octets(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
    peer.hung_up().await;
    let _peer = script.bound().await;
    link.bound().await;
}
