//! The JSON of CAMARA Carrier Billing 0.5 and Carrier Billing Refund 0.3: written exactly, read leniently. Draws no
//! conclusion from what it reads.

use super::amount::to_major;
use crate::charging::{ChargeOrder, RefundOrder};
use serde::Deserialize;
use serde_json::{Number, Value, json};

/// The body of createPayment and preparePayment, which have one shape. `isTaxIncluded` is true: the subscriber agreed to
/// the price that was named, and CAMARA's default lets the operator put tax on top of it.
pub(super) fn payment_request(order: &ChargeOrder, merchant: &str) -> String {
    json!({"amountTransaction": {
        "phoneNumber": order.msisdn.map(|msisdn| msisdn.e164()),
        "clientCorrelator": order.key,
        "referenceCode": order.key,
        "paymentAmount": {
            "chargingInformation": {
                "amount": to_major(order.amount),
                "currency": order.amount.currency.as_str(),
                "description": order.description,
                "isTaxIncluded": true,
            },
            "chargingMetaData": {
                "merchantName": merchant,
                "merchantIdentifier": merchant,
                "channel": "SMS",
                "serviceId": order.service,
                "productId": order.package,
            },
        },
    }})
    .to_string()
}

/// Always `total`: the amount is then the payment's own, and no second refund can follow it.
pub(super) fn refund_request(order: &RefundOrder) -> String {
    json!({"type": "total", "amountTransaction": {
        "clientCorrelator": order.key,
        "referenceCode": order.key,
        "refundAmount": {},
    }})
    .to_string()
}

/// The body of confirmPayment and cancelPayment under a token that names no subscriber.
pub(super) fn phone_number(order: &ChargeOrder) -> String {
    json!({"phoneNumber": order.msisdn.map(|msisdn| msisdn.e164())}).to_string()
}

pub(super) fn validation(authorization: &str, code: &str) -> String {
    json!({"authorizationId": authorization, "code": code}).to_string()
}

/// A payment as each endpoint gives it, cut to what is read. One that does not say what it is about is unreadable.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Payment {
    pub payment_id: String,
    pub payment_status: String,
    pub amount_transaction: AmountTransaction,
    pub validation_info: Option<ValidationInfo>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AmountTransaction {
    pub phone_number: Option<String>,
    pub client_correlator: Option<String>,
    pub reference_code: Option<String>,
    pub payment_amount: Option<PaymentAmount>,
    pub refund_amount: Option<PaymentAmount>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PaymentAmount {
    pub charging_information: Option<ChargingInformation>,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct ChargingInformation {
    pub amount: Number,
    pub currency: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ValidationInfo {
    pub authorization_id: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Refund {
    pub refund_id: String,
    pub refund_status: String,
    pub amount_transaction: AmountTransaction,
}

/// CAMARA's ErrorInfo.
#[derive(Debug, Deserialize)]
pub(super) struct ErrorInfo {
    pub code: String,
    #[serde(default)]
    pub message: Value,
}

/// What the driver remembers of an attempt between two calls: opaque JSON to everyone else.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct PaymentHandle {
    #[serde(rename = "paymentId")]
    pub payment: String,
    /// Known while the operator waits for the code that it texted.
    #[serde(rename = "authorizationId", default)]
    pub authorization: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct RefundHandle {
    #[serde(rename = "refundId")]
    pub refund: String,
}

impl PaymentHandle {
    pub(super) fn read(handle: Option<&str>) -> Option<Self> {
        serde_json::from_str(handle?).ok()
    }

    pub(super) fn write(&self) -> String {
        let Self { payment, authorization } = self;
        match authorization {
            Some(authorization) => json!({"paymentId": payment, "authorizationId": authorization}).to_string(),
            None => json!({"paymentId": payment}).to_string(),
        }
    }
}

impl RefundHandle {
    pub(super) fn read(handle: Option<&str>) -> Option<Self> {
        serde_json::from_str(handle?).ok()
    }

    pub(super) fn write(&self) -> String {
        json!({"refundId": self.refund}).to_string()
    }
}

impl AmountTransaction {
    /// Whether it carries this key and no other: one of the two names must be there, and neither may be somebody else's.
    pub(super) fn is_under(&self, key: &str) -> bool {
        let names = [self.client_correlator.as_deref(), self.reference_code.as_deref()];
        names.iter().flatten().count() > 0 && names.iter().flatten().all(|name| *name == key)
    }

    /// What it may be known by.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        [self.client_correlator.as_deref(), self.reference_code.as_deref()].into_iter().flatten()
    }

    /// Whether either name is this key.
    pub(super) fn mentions(&self, key: &str) -> bool {
        self.names().any(|name| name == key)
    }
}
