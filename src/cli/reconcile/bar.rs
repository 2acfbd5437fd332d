//! How far an import is: a bar on a terminal, now and then a line elsewhere. On stderr, since stdout has the answer.

use crate::purchase::money::grouped;
use crate::reconcile::Step;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicU64, Ordering};

/// Rows between two lines where there is no terminal.
const ROWS_A_LINE: u64 = 250_000;

pub(super) struct Bar {
    bar: Option<ProgressBar>,
    /// Rows that the last line told of.
    told: AtomicU64,
}

impl Bar {
    pub(super) fn new() -> Self {
        let style = ProgressStyle::with_template("{msg:>22} {bar:40} {percent:>3} %  {elapsed}");
        let bar = style.ok().filter(|_| io::stderr().is_terminal()).map(|style| {
            let bar = ProgressBar::with_draw_target(Some(1), ProgressDrawTarget::stderr());
            bar.with_style(style.progress_chars("=> "))
        });
        Self { bar, told: AtomicU64::new(0) }
    }

    pub(super) fn show(&self, step: Step) {
        match (step, &self.bar) {
            (Step::Reading { behind, of, rows }, Some(bar)) => {
                draw(bar, behind, of, format!("{} rows read", grouped(rows, ",")));
            }
            (Step::Missing { behind, of }, Some(bar)) => draw(bar, behind, of, "looking for missing".to_owned()),
            (Step::Reading { behind, of, rows }, None) => self.line(behind, of, rows),
            (Step::Missing { .. } | Step::Done, _) => {}
        }
    }

    fn line(&self, behind: u64, of: u64, rows: u64) {
        let before = self.told.load(Ordering::Relaxed);
        if rows / ROWS_A_LINE > before / ROWS_A_LINE {
            self.told.store(rows, Ordering::Relaxed);
            // A stderr that cannot be written is no reason to stop.
            let _ = writeln!(io::stderr(), "paygate: {} rows read, {} %", grouped(rows, ","), behind * 100 / of.max(1));
        }
    }

    pub(super) fn clear(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn draw(bar: &ProgressBar, behind: u64, of: u64, message: String) {
    bar.set_length(of);
    bar.set_position(behind);
    bar.set_message(message);
}
