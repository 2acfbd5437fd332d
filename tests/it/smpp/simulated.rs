//! The link and the simulated SMSC held against each other: what one sends, the other's books show.

use std::time::Duration;

use paygate::engine::door::{Submitted, Verdict};
use paygate::sandbox::smsc::{AckStatus, Receipts, Smsc, SmscSettings};
use paygate::smpp::{Health, LinkSettings, Role};
use paygate_parsers::smpp::receipt::State;
use paygate_parsers::smpp::status;

use super::{Link, PATIENCE, outcome, settings};

async fn bound() -> (Smsc, Link) {
    let account = Some(("paygate".to_owned(), "secret".into()));
    let smsc = Smsc::start("127.0.0.1:0", SmscSettings { account, ..SmscSettings::default() }).await.unwrap();
    let mut link = Link::start(settings(smsc.address()));
    link.bound().await;
    smsc.bound(1).await;
    (smsc, link)
}

#[tokio::test]
async fn a_text_reaches_the_engine_and_is_acknowledged_once_it_is_durable() {
    let (smsc, mut link) = bound().await;
    let (ack, message) = tokio::join!(smsc.text("84912345678", "9029", "ON VIP NAP1"), link.message());
    assert_eq!(ack, AckStatus::Answered(status::ESME_ROK));
    assert_eq!((message.from.as_str(), message.to.as_str()), ("84912345678", "9029"));
    assert_eq!((message.payload.as_ref(), message.data_coding), (b"ON VIP NAP1".as_slice(), Some(0)));
    assert!(smsc.messages()[0].acknowledged());
}

#[tokio::test]
async fn a_reply_reaches_the_phone_and_its_receipt_comes_back_with_the_same_id() {
    let (smsc, mut link) = bound().await;
    let reply = link.reply("84912345678", "Ma OTP: 123456").await;
    let text = smsc.next_text_to("+84912345678", PATIENCE).await.unwrap();
    assert_eq!((text.from.as_str(), text.text.as_str()), ("9029", "Ma OTP: 123456"));
    let Submitted::Accepted { message_id } = outcome(reply).await else { panic!("not accepted") };
    let receipt = link.receipt().await;
    assert_eq!((receipt.message_id, receipt.state), (message_id, State::Delivered));
}

#[tokio::test]
async fn a_long_reply_arrives_whole_and_has_one_receipt() {
    let (smsc, mut link) = bound().await;
    let long = "Quy khach da dang ky thanh cong goi cuoc. ".repeat(10);
    let reply = link.reply("84912345678", &long).await;
    let text = smsc.next_text_to("84912345678", PATIENCE).await.unwrap();
    assert_eq!((text.text.as_str(), text.parts), (long.as_str(), 3));
    assert_eq!(outcome(reply).await, Submitted::Accepted { message_id: text.message_id.clone() });
    assert_eq!(link.receipt().await.message_id, text.message_id);
}

#[tokio::test]
async fn a_store_that_is_down_makes_the_smsc_send_again_until_it_is_up() {
    let (smsc, mut link) = bound().await;
    smsc.redeliver(true);
    let engine = async {
        link.delivery().await.done.send(Verdict::Later).unwrap();
        drop(link.delivery().await.done);
        link.message().await
    };
    let (ack, _) = tokio::join!(smsc.text("84912345678", "9029", "ON VIP NAP1"), engine);
    assert!(ack.is_ok());
    let later = AckStatus::Answered(status::ESME_RX_T_APPN);
    assert_eq!(smsc.messages()[0].answers, [later, later, AckStatus::Answered(status::ESME_ROK)]);
}

#[tokio::test]
async fn a_receipt_that_overtakes_the_answer_is_handed_on_all_the_same() {
    let (smsc, mut link) = bound().await;
    smsc.faults(|faults| {
        faults.receipts = Receipts::Early;
        faults.delay_responses = Duration::from_millis(100);
    });
    let reply = link.reply("84912345678", "xin chao").await;
    let receipt = link.receipt().await;
    assert_eq!(outcome(reply).await, Submitted::Accepted { message_id: receipt.message_id });
}

#[tokio::test]
async fn a_link_that_is_cut_comes_back_by_itself() {
    let (smsc, mut link) = bound().await;
    smsc.drop_connections();
    link.until(|health| !matches!(health, Health::Bound { .. })).await;
    link.bound().await;
    smsc.bound(1).await;
    let (ack, _) = tokio::join!(smsc.text("84912345678", "9029", "KT"), link.message());
    assert!(ack.is_ok());
}

#[tokio::test]
async fn a_receiver_hears_and_a_transmitter_of_the_same_smsc_replies() {
    let smsc = Smsc::start("127.0.0.1:0", SmscSettings::default()).await.unwrap();
    let with = |bind| LinkSettings { bind, ..settings(smsc.address()) };
    let (mut hears, mut replies) = (Link::start(with(Role::Receiver)), Link::start(with(Role::Transmitter)));
    hears.bound().await;
    replies.bound().await;
    let (ack, _) = tokio::join!(smsc.text("84912345678", "9029", "KT"), hears.message());
    assert!(ack.is_ok());
    let misled = hears.reply("84912345678", "mot").await;
    assert!(matches!(outcome(misled).await, Submitted::NotSent(_)));
    let reply = replies.reply("84912345678", "hai").await;
    let Submitted::Accepted { message_id } = outcome(reply).await else { panic!("not accepted") };
    assert_eq!(hears.receipt().await.message_id, message_id, "its receipt comes by the bind that receives");
}

#[tokio::test]
async fn a_simulated_refusal_wrong_password_and_swallowed_answer_are_what_they_say() {
    let account = Some(("paygate".to_owned(), "another".into()));
    let smsc = Smsc::start("127.0.0.1:0", SmscSettings { account, ..SmscSettings::default() }).await.unwrap();
    let mut link = Link::start(settings(smsc.address()));
    link.until(|health| *health == Health::Refused { status: status::ESME_RINVPASWD }).await;

    let (smsc, link) = bound().await;
    smsc.faults(|faults| faults.refuse_submits = (1, 0x0B));
    assert_eq!(outcome(link.reply("84912345678", "1").await).await, Submitted::Refused { status: 0x0B });
    smsc.faults(|faults| faults.swallow_responses = 1);
    let swallowed = link.reply("84912345678", "2").await;
    assert!(matches!(outcome(link.reply("84912345678", "3").await).await, Submitted::Accepted { .. }));
    smsc.drop_connections();
    assert!(matches!(outcome(swallowed).await, Submitted::Unknown(_)));
    let reached: Vec<_> = smsc.texts_to("84912345678").into_iter().map(|text| text.text).collect();
    assert_eq!(reached, ["2", "3"], "unknown to us, and yet it reached the phone");
}

#[tokio::test]
async fn a_stopped_link_unbinds_and_is_gone_from_the_smsc() {
    let (smsc, link) = bound().await;
    link.stopped().await;
    assert_eq!(smsc.text("84912345678", "9029", "KT").await, AckStatus::NotBound);
}
