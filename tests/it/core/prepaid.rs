//! A purchase that begins paid at a partner: every way it can go, and that none of them loses the money.

use super::sample::{
    CHARGED, NO_MONEY, PRICE, SECOND, START, after, channel, charged_elsewhere, checked, flight, grant, granted,
    msisdn, not_sold, paid, paid_at_partner, refused, resolve, rules, sold, somebody, unsaid,
};
use paygate::config::Otp;
use paygate::purchase::evidence::{CheckAnswer, Finding, GrantAnswer, Reason};
use paygate::purchase::input::{ChannelCall, Effect, GrantCall, Input, Notice};
use paygate::purchase::money::{Currency, Money};
use paygate::purchase::offer::ConsentBy;
use paygate::purchase::record::{AttemptStatus, Paid, Purchase, ReviewReason, State, Verdict};
use paygate::purchase::rules::Rules;
use paygate::purchase::subscriber::{Answer, Route, route};
use paygate::purchase::{found_extra_charge, next, objection, questions};
use paygate_parsers::request::Request;

const GRANT: Effect = Effect::Give { call: GrantCall::Grant };
const CHECKING: Effect = Effect::Tell { notice: Notice::Checking };

fn gateway() -> Rules {
    rules(Otp::Gateway)
}

/// The purchase after these inputs, and what the last of them asked for.
fn after_all(inputs: &[Input]) -> (Purchase, Vec<Effect>) {
    let (last, before) = inputs.split_last().unwrap();
    let (purchase, now) = if before.is_empty() { (charged_elsewhere(), START) } else { after(&gateway(), before) };
    let step = next(&gateway(), &purchase, last, now + SECOND);
    (step.purchase, step.effects)
}

fn timers(count: usize) -> Vec<Input> {
    vec![Input::Timer; count]
}

#[test]
fn what_is_paid_at_its_price_is_granted_at_once_on_the_partners_word() {
    let (purchase, effects) = after_all(&[paid_at_partner(sold())]);
    assert_eq!((purchase.state, purchase.paid(), purchase.granted()), (State::Granting, Paid::Yes, "owed"));
    assert_eq!(effects, [GRANT], "nothing is asked, nothing offered, nothing charged");
    let charge = purchase.charge.as_ref().unwrap();
    assert_eq!(
        (charge.key.as_str(), charge.sends, charge.status),
        ("0123456789abcdef-c1", 0, AttemptStatus::Succeeded)
    );
    assert_eq!((charge.peer_reference.as_deref(), charge.amount), (Some("pay-1"), PRICE));
    assert_eq!(
        purchase.consent.as_ref().map(|consent| (consent.by, consent.given_at)),
        Some((ConsentBy::Partner, START))
    );
    let (done, effects) = after_all(&[paid_at_partner(sold()), grant(GrantCall::Grant, 1, granted())]);
    assert_eq!((done.state, effects), (State::Done, vec![Effect::Tell { notice: Notice::Done }]));
}

#[test]
fn another_price_or_currency_is_a_persons_and_grants_nothing() {
    let dollars = Currency::try_from("USD".to_owned()).unwrap();
    for amount in [Money::new(9_999, Currency::VND), Money::new(10_001, Currency::VND), Money::new(10_000, dollars)] {
        let (purchase, effects) = after_all(&[paid(amount, sold())]);
        assert_eq!((purchase.state, purchase.review), (State::Review, Some(ReviewReason::Mismatch)));
        assert_eq!((effects.len(), purchase.paid(), purchase.granted()), (0, Paid::Yes, "owed"));
        assert_eq!(purchase.charge.map(|charge| charge.amount), Some(amount), "what was taken stands beside the price");
        let (late, effects) = after_all(&[paid(amount, sold()), checked(sold())]);
        assert_eq!((late.review, effects.len()), (Some(ReviewReason::Mismatch), 0), "an answer that comes late");
    }
}

#[test]
fn what_is_not_sold_is_a_persons_until_that_person_has_it_asked_again() {
    let (purchase, effects) = after_all(&[paid_at_partner(not_sold())]);
    assert_eq!((purchase.review, effects.len(), purchase.paid()), (Some(ReviewReason::NotSold), 0, Paid::Yes));
    assert_eq!(questions(&purchase), [Effect::Check]);
    let asked = [paid_at_partner(not_sold()), Input::Inquire { by: somebody() }];
    assert_eq!(after_all(&asked).1, [Effect::Check]);
    let still = after_all(&[&asked[..], &[checked(not_sold())]].concat());
    assert_eq!((still.0.review, still.1.len()), (Some(ReviewReason::NotSold), 0));
    let (sold, effects) = after_all(&[&asked[..], &[checked(sold())]].concat());
    assert_eq!((sold.state, effects), (State::Granting, vec![GRANT]));
}

#[test]
fn a_package_manager_that_says_nothing_is_asked_for_ever_and_the_money_is_never_called_off() {
    for nothing in [Reason::Busy, Reason::Maintenance, Reason::Config]
        .map(|reason| CheckAnswer::Refused { reason, heard: String::new() })
        .into_iter()
        .chain([unsaid()])
    {
        let mut purchase = charged_elsewhere();
        let (rules, mut now, mut asked, mut told) = (gateway(), START, 0, 0);
        let mut input = paid_at_partner(nothing.clone());
        for _ in 0..60 {
            let step = next(&rules, &purchase, &input, now);
            asked += step.effects.iter().filter(|effect| **effect == Effect::Check).count();
            told += step.effects.iter().filter(|effect| **effect == CHECKING).count();
            purchase = step.purchase;
            let in_plan = asked <= flight().plan.len();
            let fits = match purchase.state {
                State::Requested => in_plan,
                State::Review => purchase.review == Some(ReviewReason::CheckUnknown),
                _ => false,
            };
            assert!(fits, "{:?} {:?} after {asked} questions", purchase.state, purchase.review);
            let is_answered = matches!(input, Input::Checked { .. });
            now = if is_answered { purchase.due_at.unwrap() } else { now + SECOND };
            input = if is_answered { Input::Timer } else { checked(nothing.clone()) };
        }
        assert_eq!((purchase.state, told), (State::Review, 1), "told once that it is being checked");
        assert!(asked > 15, "{asked}");
        let step = next(&rules, &purchase, &checked(sold()), now);
        assert_eq!((step.purchase.state, step.effects), (State::Granting, vec![GRANT]), "whenever it answers");
    }
}

#[test]
fn a_grant_that_is_refused_for_good_is_a_persons_for_the_partner_alone_can_give_back() {
    let (refused, now) = after(&gateway(), &[paid_at_partner(sold()), grant(GrantCall::Grant, 1, refused())]);
    let absent =
        Input::Grant { call: GrantCall::InquireGrant, sends: 1, called_at: now, answer: GrantAnswer::NotFound };
    let step = next(&gateway(), &refused, &absent, now + SECOND);
    assert_eq!((step.purchase.review, step.purchase.paid()), (Some(ReviewReason::CannotRefund), Paid::Yes));
    assert_eq!(step.effects, []);
}

/// One telco may do both, and be known by one name.
#[test]
fn a_partner_with_the_name_of_a_channel_is_not_asked_to_give_back_what_that_channel_did_not_take() {
    let mut purchase = charged_elsewhere();
    purchase.order.channel = "viettel".to_owned();
    let rules = gateway();
    let mut now = START;
    let inputs = [paid_at_partner(sold()), grant(GrantCall::Grant, 1, refused())];
    for input in inputs {
        now += SECOND;
        purchase = next(&rules, &purchase, &input, now).purchase;
    }
    let absent =
        Input::Grant { call: GrantCall::InquireGrant, sends: 1, called_at: now, answer: GrantAnswer::NotFound };
    let step = next(&rules, &purchase, &absent, now + SECOND);
    assert_eq!((step.purchase.review, step.effects), (Some(ReviewReason::CannotRefund), vec![]));
    assert_eq!(questions(&step.purchase), [Effect::Give { call: GrantCall::InquireGrant }]);
}

#[test]
fn neither_the_subscriber_nor_a_frozen_channel_nor_a_channels_word_undoes_it() {
    let waiting = [paid_at_partner(unsaid())];
    let (purchase, now) = after(&gateway(), &waiting);
    let mut frozen = gateway();
    frozen.frozen = ["vinaphone".to_owned()].into();
    for (rules, input) in [
        (gateway(), Input::Cancel),
        (gateway(), channel(ChannelCall::InquireCharge, 0, NO_MONEY)),
        (gateway(), channel(ChannelCall::Charge, 0, Finding::NotFound)),
        (gateway(), channel(ChannelCall::InquireCharge, 0, CHARGED)),
        (gateway(), paid_at_partner(not_sold())),
        (frozen.clone(), checked(unsaid())),
    ] {
        assert!(!found_extra_charge(&purchase, &input), "it was paid before it was heard of");
        let step = next(&rules, &purchase, &input, now + SECOND);
        assert_eq!((step.purchase.state, step.purchase.paid(), step.effects), (State::Requested, Paid::Yes, vec![]));
        assert_eq!(step.purchase.charge, purchase.charge, "{input:?}");
    }
    let step = next(&frozen, &purchase, &checked(sold()), now + SECOND);
    assert_eq!(step.purchase.state, State::Granting);
    let step = next(&frozen, &charged_elsewhere(), &paid_at_partner(sold()), START);
    assert_eq!(step.purchase.state, State::Granting);
}

#[test]
fn a_message_of_the_subscriber_finds_it_and_counts_no_code_for_it() {
    let (purchase, now) = after(&gateway(), &[paid_at_partner(unsaid())]);
    let routed = |request| route(&gateway(), std::slice::from_ref(&purchase), &request, "0854689520", now);
    let cancel = Request::Cancel { service: None, package: None };
    assert_eq!(routed(cancel), Route::Answer(Answer::CannotCancel { at: 0 }));
    let buy = |package: &str| Request::Buy { service: "VIP".to_owned(), package: package.to_owned(), account: None };
    assert_eq!(routed(buy("NAP1")), Route::Answer(Answer::Status { at: 0 }), "it is under way already");
    let many: Vec<Purchase> = std::iter::repeat_n(purchase.clone(), 20).collect();
    let other = route(&gateway(), &many, &buy("NAP7"), "0854689520", now);
    assert!(matches!(other, Route::Start { .. }), "no code was texted for any of them: {other:?}");
    assert_eq!(purchase.order.msisdn, Some(msisdn()));
}

#[test]
fn a_person_ends_it_by_what_became_of_it() {
    let (review, now) = after(&gateway(), &[vec![paid_at_partner(not_sold())], timers(3)].concat());
    assert!(objection(&review, Verdict::Declined, None).is_some(), "the partner has proven the charge");
    for (verdict, state, granted) in
        [(Verdict::Done, State::Done, "elsewhere"), (Verdict::Refunded, State::Refunded, "no")]
    {
        let step = next(&gateway(), &review, &resolve(verdict), now + SECOND);
        assert_eq!((step.purchase.state, step.purchase.granted(), step.effects.len()), (state, granted, 1));
    }
}
