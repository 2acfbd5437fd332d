//! What an app is answered about its order. Taken down once, in the event of the step that made it known, so that the answer is
//! the same from every instance and after every restart; never worked out anew from how the purchase stands later.

use crate::journal::rows::EventRow;
use crate::purchase::evidence::Decline;
use crate::purchase::record::{Micros, Purchase, State};
use serde::{Deserialize, Serialize};

/// The facts of an answer. An event never changes, and neither do these.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answered {
    pub state: State,
    /// Where the customer pays, where the channel has a page of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pay_url: Option<String>,
    /// Until when the page or the code is good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Micros>,
    /// Why it ended at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decline: Option<Decline>,
}

/// The event's body, as far as it is about this.
#[derive(Deserialize)]
struct Body {
    #[serde(default)]
    answers_order: Option<Answered>,
}

impl Answered {
    /// The answer that this step makes known, if it makes one known.
    pub(super) fn by(before: &Purchase, after: &Purchase) -> Option<Self> {
        let ordered_by_an_app = after.order.app.is_some();
        if !ordered_by_an_app || before.state == after.state || !can_be_answered(after.state) {
            return None;
        }
        let waits = matches!(after.state, State::AwaitingUser | State::Offered);
        let offer = after.offer.as_ref().filter(|_| waits);
        Some(Self {
            state: after.state,
            pay_url: offer.and_then(|offer| offer.pay_url.clone()),
            expires_at: offer.map(|offer| offer.expires_at),
            decline: after.decline,
        })
    }

    /// As a further field of an event's body.
    pub(super) fn as_field(&self) -> String {
        let answer = serde_json::to_string(self).expect("words and numbers under text keys are always JSON");
        format!(",\"answers_order\":{answer}")
    }

    /// The answer of an order with these events, in their order: the first that was known stands.
    #[must_use]
    pub fn first(events: &[EventRow]) -> Option<Self> {
        events.iter().find_map(|event| serde_json::from_str::<Body>(&event.body).ok()?.answers_order)
    }
}

/// Whether the app can go on from here: its customer has a page or a code to answer, or nothing is left to be done.
const fn can_be_answered(state: State) -> bool {
    match state {
        State::AwaitingUser | State::Offered | State::Review => true,
        State::Requested
        | State::Charging
        | State::ChargeUnknown
        | State::Granting
        | State::GrantUnknown
        | State::Refunding
        | State::RefundUnknown => false,
        State::Done | State::Declined | State::Expired | State::Cancelled | State::Refunded | State::Refused => true,
    }
}
