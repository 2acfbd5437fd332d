//! The questions under way from this process, so that none is asked a second time before the first is answered: when peers
//! are slow, what is due again would only lengthen the queue that it waits in. Never holds back what moves anything.

use crate::purchase::input::{ChannelCall, Effect, GrantCall};
use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A purchase's id and what is asked about it.
type Question = (String, &'static str);

#[derive(Clone, Debug, Default)]
pub(super) struct Questions(Arc<Mutex<HashSet<Question>>>);

/// A question under way; it may be asked again when this is dropped.
#[derive(Debug)]
pub(super) struct Asking {
    questions: Questions,
    question: Question,
}

impl Questions {
    /// Takes up a question. `Err` where it is under way already; `Ok(None)` for what is no question.
    pub(super) fn ask(&self, purchase: &str, effect: &Effect) -> Result<Option<Asking>, AlreadyAsked> {
        let Some(name) = name(effect) else { return Ok(None) };
        let question = (purchase.to_owned(), name);
        if self.held().insert(question.clone()) {
            Ok(Some(Asking { questions: self.clone(), question }))
        } else {
            Err(AlreadyAsked)
        }
    }

    fn held(&self) -> MutexGuard<'_, HashSet<Question>> {
        // A set is changed in one step: one left behind by a panic is as good as any.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Its answer comes without it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct AlreadyAsked;

impl Drop for Asking {
    fn drop(&mut self) {
        self.questions.held().remove(&self.question);
    }
}

const fn name(effect: &Effect) -> Option<&'static str> {
    match effect {
        Effect::Check => Some("check"),
        Effect::Call {
            call: call @ (ChannelCall::InquireCharge | ChannelCall::CancelCharge | ChannelCall::InquireRefund),
        } => Some(call.as_str()),
        Effect::Give { call: call @ GrantCall::InquireGrant } => Some(call.as_str()),
        Effect::Call { call: ChannelCall::Prepare | ChannelCall::Charge | ChannelCall::Refund }
        | Effect::Give { call: GrantCall::Grant }
        | Effect::Tell { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{AlreadyAsked, Questions};
    use crate::purchase::input::{ChannelCall, Effect};

    const INQUIRY: Effect = Effect::Call { call: ChannelCall::InquireCharge };
    const CHARGE: Effect = Effect::Call { call: ChannelCall::Charge };

    #[test]
    fn a_question_is_asked_once_at_a_time_and_what_moves_money_is_never_held_back() {
        let questions = Questions::default();
        let first = questions.ask("one", &INQUIRY);
        assert!(matches!(first, Ok(Some(_))));
        assert_eq!(questions.ask("one", &INQUIRY).err(), Some(AlreadyAsked));
        assert!(matches!(questions.ask("another", &INQUIRY), Ok(Some(_))), "another's is another question");
        assert!(matches!((questions.ask("one", &CHARGE), questions.ask("one", &CHARGE)), (Ok(None), Ok(None))));
        drop(first);
        assert!(matches!(questions.ask("one", &INQUIRY), Ok(Some(_))));
    }
}
