//! Messages in and texts out, as the SMSC and the phones have them. A message is delivered until it is acknowledged, now
//! and then once more, and now and then to two instances at once.

use super::instance;
use super::life::{Event, Life, SECOND};
use super::phones::{Read, Sms};
use super::tally::Fault;
use bytes::Bytes;
use paygate::engine::door::{Door, MessageIn, Verdict};
use paygate::engine::work::Work;
use std::sync::Arc;
use tokio::sync::oneshot;

const CODE_LIFE: i64 = 300 * SECOND;

impl Life<'_> {
    pub(crate) fn writes(&mut self, subscriber: usize, text: String) {
        let peer_id = self.chance.percent(25).then(|| format!("id-{}", self.messages.len()));
        self.note(|| format!("phone {subscriber} writes {text}"));
        self.messages.push(Sms { subscriber, text, peer_id, acknowledged: false });
        let sms = self.messages.len() - 1;
        self.send_to_someone(sms);
        if self.chance.percent(6) {
            self.tally.saw(Fault::F66);
            self.send_to_someone(sms);
        }
    }

    /// One of the instances that run; while none does, the SMSC waits.
    fn send_to_someone(&mut self, sms: usize) {
        let up: Vec<usize> = (0..self.instances.len()).filter(|at| self.instances[*at].is_up).collect();
        if !up.is_empty() {
            let instance = *self.chance.one_of(&up);
            let way = self.chance.up_to(SECOND / 2);
            self.after(way, Event::Deliver { sms, instance });
        }
        let wait = 10 * SECOND + self.chance.up_to(20 * SECOND);
        self.after(wait, Event::Redeliver { sms });
    }

    pub(crate) fn redeliver(&mut self, sms: usize) {
        if !self.messages[sms].acknowledged {
            self.send_to_someone(sms);
        }
    }

    pub(crate) fn deliver(&mut self, sms: usize, at: usize) {
        let instance = &self.instances[at];
        if !instance.is_up {
            return;
        }
        if instance.paused_until > self.now {
            let until = instance.paused_until;
            return self.at(until, Event::Deliver { sms, instance: at });
        }
        let message = self.message(sms);
        let reading = Arc::new(self.desk.reader.read(message));
        self.keys_of.insert(sms, reading.key.clone());
        let (done, verdict) = oneshot::channel();
        let instance = &mut self.instances[at];
        instance.waiting.push((instance::Door::Message(sms), verdict));
        instance.inbox.push(Work::Message { reading, done: Some(done), parts: None });
        self.schedule_turn(at, 0);
        self.maybe_crash(at);
    }

    fn message(&self, sms: usize) -> MessageIn {
        let sms = &self.messages[sms];
        let door = if sms.peer_id.is_some() { Door::Http } else { Door::Smpp };
        MessageIn {
            door,
            link: "viettel".to_owned(),
            from: self.subscribers[sms.subscriber].number.clone(),
            to: "9029".to_owned(),
            peer_id: sms.peer_id.clone(),
            data_coding: (door == Door::Smpp).then_some(0),
            part: None,
            payload: Bytes::copy_from_slice(sms.text.as_bytes()),
            unreadable: None,
        }
    }

    pub(crate) fn acknowledged(&mut self, sms: usize, verdict: Verdict) {
        if verdict == Verdict::Later || self.messages[sms].acknowledged {
            return;
        }
        let key = self.keys_of.get(&sms).cloned().unwrap_or_default();
        if self.store.seen(&key).is_none() {
            self.wrong("a message was acknowledged that the journal does not hold");
        }
        // The acknowledgement may be lost: then it is delivered once more.
        self.messages[sms].acknowledged = true;
        if self.chance.percent(6) {
            self.tally.saw(Fault::F66);
            self.send_to_someone(sms);
        }
    }

    pub(crate) fn reads(&mut self, at: usize, key: &str, code: Option<&str>) {
        let Some(owed) = self.store.replies.get(key) else { return };
        let (purchase, kind) = (owed.row.purchase_id.clone(), owed.row.kind.clone());
        let text = Read { key, purchase: purchase.as_deref(), kind: &kind, code };
        self.note(|| format!("phone {at} reads {kind}"));
        if let Some(purchase) = purchase.as_deref().filter(|_| kind == "pay_at") {
            self.goes_to_the_page(purchase);
        }
        let of = purchase.as_deref().and_then(|id| self.store.purchases.get(id));
        let is_dialled = of.is_some_and(|purchase| purchase.order.door == Door::Ussd.as_str());
        let otp = if is_dialled { self.desk.rules.menu_otp } else { self.desk.rules.otp };
        match self.subscribers[at].reads(&mut self.chance, otp, &text) {
            Ok(answers) => {
                if answers.len() > 1 || answers.iter().any(|(pause, _)| *pause > CODE_LIFE) {
                    self.tally.saw(Fault::F65);
                }
                for (pause, text) in answers {
                    self.after(pause, Event::Write { subscriber: at, text });
                }
            }
            Err(broken) => self.wrong(broken),
        }
    }
}
