//! createOrder and queryOrder of the simulated 123PAY: what is demanded of a request, and the array it is answered with.

use super::books::Order;
use super::signature::sign;
use super::{Office, Settings};
use crate::sandbox::server::{Call, Reply};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::time::Instant;

/// The checksum's fields, with the length of each (seed 004, III.2).
const CREATE_ORDER: [(&str, usize); 15] = [
    ("mTransactionID", 50),
    ("merchantCode", 20),
    ("bankCode", 20),
    ("totalAmount", 20),
    ("clientIP", 15),
    ("custName", 64),
    ("custAddress", 255),
    ("custGender", 1),
    ("custDOB", 10),
    ("custPhone", 20),
    ("custMail", 64),
    ("cancelURL", 1000),
    ("redirectURL", 1000),
    ("errorURL", 1000),
    ("passcode", 255),
];
const QUERY_ORDER: [(&str, usize); 4] =
    [("mTransactionID", 50), ("merchantCode", 20), ("clientIP", 15), ("passcode", 20)];

type Fields = HashMap<String, String>;

impl Office {
    pub(super) fn create_order(&self, call: &Call) -> Reply {
        let fields = match self.admitted(call, &CREATE_ORDER) {
            Ok(fields) => fields,
            Err(refused) => return refused,
        };
        let order = match self.order(&fields) {
            Ok(order) => order,
            Err(code) => return failure(code),
        };
        let mut books = self.books();
        if books.by_key(&order.key).is_some() {
            return failure("6206");
        }
        if books.len() >= self.settings.capacity {
            return failure("5000");
        }
        let sum = sign(&["1", &order.id, &order.url], &self.settings.secret_key);
        let reply = Reply::new(200, json!(["1", order.id, order.url, sum]).to_string());
        let key = order.key.clone();
        books.add(order);
        drop(books);
        if self.settings.pays_at_once {
            self.decide(&key, "1");
        }
        reply
    }

    pub(super) fn query_order(&self, call: &Call) -> Reply {
        let fields = match self.admitted(call, &QUERY_ORDER) {
            Ok(fields) => fields,
            Err(refused) => return refused,
        };
        self.end_what_is_over(text(&fields, "mTransactionID"));
        let order = self.books().by_key(text(&fields, "mTransactionID")).cloned();
        let answer = match order {
            Some(order) => [&order.id, &order.status, &order.amount.to_string(), &order.paid.to_string(), &order.bank]
                .map(String::from),
            None => ["123P0", "-10", "0", "0", ""].map(String::from),
        };
        answered(&answer, &self.settings)
    }

    /// The form, if it is asked by our merchant and each field fits.
    fn admitted(&self, call: &Call, demanded: &[(&str, usize)]) -> Result<Fields, Reply> {
        if !call.header("accept").is_some_and(|accept| accept.contains("application/json")) {
            return Err(Reply::new(415, String::new()));
        }
        let fields: Fields = form_urlencoded::parse(&call.body).into_owned().collect();
        let values: Vec<&str> = demanded.iter().map(|(name, _)| text(&fields, name)).collect();
        let known = text(&fields, "merchantCode") == self.settings.merchant_code
            && text(&fields, "passcode") == self.settings.passcode
            && text(&fields, "checksum") == sign(&values, &self.settings.secret_key);
        if !known {
            return Err(failure("6000"));
        }
        let fits = demanded.iter().all(|(name, most)| text(&fields, name).chars().count() <= *most);
        if fits { Ok(fields) } else { Err(failure("6100")) }
    }

    fn order(&self, fields: &Fields) -> Result<Order, &'static str> {
        let amount = text(fields, "totalAmount").parse::<i64>().ok().filter(|amount| *amount > 0).ok_or("6100")?;
        let (key, description) = (text(fields, "mTransactionID"), text(fields, "description"));
        let gender = matches!(text(fields, "custGender"), "M" | "F" | "U");
        if key.is_empty() || text(fields, "redirectURL").is_empty() || !gender || !is_plain(description) {
            return Err("6100");
        }
        if amount > self.settings.amount_limit {
            return Err("6212");
        }
        let chosen = text(fields, "bankCode");
        let bank = if matches!(chosen, "" | "123PAY") { &self.settings.bank } else { chosen };
        let (id, address) = (self.next_id(), self.address.get().map_or_else(String::new, ToString::to_string));
        Ok(Order {
            url: format!("http://{address}/bank/{id}"),
            id,
            key: key.to_owned(),
            amount,
            bank: bank.to_owned(),
            phone: text(fields, "custPhone").to_owned(),
            description: description.to_owned(),
            return_url: text(fields, "redirectURL").to_owned(),
            status: "0".to_owned(),
            paid: 0,
            wrong_otps: 0,
            made_at: Instant::now(),
        })
    }

    /// As long as the real ones; not to be guessed, since whoever has it sees the bank's page.
    fn next_id(&self) -> String {
        let mut bytes = [0; 8];
        // Without an entropy source the ids are simply a count.
        let number = if getrandom::fill(&mut bytes).is_ok() { u64::from_le_bytes(bytes) } else { 0 };
        format!("123P{:06}{:010}", self.books().len() % 1_000_000, number % 10_000_000_000)
    }

    /// The answer with something else in it, and signed for that.
    pub(super) fn falsified(&self, reply: Reply, change: impl FnOnce(&mut [String])) -> Reply {
        let Ok(mut elements) = serde_json::from_str::<Vec<Option<String>>>(&reply.body).map(texts) else {
            return reply;
        };
        change(&mut elements);
        match elements.as_slice() {
            [code, id, status, total, paid, bank, _, _] if code == "1" => {
                answered(&[id, status, total, paid, bank].map(String::from), &self.settings)
            }
            // createOrder's stays signed for what it was.
            [code, id, url, sum] if code == "1" => Reply::new(200, json!([code, id, url, sum]).to_string()),
            _ => reply,
        }
    }
}

/// queryOrder's success: id, status, totalAmount, opAmount, bankCode.
fn answered(values: &[String; 5], settings: &Settings) -> Reply {
    let [id, status, total, paid, bank] = values;
    let sum = sign(&["1", id, status, total, paid, bank], &settings.secret_key);
    Reply::new(200, json!(["1", id, status, total, paid, bank, Value::Null, sum]).to_string())
}

fn failure(code: &str) -> Reply {
    let words = match code {
        "5000" => "He thong ban",
        "6000" => "Xac thuc doi tac that bai",
        "6100" => "Tham so truyen vao khong dung dinh dang yeu cau",
        "6206" => "Giao dich da duoc xu ly truoc do (trung ID)",
        "6212" => "Vuot qua gioi han thanh toan / giao dich",
        _ => "Loi",
    };
    Reply::new(200, json!([code, words]).to_string())
}

/// What an answer's first element says, or its HTTP status where it is none of 123PAY's.
pub(super) fn code_of(reply: &Reply) -> String {
    let elements = serde_json::from_str::<Vec<Value>>(&reply.body).unwrap_or_default();
    let code = elements.first().and_then(Value::as_str);
    code.map_or_else(|| reply.status.to_string(), str::to_owned)
}

pub(super) fn text<'a>(fields: &'a Fields, name: &str) -> &'a str {
    fields.get(name).map_or("", String::as_str)
}

fn texts(elements: Vec<Option<String>>) -> Vec<String> {
    elements.into_iter().map(Option::unwrap_or_default).collect()
}

/// No accents, and of signs only `. : , - _`.
fn is_plain(text: &str) -> bool {
    text.len() <= 255 && text.chars().all(|char| char.is_ascii_alphanumeric() || " .:,-_".contains(char))
}
