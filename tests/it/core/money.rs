//! Sequences that once broke a rule about money, each told as the story it is. They hold the core to one answer at one
//! moment; `lives.rs` looks for stories that nobody has told yet.

use super::life::Life;
use super::sample::{
    BUSY, CHARGED, NO_MONEY, PRICE, SECOND, SILENCE, START, allowed, called, channel, grant, grant_silence, granted,
    refused, rules,
};
use paygate::config::Otp;
use paygate::purchase::evidence::{Advice, Decline, Finding, GrantAnswer, Reason};
use paygate::purchase::input::{ChannelCall, GrantCall, Input, Notice};
use paygate::purchase::money::{Currency, Money};
use paygate::purchase::record::{AttemptStatus, Micros, ReviewReason, State};

/// The offer, its code, and the intent to charge at second 3: no request after second 13, none in flight after second 43.
fn charging() -> Life {
    Life::new(rules(Otp::Gateway), &[Input::Asked, allowed(), Input::CodeRight])
}

/// What the channel said to the question about the charge that was asked that many seconds after the start.
fn inquired(asked: Micros, finding: Finding) -> Input {
    called(START + asked * SECOND, channel(ChannelCall::InquireCharge, 1, finding))
}

/// The package manager holds no grant of this send, it said when asked that many seconds after the start.
fn no_grant(asked: Micros, sends: u32) -> Input {
    called(START + asked * SECOND, grant(GrantCall::InquireGrant, sends, GrantAnswer::NotFound))
}

#[test]
fn a_charge_not_found_by_a_question_asked_while_it_was_in_flight_is_not_sent_again() {
    let mut life = charging();
    life.at(42, Input::Timer);
    assert!(life.calls(ChannelCall::InquireCharge));
    // The answer is read past the flight bound; the question was asked before it.
    life.at(60, inquired(42, Finding::NotFound));
    assert_eq!((life.purchase.state, life.charge()), (State::ChargeUnknown, AttemptStatus::Unknown));
    // The same answer to a question asked past the bound is proof.
    life.at(70, Input::Timer).at(71, inquired(70, Finding::NotFound));
    assert_eq!((life.purchase.state, life.charge()), (State::Charging, AttemptStatus::Failed));
}

#[test]
fn a_grant_not_found_by_a_question_asked_while_it_was_in_flight_is_not_given_again() {
    let mut life = charging();
    life.rules.idempotent_grants = false;
    life.at(4, channel(ChannelCall::Charge, 1, CHARGED)).at(5, grant(GrantCall::Grant, 1, grant_silence()));
    life.at(40, Input::Timer).at(60, no_grant(40, 1));
    assert_eq!((life.purchase.state, life.gives(GrantCall::Grant)), (State::GrantUnknown, false));
    life.at(70, Input::Timer).at(71, no_grant(70, 1));
    assert_eq!((life.purchase.state, life.gives(GrantCall::Grant)), (State::Granting, true));
}

/// Money being set aside at a channel that texts its own code; the subscriber has answered digits before its answer came.
fn answered_early() -> Life {
    let code = Input::ChannelCode { code: "999999".to_owned() };
    Life::new(rules(Otp::Telco), &[Input::Asked, allowed(), code])
}

#[test]
fn a_code_that_no_channel_judged_is_no_consent_to_a_charge_without_one() {
    let mut life = answered_early();
    life.take(channel(ChannelCall::Prepare, 1, Finding::Reserved));
    assert_eq!((life.purchase.consent.clone(), life.tells(Notice::Offer)), (None, true));
    life.at(100, Input::CodeWrong).at(101, inquired(4, Finding::NotFound));
    assert!(!life.calls(ChannelCall::Charge));
    assert_eq!(life.purchase.state, State::Offered);
}

#[test]
fn a_channel_that_set_nothing_aside_is_not_charged_at_on_an_unjudged_code() {
    for finding in [BUSY, Finding::NotSent { why: "refused".to_owned() }] {
        let mut life = answered_early();
        life.take(channel(ChannelCall::Prepare, 1, finding));
        assert_eq!((life.purchase.state, life.purchase.consent.clone()), (State::Declined, None));
    }
}

/// Paid at second 4; the intent to grant stands.
fn granting() -> Life {
    let mut life = charging();
    life.at(4, channel(ChannelCall::Charge, 1, CHARGED));
    life
}

#[test]
fn a_refused_grant_is_asked_about_before_any_money_goes_back() {
    let mut life = granting();
    life.at(5, grant(GrantCall::Grant, 1, refused()));
    assert_eq!((life.calls(ChannelCall::Refund), life.gives(GrantCall::InquireGrant)), (false, true));
    let mut made = Life { rules: life.rules.clone(), purchase: life.purchase.clone(), now: life.now, effects: vec![] };
    made.at(6, grant(GrantCall::InquireGrant, 1, granted()));
    assert_eq!((made.purchase.state, made.tells(Notice::Done)), (State::Done, true));
    life.at(6, no_grant(5, 1));
    assert_eq!((life.purchase.state, life.calls(ChannelCall::Refund)), (State::Refunding, true));
}

#[test]
fn a_refusal_of_a_second_grant_waits_until_the_first_can_no_longer_land() {
    let mut life = granting();
    life.at(5, grant(GrantCall::Grant, 1, grant_silence()));
    life.at(10, Input::Timer).at(11, no_grant(10, 1));
    assert!(life.gives(GrantCall::Grant), "a package manager that knows its keys is asked again");
    life.at(12, grant(GrantCall::Grant, 2, refused()));
    assert!(!life.calls(ChannelCall::Refund));
    life.at(13, no_grant(12, 2));
    assert!(!life.calls(ChannelCall::Refund));
    life.wake();
    assert!(life.gives(GrantCall::InquireGrant));
    let asked = (life.now - START) / SECOND + 1;
    life.now += 5 * SECOND;
    life.take(no_grant(asked, 2));
    assert!(life.calls(ChannelCall::Refund));
}

#[test]
fn silence_after_proof_takes_no_proof_back_and_puts_no_purchase_to_sleep() {
    let mut life = charging();
    life.at(28, Input::Timer).at(60, Input::Timer).at(61, inquired(60, Finding::NotFound));
    let due_at = life.purchase.due_at;
    life.at(62, inquired(60, SILENCE));
    assert_eq!((life.purchase.state, life.charge()), (State::Charging, AttemptStatus::Failed));
    assert_eq!(life.purchase.due_at, due_at, "the charge is still to be sent again in seconds, not looked at in hours");
}

#[test]
fn an_inquiry_that_calls_a_code_wrong_is_not_believed_while_the_charge_is_in_flight() {
    let wrong = || Finding::WrongCode(Decline::new(Reason::OtpWrong, Advice::NewCode));
    let mut life = charging();
    life.at(28, Input::Timer).at(29, inquired(28, wrong()));
    assert_eq!((life.purchase.state, life.charge()), (State::ChargeUnknown, AttemptStatus::Unknown));
    life.at(60, Input::Timer).at(61, inquired(60, wrong()));
    assert_eq!(life.purchase.state, State::Offered);
}

#[test]
fn a_released_reservation_wakes_nobody_again() {
    let mut life =
        Life::new(rules(Otp::Telco), &[Input::Asked, allowed(), channel(ChannelCall::Prepare, 1, Finding::CodeSent)]);
    life.take(Input::Cancel).wake();
    assert!(life.calls(ChannelCall::CancelCharge), "two questions are under way");
    let cancelled = || channel(ChannelCall::CancelCharge, 1, NO_MONEY);
    life.take(cancelled()).take(channel(ChannelCall::CancelCharge, 1, SILENCE));
    assert_eq!((life.purchase.due_at, life.charge()), (None, AttemptStatus::Failed));
}

#[test]
fn what_a_channel_never_lets_go_of_is_asked_for_once_for_each_step_of_the_plan() {
    let mut life =
        Life::new(rules(Otp::Telco), &[Input::Asked, allowed(), channel(ChannelCall::Prepare, 1, Finding::CodeSent)]);
    life.take(Input::Cancel);
    let mut asked = 0;
    while life.purchase.due_at.is_some() {
        asked += usize::from(life.calls(ChannelCall::CancelCharge));
        life.take(channel(ChannelCall::CancelCharge, 1, SILENCE)).wake();
    }
    assert_eq!(asked, life.rules.channels["viettel"].flight.plan.len());
}

#[test]
fn a_reservation_is_let_go_of_when_its_charge_is_given_up() {
    let code = Input::ChannelCode { code: "123456".to_owned() };
    let inputs = [Input::Asked, allowed(), channel(ChannelCall::Prepare, 1, Finding::CodeSent), code];
    let mut life = Life::new(rules(Otp::Telco), &inputs);
    for sends in [2, 3] {
        life.take(channel(ChannelCall::Charge, sends, Finding::NotSent { why: "refused".to_owned() }));
        if sends == 2 {
            life.wake();
        }
    }
    assert_eq!(life.purchase.state, State::Declined);
    assert!(life.calls(ChannelCall::CancelCharge));
    life.take(channel(ChannelCall::CancelCharge, 3, NO_MONEY));
    assert_eq!((life.purchase.due_at, life.charge()), (None, AttemptStatus::Failed));
}

#[test]
fn money_that_is_still_being_set_aside_is_asked_about_until_the_offer_can_be_made() {
    let mut life = Life::new(rules(Otp::Telco), &[Input::Asked, allowed(), channel(ChannelCall::Prepare, 1, SILENCE)]);
    assert!(
        life.purchase.charge.as_ref().unwrap().handle.is_some(),
        "the channel named its payment and is processing it"
    );
    life.wake();
    assert!(life.calls(ChannelCall::InquireCharge));
    life.take(channel(ChannelCall::InquireCharge, 1, Finding::CodeSent));
    assert!(life.tells(Notice::Offer));
}

#[test]
fn a_second_code_after_an_early_wrong_one_is_judged_at_once() {
    let mut life = answered_early();
    life.take(channel(ChannelCall::Prepare, 1, Finding::CodeSent));
    assert!(life.calls(ChannelCall::Charge));
    let wrong = Finding::WrongCode(Decline::new(Reason::OtpWrong, Advice::NewCode));
    life.take(channel(ChannelCall::Charge, 2, wrong)).take(Input::ChannelCode { code: "123456".to_owned() });
    assert!(life.calls(ChannelCall::Charge));
}

#[test]
fn a_grant_that_cannot_be_sent_is_told_of_and_ends_with_a_person_and_not_in_a_circle() {
    let mut life = granting();
    let (mut checking, mut sends) = (0, 1);
    while life.purchase.state == State::Granting && sends < 10_000 {
        life.take(grant(GrantCall::Grant, sends, GrantAnswer::NotSent { why: "refused".to_owned() })).wake();
        checking += usize::from(life.tells(Notice::Checking));
        sends = life.purchase.grant.as_ref().unwrap().sends;
    }
    assert_eq!((life.purchase.review, checking), (Some(ReviewReason::GrantUnknown), 1));
    assert!(life.now >= START + life.rules.grant_fresh, "a day's outage of the package manager mends itself");
}

/// Paid, refused the package, and asked about it: the intent to refund stands.
fn refunding() -> Life {
    let mut life = granting();
    life.at(5, grant(GrantCall::Grant, 1, refused())).at(6, no_grant(5, 1));
    assert!(life.calls(ChannelCall::Refund));
    life
}

#[test]
fn a_refund_that_cannot_be_sent_ends_with_a_person_and_not_in_a_circle() {
    let mut life = refunding();
    let (mut checking, mut sends) = (0, 1);
    while life.purchase.state == State::Refunding && sends < 10_000 {
        let not_sent = Finding::NotSent { why: "refused".to_owned() };
        life.take(channel(ChannelCall::Refund, sends, not_sent)).wake();
        checking += usize::from(life.tells(Notice::Checking));
        sends = life.purchase.refund.as_ref().unwrap().sends;
    }
    assert_eq!((life.purchase.review, checking), (Some(ReviewReason::RefundUnknown), 1));
}

#[test]
fn a_refund_not_found_by_a_question_asked_while_it_was_in_flight_is_not_made_again() {
    let mut life = refunding();
    life.at(7, channel(ChannelCall::Refund, 1, SILENCE)).at(40, Input::Timer);
    let asked = |at| called(START + at * SECOND, channel(ChannelCall::InquireRefund, 1, Finding::NotFound));
    life.at(60, asked(40));
    assert_eq!((life.purchase.state, life.calls(ChannelCall::Refund)), (State::RefundUnknown, false));
    life.at(61, Input::Timer).at(62, asked(61));
    assert_eq!((life.purchase.state, life.calls(ChannelCall::Refund)), (State::Refunding, true));
}

#[test]
fn a_refund_called_refused_and_then_done_is_done() {
    let mut life = refunding();
    let refusal = Finding::NotRefunded(Decline::new(Reason::Declined, Advice::CallOperator));
    life.at(7, channel(ChannelCall::InquireRefund, 1, refusal));
    assert_eq!(life.purchase.review, Some(ReviewReason::RefundRefused));
    life.at(8, channel(ChannelCall::Refund, 1, Finding::Refunded { amount: PRICE }));
    assert_eq!((life.purchase.state, life.tells(Notice::Refunded)), (State::Refunded, true));
}

#[test]
fn a_second_grant_for_one_payment_is_a_persons_to_look_at() {
    let mut life = granting();
    life.at(5, grant(GrantCall::Grant, 1, granted())).at(6, grant(GrantCall::InquireGrant, 1, granted()));
    assert_eq!(life.purchase.state, State::Done);
    let other = GrantAnswer::Granted { grant_id: "g-2".to_owned(), heard: String::new(), runs_until: None };
    life.at(7, grant(GrantCall::Grant, 1, other));
    assert_eq!(life.purchase.review, Some(ReviewReason::Contradiction));
}

#[test]
fn another_amount_heard_after_the_charge_was_believed_is_a_persons_to_look_at() {
    let another = || Finding::Charged { amount: Money::new(99_000, Currency::VND), msisdn: None };
    let mut done = granting();
    done.at(5, grant(GrantCall::Grant, 1, granted()));
    for mut life in [granting(), done, refunding()] {
        life.at(8, channel(ChannelCall::Charge, 1, CHARGED));
        assert_ne!(life.purchase.state, State::Review, "the same word again says nothing new");
        life.at(9, channel(ChannelCall::Charge, 1, another()));
        assert_eq!(life.purchase.review, Some(ReviewReason::Mismatch));
    }
}

#[test]
fn a_subscriber_whose_purchase_goes_to_a_person_is_told_in_time_that_it_is_being_checked_and_once() {
    let another = Finding::Charged { amount: Money::new(1, Currency::VND), msisdn: None };
    let mut life = charging();
    life.at(4, channel(ChannelCall::Charge, 1, another));
    assert_eq!((life.purchase.review, life.effects.len()), (Some(ReviewReason::Mismatch), 0));
    life.wake();
    assert!(life.tells(Notice::Checking) && life.now == START + 3 * SECOND + life.rules.checking_after);
    life.wake();
    assert!(life.effects.is_empty());
}

#[test]
fn a_refused_grant_is_not_called_absent_by_the_answer_to_an_older_question() {
    let mut life = granting();
    life.at(28, Input::Timer).at(29, grant(GrantCall::Grant, 1, refused()));
    assert!(life.gives(GrantCall::InquireGrant));
    life.at(30, no_grant(28, 1));
    assert!(!life.calls(ChannelCall::Refund), "it was asked before the refusal");
    life.at(31, no_grant(29, 1));
    assert!(life.calls(ChannelCall::Refund));
}

#[test]
fn a_code_answered_long_before_the_channel_was_ready_is_no_longer_a_consent() {
    let mut life = answered_early();
    life.rules.consent_valid = 60 * SECOND;
    life.at(120, inquired(119, Finding::CodeSent));
    assert_eq!((life.purchase.state, life.calls(ChannelCall::Charge)), (State::Expired, false));
}

#[test]
fn an_answer_to_an_earlier_send_proves_a_charge_and_never_its_absence() {
    let mut life = charging();
    life.at(28, Input::Timer).at(60, Input::Timer).at(61, inquired(60, Finding::NotFound));
    life.wake();
    assert!(life.calls(ChannelCall::Charge), "the second send is under way");
    for finding in [NO_MONEY, BUSY, Finding::NotSent { why: "paused".to_owned() }] {
        life.take(channel(ChannelCall::Charge, 1, finding));
        assert_eq!((life.purchase.state, life.charge()), (State::Charging, AttemptStatus::Intended));
    }
    life.take(channel(ChannelCall::Charge, 1, CHARGED));
    assert!(life.gives(GrantCall::Grant));
}

#[test]
fn a_charge_found_too_late_to_grant_while_in_review_is_left_to_the_person() {
    let mut life = charging();
    while life.purchase.state != State::Review {
        life.wake();
    }
    life.now = START + 2 * life.rules.grant_fresh;
    life.take(inquired(60, CHARGED));
    assert_eq!((life.purchase.review, life.effects.clone()), (Some(ReviewReason::LateCharge), vec![]));
}

#[test]
fn a_withdrawn_purchase_that_was_charged_is_given_back_and_not_granted() {
    let mut life = answered_early();
    life.take(Input::Cancel).take(channel(ChannelCall::CancelCharge, 1, CHARGED));
    assert_eq!((life.purchase.state, life.calls(ChannelCall::Refund)), (State::Refunding, true));
}

#[test]
fn a_charge_found_after_the_end_is_granted_while_the_wish_for_it_is_fresh() {
    let mut fresh = charging();
    fresh.at(4, channel(ChannelCall::Charge, 1, NO_MONEY)).at(60, inquired(59, CHARGED));
    assert_eq!((fresh.purchase.state, fresh.gives(GrantCall::Grant)), (State::Granting, true));
    let mut stale = charging();
    stale.at(4, channel(ChannelCall::Charge, 1, NO_MONEY));
    stale.now = START + 2 * stale.rules.grant_fresh;
    stale.take(inquired(60, CHARGED));
    assert_eq!((stale.purchase.state, stale.calls(ChannelCall::Refund)), (State::Refunding, true));
}

#[test]
fn the_answer_to_an_earlier_question_is_not_taken_for_the_newest_ones() {
    let mut life = charging();
    life.at(42, Input::Timer).at(44, Input::Timer);
    for heard in [45, 300] {
        life.at(heard, inquired(42, Finding::NotFound));
        assert_eq!(life.purchase.state, State::ChargeUnknown, "this is what was so at second 42");
    }
    life.at(301, inquired(44, Finding::NotFound));
    assert_eq!((life.purchase.state, life.charge()), (State::Charging, AttemptStatus::Failed));
}

#[test]
fn a_question_whose_answer_was_lost_does_not_keep_the_next_one_from_being_believed() {
    let mut life = charging();
    life.at(42, Input::Timer).at(44, Input::Timer).at(45, inquired(44, Finding::NotFound));
    assert_eq!(life.charge(), AttemptStatus::Failed);
}
