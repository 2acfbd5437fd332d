//! paygate: from a text message to a package, paid once. The modules stand in reading order.

pub mod engine;
pub mod sandbox;
pub mod smpp;
