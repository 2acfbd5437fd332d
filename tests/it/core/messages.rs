//! What one message means for the subscriber who sent it: offers and codes, repeats, limits, cancelling, asking. Each row
//! is a doubt that the interface settles.

use super::sample::{CHARGED, MINUTE, NO_MONEY, SECOND, START, allowed, asked, channel, grant, granted, msisdn, rules};
use paygate::config::Otp;
use paygate::purchase::evidence::{CheckAnswer, Finding, Reason};
use paygate::purchase::input::{ChannelCall, Effect, GrantCall, Input, Notice};
use paygate::purchase::record::{Micros, Order, Purchase, State};
use paygate::purchase::rules::Rules;
use paygate::purchase::subscriber::{Answer, Route, route};
use paygate::purchase::{Step, next};
use paygate_parsers::msisdn::Country;
use paygate_parsers::request::{Syntax, parse};

/// A subscriber with purchases, newest first, at a moment.
struct Phone {
    rules: Rules,
    purchases: Vec<Purchase>,
    now: Micros,
}

impl Phone {
    fn new(rules: Rules) -> Self {
        Self { rules, purchases: Vec::new(), now: START }
    }

    fn gateway() -> Self {
        Self::new(rules(Otp::Gateway))
    }

    /// `otp = "none"` with `confirm_without_code`: offers ask for `Y`.
    fn asking_for_yes() -> Self {
        let mut rules = rules(Otp::None);
        rules.confirm_without_code = true;
        Self::new(rules)
    }

    /// A purchase of `package`, led through `inputs` one second apart; becomes the newest.
    fn with(mut self, package: &str, inputs: &[Input]) -> Self {
        let order = Order { package: package.to_owned(), ..asked().order };
        let id = format!("purchase{}", self.purchases.len());
        let mut purchase = Purchase::unasked(id, order, self.now);
        for (number, input) in inputs.iter().enumerate() {
            self.now += SECOND;
            let input = match input {
                // Every offer has a nonce of its own.
                Input::Checked { answer, .. } => Input::Checked {
                    answer: answer.clone(),
                    nonce: format!("{:016x}{number:016x}", self.purchases.len()),
                },
                other => other.clone(),
            };
            purchase = next(&self.rules, &purchase, &input, self.now).purchase;
        }
        self.purchases.insert(0, purchase);
        self
    }

    fn later(mut self, pause: Micros) -> Self {
        self.now += pause;
        self
    }

    fn code_of(&self, at: usize) -> String {
        let purchase = &self.purchases[at];
        let offer = purchase.offer.as_ref().unwrap();
        self.rules.code_key.code(&purchase.id, &offer.nonce, offer.digits)
    }

    /// Digits that are the code of none of the offers.
    fn wrong_code(&self) -> String {
        let codes: Vec<String> = (0..self.purchases.len())
            .filter(|at| self.purchases[*at].offer.is_some())
            .map(|at| self.code_of(at))
            .collect();
        (0..).map(|number| format!("{number:06}")).find(|code| !codes.contains(code)).unwrap()
    }

    fn hears(&self, text: &str) -> Route {
        let country = Country::new("84").unwrap();
        let request = parse(&Syntax::default(), &country, text).unwrap();
        route(&self.rules, &self.purchases, &request, &msisdn().national(&country), self.now)
    }

    /// The message takes effect on the purchase it is about.
    fn follows(&mut self, text: &str) -> Step {
        let Route::Apply { at, input } = self.hears(text) else { panic!("{text} is about no purchase") };
        self.now += SECOND;
        let step = next(&self.rules, &self.purchases[at], &input, self.now);
        self.purchases[at] = step.purchase.clone();
        step
    }
}

const CHARGE: Effect = Effect::Call { call: ChannelCall::Charge };

fn apply(at: usize, input: Input) -> Route {
    Route::Apply { at, input }
}

const fn says(answer: Answer) -> Route {
    Route::Answer(answer)
}

fn start(package: &str, repeat: bool) -> Route {
    let words = ["VIP", package, "0854689520"].map(str::to_owned);
    let [service, package, account] = words;
    Route::Start { service, package, account, repeat }
}

fn offered() -> Vec<Input> {
    vec![Input::Asked, allowed()]
}

fn confirmed() -> Vec<Input> {
    [offered(), vec![Input::CodeRight]].concat()
}

fn done() -> Vec<Input> {
    let paid = channel(ChannelCall::Charge, 1, CHARGED);
    [confirmed(), vec![paid, grant(GrantCall::Grant, 1, granted())]].concat()
}

fn declined() -> Vec<Input> {
    [confirmed(), vec![channel(ChannelCall::Charge, 1, NO_MONEY)]].concat()
}

fn in_review() -> Vec<Input> {
    let refunded = Finding::Refunded { amount: super::sample::PRICE };
    [confirmed(), vec![channel(ChannelCall::InquireCharge, 1, refunded)]].concat()
}

/// Holds each row: what it settles, the phone, the text, what follows.
fn hold(rows: Vec<(&str, Phone, &str, Route)>) {
    for (doubt, phone, text, follows) in rows {
        assert_eq!(phone.hears(text), follows, "{doubt}");
    }
}

#[test]
fn each_code_confirms_its_own_offer_and_a_later_offer_voids_no_earlier_one() {
    let two = || Phone::gateway().with("NAP1", &offered()).with("NAP2", &offered());
    let phone = two();
    let (newest, older) = (phone.code_of(0), phone.code_of(1));
    assert_ne!(newest, older);
    assert_eq!(phone.hears(&newest), apply(0, Input::CodeRight));
    assert_eq!(phone.hears(&older), apply(1, Input::CodeRight));
    assert_eq!(phone.hears(&format!("OTP {older}")), apply(1, Input::CodeRight));
    assert_eq!(phone.hears(&phone.wrong_code()), apply(0, Input::CodeWrong), "nobody's code counts against the newest");
    let mut both = two();
    assert!(both.follows(&older).effects.contains(&CHARGE));
    assert!(both.follows(&newest).effects.contains(&CHARGE));
    assert!(both.purchases.iter().all(|purchase| purchase.state == State::Charging));
}

#[test]
fn the_code_of_another_subscribers_offer_is_a_wrong_code_here() {
    let other = Phone::gateway().with("NAP2", &offered()).with("NAP1", &offered());
    let stolen = other.code_of(0);
    let mut phone = Phone::gateway().with("NAP1", &offered());
    assert_ne!(stolen, phone.code_of(0));
    assert!(!phone.follows(&stolen).effects.contains(&CHARGE));
}

#[test]
fn the_third_wrong_code_ends_the_purchase_and_no_code_saves_it() {
    let mut phone = Phone::gateway().with("NAP1", &offered());
    let (right, wrong) = (phone.code_of(0), phone.wrong_code());
    for tries_left in [2, 1] {
        assert_eq!(phone.follows(&wrong).effects, [Effect::Tell { notice: Notice::WrongCode { tries_left } }]);
    }
    assert_eq!(phone.follows(&wrong).effects, [Effect::Tell { notice: Notice::CodesUsedUp }]);
    assert_eq!(phone.purchases[0].state, State::Declined);
    assert_eq!(phone.hears(&right), says(Answer::Status { at: 0 }));
    assert_eq!(phone.hears(&wrong), says(Answer::NoCodeWaiting));
}

#[test]
fn a_late_code_is_told_so_and_moves_nothing() {
    let mut phone = Phone::gateway().with("NAP1", &offered()).later(5 * MINUTE);
    let right = phone.code_of(0);
    // The answer and the expiry meet in one commit: here the code is later.
    assert_eq!(phone.follows(&right).effects, [Effect::Tell { notice: Notice::Expired }]);
    assert_eq!(phone.hears(&right), says(Answer::LateCode { at: 0 }));
    assert_eq!(phone.hears(&phone.wrong_code()), says(Answer::LateCode { at: 0 }));
    let forgotten = phone.later(61 * MINUTE);
    assert_eq!(forgotten.hears(&forgotten.wrong_code()), says(Answer::NoCodeWaiting));
}

#[test]
fn a_code_answered_twice_is_answered_with_how_it_stands() {
    for inputs in [confirmed(), done(), declined(), in_review()] {
        let phone = Phone::gateway().with("NAP1", &inputs);
        assert_eq!(phone.hears(&phone.code_of(0)), says(Answer::Status { at: 0 }));
    }
}

#[test]
fn a_yes_confirms_only_where_the_offer_asked_for_it() {
    hold(vec![
        ("in place of a code", Phone::gateway().with("NAP1", &offered()), "Y", says(Answer::CodeNeeded { at: 0 })),
        (
            "in place of the channel's code",
            Phone::new(rules(Otp::Telco)).with("NAP1", &offered()),
            "Y",
            says(Answer::CodeNeeded { at: 0 }),
        ),
        ("to an offer that asks for it", Phone::asking_for_yes().with("NAP1", &offered()), "Y", apply(0, Input::Yes)),
        (
            "twice",
            Phone::asking_for_yes().with("NAP1", &[offered(), vec![Input::Yes]].concat()),
            "Y",
            says(Answer::NoCodeWaiting),
        ),
        ("to nothing", Phone::asking_for_yes(), "Y", says(Answer::NoCodeWaiting)),
        (
            "a code in place of it",
            Phone::asking_for_yes().with("NAP1", &offered()),
            "123456",
            says(Answer::YesNeeded { at: 0 }),
        ),
    ]);
}

#[test]
fn a_yes_to_an_offer_that_asks_for_a_code_moves_no_money() {
    let phone = Phone::gateway().with("NAP1", &offered());
    let step = next(&phone.rules, &phone.purchases[0], &Input::Yes, phone.now);
    assert_eq!((step.purchase.state, step.effects), (State::Offered, vec![]));
}

#[test]
fn a_channels_code_is_for_the_channel_to_judge_and_is_handed_on_once() {
    let code = || Input::ChannelCode { code: "123456".to_owned() };
    let telco = |inputs: Vec<Input>| Phone::new(rules(Otp::Telco)).with("NAP1", &[offered(), inputs].concat());
    hold(vec![
        ("before the answer to prepare", telco(vec![]), "123456", apply(0, code())),
        ("after it", telco(vec![channel(ChannelCall::Prepare, 1, Finding::CodeSent)]), "123456", apply(0, code())),
        ("while the first waits", telco(vec![code()]), "654321", says(Answer::Status { at: 0 })),
        ("asked for again", telco(vec![]), "ON VIP NAP1", says(Answer::Status { at: 0 })),
    ]);
}

#[test]
fn a_repeat_inside_its_window_says_so_and_asks() {
    let repeated = |inputs: &[Input], pause| Phone::gateway().with("NAP1", inputs).later(pause);
    let text = "ON VIP NAP1 0854689520";
    hold(vec![
        ("just bought", repeated(&done(), MINUTE), text, start("NAP1", true)),
        ("bought before the window", repeated(&done(), 10 * MINUTE), text, start("NAP1", false)),
        ("another package", repeated(&done(), MINUTE), "ON VIP NAP2", start("NAP2", false)),
        ("declined is no purchase", repeated(&declined(), MINUTE), text, start("NAP1", false)),
        ("in a person's hands is still open", repeated(&in_review(), MINUTE), text, says(Answer::Status { at: 0 })),
        ("being charged is still open", repeated(&confirmed(), MINUTE), text, says(Answer::Status { at: 0 })),
    ]);
}

#[test]
fn a_repeat_asks_even_where_no_confirmation_is_configured() {
    let rules = rules(Otp::None);
    let mut order = asked();
    for (repeat, state) in [(false, State::Charging), (true, State::Offered)] {
        order.order.repeat = repeat;
        let step = next(&rules, &order, &allowed(), START);
        assert_eq!((step.purchase.state, step.effects.contains(&CHARGE)), (state, !repeat));
    }
}

#[test]
fn asked_again_while_open_an_offer_is_sent_again_as_often_as_is_allowed() {
    let mut phone = Phone::gateway().with("NAP1", &offered());
    for _ in 0..2 {
        assert_eq!(phone.follows("ON VIP NAP1").effects, [Effect::Tell { notice: Notice::Offer }]);
    }
    assert_eq!(phone.purchases[0].offer.as_ref().unwrap().sends, phone.rules.otp_sends);
    assert_eq!(phone.hears("ON VIP NAP1"), says(Answer::Status { at: 0 }));
    let requested = Phone::gateway().with("NAP1", &[Input::Asked]);
    assert_eq!(requested.hears("ON VIP NAP1"), says(Answer::Status { at: 0 }));
}

#[test]
fn a_subscriber_has_so_many_codes_an_hour_however_they_are_asked_for() {
    let offers = |count: u32, inputs: &[Input]| {
        (0..count).fold(Phone::gateway(), |phone, number| phone.with(&format!("NAP{number}"), inputs))
    };
    let cancelled = [offered(), vec![Input::Cancel]].concat();
    let (more, many) = ("ON VIP NAP9", || says(Answer::TooManyCodes));
    hold(vec![
        ("four offers", offers(4, &offered()), more, start("NAP9", false)),
        ("five offers", offers(5, &offered()), more, many()),
        ("five requests whose codes are still being made", offers(5, &[Input::Asked]), more, many()),
        ("five that came to nothing", offers(5, &cancelled), more, many()),
        ("an hour later", offers(5, &cancelled).later(60 * MINUTE), more, start("NAP9", false)),
        ("asked again for one of five", offers(5, &offered()), "ON VIP NAP4", says(Answer::Status { at: 0 })),
    ]);
}

#[test]
fn a_purchase_is_withdrawn_until_it_is_confirmed_and_not_after() {
    let gateway = |inputs: &[Input]| Phone::gateway().with("NAP1", inputs);
    hold(vec![
        ("requested", gateway(&[Input::Asked]), "OFF", apply(0, Input::Cancel)),
        ("offered", gateway(&offered()), "HUY VIP NAP1", apply(0, Input::Cancel)),
        ("being charged", gateway(&confirmed()), "OFF", says(Answer::CannotCancel { at: 0 })),
        ("in review", gateway(&in_review()), "OFF", says(Answer::CannotCancel { at: 0 })),
        ("bought", gateway(&done()), "OFF", says(Answer::NothingToCancel)),
        ("another package", gateway(&offered()), "OFF VIP NAP2", says(Answer::NothingToCancel)),
        ("nothing", Phone::gateway(), "OFF", says(Answer::NothingToCancel)),
        ("the newest that can be", gateway(&offered()).with("NAP2", &confirmed()), "OFF", apply(1, Input::Cancel)),
    ]);
}

#[test]
fn how_it_stands_is_told_of_the_newest_purchase() {
    let two = Phone::gateway().with("NAP1", &done()).with("NAP2", &declined());
    hold(vec![
        ("of two", two, "KT", says(Answer::Status { at: 0 })),
        ("of none", Phone::gateway(), "KT", says(Answer::NothingBought)),
        ("help", Phone::gateway(), "HD", says(Answer::Help)),
    ]);
}

#[test]
fn no_account_means_the_senders_own_number() {
    assert_eq!(Phone::gateway().hears("ON VIP NAP1"), start("NAP1", false));
}

#[test]
fn a_package_that_is_not_sold_ends_before_any_offer() {
    let refused = CheckAnswer::Refused { reason: Reason::NoPackage, heard: String::new() };
    let phone =
        Phone::gateway().with("NAP1", &[Input::Asked, Input::Checked { answer: refused, nonce: String::new() }]);
    assert_eq!((phone.purchases[0].state, phone.purchases[0].offer.clone()), (State::Refused, None));
    assert_eq!(phone.hears("ON VIP NAP1"), start("NAP1", false), "a refusal stands in nobody's way");
}
