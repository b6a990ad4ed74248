//! What the page shows, as HTML. Everything is escaped where it is written; nothing here asks or does anything.

mod account;
mod choice;
mod devices;
mod layout;
mod plan;
mod rows;
mod status;
mod time;
mod words;

use std::hash::{DefaultHasher, Hash, Hasher};

use maud::{Markup, html};

pub(super) use layout::page;
pub(super) use words::of_error;

use super::{
    labels::Labels,
    sessions::{Message, Session, Typed},
};
use crate::{Devices, Preview, SyncStatus};

/// All that the page is made of.
pub(super) struct Shown<'a> {
    pub(super) status: &'a SyncStatus,
    /// What somebody who has logged in is asked.
    pub(super) preview: Option<&'a Preview>,
    pub(super) devices: &'a Devices,
    pub(super) labels: &'a Labels,
    pub(super) session: &'a Session,
    pub(super) now_ms: i64,
    pub(super) message: Option<Message>,
    pub(super) typed: Option<Typed>,
}

/// A part of the page that changes while it is looked at.
pub(super) struct Region {
    pub(super) id: &'static str,
    pub(super) html: String,
    /// Another one for another content.
    pub(super) version: String,
}

impl Shown<'_> {
    /// The parts that change, in the order in which they stand on the page.
    pub(super) fn regions(&self) -> Vec<Region> {
        [
            ("said", status::said(self)),
            ("choice", choice::choice(self)),
            ("plan", plan::plan(self)),
            ("facts", status::facts(self)),
            ("rows", rows::rows(self)),
            ("account", account::account(self)),
            ("devices", devices::devices(self)),
            ("disconnect", account::disconnect(self)),
        ]
        .map(|(id, markup)| Region::new(id, markup))
        .into()
    }
}

impl Region {
    fn new(id: &'static str, markup: Markup) -> Self {
        let html = markup.into_string();
        let mut hasher = DefaultHasher::new();
        html.hash(&mut hasher);
        let version = format!("{:x}", hasher.finish());
        Self { id, html, version }
    }
}

/// What every form holds.
fn form_token(session: &Session) -> Markup {
    html! { input type="hidden" name="form" value=(session.form.as_str()); }
}

/// A number of things, such as `1 row` and `2 rows`.
pub(super) fn count(n: u64, thing: &str) -> String {
    format!("{n} {thing}{}", if n == 1 { "" } else { "s" })
}
