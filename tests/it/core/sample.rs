//! A rule set and purchases to try the core on.

use paygate::config::Otp;
use paygate::purchase::evidence::{Advice, Cause, ChannelAnswer, CheckAnswer, Decline, Finding, GrantAnswer, Reason};
use paygate::purchase::input::{ChannelCall, GrantCall, Input, Payment, Person, Remedy};
use paygate::purchase::money::{Currency, Money};
use paygate::purchase::offer::{CodeKey, Terms};
use paygate::purchase::record::{Micros, Order, Purchase, State, Verdict};
use paygate::purchase::rules::{ChannelRules, Flight, Rules};
use paygate::purchase::{Effect, next};
use paygate_parsers::msisdn::{Country, Msisdn};

pub(crate) const SECOND: Micros = 1_000_000;
pub(crate) const MINUTE: Micros = 60 * SECOND;
pub(crate) const START: Micros = 1_780_000_000 * SECOND;
pub(crate) const PRICE: Money = Money::new(10_000, Currency::VND);

pub(crate) fn flight() -> Flight {
    Flight {
        send_within: 10 * SECOND,
        max_flight: 30 * SECOND,
        answer_within: 15 * SECOND,
        plan: [5, 15, 60, 300, 3_600, 21_600].map(|seconds| seconds * SECOND).to_vec(),
    }
}

pub(crate) fn rules(otp: Otp) -> Rules {
    let channel = ChannelRules {
        texts_codes: true,
        can_cancel: true,
        can_refund: true,
        link_ttl: None,
        retry: Vec::new(),
        retry_consent: 24 * 3_600 * SECOND,
        flight: flight(),
    };
    Rules {
        otp,
        menu_otp: Otp::None,
        otp_length: 6,
        otp_ttl: 5 * MINUTE,
        otp_attempts: 3,
        otp_sends: 3,
        otp_hourly: 5,
        confirm_without_code: false,
        code_key: CodeKey::new([7; 32]),
        repeat_window: 10 * MINUTE,
        surplus_window: 600 * SECOND,
        consent_valid: 10 * MINUTE,
        checking_after: 30 * SECOND,
        grant_fresh: 24 * 60 * MINUTE,
        check_attempts: 3,
        check_pause: 2 * SECOND,
        grant: flight(),
        idempotent_grants: true,
        channels: [("viettel".to_owned(), channel)].into(),
        frozen: Default::default(),
        lost_before: None,
    }
}

/// A channel whose subscribers pay at a page of its own.
pub(crate) fn by_link() -> Rules {
    let mut rules = rules(Otp::Gateway);
    let page = ChannelRules {
        texts_codes: false,
        can_cancel: false,
        can_refund: false,
        link_ttl: Some(5 * MINUTE),
        retry: Vec::new(),
        retry_consent: 24 * 3_600 * SECOND,
        flight: flight(),
    };
    rules.channels.insert("viettel".to_owned(), page);
    rules
}

pub(crate) fn page() -> Finding {
    Finding::AwaitsPayment { url: Some("https://bank.example/pay/1".to_owned()), begun: false }
}

pub(crate) const BEGUN: Finding = Finding::AwaitsPayment { url: None, begun: true };
pub(crate) const UNPAID: Finding = Finding::AwaitsPayment { url: None, begun: false };

/// What the channel says by itself.
pub(crate) fn notified(paid: bool) -> Input {
    Input::Notified { key: String::new(), paid, digest: format!("{paid}"), heard: String::new() }
}

pub(crate) fn msisdn() -> Msisdn {
    Msisdn::parse(&Country::new("84").unwrap(), "0854689520").unwrap()
}

pub(crate) fn asked() -> Purchase {
    let order = Order {
        msisdn: Some(msisdn()),
        account: "0854689520".to_owned(),
        service: "VIP".to_owned(),
        package: "NAP1".to_owned(),
        channel: "viettel".to_owned(),
        door: "smpp".to_owned(),
        link: "viettel".to_owned(),
        short_code: "9029".to_owned(),
        repeat: false,
        app: None,
    };
    Purchase::unasked("0123456789abcdef".to_owned(), order, START)
}

/// What a partner has charged for, before it is heard of here.
pub(crate) fn charged_elsewhere() -> Purchase {
    let mut purchase = asked();
    purchase.order.channel = "vinaphone".to_owned();
    purchase.order.door = "partner".to_owned();
    purchase
}

/// A partner tells of what it has charged.
pub(crate) fn paid(amount: Money, answer: CheckAnswer) -> Input {
    let payment = Payment { reference: "pay-1".to_owned(), amount, charged_at: START, fingerprint: "f1".to_owned() };
    Input::Paid { payment, answer }
}

/// At the package's price.
pub(crate) fn paid_at_partner(answer: CheckAnswer) -> Input {
    paid(PRICE, answer)
}

/// The subscriber agrees to NAP1 at its price on a menu's screen.
pub(crate) fn agreed() -> Input {
    let terms = Terms { package_name: "VIP 30 ngay".to_owned(), price: PRICE, days: 30 };
    Input::Agreed { terms, screen: "VIP 30 ngay 10000d/30 ngay\n1. Dong y".to_owned(), nonce: "00".repeat(16) }
}

pub(crate) fn sold() -> CheckAnswer {
    CheckAnswer::Allowed { package_name: "VIP 30 ngay".to_owned(), price: PRICE, days: 30 }
}

pub(crate) fn not_sold() -> CheckAnswer {
    CheckAnswer::Refused { reason: Reason::NoAccount, heard: String::new() }
}

pub(crate) fn unsaid() -> CheckAnswer {
    CheckAnswer::Unavailable { heard: String::new() }
}

pub(crate) fn checked(answer: CheckAnswer) -> Input {
    Input::Checked { answer, nonce: "00".repeat(16) }
}

pub(crate) fn allowed() -> Input {
    checked(sold())
}

/// What a channel said to a call of the first second: too early to prove that anything did not happen.
pub(crate) fn channel(call: ChannelCall, sends: u32, finding: Finding) -> Input {
    let reference = Some("pay-1".to_owned());
    let answer = ChannelAnswer { finding, handle: reference.clone(), peer_reference: reference, heard: String::new() };
    Input::Channel { call, key: String::new(), sends, called_at: START, answer }
}

/// The same answer, about the charge under this key.
pub(crate) fn under(charge_key: &str, mut input: Input) -> Input {
    if let Input::Channel { key, .. } = &mut input {
        charge_key.clone_into(key);
    }
    input
}

/// Charges that moved nothing are made anew after these pauses.
pub(crate) fn retrying(otp: Otp, pauses: &[Micros]) -> Rules {
    let mut rules = rules(otp);
    rules.channels.get_mut("viettel").unwrap().retry = pauses.to_vec();
    rules
}

pub(crate) const FIRST_KEY: &str = "0123456789abcdef-c1";

pub(crate) fn somebody() -> Person {
    Person {
        act: 7,
        operator: "lan".to_owned(),
        reason: "the subscriber called".to_owned(),
        evidence: None,
        second: None,
    }
}

/// A person's word, without evidence.
/// A person has it done, and a second one has confirmed it.
pub(crate) fn remedy(remedy: Remedy, called_at: Micros) -> Input {
    let by = Person { evidence: Some("statement, line 12".to_owned()), second: Some("minh".to_owned()), ..somebody() };
    Input::Remedy { remedy, called_at, overrides: false, by }
}

/// Each remedy there is, for a purchase at its price.
pub(crate) const REMEDIES: [Remedy; 4] =
    [Remedy::Grant, Remedy::MarkPaid, Remedy::MarkGranted, Remedy::Refund { amount: PRICE }];

pub(crate) fn resolve(verdict: Verdict) -> Input {
    Input::Resolve { verdict, by: somebody() }
}

/// The same of the package manager.
pub(crate) fn grant(call: GrantCall, sends: u32, answer: GrantAnswer) -> Input {
    Input::Grant { call, sends, called_at: START, answer }
}

/// The same answer, to a call that was let out then.
pub(crate) fn called(at: Micros, mut input: Input) -> Input {
    if let Input::Channel { called_at, .. } | Input::Grant { called_at, .. } = &mut input {
        *called_at = at;
    }
    input
}

pub(crate) const CHARGED: Finding = Finding::Charged { amount: PRICE, msisdn: None };
pub(crate) const SILENCE: Finding = Finding::Unknown { cause: Cause::NoAnswer };
pub(crate) const PENDING: Finding = Finding::Unknown { cause: Cause::Pending };
pub(crate) const NO_MONEY: Finding = Finding::NotCharged(Decline::new(Reason::NoMoney, Advice::Wait));
pub(crate) const BUSY: Finding = Finding::NotCharged(Decline::new(Reason::Busy, Advice::Technical));

pub(crate) fn granted() -> GrantAnswer {
    GrantAnswer::Granted { grant_id: "g-1".to_owned(), heard: String::new(), runs_until: None }
}

pub(crate) fn refused() -> GrantAnswer {
    GrantAnswer::Refused { reason: Reason::NoAccount, heard: String::new() }
}

pub(crate) fn grant_silence() -> GrantAnswer {
    GrantAnswer::Unknown { cause: Cause::NoAnswer, heard: String::new() }
}

/// Feeds inputs one second apart and gives the purchase after the last, and when that was.
pub(crate) fn after(rules: &Rules, inputs: &[Input]) -> (Purchase, Micros) {
    let mut purchase = if matches!(inputs.first(), Some(Input::Paid { .. })) { charged_elsewhere() } else { asked() };
    let mut now = START;
    for input in inputs {
        now += SECOND;
        purchase = next(rules, &purchase, input, now).purchase;
    }
    (purchase, now)
}

pub(crate) fn effect_name(effect: &Effect) -> String {
    match effect {
        Effect::Check => "check".to_owned(),
        Effect::Call { call } => call.as_str().to_owned(),
        Effect::Give { call } => call.as_str().to_owned(),
        Effect::Tell { notice } => format!("tell {}", paygate::journal::rows::notice_kind(*notice)),
    }
}

/// One purchase in each state that can be reached today, by the inputs that lead there.
pub(crate) fn in_each_state() -> Vec<(State, &'static str, Rules, Vec<Input>)> {
    use ChannelCall::{Charge, InquireCharge, Prepare, Refund};
    use GrantCall::{Grant, InquireGrant};
    let gateway = || rules(Otp::Gateway);
    let begin = [Input::Asked, allowed()];
    let confirmed = [&begin[..], &[Input::CodeRight]].concat();
    let paid = [&confirmed[..], &[channel(Charge, 1, CHARGED)]].concat();
    let refused = [&paid[..], &[grant(Grant, 1, refused())]].concat();
    let with = |before: &[Input], input: Input| [before, &[input]].concat();
    let since = after(&gateway(), &refused).1;
    let refunding = with(&refused, called(since, grant(InquireGrant, 1, GrantAnswer::NotFound)));
    let wrong = Money::new(1, Currency::VND);
    let refunded = Finding::Refunded { amount: PRICE };
    let mut no_refund = gateway();
    no_refund.channels.get_mut("viettel").unwrap().can_refund = false;
    let anew = || retrying(Otp::Gateway, &[SECOND]);
    let begun_anew = [&confirmed[..], &[channel(Charge, 1, NO_MONEY), Input::Timer]].concat();
    let refused_for_good = Finding::NotCharged(Decline::of(Reason::Declined));
    let timers = |count: usize| vec![Input::Timer; count];
    let prepaid = || vec![paid_at_partner(sold())];
    let refused_at_partner = [prepaid(), vec![grant(Grant, 1, self::refused())]].concat();
    let since_refused = after(&gateway(), &refused_at_partner).1;
    let opened = with(&begin, channel(Charge, 1, page()));
    vec![
        (State::Requested, "", gateway(), vec![Input::Asked]),
        (State::Requested, "paid at a partner", gateway(), vec![paid_at_partner(unsaid())]),
        (State::Offered, "our code", gateway(), begin.to_vec()),
        (State::Offered, "channel's code, being prepared", rules(Otp::Telco), begin.to_vec()),
        (State::Offered, "channel's code", rules(Otp::Telco), with(&begin, channel(Prepare, 1, Finding::CodeSent))),
        (
            State::Offered,
            "Y",
            {
                let mut it = rules(Otp::None);
                it.confirm_without_code = true;
                it
            },
            begin.to_vec(),
        ),
        (State::Charging, "", gateway(), confirmed.clone()),
        (State::Charging, "agreed on a screen", gateway(), vec![agreed()]),
        (State::Charging, "waiting to send again", gateway(), with(&confirmed, channel(Charge, 1, BUSY))),
        (State::Charging, "put off", retrying(Otp::Gateway, &[MINUTE]), with(&confirmed, channel(Charge, 1, NO_MONEY))),
        (State::Charging, "anew", anew(), begun_anew.clone()),
        (State::ChargeUnknown, "", gateway(), with(&confirmed, channel(Charge, 1, SILENCE))),
        (State::ChargeUnknown, "anew", anew(), with(&begun_anew, channel(Charge, 1, SILENCE))),
        (State::ChargeUnknown, "page not told of", by_link(), with(&begin, channel(Charge, 1, SILENCE))),
        (State::AwaitingUser, "", by_link(), opened.clone()),
        (State::ChargeUnknown, "link handed out", by_link(), with(&opened, channel(InquireCharge, 2, PENDING))),
        (State::Granting, "", gateway(), paid.clone()),
        (State::Granting, "paid at a partner", gateway(), prepaid()),
        (State::GrantUnknown, "", gateway(), with(&paid, grant(Grant, 1, grant_silence()))),
        (State::GrantUnknown, "refused", gateway(), refused),
        (State::Refunding, "", gateway(), refunding.clone()),
        (State::RefundUnknown, "", gateway(), with(&refunding, channel(Refund, 1, SILENCE))),
        (
            State::Review,
            "charged beside another charge",
            anew(),
            with(&begun_anew, under(FIRST_KEY, channel(InquireCharge, 1, CHARGED))),
        ),
        (State::Review, "charge unknown", gateway(), [confirmed.clone(), timers(40)].concat()),
        (State::Review, "grant unknown", gateway(), [paid.clone(), timers(40)].concat()),
        (State::Review, "refund unknown", gateway(), [refunding.clone(), timers(40)].concat()),
        (
            State::Review,
            "mismatch",
            gateway(),
            with(&confirmed, channel(InquireCharge, 1, Finding::Charged { amount: wrong, msisdn: None })),
        ),
        (State::Review, "cannot refund", no_refund, refunding.clone()),
        (
            State::Review,
            "sold or not, paid at a partner",
            gateway(),
            [vec![paid_at_partner(unsaid())], timers(40)].concat(),
        ),
        (State::Review, "not sold, paid at a partner", gateway(), vec![paid_at_partner(not_sold())]),
        (State::Review, "mismatch, paid at a partner", gateway(), vec![self::paid(wrong, sold())]),
        (
            State::Review,
            "cannot refund, paid at a partner",
            gateway(),
            with(&refused_at_partner, called(since_refused, grant(InquireGrant, 1, GrantAnswer::NotFound))),
        ),
        (State::Done, "", gateway(), with(&paid, grant(Grant, 1, granted()))),
        (
            State::Done,
            "anew",
            anew(),
            [&begun_anew[..], &[channel(Charge, 1, CHARGED), grant(Grant, 1, granted())]].concat(),
        ),
        (State::Declined, "", gateway(), with(&confirmed, channel(Charge, 1, NO_MONEY))),
        (State::Declined, "anew", anew(), with(&begun_anew, channel(Charge, 1, refused_for_good))),
        (State::Cancelled, "", gateway(), with(&begin, Input::Cancel)),
        (
            State::Cancelled,
            "reservation being released",
            rules(Otp::Telco),
            [&begin[..], &[channel(Prepare, 1, Finding::CodeSent), Input::Cancel]].concat(),
        ),
        (
            State::Declined,
            "reservation being released",
            rules(Otp::Telco),
            [&begin[..], &[channel(Prepare, 1, Finding::CodeSent)], &wrong_codes()[..]].concat(),
        ),
        (State::Refunded, "", gateway(), with(&refunding, channel(Refund, 1, refunded))),
        (State::Refused, "", gateway(), vec![Input::Asked, checked(not_sold())]),
    ]
}

/// Three codes that the channel refuses.
fn wrong_codes() -> Vec<Input> {
    let refused = |sends| {
        let finding = Finding::WrongCode(Decline::new(Reason::OtpWrong, Advice::NewCode));
        [Input::ChannelCode { code: "000000".to_owned() }, channel(ChannelCall::Charge, sends, finding)]
    };
    [2, 3, 4].into_iter().flat_map(refused).collect()
}

/// Every kind of input with every finding that a peer can come to, as answers to the newest send.
pub(crate) fn every_input(purchase: &Purchase) -> Vec<Input> {
    use ChannelCall::{CancelCharge, Charge, InquireCharge, InquireRefund, Prepare, Refund};
    let sends = |attempt: &Option<paygate::purchase::record::Attempt>| attempt.as_ref().map_or(0, |it| it.sends);
    let wrong = Finding::Charged { amount: Money::new(1, Currency::VND), msisdn: None };
    let other = Finding::Charged { amount: PRICE, msisdn: Some("+84900000000".to_owned()) };
    let code_wrong = Finding::WrongCode(Decline::new(Reason::OtpWrong, Advice::NewCode));
    let not_sent = Finding::NotSent { why: "refused".to_owned() };
    let charge = [
        CHARGED,
        wrong,
        other,
        NO_MONEY,
        BUSY,
        code_wrong,
        Finding::CodeSent,
        Finding::Reserved,
        page(),
        UNPAID,
        BEGUN,
        Finding::NotFound,
        not_sent.clone(),
        SILENCE,
        PENDING,
    ];
    let no_refund = Finding::NotRefunded(Decline::new(Reason::Declined, Advice::CallOperator));
    let refund = [Finding::Refunded { amount: PRICE }, no_refund, BUSY, Finding::NotFound, not_sent, SILENCE];
    let mut inputs = vec![
        paid_at_partner(sold()),
        agreed(),
        allowed(),
        checked(not_sold()),
        checked(unsaid()),
        Input::AskedAgain,
        Input::CodeRight,
        Input::CodeWrong,
        Input::ChannelCode { code: "123456".to_owned() },
        Input::Yes,
        Input::Cancel,
        Input::Timer,
        notified(true),
        notified(false),
        Input::Inquire { by: somebody() },
    ];
    inputs.extend(Verdict::ALL.map(resolve));
    inputs.extend(REMEDIES.map(|it| remedy(it, START)));
    for call in [Prepare, Charge, InquireCharge, CancelCharge] {
        inputs.extend(charge.iter().map(|finding| channel(call, sends(&purchase.charge), finding.clone())));
    }
    // A late answer about the charge before this one.
    if let Some(former) = purchase.former.first() {
        let late = [CHARGED, NO_MONEY, SILENCE].map(|finding| under(&former.key, channel(InquireCharge, 1, finding)));
        inputs.extend(late);
    }
    for call in [Refund, InquireRefund] {
        inputs.extend(refund.iter().map(|finding| channel(call, sends(&purchase.refund), finding.clone())));
    }
    for call in [GrantCall::Grant, GrantCall::InquireGrant] {
        let not_sent = GrantAnswer::NotSent { why: String::new() };
        let revoked = GrantAnswer::Revoked { grant_id: "g-1".to_owned() };
        let answers =
            [granted(), revoked, refused(), GrantAnswer::NotFound, GrantAnswer::InProgress, not_sent, grant_silence()];
        inputs.extend(answers.map(|answer| grant(call, sends(&purchase.grant), answer)));
    }
    inputs
}

/// The finding of an input, for people: `charge: charged`.
pub(crate) fn input_name(input: &Input) -> String {
    let said = match input {
        Input::Checked { answer, .. } | Input::Paid { answer, .. } => match answer {
            CheckAnswer::Allowed { .. } => "allowed",
            CheckAnswer::Refused { .. } => "refused",
            CheckAnswer::Unavailable { .. } => "unavailable",
        },
        Input::Channel { answer, .. } => match &answer.finding {
            Finding::Charged { amount, .. } if *amount != PRICE => "charged another amount",
            Finding::Charged { msisdn: Some(_), .. } => "charged another subscriber",
            Finding::Charged { .. } => "charged",
            Finding::NotCharged(decline) if decline.reason == Reason::Busy => "busy",
            Finding::NotCharged(_) => "not charged",
            Finding::CodeSent => "code sent",
            Finding::Reserved => "reserved",
            Finding::AwaitsPayment { url: Some(_), .. } => "page",
            Finding::AwaitsPayment { begun: true, .. } => "begun",
            Finding::AwaitsPayment { url: None, .. } => "unpaid",
            Finding::WrongCode(_) => "wrong code",
            Finding::NotFound => "not found",
            Finding::NotSent { .. } => "not sent",
            Finding::Unknown { cause: Cause::Pending } => "pending",
            Finding::Unknown { .. } => "unknown",
            Finding::Refunded { .. } => "refunded",
            Finding::NotRefunded(_) => "not refunded",
        },
        Input::Grant { answer, .. } => match answer {
            GrantAnswer::Granted { .. } => "granted",
            GrantAnswer::Revoked { .. } => "revoked",
            GrantAnswer::Refused { .. } => "refused",
            GrantAnswer::NotFound => "not found",
            GrantAnswer::InProgress => "in progress",
            GrantAnswer::NotSent { .. } => "not sent",
            GrantAnswer::Unknown { .. } => "unknown",
        },
        Input::Notified { paid, .. } => {
            if *paid {
                "paid"
            } else {
                "something"
            }
        }
        Input::Resolve { verdict, .. } => verdict.as_str(),
        Input::Remedy { remedy, .. } => remedy.as_str(),
        _ => return input.kind().to_owned(),
    };
    let former = matches!(input, Input::Channel { key, .. } if !key.is_empty());
    format!("{}: {said}{}", input.kind(), if former { " of the charge before" } else { "" })
}
