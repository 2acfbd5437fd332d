//! Errors told apart: what a care agent is told of each state and reason, held against its golden text.

use super::sample::{after, allowed, asked, rules};
use paygate::charging::gives_back;
use paygate::config::{CarrierBilling, Charging, GivesBack, Otp};
use paygate::purchase::evidence::{Decline, Reason};
use paygate::purchase::fault::{fault, refusal};
use paygate::purchase::input::Input;
use paygate::purchase::record::{Purchase, Retry, ReviewReason, State};
use std::fmt::Write;

const REVIEWS: [ReviewReason; 10] = [
    ReviewReason::ChargeUnknown,
    ReviewReason::GrantUnknown,
    ReviewReason::RefundUnknown,
    ReviewReason::Mismatch,
    ReviewReason::Contradiction,
    ReviewReason::CannotRefund,
    ReviewReason::RefundRefused,
    ReviewReason::LateCharge,
    ReviewReason::CheckUnknown,
    ReviewReason::NotSold,
];

fn channel(change: impl FnOnce(&mut CarrierBilling)) -> Charging {
    let mut settings = crate::contract::config(String::new(), String::new());
    change(&mut settings);
    Charging::CarrierBilling(settings)
}

/// A purchase that a charge was begun for, in this state.
fn charged(state: State, reason: Option<Reason>, review: Option<ReviewReason>) -> Purchase {
    let (purchase, _) = after(&rules(Otp::Gateway), &[Input::Asked, allowed(), Input::CodeRight]);
    Purchase { state, review, decline: reason.map(Decline::of), ..purchase }
}

fn line(name: &str, purchase: &Purchase, channel: &Charging) -> String {
    let told = fault(purchase, gives_back(Some(channel), refusal(purchase)));
    let said = told.map_or_else(
        || "nothing went wrong".to_owned(),
        |told| {
            let back = told.gives_back.map_or("-", GivesBack::as_str);
            format!("{:<16} {:<16} {back:<12} {}", told.hop.as_str(), told.party.as_str(), told.care.as_str())
        },
    );
    format!("{name:<38} {said}\n")
}

fn table() -> String {
    let plain = channel(|_| {});
    let by_itself = channel(|settings| settings.refusals.gives_back = [("busy", GivesBack::InDays)].into());
    let mut text = format!("{:<38} {:<16} {:<16} {:<12} what to do\n", "", "hop", "at fault", "given back");
    for state in
        State::ALL.into_iter().filter(|state| !matches!(state, State::Declined | State::Refused | State::Review))
    {
        text += &line(state.as_str(), &charged(state, None, None), &plain);
    }
    let decline = Decline::of(Reason::NoMoney);
    let put_off = Retry { attempt: 2, at: 0, decline };
    text +=
        &line("charging, put off", &Purchase { retry: Some(put_off), ..charged(State::Charging, None, None) }, &plain);
    for reason in Reason::ALL {
        text += &line(&format!("declined {}", reason.as_str()), &charged(State::Declined, Some(reason), None), &plain);
    }
    for reason in [Reason::OtpLocked, Reason::Maintenance] {
        let uncharged = Purchase { charge: None, ..charged(State::Declined, Some(reason), None) };
        text += &line(&format!("declined {}, never charged", reason.as_str()), &uncharged, &plain);
    }
    let bank = Charging::Pay123(crate::contract::bank_config(String::new()));
    let declined = charged(State::Declined, Some(Reason::Declined), None);
    text += &line("declined declined, by 123PAY", &declined, &bank);
    let unknown = charged(State::Review, None, Some(ReviewReason::ChargeUnknown));
    text += &line("review charge_unknown, at 123PAY", &unknown, &bank);
    let busy = charged(State::Declined, Some(Reason::Busy), None);
    text += &line("declined busy, configured in days", &busy, &by_itself);
    for reason in Reason::ALL {
        let refused = Purchase { state: State::Refused, decline: Some(Decline::of(reason)), ..asked() };
        text += &line(&format!("refused {}", reason.as_str()), &refused, &plain);
    }
    let mut by_app = Purchase { state: State::Refused, decline: Some(Decline::of(Reason::Config)), ..asked() };
    "app".clone_into(&mut by_app.order.door);
    text += &line("refused config, asked for by the app", &by_app, &plain);
    for review in REVIEWS {
        let name = format!("review {}", review.as_str());
        text += &line(&name, &charged(State::Review, None, Some(review)), &plain);
    }
    text
}

#[test]
fn each_error_has_its_hop_its_party_its_money_and_what_to_do() {
    crate::contract::golden("told_apart.txt", &table());
}

#[test]
fn money_that_a_channel_gives_back_by_itself_is_not_to_be_given_back_twice() {
    for (review, care) in
        [(ReviewReason::CannotRefund, "grant_or_refund"), (ReviewReason::LateCharge, "grant_or_refund")]
    {
        let purchase = charged(State::Review, None, Some(review));
        let told = |gives_back| fault(&purchase, gives_back).unwrap().care.as_str();
        assert_eq!(told(GivesBack::Never), care);
        assert_eq!([GivesBack::Now, GivesBack::InDays].map(told), ["given_back_by_itself"; 2]);
    }
}

#[test]
fn a_channel_that_is_not_configured_gives_nothing_back_by_itself() {
    assert_eq!(gives_back(None, Some(Reason::Declined)), GivesBack::Never);
}

#[test]
fn each_thing_to_do_is_said_in_a_sentence() {
    let mut sentences = String::new();
    for review in REVIEWS {
        let told = fault(&charged(State::Review, None, Some(review)), GivesBack::Never).unwrap();
        assert!(told.care.sentence().ends_with('.'));
        let _ = writeln!(sentences, "{}", told.care.sentence());
    }
    assert!(sentences.contains("Choose one"), "granting and refunding together gives the package away");
}
