//! Users write: on a device, on the server, and two of them the same thing at the same moment.

use std::sync::{Arc, atomic::Ordering};

use anyhow::Result;
use sea_orm::ConnectionTrait;

use super::{
    device::lock,
    dump::{Dump, Row},
    edits::Editor,
    ledger::Place,
    refused,
    rng::Rng,
    setup::Setup,
    tables::{Kind, Role},
    world::World,
};
use crate::{Clock, schema::pin_clock};

/// Who makes an edit, and where.
struct Writer {
    place: Place,
    account: usize,
    /// By the clock of the database.
    now_ms: i64,
    who: String,
}

impl World {
    /// The user of a device writes.
    pub(crate) async fn edit(&self, number: usize, dice: u64) -> Result<()> {
        self.advance(3);
        let device = &self.devices[number];
        let writer = Writer {
            place: Place::Device(number),
            account: device.account,
            now_ms: device.clock.now_ms(),
            who: format!("d{number}"),
        };
        self.edit_database(&writer, dice).await
    }

    /// Two users write the same text of the same row, each on a device of their own, at the same moment.
    pub(crate) async fn edit_at_once(&self, number: usize, dice: u64) -> Result<()> {
        let mut rng = Rng::new(dice);
        let account = self.devices[number].account;
        let others: Vec<usize> = (0..self.devices.len())
            .filter(|&other| other != number && self.devices[other].account == account)
            .collect();
        let Some(&other) = rng.pick(&others) else {
            return Ok(());
        };
        let (one, two) = (
            self.dump(Place::Device(number)).await?,
            self.dump(Place::Device(other)).await?,
        );
        let Some((here, there, column)) = same_text(&self.setup, &mut rng, &one, &two) else {
            return Ok(());
        };
        self.advance(3);
        for (number, row, before) in [(number, here, &one), (other, there, &two)] {
            let device = &self.devices[number];
            let db = device.db()?;
            pin_clock(&db, Some(device.clock.now_ms())).await?;
            let text = self.n_texts.fetch_add(1, Ordering::SeqCst) + 1;
            let label = &self.setup.accounts[account].label;
            let sql = format!(
                "UPDATE \"{}\" SET \"{column}\" = '{label}.d{number}.{text}' WHERE \"{}\" = {}",
                row.table.name, row.table.id, row.id
            );
            db.execute_unprepared(&sql).await?;
            self.line(format!("   d{number} edits at once: {sql}"));
            let after = self.dump(Place::Device(number)).await?;
            lock(&self.ledger).record(Place::Device(number), before, &after, self.now_ms());
        }
        Ok(())
    }

    /// Somebody writes rows of an account in the server's database.
    pub(crate) async fn edit_server(&self, account: usize, dice: u64) -> Result<()> {
        self.advance(3);
        self.touch(Place::Server);
        let writer = Writer {
            place: Place::Server,
            account,
            now_ms: self.now_ms(),
            who: "server".to_owned(),
        };
        self.edit_database(&writer, dice).await
    }

    async fn edit_database(&self, writer: &Writer, dice: u64) -> Result<()> {
        let Writer { place, who, .. } = writer;
        let account = &self.setup.accounts[writer.account];
        let db = self.db(*place)?;
        let mut before = self.own_rows(writer).await?;
        pin_clock(&db, Some(writer.now_ms)).await?;
        let mut editor = Editor {
            rng: Rng::new(dice),
            dump: &before,
            user: &account.id,
            author: format!("{}.{who}", account.label),
            number: self.n_texts.load(Ordering::SeqCst),
            now_ms: writer.now_ms,
            backend: db.get_database_backend(),
            options: &self.options,
            setup: &self.setup,
        };
        let edit = editor.choose();
        self.n_texts.store(editor.number, Ordering::SeqCst);
        let Some(edit) = edit else {
            self.line(format!("   {who} finds nothing to edit"));
            return Ok(());
        };
        for edit in edit.parts() {
            let refused = edit.make(&db).await.err();
            let said = refused.as_ref().map(|error| format!("  -- {error}"));
            self.line(format!(
                "   {who} edits: {}{}",
                edit.text(),
                said.unwrap_or_default()
            ));
            if let Some(error) = refused
                && let Some(wrong) = refused::wrongly(&db, &edit, &error).await?
            {
                self.violation(wrong);
            }
            let after = self.own_rows(writer).await?;
            lock(&self.ledger).record(*place, &before, &after, self.now_ms());
            before = after;
        }
        Ok(())
    }

    /// The rows of the account; a device has no others.
    async fn own_rows(&self, writer: &Writer) -> Result<Arc<Dump>> {
        let all = self.dump(writer.place).await?;
        Ok(match writer.place {
            Place::Device(_) => all,
            Place::Server => Arc::new(all.owned_by(&self.setup.accounts[writer.account].id)),
        })
    }
}

/// A live row that both have under one name, and a column of it that holds free text.
fn same_text(
    setup: &Setup,
    rng: &mut Rng,
    one: &Dump,
    two: &Dump,
) -> Option<(Row, Row, &'static str)> {
    let pairs: Vec<(&Row, &Row)> = one
        .rows
        .iter()
        .filter(|row| row.live() && row.remote_id.is_some())
        .filter_map(|row| {
            let same = |other: &&Row| {
                other.live() && other.table == row.table && other.remote_id == row.remote_id
            };
            Some((row, two.rows.iter().find(same)?))
        })
        .collect();
    let &(here, there) = rng.pick(&pairs)?;
    let texts: Vec<&'static str> = here
        .table
        .columns
        .iter()
        .filter(|c| c.role == Role::Free && c.kind == Kind::Text && c.group == c.name)
        .filter(|c| c.length.is_none_or(|length| length > 30))
        .filter(|c| !setup.values.knows(here.table.name, c.name))
        .map(|c| c.name)
        .collect();
    Some((here.clone(), there.clone(), rng.pick(&texts)?))
}
