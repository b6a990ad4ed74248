//! What connecting would do to the data that is here, and the question what is to become of it.

use maud::{Markup, html};
use sync_core::device::{Clash, Plan};

use super::{Shown, count, form_token, words};
use crate::{Preview, planned::parts};

/// Clashes that are shown one by one.
const MOST: usize = 20;

/// The question, if there is one.
pub(super) fn plan(shown: &Shown<'_>) -> Markup {
    let Some(preview) = shown.preview else {
        return html! {};
    };
    html! {
        section .card aria-labelledby="plan-title" {
            h2 #plan-title { "What about the data that is here?" }
            (situation(preview))
            h3 { "Merge it into " (preview.email) }
            (what_happens(&preview.merge))
            (answer(shown, "merge", "Merge and sync", "main"))
            h3 { "Set it aside" }
            p { "It stays in this database as it is, but is not synced and belongs to another user of the app. " (back(preview)) }
            (what_happens(&preview.set_aside))
            (answer(shown, "set-aside", "Set aside and sync", ""))
            h3 { "Neither" }
            (answer(shown, "cancel", "Cancel", ""))
        }
    }
}

fn situation(preview: &Preview) -> Markup {
    let n_local = count(preview.n_local_rows, "row");
    html! {
        @match &preview.other_account {
            None => p { "You are logged in as " strong { (preview.email) } ", but nothing has been sent or changed yet. This device holds " (n_local) " that no account has." },
            Some(other) => {
                p { "You are logged in as " strong { (preview.email) } ", but nothing has been sent or changed yet. This device holds " (n_local) " of " strong { (other.name) } " at " (other.url) "." }
                @if other.n_pending > 0 {
                    p { (count(other.n_pending, "row")) " of them with changes that were not sent there yet. Cancel, log in to that account and sync, if they are to arrive there." }
                }
            }
        }
    }
}

fn back(preview: &Preview) -> &'static str {
    match preview.other_account {
        Some(_) => "Log in to its account to go on with it.",
        None => "",
    }
}

fn answer(shown: &Shown<'_>, answer: &str, title: &str, class: &str) -> Markup {
    html! {
        form method="post" action="/answer" {
            (form_token(shown.session))
            input type="hidden" name="answer" value=(answer);
            button id=(answer) class=(class) type="submit" { (title) }
        }
    }
}

fn what_happens(plan: &Plan) -> Markup {
    html! {
        @if plan.tables.is_empty() {
            p { "Nothing is sent and nothing is received." }
        } @else {
            ul .plain {
                @for table in &plan.tables {
                    li { (words::table(&table.table)) ": " (parts(table).join(", ")) }
                }
            }
        }
        @if !plan.clashes.is_empty() {
            details {
                summary { "Where both differ, the later edit of each field stands …" }
                ul .plain {
                    @for clash in plan.clashes.iter().take(MOST) {
                        li { (differing(clash)) }
                    }
                    @if plan.clashes.len() > MOST {
                        li { "and more" }
                    }
                }
            }
        }
    }
}

/// A row and its differing values, here and there.
fn differing(clash: &Clash) -> Markup {
    html! {
        (words::table(&clash.table)) " " (clash.row_id) ": "
        @for (number, register) in clash.registers.iter().enumerate() {
            @if number > 0 { "; " }
            @for (column, here) in &register.here {
                @let there = register.there.get(column).unwrap_or(&serde_json::Value::Null);
                @if here != there {
                    (column) " is " (value(here)) " here, " (value(there)) " there "
                }
            }
        }
    }
}

/// A value as people read it, cut short.
fn value(value: &serde_json::Value) -> String {
    const LONGEST: usize = 40;
    let text = match value {
        serde_json::Value::Null => return "nothing".to_owned(),
        serde_json::Value::String(text) => format!("“{text}”"),
        other => other.to_string(),
    };
    match text.char_indices().nth(LONGEST) {
        None => text,
        Some((at, _)) => format!("{}…", &text[..at]),
    }
}
