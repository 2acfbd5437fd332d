//! Text codings. Stand-in until the text branch lands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alphabet {
    Gsm7,
    Latin1,
    Ascii,
}
