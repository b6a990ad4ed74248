//! Versions drift: what the server does not know of this program's tables is not sent, and what a table was
//! fetched with is remembered, so that what was gained since can be fetched.

use std::collections::{BTreeMap, BTreeSet};

use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr, Statement};

use super::{State, state::execute};
use crate::{
    protocol::ServerSchema,
    registry::{Registered, Registry},
    schema::{quoted, text},
    shape::{EVERY_REGISTER, Shape},
};

/// What of a table is not sent: it stays pending until the server knows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Withheld {
    /// Whether the server does not know the table.
    pub(super) table: bool,
    /// The registers of which it does not know every column.
    pub(crate) registers: Vec<&'static str>,
}

/// Tables with columns.
pub(super) type Columns = BTreeMap<String, BTreeSet<String>>;

impl Withheld {
    /// A server that has not told what it knows is believed to know all.
    pub(super) fn of(shape: &Shape, server: Option<&ServerSchema>) -> Self {
        let Some(server) = server else {
            return Self::default();
        };
        let Some(known) = server.tables.get(shape.table) else {
            return Self {
                table: true,
                registers: Vec::new(),
            };
        };
        let is_unknown = |column: &&str| !known.iter().any(|known| known == column);
        let registers = shape.registers.iter();
        let unknown = registers.filter(|register| register.columns.iter().any(is_unknown));
        Self {
            table: false,
            registers: unknown.map(|register| register.name).collect(),
        }
    }

    /// These registers too.
    pub(super) fn and(&self, registers: &[&'static str]) -> Self {
        let mut both = self.clone();
        both.registers.extend(registers);
        both
    }

    /// A condition that leaves its registers out of pending changes, or nothing.
    pub(super) fn left_out(&self) -> String {
        if self.registers.is_empty() {
            return String::new();
        }
        let names: Vec<String> = self.registers.iter().map(|name| text(name)).collect();
        format!(" AND register NOT IN ({})", names.join(", "))
    }
}

/// Rows that go out whole go without what is withheld: that is noted as pending for itself, as edited just
/// after the row, or else the server would take its own default for the later one.
pub(super) async fn hold_back(
    tx: &DatabaseTransaction,
    shape: &Shape,
    withheld: &Withheld,
) -> Result<(), DbErr> {
    let (table, id) = (quoted(shape.table), quoted(shape.id));
    for register in shape.registers {
        if !withheld.registers.contains(&register.name) {
            continue;
        }
        let columns = register.columns.iter();
        let set: Vec<String> = columns
            .map(|column| format!("t.{} IS NOT NULL", quoted(column)))
            .collect();
        let sql = format!(
            "INSERT INTO sync_pending (tbl, row_id, register, base, edited_at, edits, sent)
             SELECT p.tbl, p.row_id, $2, NULL, p.edited_at + 1, 1, 0 FROM sync_pending p
             JOIN {table} t ON t.{id} = p.row_id
             WHERE p.tbl = $1 AND p.register = '{EVERY_REGISTER}' AND ({})
             ON CONFLICT (tbl, row_id, register) DO UPDATE SET edited_at = max(edited_at, excluded.edited_at)",
            set.join(" OR ")
        );
        execute(tx, &sql, vec![shape.table.into(), register.name.into()]).await?;
    }
    Ok(())
}

impl State {
    /// What the server syncs, as it last told.
    pub(super) fn server(&self) -> Option<ServerSchema> {
        serde_json::from_str(self.server_schema.as_deref()?).ok()
    }
}

/// Takes note of what the server syncs now. What it did not take because it did not know it is tried again:
/// how many rows that are. What it knows no longer will have to be fetched when it does again.
pub(super) async fn note_server(
    tx: &DatabaseTransaction,
    registry: &Registry,
    server: &ServerSchema,
) -> Result<u64, DbErr> {
    let json = serde_json::to_string(server).map_err(|e| DbErr::Json(e.to_string()))?;
    execute(
        tx,
        "UPDATE sync_state SET server_schema = $1",
        vec![json.into()],
    )
    .await?;
    let wanted = wanted(registry, Some(server));
    for (table, mut columns) in fetched(tx).await? {
        let known = wanted.get(&table).cloned().unwrap_or_default();
        let before = columns.len();
        columns.retain(|column| known.contains(column));
        if columns.len() < before {
            save_fetched(tx, &table, &columns).await?;
        }
    }
    let sql = "DELETE FROM sync_rejected
               WHERE code IN ('unknown_column', 'unknown_table', 'unknown_parent', 'parent_rejected')";
    Ok(tx.execute_unprepared(sql).await?.rows_affected())
}

/// Whether nothing was fetched yet.
pub(super) fn is_beginning(cursor: Option<&str>) -> bool {
    cursor.is_none_or(|cursor| cursor == "0")
}

/// The feed is fetched from its beginning: up to where that has come, with all that both ends know.
pub(super) async fn begin_fetching(
    tx: &DatabaseTransaction,
    registry: &Registry,
    server: Option<&ServerSchema>,
) -> Result<(), DbErr> {
    execute(tx, "DELETE FROM sync_fetched", vec![]).await?;
    for (table, columns) in wanted(registry, server) {
        save_fetched(tx, &table, &columns).await?;
    }
    let sql = "UPDATE sync_state SET refetch_of = NULL, refetch_cursor = NULL WHERE refetch_of IS NOT NULL";
    execute(tx, sql, vec![]).await
}

/// Tables of which not all was fetched that both ends know, with all of it.
pub(super) async fn gained<C: ConnectionTrait>(
    db: &C,
    registry: &Registry,
    server: Option<&ServerSchema>,
) -> Result<Columns, DbErr> {
    let fetched = fetched(db).await?;
    let mut wanted = wanted(registry, server);
    wanted.retain(|table, columns| {
        !fetched
            .get(table)
            .is_some_and(|fetched| columns.is_subset(fetched))
    });
    Ok(wanted)
}

/// Keeps with which columns a table was fetched.
pub(super) async fn save_fetched<C: ConnectionTrait>(
    tx: &C,
    table: &str,
    columns: &BTreeSet<String>,
) -> Result<(), DbErr> {
    let sql = "INSERT INTO sync_fetched (tbl, columns) VALUES ($1, $2)
               ON CONFLICT (tbl) DO UPDATE SET columns = excluded.columns";
    let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
    execute(tx, sql, vec![table.into(), columns.join(",").into()]).await
}

fn wanted(registry: &Registry, server: Option<&ServerSchema>) -> Columns {
    let columns = |registered: &Registered| {
        let shape = registered.shape;
        let known = match server {
            Some(server) => Some(server.tables.get(shape.table)?),
            None => None,
        };
        let both = shape
            .columns()
            .filter(|column| known.is_none_or(|known| known.iter().any(|known| known == column)));
        Some((shape.table.to_owned(), both.map(str::to_owned).collect()))
    };
    registry.tables().iter().filter_map(columns).collect()
}

async fn fetched<C: ConnectionTrait>(db: &C) -> Result<Columns, DbErr> {
    let sql = "SELECT tbl, columns FROM sync_fetched";
    let statement = Statement::from_string(db.get_database_backend(), sql);
    let rows = db.query_all_raw(statement).await?;
    let read = rows.iter().map(|row| {
        let columns: String = row.try_get("", "columns")?;
        let columns = columns.split(',').filter(|column| !column.is_empty());
        Ok((
            row.try_get("", "tbl")?,
            columns.map(str::to_owned).collect(),
        ))
    });
    read.collect()
}
