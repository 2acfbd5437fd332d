//! Purchases that are paid at the channel's own page, each told as the story it is: the link, the notify, the end of the
//! link. A notify is never taken for proof here; what an inquiry says is.

use super::life::Life;
use super::sample::{
    BEGUN, CHARGED, MINUTE, NO_MONEY, PENDING, SECOND, SILENCE, START, UNPAID, allowed, by_link, called, channel,
    notified, page, rules,
};
use paygate::config::Otp;
use paygate::purchase::evidence::Finding;
use paygate::purchase::input::{ChannelCall, GrantCall, Input, Notice};
use paygate::purchase::money::{Currency, Money};
use paygate::purchase::offer::ConsentBy;
use paygate::purchase::record::{AttemptStatus, Micros, ReviewReason, State};

/// The link is with the subscriber, three seconds after the start and for five minutes.
fn handed_out() -> Life {
    Life::new(by_link(), &[Input::Asked, allowed(), channel(ChannelCall::Charge, 1, page())])
}

/// The answer to an inquiry that was made at that second, when the link was out: handing it out is a send of its own.
fn inquired(second: Micros, finding: Finding) -> Input {
    answered(second, 2, finding)
}

fn answered(second: Micros, sends: u32, finding: Finding) -> Input {
    called(START + second * SECOND, channel(ChannelCall::InquireCharge, sends, finding))
}

/// Past the link's end and all that could be under way by it.
const OVER: Micros = 3 + 5 * 60 + 31;

#[test]
fn whoever_can_pay_at_a_page_is_told_where_and_asked_for_no_code() {
    let begun = Life::new(by_link(), &[Input::Asked, allowed()]);
    assert_eq!(begun.purchase.state, State::Charging);
    assert_eq!(begun.purchase.consent.as_ref().unwrap().by, ConsentBy::Payment);
    let mut life = begun;
    life.take(channel(ChannelCall::Charge, 1, page()));
    assert!(life.tells(Notice::PayAt));
    let offer = life.purchase.offer.as_ref().unwrap();
    assert_eq!(offer.pay_url.as_deref(), Some("https://bank.example/pay/1"));
    assert_eq!(offer.expires_at, life.now + 5 * MINUTE);
    assert_eq!((life.purchase.state, life.charge()), (State::AwaitingUser, AttemptStatus::Unknown));
}

#[test]
fn a_notify_is_a_reason_to_ask_and_only_the_answer_grants() {
    let mut life = handed_out();
    life.at(20, notified(true));
    assert!(life.calls(ChannelCall::InquireCharge) && !life.gives(GrantCall::Grant));
    assert_eq!(life.purchase.state, State::AwaitingUser);
    life.at(21, inquired(20, CHARGED));
    assert!(life.gives(GrantCall::Grant));
    assert_eq!(life.purchase.state, State::Granting);
}

#[test]
fn another_amount_than_the_price_is_a_persons_to_look_at() {
    let mut life = handed_out();
    let other = Finding::Charged { amount: Money::new(1, Currency::VND), msisdn: None };
    life.at(21, inquired(20, other));
    assert_eq!((life.purchase.state, life.purchase.review), (State::Review, Some(ReviewReason::Mismatch)));
}

#[test]
fn not_paid_yet_proves_nothing_until_the_link_has_ended() {
    let mut life = handed_out();
    for second in [20, 200, 330] {
        life.at(second + 1, inquired(second, UNPAID));
        assert_eq!(life.purchase.state, State::AwaitingUser, "at {second} s");
        life.at(second + 2, inquired(second, Finding::NotFound));
        assert_eq!(life.purchase.state, State::AwaitingUser, "at {second} s");
    }
    // The inquiries follow the plan, and the last one is made when the link has ended.
    while life.purchase.state == State::AwaitingUser {
        life.wake();
        assert!(life.calls(ChannelCall::InquireCharge) && !life.tells(Notice::Checking));
    }
    let asked = (life.now - START) / SECOND;
    assert!((333..=OVER).contains(&asked), "the last inquiry at {asked} s");
    life.at(OVER + 2, inquired(OVER + 1, UNPAID));
    assert_eq!((life.purchase.state, life.charge()), (State::Expired, AttemptStatus::Failed));
    assert!(life.tells(Notice::Expired));
}

#[test]
fn a_link_that_nobody_answers_for_at_its_end_stays_unknown() {
    let mut life = handed_out();
    while life.purchase.state == State::AwaitingUser {
        life.wake();
    }
    life.at(OVER + 5, inquired(OVER + 1, SILENCE));
    assert_eq!((life.purchase.state, life.charge()), (State::ChargeUnknown, AttemptStatus::Unknown));
}

#[test]
fn a_bank_without_a_verdict_is_asked_on_and_the_subscriber_told_so() {
    let mut life = handed_out();
    life.at(60, inquired(59, PENDING));
    assert_eq!(life.purchase.state, State::ChargeUnknown);
    life.wake();
    assert!(life.tells(Notice::Checking));
    life.at(70, inquired(69, UNPAID));
    assert_eq!(life.purchase.state, State::AwaitingUser, "the bank has decided that nothing was paid yet");
    life.at(80, inquired(79, NO_MONEY));
    assert_eq!(life.purchase.state, State::Declined);
}

#[test]
fn a_page_whose_address_was_lost_can_be_paid_at_by_nobody() {
    let mut life = Life::new(by_link(), &[Input::Asked, allowed(), channel(ChannelCall::Charge, 1, SILENCE)]);
    life.at(20, answered(19, 1, UNPAID));
    assert_eq!(life.purchase.state, State::ChargeUnknown, "the answer with the address may still come");
    life.at(60, answered(59, 1, UNPAID));
    assert_eq!((life.purchase.state, life.charge()), (State::Declined, AttemptStatus::Failed));
}

#[test]
fn an_address_that_comes_late_is_handed_out_all_the_same() {
    let mut life = Life::new(by_link(), &[Input::Asked, allowed(), channel(ChannelCall::Charge, 1, SILENCE)]);
    life.at(20, channel(ChannelCall::Charge, 1, page()));
    assert!(life.tells(Notice::PayAt));
    assert_eq!(life.purchase.state, State::AwaitingUser);
}

#[test]
fn a_notify_before_the_page_is_known_loses_neither() {
    let mut life = Life::new(by_link(), &[Input::Asked, allowed()]);
    life.at(3, notified(false));
    assert!(life.calls(ChannelCall::InquireCharge));
    life.at(4, channel(ChannelCall::Charge, 1, page()));
    assert_eq!(life.purchase.state, State::AwaitingUser);
    assert!(life.tells(Notice::PayAt));
}

#[test]
fn a_payment_told_of_after_the_end_is_asked_about_and_granted_while_the_wish_is_fresh() {
    let mut life = handed_out();
    life.at(OVER + 2, inquired(OVER + 1, UNPAID));
    assert_eq!(life.purchase.state, State::Expired);
    life.at(OVER + 60, notified(false));
    assert_eq!((life.purchase.state, life.effects.len()), (State::Expired, 0), "nothing was paid: nothing is news");
    life.at(OVER + 61, notified(true));
    assert!(life.calls(ChannelCall::InquireCharge));
    assert_eq!((life.purchase.state, life.charge()), (State::ChargeUnknown, AttemptStatus::Unknown));
    life.at(OVER + 62, inquired(OVER + 1, UNPAID));
    assert_eq!(life.purchase.state, State::ChargeUnknown, "that was asked before the word");
    life.at(OVER + 63, answered(OVER + 62, 3, CHARGED));
    assert_eq!(life.purchase.state, State::Granting);
}

#[test]
fn an_inquiry_from_before_the_link_was_out_says_nothing_of_it() {
    let mut life = handed_out();
    life.at(OVER + 3, answered(OVER + 2, 1, UNPAID));
    assert_eq!(life.purchase.state, State::AwaitingUser);
}

#[test]
fn what_is_settled_is_not_stirred_by_a_notify() {
    let mut life = handed_out();
    life.at(21, inquired(20, CHARGED));
    for paid in [true, false] {
        life.at(22, notified(paid));
        assert_eq!((life.purchase.state, life.effects.len()), (State::Granting, 0));
    }
}

#[test]
fn an_offer_whose_answer_the_journal_may_have_lost_is_asked_about_before_it_is_given_up() {
    for end in [Input::Timer, Input::Cancel] {
        let mut rules = rules(Otp::Gateway);
        rules.lost_before = Some(START + 60 * SECOND);
        let mut life = Life::new(rules, &[Input::Asked, allowed()]);
        life.at(400, end);
        assert!(life.calls(ChannelCall::InquireCharge));
        assert_eq!((life.purchase.state, life.charge()), (State::ChargeUnknown, AttemptStatus::Unknown));
        life.at(500, answered(499, 1, CHARGED));
        assert!(life.gives(GrantCall::Grant), "the charge under its own key stands on a consent");
        assert_eq!(life.purchase.consent.as_ref().unwrap().by, ConsentBy::Lost);
    }
}

#[test]
fn an_offer_that_nothing_was_lost_of_ends_without_a_charge() {
    let mut rules = rules(Otp::Gateway);
    rules.lost_before = Some(START + 60 * SECOND);
    let mut life = Life::new(rules, &[Input::Asked, allowed()]);
    life.at(400, Input::Timer).at(500, answered(499, 1, Finding::NotFound));
    assert_eq!(life.purchase.state, State::Declined);
    assert!(life.tells(Notice::Declined { decline: life.purchase.decline.unwrap() }));
}

#[test]
fn a_page_that_the_journal_may_have_lost_the_link_to_is_not_given_up() {
    let mut rules = by_link();
    rules.lost_before = Some(START + 60 * SECOND);
    let mut life = Life::new(rules, &[Input::Asked, allowed(), channel(ChannelCall::Charge, 1, SILENCE)]);
    life.at(60, answered(59, 1, UNPAID));
    assert_eq!(life.purchase.state, State::ChargeUnknown, "its subscriber may have the link");
    life.at(70, notified(true)).at(71, answered(70, 1, CHARGED));
    assert!(life.gives(GrantCall::Grant));
}

#[test]
fn whoever_has_begun_to_pay_when_the_link_ends_is_asked_about_until_the_bank_has_decided() {
    let mut life = handed_out();
    life.at(OVER + 2, inquired(OVER + 1, BEGUN));
    assert_eq!((life.purchase.state, life.charge()), (State::AwaitingUser, AttemptStatus::Unknown));
    life.at(OVER + 3, Input::Timer).at(OVER + 5, inquired(OVER + 4, BEGUN));
    assert_eq!(life.purchase.state, State::ChargeUnknown);
    life.at(OVER + 20, inquired(OVER + 19, CHARGED));
    assert!(life.gives(GrantCall::Grant));
}

#[test]
fn what_was_asked_before_the_word_of_a_payment_says_nothing_against_it() {
    for earlier in [NO_MONEY, UNPAID] {
        let mut life = handed_out();
        life.at(OVER + 2, notified(true)).at(OVER + 3, inquired(OVER + 1, earlier));
        assert_eq!((life.purchase.state, life.charge()), (State::AwaitingUser, AttemptStatus::Unknown));
        life.at(OVER + 5, answered(OVER + 4, 3, CHARGED));
        assert!(life.gives(GrantCall::Grant));
    }
}

#[test]
fn a_bank_that_wavers_is_not_asked_without_a_pause() {
    let mut life = handed_out();
    for second in (20..200).step_by(20) {
        life.at(second, inquired(second, PENDING)).at(second + 1, inquired(second, UNPAID));
    }
    let pause = life.purchase.due_at.unwrap() - life.now;
    assert!(pause > 50 * SECOND, "{pause}");
}
