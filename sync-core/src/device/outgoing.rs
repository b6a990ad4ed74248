//! Rows with pending changes, made ready to be sent.

use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr, ModelTrait, Statement, Value};
use serde_json::value::{RawValue, to_raw_value};
use std::collections::BTreeMap;

use super::Withheld;
use crate::{
    bulk::CHUNK,
    db_error::is_unreadable,
    protocol::PushRow,
    shape::{DELETED_AT, EVERY_REGISTER},
    syncable::Syncable,
    table::Table,
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
    },
    /// There is nothing to tell the server: it is gone, or was deleted before it was ever sent.
    Forget { row_id: i64 },
    /// It waits: what it refers to is not on the server.
    Hold,
    /// It cannot be read: a column holds what its type cannot.
    Unreadable { row_id: i64, reason: String },
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
        let names = self.names(tx, models.values()).await?;
        let mut named = Vec::new();
        let mut outgoing = Vec::with_capacity(wanted.len());
        for wanted in wanted {
            let row_id = wanted.row_id;
            if let Some(reason) = unreadable.get(&row_id) {
                outgoing.push(Outgoing::Unreadable {
                    row_id,
                    reason: reason.clone(),
                });
                continue;
            }
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
            let references: Vec<Option<i64>> = (0..self.targets.len())
                .map(|n| E::reference_id(&model, n).filter(|_| !self.is_withheld(n, withheld)))
                .collect();
            if let Some(column) = self.no_number(&model) {
                let reason = format!("`{column}` holds no number that can be sent");
                outgoing.push(Outgoing::Unreadable { row_id, reason });
                continue;
            }
            let mut row = Self::known_part(withheld, E::to_wire(model, &names));
            let mut changed = wanted.changed.clone();
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
            });
        }
        name_rows(tx, E::SHAPE.table, E::SHAPE.id, &named).await?;
        Ok(outgoing)
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

    /// One bad value fails a whole `SELECT`: then each row is read alone.
    pub(crate) async fn load_readable(
        &self,
        tx: &DatabaseTransaction,
        ids: &[i64],
    ) -> Result<
        (
            std::collections::HashMap<i64, E::Model>,
            BTreeMap<i64, String>,
        ),
        DbErr,
    > {
        let mut unreadable = BTreeMap::new();
        match self.load(tx, ids, false).await {
            Ok(models) => return Ok((models, unreadable)),
            Err(error) if !is_unreadable(&error) => return Err(error),
            Err(_) => {}
        }
        let mut models = std::collections::HashMap::new();
        for &id in ids {
            match self.load(tx, &[id], false).await {
                Ok(found) => models.extend(found),
                Err(error) if is_unreadable(&error) => {
                    unreadable.insert(id, error.to_string());
                }
                Err(error) => return Err(error),
            }
        }
        Ok((models, unreadable))
    }

    /// A column with an infinity, or with no number at all, which JSON cannot carry.
    fn no_number(&self, model: &E::Model) -> Option<&'static str> {
        let infinite = |value: Value| match value {
            Value::Double(Some(number)) => !number.is_finite(),
            Value::Float(Some(number)) => !number.is_finite(),
            _ => false,
        };
        self.fractions
            .iter()
            .find(|name| infinite(model.get(Self::column(name))))
            .copied()
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
