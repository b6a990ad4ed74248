//! The account's devices.

use maud::{Markup, html};
use sync_core::{Millis, protocol::Device};

use super::{Shown, form_token, time::time};
use crate::Standing;

/// All of them, this one marked.
pub(super) fn devices(shown: &Shown<'_>) -> Markup {
    let devices = &shown.devices.0;
    let needs_login = shown.status.overview.state == Standing::LoginNeeded;
    if !shown.status.overview.status.connected || needs_login || devices.is_empty() {
        return html! {};
    }
    html! {
        section .card aria-labelledby="devices-title" {
            h2 #devices-title { "Devices of the account" }
            ul .rows { @for device in devices { (one(shown, device)) } }
        }
    }
}

fn one(shown: &Shown<'_>, device: &Device) -> Markup {
    let name = device.name.as_deref().unwrap_or("A device without a name");
    html! {
        li {
            h3 { (name) @if device.current { " " span .mark { "this device" } } }
            p {
                @match device.last_seen_at {
                    Some(Millis(ms)) => { "Last seen " (time(ms, shown.now_ms)) "." }
                    None => { "Logged in " (time(device.created_at.0, shown.now_ms)) ", not seen since." }
                }
            }
            @if !device.current {
                details {
                    summary aria-label={ "Log out: " (name) } { "Log out …" }
                    form method="post" action="/log-out" {
                        (form_token(shown.session))
                        input type="hidden" name="id" value=(device.id);
                        p { "It has to log in again before it syncs. What it has stays on it." }
                        button .danger type="submit" aria-label={ "Log out for good: " (name) } { "Log this device out" }
                    }
                }
            }
        }
    }
}
