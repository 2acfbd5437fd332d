//! Subscribers: each texts a request, answers the code and waits for the last text. Times what they wait for.

use crate::daemon::{Neighbours, SHORT_CODE};
use paygate::sandbox::smsc::{MtText, Smsc};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::{Semaphore, oneshot};
use tokio::task::JoinSet;

/// A subscriber gives up after this; it counts as not done.
const PATIENCE: Duration = Duration::from_secs(30);

/// Milliseconds, in no order until asked.
#[derive(Default)]
pub(crate) struct Times(Vec<f64>);

impl Times {
    pub(crate) fn add(&mut self, time: Duration) {
        self.0.push(time.as_secs_f64() * 1e3);
    }

    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn quantile(&self, share: f64) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let at = (sorted.len() as f64 * share) as usize;
        sorted.get(at.min(sorted.len().saturating_sub(1))).copied().unwrap_or(f64::NAN)
    }
}

#[derive(Default)]
pub(crate) struct Figures {
    pub(crate) done: u32,
    pub(crate) failed: u32,
    pub(crate) acknowledged: Times,
    pub(crate) offered: Times,
    pub(crate) told: Times,
}

type Waiting = Arc<Mutex<HashMap<String, oneshot::Sender<MtText>>>>;

pub(crate) struct Load {
    smsc: Arc<Smsc>,
    waiting: Waiting,
    next: AtomicU32,
    pub(crate) completed: AtomicU32,
}

impl Load {
    pub(crate) fn new(neighbours: &Neighbours) -> Self {
        let (smsc, waiting) = (Arc::clone(&neighbours.smsc), Waiting::default());
        let (mut texts, phones) = (smsc.texts(), Arc::clone(&waiting));
        tokio::spawn(async move {
            while let Ok(text) = texts.recv().await {
                let phone = phones.lock().unwrap().remove(text.to.trim_start_matches('+'));
                let _ = phone.map(|phone| phone.send(text));
            }
        });
        Self { smsc, waiting, next: AtomicU32::new(0), completed: AtomicU32::new(0) }
    }

    /// `count` purchases, `at_once` of them at a time, evenly at `rate` a second if there is one; `only_ask` leaves each
    /// waiting for its code.
    pub(crate) async fn run(&self, count: u32, at_once: u32, rate: Option<f64>, only_ask: bool) -> Figures {
        let subscribers = (0..count).map(|_| {
            let (number, smsc, waiting) = (self.number(), Arc::clone(&self.smsc), Arc::clone(&self.waiting));
            let subscriber = Subscriber { number, smsc, waiting };
            async move { subscriber.buy(only_ask).await }
        });
        let mut figures = Figures::default();
        for bought in all(subscribers, at_once, rate).await {
            match bought {
                Some((acknowledged, offered, told)) => {
                    figures.done += 1;
                    figures.acknowledged.add(acknowledged);
                    figures.offered.add(offered);
                    figures.told.add(told);
                }
                None => figures.failed += 1,
            }
        }
        if !only_ask {
            self.completed.fetch_add(figures.done, Ordering::Relaxed);
        }
        figures
    }

    /// A number that nobody has had before.
    pub(crate) fn number(&self) -> String {
        format!("849{:08}", self.next.fetch_add(1, Ordering::Relaxed))
    }

    /// The next text to this number.
    pub(crate) fn text_to(&self, number: &str) -> oneshot::Receiver<MtText> {
        awaited(&self.waiting, number)
    }
}

/// What becomes of each, `at_once` of them at a time, begun evenly at `rate` a second if there is one; nothing where
/// patience ends.
pub(crate) async fn all<T: Send + 'static>(
    tasks: impl Iterator<Item = impl Future<Output = Option<T>> + Send + 'static>,
    at_once: u32,
    rate: Option<f64>,
) -> Vec<Option<T>> {
    let (places, started) = (Arc::new(Semaphore::new(at_once as usize)), Instant::now());
    let mut running = JoinSet::new();
    for (at, task) in tasks.enumerate() {
        if let Some(rate) = rate {
            tokio::time::sleep_until((started + Duration::from_secs_f64(at as f64 / rate)).into()).await;
        }
        let place = Arc::clone(&places).acquire_owned().await.unwrap();
        running.spawn(async move {
            let became = tokio::time::timeout(PATIENCE, task).await.ok().flatten();
            drop(place);
            became
        });
    }
    running.join_all().await
}

fn awaited(waiting: &Waiting, number: &str) -> oneshot::Receiver<MtText> {
    let (phone, text) = oneshot::channel();
    waiting.lock().unwrap().insert(number.to_owned(), phone);
    text
}

/// Of the text that tells that a purchase is done.
pub(crate) fn tells_done(text: &MtText) -> bool {
    text.text.starts_with("Thanh cong")
}

struct Subscriber {
    number: String,
    smsc: Arc<Smsc>,
    waiting: Waiting,
}

impl Subscriber {
    async fn buy(&self, only_ask: bool) -> Option<(Duration, Duration, Duration)> {
        let (acknowledged, offered, offer) = self.text("ON VIP NAP1").await?;
        if only_ask {
            return Some((acknowledged, offered, Duration::ZERO));
        }
        let code = offer.text.split(|c: char| !c.is_ascii_digit()).find(|digits| digits.len() == 6)?.to_owned();
        let (_, told, last) = self.text(&code).await?;
        tells_done(&last).then_some((acknowledged, offered, told))
    }

    /// Sends a text and waits for what comes back: how long until it was acknowledged, and until the reply.
    async fn text(&self, text: &str) -> Option<(Duration, Duration, MtText)> {
        let reply = awaited(&self.waiting, &self.number);
        let started = Instant::now();
        self.smsc.text(&self.number, SHORT_CODE, text).await.is_ok().then_some(())?;
        let acknowledged = started.elapsed();
        let reply = reply.await.ok()?;
        Some((acknowledged, started.elapsed(), reply))
    }
}
