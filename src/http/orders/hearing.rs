//! Who waits for which purchase. Tells of each durable step of this process that there is something to look up, and never what:
//! that is the journal's to say, so that whoever was slow or was told nothing misses nothing.

use crate::engine::Moved;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::broadcast::{self, error::RecvError};
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

/// Those who listen, by purchase; none any more once the engine has stopped.
#[derive(Clone, Debug)]
pub struct Hearing(Arc<Mutex<Option<HashMap<String, watch::Sender<()>>>>>);

/// One who listens. Dropping it ends that.
pub(super) struct Listening {
    purchase: String,
    hearing: Hearing,
    steps: Option<watch::Receiver<()>>,
}

impl Default for Hearing {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Some(HashMap::new()))))
    }
}

impl Hearing {
    /// Passes steps on until the engine stops; then whoever listens is told that nothing more will come.
    pub async fn hear(self, mut moves: broadcast::Receiver<Arc<Moved>>) {
        loop {
            match moves.recv().await {
                Ok(moved) => self.with(|listeners| {
                    listeners.get(&moved.purchase.id).into_iter().for_each(|steps| steps.send_replace(()));
                }),
                // Steps were missed, and nobody knows whose.
                Err(RecvError::Lagged(_)) => self.with(|listeners| {
                    listeners.values().for_each(|steps| steps.send_replace(()));
                }),
                Err(RecvError::Closed) => break,
            }
        }
        *self.listeners() = None;
    }

    /// Listens from now on to the steps of one purchase.
    pub(super) fn listen(&self, purchase: &str) -> Listening {
        let steps = self
            .listeners()
            .as_mut()
            .map(|listeners| listeners.entry(purchase.to_owned()).or_insert_with(|| watch::channel(()).0).subscribe());
        Listening { purchase: purchase.to_owned(), hearing: self.clone(), steps }
    }

    fn with(&self, act: impl FnMut(&HashMap<String, watch::Sender<()>>)) {
        self.listeners().iter().for_each(act);
    }

    /// A thread that panicked here left a whole map, so its lock is taken over.
    fn listeners(&self) -> MutexGuard<'_, Option<HashMap<String, watch::Sender<()>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Listening {
    /// Waits until there may be something new: a step was heard of, or it is time to look all the same. False once the
    /// engine has stopped, and nothing more comes.
    pub(super) async fn changed(&mut self, at_the_latest: Instant) -> bool {
        let Some(steps) = &mut self.steps else { return false };
        !matches!(timeout_at(at_the_latest, steps.changed()).await, Ok(Err(_)))
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.steps = None;
        if let Some(listeners) = self.hearing.listeners().as_mut()
            && listeners.get(&self.purchase).is_some_and(|steps| steps.receiver_count() == 0)
        {
            listeners.remove(&self.purchase);
        }
    }
}
