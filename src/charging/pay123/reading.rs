//! 123PAY's answers, which are JSON arrays, and what each proves about our order. Pure; believes no success that is not
//! signed, and no answer about another order than ours.

use super::checksum::is_signed;
use super::codes::{Place, Proof, row_of};
use crate::charging::ChargeOrder;
use crate::purchase::evidence::{Cause, Decline, Finding};
use crate::purchase::money::{Currency, Money};
use serde_json::Value;

/// The code of a call that succeeded. Seed 004 calls every other one "below 0" and gives 6000 for an example.
const SUCCESS: &str = "1";
/// Characters of an address that the customer is sent to.
const URL_LIMIT: usize = 1000;

const BAD_ANSWER: Finding = Finding::Unknown { cause: Cause::BadAnswer };
const UNKNOWN_CODE: Finding = Finding::Unknown { cause: Cause::UnknownCode };
const PENDING: Finding = Finding::Unknown { cause: Cause::Pending };

/// What an answer proves, the order it is about, and what was heard.
pub(super) struct Read {
    pub finding: Finding,
    /// 123PAY's own id of the order, where the answer is signed and there is one.
    pub transaction: Option<String>,
    pub heard: String,
}

/// createOrder's answer.
pub(super) fn created(order: &ChargeOrder, body: &[u8], secret_key: &str) -> Read {
    let elements = elements(body);
    match elements.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [SUCCESS, id, url, sum] if is_signed([SUCCESS, id, url], secret_key, sum) && is_ours(order, id) => {
            let finding = link(url).map_or(BAD_ANSWER, |url| Finding::AwaitsPayment { url: Some(url), begun: false });
            Read { finding, transaction: Some((*id).to_owned()), heard: format!("{SUCCESS} {id}") }
        }
        [SUCCESS, ..] => unbelieved(),
        [code, words @ ..] => refused(Place::CreateOrder, code, words.first().copied().unwrap_or_default()),
        [] => no_array(),
    }
}

/// queryOrder's answer. Its description is not covered by the checksum and proves nothing.
pub(super) fn queried(order: &ChargeOrder, body: &[u8], secret_key: &str) -> Read {
    let elements = elements(body);
    match elements.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [SUCCESS, id, status, total, paid, bank, words, sum]
            if is_signed([SUCCESS, id, status, total, paid, bank], secret_key, sum) =>
        {
            let row = row_of(Place::Status, status);
            // What is not there has no id.
            let absent = row.is_some_and(|row| row.proof == Proof::Absent);
            if !absent && !is_ours(order, id) {
                return unbelieved();
            }
            let finding = row.map_or(UNKNOWN_CODE, |row| stands(order, row.proof, total, paid));
            let means = row.map_or("", |row| row.means);
            let heard = format!("status {status} {means} {bank} {words}");
            Read { finding, transaction: Some((*id).to_owned()).filter(|_| !absent), heard }
        }
        [SUCCESS, ..] => unbelieved(),
        [code, words @ ..] => refused(Place::QueryOrder, code, words.first().copied().unwrap_or_default()),
        [] => no_array(),
    }
}

/// What an order's own status proves.
fn stands(order: &ChargeOrder, proof: Proof, total: &str, paid: &str) -> Finding {
    match proof {
        Proof::Paid => charged(order, total, paid),
        other => concluded(other),
    }
}

/// What the bank paid is told as 123PAY tells it, for the core to compare. An order that was made for another amount is not
/// ours, though as much was paid for it as for ours.
fn charged(order: &ChargeOrder, total: &str, paid: &str) -> Finding {
    match (dong(total), dong(paid)) {
        (Some(total), Some(paid)) if paid != order.amount || total == order.amount => {
            Finding::Charged { amount: paid, msisdn: None }
        }
        (_, _) => BAD_ANSWER,
    }
}

fn concluded(proof: Proof) -> Finding {
    match proof {
        Proof::Waits => Finding::AwaitsPayment { url: None, begun: false },
        Proof::Begun => Finding::AwaitsPayment { url: None, begun: true },
        Proof::Undetermined => PENDING,
        Proof::Absent => Finding::NotFound,
        Proof::Declined(reason, advice) => Finding::NotCharged(Decline::new(reason, advice)),
        // It is for queryOrder to say what stands under our id.
        Proof::Exists => PENDING,
        // Without an amount nothing is paid.
        Proof::Paid | Proof::NoEvidence => BAD_ANSWER,
    }
}

/// A failure, which nobody signs.
fn refused(place: Place, code: &str, words: &str) -> Read {
    let row = row_of(place, code);
    let finding = row.map_or(UNKNOWN_CODE, |row| concluded(row.proof));
    let means = row.map_or("", |row| row.means);
    Read { finding, transaction: None, heard: format!("{code} {means} {words}") }
}

fn unbelieved() -> Read {
    Read { finding: BAD_ANSWER, transaction: None, heard: "a success that is not signed, or not ours".to_owned() }
}

fn no_array() -> Read {
    Read { finding: BAD_ANSWER, transaction: None, heard: "no answer of 123PAY's".to_owned() }
}

/// No answer names our own id: where createOrder told 123PAY's, it is what an answer is recognised by.
fn is_ours(order: &ChargeOrder, id: &str) -> bool {
    !id.is_empty() && order.handle.as_deref().is_none_or(|known| known == id)
}

/// The elements as texts; none where it is not such an array. 123PAY writes texts, and null for what it has not.
fn elements(body: &[u8]) -> Vec<String> {
    let Ok(elements) = serde_json::from_slice::<Vec<Value>>(body) else { return Vec::new() };
    let texts = elements.into_iter().map(|element| match element {
        Value::String(text) => Some(text),
        Value::Number(number) => Some(number.to_string()),
        Value::Null => Some(String::new()),
        Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    });
    texts.collect::<Option<Vec<_>>>().unwrap_or_default()
}

/// Whole dong, written in the one way there is: the checksum does not tell where one value ends and the next begins.
fn dong(text: &str) -> Option<Money> {
    let amount: i64 = text.parse().ok().filter(|amount| *amount >= 0)?;
    (amount.to_string() == text).then(|| Money::new(amount, Currency::VND))
}

/// An address that a subscriber can open.
fn link(text: &str) -> Option<String> {
    let url = reqwest::Url::parse(text).ok()?;
    let opens = matches!(url.scheme(), "http" | "https") && url.has_host();
    let fits = text.len() <= URL_LIMIT && text.bytes().all(|byte| byte.is_ascii_graphic());
    (opens && fits).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::super::checksum::checksum;
    use super::*;
    use paygate_parsers::msisdn::{Country, Msisdn};
    use serde_json::json;
    use tokio::time::Instant;

    const KEY: &str = "MIKEY";
    const PAID: Finding = Finding::Charged { amount: Money::new(100_000, Currency::VND), msisdn: None };

    fn order(handle: Option<&str>) -> ChargeOrder {
        ChargeOrder {
            key: "V20170711001".to_owned(),
            msisdn: Some(Msisdn::parse(&Country::new("84").unwrap(), "0854689520").unwrap()),
            amount: Money::new(100_000, Currency::VND),
            service: "VIP".to_owned(),
            package: "NAP1".to_owned(),
            description: String::new(),
            return_url: None,
            handle: handle.map(str::to_owned),
            code: None,
            sends: 1,
            intended_at: 0,
            lost_since: None,
            in_flight_until: 0,
            send_by: Instant::now(),
        }
    }

    fn create(elements: &Value) -> Finding {
        created(&order(None), elements.to_string().as_bytes(), KEY).finding
    }

    fn query(elements: &Value) -> Finding {
        queried(&order(None), elements.to_string().as_bytes(), KEY).finding
    }

    /// queryOrder's success with the checksum that belongs to it.
    fn signed(id: &str, status: &str, total: &str, paid: &str) -> Value {
        let sum = checksum(["1", id, status, total, paid, "123PVTB"], KEY);
        json!(["1", id, status, total, paid, "123PVTB", null, sum])
    }

    #[test]
    fn the_printed_answer_of_create_order_is_a_link() {
        let url = "https://sandbox.123pay.vn/banksim/index.SMARTLINK.123P1707110106638.MICODE.accountNoName.100000.1499789401525.8d538c668ae7c6eac606f28b98aea13d70d14fe0.VjIwMTcwNzExMDAw.123PVTB.html";
        let answer = json!(["1", "123P1707110106638", url, "a57d2f10b8e04e9bc2bb8c3c9c9c70936f4c97c4"]);
        assert_eq!(create(&answer), Finding::AwaitsPayment { url: Some(url.to_owned()), begun: false });
        let forged =
            json!(["1", "123P1707110106638", "https://evil.example/", "a57d2f10b8e04e9bc2bb8c3c9c9c70936f4c97c4"]);
        assert_eq!(create(&forged), BAD_ANSWER);
    }

    #[test]
    fn the_printed_answer_of_query_order_is_refused_and_the_right_one_is_not() {
        let answer = |status: &str, sum: &str| {
            json!(["1", "123P1707110106640", status, "100000", "100000", "123PVTB", null, sum])
        };
        let printed = "6a97a55e74b5d5827dc60494f4e6df5311939167";
        assert_eq!(query(&answer("1", printed)), BAD_ANSWER);
        assert_eq!(query(&answer("10", printed)), Finding::AwaitsPayment { url: None, begun: true });
        assert_eq!(query(&answer("1", "9e705a1d90b4b689c10f67586f5eef56623b4489")), PAID);
    }

    #[test]
    fn a_success_that_nobody_signed_is_unknown_and_so_is_what_is_no_answer() {
        let checking = signed("123P1", "1", "100000", "100000");
        let unsigned = json!(["1", "123P1", "1", "100000", "100000", "123PVTB", null]);
        let elsewhere = json!({ "answer": checking });
        for elements in
            [unsigned, elsewhere, json!([]), json!(["1"]), json!("1"), json!(null), json!([["1"]]), json!([true])]
        {
            assert_eq!(query(&elements), BAD_ANSWER, "{elements}");
            assert_eq!(create(&elements), BAD_ANSWER, "{elements}");
        }
        for body in [&b""[..], b"1", b"<html>", b"[\"1\"", b"\xff"] {
            assert_eq!(queried(&order(None), body, KEY).finding, BAD_ANSWER);
        }
    }

    #[test]
    fn an_address_that_cannot_be_opened_is_no_link() {
        for url in
            ["", "javascript:alert(1)", "/bank/1", "https://a b/", "https://bank.example/\u{e9}", "file:///etc/passwd"]
        {
            let sum = checksum(["1", "123P1", url], KEY);
            assert_eq!(create(&json!(["1", "123P1", url, sum])), BAD_ANSWER, "{url:?}");
        }
    }

    #[test]
    fn an_answer_about_another_order_than_ours_proves_nothing() {
        let answer = signed("123P1", "1", "100000", "100000").to_string();
        assert_eq!(queried(&order(Some("123P1")), answer.as_bytes(), KEY).finding, PAID);
        assert_eq!(queried(&order(Some("123P2")), answer.as_bytes(), KEY).finding, BAD_ANSWER);
        assert_eq!(query(&signed("123P1", "1", "50000", "100000")), BAD_ANSWER, "it was made for another amount");
    }

    #[test]
    fn what_is_not_there_needs_no_id_and_gives_none() {
        for id in ["", "0", "123P9"] {
            let answer = signed(id, "-10", "0", "0").to_string();
            let read = queried(&order(Some("123P1")), answer.as_bytes(), KEY);
            assert_eq!((read.finding, read.transaction), (Finding::NotFound, None), "{id:?}");
        }
        assert_eq!(query(&signed("", "1", "100000", "100000")), BAD_ANSWER);
    }

    #[test]
    fn what_the_bank_took_is_told_whatever_it_is_and_only_in_whole_dong() {
        let charged = |amount| Finding::Charged { amount: Money::new(amount, Currency::VND), msisdn: None };
        assert_eq!(query(&signed("123P1", "1", "100000", "99999")), charged(99_999));
        assert_eq!(query(&signed("123P1", "1", "100000", "0")), charged(0));
        for paid in ["", "100000.0", "0100000", "+100000", "-100000", "1e5", "100,000"] {
            assert_eq!(query(&signed("123P1", "1", "100000", paid)), BAD_ANSWER, "{paid:?}");
        }
    }

    #[test]
    fn the_values_cannot_be_cut_otherwise_under_the_same_checksum() {
        // Being checked, and nothing paid: ["1", "X", "10", "100000", "0", "123PVTB"].
        let sum = checksum(["1", "X", "10", "100000", "0", "123PVTB"], KEY);
        for (id, status, total, paid, bank) in [
            ("X", "1", "0", "100000", "0123PVTB"),
            ("X", "1", "0100000", "0", "123PVTB"),
            ("X1", "0", "100000", "0", "123PVTB"),
        ] {
            let finding = query(&json!(["1", id, status, total, paid, bank, null, sum]));
            assert!(!matches!(finding, Finding::Charged { .. }), "{id} {status} {finding:?}");
        }
    }

    #[test]
    fn numbers_are_taken_where_texts_should_stand() {
        let sum = checksum(["1", "123P1", "1", "100000", "100000", "123PVTB"], KEY);
        assert_eq!(query(&json!([1, "123P1", 1, 100_000, 100_000, "123PVTB", "ok", sum])), PAID);
    }
}
