//! What a link counts, under the names of the metrics page. Handles are looked up once for each link, since the registry
//! is far slower than the counter.

use metrics::{Counter, Gauge, counter, gauge};
use paygate_parsers::smpp::header::{self, command_name};

/// The commands counted by name; any other is counted as `unknown`, so that a peer cannot make up labels.
const COMMANDS: [u32; 19] = [
    header::DELIVER_SM,
    header::DELIVER_SM_RESP,
    header::SUBMIT_SM,
    header::SUBMIT_SM_RESP,
    header::ENQUIRE_LINK,
    header::ENQUIRE_LINK_RESP,
    header::DATA_SM,
    header::DATA_SM_RESP,
    header::UNBIND,
    header::UNBIND_RESP,
    header::GENERIC_NACK,
    header::ALERT_NOTIFICATION,
    header::OUTBIND,
    header::BIND_TRANSCEIVER,
    header::BIND_RECEIVER,
    header::BIND_TRANSMITTER,
    header::BIND_TRANSCEIVER | header::RESPONSE,
    header::BIND_RECEIVER | header::RESPONSE,
    header::BIND_TRANSMITTER | header::RESPONSE,
];

/// The meters of one link. Several links of one SMSC share its gauges: each adds its own share and takes it back.
pub(super) struct Meters {
    bound: Gauge,
    bound_share: f64,
    inflight: Gauge,
    inflight_share: f64,
    pub(super) malformed: Counter,
    /// Submits that the SMSC put off: throttled, queue full, or temporarily unable.
    pub(super) throttled: Counter,
    /// Answers to a submit already given up as unknown, or to none at all.
    pub(super) late: Counter,
    read: Pdus,
    written: Pdus,
}

impl Meters {
    pub(super) fn new(smsc: &str) -> Self {
        let smsc = || smsc.to_owned();
        Self {
            bound: gauge!("paygate_smsc_bound", "smsc" => smsc()),
            bound_share: 0.0,
            inflight: gauge!("paygate_smsc_window_inflight", "smsc" => smsc()),
            inflight_share: 0.0,
            malformed: counter!("paygate_smsc_malformed_total", "smsc" => smsc()),
            throttled: counter!("paygate_smsc_throttled_total", "smsc" => smsc()),
            late: counter!("paygate_smsc_late_responses_total", "smsc" => smsc()),
            read: Pdus::new(&smsc(), "in"),
            written: Pdus::new(&smsc(), "out"),
        }
    }

    pub(super) fn show_bound(&mut self, bound: bool) {
        show(&self.bound, &mut self.bound_share, f64::from(u8::from(bound)));
    }

    /// `submit_sm` unanswered now.
    pub(super) fn show_inflight(&mut self, count: usize) {
        show(&self.inflight, &mut self.inflight_share, count as f64);
    }

    pub(super) fn count_read(&self, command_id: u32) {
        self.read.count(command_id);
    }

    pub(super) fn count_written(&self, command_id: u32) {
        self.written.count(command_id);
    }
}

fn show(gauge: &Gauge, share: &mut f64, now: f64) {
    if *share != now {
        gauge.increment(now - *share);
        *share = now;
    }
}

/// PDUs of one direction.
struct Pdus {
    known: [Counter; COMMANDS.len()],
    unknown: Counter,
}

impl Pdus {
    fn new(smsc: &str, direction: &'static str) -> Self {
        let named = |command| counter!("paygate_smsc_pdus_total", "smsc" => smsc.to_owned(), "command" => command, "direction" => direction);
        Self { known: COMMANDS.map(|id| named(command_name(id))), unknown: named("unknown") }
    }

    fn count(&self, command_id: u32) {
        let known = COMMANDS.iter().position(|id| *id == command_id);
        known.map_or(&self.unknown, |index| &self.known[index]).increment(1);
    }
}

#[cfg(test)]
mod tests {
    use metrics_exporter_prometheus::PrometheusBuilder;

    use super::*;

    #[test]
    fn links_of_one_smsc_are_counted_together_and_strange_commands_as_one() {
        let recorder = PrometheusBuilder::new().build_recorder();
        let mut meters = metrics::with_local_recorder(&recorder, || Meters::new("viettel"));
        let mut second = metrics::with_local_recorder(&recorder, || Meters::new("viettel"));
        meters.count_read(header::DELIVER_SM);
        meters.count_read(0xDEAD);
        meters.count_read(0xBEEF);
        meters.count_written(header::BIND_TRANSCEIVER);
        meters.show_bound(true);
        second.show_bound(true);
        second.show_bound(false);
        meters.show_inflight(5);
        second.show_inflight(2);
        meters.show_inflight(4);
        let page = recorder.handle().render();
        for line in [
            r#"paygate_smsc_pdus_total{smsc="viettel",command="deliver_sm",direction="in"} 1"#,
            r#"paygate_smsc_pdus_total{smsc="viettel",command="unknown",direction="in"} 2"#,
            r#"paygate_smsc_pdus_total{smsc="viettel",command="bind_transceiver",direction="out"} 1"#,
            r#"paygate_smsc_bound{smsc="viettel"} 1"#,
            r#"paygate_smsc_window_inflight{smsc="viettel"} 6"#,
        ] {
            assert!(page.contains(line), "no {line} in {page}");
        }
    }
}
