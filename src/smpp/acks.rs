//! Deliveries handed to the engine and not yet answered to the SMSC. Answers may go in any order; none waits longer than
//! `ack_within`, and none is given twice.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Which delivery a verdict is about; never used again, not even by a later connection.
pub(super) type AckId = u64;

/// What the answer must name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ack {
    /// The request's `command_id`: `deliver_sm` or `data_sm`.
    pub(super) command_id: u32,
    pub(super) sequence: u32,
}

/// A ring of open answers. All wait equally long, so the front is always due first.
pub(super) struct Acks {
    within: Duration,
    max: usize,
    /// The id of the ring's front.
    first: AckId,
    ring: VecDeque<Option<(Ack, Instant)>>,
}

impl Acks {
    pub(super) fn new(within: Duration, max: usize) -> Self {
        Self { within, max, first: 0, ring: VecDeque::new() }
    }

    /// Whether no more may be opened now.
    pub(super) fn is_full(&self) -> bool {
        self.ring.len() >= self.max
    }

    pub(super) fn is_empty(&self) -> bool {
        self.ring.is_empty()
    }

    pub(super) fn open(&mut self, ack: Ack, now: Instant) -> AckId {
        self.ring.push_back(Some((ack, now + self.within)));
        self.first + self.ring.len() as AckId - 1
    }

    pub(super) fn is_open(&self, id: AckId) -> bool {
        self.index(id).is_some_and(|index| self.ring[index].is_some())
    }

    /// Takes an answer to be given; `None` when it was given already or its connection is gone.
    pub(super) fn close(&mut self, id: AckId) -> Option<Ack> {
        let index = self.index(id)?;
        let (ack, _) = self.ring[index].take()?;
        self.drop_closed();
        Some(ack)
    }

    /// Takes an answer that can wait no longer.
    pub(super) fn expired(&mut self, now: Instant) -> Option<Ack> {
        self.due().filter(|due| *due <= now)?;
        self.close(self.first)
    }

    pub(super) fn due(&self) -> Option<Instant> {
        self.ring.front().copied().flatten().map(|(_, due)| due)
    }

    /// Forgets all: the connection they would have gone by is lost.
    pub(super) fn clear(&mut self) {
        self.first += self.ring.len() as AckId;
        self.ring.clear();
    }

    fn index(&self, id: AckId) -> Option<usize> {
        let index = usize::try_from(id.checked_sub(self.first)?).ok()?;
        (index < self.ring.len()).then_some(index)
    }

    /// Keeps an open answer at the front, or the ring empty.
    fn drop_closed(&mut self) {
        while let Some(None) = self.ring.front() {
            self.ring.pop_front();
            self.first += 1;
        }
    }
}
