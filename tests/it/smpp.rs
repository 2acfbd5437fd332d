//! The SMPP link over real sockets: what stands here drives a real connection and plays the engine at its other end.

mod encrypted;
mod hostile;
mod oracles;
mod simulated;

use std::time::Duration;

use paygate::engine::door::{Delivery, Incoming, MessageIn, ReceiptIn, Submit, Submitted, Verdict};
use paygate::smpp::{self, Health, LinkSettings};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

/// Long enough for anything that is to happen; a test that waits it out has failed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A link under test with the engine's ends of its channels in the test's hands.
pub(crate) struct Link {
    pub(crate) deliveries: mpsc::Receiver<Delivery>,
    pub(crate) replies: mpsc::Sender<Submit>,
    pub(crate) health: watch::Receiver<Health>,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Link {
    pub(crate) fn start(settings: LinkSettings) -> Self {
        Self::with_intake(settings, 64)
    }

    /// A link whose engine takes `room` deliveries ahead.
    pub(crate) fn with_intake(settings: LinkSettings, room: usize) -> Self {
        let (intake, deliveries) = mpsc::channel(room);
        let (replies, outbound) = mpsc::channel(64);
        let (health, watched) = watch::channel(Health::Down);
        let stop = CancellationToken::new();
        let task = tokio::spawn(smpp::run(settings, intake, outbound, None, health, stop.clone()));
        Self { deliveries, replies, health: watched, stop, task }
    }

    pub(crate) async fn until(&mut self, wanted: impl FnMut(&Health) -> bool) -> Health {
        *timeout(PATIENCE, self.health.wait_for(wanted)).await.unwrap().unwrap()
    }

    pub(crate) async fn bound(&mut self) {
        self.until(|health| matches!(health, Health::Bound { .. })).await;
    }

    pub(crate) async fn delivery(&mut self) -> Delivery {
        timeout(PATIENCE, self.deliveries.recv()).await.unwrap().unwrap()
    }

    /// The next delivery, a message, found to be new.
    pub(crate) async fn message(&mut self) -> MessageIn {
        let delivery = self.delivery().await;
        delivery.done.send(Verdict::Fresh).unwrap();
        match delivery.incoming {
            Incoming::Message(message) => message,
            other => panic!("{other:?} is no message"),
        }
    }

    /// The next delivery, a receipt, found to be new.
    pub(crate) async fn receipt(&mut self) -> ReceiptIn {
        let delivery = self.delivery().await;
        delivery.done.send(Verdict::Fresh).unwrap();
        match delivery.incoming {
            Incoming::Receipt(receipt) => receipt,
            other => panic!("{other:?} is no receipt"),
        }
    }

    /// Hands a reply over without waiting for its end.
    pub(crate) async fn reply(&self, to: &str, text: &str) -> oneshot::Receiver<Submitted> {
        self.reply_until(to, text, Instant::now() + Duration::from_secs(86_400)).await
    }

    pub(crate) async fn reply_until(&self, to: &str, text: &str, not_after: Instant) -> oneshot::Receiver<Submitted> {
        let (done, outcome) = oneshot::channel();
        let (from, to, text) = ("9029".to_owned(), to.to_owned(), text.to_owned());
        self.replies.send(Submit { from, to, text, not_after, done }).await.unwrap();
        outcome
    }

    pub(crate) fn shut(&self) {
        self.stop.cancel();
    }

    pub(crate) async fn stopped(mut self) {
        self.stop.cancel();
        timeout(PATIENCE, &mut self.task).await.unwrap().unwrap();
    }
}

/// A link left behind by its test would go on connecting to whoever listens next.
impl Drop for Link {
    fn drop(&mut self) {
        self.task.abort();
    }
}

pub(crate) async fn outcome(reply: oneshot::Receiver<Submitted>) -> Submitted {
    timeout(PATIENCE, reply).await.unwrap().unwrap()
}

/// A link to `address` that connects again without much waiting.
pub(crate) fn settings(address: impl ToString) -> LinkSettings {
    let mut settings = LinkSettings::new("viettel", &address.to_string(), "paygate", "secret".into());
    settings.reconnect_min = Duration::from_millis(10);
    settings.reconnect_max = Duration::from_millis(20);
    settings.refused_max = Duration::from_millis(20);
    settings
}
