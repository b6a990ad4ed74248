//! How things stand: one sentence that is read out when it changes, the facts, and Sync Now.

use maud::{Markup, html};

use super::{Shown, choice, count, form_token, time::time, words};
use crate::{Activity, Change, Standing, SyncStatus};

/// How grave it is; shown by a sign as well as by a colour.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mood {
    Good,
    Quiet,
    Wanted,
    Bad,
}

/// The one sentence.
pub(super) fn said(shown: &Shown<'_>) -> Markup {
    let (mood, what, then) = match shown.preview {
        Some(_) => (
            Mood::Wanted,
            "One question first.".to_owned(),
            "Until it is answered below, nothing is sent or changed.".to_owned(),
        ),
        None => sentence(shown.status),
    };
    let (class, sign) = match mood {
        Mood::Good => ("good", "✓"),
        Mood::Quiet => ("quiet", "○"),
        Mood::Wanted => ("wanted", "!"),
        Mood::Bad => ("bad", "✕"),
    };
    html! {
        p class={ "said " (class) } {
            span .sign aria-hidden="true" { (sign) }
            span { strong { (what) } @if !then.is_empty() { " " (then) } }
        }
    }
}

fn sentence(status: &SyncStatus) -> (Mood, String, String) {
    let overview = &status.overview;
    let waiting = match overview.n_pending {
        0 => String::new(),
        n => format!("{} here will be sent.", count(n, "changed row")),
    };
    let plain = |mood, what: &str, then: &str| (mood, what.to_owned(), then.to_owned());
    if matches!(status.activity, Activity::Syncing { .. }) {
        return plain(Mood::Quiet, "Syncing …", "");
    }
    match overview.state {
        Standing::NotConnected => plain(
            Mood::Quiet,
            "Not connected.",
            "Log in below to have your data on all your devices.",
        ),
        Standing::LoginNeeded => plain(
            Mood::Wanted,
            "Please log in again.",
            "The login has ended. Everything here is kept and is sent after the login.",
        ),
        _ if status.is_offline => (
            Mood::Quiet,
            "Offline.".to_owned(),
            match overview.n_pending {
                0 => "Syncing goes on by itself when the server can be reached.".to_owned(),
                _ => format!("{waiting} That happens by itself when the server can be reached."),
            },
        ),
        _ => match &status.problem {
            Some(problem) => {
                let words = words::of_problem(problem);
                (Mood::Bad, words.what, words.then)
            }
            None => in_order(status, waiting),
        },
    }
}

fn in_order(status: &SyncStatus, waiting: String) -> (Mood, String, String) {
    let troubles = status.overview.status.rejected.len() + status.overview.status.quarantined.len();
    match status.overview.state {
        Standing::Attention => (
            Mood::Wanted,
            format!("Synced, but for {}.", count(troubles as u64, "row")),
            "See below what to do.".to_owned(),
        ),
        Standing::Pending if waiting.is_empty() => (
            Mood::Quiet,
            "Connected.".to_owned(),
            "The first sync comes now.".to_owned(),
        ),
        Standing::Pending => (Mood::Quiet, "Waiting.".to_owned(), waiting),
        _ => (
            Mood::Good,
            "Everything is synced.".to_owned(),
            String::new(),
        ),
    }
}

/// What there is to know, and the button.
pub(super) fn facts(shown: &Shown<'_>) -> Markup {
    let SyncStatus {
        overview,
        activity,
        next_sync_ms,
        ..
    } = shown.status;
    if overview.state == Standing::NotConnected {
        return html! {};
    }
    html! {
        section .card aria-labelledby="status-title" {
            h2 #status-title { "Status" }
            (progress(*activity))
            dl {
                dt { "Last synced" }
                dd {
                    @match overview.status.last_sync_ms {
                        Some(ms) => (time(ms, shown.now_ms)),
                        None => "never yet",
                    }
                }
                @if let Some(Change { report, at_ms }) = shown.status.last_change {
                    dt { "Last change" }
                    dd {
                        @if report.n_pushed > 0 { "sent " (count(report.n_pushed, "row")) ", " }
                        @if report.n_pulled > 0 { "received " (count(report.n_pulled, "row")) ", " }
                        (time(at_ms, shown.now_ms))
                    }
                }
                dt { "Waiting to be sent" }
                dd { (pending(shown.status)) }
                @if let (Some(next), Activity::Idle) = (next_sync_ms, activity) {
                    dt { "Next sync" }
                    dd {
                        (time(*next, shown.now_ms))
                        @if !shown.status.is_offline && shown.status.problem.is_none() {
                            ", or at once when something changes"
                        }
                    }
                }
            }
            @if let Some(copy) = &overview.copy_before_sync {
                p .hint { "A copy of the database as it was before sync: " code { (copy) } }
            }
            @if overview.state != Standing::LoginNeeded && !choice::is_needed(shown.status) {
                form method="post" action="/sync" {
                    (form_token(shown.session))
                    button #sync-now .main type="submit" { "Sync now" }
                }
            }
        }
    }
}

fn pending(status: &SyncStatus) -> Markup {
    let overview = &status.overview;
    html! {
        @if overview.n_pending == 0 { "nothing" } @else {
            (count(overview.n_pending, "row"))
            ul .plain {
                @for table in &overview.status.pending {
                    li { (words::table(&table.table)) ": " (table.n_rows) }
                }
            }
        }
    }
}

fn progress(activity: Activity) -> Markup {
    let Activity::Syncing {
        n_to_push,
        n_pushed,
        n_pulled,
    } = activity
    else {
        return html! {};
    };
    html! {
        div .progress {
            label for="progress" {
                @if n_to_push > 0 { "Sent " (n_pushed) " of " (count(n_to_push, "row")) } @else { "Asking the server" }
                @if n_pulled > 0 { ", received " (count(n_pulled, "row")) }
            }
            @if n_to_push > 0 && n_pushed < n_to_push {
                progress #progress max=(n_to_push) value=(n_pushed) {}
            } @else {
                // How much there is to receive is not known before.
                progress #progress {}
            }
        }
    }
}
