//! Where a short message stands in a longer one. Only reads the place; putting the parts together is done by whoever keeps them.

/// One part's place in a long message (3GPP TS 23.040 §9.2.3.24.1 and .8, SMPP 3.4 §5.3.2.22-24).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    pub reference: u16,
    /// 2..=255.
    pub total: u8,
    /// 1..=total.
    pub number: u8,
}
