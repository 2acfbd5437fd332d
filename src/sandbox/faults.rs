//! What may go wrong at a simulated neighbour, as data that a test or a web page sets while it runs. A fault changes how
//! a request is answered, never what the books say was done.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Switches held at once; more are not taken.
const RULES_LIMIT: usize = 64;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fault", rename_all = "snake_case")]
pub enum Fault {
    /// Done at once, answered after this long.
    Slow { ms: u64 },
    /// Done, and the connection closed without an answer.
    Lost,
    /// Done, and never answered; the connection stays open.
    Silent,
    /// Not done; the connection closed without an answer.
    LostBefore,
    /// Not done, and refused so.
    Refuse { status: u16, code: String },
    /// Done, and answered as if it had failed.
    Failed { status: u16 },
    /// Done, and refused so all the same.
    Denied { status: u16, code: String },
    /// Done, and answered 200 with a web page.
    Garbage,
    /// Done, and the answer breaks off.
    Truncated,
    /// Held for this long and done then, though the client may have left.
    Late { ms: u64 },
    /// Done, and the answer names another amount.
    WrongAmount,
    /// Done, and the answer is about somebody else.
    OthersData,
}

/// One switch: at one endpoint or at all, for the next `times` requests or for good.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaultRule<E> {
    #[serde(default = "Option::default")]
    pub endpoint: Option<E>,
    #[serde(flatten)]
    pub fault: Fault,
    #[serde(default)]
    pub times: Option<u32>,
}

/// The switches of one simulator; the first that fits is taken, and before all those that are about one subscriber alone.
#[derive(Debug)]
pub struct Faults<E> {
    rules: Mutex<Vec<FaultRule<E>>>,
    /// By the digits of whom they are about.
    own: Mutex<Vec<(String, FaultRule<E>)>>,
}

impl<E> Default for Faults<E> {
    fn default() -> Self {
        Self { rules: Mutex::default(), own: Mutex::default() }
    }
}

impl<E: Copy + PartialEq> Faults<E> {
    /// False when there are too many already.
    pub fn set(&self, rule: FaultRule<E>) -> bool {
        let mut rules = self.rules();
        let room = rules.len() < RULES_LIMIT;
        if room {
            rules.push(rule);
        }
        room
    }

    pub fn clear(&self) {
        self.rules().clear();
    }

    #[must_use]
    pub fn list(&self) -> Vec<FaultRule<E>> {
        self.rules().clone()
    }

    /// For one subscriber alone; `clear` leaves it. False when there are too many already.
    pub(super) fn set_for(&self, who: &str, rule: FaultRule<E>) -> bool {
        let mut own = self.own();
        let room = own.len() < RULES_LIMIT;
        if room {
            own.push((who.to_owned(), rule));
        }
        room
    }

    pub(super) fn clear_for(&self, who: &str) {
        self.own().retain(|(other, _)| other != who);
    }

    pub(super) fn take(&self, endpoint: E, is_about: impl Fn(&str) -> bool) -> Option<Fault> {
        let fits = |rule: &FaultRule<E>| rule.endpoint.is_none_or(|only| only == endpoint);
        let mut own = self.own();
        if let Some(at) = own.iter().position(|(who, rule)| fits(rule) && is_about(who)) {
            let (fault, used_up) = own[at].1.taken();
            if used_up {
                own.remove(at);
            }
            return Some(fault);
        }
        let mut rules = self.rules();
        let at = rules.iter().position(fits)?;
        let (fault, used_up) = rules[at].taken();
        if used_up {
            rules.remove(at);
        }
        Some(fault)
    }

    fn own(&self) -> MutexGuard<'_, Vec<(String, FaultRule<E>)>> {
        self.own.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn rules(&self) -> MutexGuard<'_, Vec<FaultRule<E>>> {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<E> FaultRule<E> {
    /// Its fault, once more, and whether that was the last time.
    fn taken(&mut self) -> (Fault, bool) {
        let used_up = matches!(self.times, Some(0 | 1));
        self.times = self.times.map(|times| times.saturating_sub(1));
        (self.fault.clone(), used_up)
    }
}

/// The answer with every amount and price one more than it was.
pub(super) fn with_wrong_amount(body: &str) -> String {
    rewritten(body, &|key, value| {
        if let ("amount" | "price", Some(number)) = (key, value.as_f64()) {
            *value = json!((number as i64).saturating_add(1));
        }
    })
}

/// The answer as if it were about another subscriber's purchase.
pub(super) fn with_others_data(body: &str) -> String {
    rewritten(body, &|key, value| match key {
        "clientCorrelator" | "referenceCode" | "purchaseId" => *value = "somebody-elses".into(),
        "phoneNumber" => *value = "+84850009999".into(),
        "code" if value.is_string() => *value = "OTHER".into(),
        _ => {}
    })
}

fn rewritten(body: &str, change: &dyn Fn(&str, &mut Value)) -> String {
    let Ok(mut value) = serde_json::from_str(body) else { return body.to_owned() };
    walk(&mut value, change);
    value.to_string()
}

/// As deep as serde_json reads, which is 128 levels.
fn walk(value: &mut Value, change: &dyn Fn(&str, &mut Value)) {
    match value {
        Value::Object(fields) => fields.iter_mut().for_each(|(key, value)| {
            change(key, value);
            walk(value, change);
        }),
        Value::Array(items) => items.iter_mut().for_each(|item| walk(item, change)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;

    #[test]
    fn a_web_page_can_post_a_switch() {
        for (text, rule) in [
            (r#"{"endpoint":7,"fault":"slow","ms":500,"times":3}"#, (Some(7), Fault::Slow { ms: 500 }, Some(3))),
            (r#"{"fault":"lost"}"#, (None, Fault::Lost, None)),
        ] {
            let (endpoint, fault, times) = rule;
            assert_eq!(serde_json::from_str::<FaultRule<u8>>(text).unwrap(), FaultRule { endpoint, fault, times });
        }
    }

    #[test]
    fn a_switch_counts_down_and_the_next_one_follows() {
        let faults = Faults::default();
        assert!(faults.set(FaultRule { endpoint: Some(1), fault: Fault::Lost, times: Some(2) }));
        assert!(faults.set(FaultRule { endpoint: None, fault: Fault::Garbage, times: None }));
        let taken: Vec<_> =
            [1, 2, 1, 1].into_iter().map(|endpoint| faults.take(endpoint, |_| false).unwrap()).collect();
        assert_eq!(taken, [Fault::Lost, Fault::Garbage, Fault::Lost, Fault::Garbage]);
    }

    #[test]
    fn a_falsified_answer_is_wrong_in_one_thing_only() {
        let body = r#"{"amount":10000,"list":[{"phoneNumber":"+84854689520"}],"referenceCode":"k1"}"#;
        assert_eq!(with_wrong_amount(body), body.replace("10000", "10001"));
        let others = body.replace("k1", "somebody-elses").replace("+84854689520", "+84850009999");
        assert_eq!(with_others_data(body), others);
    }

    #[test]
    fn a_fault_of_one_subscriber_meets_nobody_else_and_leaves_the_others_switches() {
        let faults = Faults::default();
        assert!(faults.set(FaultRule { endpoint: Some(1), fault: Fault::Lost, times: None }));
        assert!(faults.set_for("870000001", FaultRule { endpoint: Some(1), fault: Fault::Silent, times: None }));
        assert_eq!(faults.take(1, |who| who == "870000002"), Some(Fault::Lost));
        assert_eq!(faults.take(1, |who| who == "870000001"), Some(Fault::Silent));
        assert_eq!(faults.take(2, |_| true), None);
        faults.clear_for("870000001");
        assert_eq!(faults.take(1, |_| true), Some(Fault::Lost));
    }
}
