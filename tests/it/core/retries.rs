//! Charges made anew on advice 2, and seed 001's traps (charging.md §2.1), each as the story that it is.

use super::life::Life;
use super::sample::{
    BUSY, CHARGED, FIRST_KEY, MINUTE, NO_MONEY, SECOND, SILENCE, START, allowed, called, channel, grant, granted,
    retrying, under,
};
use paygate::config::Otp;
use paygate::purchase::evidence::{Advice, Decline, Finding, Reason};
use paygate::purchase::found_extra_charge;
use paygate::purchase::input::{ChannelCall, GrantCall, Input, Notice};
use paygate::purchase::record::{AttemptStatus, Micros, Paid, Retry, ReviewReason, State};
use paygate::purchase::subscriber::{Answer, Route, route};
use paygate_parsers::request::Request;

const HOUR: Micros = 60 * MINUTE;
const WAIT: Decline = Decline::of(Reason::NoMoney);

/// The consent was given at second 3.
impl Life {
    fn confirmed(pauses: &[Micros]) -> Self {
        Self::new(retrying(Otp::Gateway, pauses), &[Input::Asked, allowed(), Input::CodeRight])
    }

    /// The channel's answer to the present send of the present charge.
    fn hears(&mut self, finding: Finding) -> &mut Self {
        let charge = self.purchase.charge.clone().unwrap();
        let answer = under(&charge.key, channel(ChannelCall::Charge, charge.sends, finding));
        self.take(called(self.now, answer))
    }

    /// What is heard about the first charge, whatever came after it.
    fn hears_of_the_first(&mut self, finding: Finding) -> &mut Self {
        self.take(called(self.now, under(FIRST_KEY, channel(ChannelCall::InquireCharge, 1, finding))))
    }

    fn key(&self) -> &str {
        &self.purchase.charge.as_ref().unwrap().key
    }

    fn charges(&self) -> bool {
        self.calls(ChannelCall::Charge)
    }
}

fn hours(hours: &[Micros]) -> Vec<Micros> {
    hours.iter().map(|it| it * HOUR).collect()
}

#[test]
fn a_charge_that_moved_nothing_is_made_anew_under_a_key_of_its_own_when_its_time_has_come() {
    let mut life = Life::confirmed(&hours(&[1, 4, 12]));
    life.hears(NO_MONEY);
    let retry = Retry { attempt: 2, at: life.now + HOUR, decline: WAIT };
    assert_eq!((life.purchase.state, life.purchase.retry), (State::Charging, Some(retry)));
    assert!(life.tells(Notice::PutOff { decline: WAIT }) && !life.charges());
    assert_eq!((life.purchase.paid(), life.purchase.due_at), (Paid::No, Some(retry.at)));
    // Looked at before its time, it waits on.
    life.take(Input::Timer);
    assert_eq!((life.charges(), life.purchase.due_at), (false, Some(retry.at)));
    life.wake();
    assert_eq!((life.charges(), life.key(), life.purchase.retry), (true, "0123456789abcdef-c2", None));
    life.hears(CHARGED).take(grant(GrantCall::Grant, 1, granted()));
    assert_eq!(life.purchase.state, State::Done);
}

#[test]
fn trap_the_delay_that_is_configured_is_the_one_that_is_kept() {
    for pauses in [hours(&[1, 4, 12]), hours(&[24, 24, 24])] {
        let mut life = Life::confirmed(&pauses);
        life.rules.channels.get_mut("viettel").unwrap().retry_consent = 96 * HOUR;
        for pause in &pauses {
            let declined_at = life.now;
            life.hears(NO_MONEY).wake();
            assert_eq!((life.now - declined_at, life.charges()), (*pause, true));
        }
        life.hears(NO_MONEY);
        assert_eq!(life.purchase.state, State::Declined, "four attempts are all there are");
        assert!(life.tells(Notice::Declined { decline: WAIT }));
    }
}

#[test]
fn trap_a_charge_whose_answer_never_came_is_asked_about_and_never_made_anew() {
    let mut life = Life::confirmed(&hours(&[1, 4, 12]));
    life.hears(SILENCE);
    assert_eq!(life.purchase.state, State::ChargeUnknown);
    for _ in 0..20 {
        life.wake();
        assert!(!life.charges() && life.purchase.retry.is_none() && life.purchase.former.is_empty());
    }
    assert_eq!((life.purchase.review, life.key()), (Some(ReviewReason::ChargeUnknown), FIRST_KEY));
}

#[test]
fn trap_advice_6_is_the_same_key_again_and_only_after_proof() {
    let mut life = Life::confirmed(&hours(&[1, 4, 12]));
    life.hears(BUSY).wake();
    assert_eq!((life.charges(), life.key(), life.purchase.charge.as_ref().unwrap().sends), (true, FIRST_KEY, 2));
    // Unknown, asked about past its flight, not found: then, and not before, the same key.
    life.hears(SILENCE);
    life.now = life.purchase.charge.as_ref().unwrap().in_flight_until + SECOND;
    let found = channel(ChannelCall::InquireCharge, 2, Finding::NotFound);
    life.take(called(life.now, found)).wake();
    assert_eq!((life.charges(), life.key(), life.purchase.charge.as_ref().unwrap().sends), (true, FIRST_KEY, 3));
    life.hears(BUSY);
    assert_eq!(life.purchase.state, State::Declined);
    assert!(life.tells(Notice::Declined { decline: Decline::of(Reason::Busy) }));
}

#[test]
fn trap_advice_5_without_a_way_to_authenticate_ends_and_says_so() {
    let mut life = Life::confirmed(&hours(&[1, 4, 12]));
    let decline = Decline::of(Reason::NeedAuth);
    life.hears(Finding::NotCharged(decline));
    assert_eq!((life.purchase.state, life.purchase.decline), (State::Declined, Some(decline)));
    assert!(life.tells(Notice::Declined { decline }));
}

#[test]
fn trap_attempts_are_counted_over_the_whole_purchase_and_never_from_one_again() {
    let mut life = Life::confirmed(&[MINUTE; 3]);
    let mut attempts = Vec::new();
    while life.purchase.state == State::Charging {
        // Between two attempts the channel is busy once, and the same key goes again.
        life.hears(BUSY).wake();
        assert_eq!(life.purchase.charge.as_ref().unwrap().sends, 2);
        life.hears(NO_MONEY);
        attempts.extend(life.purchase.retry.map(|retry| retry.attempt));
        if life.purchase.retry.is_some() {
            life.wake();
        }
    }
    let keys: Vec<&str> = life.purchase.former.iter().chain(&life.purchase.charge).map(|it| it.key.as_str()).collect();
    assert_eq!((attempts, life.purchase.state), (vec![2, 3, 4], State::Declined));
    assert_eq!(keys, [1, 2, 3, 4].map(|number| format!("0123456789abcdef-c{number}")));
}

#[test]
fn trap_insufficient_fund_follows_the_advice_of_its_code_whatever_its_reason_is_advised_elsewhere() {
    let mut life = Life::confirmed(&hours(&[1, 4, 12]));
    let decline = Decline::new(Reason::NoMoney, Advice::CallOperator);
    life.hears(Finding::NotCharged(decline));
    assert_eq!((life.purchase.state, life.purchase.retry), (State::Declined, None));
    assert!(life.tells(Notice::Declined { decline }));
}

#[test]
fn without_configured_pauses_nothing_is_made_anew() {
    let mut life = Life::confirmed(&[]);
    life.hears(NO_MONEY);
    assert_eq!(life.purchase.state, State::Declined);
}

#[test]
fn a_consent_that_would_have_lapsed_by_then_or_has_lapsed_meanwhile_is_charged_on_no_more() {
    let mut life = Life::confirmed(&[2 * HOUR]);
    life.rules.channels.get_mut("viettel").unwrap().retry_consent = HOUR;
    life.hears(NO_MONEY);
    assert_eq!(life.purchase.state, State::Declined, "it would lapse first");
    let mut life = Life::confirmed(&[2 * HOUR]);
    life.rules.channels.get_mut("viettel").unwrap().retry_consent = 3 * HOUR;
    life.hears(NO_MONEY);
    life.now = START + 3 * SECOND + 3 * HOUR;
    life.take(Input::Timer);
    assert_eq!((life.purchase.state, life.purchase.decline), (State::Declined, Some(WAIT)));
    assert!(life.tells(Notice::Declined { decline: WAIT }) && !life.charges());
}

#[test]
fn what_a_retry_meets_when_its_time_comes_is_the_policy_as_it_is_then() {
    let mut life = Life::confirmed(&[HOUR]);
    life.hears(NO_MONEY);
    life.rules.channels.get_mut("viettel").unwrap().retry.clear();
    life.wake();
    assert_eq!((life.purchase.state, life.charges()), (State::Declined, false));
}

#[test]
fn a_purchase_that_waits_is_withdrawn_by_a_word_and_asking_again_tells_how_it_stands() {
    let mut life = Life::confirmed(&[HOUR]);
    life.hears(NO_MONEY);
    let again = Request::Buy { service: "VIP".to_owned(), package: "NAP1".to_owned(), account: None };
    let routed =
        |request: &Request| route(&life.rules, std::slice::from_ref(&life.purchase), request, "0854689520", life.now);
    assert_eq!(routed(&again), Route::Answer(Answer::Status { at: 0 }));
    let cancel = Request::Cancel { service: None, package: None };
    assert_eq!(routed(&cancel), Route::Apply { at: 0, input: Input::Cancel });
    life.take(Input::Cancel);
    assert_eq!((life.purchase.state, life.purchase.retry, life.purchase.due_at), (State::Cancelled, None, None));
    assert!(life.tells(Notice::Cancelled));
}

#[test]
fn a_charge_under_way_is_not_withdrawn_because_an_earlier_one_could_be() {
    let mut life = Life::confirmed(&[HOUR]);
    life.hears(NO_MONEY).wake().take(Input::Cancel);
    assert_eq!(life.purchase.state, State::Charging);
}

#[test]
fn a_frozen_channel_holds_the_next_attempt_off_until_it_is_thawed() {
    let mut life = Life::confirmed(&[HOUR]);
    life.hears(NO_MONEY);
    life.rules.frozen = ["viettel".to_owned()].into();
    for _ in 0..3 {
        life.wake();
        assert_eq!((life.purchase.state, life.charges()), (State::Charging, false));
        assert_eq!(life.purchase.retry.map(|retry| Some(retry.at)), Some(life.purchase.due_at));
    }
    life.rules.frozen.clear();
    assert!(life.wake().charges());
}

#[test]
fn a_code_that_the_channel_judged_opened_one_reservation_and_is_no_consent_to_another() {
    let code = Input::ChannelCode { code: "135790".to_owned() };
    let prepared = channel(ChannelCall::Prepare, 1, Finding::CodeSent);
    let mut life = Life::new(retrying(Otp::Telco, &[HOUR]), &[Input::Asked, allowed(), prepared, code]);
    life.hears(NO_MONEY);
    assert_eq!((life.purchase.state, life.purchase.retry), (State::Declined, None));
}

#[test]
fn a_resend_of_a_later_attempt_stands_on_the_consent_that_its_retry_stood_on() {
    let mut life = Life::confirmed(&[HOUR]);
    life.hears(NO_MONEY).wake().hears(BUSY).wake();
    assert_eq!((life.charges(), life.key()), (true, "0123456789abcdef-c2"));
}

#[test]
fn a_later_attempt_that_is_charged_days_after_the_consent_is_granted_and_not_given_back() {
    let mut life = Life::confirmed(&hours(&[24, 24, 24]));
    life.rules.channels.get_mut("viettel").unwrap().retry_consent = 96 * HOUR;
    life.hears(NO_MONEY).wake().hears(NO_MONEY).wake().hears(CHARGED);
    assert_eq!(life.purchase.state, State::Granting);
}

#[test]
fn the_first_charge_found_made_while_the_second_waits_is_the_charge() {
    let mut life = Life::confirmed(&[HOUR]);
    life.hears(NO_MONEY).hears_of_the_first(CHARGED);
    assert_eq!((life.purchase.state, life.key(), life.purchase.retry), (State::Granting, FIRST_KEY, None));
}

#[test]
fn the_first_charge_found_made_while_the_second_is_under_way_or_done_is_one_too_many_and_a_persons() {
    for charged in [false, true] {
        let mut life = Life::confirmed(&[HOUR]);
        life.hears(NO_MONEY).wake();
        if charged {
            life.hears(CHARGED).take(grant(GrantCall::Grant, 1, granted()));
        }
        let late = under(FIRST_KEY, channel(ChannelCall::InquireCharge, 1, CHARGED));
        assert!(found_extra_charge(&life.purchase, &late));
        life.hears_of_the_first(CHARGED);
        assert_eq!(life.purchase.review, Some(ReviewReason::Contradiction));
        let first = &life.purchase.former[0];
        assert_eq!((first.status, first.peer_reference.as_deref()), (AttemptStatus::Succeeded, Some("pay-1")));
        assert_eq!((life.key(), life.purchase.paid()), ("0123456789abcdef-c2", Paid::Yes));
        assert!(!found_extra_charge(&life.purchase, &late), "it is news once");
    }
}

#[test]
fn the_first_charge_found_made_after_the_last_was_declined_is_granted_and_after_a_withdrawal_given_back() {
    let mut life = Life::confirmed(&[HOUR]);
    life.hears(NO_MONEY).wake().hears(NO_MONEY);
    assert_eq!(life.purchase.state, State::Declined);
    life.hears_of_the_first(CHARGED);
    assert_eq!((life.purchase.state, life.key()), (State::Granting, FIRST_KEY));
    let mut life = Life::confirmed(&[HOUR, HOUR]);
    life.hears(NO_MONEY).wake().hears(NO_MONEY).take(Input::Cancel).hears_of_the_first(CHARGED);
    assert_eq!((life.purchase.state, life.key()), (State::Refunding, FIRST_KEY));
}

#[test]
fn an_old_answer_about_the_first_charge_proves_nothing_about_the_second() {
    let mut life = Life::confirmed(&[HOUR]);
    life.hears(NO_MONEY).wake();
    let second = life.purchase.charge.clone();
    for finding in [NO_MONEY, BUSY, SILENCE, Finding::NotFound] {
        life.hears_of_the_first(finding);
        assert_eq!((life.purchase.state, &life.purchase.charge), (State::Charging, &second));
    }
}

fn notified_of_the_first(paid: bool) -> Input {
    Input::Notified { key: FIRST_KEY.to_owned(), paid, digest: "n1".to_owned(), heard: String::new() }
}

#[test]
fn a_notify_that_the_first_charge_was_paid_is_asked_about_where_it_would_be_the_only_one_and_else_a_persons() {
    let mut life = Life::confirmed(&[HOUR, HOUR]);
    life.hears(NO_MONEY).wake().hears(NO_MONEY).take(notified_of_the_first(false));
    assert!(life.purchase.retry.is_some(), "not paid is no news");
    life.take(notified_of_the_first(true));
    assert_eq!((life.purchase.state, life.key()), (State::ChargeUnknown, FIRST_KEY));
    assert!(life.calls(ChannelCall::InquireCharge));
    life.hears_of_the_first(CHARGED);
    assert_eq!(life.purchase.state, State::Granting);
    let mut life = Life::confirmed(&[HOUR]);
    life.hears(NO_MONEY).wake().take(notified_of_the_first(true));
    assert_eq!(life.purchase.review, Some(ReviewReason::Contradiction));
}

#[test]
fn a_link_channel_makes_nothing_anew() {
    let mut life = Life::confirmed(&[HOUR]);
    life.rules.channels.get_mut("viettel").unwrap().link_ttl = Some(5 * MINUTE);
    life.hears(NO_MONEY);
    assert_eq!((life.purchase.state, life.purchase.retry), (State::Declined, None));
}

#[test]
fn a_journal_that_may_have_lost_the_next_attempt_asks_about_it_before_it_is_given_up() {
    let mut life = Life::confirmed(&[HOUR]);
    life.hears(NO_MONEY);
    life.rules.lost_before = Some(life.now + HOUR);
    life.take(Input::Cancel);
    assert_eq!((life.purchase.state, life.key()), (State::ChargeUnknown, "0123456789abcdef-c2"));
    assert!(life.calls(ChannelCall::InquireCharge));
    // What was charged and lost was agreed to before the withdrawal, and may have been granted too.
    let mut charged = Life::confirmed(&[HOUR]);
    (charged.rules, charged.purchase, charged.now) = (life.rules.clone(), life.purchase.clone(), life.now);
    charged.hears(CHARGED);
    assert_eq!(charged.purchase.state, State::Granting);
    // What was not is not charged now.
    life.now = life.purchase.charge.as_ref().unwrap().in_flight_until + SECOND;
    life.take(called(life.now, channel(ChannelCall::InquireCharge, 1, Finding::NotFound)));
    assert_eq!(life.purchase.state, State::Declined);
}

#[test]
fn a_charge_beside_another_that_moved_money_is_still_asked_about_until_it_is_known() {
    for (finding, status) in [(CHARGED, AttemptStatus::Succeeded), (NO_MONEY, AttemptStatus::Failed)] {
        let mut life = Life::confirmed(&[HOUR]);
        life.hears(NO_MONEY).wake().hears_of_the_first(CHARGED);
        for _ in 0..8 {
            life.wake();
        }
        assert!(life.calls(ChannelCall::InquireCharge) && !life.charges());
        life.hears(SILENCE).hears(finding);
        assert_eq!((life.purchase.review, life.charge()), (Some(ReviewReason::Contradiction), status));
        life.wake();
        assert!(!life.calls(ChannelCall::InquireCharge), "it is known");
    }
}
