//! The one task that shows things: hears of every step of the journal, every entry in the neighbours' books and every text,
//! reads what stands then, and shows it. Never trusts that it has heard everything: what was missed is read anew.

use super::stage::Stage;
use crate::engine::Moved;
use crate::journal::JournalError;
use crate::sandbox::smsc::MtText;
use crate::sandbox::{billing, packages, pay123};
use futures_util::StreamExt;
use futures_util::stream::SelectAll;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{MissedTickBehavior, interval};
use tokio_stream::wrappers::BroadcastStream;
use tokio_util::sync::CancellationToken;

/// How often things are looked at that nobody tells of: a fault that was used up, a journal that could not be read.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// Something to look at.
enum Change {
    Purchase(String),
    /// By the key of a charge or refund.
    Key(String),
    Text(MtText),
    /// Too much was missed.
    Everything,
    /// Telephones and switches alone.
    Nothing,
    Over,
}

struct Sources {
    moves: Receiver<Arc<Moved>>,
    money: Receiver<billing::Entry>,
    payments: Receiver<pay123::Entry>,
    grants: Receiver<packages::Entry>,
    texts: SelectAll<BroadcastStream<MtText>>,
}

/// Shows everything until `stop`.
pub(in crate::sandbox) async fn watch(stage: Arc<Stage>, moves: Receiver<Arc<Moved>>, stop: CancellationToken) {
    let neighbours = &stage.neighbours;
    let mut sources = Sources {
        moves,
        money: neighbours.billing.events(),
        payments: neighbours.bank.pay123.events(),
        grants: neighbours.packages.events(),
        texts: neighbours.smscs().map(|smsc| BroadcastStream::new(smsc.texts())).collect(),
    };
    let mut looks = interval(LOOK_EVERY);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut owed = Owed { everything: true, ..Owed::default() };
    loop {
        owed.show(&stage).await;
        let change = tokio::select! {
            () = stop.cancelled() => return,
            change = sources.next() => change,
            () = stage.nudged.notified() => Change::Nothing,
            _ = looks.tick() => Change::Nothing,
        };
        match change {
            Change::Purchase(id) => {
                owed.purchases.insert(id);
            }
            Change::Key(key) => {
                owed.keys.insert(key);
            }
            Change::Text(text) => {
                stage.received(&text);
                owed.phones.insert(text.to);
            }
            Change::Everything => owed.everything = true,
            Change::Nothing => {}
            Change::Over => return,
        }
    }
}

impl Sources {
    async fn next(&mut self) -> Change {
        tokio::select! {
            moved = self.moves.recv() => heard(moved, |moved| Change::Purchase(moved.purchase.id.clone())),
            entry = self.money.recv() => heard(entry, |entry| Change::Key(entry.key)),
            entry = self.payments.recv() => heard(entry, |entry| Change::Key(entry.key)),
            entry = self.grants.recv() => heard(entry, |entry| Change::Purchase(entry.purchase_id)),
            text = self.texts.next() => match text {
                Some(Ok(text)) => Change::Text(text),
                Some(Err(_too_slow)) => Change::Everything,
                None => Change::Over,
            },
        }
    }
}

fn heard<T>(said: Result<T, RecvError>, change: impl FnOnce(T) -> Change) -> Change {
    match said {
        Ok(said) => change(said),
        Err(RecvError::Lagged(_)) => Change::Everything,
        Err(RecvError::Closed) => Change::Over,
    }
}

/// What is still to be shown. It stays here while the journal cannot be read.
#[derive(Default)]
struct Owed {
    everything: bool,
    purchases: BTreeSet<String>,
    /// Of charges and refunds, by which their purchases are found.
    keys: BTreeSet<String>,
    /// With purchases that may have been told a code.
    phones: BTreeSet<String>,
}

impl Owed {
    async fn show(&mut self, stage: &Stage) {
        stage.show_phones_and_switches();
        if let Err(error) = self.show_purchases(stage).await {
            tracing::warn!(%error, "the page cannot read the journal; trying again");
        }
    }

    async fn show_purchases(&mut self, stage: &Stage) -> Result<(), JournalError> {
        if self.everything {
            self.purchases.extend(stage.known_purchases().await?);
            self.everything = false;
        }
        while let Some(key) = self.keys.first() {
            self.purchases.extend(stage.purchase_of(key).await?);
            self.keys.pop_first();
        }
        while let Some(phone) = self.phones.first() {
            self.purchases.extend(stage.open_purchases_of(phone).await?);
            self.phones.pop_first();
        }
        while let Some(id) = self.purchases.first() {
            stage.show_purchase(id).await?;
            self.purchases.pop_first();
        }
        Ok(())
    }
}
