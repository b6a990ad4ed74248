//! Shows on stderr what a sync is doing. The only file that draws.

use std::{
    io::{IsTerminal, Write, stderr},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressStyle};
use sync_core::SyncEvent;
use tokio::time;

use crate::{AdapterError, SyncLog, log::Happened};

const TICK: Duration = Duration::from_millis(120);
/// What takes no longer than this needs nothing that moves.
const SHORT: Duration = Duration::from_millis(500);
/// How often long work is told of where nothing can move, and what counts as long there.
const LONG: Duration = Duration::from_secs(5);
const SPINNER: &str = "{spinner} {msg}";
const BAR: &str = "{spinner} [{bar:30}] {msg}";

/// Is told what happens, shows it, and has it kept.
pub(crate) struct Reporter {
    shown: Shown,
    log: Option<SyncLog>,
}

enum Shown {
    /// Nobody watches.
    Silent,
    /// A line for each thing that happens.
    Lines,
    /// A line now and then, if it takes long.
    Sparse(Sparse),
    /// One line that changes, gone when the work is done.
    Bar(Bar),
}

/// What was done, and how much there is to do.
#[derive(Default)]
struct Counts {
    n_to_push: AtomicU64,
    n_pushed: AtomicU64,
    n_pulled: AtomicU64,
}

struct Sparse {
    counts: Counts,
    told: Mutex<Instant>,
}

struct Bar {
    counts: Counts,
    drawn: ProgressBar,
}

impl Reporter {
    /// Every event as a line if that is asked for; else something that moves where somebody watches, and
    /// elsewhere a line now and then.
    pub(crate) fn on_stderr(verbose: bool) -> Self {
        Self::showing(match (verbose, stderr().is_terminal()) {
            (true, _) => Shown::Lines,
            (false, true) => Shown::Bar(Bar::new("Asking the server")),
            (false, false) => Shown::Sparse(Sparse {
                counts: Counts::default(),
                told: Mutex::new(Instant::now()),
            }),
        })
    }

    /// Lines if they are asked for, else nothing.
    pub(crate) fn lines_if(verbose: bool) -> Self {
        Self::showing(if verbose { Shown::Lines } else { Shown::Silent })
    }

    fn showing(shown: Shown) -> Self {
        Self { shown, log: None }
    }

    /// The same, and what happens is kept in the log.
    pub(crate) fn and(mut self, log: &SyncLog) -> Self {
        self.log = Some(log.clone());
        self
    }

    /// Shows an event.
    pub(crate) fn event(&self, event: &SyncEvent) {
        if let Some(log) = &self.log {
            log.watch(event);
        }
        match &self.shown {
            Shown::Silent => {}
            Shown::Lines => line(event).iter().for_each(|line| say(line)),
            Shown::Sparse(sparse) => sparse.event(event),
            Shown::Bar(bar) => bar.event(event),
        }
    }

    /// Leaves the terminal as it was, and keeps why it failed, if it did.
    pub(crate) fn finish<T>(self, ended: &Result<T, AdapterError>) {
        if let Shown::Bar(bar) = &self.shown {
            bar.drawn.finish_and_clear();
        }
        if let (Some(log), Err(error)) = (&self.log, ended) {
            log.write(Happened::failed(error));
        }
    }
}

/// Shows that something is being done, if it takes a while.
pub(crate) async fn during<T>(what: &'static str, work: impl Future<Output = T>) -> T {
    tokio::pin!(work);
    let watched = stderr().is_terminal();
    tokio::select! {
        biased;
        done = &mut work => return done,
        () = time::sleep(if watched { SHORT } else { LONG }) => {}
    }
    if !watched {
        say(what);
        return work.await;
    }
    let bar = Bar::new(what);
    let done = work.await;
    bar.drawn.finish_and_clear();
    done
}

/// Writes a line. Where stderr is closed nobody watches any more.
fn say(line: &str) {
    let _ = writeln!(stderr(), "{line}");
}

impl Counts {
    /// Adds what happened, and says how far it has come.
    fn follow(&self, event: &SyncEvent) -> Option<String> {
        let add = |to: &AtomicU64, n: u64| to.fetch_add(n, Ordering::Relaxed) + n;
        Some(match event {
            SyncEvent::Started { n_pending } => {
                self.n_to_push.store(*n_pending, Ordering::Relaxed);
                return None;
            }
            SyncEvent::Pushed { n_rows } => {
                let n_pushed = add(&self.n_pushed, *n_rows);
                // Edits made meanwhile go out too.
                let n_to_push = self.n_to_push.fetch_max(n_pushed, Ordering::Relaxed);
                format!("Sent {n_pushed} of {} rows", n_to_push.max(n_pushed))
            }
            SyncEvent::Pulled { n_rows, .. } => {
                format!("Received {} rows", add(&self.n_pulled, *n_rows))
            }
            _ => return None,
        })
    }
}

impl Sparse {
    fn event(&self, event: &SyncEvent) {
        let Some(message) = self.counts.follow(event) else {
            return;
        };
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.elapsed() >= LONG {
            *told = Instant::now();
            say(&message);
        }
    }
}

impl Bar {
    fn new(message: &'static str) -> Self {
        let drawn = ProgressBar::new_spinner();
        drawn.set_message(message);
        drawn.enable_steady_tick(TICK);
        let counts = Counts::default();
        let bar = Self { counts, drawn };
        bar.drawn_as(SPINNER);
        bar
    }

    fn drawn_as(&self, template: &str) {
        if let Ok(style) = ProgressStyle::with_template(template) {
            self.drawn.set_style(style);
        }
    }

    fn event(&self, event: &SyncEvent) {
        if let Some(message) = self.counts.follow(event) {
            self.drawn.set_message(message);
        }
        match event {
            SyncEvent::Pushed { .. } => {
                let count = |n: &AtomicU64| n.load(Ordering::Relaxed);
                self.drawn_as(BAR);
                self.drawn.set_length(count(&self.counts.n_to_push));
                self.drawn.set_position(count(&self.counts.n_pushed));
            }
            // Nobody knows how many are to come.
            SyncEvent::Pulled { .. } => self.drawn_as(SPINNER),
            // What comes behind a sync is short, or a comparison.
            SyncEvent::Finished(_) => self.drawn.set_message("Looking at the result"),
            _ => {}
        }
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
        let bar = Bar::new("");
        for event in [
            SyncEvent::Started { n_pending: 3 },
            SyncEvent::Pushed { n_rows: 2 },
            SyncEvent::Pushed { n_rows: 2 },
        ] {
            bar.event(&event);
        }
        assert_eq!(bar.drawn.message(), "Sent 4 of 4 rows");
        assert_eq!((bar.drawn.position(), bar.drawn.length()), (4, Some(4)));
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
