//! What a subscriber wrote. Stand-in until the text branch lands.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Syntax {}
