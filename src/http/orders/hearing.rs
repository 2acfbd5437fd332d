//! Who waits for which purchase. Tells of each durable step of this process that there is something to look up, and never what:
//! that is the journal's to say, so that whoever was slow or was told nothing misses nothing.

use crate::engine::Moved;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::broadcast::{self, error::RecvError};
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

/// Where each purchase's listeners are told.
type Listeners = HashMap<String, watch::Sender<()>>;

/// Those who listen; none any more once the engine has stopped.
#[derive(Clone, Debug)]
pub struct Hearing(Arc<Mutex<Option<Listeners>>>);

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

    fn with(&self, act: impl FnMut(&Listeners)) {
        self.listeners().iter().for_each(act);
    }

    /// A thread that panicked here left a whole map, so its lock is taken over.
    fn listeners(&self) -> MutexGuard<'_, Option<Listeners>> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::purchase::record::{Order, Purchase};
    use std::time::Duration;

    fn moved(id: &str) -> Arc<Moved> {
        let text = || "x".to_owned();
        let order = Order {
            msisdn: None,
            account: text(),
            service: text(),
            package: text(),
            channel: text(),
            door: text(),
            link: text(),
            short_code: text(),
            repeat: false,
            app: None,
        };
        Arc::new(Moved { purchase: Arc::new(Purchase::unasked(id.to_owned(), order, 0)), events: Vec::new() })
    }

    /// Whether a step was heard of, where nothing else would end the wait.
    async fn hears(listening: &mut Listening) -> bool {
        let heard = listening.changed(Instant::now() + Duration::from_secs(3_600));
        tokio::time::timeout(Duration::from_secs(60), heard).await == Ok(true)
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_listens_hears_of_its_own_purchase_and_of_any_that_may_have_been_missed() {
        let (moves, heard) = broadcast::channel(1);
        let hearing = Hearing::default();
        let (mut one, mut two) = (hearing.listen("one"), hearing.listen("two"));
        tokio::spawn(hearing.clone().hear(heard));
        let _ = moves.send(moved("one"));
        assert!(hears(&mut one).await);
        assert!(!hears(&mut two).await);
        // More at once than are kept: the first is lost on the way.
        for id in ["two", "three", "three"] {
            let _ = moves.send(moved(id));
        }
        assert!(hears(&mut two).await && hears(&mut one).await);
        drop(moves);
        let end = Instant::now() + Duration::from_secs(3_600);
        assert!(!one.changed(end).await && !hearing.listen("late").changed(end).await, "nothing more will come");
    }

    #[test]
    fn nothing_is_kept_of_those_who_have_stopped_listening() {
        let hearing = Hearing::default();
        let (one, other) = (hearing.listen("one"), hearing.listen("one"));
        drop(one);
        assert_eq!(hearing.listeners().as_ref().map(HashMap::len), Some(1));
        drop(other);
        assert_eq!(hearing.listeners().as_ref().map(HashMap::len), Some(0));
    }
}
