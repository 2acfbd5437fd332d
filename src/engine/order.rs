//! What an app is answered about its order. Taken down once, in the event of the step that made it known, so that the answer is
//! the same from every instance and after every restart; never worked out anew from how the purchase stands later.

use crate::journal::rows::EventRow;
use crate::law::{Rule, holds};
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
        let mut answers =
            events.iter().filter_map(|event| serde_json::from_str::<Body>(&event.body).ok()?.answers_order);
        if holds(Rule::OrderKeepsItsAnswer) { answers.next() } else { answers.next_back() }
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

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;
    use crate::engine::decide::tests::{CHARGED, SECOND, START, allowed, answer, channel, decide, desk};
    use crate::engine::desk::Desk;
    use crate::engine::door::OrderIn;
    use crate::engine::intake::{Reading, order_key};
    use crate::engine::work::{Decision, Known, Work};
    use crate::purchase::evidence::Finding;
    use crate::purchase::input::{ChannelCall, Input};
    use crate::purchase::record::{AppOrder, Context, Order};
    use std::sync::Arc;

    const PAGE: &str = "https://bank.example/pay/1";

    /// A desk whose channel is paid at a page of its own.
    fn by_link() -> Desk {
        let mut desk = desk();
        desk.rules.channels.get_mut("viettel").unwrap().link_ttl = Some(600 * SECOND);
        desk
    }

    fn order() -> Work {
        let text = |value: &str| value.to_owned();
        let context = Context {
            platform: text("app"),
            dt_id: text("thudo"),
            r#type: text("purchase"),
            device_type: text("phone"),
            device_id: text("ios-7"),
            pay_type: text("bank"),
            pay_partner: text("bank"),
        };
        let order = Order {
            msisdn: None,
            account: text("0854689520"),
            service: text("VIP"),
            package: text("NAP1"),
            channel: text("viettel"),
            door: text("app"),
            link: String::new(),
            short_code: String::new(),
            repeat: false,
            app: Some(Box::new(AppOrder { name: text("web"), context, return_url: None })),
        };
        let order = OrderIn { key: order_key("web", "k-1"), app: text("web"), order, body: "{}".into() };
        Work::Message { reading: Arc::new(Reading::of(order)), done: None, parts: None }
    }

    /// The decisions of an order that is answered so, one batch after the other.
    fn decided(desk: &Desk, inputs: Vec<Input>) -> Vec<Decision> {
        let mut decisions = decide(desk, &Known::default(), START, vec![order()]).0;
        for (seconds, input) in (1..).zip(inputs) {
            let before = decisions.last().unwrap().unit.purchase.as_ref().unwrap().purchase.clone();
            let mut known = Known::default();
            known.purchases.insert(before.id.clone(), before.clone());
            decisions.extend(decide(desk, &known, START + seconds * SECOND, vec![answer(&before, input)]).0);
        }
        decisions
    }

    fn events(decisions: &[Decision]) -> Vec<EventRow> {
        decisions.iter().flat_map(|decision| decision.unit.events.clone()).collect()
    }

    #[test]
    fn what_an_app_is_answered_is_the_link_as_it_was_handed_out_whatever_follows() {
        let page = Finding::AwaitsPayment { url: Some(PAGE.to_owned()), begun: false };
        let asked = vec![allowed(), channel(ChannelCall::Charge, 1, page)];
        let desk = by_link();
        assert_eq!(Answered::first(&events(&decided(&desk, vec![allowed()]))), None, "nothing to show yet");
        let answered = Answered::first(&events(&decided(&desk, asked.clone()))).unwrap();
        let expected = Answered {
            state: State::AwaitingUser,
            pay_url: Some(PAGE.to_owned()),
            expires_at: Some(START + 2 * SECOND + 600 * SECOND),
            decline: None,
        };
        assert_eq!(answered, expected);
        let paid = [asked, vec![channel(ChannelCall::InquireCharge, 2, CHARGED)]].concat();
        let decisions = decided(&desk, paid);
        assert_eq!(decisions.last().unwrap().unit.purchase.as_ref().unwrap().purchase.state, State::Granting);
        assert_eq!(Answered::first(&events(&decisions)), Some(expected));
        assert!(decisions.iter().all(|decision| decision.replies.is_empty()), "there is no phone to text");
    }

    #[test]
    fn one_order_twice_in_one_batch_is_decided_once() {
        let (decisions, later) = decide(&by_link(), &Known::default(), START, vec![order(), order()]);
        assert_eq!((decisions.len(), decisions[0].unit.events.len(), later.len()), (1, 1, 1));
        let message = decisions[0].unit.message.as_ref().unwrap();
        let kept = (message.door.as_str(), message.link.as_str(), message.from.as_str(), message.verdict.as_str());
        assert_eq!(kept, ("app", "web", "", "order"));
    }
}
