//! What the engine's decisions rest on: the rules, the reader, the words, the links. Made once at start; holds no state.

use super::clock::Moment;
use super::door::{Door, PARTNER};
use super::intake::Reader;
use crate::charging::{Channels, ChargeOrder, RefundOrder};
use crate::journal::rows::{AttemptRow, ReplyRow};
use crate::package_manager::{self, Context, GrantOrder};
use crate::purchase::input::Notice;
use crate::purchase::record::{Attempt, Micros, Order, Purchase};
use crate::purchase::rules::{Flight, Rules};
use crate::replies::Replies;
use paygate_parsers::msisdn::Msisdn;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// What is not an offer is worth telling for a day.
const WORTH_TELLING: Micros = 24 * 3_600 * 1_000_000;

/// Everything a decision looks up, and the peers' own pure functions for the exact bytes of an intent.
#[derive(Clone)]
pub struct Desk {
    pub rules: Rules,
    pub reader: Reader,
    pub replies: Replies,
    /// Link name to the channel that charges its subscribers.
    pub link_channels: BTreeMap<String, String>,
    pub channels: Arc<Channels>,
    pub package_manager: Arc<package_manager::Client>,
    pub redelivery_window: Micros,
    pub parts_window: Micros,
    /// A reply that nobody has sent by then is taken up again, here or elsewhere.
    pub reply_lease: Micros,
    /// The same once its link has said that it could not take it,
    pub reply_pause: Micros,
    /// and where it left and nothing was heard.
    pub reply_doubt: Micros,
}

impl Desk {
    /// How long after its intent a request may at most still take effect, over all peers, or a link still be paid at.
    #[must_use]
    pub fn landing(&self) -> Duration {
        let landing = |flight: &Flight| flight.send_within.saturating_add(flight.max_flight);
        let channels = self.rules.channels.values();
        let links = channels.map(|channel| landing(&channel.flight).saturating_add(channel.link_ttl.unwrap_or(0)));
        let longest = links.chain([landing(&self.rules.grant)]).max();
        Duration::from_micros(longest.and_then(|longest| u64::try_from(longest).ok()).unwrap_or(0))
    }

    /// The order a channel is given, from the purchase as it was committed.
    pub(super) fn charge_order(&self, purchase: &Purchase, moment: Moment) -> Option<ChargeOrder> {
        let (charge, offer) = (purchase.charge.as_ref()?, purchase.offer.as_ref()?);
        Some(ChargeOrder {
            key: charge.key.clone(),
            msisdn: purchase.order.msisdn,
            amount: charge.amount,
            service: purchase.order.service.clone(),
            package: purchase.order.package.clone(),
            description: offer.package_name.clone(),
            return_url: purchase.order.app.as_ref().and_then(|app| app.return_url.clone()),
            handle: charge.handle.clone(),
            code: offer.answered.clone(),
            sends: charge.sends,
            intended_at: charge.intended_at,
            lost_since: None,
            in_flight_until: charge.in_flight_until,
            send_by: moment.instant_of(charge.send_by),
        })
    }

    pub(super) fn refund_order(&self, purchase: &Purchase, moment: Moment) -> Option<RefundOrder> {
        let (charge, refund) = (purchase.charge.as_ref()?, purchase.refund.as_ref()?);
        Some(RefundOrder {
            key: refund.key.clone(),
            charge_handle: charge.handle.clone(),
            peer_reference: charge.peer_reference.clone(),
            msisdn: purchase.order.msisdn,
            amount: refund.amount,
            handle: refund.handle.clone(),
            sends: refund.sends,
            intended_at: refund.intended_at,
            send_by: moment.instant_of(refund.send_by),
        })
    }

    pub(super) fn grant_order(&self, purchase: &Purchase, moment: Moment) -> Option<GrantOrder> {
        let (charge, grant) = (purchase.charge.as_ref()?, purchase.grant.as_ref()?);
        Some(GrantOrder {
            purchase_id: purchase.id.clone(),
            context: self.context(purchase),
            account: purchase.order.account.clone(),
            service: purchase.order.service.clone(),
            package: purchase.order.package.clone(),
            amount: grant.amount,
            charge_reference: charge.peer_reference.clone().unwrap_or_else(|| charge.key.clone()),
            send_by: moment.instant_of(grant.send_by),
        })
    }

    /// The phone that check-user is told: the one that pays, and where none is known the account's own.
    pub(super) fn asker(&self, order: &Order) -> Option<Msisdn> {
        order.msisdn.or_else(|| Msisdn::parse(&self.reader.country, &order.account).ok())
    }

    pub(super) fn context(&self, purchase: &Purchase) -> Context {
        context(&purchase.order)
    }

    /// The journal's row of an attempt, with the exact request where a new send is intended.
    pub(super) fn attempt_row(
        &self,
        purchase: &Purchase,
        attempt: &Attempt,
        request: String,
        now: Micros,
    ) -> AttemptRow {
        AttemptRow {
            purchase_id: purchase.id.clone(),
            msisdn: purchase.order.msisdn,
            channel: purchase.order.channel.clone(),
            attempt: attempt.clone(),
            fingerprint: if request.is_empty() { String::new() } else { fingerprint(&request) },
            request,
            at: now,
        }
    }

    pub(super) fn charge_request(&self, purchase: &Purchase, moment: Moment) -> String {
        let channel = self.channels.get(&purchase.order.channel);
        channel
            .zip(self.charge_order(purchase, moment))
            .map_or_else(String::new, |(channel, order)| channel.request(&order))
    }

    pub(super) fn refund_request(&self, purchase: &Purchase, moment: Moment) -> String {
        let channel = self.channels.get(&purchase.order.channel);
        let order = channel.zip(self.refund_order(purchase, moment));
        order.map_or_else(String::new, |(channel, order)| channel.refund_request(&order))
    }

    pub(super) fn grant_request(&self, purchase: &Purchase, moment: Moment) -> String {
        self.grant_order(purchase, moment).map_or_else(String::new, |order| self.package_manager.request(&order))
    }

    /// The reply a notice becomes; none where nobody is texted. An offer is worth nothing once it has expired.
    pub(super) fn notice_row(
        &self,
        purchase: &Purchase,
        notice: Notice,
        count: usize,
        now: Micros,
    ) -> Option<ReplyRow> {
        let to = purchase.order.msisdn.filter(|_| purchase.order.is_texted())?;
        let not_after = match (notice, &purchase.offer) {
            (Notice::Offer | Notice::CodeAgain | Notice::PayAt, Some(offer)) => offer.expires_at,
            _ => now + WORTH_TELLING,
        };
        Some(ReplyRow {
            key: format!("{}-{}-{count}", purchase.id, purchase.version),
            purchase_id: Some(purchase.id.clone()),
            at: now,
            link: purchase.order.link.clone(),
            from: purchase.order.short_code.clone(),
            to,
            kind: crate::journal::rows::notice_kind(notice).to_owned(),
            text: self.replies.notice(notice, purchase),
            not_after,
            due_at: now + self.reply_lease,
        })
    }

    /// The reply to a message that leads to no step of a purchase.
    pub(super) fn answer_row(
        &self,
        key: String,
        to: Msisdn,
        link: &str,
        short_code: &str,
        answer: (&str, String),
        now: Micros,
    ) -> ReplyRow {
        ReplyRow {
            key,
            purchase_id: None,
            at: now,
            link: link.to_owned(),
            from: short_code.to_owned(),
            to,
            kind: answer.0.to_owned(),
            text: answer.1,
            not_after: now + WORTH_TELLING,
            due_at: now + self.reply_lease,
        }
    }
}

/// The seven parameters of seed 000 (charging.md R000.7), for a purchase by message or by a partner.
#[must_use]
pub fn context(order: &Order) -> Context {
    if let Some(app) = &order.app {
        return app.context.clone();
    }
    let (platform, through) = match order.door.as_str() {
        PARTNER => (PARTNER, &order.channel),
        door if door == Door::Ussd.as_str() => (door, &order.link),
        _ => ("sms", &order.link),
    };
    Context {
        platform: platform.to_owned(),
        dt_id: through.clone(),
        r#type: "purchase".to_owned(),
        device_type: "phone".to_owned(),
        device_id: order.number(),
        pay_type: "telco".to_owned(),
        pay_partner: order.channel.clone(),
    }
}

/// SHA-256 of an intent's request under a domain of its own, lower-case hex.
fn fingerprint(request: &str) -> String {
    let hash = Sha256::new_with_prefix("paygate intent\0").chain_update(request).finalize();
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}
