//! A campaign: real daemons under load while they, their stores and their peers are hurt in every way at hand, and then the
//! books are read. One body of code for the short test and for the long run. Judges by the simulators' books and by what
//! the phones, partners and apps were told and had acknowledged, never by the daemon's word.

mod acts;
mod agents;
mod app;
mod desk;
mod dice;
mod errands;
mod ground;
mod havoc;
mod instance;
mod judge;
mod life;
mod orphans;
mod partner;
mod peers;
mod recovery;
mod report;
mod subscribers;

pub(crate) use report::Report;

use agents::Agents;
use ground::Ground;
use havoc::Havoc;
use judge::{Settled, Verdict};
use std::sync::Arc;
use std::time::{Duration, Instant};
use subscribers::Subscribers;

/// What a campaign is to be.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// PostgreSQL with a Redis, or SQLite.
    pub(crate) postgres: bool,
    /// Daemons on the one journal; SQLite is for one.
    pub(crate) instances: usize,
    pub(crate) kills: u32,
    /// How long the havoc lasts; a kill waits for the last victim's return, so that it may last longer.
    pub(crate) length: Duration,
    /// Purchases begun in a second.
    pub(crate) rate: f64,
    /// How long an instance may hold what it has begun.
    pub(crate) lease: Duration,
    pub(crate) seed: u64,
    /// A line of progress each so often.
    pub(crate) progress: Option<Duration>,
}

/// Havoc, then peace until nothing moves any more; the books are read between the two and at the end.
pub(crate) async fn run(settings: Settings) -> Report {
    let started = Instant::now();
    let ground = Arc::new(Ground::start(&settings).await);
    let subscribers = Arc::new(Subscribers::new(&ground, settings.seed));
    let mut havoc = Havoc::start(&settings, Arc::clone(&ground), Arc::clone(&subscribers)).await;
    let showing =
        settings.progress.map(|every| tokio::spawn(report::progress(every, havoc.tally(), subscribers.clone())));
    let agents = Agents::hire(&ground, &subscribers, settings.seed).await;
    let load = tokio::spawn(Arc::clone(&subscribers).arrive(settings.rate));
    let at_work = agents.work();

    havoc.run().await;
    subscribers.close();
    agents.close();
    let before = Verdict::of(&ground, &subscribers, None).await;
    let lasted = started.elapsed();
    havoc.ends().await;
    at_work.join_all().await;
    let left = ground.settles(&subscribers).await;
    subscribers.dismiss();
    load.await.unwrap();
    subscribers.look_at_all_orders().await;
    let settled_as = Settled { left, entries: ground.entries().await };
    let after = Verdict::of(&ground, &subscribers, Some(&settled_as)).await;
    let acts = agents.judged().await;
    if let Some(showing) = showing {
        showing.abort();
    }
    let settled = started.elapsed();
    let orphans = havoc.orphans.all().await;
    let tally = havoc.stop().await;
    let (recovered, unrecovered) = subscribers.recovery.recovered();
    let (left, did) = (settled_as.left, subscribers.done());
    let report =
        Report { settings, lasted, settled, tally, did, recovered, unrecovered, orphans, before, after, acts, left };
    if report.violations() > 0 {
        ground.keep();
    }
    report
}
