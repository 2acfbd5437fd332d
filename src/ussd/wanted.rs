//! What is wanted, asked about and handed in: check-user before the consent's screen, the engine after it. Waits for both no
//! longer than a screen may take, and never for a charge.

use super::Inner;
use super::gateway::Gateway;
use super::menu::Wanted;
use crate::engine::desk::context;
use crate::engine::door::{DialledIn, Door, Incoming, Verdict};
use crate::purchase::evidence::{Advice, CheckAnswer, Decline, Reason};
use crate::purchase::offer::Terms;
use crate::purchase::record::Order;
use crate::telemetry::metrics::MESSAGES_RECEIVED;
use paygate_parsers::msisdn::Msisdn;
use tokio::time::{Instant, timeout_at};

/// What was agreed to, and where.
pub(super) struct Agreed<'a> {
    /// The dialogue's own name.
    pub(super) dialogue: &'a str,
    pub(super) wanted: &'a Wanted,
    pub(super) terms: &'a Terms,
    /// The words on the phone.
    pub(super) screen: &'a str,
}

impl Inner {
    /// The terms of a purchase, or the name of the screen that says why there are none.
    pub(super) async fn terms(
        &self,
        gateway: &Gateway,
        from: Msisdn,
        wanted: &Wanted,
        by: Instant,
    ) -> Result<Terms, &'static str> {
        if self.frozen.borrow().contains(&gateway.channel) {
            return Err("busy");
        }
        let context = context(&order(gateway, from, wanted));
        let asked = self.package_manager.check(&context, &wanted.account, &wanted.service, &wanted.package, &from);
        match timeout_at(by, asked).await {
            Ok(CheckAnswer::Allowed { package_name, price, days }) => Ok(Terms { package_name, price, days }),
            Ok(CheckAnswer::Refused { reason, .. }) => Err(refused(reason)),
            Ok(CheckAnswer::Unavailable { heard }) => Err(self.unanswered(gateway, &heard)),
            Err(_) => Err(self.unanswered(gateway, "check-user: no answer in time")),
        }
    }

    fn unanswered(&self, gateway: &Gateway, heard: &str) -> &'static str {
        // The package manager's own words may name an account.
        tracing::debug!(gateway = gateway.name, heard, "check-user is not answered");
        if let Some(left_out) = self.sparing.may_say() {
            tracing::warn!(gateway = gateway.name, left_out, "a dialogue ended because check-user was not answered");
        }
        "busy"
    }

    /// Whether it is durable now. If not, it may become so yet: the same dialogue may agree again, and buys once.
    pub(super) async fn hand_in(&self, gateway: &Gateway, from: Msisdn, agreed: Agreed<'_>, by: Instant) -> bool {
        let dialled = DialledIn {
            dialogue: agreed.dialogue.to_owned(),
            gateway: gateway.name.clone(),
            link: gateway.link.clone(),
            channel: gateway.channel.clone(),
            from,
            short_code: gateway.short_code.clone(),
            service: agreed.wanted.service.clone(),
            package: agreed.wanted.package.clone(),
            account: agreed.wanted.account.clone(),
            terms: agreed.terms.clone(),
            screen: agreed.screen.to_owned(),
        };
        let (word, taken) = match Incoming::Dialled(dialled).hand_in(&self.intake, by).await {
            Verdict::Fresh => ("fresh", true),
            Verdict::Again => ("again", true),
            // A consent hears none of the last four.
            Verdict::Later | Verdict::Review(_) | Verdict::Conflict | Verdict::TooMany | Verdict::Unknown => {
                ("later", false)
            }
        };
        metrics::counter!(MESSAGES_RECEIVED, "door" => Door::Ussd.as_str(), "verdict" => word).increment(1);
        taken
    }
}

/// The order that a consent would make, for the question before it.
fn order(gateway: &Gateway, from: Msisdn, wanted: &Wanted) -> Order {
    Order {
        msisdn: Some(from),
        account: wanted.account.clone(),
        service: wanted.service.clone(),
        package: wanted.package.clone(),
        channel: gateway.channel.clone(),
        door: Door::Ussd.as_str().to_owned(),
        link: gateway.link.clone(),
        short_code: gateway.short_code.clone(),
        repeat: false,
        app: None,
    }
}

/// The package manager's refusals, by what is advised, as in the texts.
const fn refused(reason: Reason) -> &'static str {
    match (Decline::of(reason).advice, reason) {
        (Advice::ChangeAccount, _) => "refused_no_account",
        (Advice::Stop, Reason::NoPackage) => "refused_no_package",
        (Advice::CallOperator, Reason::Blocked) => "refused_blocked",
        (Advice::Wait | Advice::Technical, _) => "busy",
        (Advice::Stop | Advice::CallOperator | Advice::NewCode, _) => "refused",
    }
}
