//! V1, V3, V4, V5: all replicas hold the same rows, and the rows make sense.

use std::collections::{BTreeMap, HashMap};

use anyhow::{Context, Result, bail, ensure};

use super::End;
use crate::testing::{
    dump::{Dump, Row},
    setup::Setup,
    tables::Kind,
};

type ByName<'a> = BTreeMap<(&'static str, &'a str), &'a Row>;

/// V1 and V5.
pub(super) fn check(end: &End<'_>) -> Result<()> {
    for (number, dump) in end.devices.iter().enumerate() {
        let account = end.world.devices[number].account;
        equal(&end.server[account], dump).with_context(|| format!("V1: d{number} differs"))?;
        only_its_own(&end.world.setup, dump, account).with_context(|| format!("V5: d{number}"))?;
    }
    for (account, dump) in end.server.iter().enumerate() {
        only_its_own(&end.world.setup, dump, account).context("V5: the server")?;
    }
    Ok(())
}

fn by_name(dump: &Dump) -> ByName<'_> {
    let named = |row| Some(((Row::table_name(row), row.remote_id.as_deref()?), row));
    dump.rows.iter().filter_map(named).collect()
}

/// A device may lack what is deleted.
fn equal(server: &Dump, device: &Dump) -> Result<()> {
    let (there, here) = (by_name(server), by_name(device));
    for (name, row) in &there {
        match here.get(name) {
            Some(local) => rows_equal(row, local, device)?,
            None if row.live() => bail!("{} is missing: {:?}", row.label(), row.values),
            None => {}
        }
    }
    for row in device.rows.iter().filter(|row| row.live()) {
        let name = row.remote_id.as_deref().unwrap_or_default();
        ensure!(
            there.contains_key(&(row.table.name, name)),
            "{} is its own",
            row.label()
        );
    }
    Ok(())
}

fn rows_equal(server: &Row, device: &Row, here: &Dump) -> Result<()> {
    ensure!(
        server.deleted_at == device.deleted_at,
        "{}: deleted at {:?} on the server, at {:?} here",
        device.label(),
        server.deleted_at,
        device.deleted_at
    );
    for (number, column) in server.table.columns.iter().enumerate() {
        let (wanted, is) = (server.shared(number), device.shared(number));
        // What a deleted row refers to may never have come here.
        let unknown = !server.live()
            && matches!(column.kind, Kind::Key(table)
                if here.of(table).all(|row| row.remote_id != *wanted));
        ensure!(
            wanted == is || unknown,
            "{} {}: {wanted:?} on the server, {is:?} here",
            device.label(),
            column.name
        );
    }
    Ok(())
}

/// V5: every text begins with the name of the account it was written in.
fn only_its_own(setup: &Setup, dump: &Dump, account: usize) -> Result<()> {
    let others = setup
        .accounts
        .iter()
        .enumerate()
        .filter(|(n, _)| *n != account);
    let others: Vec<String> = others
        .map(|(_, other)| format!("{}.", other.label))
        .collect();
    let own = &setup.accounts[account].id;
    for row in &dump.rows {
        let stranger = row.owner.iter().find(|owner| *owner != own);
        let foreign = |value: &&String| others.iter().any(|label| value.starts_with(label));
        let foreign = row.values.iter().flatten().find(foreign).or(stranger);
        if let Some(value) = foreign {
            bail!("{} holds another account's {value}", row.label());
        }
    }
    Ok(())
}

/// V3: of two live rows with the same natural key there is one only.
pub(super) fn keys_are_unique(end: &End<'_>) -> Result<()> {
    for dump in end.dumps() {
        let mut seen: HashMap<(&str, usize, Vec<&str>), &Row> = HashMap::new();
        for row in dump.rows.iter().filter(|row| row.live()) {
            for (number, key) in row.table.keys.iter().enumerate() {
                let values: Option<Vec<&str>> = key.iter().map(|column| row.get(column)).collect();
                let Some(values) = values else { continue };
                if let Some(twin) = seen.insert((row.table.name, number, values), row) {
                    bail!(
                        "V3: {} and {} are the same thing",
                        row.label(),
                        twin.label()
                    );
                }
            }
        }
    }
    Ok(())
}

/// V13: of the live rows of a scope at most one carries an exclusive flag.
pub(super) fn flags_are_exclusive(end: &End<'_>) -> Result<()> {
    for dump in end.dumps() {
        let mut seen: HashMap<(&str, &str, Option<&str>), &Row> = HashMap::new();
        for row in dump.rows.iter().filter(|row| row.live()) {
            let set = |flag: &str| matches!(row.get(flag), Some("1" | "true"));
            for exclusive in row.table.exclusive.iter().filter(|e| set(e.flag)) {
                let scope = row.get(exclusive.per).or(row.owner.as_deref());
                let key = (row.table.name, exclusive.flag, scope);
                if let Some(other) = seen.insert(key, row) {
                    bail!(
                        "V13: {} and {} both have {}",
                        row.label(),
                        other.label(),
                        exclusive.flag
                    );
                }
            }
        }
    }
    Ok(())
}

/// V4: a live row's parents are live, and so is what it refers to.
pub(super) fn children_have_parents(end: &End<'_>) -> Result<()> {
    for dump in end.dumps() {
        for row in dump.rows.iter().filter(|row| row.live()) {
            for (column, value) in row.table.columns.iter().zip(&row.values) {
                let (Kind::Key(table), Some(id), true) = (column.kind, value, column.binds())
                else {
                    continue;
                };
                let target = dump.find(table, id.parse()?);
                ensure!(
                    target.is_some_and(Row::live),
                    "V4: {} lives, but what {} refers to does not",
                    row.label(),
                    column.name
                );
            }
        }
    }
    Ok(())
}
