//! Replies and what the SMSC says to them: every answer is accepted, refused or unknown, and their order survives
//! throttling.

use std::time::Duration;

use paygate::engine::door::Submitted;
use paygate_parsers::smpp::message::{DELIVERY_RECEIPT, Message};
use paygate_parsers::smpp::{Body, Pdu, header, status};
use tokio::time::Instant;

use super::{OK, hostile, hostile_with, mo, raw};
use crate::smpp::{Link, outcome};

fn accepted(message_id: &str) -> Submitted {
    Submitted::Accepted { message_id: message_id.to_owned() }
}

#[tokio::test]
async fn a_reply_leaves_from_the_short_code_to_the_phone_asking_for_a_receipt() {
    let (_script, mut peer, link) = hostile().await;
    let _reply = link.reply("84912345678", "Ma OTP: 123456 @").await;
    let (_, message) = peer.submitted().await;
    assert_eq!((message.source.digits.as_ref(), message.source.ton), (b"9029".as_slice(), 0));
    assert_eq!((message.destination.digits.as_ref(), message.destination.ton), (b"84912345678".as_slice(), 1));
    assert_eq!((message.short_message.as_ref(), message.data_coding), (b"Ma OTP: 123456 \0".as_slice(), 0));
    assert_eq!((message.registered_delivery, message.esm_class), (1, 0));
}

#[tokio::test]
async fn a_long_reply_leaves_in_parts_and_is_one_outcome() {
    let (_script, mut peer, link) = hostile().await;
    let reply = link.reply("84912345678", &"Đăng ký thành công. ".repeat(5)).await;
    let ((one, first), (two, second)) = (peer.submitted().await, peer.submitted().await);
    assert_eq!((first.data_coding, first.esm_class, first.registered_delivery), (8, 0x40, 0));
    assert_eq!((first.short_message[4..6].to_vec(), second.short_message[4..6].to_vec()), (vec![2, 1], vec![2, 2]));
    assert_eq!(second.registered_delivery, 1, "the receipt is asked for once");
    peer.send(&Pdu::new(two, Body::SubmitSmResp("last".into()))).await;
    peer.send(&Pdu::new(one, Body::SubmitSmResp("first".into()))).await;
    assert_eq!(outcome(reply).await, accepted("last"));
}

/// Case 48.
#[tokio::test]
async fn an_answers_id_is_taken_in_whatever_form_it_comes() {
    let (_script, mut peer, link) = hostile().await;
    let long = "f".repeat(65);
    let ids: [(&[u8], &str); 6] = [
        (b"", ""),
        (b"0a1F\0", "0a1F"),
        (b"00001234\0", "00001234"),
        (b"no nul", "no nul"),
        (long.as_bytes(), &long),
        (b"msg_id_not_implemented\0\0\0", "msg_id_not_implemented"),
    ];
    for (body, id) in ids {
        let reply = link.reply("84912345678", "mot").await;
        let (sequence, _) = peer.submitted().await;
        peer.octets(&raw(header::SUBMIT_SM_RESP, 0, sequence, body)).await;
        assert_eq!(outcome(reply).await, accepted(id));
    }
    let reply = link.reply("84912345678", "mot").await;
    let (sequence, _) = peer.submitted().await;
    peer.octets(&raw(header::SUBMIT_SM_RESP, 0x0B, sequence, b"an error with a body\0")).await;
    assert_eq!(outcome(reply).await, Submitted::Refused { status: 0x0B });
}

/// Case 49.
#[tokio::test]
async fn an_answer_that_comes_too_late_or_to_nothing_disturbs_nothing() {
    let (_script, mut peer, link) = hostile_with(|settings| settings.response_timeout = Duration::from_secs(1)).await;
    let given_up = link.reply("84912345678", "mot").await;
    let (late, _) = peer.submitted().await;
    assert!(matches!(outcome(given_up).await, Submitted::Unknown(_)));
    peer.send(&Pdu::new(late, Body::SubmitSmResp("late".into()))).await;
    peer.send(&Pdu::new(0x1234_5678, Body::SubmitSmResp("nobody".into()))).await;
    let reply = link.reply("84912345678", "hai").await;
    let (sequence, _) = peer.submitted().await;
    peer.send(&Pdu::new(sequence, Body::SubmitSmResp("b".into()))).await;
    assert_eq!(outcome(reply).await, accepted("b"));
}

/// Case 50.
#[tokio::test]
async fn a_receipt_before_its_answer_is_handed_on_at_once() {
    let (_script, mut peer, mut link) = hostile().await;
    let reply = link.reply("84912345678", "mot").await;
    let (sequence, _) = peer.submitted().await;
    peer.deliver(1, Message { esm_class: DELIVERY_RECEIPT, ..mo("id:77 stat:DELIVRD") }).await;
    assert_eq!(link.receipt().await.message_id, "77");
    assert_eq!(peer.ack().await, (OK, 1));
    peer.send(&Pdu::new(sequence, Body::SubmitSmResp("77".into()))).await;
    assert_eq!(outcome(reply).await, accepted("77"));
}

/// Case 51.
#[tokio::test]
async fn a_throttled_link_keeps_the_order_of_its_replies_and_loses_none() {
    for refusal in [status::ESME_RTHROTTLED, status::ESME_RMSGQFUL, status::ESME_RSYSERR, status::ESME_RX_T_APPN, 0x401]
    {
        let (_script, mut peer, link) =
            hostile_with(|settings| settings.throttle_min = Duration::from_millis(20)).await;
        let mut replies = Vec::new();
        for text in ["1", "2", "3", "4"] {
            replies.push(link.reply("84912345678", text).await);
        }
        for _ in 0..4 {
            let (sequence, _) = peer.submitted().await;
            peer.send(&Pdu::with_status(refusal, sequence, Body::SubmitSmResp("".into()))).await;
        }
        let (probe, first) = peer.submitted().await;
        assert_eq!(first.short_message, "1");
        peer.in_step().await;
        peer.send(&Pdu::new(probe, Body::SubmitSmResp("1".into()))).await;
        for text in ["2", "3", "4"] {
            let (sequence, message) = peer.submitted().await;
            assert_eq!(message.short_message, text);
            peer.send(&Pdu::new(sequence, Body::SubmitSmResp(text.into()))).await;
        }
        for (reply, id) in replies.into_iter().zip(["1", "2", "3", "4"]) {
            assert_eq!(outcome(reply).await, accepted(id), "after 0x{refusal:x}");
        }
    }
}

/// Case 51: a code that expired while the link was throttled is not sent.
#[tokio::test]
async fn a_reply_that_expires_during_throttling_is_not_sent() {
    let (_script, mut peer, link) = hostile_with(|settings| settings.throttle_min = Duration::from_secs(3600)).await;
    let soon = Instant::now() + Duration::from_secs(1);
    let code = link.reply_until("84912345678", "Ma OTP: 123456", soon).await;
    let (sequence, _) = peer.submitted().await;
    peer.send(&Pdu::with_status(status::ESME_RTHROTTLED, sequence, Body::SubmitSmResp("".into()))).await;
    assert_eq!(outcome(code).await, Submitted::NotSent("expired"));
    let stale = link.reply_until("84912345678", "Ma OTP: 123456", soon).await;
    assert_eq!(outcome(stale).await, Submitted::NotSent("expired"));
    peer.in_step().await;
}

#[tokio::test]
async fn a_reply_the_smsc_can_never_take_is_refused_after_some_tries() {
    let eager = |settings: &mut paygate::smpp::LinkSettings| {
        settings.throttle_min = Duration::from_millis(1);
        settings.throttle_max = Duration::from_millis(1);
        settings.resubmits_max = 3;
    };
    let (_script, mut peer, link) = hostile_with(eager).await;
    let reply = link.reply("84912345678", "mot").await;
    for _ in 0..4 {
        let (sequence, _) = peer.submitted().await;
        peer.send(&Pdu::with_status(status::ESME_RSYSERR, sequence, Body::SubmitSmResp("".into()))).await;
    }
    assert_eq!(outcome(reply).await, Submitted::Refused { status: status::ESME_RSYSERR });
}

#[tokio::test]
async fn no_more_replies_are_open_at_once_than_the_window_holds() {
    let (_script, mut peer, link) = hostile_with(|settings| settings.window = 2).await;
    let mut replies = Vec::new();
    for text in ["1", "2", "3"] {
        replies.push(link.reply("84912345678", text).await);
    }
    let (one, _) = peer.submitted().await;
    let (two, _) = peer.submitted().await;
    peer.in_step().await;
    peer.send(&Pdu::new(one, Body::SubmitSmResp("1".into()))).await;
    let (three, third) = peer.submitted().await;
    assert_eq!(third.short_message, "3");
    for sequence in [three, two] {
        peer.send(&Pdu::new(sequence, Body::SubmitSmResp("x".into()))).await;
    }
    for reply in replies {
        assert!(matches!(outcome(reply).await, Submitted::Accepted { .. }));
    }
}

#[tokio::test]
async fn replies_open_when_the_link_is_lost_are_unknown_and_are_not_sent_again() {
    let (script, mut peer, link) = hostile().await;
    let reply = link.reply("84912345678", "mot").await;
    peer.submitted().await;
    drop(peer);
    assert!(matches!(outcome(reply).await, Submitted::Unknown(_)));
    let mut peer = script.bound().await;
    peer.in_step().await;
}

#[tokio::test]
async fn a_text_of_more_parts_than_the_link_may_send_is_not_sent() {
    let (_script, mut peer, link) = hostile_with(|settings| settings.parts_max = 2).await;
    let reply = link.reply("84912345678", &"x".repeat(400)).await;
    assert!(matches!(outcome(reply).await, Submitted::NotSent(_)));
    peer.in_step().await;
}

/// A receiver's link is given no replies, and its end of the channel is closed from the start.
#[tokio::test]
async fn a_closed_channel_of_replies_leaves_the_link_up() {
    let (_script, mut peer, mut link) = hostile().await;
    let Link { replies, .. } = &mut link;
    *replies = tokio::sync::mpsc::channel(1).0;
    peer.deliver(1, mo("KT")).await;
    link.message().await;
    assert_eq!(peer.ack().await, (OK, 1));
    peer.in_step().await;
}
