//! The whole page.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::{Region, Shown};
use crate::Activity;

/// Every part stands in an element of its own, which the script finds by its id.
pub(in crate::page) fn page(shown: &Shown<'_>) -> Markup {
    let busy = matches!(shown.status.activity, Activity::Syncing { .. });
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { "Cloud Sync – Zentrio" }
                link rel="stylesheet" href="/page.css";
                script src="/page.js" defer {}
                @if busy { noscript { meta http-equiv="refresh" content="3; url=/"; } }
            }
            body {
                a .skip href="#main" { "To the content" }
                main #main {
                    h1 { "Cloud Sync" }
                    @if let Some(message) = &shown.message {
                        p #message .message .good[message.good] .bad[!message.good]
                            tabindex="-1" autofocus role=(if message.good { "status" } else { "alert" }) {
                            (message.text)
                        }
                    }
                    (status(shown.regions()))
                }
                noscript { p .hint { "This page shows changes when it is loaded again." } }
            }
        }
    }
}

/// Screen readers tell what `said` holds when it changes, and nothing else by themselves.
fn status(regions: Vec<Region>) -> Markup {
    html! {
        @for Region { id, html, version } in regions {
            @if id == "said" {
                div id=(id) data-version=(version) role="status" aria-live="polite" { (PreEscaped(html)) }
            } @else {
                div id=(id) data-version=(version) { (PreEscaped(html)) }
            }
        }
    }
}
