//! What a simulated SMSC can be told to do wrong. Counts run down by themselves; the rest stays until switched back.

use std::time::Duration;

/// When a submitted text's delivery receipt comes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Receipts {
    /// None comes.
    Off,
    /// Right behind the answer.
    #[default]
    On,
    /// Before the answer, as happens when an SMSC's parts race.
    Early,
    /// This long after the answer.
    Late(Duration),
}

/// The switches, all off at first.
#[derive(Clone, Debug, Default)]
pub struct SmscFaults {
    /// Answers the next so many `submit_sm`s with this `command_status` and does not take them.
    pub refuse_submits: (u32, u32),
    /// Takes the next so many `submit_sm`s and does not answer.
    pub swallow_responses: u32,
    /// Answers `submit_sm` this much later.
    pub delay_responses: Duration,
    /// Answers the next so many binds with this `command_status`.
    pub refuse_binds: (u32, u32),
    /// Does not answer `enquire_link`.
    pub silent: bool,
    /// When receipts come, for those who ask for one.
    pub receipts: Receipts,
    /// Sends texts again that are not acknowledged.
    pub redeliver: bool,
    /// Sends the next so many USSD hops twice, the second with a new sequence number.
    pub double_hops: u32,
}

impl SmscFaults {
    /// Throttles the next `count` replies (ESME_RTHROTTLED).
    pub fn throttle_next(&mut self, count: u32) {
        self.refuse_submits = (count, paygate_parsers::smpp::status::ESME_RTHROTTLED);
    }

    pub(super) fn take_submit_refusal(&mut self) -> Option<u32> {
        count_down(&mut self.refuse_submits.0).then_some(self.refuse_submits.1)
    }

    pub(super) fn take_bind_refusal(&mut self) -> Option<u32> {
        count_down(&mut self.refuse_binds.0).then_some(self.refuse_binds.1)
    }

    pub(super) fn take_doubled_hop(&mut self) -> bool {
        count_down(&mut self.double_hops)
    }

    pub(super) fn take_swallowed(&mut self) -> bool {
        count_down(&mut self.swallow_responses)
    }
}

/// Whether one was left.
fn count_down(left: &mut u32) -> bool {
    let one = *left > 0;
    *left = left.saturating_sub(1);
    one
}
