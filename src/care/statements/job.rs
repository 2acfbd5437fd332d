//! The import that this process carries out, if any does: one at a time, and what came of the last. Knows no request.

use crate::reconcile::{CarriedThrough, ReconcileError, Step};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What is imported, and where it is.
#[derive(Clone, Debug)]
pub(super) struct Running {
    pub(super) channel: String,
    pub(super) day: String,
    pub(super) operator: String,
    pub(super) at: At,
}

#[derive(Clone, Debug)]
pub(super) enum At {
    /// Its files are on their way here.
    Coming,
    Step(Step),
    Done(Arc<CarriedThrough>),
    /// It ended without an import, and why.
    Failed(String),
}

/// The place for one import.
#[derive(Debug, Default)]
pub(in super::super) struct Job(Mutex<Option<Running>>);

/// An import's hold of that place; let go of in any case, so that a broken one stands in nobody's way.
pub(super) struct Claim(Arc<Job>);

impl Job {
    /// Takes the place; nothing where somebody has it.
    pub(super) fn claim(self: &Arc<Self>, channel: &str, day: &str, operator: &str) -> Option<Claim> {
        let mut job = self.lock();
        if job.as_ref().is_some_and(Running::is_under_way) {
            return None;
        }
        let (channel, day, operator) = (channel.to_owned(), day.to_owned(), operator.to_owned());
        *job = Some(Running { channel, day, operator, at: At::Coming });
        Some(Claim(Arc::clone(self)))
    }

    pub(super) fn seen(&self) -> Option<Running> {
        self.lock().clone()
    }

    /// Whether this very day is being imported.
    pub(super) fn is_about(&self, channel: &str, day: &str) -> bool {
        self.seen().is_some_and(|job| job.is_under_way() && job.channel == channel && job.day == day)
    }

    /// Whoever panicked with it left a whole value.
    fn lock(&self) -> MutexGuard<'_, Option<Running>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Running {
    pub(super) const fn is_under_way(&self) -> bool {
        matches!(self.at, At::Coming | At::Step(_))
    }
}

impl Claim {
    pub(super) fn is_at(&self, step: Step) {
        self.set(At::Step(step));
    }

    pub(super) fn ends(self, ended: Result<CarriedThrough, ReconcileError>) {
        self.set(match ended {
            Ok(through) => At::Done(Arc::new(through)),
            Err(error) => At::Failed(error.to_string()),
        });
    }

    pub(super) fn fails(self, why: &str) {
        self.set(At::Failed(why.to_owned()));
    }

    fn set(&self, at: At) {
        if let Some(job) = self.0.lock().as_mut() {
            job.at = at;
        }
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let mut job = self.0.lock();
        match job.as_mut() {
            // Nothing had begun.
            Some(Running { at: At::Coming, .. }) => *job = None,
            Some(running) if running.is_under_way() => {
                let why = "the import broke off; give the same file again, and it goes on where it stood";
                running.at = At::Failed(why.to_owned());
            }
            _ => {}
        }
    }
}
