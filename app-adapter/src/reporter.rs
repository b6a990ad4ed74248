//! Shows on stderr what a sync is doing. The only file that draws.

use std::{
    io::{IsTerminal, Write, stderr},
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use indicatif::{ProgressBar, ProgressStyle};
use sync_core::SyncEvent;

const TICK: Duration = Duration::from_millis(120);

/// Is told what happens and shows it.
pub(crate) enum Reporter {
    /// Nobody watches.
    Silent,
    /// A line for each thing that happens.
    Lines,
    /// One line that changes, gone when the work is done.
    Bar(Bar),
}

/// The line that changes, and what it counts.
pub(crate) struct Bar {
    drawn: ProgressBar,
    n_to_push: AtomicU64,
    n_pushed: AtomicU64,
    n_pulled: AtomicU64,
}

impl Reporter {
    /// Lines if they are asked for, else something that moves if somebody watches.
    pub(crate) fn on_stderr(verbose: bool) -> Self {
        match (verbose, stderr().is_terminal()) {
            (true, _) => Self::Lines,
            (false, true) => Self::Bar(Bar::new()),
            (false, false) => Self::Silent,
        }
    }

    /// Lines if they are asked for, else nothing.
    pub(crate) fn lines_if(verbose: bool) -> Self {
        if verbose { Self::Lines } else { Self::Silent }
    }

    /// Shows an event.
    pub(crate) fn event(&self, event: &SyncEvent) {
        match self {
            Self::Silent => {}
            Self::Lines => {
                if let Some(line) = line(event) {
                    // Where stderr is closed nobody watches any more.
                    let _ = writeln!(stderr(), "{line}");
                }
            }
            Self::Bar(bar) => bar.event(event),
        }
    }

    /// Leaves the terminal as it was.
    pub(crate) fn finish(self) {
        if let Self::Bar(bar) = self {
            bar.drawn.finish_and_clear();
        }
    }
}

impl Bar {
    fn new() -> Self {
        let drawn = ProgressBar::new_spinner();
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}") {
            drawn.set_style(style);
        }
        drawn.set_message("Asking the server");
        drawn.enable_steady_tick(TICK);
        let zero = || AtomicU64::new(0);
        Self {
            drawn,
            n_to_push: zero(),
            n_pushed: zero(),
            n_pulled: zero(),
        }
    }

    fn event(&self, event: &SyncEvent) {
        let add = |to: &AtomicU64, n: u64| to.fetch_add(n, Ordering::Relaxed) + n;
        let message = match event {
            SyncEvent::Started { n_pending } => {
                self.n_to_push.store(*n_pending, Ordering::Relaxed);
                return;
            }
            SyncEvent::Pushed { n_rows } => {
                let n_pushed = add(&self.n_pushed, *n_rows);
                // Edits made meanwhile go out too.
                let n_to_push = self.n_to_push.load(Ordering::Relaxed).max(n_pushed);
                format!("Sent {n_pushed} of {n_to_push} rows")
            }
            SyncEvent::Pulled { n_rows, .. } => {
                format!("Received {} rows", add(&self.n_pulled, *n_rows))
            }
            _ => return,
        };
        self.drawn.set_message(message);
    }
}

/// An event as a line, if it is worth one.
fn line(event: &SyncEvent) -> Option<String> {
    Some(match event {
        SyncEvent::Started { n_pending } => format!("{n_pending} rows to send"),
        SyncEvent::Pushed { n_rows } => format!("sent {n_rows} rows"),
        SyncEvent::Pulled { n_rows, has_more } => {
            format!(
                "received {n_rows} rows{}",
                if *has_more { ", more to come" } else { "" }
            )
        }
        SyncEvent::Rejected {
            table,
            row_id,
            code,
            ..
        } => format!("{table} {row_id} was not taken: {code}"),
        SyncEvent::Quarantined {
            table, remote_id, ..
        } => format!("{table} {remote_id} cannot be written here"),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use sync_core::SyncReport;

    use super::*;

    #[test]
    fn every_event_of_interest_has_a_line() {
        for (event, expected) in [
            (SyncEvent::Started { n_pending: 3 }, Some("3 rows to send")),
            (SyncEvent::Pushed { n_rows: 2 }, Some("sent 2 rows")),
            (
                SyncEvent::Pulled {
                    n_rows: 1,
                    has_more: true,
                },
                Some("received 1 rows, more to come"),
            ),
            (
                SyncEvent::Pulled {
                    n_rows: 0,
                    has_more: false,
                },
                Some("received 0 rows"),
            ),
            (SyncEvent::Finished(SyncReport::default()), None),
        ] {
            assert_eq!(line(&event).as_deref(), expected);
        }
    }

    #[test]
    fn the_bar_counts_on() {
        let bar = Bar::new();
        for event in [
            SyncEvent::Started { n_pending: 3 },
            SyncEvent::Pushed { n_rows: 2 },
            SyncEvent::Pushed { n_rows: 2 },
        ] {
            bar.event(&event);
        }
        assert_eq!(bar.drawn.message(), "Sent 4 of 4 rows");
        bar.event(&SyncEvent::Pulled {
            n_rows: 5,
            has_more: true,
        });
        bar.event(&SyncEvent::Pulled {
            n_rows: 5,
            has_more: false,
        });
        assert_eq!(bar.drawn.message(), "Received 10 rows");
    }
}
