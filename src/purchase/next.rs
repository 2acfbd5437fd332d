//! The one transition function. Exhaustive over states and inputs; an input that means nothing in a state is recorded and
//! changes nothing else. Its table stands in `tests/golden/transitions.txt`.

mod charge;
mod grant;
mod inquiry;
mod offering;
mod operator;
mod payment;
mod prepaid;
mod refund;
mod remedy;
mod retry;
mod turn;

use super::evidence::{Cause, Decline, Finding, Reason};
use super::input::{ChannelCall, GrantCall, Input, Step};
use super::record::{Micros, Purchase, State};
use super::rules::Rules;
use crate::law::{Rule, holds};
pub use charge::found_extra_charge;
pub use operator::{objection, questions};
pub use remedy::{is_taken, needs_second, objection_to};
use turn::Turn;

/// The purchase after `input`, and what follows from it. The version grows by one with every input, so that each input
/// has its event and two owners can never both go on.
#[must_use]
pub fn next(rules: &Rules, purchase: &Purchase, input: &Input, now: Micros) -> Step {
    let mut turn = Turn::new(rules, purchase, now);
    match input {
        Input::Asked => turn.on_asked(),
        Input::Paid { payment, answer } => turn.on_paid(payment, answer),
        Input::Agreed { terms, nonce, .. } => turn.on_agreed(terms, nonce),
        Input::Checked { answer, nonce } => turn.on_checked(answer, nonce),
        Input::AskedAgain => turn.on_asked_again(),
        Input::CodeRight | Input::CodeWrong | Input::ChannelCode { .. } | Input::Yes => turn.on_answer(input),
        Input::Cancel => turn.on_cancel(),
        Input::Channel { call, key, sends, called_at, answer } => {
            turn.hear(*called_at);
            if retry::is_of_former(purchase, *call, key) {
                turn.on_former_charge(key, answer);
                return turn.finish();
            }
            if charge::is_second_payment(purchase, *call, answer) {
                turn.on_second_payment();
                return turn.finish();
            }
            turn.remember(*call, answer);
            let current = turn.is_current(*call, *sends);
            let finding = weigh(*call, &answer.finding);
            match call {
                ChannelCall::Refund | ChannelCall::InquireRefund => turn.on_refund(*call, current, finding),
                ChannelCall::Prepare | ChannelCall::Charge | ChannelCall::InquireCharge | ChannelCall::CancelCharge => {
                    turn.on_charge(*call, current, finding)
                }
            }
        }
        Input::Notified { key, paid, digest, .. } if retry::is_of_former(purchase, ChannelCall::InquireCharge, key) => {
            turn.on_former_notified(key, *paid, digest);
        }
        Input::Notified { paid, digest, .. } => turn.on_notified(*paid, digest),
        Input::Grant { call, sends, called_at, answer } => {
            turn.hear(*called_at);
            let current = turn.grant_sends() == *sends;
            match call {
                GrantCall::Grant => turn.on_grant(current, answer),
                GrantCall::InquireGrant => turn.on_grant_inquiry(current, answer),
            }
        }
        Input::Timer => on_timer(&mut turn),
        Input::Inquire { .. } => turn.on_inquire(),
        Input::Remedy { remedy, called_at, overrides, by } => {
            turn.on_remedy(*remedy, *overrides, by, *called_at);
        }
        Input::Resolve { verdict, by } => turn.on_resolve(*verdict, by.evidence.as_deref()),
    }
    turn.finish()
}

/// A question that was itself refused proves nothing about the money it asked about.
fn weigh(call: ChannelCall, finding: &Finding) -> &Finding {
    const NOTHING: Finding = Finding::Unknown { cause: Cause::BadAnswer };
    match (call, finding) {
        (
            ChannelCall::InquireCharge | ChannelCall::CancelCharge | ChannelCall::InquireRefund,
            Finding::NotCharged(Decline { reason: Reason::Busy | Reason::Config | Reason::Maintenance, .. }),
        ) if holds(Rule::RefusedQuestionProvesNothing) => &NOTHING,
        _ => finding,
    }
}

/// What is done for a purchase that nobody answered in time: after a crash, a lost answer, or simply when it is due.
fn on_timer(turn: &mut Turn<'_>) {
    match turn.state() {
        State::Requested if turn.purchase.is_prepaid() => turn.inquire_check(),
        State::Requested => turn.check_again(),
        State::Offered => turn.on_offer_timer(),
        State::Charging => turn.on_charging_timer(),
        State::ChargeUnknown if !holds(Rule::UnknownIsAskedAbout) => turn.charge(),
        State::ChargeUnknown => turn.inquire_charge(),
        State::AwaitingUser => turn.ask_whether_paid(),
        State::Granting => turn.on_granting_timer(),
        State::GrantUnknown => turn.inquire_grant(),
        State::Refunding => turn.on_refunding_timer(),
        State::RefundUnknown => turn.inquire_refund(),
        State::Review => turn.inquire_in_review(),
        State::Done | State::Declined | State::Expired | State::Cancelled | State::Refunded | State::Refused => {
            turn.release_again()
        }
    }
}
