//! Log records for journald by its native protocol (systemd.io/JOURNAL_NATIVE_PROTOCOL). A thread of its own writes them,
//! because a journal that has stalled would otherwise stall the work: what the queue cannot hold is dropped and counted.

use super::metrics;
use std::fmt;
use std::io;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::{Duration, Instant};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::{Context, Layer};

/// Where journald listens.
pub const SOCKET: &str = "/run/systemd/journal/socket";
/// Records waiting to be written.
const QUEUE: usize = 4096;
/// Octets one record may have. Far below the socket's send buffer, so that the protocol's way of passing larger ones as a
/// sealed file is never needed.
const RECORD: usize = 64 * 1024;
/// Octets one field may have; a longer one is cut.
const FIELD: usize = 16 * 1024;
/// How long one write, and the last lines at the end, may take.
const PATIENCE: Duration = Duration::from_secs(1);

/// Turns events into records and queues them.
#[derive(Debug)]
pub struct Journald {
    queue: SyncSender<Vec<u8>>,
    pending: Arc<AtomicUsize>,
}

/// The other end. Dropped, it waits a moment for what is queued.
#[derive(Debug)]
pub struct Writer {
    pending: Arc<AtomicUsize>,
}

impl Journald {
    /// Starts the thread that writes to the datagram socket at `path`.
    ///
    /// # Errors
    /// No socket or no thread to be had. Whether anybody listens is found out record by record.
    pub fn start(path: &Path) -> io::Result<(Self, Writer)> {
        let socket = UnixDatagram::unbound()?;
        socket.set_write_timeout(Some(PATIENCE))?;
        let (queue, records) = sync_channel(QUEUE);
        let pending = Arc::new(AtomicUsize::new(0));
        let (path, left) = (path.to_owned(), Arc::clone(&pending));
        std::thread::Builder::new()
            .name("journald".to_owned())
            .spawn(move || write(&socket, &path, &records, &left))?;
        Ok((Self { queue, pending: Arc::clone(&pending) }, Writer { pending }))
    }
}

/// Addressed anew each time, so that a journald that was restarted is found again.
fn write(socket: &UnixDatagram, path: &PathBuf, records: &Receiver<Vec<u8>>, pending: &AtomicUsize) {
    for record in records {
        if socket.send_to(&record, path).is_err() {
            dropped();
        }
        pending.fetch_sub(1, Ordering::Release);
    }
}

fn dropped() {
    ::metrics::counter!(metrics::LOG_DROPPED).increment(1);
}

impl Drop for Writer {
    fn drop(&mut self) {
        let end = Instant::now() + PATIENCE;
        while self.pending.load(Ordering::Acquire) > 0 && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl<S: Subscriber> Layer<S> for Journald {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let record = record(event);
        self.pending.fetch_add(1, Ordering::AcqRel);
        if self.queue.try_send(record).is_err() {
            self.pending.fetch_sub(1, Ordering::AcqRel);
            dropped();
        }
    }
}

/// One record: an event's own fields in capitals (`purchase` is `PURCHASE=`), its level as `PRIORITY=`, its origin.
fn record(event: &Event<'_>) -> Vec<u8> {
    let metadata = event.metadata();
    let mut record = Record(Vec::with_capacity(512));
    record.put("PRIORITY", priority(*metadata.level()));
    record.put("SYSLOG_IDENTIFIER", "paygate");
    record.put("TARGET", metadata.target());
    if let (Some(file), Some(line)) = (metadata.file(), metadata.line()) {
        record.put("CODE_FILE", file);
        record.put("CODE_LINE", &line.to_string());
    }
    event.record(&mut record);
    record.0
}

/// syslog's severities (RFC 5424 §6.2.1). Ours have no "notice", and INFO is what its name says.
const fn priority(level: Level) -> &'static str {
    match level {
        Level::ERROR => "3",
        Level::WARN => "4",
        Level::INFO => "6",
        Level::DEBUG | Level::TRACE => "7",
    }
}

struct Record(Vec<u8>);

impl Record {
    /// `NAME=value`, or with a length before it where the value has more than one line.
    fn put(&mut self, name: &str, value: &str) {
        let value = &value[..value.floor_char_boundary(FIELD)];
        let name = field_name(name);
        if name.is_empty() || self.0.len() + name.len() + value.len() + 16 > RECORD {
            return;
        }
        self.0.extend_from_slice(name.as_bytes());
        if value.contains('\n') {
            self.0.push(b'\n');
            self.0.extend_from_slice(&(value.len() as u64).to_le_bytes());
        } else {
            self.0.push(b'=');
        }
        self.0.extend_from_slice(value.as_bytes());
        self.0.push(b'\n');
    }
}

/// Capitals, digits and underscores, at most 64; journald keeps names that begin otherwise for itself.
fn field_name(name: &str) -> String {
    let name = name.trim_start_matches("r#").to_ascii_uppercase();
    let allowed = |c: char| if c.is_ascii_uppercase() || c.is_ascii_digit() { c } else { '_' };
    let name: String = name.chars().map(allowed).take(64).collect();
    name.trim_start_matches(|c: char| c == '_' || c.is_ascii_digit()).to_owned()
}

impl Visit for Record {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field.name(), value);
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        self.put(field.name(), &value.to_string());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field.name(), &format!("{value:?}"));
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;
    use std::collections::BTreeMap;
    use tracing_subscriber::layer::SubscriberExt;

    /// A socket that plays journald, with its folder.
    fn journal() -> (tempfile::TempDir, PathBuf, UnixDatagram) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        let socket = UnixDatagram::bind(&path).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        (folder, path, socket)
    }

    /// Reads one record as journald does.
    fn receive(socket: &UnixDatagram) -> BTreeMap<String, String> {
        let mut buffer = vec![0; 2 * RECORD];
        let length = socket.recv(&mut buffer).unwrap();
        let (mut rest, mut fields) = (&buffer[..length], BTreeMap::new());
        while let Some(end) = rest.iter().position(|octet| matches!(octet, b'=' | b'\n')) {
            let name = String::from_utf8(rest[..end].to_vec()).unwrap();
            let (value, after) = if rest[end] == b'=' {
                let close = rest.iter().position(|octet| *octet == b'\n').unwrap();
                (&rest[end + 1..close], &rest[close + 1..])
            } else {
                let length = u64::from_le_bytes(rest[end + 1..end + 9].try_into().unwrap()) as usize;
                assert_eq!(rest[end + 9 + length], b'\n');
                (&rest[end + 9..end + 9 + length], &rest[end + 10 + length..])
            };
            fields.insert(name, String::from_utf8(value.to_vec()).unwrap());
            rest = after;
        }
        assert!(rest.is_empty(), "a record ends with its last field");
        fields
    }

    fn tell(path: &Path, events: impl FnOnce()) {
        let (layer, writer) = Journald::start(path).unwrap();
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), events);
        drop(writer);
    }

    #[test]
    fn journald_is_told_each_field_in_capitals() {
        let (_folder, path, socket) = journal();
        tell(&path, || {
            let id = super::super::message_ids::REVIEW;
            tracing::warn!(purchase = "p1", channel = "viettel", state = %"review", tries = 3, message_id = id, "needs a person");
            tracing::info!(heard = "two\nlines=", "multi\nline");
        });
        let record = receive(&socket);
        for (name, value) in [
            ("PRIORITY", "4"),
            ("SYSLOG_IDENTIFIER", "paygate"),
            ("MESSAGE", "needs a person"),
            ("MESSAGE_ID", super::super::message_ids::REVIEW),
            ("PURCHASE", "p1"),
            ("CHANNEL", "viettel"),
            ("STATE", "review"),
            ("TRIES", "3"),
        ] {
            assert_eq!(record.get(name).map(String::as_str), Some(value), "{name}");
        }
        let record = receive(&socket);
        assert_eq!(record["PRIORITY"], "6");
        assert_eq!(record["MESSAGE"], "multi\nline");
        assert_eq!(record["HEARD"], "two\nlines=");
    }

    #[test]
    fn a_huge_field_is_cut_and_the_record_still_arrives() {
        let (_folder, path, socket) = journal();
        let huge = "ă".repeat(FIELD);
        tell(&path, || tracing::info!(a = huge, b = huge, c = huge, d = huge, e = huge, "x"));
        let record = receive(&socket);
        assert_eq!(record["A"].len(), FIELD);
        assert!(record.contains_key("C") && !record.contains_key("E"), "{:?}", record.keys());
    }

    #[test]
    fn a_journal_that_nobody_reads_loses_lines_and_holds_up_nobody() {
        let (_folder, path, _unread) = journal();
        let recorder = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder();
        let handle = recorder.handle();
        ::metrics::with_local_recorder(&recorder, || {
            tell(&path, || (0..QUEUE + 500).for_each(|n| tracing::info!(n, "unheard")));
        });
        // The socket's own buffer takes a few hundred at most (net.unix.max_dgram_qlen); the rest of the overflow is counted.
        let told = handle.render();
        let line = told.lines().find(|line| line.starts_with(metrics::LOG_DROPPED)).unwrap();
        assert!(line.rsplit(' ').next().unwrap().parse::<u64>().unwrap() > 0, "{told}");
    }

    #[test]
    fn a_journal_that_was_restarted_is_found_again() {
        let (_folder, path, socket) = journal();
        let (layer, writer) = Journald::start(&path).unwrap();
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
            tracing::info!("before");
            assert_eq!(receive(&socket)["MESSAGE"], "before");
            std::fs::remove_file(&path).unwrap();
            let socket = UnixDatagram::bind(&path).unwrap();
            socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
            tracing::info!("after");
            assert_eq!(receive(&socket)["MESSAGE"], "after");
        });
        drop(writer);
    }

    #[test]
    fn field_names_are_what_journald_accepts() {
        for (name, field) in
            [("purchase", "PURCHASE"), ("r#type", "TYPE"), ("_pid", "PID"), ("a.b-c", "A_B_C"), ("7x", "X"), ("ă", "")]
        {
            assert_eq!(field_name(name), field);
        }
    }
}
