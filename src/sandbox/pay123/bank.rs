//! What a customer does at the simulated bank's page: the card first, then the OTP, or nothing of it. Decides by seed 004's
//! test card; every other card is unknown to the bank.

use super::books::Order;
use super::orders::text;
use super::{Office, card, page};
use crate::sandbox::server::{Call, Reply};
use std::collections::HashMap;

/// What the page says above its form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Remark {
    None,
    WrongCard,
    WrongOtp,
}

impl Office {
    pub(super) fn bank_page(&self, call: &Call) -> Reply {
        self.shown(call, Remark::None)
    }

    pub(super) fn bank_form(&self, call: &Call) -> Reply {
        let Some(order) = self.order_of(call).filter(|order| self.can_be_paid(order)) else {
            return self.shown(call, Remark::None);
        };
        let fields: HashMap<String, String> = form_urlencoded::parse(&call.body).into_owned().collect();
        let remark = match text(&fields, "do") {
            "cancel" => {
                self.decide(&order.key, "-100");
                Remark::None
            }
            "card" if is_test_card(&fields) => {
                self.books().set_status(&order.key, "11");
                Remark::None
            }
            "card" => Remark::WrongCard,
            "otp" if order.status == "11" => self.otp(&order, text(&fields, "otp")),
            _ => Remark::None,
        };
        self.shown(call, remark)
    }

    fn can_be_paid(&self, order: &Order) -> bool {
        order.is_open() && !self.is_closed(order)
    }

    fn is_closed(&self, order: &Order) -> bool {
        self.settings.page_life.is_some_and(|life| order.made_at.elapsed() > life)
    }

    /// Whoever was at the page when it closed has entered no OTP (7220).
    pub(super) fn end_what_is_over(&self, key: &str) {
        let over = |order: &Order| matches!(order.status.as_str(), "10" | "11") && self.is_closed(order);
        let ends = self.books().by_key(key).is_some_and(over);
        if ends {
            self.decide(key, "7220");
        }
    }

    fn otp(&self, order: &Order, otp: &str) -> Remark {
        if otp.trim() == card::OTP {
            self.decide(&order.key, "1");
            return Remark::None;
        }
        let wrong = self.books().wrong_otp(&order.key);
        if wrong >= self.settings.otp_attempts {
            self.decide(&order.key, "7224");
            return Remark::None;
        }
        Remark::WrongOtp
    }

    fn shown(&self, call: &Call, remark: Remark) -> Reply {
        let (status, html) = match self.order_of(call) {
            Some(order) => (200, page::of(&order, remark)),
            None => (404, page::nothing()),
        };
        let mut reply = Reply::new(status, html);
        reply.headers.push(("content-security-policy", page::POLICY.to_owned()));
        reply.headers.push(("cache-control", "no-store".to_owned()));
        reply
    }

    fn order_of(&self, call: &Call) -> Option<Order> {
        self.books().by_id(call.segments().get(1)?).cloned()
    }
}

/// Written with or without its accent and in any case, the number with or without spaces.
fn is_test_card(fields: &HashMap<String, String>) -> bool {
    let fold = paygate_parsers::text::fold;
    let number: String = text(fields, "number").chars().filter(char::is_ascii_digit).collect();
    fold(text(fields, "holder")) == fold(card::HOLDER) && number == card::NUMBER
}
