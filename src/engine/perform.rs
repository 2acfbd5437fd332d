//! Carries out what a durable step asked for: one task for each call to a peer, whose answer comes back as an input.
//! Decides nothing: what the journal may have lost is asked about before it is done, past its deadline a request is simply
//! not sent, and whatever is heard is handed to the loop.

use super::clock::Moment;
use super::desk::Desk;
use super::doubt::{Doubt, Trust};
use super::questions::Questions;
use super::work::Work;
use crate::charging::{Channel, ChargeOrder, RefundOrder};
use crate::config;
use crate::idempotency::{Ask, Claim, Keys};
use crate::journal::Journal;
use crate::package_manager::GrantOrder;
use crate::purchase::evidence::{Cause, ChannelAnswer, CheckAnswer, Finding, GrantAnswer};
use crate::purchase::input::{ChannelCall, Effect, GrantCall, Input};
use crate::purchase::record::{Attempt, Micros, Purchase};
use crate::purchase::rules::Flight;
use crate::telemetry::message_ids;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, mpsc};
use tokio_util::task::TaskTracker;

/// Remembered beyond any flight bound: if Redis knows a charge that the journal lost, it is inquired about first.
const WITNESS_LIFE: Duration = Duration::from_secs(48 * 3_600);

/// The hands of the loop. Calls under way at once are bounded for each peer; the rest wait in order for a place.
pub(super) struct Performer {
    pub(super) desk: Arc<Desk>,
    pub(super) keys: Keys,
    pub(super) journal: Journal,
    pub(super) doubt: Doubt,
    pub(super) answers: mpsc::Sender<Work>,
    pub(super) channel_places: BTreeMap<String, Arc<Semaphore>>,
    pub(super) package_manager_places: Arc<Semaphore>,
    pub(super) questions: Questions,
    pub(super) tasks: TaskTracker,
    /// Who claims a witness key: this process, and no other.
    pub(super) instance: String,
}

impl Performer {
    /// Whether new messages may be taken up: what is begun already must not pile up without bound.
    pub(super) fn has_room(&self, settings: &config::Engine) -> bool {
        self.tasks.len() < settings.queue
    }

    /// Starts one effect of a durable step; its answer goes to the loop.
    pub(super) fn perform(self: &Arc<Self>, purchase: Arc<Purchase>, effect: &Effect, moment: Moment) {
        // Texts are the outbox's.
        if matches!(effect, Effect::Tell { .. }) {
            return;
        }
        let Ok(asking) = self.questions.ask(&purchase.id, effect) else { return };
        let (this, effect) = (Arc::clone(self), effect.clone());
        self.tasks.spawn(async move {
            match effect {
                Effect::Check => this.check(&purchase).await,
                Effect::Call { call } => this.call(&purchase, call, moment).await,
                Effect::Give { call } => this.give(&purchase, call, moment).await,
                Effect::Tell { .. } => {}
            }
            drop(asking);
        });
    }

    /// Brings something back to the loop after a pause.
    pub(super) fn hand_in_after(&self, work: Work, pause: Duration) {
        let answers = self.answers.clone();
        self.tasks.spawn(async move {
            tokio::time::sleep(pause).await;
            let _ = answers.send(work).await;
        });
    }

    async fn check(&self, purchase: &Purchase) {
        let _place = self.package_manager_places.acquire().await;
        let (order, context) = (&purchase.order, self.desk.context(purchase));
        let peer = &self.desk.package_manager;
        let answer = match self.desk.asker(order) {
            Some(msisdn) => peer.check(&context, &order.account, &order.service, &order.package, &msisdn).await,
            None => CheckAnswer::Unavailable { heard: "no phone is known to ask for".to_owned() },
        };
        self.hand_in(purchase, Input::Checked { answer, nonce: String::new() }).await;
    }

    async fn call(&self, purchase: &Purchase, call: ChannelCall, moment: Moment) {
        let name = &purchase.order.channel;
        let attempt = purchase.attempt_of(call);
        let called_at = self.asked_at(purchase, attempt, self.channel_flight(purchase), moment);
        let answer = match (self.desk.channels.get(name), self.channel_places.get(name)) {
            (Some(channel), Some(places)) => {
                let _place = places.acquire().await;
                let started = tokio::time::Instant::now();
                let answer = self.call_channel(channel, purchase, call, moment).await;
                observe(name, call, &answer.finding, started.elapsed());
                answer
            }
            _ => not_sent(format!("no channel {name} is configured")),
        };
        let (key, sends) = attempt.map_or((String::new(), 0), |attempt| (attempt.key.clone(), attempt.sends));
        self.hand_in(purchase, Input::Channel { call, key, sends, called_at, answer }).await;
    }

    /// What a call may give as its time. While the journal may have lost a send that is still under way, nothing that is
    /// not found is proof.
    fn asked_at(&self, purchase: &Purchase, attempt: Option<&Attempt>, flight: &Flight, moment: Moment) -> Micros {
        if self.trust(purchase, flight) == Trust::AskLater { 0 } else { moment.asked_at(attempt, flight) }
    }

    fn channel_flight(&self, purchase: &Purchase) -> &Flight {
        let rules = &self.desk.rules;
        rules.channels.get(&purchase.order.channel).map_or(&rules.grant, |channel| &channel.flight)
    }

    async fn call_channel(
        &self,
        channel: &Channel,
        purchase: &Purchase,
        call: ChannelCall,
        moment: Moment,
    ) -> ChannelAnswer {
        let channel_flight = self.channel_flight(purchase);
        let lost_since = self.lost_since(purchase, channel_flight);
        let charge = self.desk.charge_order(purchase, moment).map(|order| ChargeOrder { lost_since, ..order });
        let refund = self.desk.refund_order(purchase, moment);
        match (call, charge, refund) {
            (ChannelCall::Charge, Some(order), _) => {
                match self.witness(&purchase.order.channel, &order.key, order.sends).await {
                    Some(answer) => answer,
                    None => self.charge(channel, order, self.trust(purchase, channel_flight)).await,
                }
            }
            (ChannelCall::Refund, _, Some(order)) => {
                match self.witness(&purchase.order.channel, &order.key, order.sends).await {
                    Some(answer) => answer,
                    None => self.refund(channel, order, self.trust(purchase, channel_flight)).await,
                }
            }
            (ChannelCall::Prepare, Some(order), _) => channel.prepare(&order).await,
            (ChannelCall::InquireCharge, Some(order), _) => channel.inquire(&order).await,
            (ChannelCall::CancelCharge, Some(order), _) => channel.cancel(&order).await,
            (ChannelCall::InquireRefund, _, Some(order)) => channel.inquire_refund(&order).await,
            (_, _, _) => not_sent("the purchase holds no such attempt".to_owned()),
        }
    }

    /// Whether the shared key store has seen this very send already. Then the journal has lost it, and it is asked about
    /// instead of made again. A key store that cannot say changes nothing.
    async fn witness(&self, channel: &str, key: &str, sends: u32) -> Option<ChannelAnswer> {
        let witness = format!("charge:{channel}:{key}:{sends}");
        let ask = Ask { key: &witness, fingerprint: key, owner: &self.instance, life: WITNESS_LIFE };
        match self.keys.claim(ask).await {
            Claim::Fresh | Claim::Unavailable => None,
            Claim::InFlight | Claim::Done(_) | Claim::Mismatch => {
                tracing::error!(
                    message_id = message_ids::JOURNAL_BEHIND,
                    charge = key,
                    "the key store knows this charge and the journal does not: it is inquired about, not sent"
                );
                Some(ChannelAnswer {
                    finding: Finding::Unknown { cause: Cause::Witness },
                    handle: None,
                    peer_reference: None,
                    heard: "known to the key store".to_owned(),
                })
            }
        }
    }

    fn trust(&self, purchase: &Purchase, flight: &Flight) -> Trust {
        self.doubt.about(self.journal.changed(), purchase.created_at, flight, tokio::time::Instant::now())
    }

    fn lost_since(&self, purchase: &Purchase, flight: &Flight) -> Option<Micros> {
        let changed = self.journal.changed().filter(|_| self.trust(purchase, flight) != Trust::Sure)?;
        Some(self.doubt.lost_since(changed, purchase.created_at, self.desk.landing()))
    }

    /// Charges, unless an earlier send that the journal lost may have done so.
    async fn charge(&self, channel: &Channel, mut order: ChargeOrder, trust: Trust) -> ChannelAnswer {
        if trust == Trust::Sure {
            return channel.charge(&order).await;
        }
        let asked = channel.inquire(&order).await;
        match asked.finding {
            Finding::Charged { .. } => asked,
            Finding::NotFound | Finding::CodeSent | Finding::Reserved if trust == Trust::Ask => {
                // What stands there is ours, and not this send's.
                order.sends += 1;
                order.handle = asked.handle.or(order.handle);
                channel.charge(&order).await
            }
            _ => ChannelAnswer { finding: Finding::Unknown { cause: Cause::Witness }, ..asked },
        }
    }

    /// The same for money that is given back.
    async fn refund(&self, channel: &Channel, mut order: RefundOrder, trust: Trust) -> ChannelAnswer {
        if trust == Trust::Sure {
            return channel.refund(&order).await;
        }
        let asked = channel.inquire_refund(&order).await;
        match asked.finding {
            Finding::Refunded { .. } => asked,
            Finding::NotFound if trust == Trust::Ask => {
                order.sends += 1;
                channel.refund(&order).await
            }
            _ => ChannelAnswer { finding: Finding::Unknown { cause: Cause::Witness }, ..asked },
        }
    }

    /// The same for a package.
    async fn grant(&self, order: &GrantOrder, trust: Trust) -> GrantAnswer {
        let peer = &self.desk.package_manager;
        if trust == Trust::Sure {
            return peer.grant(order).await;
        }
        match peer.inquire(&order.purchase_id).await {
            GrantAnswer::NotFound if trust == Trust::Ask => peer.grant(order).await,
            granted @ GrantAnswer::Granted { .. } => granted,
            other => {
                GrantAnswer::Unknown { cause: Cause::Witness, heard: format!("asked before it was made: {other:?}") }
            }
        }
    }

    async fn give(&self, purchase: &Purchase, call: GrantCall, moment: Moment) {
        let called_at = self.asked_at(purchase, purchase.grant.as_ref(), &self.desk.rules.grant, moment);
        let _place = self.package_manager_places.acquire().await;
        let started = tokio::time::Instant::now();
        let answer = match (call, self.desk.grant_order(purchase, moment)) {
            (GrantCall::Grant, Some(order)) => self.grant(&order, self.trust(purchase, &self.desk.rules.grant)).await,
            (GrantCall::InquireGrant, _) => self.desk.package_manager.inquire(&purchase.id).await,
            (GrantCall::Grant, None) => GrantAnswer::NotSent { why: "the purchase holds no grant".to_owned() },
        };
        metrics::histogram!("paygate_grant_duration_seconds", "call" => call.as_str()).record(started.elapsed());
        let sends = purchase.grant.as_ref().map_or(0, |grant| grant.sends);
        self.hand_in(purchase, Input::Grant { call, sends, called_at, answer }).await;
    }

    /// The loop outlives every task but a stop that ran out of time; then the journal's due time brings the question back.
    async fn hand_in(&self, purchase: &Purchase, input: Input) {
        let _ = self.answers.send(Work::Answer { id: purchase.id.clone(), input, tries: 0 }).await;
    }
}

fn not_sent(why: String) -> ChannelAnswer {
    ChannelAnswer { finding: Finding::NotSent { why }, handle: None, peer_reference: None, heard: String::new() }
}

fn observe(channel: &str, call: ChannelCall, finding: &Finding, took: Duration) {
    let outcome = match finding {
        Finding::Charged { .. }
        | Finding::Refunded { .. }
        | Finding::CodeSent
        | Finding::Reserved
        | Finding::AwaitsPayment { .. } => "ok",
        Finding::NotCharged(_) | Finding::WrongCode(_) | Finding::NotRefunded(_) => "declined",
        Finding::NotFound => "not_found",
        Finding::NotSent { .. } => "not_sent",
        Finding::Unknown { .. } => "unknown",
    };
    let channel = channel.to_owned();
    metrics::counter!("paygate_channel_calls_total", "channel" => channel.clone(), "call" => call.as_str(), "outcome" => outcome)
        .increment(1);
    metrics::histogram!("paygate_channel_call_duration_seconds", "channel" => channel, "call" => call.as_str())
        .record(took);
}
