//! Getting bound, staying bound and leaving: answers of every form, refusals, silence, unbinds and our own stop.

use std::time::Duration;

use paygate::engine::door::{Submitted, Verdict};
use paygate::smpp::{Health, Role};
use paygate_parsers::smpp::bind::Bind;
use paygate_parsers::smpp::{Body, Pdu, header, status};

use super::{OK, Peer, Script, bind_resp, hostile, hostile_with, mo, raw};
use crate::smpp::{Link, outcome};

async fn bind_of(peer: &mut Peer) -> (u32, Role, Bind) {
    match peer.read().await {
        Pdu { sequence, body: Body::Bind(role, bind), .. } => (sequence, role, bind),
        other => panic!("{other:?} is no bind"),
    }
}

#[tokio::test]
async fn the_bind_carries_what_the_link_is_told_in_each_role() {
    let script = Script::new().await;
    for role in [Role::Transceiver, Role::Transmitter, Role::Receiver] {
        let mut settings = script.settings();
        settings.bind = role;
        settings.system_type = "VMS".into();
        settings.interface_version = 0x50;
        let mut link = Link::start(settings);
        let mut peer = script.accept().await;
        let (sequence, asked, bind) = bind_of(&mut peer).await;
        let shown = (bind.system_id.as_ref(), bind.password.as_ref(), bind.system_type.as_ref());
        assert_eq!(shown, (b"paygate".as_slice(), b"secret".as_slice(), b"VMS".as_slice()));
        assert_eq!((asked, bind.interface_version), (role, 0x50));
        peer.send(&Pdu::new(sequence, bind_resp(role))).await;
        link.bound().await;
    }
}

/// Case 43.
#[tokio::test]
async fn any_answer_with_the_binds_sequence_and_no_error_is_a_bind() {
    let script = Script::new().await;
    let mut link = Link::start(script.settings());
    let answers: [(u32, &[u8]); 5] = [
        (header::BIND_TRANSCEIVER, b""),
        (header::BIND_TRANSCEIVER, b"\0"),
        (header::BIND_TRANSMITTER, b"smsc\0"),
        (header::BIND_RECEIVER, b"no nul"),
        (header::BIND_TRANSCEIVER, b"smsc\0\x02\x10\0\x01\x34\0"),
    ];
    for (command_id, body) in answers {
        let mut peer = script.accept().await;
        let (sequence, ..) = bind_of(&mut peer).await;
        peer.octets(&raw(command_id | header::RESPONSE, 0, sequence, body)).await;
        link.bound().await;
        peer.in_step().await;
        drop(peer);
        link.until(|health| !matches!(health, Health::Bound { .. })).await;
    }
}

/// Case 44.
#[tokio::test]
async fn a_bind_without_an_answer_is_given_up_and_tried_again() {
    let script = Script::new().await;
    let mut settings = script.settings();
    settings.bind_timeout = Duration::from_millis(700);
    let mut link = Link::start(settings);
    script.accept().await.hung_up().await;
    let mut peer = script.accept().await;
    let (sequence, role, _) = bind_of(&mut peer).await;
    peer.send(&Pdu::new(sequence + 1, bind_resp(role))).await;
    peer.hung_up().await;
    let _peer = script.bound().await;
    link.bound().await;
}

/// Case 45.
#[tokio::test]
async fn a_refused_bind_is_tried_for_ever_and_the_refusal_is_seen() {
    let script = Script::new().await;
    let mut settings = script.settings();
    settings.already_bound_pause = Duration::from_millis(10);
    let mut link = Link::start(settings);
    let refusals =
        [status::ESME_RINVPASWD, status::ESME_RINVSYSID, status::ESME_RALYBND, status::ESME_RBINDFAIL, 0x400];
    for refusal in refusals {
        let mut peer = script.accept().await;
        let (sequence, role, _) = bind_of(&mut peer).await;
        peer.send(&Pdu::with_status(refusal, sequence, bind_resp(role))).await;
        link.until(|health| *health == Health::Refused { status: refusal }).await;
        peer.hung_up().await;
    }
    let mut peer = script.accept().await;
    let (sequence, ..) = bind_of(&mut peer).await;
    peer.send(&Pdu::with_status(status::ESME_RINVSYSID, sequence, Body::GenericNack)).await;
    peer.hung_up().await;
    let _peer = script.bound().await;
    link.bound().await;
}

#[tokio::test]
async fn a_silent_link_is_asked_and_a_dead_one_is_left() {
    let quick = |settings: &mut paygate::smpp::LinkSettings| {
        settings.enquire_link = Duration::from_millis(30);
        settings.response_timeout = Duration::from_secs(2);
    };
    let (script, mut peer, _link) = hostile_with(quick).await;
    for _ in 0..3 {
        let asked = peer.read().await;
        assert_eq!(asked.body, Body::EnquireLink);
        peer.send(&Pdu::new(asked.sequence, Body::EnquireLinkResp)).await;
    }
    assert_eq!(peer.read().await.body, Body::EnquireLink);
    assert_eq!(peer.next().await, None, "it asks once, and leaves when nothing at all comes");
    script.bound().await;
}

/// Case 46.
#[tokio::test]
async fn an_unbind_midway_is_answered_and_open_replies_are_unknown() {
    let (script, mut peer, mut link) = hostile_with(|settings| settings.linger = Duration::from_secs(1)).await;
    let open = link.reply("84912345678", "mot").await;
    let answered = link.reply("84912345678", "hai").await;
    peer.submitted().await;
    let (sequence, _) = peer.submitted().await;
    peer.send(&Pdu::new(9, Body::Unbind)).await;
    assert_eq!(peer.read().await, Pdu::new(9, Body::UnbindResp));
    link.until(|health| !matches!(health, Health::Bound { .. })).await;
    peer.deliver(10, mo("KT")).await;
    assert_eq!(peer.ack().await, (status::ESME_RX_T_APPN, 10));
    peer.send(&Pdu::new(sequence, Body::SubmitSmResp("x".into()))).await;
    assert_eq!(outcome(answered).await, Submitted::Accepted { message_id: "x".into() }, "a late answer still counts");
    peer.hung_up().await;
    assert!(matches!(outcome(open).await, Submitted::Unknown(_)));
    let _peer = script.bound().await;
    link.bound().await;
}

/// Case 47.
#[tokio::test]
async fn a_stop_waits_for_open_answers_of_both_sides_and_then_unbinds() {
    let (_script, mut peer, mut link) = hostile().await;
    let reply = link.reply("84912345678", "mot").await;
    let (sequence, _) = peer.submitted().await;
    peer.deliver(1, mo("KT")).await;
    let open = link.delivery().await;
    link.shut();
    link.until(|health| matches!(health, Health::Down)).await;
    peer.deliver(2, mo("ON VIP NAP1")).await;
    assert_eq!(peer.ack().await, (status::ESME_RX_T_APPN, 2), "nothing new is taken");
    let unsent = link.reply("84912345678", "hai").await;
    open.done.send(Verdict::Fresh).unwrap();
    assert_eq!(peer.ack().await, (OK, 1));
    peer.send(&Pdu::new(sequence, Body::SubmitSmResp("x".into()))).await;
    assert_eq!(outcome(reply).await, Submitted::Accepted { message_id: "x".into() });
    let unbind = peer.read().await;
    assert_eq!(unbind.body, Body::Unbind);
    peer.send(&Pdu::new(unbind.sequence, Body::UnbindResp)).await;
    peer.hung_up().await;
    assert!(matches!(outcome(unsent).await, Submitted::NotSent(_)));
    link.stopped().await;
}

/// Case 47.
#[tokio::test]
async fn a_stop_does_not_wait_for_ever_for_an_smsc_that_answers_nothing() {
    let impatient = |settings: &mut paygate::smpp::LinkSettings| {
        settings.drain_timeout = Duration::from_millis(50);
        settings.unbind_timeout = Duration::from_millis(50);
    };
    let (_script, mut peer, link) = hostile_with(impatient).await;
    let reply = link.reply("84912345678", "mot").await;
    peer.submitted().await;
    link.stopped().await;
    assert_eq!(peer.read().await.body, Body::Unbind);
    assert!(matches!(outcome(reply).await, Submitted::Unknown(_)));
}

#[tokio::test]
async fn a_link_that_is_not_up_yet_stops_at_once() {
    let script = Script::new().await;
    let link = Link::start(script.settings());
    let mut peer = script.accept().await;
    bind_of(&mut peer).await;
    link.stopped().await;
}

#[tokio::test]
async fn a_reply_for_a_link_that_is_down_is_told_so_at_once() {
    let (script, peer, mut link) = hostile_with(|settings| {
        settings.reconnect_min = Duration::from_secs(60);
        settings.reconnect_max = Duration::from_secs(60);
    })
    .await;
    drop((peer, script));
    link.until(|health| matches!(health, Health::Down)).await;
    let reply = link.reply("84912345678", "mot").await;
    assert_eq!(outcome(reply).await, Submitted::NotSent("the link is down"));
}
