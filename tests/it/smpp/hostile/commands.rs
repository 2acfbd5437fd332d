//! PDUs other than messages: unknown, unasked for, or with more in them than there should be. And answers to deliveries
//! when the engine is slow, full or gone.

use std::time::Duration;

use paygate::engine::door::Verdict;
use paygate_parsers::smpp::bind::Outbind;
use paygate_parsers::smpp::message::Address;
use paygate_parsers::smpp::{Body, Pdu, header, status};

use super::{OK, Script, hostile, hostile_with, mo, octets, raw};
use crate::smpp::{Link, outcome};
use paygate::engine::door::Submitted;

/// Case 38.
#[tokio::test]
async fn a_command_nobody_knows_is_refused_by_its_own_sequence() {
    let (_script, mut peer, _link) = hostile().await;
    for command_id in [0x0000_0100, 0x0001_0200, header::SUBMIT_SM, header::BIND_RECEIVER] {
        let body = b"a\0b\0c\0\x34\0\0\0\0\0\0\0\0\0\0\0\0\0";
        peer.octets(&raw(command_id, 0, 77, body)).await;
        let nack = peer.read().await;
        assert_eq!((&nack.body, nack.status, nack.sequence), (&Body::GenericNack, status::ESME_RINVCMDID, 77));
    }
    peer.octets(&raw(0x8000_0100, 0, 78, b"")).await;
    peer.in_step().await;
}

/// Case 39.
#[tokio::test]
async fn a_generic_nack_fails_the_reply_it_names_and_no_other() {
    let (_script, mut peer, link) = hostile().await;
    let first = link.reply("84912345678", "mot").await;
    let second = link.reply("84912345678", "hai").await;
    let ((one, _), (two, _)) = (peer.submitted().await, peer.submitted().await);
    for unmatched in [0, 0x7FFF_0000, one + 1000] {
        peer.send(&Pdu::with_status(status::ESME_RINVCMDID, unmatched, Body::GenericNack)).await;
    }
    peer.send(&Pdu::with_status(status::ESME_RINVCMDLEN, one, Body::GenericNack)).await;
    peer.send(&Pdu::new(two, Body::SubmitSmResp("b".into()))).await;
    assert_eq!(outcome(first).await, Submitted::Refused { status: status::ESME_RINVCMDLEN });
    assert_eq!(outcome(second).await, Submitted::Accepted { message_id: "b".into() });
}

/// Cases 40 and 41: neither has an answer, so the next PDU read is the answer to `enquire_link`.
#[tokio::test]
async fn alert_notification_and_outbind_are_passed_over_in_silence() {
    let (_script, mut peer, _link) = hostile().await;
    let address = || Address::new(1, 1, "84912345678");
    peer.send(&Pdu::new(3, Body::AlertNotification { source: address(), esme: address() })).await;
    peer.octets(&raw(header::ALERT_NOTIFICATION, 0, 4, b"\x01")).await;
    let outbind = Outbind { system_id: "smsc".into(), password: "x".into() };
    peer.send(&Pdu::new(5, Body::Outbind(outbind))).await;
    peer.in_step().await;
}

/// Case 42.
#[tokio::test]
async fn enquire_link_is_answered_before_during_and_after_the_bind_body_or_not() {
    let script = Script::new().await;
    let mut link = Link::start(script.settings());
    let mut peer = script.accept().await;
    peer.octets(&raw(header::ENQUIRE_LINK, 0, 1, b"")).await;
    let Pdu { sequence, body: Body::Bind(role, _), .. } = peer.read().await else { panic!("no bind") };
    assert_eq!(peer.read().await, Pdu::new(1, Body::EnquireLinkResp));
    peer.octets(&raw(header::ENQUIRE_LINK, 0, 2, b"is anybody there")).await;
    assert_eq!(peer.read().await, Pdu::new(2, Body::EnquireLinkResp));
    peer.send(&Pdu::new(sequence, super::bind_resp(role))).await;
    link.bound().await;
    peer.in_step().await;
}

/// Case 52.
#[tokio::test]
async fn the_peers_sequence_is_echoed_whatever_it_is() {
    let (_script, mut peer, mut link) = hostile().await;
    for sequence in [0, 0x7FFF_FFFF, 0x8000_0000, u32::MAX] {
        peer.deliver(sequence, mo("KT")).await;
        link.message().await;
        assert_eq!(peer.ack().await, (OK, sequence));
    }
}

/// Case 55.
#[tokio::test]
async fn a_delivery_before_the_bind_is_answered_waits_at_the_smsc() {
    let script = Script::new().await;
    let mut link = Link::start(script.settings());
    let mut peer = script.accept().await;
    let Pdu { sequence, body: Body::Bind(role, _), .. } = peer.read().await else { panic!("no bind") };
    peer.deliver(1, mo("KT")).await;
    assert_eq!(peer.ack().await, (status::ESME_RINVBNDSTS, 1));
    peer.send(&Pdu::new(sequence, super::bind_resp(role))).await;
    peer.deliver(2, mo("KT")).await;
    link.message().await;
    assert_eq!(peer.ack().await, (OK, 2));
}

/// Case 56: answers go as verdicts come, in any order.
#[tokio::test]
async fn a_delivery_that_takes_long_does_not_hold_up_the_next() {
    let (_script, mut peer, mut link) = hostile().await;
    for sequence in 1..=3 {
        peer.deliver(sequence, mo("KT")).await;
    }
    let (first, second, third) = (link.delivery().await, link.delivery().await, link.delivery().await);
    third.done.send(Verdict::Fresh).unwrap();
    assert_eq!(peer.ack().await, (OK, 3));
    first.done.send(Verdict::Later).unwrap();
    assert_eq!(peer.ack().await, (status::ESME_RX_T_APPN, 1));
    second.done.send(Verdict::Again).unwrap();
    assert_eq!(peer.ack().await, (OK, 2));
}

/// Case 56: an engine that says nothing.
#[tokio::test]
async fn a_delivery_without_a_verdict_is_answered_temporary_error_and_a_late_verdict_is_dropped() {
    let (_script, mut peer, mut link) = hostile_with(|settings| settings.ack_within = Duration::from_millis(30)).await;
    peer.deliver(1, mo("KT")).await;
    let late = link.delivery().await;
    assert_eq!(peer.ack().await, (status::ESME_RX_T_APPN, 1));
    late.done.send(Verdict::Fresh).unwrap();
    peer.in_step().await;
}

/// Case 56: an engine that takes nothing. What it never saw is not taken for delivered, and all is well once it is back.
#[tokio::test]
async fn a_full_engine_refuses_for_now_loses_nothing_and_recovers() {
    let script = Script::new().await;
    let mut settings = script.settings();
    settings.ack_within = Duration::from_millis(600);
    settings.unacked_max = 20;
    let mut link = Link::with_intake(settings, 4);
    let mut peer = script.bound().await;
    let flood: Vec<u8> = (1..=40).flat_map(|sequence| octets(&Pdu::new(sequence, Body::DeliverSm(mo("KT"))))).collect();
    peer.octets(&flood).await;
    for _ in 1..=40 {
        assert_eq!(peer.ack().await.0, status::ESME_RX_T_APPN);
    }
    // The four that the engine's intake holds since then were answered too: their verdicts come too late.
    for _ in 0..4 {
        link.message().await;
    }
    peer.deliver(200, mo("ON VIP NAP1")).await;
    assert_eq!(link.message().await.payload, "ON VIP NAP1");
    assert_eq!(peer.ack().await, (OK, 200));
}

/// Case 56: an engine that takes and never says what became of it.
#[tokio::test]
async fn an_engine_that_never_answers_is_handed_so_many_and_no_more() {
    let few = |settings: &mut paygate::smpp::LinkSettings| {
        settings.ack_within = Duration::from_millis(700);
        settings.unacked_max = 2;
    };
    let (_script, mut peer, mut link) = hostile_with(few).await;
    let mut held = Vec::new();
    for round in 0..3 {
        for sequence in 1..=2 {
            peer.deliver(sequence, mo("KT")).await;
        }
        if round == 0 {
            held = vec![link.delivery().await, link.delivery().await];
        }
        assert_eq!(peer.ack().await.0, status::ESME_RX_T_APPN);
        assert_eq!(peer.ack().await.0, status::ESME_RX_T_APPN);
    }
    assert!(link.deliveries.try_recv().is_err());
    held.clear();
    peer.deliver(9, mo("ON VIP NAP1")).await;
    link.message().await;
    assert_eq!(peer.ack().await, (OK, 9));
}

/// Case 56: an engine that is gone.
#[tokio::test]
async fn without_an_engine_no_delivery_is_ever_acknowledged() {
    let (_script, mut peer, mut link) = hostile_with(|settings| settings.ack_within = Duration::from_millis(30)).await;
    link.deliveries.close();
    peer.deliver(1, mo("KT")).await;
    assert_eq!(peer.ack().await, (status::ESME_RX_T_APPN, 1));
    peer.in_step().await;
}
