//! SMPP 3.4 PDUs: cut by length first, then read leniently, written exactly.

pub mod receipt;
