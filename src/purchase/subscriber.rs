//! What one message of a subscriber means, given the purchases that are open or recent for that subscriber. Pure; says
//! what is to happen and never does it.

use super::input::Input;
use super::offer::Asks;
use super::record::{Micros, Order, Purchase, State};
use super::rules::Rules;
use crate::config::Otp;
use crate::law::{Rule, holds};
use paygate_parsers::request::{Invalid, Request};

const HOUR: Micros = 3_600_000_000;

/// What follows from a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// A new purchase of this package for this account.
    Start { service: String, package: String, account: String, repeat: bool },
    /// Something happened to the purchase at this place of the list.
    Apply { at: usize, input: Input },
    /// Only a text is owed.
    Answer(Answer),
}

/// A text that belongs to no step of a purchase.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    Help,
    /// What is wrong with the message, and a right one.
    Invalid(Invalid),
    /// How the purchase at this place of the list stands.
    Status {
        at: usize,
    },
    /// Nothing was ever asked for.
    NothingBought,
    NoCodeWaiting,
    /// The offer at this place expired before its code came.
    LateCode {
        at: usize,
    },
    /// `Y` to an offer that asks for its code.
    CodeNeeded {
        at: usize,
    },
    /// A code to an offer that asks for `Y`.
    YesNeeded {
        at: usize,
    },
    NothingToCancel,
    /// Too far gone to be withdrawn: its state is told.
    CannotCancel {
        at: usize,
    },
    /// As many codes as one subscriber may have in an hour.
    TooManyCodes,
    /// A part of a long message never came.
    Incomplete,
}

impl Answer {
    /// The text's kind in the journal and the key of its words.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Help => "help",
            Self::Invalid(_) => "invalid",
            Self::Status { .. } => "status",
            Self::NothingBought => "nothing_bought",
            Self::NoCodeWaiting => "no_code_waiting",
            Self::LateCode { .. } => "late_code",
            Self::CodeNeeded { .. } => "code_needed",
            Self::YesNeeded { .. } => "yes_needed",
            Self::NothingToCancel => "nothing_to_cancel",
            Self::CannotCancel { .. } => "cannot_cancel",
            Self::TooManyCodes => "too_many_codes",
            Self::Incomplete => "incomplete",
        }
    }
}

/// What `request` means for a subscriber with these purchases, newest first. `own_number` is the sender in national form.
#[must_use]
pub fn route(rules: &Rules, purchases: &[Purchase], request: &Request, own_number: &str, now: Micros) -> Route {
    match request {
        Request::Buy { service, package, account } => {
            let account = account.as_ref().map_or(own_number, |account| account.as_str());
            buy(rules, purchases, (service, package, account), rules.otp, now)
        }
        Request::Confirm { code } => confirm(rules, purchases, code.as_str(), now),
        Request::Yes => yes(purchases),
        Request::Cancel { service, package } => cancel(purchases, service.as_deref(), package.as_deref()),
        Request::Status if purchases.is_empty() => Route::Answer(Answer::NothingBought),
        Request::Status => Route::Answer(Answer::Status { at: 0 }),
        Request::Help => Route::Answer(Answer::Help),
    }
}

/// What a subscriber's consent on a menu's screen means: the same as the message would.
#[must_use]
pub fn route_agreed(rules: &Rules, purchases: &[Purchase], order: &Order, now: Micros) -> Route {
    buy(rules, purchases, (&order.service, &order.package, &order.account), rules.menu_otp, now)
}

/// One open purchase of a package for an account at a time; a finished one does not stand in the way of the next.
fn buy(rules: &Rules, purchases: &[Purchase], wanted: (&str, &str, &str), otp: Otp, now: Micros) -> Route {
    let (service, package, account) = wanted;
    let same = |purchase: &&Purchase| {
        let order = &purchase.order;
        (order.service.as_str(), order.package.as_str(), order.account.as_str()) == wanted
    };
    let open = purchases.iter().position(|purchase| same(&purchase) && !purchase.state.is_end());
    let may_send = may_be_sent_a_code(rules, purchases, now);
    if let Some(at) = open {
        return match &purchases[at].offer {
            Some(offer) if purchases[at].state == State::Offered && can_be_sent_again(rules, offer) && may_send => {
                Route::Apply { at, input: Input::AskedAgain }
            }
            _ => Route::Answer(Answer::Status { at }),
        };
    }
    if otp != Otp::None && !may_send {
        return Route::Answer(Answer::TooManyCodes);
    }
    let repeat = purchases
        .iter()
        .filter(same)
        .any(|purchase| purchase.state == State::Done && now < purchase.updated_at.saturating_add(rules.repeat_window));
    Route::Start { service: service.to_owned(), package: package.to_owned(), account: account.to_owned(), repeat }
}

/// Whether one more code to this subscriber keeps within what an hour allows.
#[must_use]
pub fn may_be_sent_a_code(rules: &Rules, purchases: &[Purchase], now: Micros) -> bool {
    codes_in_the_last_hour(rules, purchases, now) < rules.otp_hourly
}

fn can_be_sent_again(rules: &Rules, offer: &super::offer::Offer) -> bool {
    matches!(offer.asks, Asks::Code | Asks::Yes) && offer.sends < rules.otp_sends
}

/// Codes texted to this subscriber in the last hour, or about to be, as the journal knows it; Redis may count, the
/// journal decides. An offer whose code is still being made counts too: many requests at once are no way around the limit.
fn codes_in_the_last_hour(rules: &Rules, purchases: &[Purchase], now: Micros) -> u32 {
    let codes = |purchase: &Purchase| match &purchase.offer {
        Some(offer)
            if matches!(offer.asks, Asks::Yes | Asks::Payment) || now >= offer.last_sent_at.saturating_add(HOUR) =>
        {
            0
        }
        Some(offer) => u32::from(offer.sends.max(1)),
        None => u32::from(rules.otp != Otp::None && purchase.state == State::Requested && !purchase.is_prepaid()),
    };
    purchases.iter().map(codes).sum()
}

/// A code confirms exactly the offer it was made for; a code that is nobody's counts against the newest offer.
fn confirm(rules: &Rules, purchases: &[Purchase], code: &str, now: Micros) -> Route {
    let fits = |purchase: &Purchase| {
        purchase.offer.as_ref().is_some_and(|offer| {
            let right = rules.code_key.matches(&purchase.id, &offer.nonce, offer.digits, code);
            (right | !holds(Rule::CodeIsItsOffers)) & (offer.asks == Asks::Code)
        })
    };
    // Every offer is compared, whichever fits, so that the time taken tells nothing about which.
    let fitting: Vec<usize> = (0..purchases.len()).filter(|at| fits(&purchases[*at])).collect();
    if let Some(at) = fitting.iter().copied().find(|at| purchases[*at].state == State::Offered) {
        return Route::Apply { at, input: Input::CodeRight };
    }
    if let Some(at) = fitting.first().copied() {
        let answer = match purchases[at].state {
            State::Expired => Answer::LateCode { at },
            _ => Answer::Status { at },
        };
        return Route::Answer(answer);
    }
    match newest(purchases, |purchase| purchase.state == State::Offered) {
        Some(at) => wrong_or_foreign(&purchases[at], at, code),
        None => match newest(purchases, |purchase| is_late(purchase, now)) {
            Some(at) => Route::Answer(Answer::LateCode { at }),
            None => Route::Answer(Answer::NoCodeWaiting),
        },
    }
}

fn wrong_or_foreign(purchase: &Purchase, at: usize, code: &str) -> Route {
    match purchase.offer.as_ref().map(|offer| (offer.asks, offer.answered.is_some())) {
        Some((Asks::Code, _)) => Route::Apply { at, input: Input::CodeWrong },
        Some((Asks::ChannelCode, false)) => Route::Apply { at, input: Input::ChannelCode { code: code.to_owned() } },
        Some((Asks::ChannelCode, true) | (Asks::Payment, _)) => Route::Answer(Answer::Status { at }),
        Some((Asks::Yes, _)) => Route::Answer(Answer::YesNeeded { at }),
        None => Route::Answer(Answer::NoCodeWaiting),
    }
}

/// Expired so lately that a code now is most likely the answer to it.
fn is_late(purchase: &Purchase, now: Micros) -> bool {
    purchase.state == State::Expired && now < purchase.updated_at.saturating_add(HOUR)
}

/// `Y` confirms only where the offer asked for it; in place of a code it moves no money.
fn yes(purchases: &[Purchase]) -> Route {
    let asks = |wanted: fn(Asks) -> bool| {
        newest(purchases, |purchase| {
            purchase.state == State::Offered && purchase.offer.as_ref().is_some_and(|offer| wanted(offer.asks))
        })
    };
    match (asks(|asks| asks == Asks::Yes), asks(|asks| asks != Asks::Yes)) {
        (Some(at), _) => Route::Apply { at, input: Input::Yes },
        (None, Some(at)) => Route::Answer(Answer::CodeNeeded { at }),
        (None, None) => Route::Answer(Answer::NoCodeWaiting),
    }
}

fn cancel(purchases: &[Purchase], service: Option<&str>, package: Option<&str>) -> Route {
    let meant = |purchase: &Purchase| {
        service.is_none_or(|service| purchase.order.service == service)
            && package.is_none_or(|package| purchase.order.package == package)
    };
    let early = |purchase: &Purchase| {
        matches!(purchase.state, State::Requested | State::Offered) && !purchase.is_prepaid()
            || purchase.retry.is_some()
            || purchase.state == State::Charging && !holds(Rule::ConsentEndsCancelling)
    };
    if let Some(at) = newest(purchases, |purchase| meant(purchase) && early(purchase)) {
        return Route::Apply { at, input: Input::Cancel };
    }
    match newest(purchases, |purchase| meant(purchase) && !purchase.state.is_end()) {
        Some(at) => Route::Answer(Answer::CannotCancel { at }),
        None => Route::Answer(Answer::NothingToCancel),
    }
}

fn newest(purchases: &[Purchase], wanted: impl Fn(&Purchase) -> bool) -> Option<usize> {
    purchases.iter().position(wanted)
}
