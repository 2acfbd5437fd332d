//! The driver's ways through a charge and a refund when nothing is broken, each with the operator's books as witness.

use super::operator::{Operator, PRICE, SUBSCRIBER, continued, order, order_of, refund_order, words};
use paygate::charging::ChargeOrder;
use paygate::purchase::evidence::{Cause, Finding};
use paygate::sandbox::billing::{Duplicates, Endpoint, Settings, numbers};
use paygate::sandbox::faults::{Fault, FaultRule};
use std::time::Duration;
use tokio::time::Instant;

fn charged() -> Finding {
    Finding::Charged { amount: PRICE, msisdn: Some(SUBSCRIBER.to_owned()) }
}

#[tokio::test]
async fn two_steps_debit_once_and_name_amount_and_subscriber() {
    let operator = Operator::start(Settings::default()).await;
    let answer = operator.driver.charge(&order("k1")).await;
    assert_eq!(answer.finding, charged());
    assert!(answer.handle.is_some());
    assert_eq!(answer.peer_reference.as_deref(), Some("P000000000000"));
    assert_eq!((operator.billing.debits("k1"), operator.billing.balance(SUBSCRIBER)), (1, 40_000));
}

#[tokio::test]
async fn what_is_sent_is_what_the_journal_keeps() {
    let operator = Operator::start(Settings::default()).await;
    let order = order("k1");
    let request: serde_json::Value = serde_json::from_str(&operator.driver.request(&order)).unwrap();
    let transaction = &request["amountTransaction"];
    assert_eq!(transaction["clientCorrelator"], "k1");
    assert_eq!(transaction["referenceCode"], "k1");
    assert_eq!(transaction["phoneNumber"], SUBSCRIBER);
    assert_eq!(transaction["paymentAmount"]["chargingInformation"]["amount"], 10_000);
    assert_eq!(transaction["paymentAmount"]["chargingMetaData"]["channel"], "SMS");
    assert!(!operator.driver.request(&order).contains("secret"));
}

#[tokio::test]
async fn one_step_debits_once() {
    let operator = Operator::with(Settings::default(), |config| config.one_step = true).await;
    assert_eq!(operator.driver.charge(&order("k1")).await.finding, charged());
    assert_eq!(operator.billing.debits("k1"), 1);
}

#[tokio::test]
async fn an_asynchronous_operator_is_asked_until_it_has_decided() {
    for one_step in [false, true] {
        let settings = Settings { settle_ms: 250, ..Settings::default() };
        let operator = Operator::with(settings, |config| config.one_step = one_step).await;
        assert_eq!(operator.driver.charge(&order("k1")).await.finding, charged());
        assert_eq!(operator.billing.debits("k1"), 1);
    }
}

#[tokio::test]
async fn an_operator_that_never_decides_is_pending_and_not_refused() {
    let settings = Settings { settle_ms: 3_600_000, ..Settings::default() };
    let operator = Operator::with(settings, |config| config.timeout = Duration::from_secs(2)).await;
    let answer = operator.driver.prepare(&order("k1")).await;
    assert_eq!(answer.finding, Finding::Unknown { cause: Cause::Pending });
    assert!(answer.handle.is_some(), "the payment is known, so it can be asked about by its id");
}

#[tokio::test]
async fn the_operators_own_code_is_passed_on_and_only_the_right_one_debits() {
    let operator = Operator::start(Settings { texts_codes: true, ..Settings::default() }).await;
    let (driver, billing) = (&operator.driver, &operator.billing);
    let answer = driver.prepare(&order("k1")).await;
    assert_eq!(answer.finding, Finding::CodeSent);
    let code = billing.code_of(SUBSCRIBER).unwrap();
    let wrong = if code == "000000" { "000001" } else { "000000" };
    let order = ChargeOrder { code: Some(wrong.to_owned()), ..continued(order("k1"), answer) };
    let answer = driver.charge(&order).await;
    assert_eq!(words(&answer.finding), "wrong code: OtpWrong, advice 5");
    assert!(!answer.heard.contains(wrong) && !format!("{order:?}").contains(wrong));
    let order = ChargeOrder { code: Some(code), sends: 2, ..continued(order, answer) };
    assert_eq!(driver.charge(&order).await.finding, charged());
    assert_eq!(billing.debits("k1"), 1);
}

#[tokio::test]
async fn wrong_codes_used_up_end_it_unpaid() {
    let operator = Operator::start(Settings { texts_codes: true, code_attempts: 2, ..Settings::default() }).await;
    let mut order = continued(order("k1"), operator.driver.prepare(&order("k1")).await);
    order.code = Some("wrong".to_owned());
    assert_eq!(words(&operator.driver.charge(&order).await.finding), "wrong code: OtpWrong, advice 5");
    assert_eq!(words(&operator.driver.charge(&order).await.finding), "not charged: OtpLocked, advice 3");
    assert_eq!(operator.billing.debits("k1"), 0);
}

#[tokio::test]
async fn without_the_code_a_charge_only_says_that_one_was_sent() {
    let operator = Operator::start(Settings { texts_codes: true, ..Settings::default() }).await;
    let answer = operator.driver.charge(&order("k1")).await;
    assert_eq!(answer.finding, Finding::CodeSent);
    let again = continued(order("k1"), answer);
    assert_eq!(operator.driver.charge(&again).await.finding, Finding::CodeSent);
    assert_eq!(operator.billing.debits("k1"), 0);
}

#[tokio::test]
async fn past_its_time_nothing_leaves() {
    let operator = Operator::start(Settings::default()).await;
    let reserved = continued(order("k1"), operator.driver.prepare(&order("k1")).await);
    let late = ChargeOrder { send_by: Instant::now() - Duration::from_secs(1), ..reserved };
    let before = operator.billing.requests().len();
    assert_eq!(words(&operator.driver.charge(&ChargeOrder { handle: None, ..late.clone() }).await.finding), "not sent");
    assert_eq!(operator.billing.requests().len(), before);
    let answer = operator.driver.charge(&late).await;
    assert_eq!(words(&answer.finding), "not sent");
    assert_eq!(answer.handle, late.handle, "the reservation is remembered");
    assert_eq!(operator.billing.debits("k1"), 0);
}

#[tokio::test]
async fn a_charge_that_finds_no_place_in_time_does_not_leave() {
    let operator = Operator::with(Settings::default(), |config| config.concurrency = 1).await;
    operator.fault(Endpoint::PreparePayment, Fault::Silent);
    let hurried = ChargeOrder { send_by: Instant::now() + Duration::from_millis(100), ..order("k2") };
    let first = order("k1");
    let (first, second) = tokio::join!(operator.driver.charge(&first), operator.driver.charge(&hurried));
    assert_eq!(words(&first.finding), "unknown: NoAnswer");
    assert_eq!(words(&second.finding), "not sent");
    assert_eq!(operator.billing.requests().len(), 1);
}

#[tokio::test]
async fn a_reservation_that_lapsed_is_an_end_without_a_debit() {
    let operator = Operator::start(Settings { reservation_ms: 0, ..Settings::default() }).await;
    let mut reserved = order("k1");
    reserved.handle = Some(r#"{"paymentId":"P000000000000"}"#.to_owned());
    operator.driver.prepare(&order("k1")).await;
    assert_eq!(words(&operator.driver.charge(&reserved).await.finding), "not charged: Cancelled, advice 1");
    assert_eq!(operator.billing.debits("k1"), 0);
}

#[tokio::test]
async fn a_repeated_charge_finds_what_the_first_one_did() {
    // A second first send is what a journal restored from a backup would make.
    let modes = [Duplicates::Refuse, Duplicates::Conflict, Duplicates::Replay];
    for (duplicates, sends) in modes.into_iter().flat_map(|mode| [(mode, 1), (mode, 2)]) {
        let operator = Operator::start(Settings { duplicates, ..Settings::default() }).await;
        operator.fault(Endpoint::PreparePayment, Fault::Lost);
        assert_eq!(words(&operator.driver.charge(&order("k1")).await.finding), "unknown: NoAnswer");
        operator.billing.clear_faults();
        let again = ChargeOrder { sends, ..order("k1") };
        assert_eq!(operator.driver.charge(&again).await.finding, charged(), "{duplicates:?}");
        assert_eq!(operator.billing.debits("k1"), 1, "{duplicates:?}");
    }
}

#[tokio::test]
async fn a_repeated_charge_under_a_completed_payment_debits_nothing_more() {
    for one_step in [false, true] {
        let operator = Operator::with(Settings::default(), |config| config.one_step = one_step).await;
        operator.charged("k1").await;
        let again = ChargeOrder { sends: 2, ..order("k1") };
        assert_eq!(operator.driver.charge(&again).await.finding, charged());
        assert_eq!(operator.billing.debits("k1"), 1);
    }
}

#[tokio::test]
async fn what_a_later_send_has_charged_is_found_however_long_after_the_intent_it_left() {
    const HOUR: i64 = 3_600_000_000;
    for one_step in [false, true] {
        let operator = Operator::with(Settings::default(), |config| config.one_step = one_step).await;
        operator.charged("k1").await;
        let now = order("k1");
        // The sends before it moved nothing; it was let out an hour after the first, and its answer was lost.
        let later = ChargeOrder { sends: 2, intended_at: now.intended_at - HOUR, ..now };
        assert_eq!(operator.driver.inquire(&later).await.finding, charged());
        assert_eq!(operator.driver.charge(&ChargeOrder { sends: 3, ..later }).await.finding, charged());
        assert_eq!(operator.billing.debits("k1"), 1);
    }
}

#[tokio::test]
async fn a_charge_whose_confirmation_was_lost_is_found_and_not_made_again() {
    for handle_kept in [true, false] {
        let operator = Operator::start(Settings::default()).await;
        operator.fault(Endpoint::ConfirmPayment, Fault::Lost);
        let answer = operator.driver.charge(&order("k1")).await;
        assert_eq!(words(&answer.finding), "unknown: NoAnswer");
        operator.billing.clear_faults();
        let known = if handle_kept { continued(order("k1"), answer) } else { order("k1") };
        assert_eq!(operator.driver.inquire(&known).await.finding, charged());
        let again = ChargeOrder {
            sends: 2,
            handle: continued(known.clone(), operator.driver.inquire(&known).await).handle,
            ..known
        };
        assert_eq!(operator.driver.charge(&again).await.finding, charged());
        assert_eq!(operator.billing.debits("k1"), 1);
    }
}

#[tokio::test]
async fn not_found_takes_the_whole_list() {
    // Fewer on a page than were asked for, and many others' payments before and after ours.
    let operator = Operator::start(Settings { page_limit: 3, ..Settings::default() }).await;
    for number in 0..8 {
        operator.driver.prepare(&order(&format!("other-{number}"))).await;
    }
    operator.driver.prepare(&order("ours")).await;
    for number in 8..16 {
        operator.driver.prepare(&order(&format!("other-{number}"))).await;
    }
    assert_eq!(operator.driver.inquire(&order("ours")).await.finding, Finding::Reserved);
    assert_eq!(operator.driver.inquire(&order("nobodys")).await.finding, Finding::NotFound);
}

#[tokio::test]
async fn a_payment_under_the_same_key_that_ended_unpaid_hides_no_debit() {
    let operator = Operator::start(Settings::default()).await;
    let first = continued(order("k1"), operator.driver.prepare(&order("k1")).await);
    assert_eq!(words(&operator.driver.cancel(&first).await.finding), "not charged: Cancelled, advice 1");
    assert_eq!(words(&operator.driver.inquire(&order("k1")).await.finding), "not charged: Cancelled, advice 1");
    operator.charged("k1").await;
    assert_eq!(operator.driver.inquire(&order("k1")).await.finding, charged());
}

#[tokio::test]
async fn letting_go_is_only_believed_of_the_payments_own_status() {
    let operator = Operator::start(Settings::default()).await;
    let reserved = continued(order("k1"), operator.driver.prepare(&order("k1")).await);
    let by_key = ChargeOrder { handle: None, ..reserved.clone() };
    assert_eq!(words(&operator.driver.cancel(&by_key).await.finding), "not charged: Cancelled, advice 1");
    assert_eq!(words(&operator.driver.cancel(&reserved).await.finding), "not charged: Cancelled, advice 1");
    let paid = operator.charged("k2").await;
    assert_eq!(operator.driver.cancel(&paid).await.finding, charged());
    assert_eq!(operator.driver.cancel(&order("k3")).await.finding, Finding::NotFound);
}

#[tokio::test]
async fn subscribers_who_cannot_pay_are_told_why() {
    let operator = Operator::start(Settings::default()).await;
    for (msisdn, finding) in [
        (numbers::NO_MONEY, "not charged: Declined, advice 1"),
        (numbers::NOBODY, "not charged: NoAccount, advice 4"),
        (numbers::DENIED_LATE, "not charged: Declined, advice 3"),
        (numbers::NOT_APPLICABLE, "not charged: NotAllowed, advice 1"),
    ] {
        let answer = operator.driver.charge(&order_of(msisdn, msisdn)).await;
        assert_eq!(words(&answer.finding), finding, "{msisdn}");
        assert_eq!(operator.billing.debits_of(msisdn), 0);
    }
}

#[tokio::test]
async fn a_refund_gives_back_once_and_is_found_again() {
    for refund_settle_ms in [0, 200] {
        let operator = Operator::start(Settings { refund_settle_ms, ..Settings::default() }).await;
        let paid = operator.charged("k1").await;
        let order = refund_order("r1", &paid);
        operator.fault(Endpoint::CreateRefund, Fault::Lost);
        assert_eq!(words(&operator.driver.refund(&order).await.finding), "unknown: NoAnswer");
        operator.billing.clear_faults();
        let mut found = operator.driver.inquire_refund(&order).await;
        while found.finding == (Finding::Unknown { cause: Cause::Pending }) {
            found = operator.driver.inquire_refund(&order).await;
        }
        assert_eq!(found.finding, Finding::Refunded { amount: PRICE });
        let again = paygate::charging::RefundOrder { sends: 2, ..order };
        assert_eq!(operator.driver.refund(&again).await.finding, Finding::Refunded { amount: PRICE });
        assert_eq!((operator.billing.refunds("r1"), operator.billing.balance(SUBSCRIBER)), (1, 50_000));
    }
}

#[tokio::test]
async fn a_refused_refund_leaves_the_money_charged() {
    let operator = Operator::start(Settings::default()).await;
    for msisdn in [numbers::REFUND_DENIED, numbers::NOT_REFUNDABLE, numbers::REFUND_FAILS] {
        let paid = continued(order_of(msisdn, msisdn), operator.driver.charge(&order_of(msisdn, msisdn)).await);
        let answer = operator.driver.refund(&refund_order("r1", &paid)).await;
        assert_eq!(words(&answer.finding), "not refunded: Declined, advice 3", "{msisdn}");
    }
    assert_eq!(operator.billing.refunds("r1"), 0);
}

/// The list is as long as the operator is busy: were it read for each, a bad minute would never be over.
#[tokio::test]
async fn many_who_ask_for_what_has_no_id_share_the_readings_of_the_list() {
    let operator = Operator::start(Settings::default()).await;
    operator.charged("there").await;
    let never = (0..100).map(|number| order(&format!("never-{number}")));
    let orders: Vec<_> = std::iter::once(order("there")).chain(never).collect();
    let answers = futures_util::future::join_all(orders.iter().map(|order| operator.driver.inquire(order))).await;
    assert_eq!(answers[0].finding, charged());
    assert!(answers[1..].iter().all(|answer| answer.finding == Finding::NotFound), "{answers:?}");
    let read = operator.billing.requests().iter().filter(|(at, _)| *at == Endpoint::RetrievePayments).count();
    assert!(read <= 8, "the first reads for itself and the next for all others, yet it was read {read} times");
}

#[tokio::test]
async fn a_page_that_does_not_come_does_not_end_the_reading_of_a_long_list() {
    let operator = Operator::start(Settings { balance: 10_000_000, ..Settings::default() }).await;
    for number in 0..120 {
        operator.charged(&format!("another-{number}")).await;
    }
    let fault = FaultRule { endpoint: Some(Endpoint::RetrievePayments), fault: Fault::Slow { ms: 0 }, times: Some(1) };
    assert!(operator.billing.fault(fault));
    let fault = FaultRule { endpoint: Some(Endpoint::RetrievePayments), fault: Fault::Lost, times: Some(2) };
    assert!(operator.billing.fault(fault));
    assert_eq!(operator.driver.inquire(&order("never")).await.finding, Finding::NotFound);
}
