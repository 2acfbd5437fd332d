//! Delivery receipts: the text of SMPP 3.4 Appendix B and the receipt TLVs.

/// The final or passing state of a message (SMPP 3.4 §5.2.28).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Enroute,
    Delivered,
    Expired,
    Deleted,
    Undeliverable,
    Accepted,
    Unknown,
    Rejected,
}
