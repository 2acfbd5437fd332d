//! What must hold for any octets and any text, tried on generated ones. No known answers: those stand beside the code.

mod concat;
mod msisdn;
mod request;
mod text;
mod ussd;
mod ussd_line;
mod ussd_smpp;
