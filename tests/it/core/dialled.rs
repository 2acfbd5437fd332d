//! A purchase that begins with a consent on a menu's screen: nothing is asked a second time, unless the rules say so.

use super::sample::{CHARGED, PRICE, SECOND, START, agreed, asked, by_link, channel, checked, not_sold, rules, sold};
use paygate::config::Otp;
use paygate::purchase::input::{ChannelCall, Effect, Input, Notice};
use paygate::purchase::offer::{Asks, ConsentBy};
use paygate::purchase::record::{Order, Purchase, State};
use paygate::purchase::rules::Rules;
use paygate::purchase::subscriber::{Answer, Route, route_agreed};
use paygate::purchase::{Step, next};

const CHARGE: Effect = Effect::Call { call: ChannelCall::Charge };
const OFFER: Effect = Effect::Tell { notice: Notice::Offer };

fn dialled() -> Purchase {
    let mut purchase = asked();
    purchase.order.door = "ussd".to_owned();
    purchase
}

fn menu(otp: Otp) -> Rules {
    let mut rules = rules(Otp::Gateway);
    rules.menu_otp = otp;
    rules
}

fn first(rules: &Rules, purchase: &Purchase) -> Step {
    next(rules, purchase, &agreed(), START + SECOND)
}

#[test]
fn what_is_agreed_to_on_a_screen_is_charged_at_that_price_and_nothing_more_is_asked() {
    let mut rules = menu(Otp::None);
    rules.confirm_without_code = true;
    let Step { purchase, effects } = first(&rules, &dialled());
    assert_eq!((purchase.state, effects), (State::Charging, vec![CHARGE]));
    assert_eq!(purchase.consent.as_ref().map(|consent| consent.by), Some(ConsentBy::Screen));
    assert_eq!(purchase.charge.as_ref().map(|charge| charge.amount), Some(PRICE));
    for late in [checked(sold()), checked(not_sold()), agreed()] {
        let step = next(&rules, &purchase, &late, START + 2 * SECOND);
        assert_eq!((step.purchase.state, step.effects), (State::Charging, vec![]), "{late:?}");
    }
    let paid = next(&rules, &purchase, &channel(ChannelCall::Charge, 1, CHARGED), START + 2 * SECOND).purchase;
    assert_eq!(paid.state, State::Granting);
}

#[test]
fn a_code_is_asked_for_besides_where_the_menus_rules_say_so() {
    let Step { purchase, effects } = first(&menu(Otp::Gateway), &dialled());
    assert_eq!((purchase.state, effects, purchase.consent.is_none()), (State::Offered, vec![OFFER], true));
    let confirmed = next(&menu(Otp::Gateway), &purchase, &Input::CodeRight, START + 2 * SECOND);
    assert_eq!(confirmed.effects, [CHARGE]);
    let prepared = first(&menu(Otp::Telco), &dialled());
    assert_eq!(prepared.effects, [Effect::Call { call: ChannelCall::Prepare }]);
}

#[test]
fn a_repeat_is_asked_about_once_more() {
    let mut repeat = dialled();
    repeat.order.repeat = true;
    let Step { purchase, effects } = first(&menu(Otp::None), &repeat);
    assert_eq!((purchase.state, effects), (State::Offered, vec![OFFER]));
    assert_eq!(purchase.offer.map(|offer| offer.asks), Some(Asks::Yes));
}

#[test]
fn where_the_channel_has_a_page_agreeing_is_paying_there() {
    let mut rules = by_link();
    rules.menu_otp = Otp::None;
    let Step { purchase, effects } = first(&rules, &dialled());
    assert_eq!((purchase.consent.map(|consent| consent.by), effects), (Some(ConsentBy::Payment), vec![CHARGE]));
}

#[test]
fn a_frozen_channel_begins_no_charge_and_says_so() {
    let mut rules = menu(Otp::None);
    rules.frozen.insert("viettel".to_owned());
    let Step { purchase, effects } = first(&rules, &dialled());
    assert_eq!((purchase.state, purchase.charge.is_none()), (State::Refused, true));
    assert_eq!(effects, [Effect::Tell { notice: Notice::Busy }]);
}

#[test]
fn the_same_thing_open_already_is_answered_and_starts_nothing() {
    let order = |account: &str| Order { account: account.to_owned(), ..dialled().order };
    let open = first(&menu(Otp::None), &dialled()).purchase;
    let rules = menu(Otp::None);
    let route = |order: &Order, purchases: &[Purchase]| route_agreed(&rules, purchases, order, START + 2 * SECOND);
    assert_eq!(route(&order("0854689520"), std::slice::from_ref(&open)), Route::Answer(Answer::Status { at: 0 }));
    assert!(matches!(route(&order("0912345678"), std::slice::from_ref(&open)), Route::Start { repeat: false, .. }));
    let done = Purchase { state: State::Done, ..open };
    assert!(matches!(route(&order("0854689520"), &[done]), Route::Start { repeat: true, .. }));
}

#[test]
fn the_codes_of_an_hour_bound_only_menus_that_ask_for_one() {
    let offered = |seconds: i64| {
        let mut purchase = first(&menu(Otp::Gateway), &dialled()).purchase;
        purchase.order.package = format!("OTHER{seconds}");
        purchase
    };
    let purchases: Vec<_> = (0..5).map(offered).collect();
    let route = |otp: Otp| route_agreed(&menu(otp), &purchases, &dialled().order, START + 2 * SECOND);
    assert_eq!(route(Otp::Gateway), Route::Answer(Answer::TooManyCodes));
    assert!(matches!(route(Otp::None), Route::Start { .. }));
}
