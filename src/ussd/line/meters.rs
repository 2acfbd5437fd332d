//! What a USSD socket counts, under the names of the metrics page.

use metrics::{Counter, Gauge, counter, gauge};

pub(super) struct Meters {
    up: Gauge,
    /// Lines that could not be read, or lead to nothing.
    pub(super) malformed: Counter,
    pub(super) sent: Counter,
    /// Screens and other messages of ours that the gateway did not take.
    pub(super) refused: Counter,
    /// Screens whose connection was gone.
    pub(super) lost: Counter,
}

impl Meters {
    pub(super) fn new(gateway: &str) -> Self {
        let gateway = || gateway.to_owned();
        let screens = |outcome| counter!("paygate_ussd_screens_total", "gateway" => gateway(), "outcome" => outcome);
        Self {
            up: gauge!("paygate_ussd_line_up", "gateway" => gateway()),
            malformed: counter!("paygate_ussd_malformed_total", "gateway" => gateway()),
            sent: screens("sent"),
            refused: screens("refused"),
            lost: screens("lost"),
        }
    }

    pub(super) fn show_up(&self, up: bool) {
        self.up.set(f64::from(u8::from(up)));
    }
}
