//! A purchase led through a story, input by input and moment by moment. Performs nothing.

use super::sample::{SECOND, START, after};
use paygate::purchase::input::{ChannelCall, Effect, GrantCall, Input, Notice};
use paygate::purchase::record::{AttemptStatus, Micros, Purchase};
use paygate::purchase::rules::Rules;
use paygate::purchase::{Step, next};

/// A purchase being led from moment to moment.
pub(super) struct Life {
    pub(super) rules: Rules,
    pub(super) purchase: Purchase,
    pub(super) now: Micros,
    pub(super) effects: Vec<Effect>,
}

impl Life {
    pub(super) fn new(rules: Rules, inputs: &[Input]) -> Self {
        let (purchase, now) = after(&rules, inputs);
        Self { rules, purchase, now, effects: Vec::new() }
    }

    /// One input, that many seconds after the start.
    pub(super) fn at(&mut self, seconds: Micros, input: Input) -> &mut Self {
        self.now = START + seconds * SECOND;
        self.take(input)
    }

    pub(super) fn take(&mut self, input: Input) -> &mut Self {
        let Step { purchase, effects } = next(&self.rules, &self.purchase, &input, self.now);
        (self.purchase, self.effects) = (purchase, effects);
        self
    }

    /// The timer, when it is due.
    pub(super) fn wake(&mut self) -> &mut Self {
        self.now = self.purchase.due_at.unwrap();
        self.take(Input::Timer)
    }

    pub(super) fn calls(&self, call: ChannelCall) -> bool {
        self.effects.contains(&Effect::Call { call })
    }

    pub(super) fn gives(&self, call: GrantCall) -> bool {
        self.effects.contains(&Effect::Give { call })
    }

    pub(super) fn tells(&self, notice: Notice) -> bool {
        self.effects.contains(&Effect::Tell { notice })
    }

    pub(super) fn charge(&self) -> AttemptStatus {
        self.purchase.charge.as_ref().unwrap().status
    }
}
