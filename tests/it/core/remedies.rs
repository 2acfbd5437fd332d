//! What a person has done for a purchase: granted, marked, given back. Never both the package and the money, and nothing
//! beside a request that may still be under way.

use super::sample::{
    CHARGED, FIRST_KEY, MINUTE, NO_MONEY, PRICE, REMEDIES, SECOND, SILENCE, START, after, allowed, called, channel,
    grant, grant_silence, granted, not_sold, paid_at_partner, refused, remedy, resolve, retrying, rules, somebody,
    under, unsaid,
};
use paygate::config::Otp;
use paygate::purchase::evidence::{Finding, GrantAnswer};
use paygate::purchase::input::{ChannelCall, Effect, GrantCall, Input, Notice, Person, Remedy};
use paygate::purchase::money::{Currency, Money};
use paygate::purchase::record::{Micros, Paid, Purchase, ReviewReason, State, Verdict};
use paygate::purchase::rules::Rules;
use paygate::purchase::{Step, needs_second, next, objection_to};

const GRANT: Effect = Effect::Give { call: GrantCall::Grant };
const REFUND: Effect = Effect::Call { call: ChannelCall::Refund };
const BACK: Remedy = Remedy::Refund { amount: PRICE };
/// Long after whatever was under way has landed.
const LATER: Micros = START + 7 * 24 * 60 * MINUTE;

fn gateway() -> Rules {
    rules(Otp::Gateway)
}

fn no_refunds() -> Rules {
    let mut rules = gateway();
    rules.channels.get_mut("viettel").unwrap().can_refund = false;
    rules
}

fn confirmed() -> Vec<Input> {
    vec![Input::Asked, allowed(), Input::CodeRight]
}

fn paid() -> Vec<Input> {
    [confirmed(), vec![channel(ChannelCall::Charge, 1, CHARGED)]].concat()
}

/// Paid, refused the package for good, and no way to give the money back: in review.
fn owed() -> Purchase {
    let refused = [paid(), vec![grant(GrantCall::Grant, 1, refused())]].concat();
    let since = after(&no_refunds(), &refused).1;
    let asked = called(since, grant(GrantCall::InquireGrant, 1, GrantAnswer::NotFound));
    let (purchase, _) = after(&no_refunds(), &[refused, vec![asked]].concat());
    assert_eq!(purchase.review, Some(ReviewReason::CannotRefund));
    purchase
}

fn done() -> Purchase {
    after(&gateway(), &[paid(), vec![grant(GrantCall::Grant, 1, granted())]].concat()).0
}

fn ordered(rules: &Rules, purchase: &Purchase, input: &Input) -> Step {
    next(rules, purchase, input, LATER)
}

fn with(input: Input, change: impl FnOnce(&mut bool, &mut Person)) -> Input {
    let Input::Remedy { remedy, called_at, mut overrides, mut by } = input else { unreachable!() };
    change(&mut overrides, &mut by);
    Input::Remedy { remedy, called_at, overrides, by }
}

fn overridden(remedy_: Remedy) -> Input {
    with(remedy(remedy_, LATER), |overrides, _| *overrides = true)
}

/// The order is recorded, and nothing but that.
fn is_refused(rules: &Rules, purchase: &Purchase, input: &Input) -> bool {
    let Step { purchase: after, effects } = ordered(rules, purchase, input);
    let recorded = Purchase {
        version: purchase.version + 1,
        updated_at: after.updated_at,
        due_at: after.due_at,
        ..purchase.clone()
    };
    effects.is_empty() && after == recorded
}

#[test]
fn what_was_paid_and_could_not_be_granted_is_granted_by_the_word_of_one() {
    let Step { purchase, effects } = ordered(&gateway(), &owed(), &remedy(Remedy::Grant, LATER));
    assert_eq!((purchase.state, effects), (State::Granting, vec![GRANT]));
    let grant = purchase.grant.unwrap();
    assert_eq!((grant.key.as_str(), grant.sends), ("0123456789abcdef", 2), "only ever as the grant that it is");
    assert!(!needs_second(Remedy::Grant, false));
}

#[test]
fn a_grant_that_may_stand_is_asked_about_before_it_is_sent_again() {
    let lost = [paid(), vec![grant(GrantCall::Grant, 1, grant_silence())], vec![Input::Timer; 40]].concat();
    let review = after(&gateway(), &lost).0;
    assert_eq!(review.review, Some(ReviewReason::GrantUnknown));
    let Step { purchase, effects } = ordered(&gateway(), &review, &remedy(Remedy::Grant, LATER));
    assert_eq!(effects, [Effect::Give { call: GrantCall::InquireGrant }]);
    assert_eq!(purchase.grant.as_ref().unwrap().sends, review.grant.as_ref().unwrap().sends);
    assert!(is_refused(&gateway(), &review, &remedy(BACK, LATER)), "no money back beside a grant that may stand");
}

#[test]
fn a_package_manager_that_does_not_know_its_keys_is_sent_no_grant_beside_one_under_way() {
    let mut forgetful = gateway();
    forgetful.idempotent_grants = false;
    let landed = owed().grant.unwrap().in_flight_until;
    assert!(is_refused(&forgetful, &owed(), &remedy(Remedy::Grant, landed)));
    assert!(!is_refused(&forgetful, &owed(), &remedy(Remedy::Grant, landed + 1)));
    assert!(is_refused(&gateway(), &owed(), &remedy(BACK, landed)), "nor is money given back");
}

#[test]
fn what_the_channel_took_after_all_is_granted_while_it_is_fresh_and_else_a_persons() {
    let unknown = [confirmed(), vec![channel(ChannelCall::Charge, 1, SILENCE)]].concat();
    let declined = [confirmed(), vec![channel(ChannelCall::Charge, 1, NO_MONEY)]].concat();
    let expired = vec![Input::Asked, allowed(), Input::Timer];
    for inputs in [unknown, declined] {
        let (purchase, now) = after(&gateway(), &inputs);
        let marked = next(&gateway(), &purchase, &remedy(Remedy::MarkPaid, now), now + SECOND);
        assert_eq!((marked.purchase.state, marked.purchase.paid()), (State::Granting, Paid::Yes));
        assert_eq!(marked.effects, [GRANT]);
        let late = ordered(&gateway(), &purchase, &remedy(Remedy::MarkPaid, LATER));
        assert_eq!((late.purchase.review, late.effects.len()), (Some(ReviewReason::LateCharge), 0));
        assert_eq!(ordered(&gateway(), &late.purchase, &remedy(Remedy::Grant, LATER)).effects, [GRANT]);
        assert_eq!(ordered(&gateway(), &late.purchase, &remedy(BACK, LATER)).effects, [REFUND]);
    }
    let never_charged = after(&gateway(), &expired).0;
    assert!(is_refused(&gateway(), &never_charged, &remedy(Remedy::MarkPaid, LATER)));
}

#[test]
fn marking_as_paid_needs_its_evidence() {
    let unknown = after(&gateway(), &[confirmed(), vec![channel(ChannelCall::Charge, 1, SILENCE)]].concat()).0;
    let bare = with(remedy(Remedy::MarkPaid, LATER), |_, by| by.evidence = Some("  ".to_owned()));
    assert!(is_refused(&gateway(), &unknown, &bare));
}

#[test]
fn what_came_by_another_way_is_never_sent_by_this_one() {
    let Step { purchase, effects } = ordered(&gateway(), &owed(), &remedy(Remedy::MarkGranted, LATER));
    assert_eq!((purchase.state, purchase.granted()), (State::Done, "elsewhere"));
    assert_eq!((effects, purchase.due_at), (vec![Effect::Tell { notice: Notice::Done }], None));
    for remedy_ in [Remedy::Grant, Remedy::MarkGranted, BACK] {
        assert!(is_refused(&gateway(), &purchase, &remedy(remedy_, LATER)), "{remedy_:?}");
    }
    let twice = next(&gateway(), &purchase, &grant(GrantCall::Grant, 1, granted()), LATER + SECOND).purchase;
    assert_eq!(twice.review, Some(ReviewReason::Contradiction), "it may be there twice");
}

#[test]
fn money_goes_back_by_the_word_of_two_and_to_the_exact_amount() {
    assert!(needs_second(BACK, false));
    let Step { purchase, effects } = ordered(&gateway(), &owed(), &remedy(BACK, LATER));
    assert_eq!((purchase.state, effects), (State::Refunding, vec![REFUND]));
    assert_eq!(purchase.refund.unwrap().amount, PRICE);
    for wrong in [Money::new(9_999, Currency::VND), Money::new(10_000, Currency::try_from("USD".to_owned()).unwrap())] {
        assert!(is_refused(&gateway(), &owed(), &remedy(Remedy::Refund { amount: wrong }, LATER)), "{wrong}");
    }
    let alone = with(remedy(BACK, LATER), |_, by| by.second = None);
    let twice_the_same = with(remedy(BACK, LATER), |_, by| by.second = Some(by.operator.clone()));
    for input in [alone, twice_the_same] {
        assert!(is_refused(&gateway(), &owed(), &input), "{input:?}");
    }
    assert!(is_refused(&no_refunds(), &owed(), &remedy(BACK, LATER)), "the channel takes none");
}

#[test]
fn a_package_and_its_money_are_both_given_only_where_two_people_say_so() {
    assert!(is_refused(&gateway(), &done(), &remedy(BACK, LATER)));
    assert_eq!(ordered(&gateway(), &done(), &overridden(BACK)).effects, [REFUND]);
    let back = ordered(&gateway(), &owed(), &remedy(BACK, LATER)).purchase;
    assert!(is_refused(&gateway(), &back, &remedy(Remedy::Grant, LATER)), "while it is on its way back");
    assert!(is_refused(&gateway(), &back, &overridden(Remedy::Grant)), "nor by two: it is not known yet");
    let refunded = channel(ChannelCall::Refund, 1, Finding::Refunded { amount: PRICE });
    let back = next(&gateway(), &back, &refunded, LATER + SECOND).purchase;
    assert_eq!(back.state, State::Refunded);
    assert!(is_refused(&gateway(), &back, &remedy(Remedy::Grant, LATER)));
    assert!(is_refused(&gateway(), &back, &overridden(BACK)), "money goes back once, whoever says so");
    let granting = ordered(&gateway(), &back, &overridden(Remedy::Grant));
    assert_eq!((granting.purchase.state, granting.effects), (State::Granting, vec![GRANT]));
    let alone = with(overridden(Remedy::Grant), |_, by| by.second = None);
    assert!(is_refused(&gateway(), &back, &alone));
}

#[test]
fn money_that_a_partner_took_is_not_ours_to_give_back() {
    let (prepaid, _) = after(&gateway(), &[paid_at_partner(not_sold())]);
    assert!(is_refused(&gateway(), &prepaid, &remedy(BACK, LATER)));
    let unsaid = objection_to(&gateway(), &prepaid, Remedy::Grant, false, None, LATER);
    assert!(unsaid.is_some_and(|why| why.contains("paygate inquire")), "{unsaid:?}");
}

#[test]
fn nothing_is_done_to_what_is_still_under_way_or_was_never_paid() {
    let offered = vec![Input::Asked, allowed()];
    for inputs in [offered, confirmed(), paid()] {
        let (purchase, _) = after(&gateway(), &inputs);
        for remedy_ in REMEDIES {
            assert!(is_refused(&gateway(), &purchase, &remedy(remedy_, LATER)), "{:?} {remedy_:?}", purchase.state);
        }
    }
    let told = Input::Inquire { by: somebody() };
    assert_eq!(ordered(&gateway(), &done(), &told).effects, []);
}

/// The first charge is found made while the second is under way: the money of one, perhaps of both.
fn charged_beside_another(second: Option<Finding>) -> (Rules, Purchase) {
    let anew = retrying(Otp::Gateway, &[SECOND]);
    let begun = [confirmed(), vec![channel(ChannelCall::Charge, 1, NO_MONEY), Input::Timer]].concat();
    let found = under(FIRST_KEY, channel(ChannelCall::InquireCharge, 1, CHARGED));
    let second = second.map(|finding| channel(ChannelCall::InquireCharge, 1, finding));
    let inputs: Vec<Input> = begun.into_iter().chain([found]).chain(second).collect();
    let (purchase, _) = after(&anew, &inputs);
    assert_eq!(purchase.state, State::Review);
    (anew, purchase)
}

#[test]
fn no_remedy_of_one_charge_lets_another_be_forgotten() {
    for second in [None, Some(CHARGED)] {
        let (rules, purchase) = charged_beside_another(second);
        for remedy_ in [Remedy::Grant, Remedy::MarkGranted, BACK] {
            let input = with(remedy(remedy_, LATER), |overrides, _| *overrides = true);
            assert!(is_refused(&rules, &purchase, &input), "{remedy_:?} {:?}", purchase.charge);
        }
    }
    let (rules, purchase) = charged_beside_another(Some(NO_MONEY));
    assert!(is_refused(&rules, &purchase, &remedy(BACK, LATER)), "it is not the present charge that moved it");
    assert_eq!(ordered(&rules, &purchase, &remedy(Remedy::Grant, LATER)).effects, [GRANT]);
}

#[test]
fn what_is_back_is_not_marked_as_paid_and_granted_by_one_person() {
    let back = ordered(&gateway(), &owed(), &remedy(BACK, LATER)).purchase;
    let less = Finding::Refunded { amount: Money::new(9_000, Currency::VND) };
    let mismatch = next(&gateway(), &back, &channel(ChannelCall::Refund, 1, less), LATER + SECOND).purchase;
    assert_eq!((mismatch.review, mismatch.paid()), (Some(ReviewReason::Mismatch), Paid::Refunded));
    assert!(is_refused(&gateway(), &mismatch, &remedy(Remedy::MarkPaid, LATER)));
}

#[test]
fn what_two_people_have_granted_beside_its_money_is_given_back_no_second_time() {
    let mut purchase = next(&gateway(), &owed(), &resolve(Verdict::Refunded), LATER).purchase;
    assert_eq!((purchase.state, purchase.refund.is_none()), (State::Refunded, true), "given back by hand");
    purchase = ordered(&gateway(), &purchase, &overridden(Remedy::Grant)).purchase;
    assert_eq!((purchase.state, purchase.paid()), (State::Granting, Paid::Refunded));
    let sends = purchase.grant.as_ref().unwrap().sends;
    purchase = next(&gateway(), &purchase, &grant(GrantCall::Grant, sends, refused()), LATER + SECOND).purchase;
    let asked = called(LATER + 24 * 60 * MINUTE, grant(GrantCall::InquireGrant, sends, GrantAnswer::NotFound));
    let Step { purchase, effects } = next(&gateway(), &purchase, &asked, LATER + 25 * 60 * MINUTE);
    assert_eq!((purchase.state, purchase.refund.is_none(), effects), (State::Refunded, true, vec![]));
}

#[test]
fn what_was_paid_at_a_partner_and_never_named_goes_on_being_asked_about() {
    let unnamed = [vec![paid_at_partner(unsaid())], vec![Input::Timer; 40]].concat();
    let (review, now) = after(&gateway(), &unnamed);
    let with_evidence = with_evidence(Verdict::Declined);
    let declined = next(&gateway(), &review, &with_evidence, now + SECOND).purchase;
    assert_eq!(declined.state, State::Declined);
    let marked = next(&gateway(), &declined, &remedy(Remedy::MarkPaid, now), now + 2 * SECOND).purchase;
    assert_eq!((marked.review, marked.due_at.is_some()), (Some(ReviewReason::CheckUnknown), true));
}

#[test]
fn a_grant_that_may_stand_is_not_called_elsewhere() {
    let lost = [paid(), vec![grant(GrantCall::Grant, 1, grant_silence())], vec![Input::Timer; 40]].concat();
    let review = after(&gateway(), &lost).0;
    assert!(is_refused(&gateway(), &review, &remedy(Remedy::MarkGranted, LATER)));
}

#[test]
fn a_package_manager_that_does_not_know_its_keys_is_asked_before_it_is_sent_a_grant_again() {
    let mut forgetful = gateway();
    forgetful.idempotent_grants = false;
    let Step { purchase, effects } = ordered(&forgetful, &owed(), &remedy(Remedy::Grant, LATER));
    assert_eq!((purchase.state, effects.contains(&GRANT)), (State::GrantUnknown, false));
    assert!(effects.contains(&Effect::Give { call: GrantCall::InquireGrant }));
    let absent = called(LATER + SECOND, grant(GrantCall::InquireGrant, 1, GrantAnswer::NotFound));
    assert_eq!(next(&forgetful, &purchase, &absent, LATER + 2 * SECOND).effects, [GRANT]);
}

#[test]
fn the_grant_that_is_known_does_not_stand_in_the_way_of_a_refund_beside_it() {
    let refunding = ordered(&gateway(), &done(), &overridden(BACK)).purchase;
    let known = grant(GrantCall::InquireGrant, 1, granted());
    let still = next(&gateway(), &refunding, &known, LATER + SECOND).purchase;
    assert_eq!(still.state, State::Refunding);
    let refunded = channel(ChannelCall::Refund, 1, Finding::Refunded { amount: PRICE });
    assert_eq!(next(&gateway(), &still, &refunded, LATER + 2 * SECOND).purchase.state, State::Refunded);
}

#[test]
fn amounts_that_differ_are_settled_at_the_channel() {
    let other = Finding::Charged { amount: Money::new(12_000, Currency::VND), msisdn: None };
    let (mismatch, _) = after(&gateway(), &[confirmed(), vec![channel(ChannelCall::Charge, 1, other)]].concat());
    for amount in [PRICE, Money::new(12_000, Currency::VND)] {
        assert!(is_refused(&gateway(), &mismatch, &remedy(Remedy::Refund { amount }, LATER)));
    }
}

fn with_evidence(verdict: Verdict) -> Input {
    Input::Resolve { verdict, by: Person { evidence: Some("line 12".to_owned()), ..somebody() } }
}
