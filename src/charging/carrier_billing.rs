//! CAMARA Carrier Billing 0.5: requests and answers of that dialect, and nothing else.

use super::{Capabilities, ChargeOrder, RefundOrder};
use crate::config;
use crate::http_client::HttpClient;
use crate::purchase::evidence::{Cause, ChannelAnswer, Finding};

/// One operator's billing, spoken to in CAMARA Carrier Billing 0.5 and Carrier Billing Refund 0.3.
pub struct Driver {
    capabilities: Capabilities,
    #[expect(dead_code, reason = "the signatures stand before the calls")]
    client: HttpClient,
}

impl Driver {
    #[must_use]
    pub fn new(settings: &config::CarrierBilling, client: HttpClient) -> Self {
        let capabilities = Capabilities {
            texts_codes: !settings.one_step,
            can_cancel: !settings.one_step,
            can_refund: true,
            max_flight: settings.max_flight,
            send_within: settings.send_within,
            inquiry_plan: settings.inquiry_plan.clone(),
        };
        Self { capabilities, client }
    }

    #[must_use]
    pub const fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    #[must_use]
    pub fn request(&self, order: &ChargeOrder) -> String {
        order.key.clone()
    }

    #[must_use]
    pub fn refund_request(&self, order: &RefundOrder) -> String {
        order.key.clone()
    }

    pub async fn prepare(&self, _order: &ChargeOrder) -> ChannelAnswer {
        unknown()
    }

    pub async fn charge(&self, _order: &ChargeOrder) -> ChannelAnswer {
        unknown()
    }

    pub async fn inquire(&self, _order: &ChargeOrder) -> ChannelAnswer {
        unknown()
    }

    pub async fn cancel(&self, _order: &ChargeOrder) -> ChannelAnswer {
        unknown()
    }

    pub async fn refund(&self, _order: &RefundOrder) -> ChannelAnswer {
        unknown()
    }

    pub async fn inquire_refund(&self, _order: &RefundOrder) -> ChannelAnswer {
        unknown()
    }
}

fn unknown() -> ChannelAnswer {
    let finding = Finding::Unknown { cause: Cause::NoAnswer };
    ChannelAnswer { finding, handle: None, peer_reference: None, heard: String::new() }
}
