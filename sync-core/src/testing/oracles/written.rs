//! V2 and V12: no write is lost, but to one that the rules let win; what was deleted stays so.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    sync::atomic::Ordering,
};

use anyhow::{Context, Result, ensure};
use sea_orm::{ConnectionTrait, Statement};

use super::End;
use crate::testing::{
    device::lock,
    dump::Row,
    ledger::{Fate, Key, Ledger, Place, Value, Write, value},
    plan::{Action, Clocks, What},
    tables::{Column, Role},
    world::World,
};

/// All that was done to one row under all its names.
#[derive(Default)]
struct History<'a> {
    writes: Vec<&'a Write>,
    fates: Vec<Fate>,
    parents: BTreeSet<String>,
    keys: BTreeSet<Key>,
}

impl History<'_> {
    fn has(&self, fate: Fate) -> bool {
        self.fates.contains(&fate)
    }

    fn deleted(&self) -> bool {
        self.has(Fate::Deleted) || self.has(Fate::Removed)
    }
}

/// Names that turned out to be of rows that are there already.
pub(crate) async fn take_down_aliases(world: &World) -> Result<()> {
    let db = world.server.db();
    let sql = "SELECT tbl, alias, remote_id FROM sync_alias";
    for row in db
        .query_all_raw(Statement::from_string(db.get_database_backend(), sql))
        .await?
    {
        let (table, alias, remote_id): (String, String, String) = (
            row.try_get("", "tbl")?,
            row.try_get("", "alias")?,
            row.try_get("", "remote_id")?,
        );
        lock(&world.ledger).alias(&table, &alias, &remote_id);
    }
    let dump = world.dump(Place::Server).await?;
    lock(&world.ledger).link(Place::Server, dump.rows.iter());
    Ok(())
}

pub(super) fn check(end: &End<'_>) -> Result<()> {
    let ledger = lock(&end.world.ledger);
    let histories = histories(&ledger);
    let mut on_server: HashMap<String, &Row> = HashMap::new();
    for row in end.server.iter().flat_map(|dump| &dump.rows) {
        let name = row
            .remote_id
            .as_deref()
            .context("V6: a row without a name")?;
        on_server.insert(ledger.row_named(row.table, name), row);
    }
    for (name, row) in &on_server {
        let history = histories.get(name);
        let history = history.with_context(|| format!("V2: nobody wrote {}", row.label()))?;
        let above = above(&histories, name);
        let was_deleted = history.deleted() || above.iter().any(|h| h.deleted());
        registers(end, row, history, was_deleted)?;
        let undeleted =
            history.has(Fate::Undeleted) || above.iter().any(|h| h.has(Fate::Undeleted));
        let made_once = history
            .fates
            .iter()
            .filter(|fate| **fate == Fate::Inserted)
            .count()
            == 1;
        // A device whose push of a new row was not answered cannot know that it was taken; once the row's
        // deletion is forgotten, it makes the row anew.
        let other = |(key, _): &(Key, Fate)| {
            key.place == Place::Server && key.id != row.id && ledger.row_of(key) == *name
        };
        let made_anew = end.world.options.garbage && ledger.fates.iter().any(other);
        ensure!(
            !row.live() || !history.deleted() || undeleted || !made_once || made_anew,
            "V12: {} was deleted and came back by itself",
            row.label()
        );
        ensure!(
            row.live()
                || history.deleted()
                || above.iter().any(|h| h.deleted())
                || renamed(end, history),
            "V2: {} was deleted by nobody",
            row.label()
        );
    }
    for (name, history) in &histories {
        let gone = history.deleted() || above(&histories, name).iter().any(|h| h.deleted());
        ensure!(
            gone || on_server.contains_key(name) || renamed(end, history),
            "V2: {name} ({:?}) is lost",
            history.keys
        );
    }
    Ok(())
}

/// Whether part of the row's key was edited: where another row has the new key and the old one can have no
/// suffix, that deletes it.
fn renamed(end: &End<'_>, history: &History<'_>) -> bool {
    let is_name = |write: &&&Write| {
        let tables = end.world.setup.tables.iter();
        let table = tables.clone().find(|table| table.name == write.key.table);
        table.is_some_and(|table| {
            let column = |c: &&Column| c.role == Role::Name && c.group == write.register;
            table.columns.iter().any(|c| column(&c))
        })
    };
    let mut edits = history.writes.iter().filter(|write| write.seen.is_some());
    edits.any(|write| is_name(&write))
}

fn histories(ledger: &Ledger) -> BTreeMap<String, History<'_>> {
    let mut histories: BTreeMap<String, History<'_>> = BTreeMap::new();
    for write in &ledger.writes {
        let history = histories.entry(ledger.row_of(&write.key)).or_default();
        history.writes.push(write);
        history.keys.insert(write.key);
    }
    for (key, fate) in &ledger.fates {
        histories
            .entry(ledger.row_of(key))
            .or_default()
            .fates
            .push(*fate);
    }
    for (child, parent) in &ledger.parents {
        let parent = ledger.row_of(parent);
        histories
            .entry(ledger.row_of(child))
            .or_default()
            .parents
            .insert(parent);
    }
    histories
}

/// The histories of everything a row belongs to.
fn above<'h, 'a>(histories: &'h BTreeMap<String, History<'a>>, name: &str) -> Vec<&'h History<'a>> {
    let mut found = Vec::new();
    let mut seen = HashSet::new();
    let mut open = vec![name];
    while let Some(history) = open.pop().and_then(|name| histories.get(name)) {
        for parent in history
            .parents
            .iter()
            .filter(|parent| seen.insert(parent.as_str()))
        {
            found.extend(histories.get(parent));
            open.push(parent);
        }
    }
    found
}

fn registers(end: &End<'_>, row: &Row, history: &History<'_>, was_deleted: bool) -> Result<()> {
    // An edit of a row whose deletion is forgotten by now is gone, also if somebody else brings the row back.
    // So may be which push of a device with a wrong clock was taken, when it comes again long after.
    let forgotten = end.world.options.garbage && (was_deleted || end.plan.clocks != Clocks::True);
    for (register, columns) in row.table.registers() {
        // References follow other rows' fates; what is merged by its values may be what nobody wrote.
        let column = &row.table.columns[columns[0]];
        let choosing = end
            .world
            .setup
            .choosing
            .contains(&(row.table.name, column.name));
        let edited = matches!(column.role, Role::Free | Role::Name);
        if !edited && !choosing {
            continue;
        }
        let is = value(row, &columns);
        let writes: Vec<&Write> = history
            .writes
            .iter()
            .copied()
            .filter(|write| write.register == register)
            .collect();
        let label = || format!("{} {register} is {is:?}", row.label());
        ensure!(
            writes.iter().any(|write| write.value == is),
            "V2: {}, which nobody wrote",
            label()
        );
        // What a device has seen is known from its pulls. Where a push was answered and no pull followed, only
        // time tells, and a server's clock that jumps leaves nothing to tell by.
        let jumped = |action: &Action| action.what == What::ServerClock;
        if choosing
            || forgotten
            || history.has(Fate::Removed)
            || end.plan.actions.iter().any(jumped)
        {
            continue;
        }
        let overwritten = |write: &&Write| {
            let over = |other: &&Write| {
                other.seen.as_ref() == Some(&write.value) && other.value != write.value
            };
            unique(&writes, &write.value) && writes.iter().any(over)
        };
        ensure!(
            writes
                .iter()
                .filter(|write| write.value == is)
                .any(|write| !overwritten(write)),
            "V2: {}, but that was overwritten: {writes:#?}",
            label()
        );
        if end.plan.clocks == Clocks::True
            && !end.world.late.load(Ordering::SeqCst)
            && let Some(wanted) = latest(&writes)
        {
            ensure!(
                *wanted == is,
                "V2: {}, but the latest write was {wanted:?}: {writes:#?}",
                label()
            );
        }
    }
    Ok(())
}

/// Whether a value was written once only, so that it tells which write it is of.
fn unique(writes: &[&Write], value: &Value) -> bool {
    writes.iter().filter(|write| write.value == *value).count() == 1
}

/// Of two edits made at one moment, on devices and of the same value, the greater value stands.
fn tie<'a>(one: &'a Write, other: &'a Write) -> Option<&'a Write> {
    let on_device = |write: &Write| matches!(write.key.place, Place::Device(_));
    let text = |write: &Write| write.value.len() == 1 && write.value[0].is_some();
    let plain = |write: &Write| on_device(write) && text(write) && write.seen.is_some();
    let tie = plain(one) && plain(other) && one.key.place != other.key.place;
    tie.then(|| if one.value > other.value { one } else { other })
}

/// What has to be there when all clocks are right; none where that cannot be said: of two edits at
/// once, and of one that may have been taken back.
fn latest<'a>(writes: &[&'a Write]) -> Option<&'a Value> {
    let at = writes.iter().map(|write| write.at).max()?;
    let mut last = writes.iter().filter(|write| write.at == at);
    let (write, other) = (last.next()?, last.next());
    let wanted = match other {
        None => write,
        Some(other) => tie(write, other).filter(|_| last.next().is_none())?,
    };
    unique(writes, &wanted.value).then_some(&wanted.value)
}
