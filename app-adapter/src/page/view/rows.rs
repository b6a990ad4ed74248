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
}

/// All of them.
pub(super) fn rows(shown: &Shown<'_>) -> Markup {
    let status = &shown.status.overview.status;
    if shown.status.overview.state == Standing::NotConnected {
        return html! {};
    }
    html! {
        @if !status.rejected.is_empty() {
            section .card aria-labelledby="rejected-title" {
                h2 #rejected-title { "Not taken by the server" }
                p { "Correct these in the app; they are sent again then. Or give up your change." }
                ul .rows { @for row in status.rejected.iter().take(MOST) { (rejected(shown, row)) } }
                (more(status.rejected.len()))
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
    };
    let why = row.message.as_deref().unwrap_or(&row.code);
    let says = "Your change is lost, and the row becomes what the server has. A row that the server never had goes, with what belongs to it.";
    one(shown, &named, row.field.as_deref(), why, row.since_ms, says)
}

fn quarantined(shown: &Shown<'_>, row: &QuarantinedRow) -> Markup {
    let named = Named {
        table: &row.table,
        id: row.remote_id.clone(),
    };
    let says = "What waits here of this row is given up. The row stays on the server.";
    one(
        shown,
        &named,
        row.field.as_deref(),
        &row.reason,
        row.since_ms,
        says,
    )
}

fn one(
    shown: &Shown<'_>,
    named: &Named<'_>,
    field: Option<&str>,
    why: &str,
    since_ms: i64,
    says: &str,
) -> Markup {
    let Named { table, id } = named;
    let what = format!("{} {id}", words::table(table));
    html! {
        li {
            h3 { (what) }
            p {
                @if let Some(field) = field { code { (field) } ": " }
                (words::sentence(why)) " Since " (time(since_ms, shown.now_ms)) "."
            }
            div .buttons {
                form method="post" action="/retry" {
                    (hidden(shown, named))
                    button id={ "retry-" (table) "-" (id) } type="submit" aria-label={ "Try again: " (what) } { "Try again" }
                }
                details {
                    summary aria-label={ "Discard: " (what) } { "Discard …" }
                    form method="post" action="/discard" {
                        (hidden(shown, named))
                        p { (says) }
                        button .danger type="submit" aria-label={ "Discard for good: " (what) } { "Discard" }
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
