//! Rows with pending changes, made ready to be sent.

use std::collections::{BTreeMap, HashMap};

use sea_orm::{ColumnTrait, ConnectionTrait, DatabaseTransaction, DbErr, Statement, Value};
use serde_json::value::{RawValue, to_raw_value};

use super::Withheld;
use crate::{
    bulk::CHUNK,
    protocol::PushRow,
    shape::{DELETED_AT, EVERY_REGISTER},
    syncable::Syncable,
    table::Table,
    unreadable::{Fault, Unreadable},
    wire::{Field, WireRow},
};

/// A row with pending changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) row_id: i64,
    /// When each pending register was last edited, by the device's clock.
    pub(crate) changed: BTreeMap<String, i64>,
    /// How far the device had pulled when it first edited a register, where it has pulled more since.
    pub(crate) cursors: BTreeMap<String, String>,
    /// The name it gets, should it have none yet.
    pub(crate) new_name: String,
}

/// What becomes of it.
#[derive(Debug)]
pub(crate) enum Outgoing {
    /// It is to be sent.
    Ready {
        row_id: i64,
        remote_id: String,
        json: Box<RawValue>,
        /// What of it stays here, because it cannot be read.
        kept: Option<Kept>,
    },
    /// There is nothing to tell the server: it is gone, or was deleted before it was ever sent.
    Forget { row_id: i64 },
    /// It waits: what it refers to is not on the server.
    Hold,
    /// It cannot be read: a column holds what its type cannot.
    Unreadable { row_id: i64, fault: Fault },
}

/// What of a row cannot be sent while all else is.
#[derive(Debug)]
pub(crate) struct Kept {
    pub(crate) fault: Fault,
    /// The registers at fault, and columns at fault that are in none.
    pub(crate) registers: Vec<&'static str>,
}

impl<E: Syncable> Table<E> {
    pub(crate) async fn outgoing_rows(
        &self,
        tx: &DatabaseTransaction,
        wanted: &[Wanted],
        withheld: &Withheld,
    ) -> Result<Vec<Outgoing>, DbErr> {
        let ids: Vec<i64> = wanted.iter().map(|w| w.row_id).collect();
        let (mut models, unreadable) = self.load_readable(tx, &ids).await?;
        let mut partly = self.partly(unreadable, &mut models);
        let names = self.names(tx, models.values()).await?;
        let mut named = Vec::new();
        let mut outgoing = Vec::with_capacity(wanted.len());
        for wanted in wanted {
            let row_id = wanted.row_id;
            let kept = partly.remove(&row_id);
            let mut changed = wanted.changed.clone();
            let left_out = kept.as_ref().map_or(&[][..], |kept| &kept.registers);
            changed.retain(|register, _| !left_out.contains(&register.as_str()));
            let kept = match kept {
                Some(Kept { fault, .. }) if changed.is_empty() || !models.contains_key(&row_id) => {
                    outgoing.push(Outgoing::Unreadable { row_id, fault });
                    continue;
                }
                kept => kept,
            };
            let Some(model) = models.remove(&row_id) else {
                outgoing.push(Outgoing::Forget { row_id });
                continue;
            };
            let meta = E::meta(&model);
            let known = meta.remote_id.map(str::to_owned);
            if known.is_none() && meta.deleted_at.is_some() {
                outgoing.push(Outgoing::Forget { row_id });
                continue;
            }
            if kept.is_none() && only_kept_columns(&changed) {
                // What could not be read is put right, and nothing else was edited.
                outgoing.push(Outgoing::Forget { row_id });
                continue;
            }
            let withheld = &withheld.and(kept.as_ref().map_or(&[], |kept| &kept.registers));
            let references: Vec<Option<i64>> = (0..self.targets.len())
                .map(|n| E::reference_id(&model, n).filter(|_| !self.is_withheld(n, withheld)))
                .collect();
            let mut row = Self::known_part(withheld, E::to_wire(model, &names));
            if !resolved(&row, &references) {
                if row.deleted_at().is_none() {
                    outgoing.push(Outgoing::Hold);
                    continue;
                }
                self.leave_unresolved(&mut row, &references, &mut changed);
            }
            let remote_id = known.clone().unwrap_or_else(|| wanted.new_name.clone());
            if known.is_none() {
                named.push((row_id, remote_id.clone()));
            }
            let cursors = wanted.cursors.clone();
            let json = self.push_row(&remote_id, row, known.is_none(), changed, cursors)?;
            outgoing.push(Outgoing::Ready {
                row_id,
                remote_id,
                json,
                kept,
            });
        }
        name_rows(tx, E::SHAPE.table, E::SHAPE.id, &named).await?;
        Ok(outgoing)
    }

    /// Adds to `models` rows of which a part can be sent, and tells what of them, or of whole rows, cannot.
    fn partly(
        &self,
        unreadable: BTreeMap<i64, Unreadable<E::Model>>,
        models: &mut HashMap<i64, E::Model>,
    ) -> HashMap<i64, Kept> {
        let mut partly = HashMap::with_capacity(unreadable.len());
        for (row_id, Unreadable { fault, rest }) in unreadable {
            let is_new = |model: &E::Model| E::meta(model).remote_id.is_none();
            let sendable = rest.filter(|rest| {
                let mut columns = fault.columns.iter();
                columns.all(|column| self.can_stay_here(column, is_new(rest)))
            });
            let registers = fault.columns.iter().map(|column| {
                let register = E::SHAPE.register_of(column);
                register.map_or(*column, |number| E::SHAPE.registers[number].name)
            });
            let registers = registers.collect();
            models.extend(sendable.map(|model| (row_id, model)));
            partly.insert(row_id, Kept { fault, registers });
        }
        partly
    }

    /// Whether a row means the same without this column: what it is, whose, and whether it is deleted, does
    /// not depend on it, and a new row can do without.
    fn can_stay_here(&self, column: &'static str, is_new: bool) -> bool {
        let shape = &E::SHAPE;
        let mut keys = shape.natural_keys.iter();
        let tells_what_it_is = keys.any(|key| key.contains(&column))
            || shape.lookup_of(column).is_some()
            || [shape.id, DELETED_AT, "remote_id"].contains(&column)
            || shape.owner == Some(column)
            || self
                .targets
                .iter()
                .any(|target| target.parent && target.column == column);
        let Some(register) = shape.register_of(column) else {
            return !tells_what_it_is;
        };
        let mut columns = shape.registers[register].columns.iter();
        let nullable = |name: &&str| Self::column(name).def().is_null();
        !tells_what_it_is && (!is_new || columns.all(nullable))
    }

    /// The row without what the server does not know.
    fn known_part(withheld: &Withheld, row: E::Wire) -> E::Wire {
        if withheld.registers.is_empty() {
            return row;
        }
        let mut part = E::Wire::default();
        let registers = E::SHAPE.registers.iter().enumerate();
        registers
            .filter(|(_, register)| !withheld.registers.contains(&register.name))
            .for_each(|(number, _)| part.take(number, &row));
        part
    }

    fn is_withheld(&self, reference: usize, withheld: &Withheld) -> bool {
        let register = E::SHAPE.register_of(self.targets[reference].column);
        register.is_some_and(|number| {
            withheld
                .registers
                .contains(&E::SHAPE.registers[number].name)
        })
    }

    /// A deleted row that was moved to one the server never had: that it is deleted is all there is to say.
    fn leave_unresolved(
        &self,
        row: &mut E::Wire,
        references: &[Option<i64>],
        changed: &mut BTreeMap<String, i64>,
    ) {
        if let Some(at) = changed.remove(EVERY_REGISTER) {
            changed.entry(DELETED_AT.to_owned()).or_insert(at);
        }
        for (number, target) in self.targets.iter().enumerate() {
            let found = matches!(row.reference(number), Field::Present(Some(_)));
            if references[number].is_some() && !found {
                *row.reference_mut(number) = Field::Absent;
                if let Some(register) = E::SHAPE.register_of(target.column) {
                    changed.remove(E::SHAPE.registers[register].name);
                }
            }
        }
    }

    /// Only what changed travels, so that a column this device does not know cannot be erased.
    fn push_row(
        &self,
        remote_id: &str,
        row: E::Wire,
        new: bool,
        mut changed: BTreeMap<String, i64>,
        mut cursors: BTreeMap<String, String>,
    ) -> Result<Box<RawValue>, DbErr> {
        if new && !changed.contains_key(EVERY_REGISTER) {
            let first = changed.values().copied().min().unwrap_or_default();
            changed.insert(EVERY_REGISTER.to_owned(), first);
        }
        let row = if changed.contains_key(EVERY_REGISTER) {
            row
        } else {
            let mut patch = E::Wire::default();
            let registers = changed.keys().filter_map(|name| E::SHAPE.register(name));
            registers.for_each(|register| patch.take(register, &row));
            patch
        };
        // Registers of another version of the program are not known to this one, nor to its row.
        changed.retain(|name, _| name == EVERY_REGISTER || E::SHAPE.register(name).is_some());
        cursors.retain(|name, _| !new && changed.contains_key(name));
        let row = PushRow {
            remote_id: remote_id.to_owned(),
            changed,
            cursors,
            row,
        };
        to_raw_value(&row).map_err(|e| DbErr::Json(e.to_string()))
    }
}

/// Whether nothing is pending but columns that travel in no register.
fn only_kept_columns(changed: &BTreeMap<String, i64>) -> bool {
    let kept = ["updated_at", "dirty"];
    !changed.is_empty() && changed.keys().all(|name| kept.contains(&name.as_str()))
}

/// Whether every foreign key that is set found the name of its row.
fn resolved<W: WireRow>(row: &W, references: &[Option<i64>]) -> bool {
    let found = |number: usize| matches!(row.reference(number), Field::Present(Some(_)));
    references
        .iter()
        .enumerate()
        .all(|(number, id)| id.is_none() || found(number))
}

/// Keeps the names that rows got, before they are sent.
async fn name_rows(
    tx: &DatabaseTransaction,
    table: &str,
    id: &str,
    named: &[(i64, String)],
) -> Result<(), DbErr> {
    for named in named.chunks(CHUNK) {
        let rows: Vec<String> = (0..named.len())
            .map(|n| format!("(${}, ${})", n * 2 + 1, n * 2 + 2))
            .collect();
        let sql = format!(
            "UPDATE \"{table}\" SET remote_id = named.column2 FROM (VALUES {}) AS named WHERE \"{table}\".\"{id}\" = named.column1",
            rows.join(", ")
        );
        let values: Vec<Value> = named
            .iter()
            .flat_map(|(id, name)| [Value::from(*id), Value::from(name.as_str())])
            .collect();
        tx.execute_raw(Statement::from_sql_and_values(
            tx.get_database_backend(),
            sql,
            values,
        ))
        .await?;
    }
    Ok(())
}
