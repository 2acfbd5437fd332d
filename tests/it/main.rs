//! Every test that crosses a boundary, in one binary.

mod core;
mod smpp;
