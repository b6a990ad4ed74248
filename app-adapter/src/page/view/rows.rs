//! Rows that need somebody's attention, each with what can be done.

use maud::{Markup, html};
use sync_core::device::{QuarantinedRow, RejectedRow};

use super::{Shown, form_token, time::time, words};
use crate::Standing;

/// Most rows that are listed; the command line lists all.
const MOST: usize = 50;

/// A row as it is named in a form.
struct Named<'a> {
    table: &'a str,
    id: String,
    /// What it is called by whoever made it.
    label: Option<&'a str>,
}

/// How a row is given up.
struct GiveUp {
    action: &'static str,
    word: &'static str,
    says: &'static str,
}

/// All of them.
pub(super) fn rows(shown: &Shown<'_>) -> Markup {
    let status = &shown.status.overview.status;
    if shown.status.overview.state == Standing::NotConnected {
        return html! {};
    }
    let (unreadable, refused): (Vec<_>, Vec<_>) = status
        .rejected
        .iter()
        .partition(|row| row.code == "unreadable");
    html! {
        @if !refused.is_empty() {
            section .card aria-labelledby="rejected-title" {
                h2 #rejected-title { "Not taken by the server" }
                p { "Correct these in the app; they are sent again then. Or give up your change." }
                ul .rows { @for row in refused.iter().take(MOST) { (rejected(shown, row)) } }
                (more(refused.len()))
            }
        }
        @if !unreadable.is_empty() {
            section .card aria-labelledby="unreadable-title" {
                h2 #unreadable-title { "Not readable on this device" }
                p { "Some program has written what does not belong there. It stays as it is; all else is synced. Corrected, it is sent by itself." }
                ul .rows { @for row in unreadable.iter().take(MOST) { (rejected(shown, row)) } }
                (more(unreadable.len()))
            }
        }
        @if !status.quarantined.is_empty() {
            section .card aria-labelledby="quarantined-title" {
                h2 #quarantined-title { "Not written on this device" }
                p { "These came from the server. A newer version of the app may be able to read them." }
                ul .rows { @for row in status.quarantined.iter().take(MOST) { (quarantined(shown, row)) } }
                (more(status.quarantined.len()))
            }
        }
    }
}

fn more(n: usize) -> Markup {
    html! { @if n > MOST { p { "And " (n - MOST) " more." } } }
}

fn rejected(shown: &Shown<'_>, row: &RejectedRow) -> Markup {
    let named = Named {
        table: &row.table,
        id: row.row_id.to_string(),
        label: shown
            .labels
            .get(&(row.table.clone(), row.row_id))
            .map(String::as_str),
    };
    let why = row.message.as_deref().unwrap_or(&row.code);
    let give_up = GiveUp {
        action: "/discard",
        word: "Discard",
        says: "Your change is lost, and the row becomes what the server has. A row that the server never had goes, with what belongs to it.",
    };
    let why = words::of_row(&row.code, why);
    one(
        shown,
        &named,
        row.field.as_deref(),
        &why,
        row.since_ms,
        &give_up,
    )
}

fn quarantined(shown: &Shown<'_>, row: &QuarantinedRow) -> Markup {
    let named = Named {
        table: &row.table,
        id: row.remote_id.clone(),
        label: None,
    };
    let give_up = GiveUp {
        action: "/leave-out",
        word: "Leave out",
        says: "This device does without it until it changes elsewhere. The row stays on the server and on your other devices.",
    };
    let why = words::of_row(&row.code, &row.reason);
    one(
        shown,
        &named,
        row.field.as_deref(),
        &why,
        row.since_ms,
        &give_up,
    )
}

fn one(
    shown: &Shown<'_>,
    named: &Named<'_>,
    field: Option<&str>,
    why: &str,
    since_ms: i64,
    give_up: &GiveUp,
) -> Markup {
    let Named { table, id, label } = named;
    let GiveUp { action, word, says } = give_up;
    let what = match label {
        Some(label) => format!("{} “{label}”", words::table(table)),
        None => format!("{} {id}", words::table(table)),
    };
    html! {
        li {
            h3 { (what) }
            p {
                @if let Some(field) = field { code { (field) } ": " }
                (why) " Since " (time(since_ms, shown.now_ms)) "."
            }
            div .buttons {
                form method="post" action="/retry" {
                    (hidden(shown, named))
                    button id={ "retry-" (table) "-" (id) } type="submit" aria-label={ "Try again: " (what) } { "Try again" }
                }
                details {
                    summary aria-label={ (word) ": " (what) } { (word) " …" }
                    form method="post" action=(action) {
                        (hidden(shown, named))
                        p { (says) }
                        button .danger type="submit" aria-label={ (word) " for good: " (what) } { (word) }
                    }
                }
            }
        }
    }
}

fn hidden(shown: &Shown<'_>, named: &Named<'_>) -> Markup {
    html! {
        (form_token(shown.session))
        input type="hidden" name="table" value=(named.table);
        input type="hidden" name="id" value=(named.id);
    }
}
