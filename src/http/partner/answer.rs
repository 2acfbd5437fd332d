//! What a partner is told, as the interface words it. Says the same to everyone who is not believed.

use super::signature::Unbelieved;
use crate::purchase::evidence::Reason;
use crate::purchase::record::ReviewReason;
use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

/// One answer to one call.
#[derive(Debug)]
pub(super) enum Answer {
    /// check-user: it may be bought.
    Allowed {
        account: String,
        package: Package,
    },
    /// check-user: it may not.
    Refused {
        reason: Reason,
        message: String,
    },
    /// A payment that is durable now; `review` where a person must look at it.
    Accepted {
        purchase_id: String,
        review: Option<ReviewReason>,
    },
    /// A payment that was durable before.
    Already {
        purchase_id: String,
    },
    /// The id stands for another payment.
    Conflict,
    /// It cannot be made durable, or not be checked, now.
    Later,
    Malformed(Vec<String>),
    TooLarge,
    TooMany,
    Unbelieved(Unbelieved),
}

/// A package as the package manager describes it.
#[derive(Debug)]
pub(super) struct Package {
    pub(super) service: String,
    pub(super) code: String,
    pub(super) name: String,
    pub(super) price: i64,
    pub(super) currency: String,
    pub(super) days: i64,
}

impl Answer {
    /// One of `telemetry::metrics::PARTNER_OUTCOMES`.
    pub(super) const fn outcome(&self) -> &'static str {
        match self {
            Self::Allowed { .. } => "ok",
            Self::Refused { .. } => "refused",
            Self::Accepted { review: None, .. } => "accepted",
            Self::Accepted { review: Some(_), .. } => "review",
            Self::Already { .. } => "already",
            Self::Conflict => "conflict",
            Self::Later => "later",
            Self::Malformed(_) => "malformed",
            Self::TooLarge => "too_large",
            Self::TooMany => "too_many",
            Self::Unbelieved(why) => why.as_str(),
        }
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::Allowed { .. } | Self::Refused { .. } | Self::Accepted { .. } | Self::Already { .. } => {
                StatusCode::OK
            }
            Self::Conflict => StatusCode::CONFLICT,
            Self::Later => StatusCode::SERVICE_UNAVAILABLE,
            Self::Malformed(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooMany => StatusCode::TOO_MANY_REQUESTS,
            Self::Unbelieved(_) => StatusCode::UNAUTHORIZED,
        }
    }

    fn body(&self) -> Value {
        match self {
            Self::Allowed { account, package } => {
                let Package { service, code, name, price, currency, days } = package;
                json!({ "status": "ok", "account": account, "package": { "service": service, "code": code, "name": name,
                    "price": price, "currency": currency, "days": days } })
            }
            Self::Refused { reason, message } => json!({ "status": "refused", "reason": reason, "message": message }),
            Self::Accepted { purchase_id, review } => {
                json!({ "status": "accepted", "purchaseId": purchase_id, "review": review.map(ReviewReason::as_str) })
            }
            Self::Already { purchase_id } => json!({ "status": "already", "purchaseId": purchase_id }),
            Self::Conflict => json!({ "status": "conflict" }),
            Self::Later => json!({ "status": "later" }),
            Self::Malformed(faults) => json!({ "status": "malformed", "faults": faults }),
            Self::TooLarge => json!({ "status": "too_large" }),
            Self::TooMany => json!({ "status": "too_many" }),
            Self::Unbelieved(_) => json!({ "status": "unauthorized" }),
        }
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        (self.status(), Json(self.body())).into_response()
    }
}
