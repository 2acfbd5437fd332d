//! Hands owed replies to their links and waits for what becomes of them. A reply whose link cannot take it now stays in
//! the journal, where its due time brings it back.

use super::clock::Moment;
use super::door::{Submit, Submitted};
use super::work::Work;
use crate::journal::rows::ReplyRow;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use std::collections::HashMap;
use tokio::sync::{mpsc, oneshot};

/// A reply on its way, and where its fate will be told.
struct Sent {
    key: String,
    kind: String,
    sends: i64,
    fate: oneshot::Receiver<Submitted>,
}

/// The sending side of every link.
pub(super) struct Outbox {
    links: HashMap<String, mpsc::Sender<Submit>>,
    sent: mpsc::UnboundedSender<Sent>,
}

impl Outbox {
    /// Starts the task that gathers what becomes of replies. What is under way is bounded by the links' own queues.
    pub(super) fn start(links: HashMap<String, mpsc::Sender<Submit>>, answers: mpsc::Sender<Work>) -> Self {
        let (sent, received) = mpsc::unbounded_channel();
        tokio::spawn(gather(received, answers));
        Self { links, sent }
    }

    /// The links this instance can send by.
    pub(super) fn links(&self) -> Vec<String> {
        self.links.keys().cloned().collect()
    }

    /// Offers a reply to its link. `code` takes the place of `{otp}`, here and nowhere earlier.
    pub(super) fn send(&self, row: &ReplyRow, sends: i64, code: Option<&str>, moment: Moment) {
        let Some(link) = self.links.get(&row.link) else { return };
        let text = match code {
            Some(code) => row.text.replace("{otp}", code),
            None => row.text.clone(),
        };
        let (done, fate) = oneshot::channel();
        let not_after = moment.instant_of(row.not_after);
        let submit = Submit { from: row.from.clone(), to: row.to.digits(), text, not_after, done };
        match link.try_send(submit) {
            Ok(()) => {
                let sent = Sent { key: row.key.clone(), kind: row.kind.clone(), sends: sends + 1, fate };
                // The gathering task ends only with the process.
                let _ = self.sent.send(sent);
            }
            Err(_) => metrics::counter!("paygate_outbox_full_total", "smsc" => row.link.clone()).increment(1),
        }
    }
}

async fn gather(mut received: mpsc::UnboundedReceiver<Sent>, answers: mpsc::Sender<Work>) {
    let mut pending = FuturesUnordered::new();
    loop {
        tokio::select! {
            sent = received.recv() => match sent {
                Some(Sent { key, kind, sends, fate }) => pending.push(async move {
                    let submitted = fate.await.unwrap_or(Submitted::Unknown("the link ended"));
                    Work::Reply { key, kind, sends, submitted }
                }),
                None => return,
            },
            Some(work) = pending.next(), if !pending.is_empty() => {
                if answers.send(work).await.is_err() {
                    return;
                }
            }
        }
    }
}
