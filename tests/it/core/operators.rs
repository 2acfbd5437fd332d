//! What operators do to a purchase: inquiries out of turn, verdicts in review, and channels where nothing new begins.

use super::sample::{
    BUSY, CHARGED, PRICE, SECOND, SILENCE, after, allowed, channel, grant, grant_silence, granted, resolve, rules,
    somebody,
};
use paygate::config::Otp;
use paygate::purchase::evidence::{Finding, Reason};
use paygate::purchase::input::{ChannelCall, Effect, GrantCall, Input, Notice, Person};
use paygate::purchase::record::{AttemptStatus, Paid, Purchase, ReviewReason, State, Verdict};
use paygate::purchase::rules::Rules;
use paygate::purchase::{Step, found_extra_charge, next, objection, questions};

fn inquire() -> Input {
    Input::Inquire { by: somebody() }
}

fn with_evidence(verdict: Verdict) -> Input {
    Input::Resolve { verdict, by: Person { evidence: Some("statement 2026-11, line 12".to_owned()), ..somebody() } }
}

fn frozen(otp: Otp) -> Rules {
    Rules { frozen: ["viettel".to_owned()].into(), ..rules(otp) }
}

/// A purchase led by these inputs, and what the last one does under other rules.
fn then(inputs: &[Input], rules_then: &Rules, input: &Input) -> Step {
    let (purchase, now) = after(&rules(Otp::Gateway), inputs);
    next(rules_then, &purchase, input, now + SECOND)
}

fn confirmed() -> Vec<Input> {
    vec![Input::Asked, allowed(), Input::CodeRight]
}

fn paid() -> Vec<Input> {
    [confirmed(), vec![channel(ChannelCall::Charge, 1, CHARGED)]].concat()
}

fn tells(step: &Step) -> Vec<Notice> {
    let told = |effect: &Effect| if let Effect::Tell { notice } = effect { Some(*notice) } else { None };
    step.effects.iter().filter_map(told).collect()
}

fn in_review(before: Vec<Input>) -> (Rules, Purchase, i64) {
    let rules = rules(Otp::Gateway);
    let (purchase, now) = after(&rules, &[before, vec![Input::Timer; 40]].concat());
    assert_eq!(purchase.state, State::Review);
    (rules, purchase, now + SECOND)
}

#[test]
fn an_inquiry_asks_about_what_is_unknown_and_leaves_the_plan_as_it_was() {
    let rules = rules(Otp::Gateway);
    let unknown = [confirmed(), vec![channel(ChannelCall::Charge, 1, SILENCE)]].concat();
    let (purchase, now) = after(&rules, &unknown);
    let step = next(&rules, &purchase, &inquire(), now + SECOND);
    assert_eq!(step.effects, [Effect::Call { call: ChannelCall::InquireCharge }]);
    assert_eq!((step.purchase.due_at, step.purchase.asked), (purchase.due_at, purchase.asked));
    let granting = [paid(), vec![grant(GrantCall::Grant, 1, grant_silence())]].concat();
    let (purchase, now) = after(&rules, &granting);
    let step = next(&rules, &purchase, &inquire(), now + SECOND);
    assert_eq!(step.effects, [Effect::Give { call: GrantCall::InquireGrant }]);
}

#[test]
fn an_inquiry_where_nothing_is_unknown_is_written_down_and_asks_nobody() {
    let rules = rules(Otp::Gateway);
    for inputs in [confirmed(), paid(), [paid(), vec![grant(GrantCall::Grant, 1, granted())]].concat()] {
        let (purchase, now) = after(&rules, &inputs);
        assert_eq!(questions(&purchase), []);
        let step = next(&rules, &purchase, &inquire(), now + SECOND);
        assert_eq!((step.effects.len(), step.purchase.state), (0, purchase.state));
        assert_eq!(step.purchase.version, purchase.version + 1, "each input has its event");
    }
}

#[test]
fn a_verdict_ends_a_review_moves_nothing_and_is_told_once() {
    for (verdict, notice, state, paid) in [
        (Verdict::Done, Notice::Done, State::Done, Paid::Yes),
        (Verdict::Refunded, Notice::Refunded, State::Refunded, Paid::Refunded),
    ] {
        let (rules, review, now) = in_review(confirmed());
        let step = next(&rules, &review, &resolve(verdict), now);
        assert_eq!((step.purchase.state, step.purchase.paid(), step.purchase.due_at), (state, paid, None));
        assert_eq!(step.effects, [Effect::Tell { notice }], "it moves nothing");
        let again = next(&rules, &step.purchase, &resolve(verdict), now + SECOND);
        assert_eq!((again.effects.len(), again.purchase.state), (0, state), "only from review");
    }
    let (rules, review, now) = in_review(confirmed());
    let step = next(&rules, &review, &resolve(Verdict::Declined), now);
    assert_eq!((step.purchase.state, step.purchase.paid()), (State::Declined, Paid::No));
    assert!(matches!(tells(&step)[..], [Notice::Declined { decline }] if decline.reason == Reason::Declined));
}

#[test]
fn a_package_that_was_given_by_hand_is_granted_elsewhere() {
    let (rules, review, now) = in_review(confirmed());
    let step = next(&rules, &review, &resolve(Verdict::Done), now);
    assert_eq!(step.purchase.granted(), "elsewhere");
    let (rules, review, now) = in_review(paid());
    let step = next(&rules, &review, &resolve(Verdict::Done), now);
    assert_eq!(step.purchase.granted(), "yes", "the grant that was unknown is the one that stands");
}

#[test]
fn a_verdict_against_what_a_peer_has_proven_needs_its_evidence_named() {
    let (rules, review, now) = in_review(paid());
    assert!(objection(&review, Verdict::Declined, None).is_some());
    let step = next(&rules, &review, &resolve(Verdict::Declined), now);
    assert_eq!((step.purchase.state, step.effects.len()), (State::Review, 0));
    let step = next(&rules, &review, &with_evidence(Verdict::Declined), now);
    assert_eq!((step.purchase.state, step.purchase.paid()), (State::Declined, Paid::No));
}

#[test]
fn an_outcome_that_was_told_before_the_review_is_not_told_again() {
    let rules = rules(Otp::Gateway);
    let other = Finding::Charged { amount: PRICE, msisdn: Some("+84900000000".to_owned()) };
    let late = channel(ChannelCall::InquireCharge, 1, other);
    let (purchase, now) = after(&rules, &[paid(), vec![grant(GrantCall::Grant, 1, granted()), late]].concat());
    assert_eq!(purchase.review, Some(ReviewReason::Mismatch));
    let step = next(&rules, &purchase, &resolve(Verdict::Done), now + SECOND);
    assert_eq!((step.purchase.state, tells(&step).len()), (State::Done, 0), "done was told when it was done");
    let step = next(&rules, &purchase, &resolve(Verdict::Refunded), now + SECOND);
    assert_eq!(tells(&step), [Notice::Refunded], "that is another outcome");
}

#[test]
fn what_a_peer_says_against_a_verdict_is_for_a_person_again_and_moves_nothing() {
    let (rules, review, now) = in_review(confirmed());
    let declined = next(&rules, &review, &resolve(Verdict::Declined), now).purchase;
    let step = next(&rules, &declined, &channel(ChannelCall::InquireCharge, 1, CHARGED), now + SECOND);
    assert_eq!(step.purchase.review, Some(ReviewReason::Contradiction));
    assert!(!step.effects.iter().any(|effect| matches!(effect, Effect::Give { .. } | Effect::Call { .. })), "{step:?}");
}

#[test]
fn on_a_frozen_channel_nothing_is_asked_for_offered_or_set_aside() {
    for otp in [Otp::Gateway, Otp::Telco, Otp::None] {
        let rules = frozen(otp);
        let (purchase, _) = after(&rules, &[Input::Asked]);
        assert_eq!((purchase.state, purchase.declined_for()), (State::Refused, Some(Reason::Maintenance)));
        let (asked, now) = after(&super::sample::rules(otp), &[Input::Asked]);
        let step = next(&rules, &asked, &allowed(), now + SECOND);
        assert_eq!((step.purchase.state, step.effects), (State::Refused, vec![Effect::Tell { notice: Notice::Busy }]));
    }
}

#[test]
fn a_confirmation_on_a_frozen_channel_is_declined_as_not_charged() {
    let step = then(&[Input::Asked, allowed()], &frozen(Otp::Gateway), &Input::CodeRight);
    assert_eq!((step.purchase.state, step.purchase.paid()), (State::Declined, Paid::No));
    assert!(step.purchase.charge.is_none(), "no intent is made");
    assert!(matches!(step.effects[..], [Effect::Tell { notice: Notice::Declined { .. } }]), "{:?}", step.effects);
}

#[test]
fn what_a_frozen_channel_has_set_aside_is_let_go_of() {
    let telco = rules(Otp::Telco);
    let prepared = [Input::Asked, allowed(), channel(ChannelCall::Prepare, 1, Finding::CodeSent)];
    let (purchase, now) = after(&telco, &prepared);
    let code = Input::ChannelCode { code: "135790".to_owned() };
    let step = next(&frozen(Otp::Telco), &purchase, &code, now + SECOND);
    assert_eq!(step.purchase.state, State::Declined);
    assert!(step.effects.contains(&Effect::Call { call: ChannelCall::CancelCharge }));
    assert!(!step.effects.contains(&Effect::Call { call: ChannelCall::Charge }));
}

#[test]
fn a_charge_proven_unmoved_is_not_sent_again_on_a_frozen_channel() {
    let busy = [confirmed(), vec![channel(ChannelCall::Charge, 1, BUSY)]].concat();
    let step = then(&busy, &frozen(Otp::Gateway), &Input::Timer);
    assert_eq!(step.purchase.state, State::Declined);
    assert!(!step.effects.contains(&Effect::Call { call: ChannelCall::Charge }));
    let step = then(&busy, &rules(Otp::Gateway), &Input::Timer);
    assert!(step.effects.contains(&Effect::Call { call: ChannelCall::Charge }), "thawed, it is");
}

#[test]
fn what_is_begun_goes_on_while_its_channel_is_frozen() {
    let unknown = [confirmed(), vec![channel(ChannelCall::Charge, 1, SILENCE)]].concat();
    let rules = frozen(Otp::Gateway);
    let step = then(&unknown, &rules, &Input::Timer);
    assert!(step.effects.contains(&Effect::Call { call: ChannelCall::InquireCharge }));
    let step = then(&unknown, &rules, &channel(ChannelCall::InquireCharge, 1, CHARGED));
    assert!(step.effects.contains(&Effect::Give { call: GrantCall::Grant }));
}

#[test]
fn a_second_payment_under_one_key_is_an_extra_charge_for_a_person_and_the_first_ones_reference_stays() {
    let rules = rules(Otp::Gateway);
    let (done, now) = after(&rules, &[paid(), vec![grant(GrantCall::Grant, 1, granted())]].concat());
    let mut second = channel(ChannelCall::InquireCharge, 1, CHARGED);
    assert!(!found_extra_charge(&done, &second), "the same payment, told once more");
    if let Input::Channel { answer, .. } = &mut second {
        answer.peer_reference = Some("pay-2".to_owned());
    }
    assert!(found_extra_charge(&done, &second));
    let step = next(&rules, &done, &second, now + SECOND);
    assert_eq!(step.purchase.review, Some(ReviewReason::Contradiction));
    let charge = step.purchase.charge.unwrap();
    assert_eq!((charge.peer_reference.as_deref(), charge.status), (Some("pay-1"), AttemptStatus::Succeeded));
}

#[test]
fn a_charge_of_a_purchase_that_was_given_up_is_an_extra_charge() {
    let rules = rules(Otp::Gateway);
    let declined = [confirmed(), vec![channel(ChannelCall::Charge, 1, super::sample::NO_MONEY)]].concat();
    let (purchase, _) = after(&rules, &declined);
    assert!(found_extra_charge(&purchase, &channel(ChannelCall::InquireCharge, 1, CHARGED)));
    let (purchase, _) = after(&rules, &confirmed());
    assert!(!found_extra_charge(&purchase, &channel(ChannelCall::Charge, 1, CHARGED)), "that one was agreed to");
}
