//! Log lines for a person: time, level, message, then `key=value`. What came from outside cannot break a line or colour it.

use std::fmt::{self, Write};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::FmtContext;
use tracing_subscriber::fmt::format::{FormatEvent, FormatFields, Writer};
use tracing_subscriber::registry::LookupSpan;

/// Columns that messages are padded to, so that the fields of short ones stand in line.
const MESSAGE_COLUMNS: usize = 40;

/// Formats `12:34:56.789 INFO  message   key=value`, in local time.
#[derive(Clone, Copy, Debug)]
pub struct Readable {
    pub colour: bool,
}

impl<S, N> FormatEvent<S, N> for Readable
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, _: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let time = jiff::Zoned::now().strftime("%H:%M:%S%.3f").to_string();
        writer.write_str(&self.line(&time, event))
    }
}

impl Readable {
    fn line(self, time: &str, event: &Event<'_>) -> String {
        let mut parts = Parts::default();
        event.record(&mut parts);
        let level = *event.metadata().level();
        let [paint, dim, plain] = if self.colour { [paint(level), "\x1b[2m", "\x1b[0m"] } else { [""; 3] };
        let mut line = format!("{dim}{time}{plain} {paint}{level:<5}{plain} ");
        let padding = if parts.fields.is_empty() { 0 } else { MESSAGE_COLUMNS };
        line += &format!("{:<padding$}", parts.message);
        for (key, value) in &parts.fields {
            line += &format!(" {dim}{key}={plain}{value}");
        }
        line.push('\n');
        line
    }
}

fn paint(level: Level) -> &'static str {
    match level {
        Level::ERROR => "\x1b[31m",
        Level::WARN => "\x1b[33m",
        Level::INFO => "\x1b[32m",
        Level::DEBUG => "\x1b[34m",
        Level::TRACE => "\x1b[35m",
    }
}

#[derive(Default)]
struct Parts {
    message: String,
    fields: Vec<(&'static str, String)>,
}

impl Parts {
    fn put(&mut self, field: &Field, text: &str) {
        match field.name() {
            "message" => self.message = unbroken(text),
            // Identities are for machines.
            "message_id" => {}
            name if text.is_empty() || text.contains([' ', '=', '"']) => {
                self.fields.push((name, format!("\"{}\"", unbroken(text))))
            }
            name => self.fields.push((name, unbroken(text))),
        }
    }
}

impl Visit for Parts {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, value);
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        self.put(field, &value.to_string());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field, &format!("{value:?}"));
    }
}

/// Control characters as `\n` or `\u{1b}`: one event is one line, and no peer paints our terminal.
fn unbroken(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() {
            // Writing to a String cannot fail.
            let _ = write!(line, "{}", c.escape_default());
        } else {
            line.push(c);
        }
    }
    line
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
    use super::*;
    use std::sync::{Arc, Mutex};
    use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

    /// Collects formatted lines under a fixed time.
    struct Lines(Readable, Arc<Mutex<String>>);

    impl<S: Subscriber> Layer<S> for Lines {
        fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
            self.1.lock().unwrap().push_str(&self.0.line("12:34:56.789", event));
        }
    }

    fn lines(colour: bool, tell: impl FnOnce()) -> String {
        let lines = Arc::default();
        let layer = Lines(Readable { colour }, Arc::clone(&lines));
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), tell);
        lines.lock().unwrap().clone()
    }

    #[test]
    fn a_line_reads_time_level_message_fields() {
        let told = lines(false, || {
            tracing::info!(purchase = "p1", state = "charging", n = 3, message_id = "0", "charge intended");
            tracing::warn!("link lost");
        });
        let expected = "\
12:34:56.789 INFO  charge intended                          purchase=p1 state=charging n=3
12:34:56.789 WARN  link lost
";
        assert_eq!(told, expected);
    }

    #[test]
    fn nothing_from_outside_breaks_a_line_or_colours_it() {
        let told = lines(false, || tracing::info!(heard = "a\nINFO \x1b[31mforged", "x\r\ny"));
        assert_eq!(told.lines().count(), 1, "{told}");
        assert!(!told.contains('\x1b'), "{told}");
        assert!(told.contains(r#"heard="a\nINFO \u{1b}[31mforged""#), "{told}");
    }

    #[test]
    fn colour_stands_only_where_it_was_asked_for() {
        assert!(lines(true, || tracing::error!("x")).contains("\x1b[31mERROR\x1b[0m"));
    }
}
