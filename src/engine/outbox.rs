//! Hands owed replies to their links and waits for what becomes of them. A reply whose link cannot take it now stays in
//! the journal, where its due time brings it back. None leaves when its lease may be over before it is answered: whoever
//! claims it then would send it beside us.

use super::clock::Moment;
use super::door::{Submit, Submitted};
use super::work::Work;
use crate::journal::rows::ReplyRow;
use crate::purchase::record::Micros;
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
    /// So much of a lease is left for the answer.
    answer_within: Micros,
}

impl Outbox {
    /// Starts the task that gathers what becomes of replies. What is under way is bounded by the links' own queues.
    pub(super) fn start(
        links: HashMap<String, mpsc::Sender<Submit>>,
        answers: mpsc::Sender<Work>,
        lease: Micros,
    ) -> Self {
        let (sent, received) = mpsc::unbounded_channel();
        tokio::spawn(gather(received, answers));
        Self { links, sent, answer_within: lease / 2 }
    }

    /// A look at how much each link can still take.
    pub(super) fn room(&self) -> Room {
        Room(self.links.iter().map(|(name, link)| (name.clone(), link.downgrade())).collect())
    }

    /// Offers a reply to its link. `code` takes the place of `{otp}`, here and nowhere earlier.
    pub(super) fn send(&self, row: &ReplyRow, sends: i64, code: Option<&str>, moment: Moment) {
        let Some(link) = self.links.get(&row.link) else { return };
        let text = match code {
            Some(code) => row.text.replace("{otp}", code),
            None => row.text.clone(),
        };
        let (done, fate) = oneshot::channel();
        let not_after = moment.instant_of(row.not_after.min(row.due_at - self.answer_within));
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

/// The links that this instance can send by, seen by whoever does not keep them open.
pub(super) struct Room(Vec<(String, mpsc::WeakSender<Submit>)>);

impl Room {
    /// Those that are at least half free, where a queue counts as full with `at_most` replies in it, and how many more each
    /// of them can take.
    pub(super) fn left(&self, at_most: usize) -> (Vec<String>, usize) {
        let open = self.0.iter().filter_map(|(name, link)| Some((name, link.upgrade()?)));
        let half_free = open.filter_map(|(name, link)| {
            let full = at_most.min(link.max_capacity());
            let left = full.saturating_sub(link.max_capacity() - link.capacity());
            (2 * left >= full).then_some((name.clone(), left))
        });
        let (names, left): (Vec<String>, Vec<usize>) = half_free.unzip();
        (names, left.into_iter().min().unwrap_or(0))
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    fn text() -> Submit {
        let (done, _) = oneshot::channel();
        let not_after = Instant::now().into();
        Submit { from: String::new(), to: String::new(), text: String::new(), not_after, done }
    }

    #[tokio::test]
    async fn nothing_is_claimed_for_a_link_that_is_behind_and_no_more_than_the_others_can_take() {
        let ((slow, mut taken), (quick, _kept)) = (mpsc::channel(4), mpsc::channel(100));
        let links = HashMap::from([("slow".to_owned(), slow.clone()), ("quick".to_owned(), quick.clone())]);
        let outbox = Outbox::start(links, mpsc::channel(1).0, 0);
        let room = outbox.room();
        let left = || (room.left(8).0.len(), room.left(8).1);
        assert_eq!(left(), (2, 4));
        for _ in 0..3 {
            slow.try_send(text()).ok();
        }
        assert_eq!(room.left(8), (vec!["quick".to_owned()], 8));
        taken.recv().await;
        assert_eq!(left(), (2, 2));
        for _ in 0..5 {
            quick.try_send(text()).ok();
        }
        assert_eq!(
            room.left(8),
            (vec!["slow".to_owned()], 2),
            "eight that wait are enough, whatever its queue could hold"
        );
        drop((outbox, slow, quick));
        assert_eq!(room.left(8), (vec![], 0), "it keeps no link open");
    }
}
