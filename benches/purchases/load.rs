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
    fn add(&mut self, time: Duration) {
        self.0.push(time.as_secs_f64() * 1e3);
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
        let (places, started) = (Arc::new(Semaphore::new(at_once as usize)), Instant::now());
        let mut subscribers = JoinSet::new();
        for at in 0..count {
            if let Some(rate) = rate {
                tokio::time::sleep_until((started + Duration::from_secs_f64(f64::from(at) / rate)).into()).await;
            }
            let place = Arc::clone(&places).acquire_owned().await.unwrap();
            let subscriber = Subscriber {
                number: format!("849{:08}", self.next.fetch_add(1, Ordering::Relaxed)),
                smsc: Arc::clone(&self.smsc),
                waiting: Arc::clone(&self.waiting),
            };
            subscribers.spawn(async move {
                let times = tokio::time::timeout(PATIENCE, subscriber.buy(only_ask)).await.ok().flatten();
                drop(place);
                times
            });
        }
        let mut figures = Figures::default();
        while let Some(bought) = subscribers.join_next().await {
            match bought.unwrap() {
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
        last.text.starts_with("Thanh cong").then_some((acknowledged, offered, told))
    }

    /// Sends a text and waits for what comes back: how long until it was acknowledged, and until the reply.
    async fn text(&self, text: &str) -> Option<(Duration, Duration, MtText)> {
        let (phone, reply) = oneshot::channel();
        self.waiting.lock().unwrap().insert(self.number.clone(), phone);
        let started = Instant::now();
        self.smsc.text(&self.number, SHORT_CODE, text).await.is_ok().then_some(())?;
        let acknowledged = started.elapsed();
        let reply = reply.await.ok()?;
        Some((acknowledged, started.elapsed(), reply))
    }
}
