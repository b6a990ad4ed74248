//! The Postgres database that becomes the server's.

use std::{collections::HashMap, str::FromStr, sync::Arc};

use futures_util::TryStreamExt;
use sqlx::{
    AssertSqlSafe, ConnectOptions, Connection, Executor, PgConnection, Row,
    postgres::PgConnectOptions,
};
use sync_core::{SystemClock, UuidV7, server::SyncServer};

use super::{
    cell::{Cell, Sum},
    plan::{Table, TargetColumn, TargetTable},
};
use crate::{Config, Error, db};

/// Where it is noted what was copied. It is there as long as an import is not done.
pub(super) const NOTES: &str = "server_import";

/// Tables that a new database has rows in, which give way to those of the source.
const MADE_ANEW: [(&str, i64); 3] = [("addons", 1), ("server_setting", 1), ("sync_server", 1)];

/// What a table of the source holds.
#[derive(Clone, Debug)]
pub(super) struct Noted {
    pub(super) table: String,
    pub(super) sum: Sum,
}

pub(super) struct Target {
    connection: PgConnection,
}

impl Target {
    /// Brings the database's schema up to date and connects to it alone.
    ///
    /// # Errors
    /// If a server is running on it.
    pub(super) async fn prepare(config: &Config) -> Result<Self, Error> {
        let options = PgConnectOptions::from_str(&config.database_url)
            .map_err(failed)?
            .application_name("zentrio-server import");
        let mut connection = options.connect().await.map_err(failed)?;
        let others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
                      AND application_name LIKE 'zentrio-server%' AND pid <> pg_backend_pid()";
        let others: i64 = sqlx::query_scalar(others)
            .fetch_one(&mut connection)
            .await
            .map_err(failed)?;
        if others > 0 {
            return Err(Error::Import(
                "a server is running on the target: stop it first".to_owned(),
            ));
        }
        install(config).await?;
        Ok(Self { connection })
    }

    /// The database's tables, with all that is known of their types and foreign keys.
    pub(super) async fn tables(&mut self) -> Result<Vec<TargetTable>, Error> {
        let sql = "SELECT c.table_name::text, c.column_name::text, c.data_type::text, c.is_identity = 'YES'
                   FROM information_schema.columns c JOIN information_schema.tables t
                     ON t.table_schema = c.table_schema AND t.table_name = c.table_name AND t.table_type = 'BASE TABLE'
                   WHERE c.table_schema = current_schema() ORDER BY c.table_name, c.ordinal_position";
        let columns: Vec<(String, String, String, bool)> = sqlx::query_as(sql)
            .fetch_all(&mut self.connection)
            .await
            .map_err(failed)?;
        let sql = "SELECT c.relname::text, p.relname::text FROM pg_constraint f
                   JOIN pg_class c ON c.oid = f.conrelid JOIN pg_class p ON p.oid = f.confrelid
                   JOIN pg_namespace n ON n.oid = c.relnamespace
                   WHERE f.contype = 'f' AND n.nspname = current_schema()";
        let references: Vec<(String, String)> = sqlx::query_as(sql)
            .fetch_all(&mut self.connection)
            .await
            .map_err(failed)?;
        let mut tables: Vec<TargetTable> = Vec::new();
        for (table, name, data_type, is_identity) in columns {
            if tables.last().is_none_or(|last| last.name != table) {
                let of_table = references.iter().filter(|(child, _)| *child == table);
                tables.push(TargetTable {
                    parents: of_table.map(|(_, parent)| parent.clone()).collect(),
                    name: table,
                    columns: Vec::new(),
                });
            }
            if let Some(table) = tables.last_mut() {
                table.columns.push(TargetColumn {
                    name,
                    data_type,
                    is_identity,
                });
            }
        }
        Ok(tables)
    }

    /// Begins an import, or goes on with one; whether it goes on.
    ///
    /// # Errors
    /// If the database has data already, or half of another source's.
    pub(super) async fn begin(&mut self, noted: &[Noted]) -> Result<bool, Error> {
        let exists = format!("SELECT to_regclass('{NOTES}') IS NOT NULL");
        let exists: bool = sqlx::query_scalar(AssertSqlSafe(exists))
            .fetch_one(&mut self.connection)
            .await
            .map_err(failed)?;
        match exists {
            true => self.check_same(noted).await.map(|()| true),
            false => self.begin_anew(noted).await.map(|()| false),
        }
    }

    async fn check_same(&mut self, noted: &[Noted]) -> Result<(), Error> {
        let sql = format!("SELECT tbl, n_rows, sum FROM {NOTES}");
        let before: Vec<(String, i64, String)> = sqlx::query_as(AssertSqlSafe(sql))
            .fetch_all(&mut self.connection)
            .await
            .map_err(failed)?;
        let before: HashMap<String, (u64, String)> = before
            .into_iter()
            .map(|(table, rows, sum)| (table, (rows.unsigned_abs(), sum)))
            .collect();
        let changed = noted
            .iter()
            .find(|noted| before.get(&noted.table) != Some(&(noted.sum.rows, noted.sum.text())));
        match changed {
            None if before.len() == noted.len() => Ok(()),
            _ => Err(Error::Import(format!(
                "the target holds a half-done import of something else, or the source has changed since ({}): \
                 empty the target and begin again",
                changed.map_or("tables", |noted| &noted.table)
            ))),
        }
    }

    async fn begin_anew(&mut self, noted: &[Noted]) -> Result<(), Error> {
        let mut tx = self.connection.begin().await.map_err(failed)?;
        let create = format!(
            "CREATE TABLE {NOTES} (tbl TEXT PRIMARY KEY, n_rows BIGINT NOT NULL, sum TEXT NOT NULL, n_copied BIGINT NOT NULL)"
        );
        tx.execute(AssertSqlSafe(create)).await.map_err(failed)?;
        for Noted { table, sum } in noted {
            let count = format!("SELECT count(*) FROM {}", quoted(table));
            let n: i64 = sqlx::query_scalar(AssertSqlSafe(count))
                .fetch_one(&mut *tx)
                .await
                .map_err(failed)?;
            let may_have = MADE_ANEW.iter().find(|(name, _)| name == table);
            if n > may_have.map_or(0, |(_, most)| *most) {
                return Err(Error::Import(format!(
                    "the target has data already ({n} rows in {table}): give a database that nobody has used"
                )));
            }
            let note =
                format!("INSERT INTO {NOTES} (tbl, n_rows, sum, n_copied) VALUES ($1, $2, $3, 0)");
            sqlx::query(AssertSqlSafe(note))
                .bind(table)
                .bind(sum.rows.cast_signed())
                .bind(sum.text())
                .execute(&mut *tx)
                .await
                .map_err(failed)?;
        }
        tx.commit().await.map_err(failed)
    }

    /// How many rows of a table were copied before.
    pub(super) async fn copied(&mut self, table: &Table) -> Result<u64, Error> {
        let sql = format!("SELECT n_copied FROM {NOTES} WHERE tbl = $1");
        let n: i64 = sqlx::query_scalar(AssertSqlSafe(sql))
            .bind(&table.name)
            .fetch_one(&mut self.connection)
            .await
            .map_err(failed)?;
        Ok(n.unsigned_abs())
    }

    /// Writes rows and notes that in the same transaction; how many are copied now.
    pub(super) async fn write(
        &mut self,
        table: &Table,
        rows: &[Vec<Cell>],
        copied: u64,
    ) -> Result<u64, Error> {
        let now = copied + rows.len() as u64;
        let mut tx = self.connection.begin().await.map_err(failed)?;
        // Not an edit: what it was at the source is in the feed already.
        tx.execute("SET LOCAL sync.applying = 'on'")
            .await
            .map_err(failed)?;
        if copied == 0 && MADE_ANEW.iter().any(|(name, _)| *name == table.name) {
            let delete = format!("DELETE FROM {}", quoted(&table.name));
            tx.execute(AssertSqlSafe(delete)).await.map_err(failed)?;
        }
        let mut insert = sqlx::query(AssertSqlSafe(insert_sql(table)));
        for index in 0..table.columns.len() {
            let column: Vec<Option<String>> = rows.iter().map(|row| row[index].text()).collect();
            insert = insert.bind(column);
        }
        insert.execute(&mut *tx).await.map_err(|error| {
            let n = rows.len();
            Error::Import(format!(
                "the target does not take rows of {} ({n} behind the first {copied}): {error}",
                table.name
            ))
        })?;
        let note = format!("UPDATE {NOTES} SET n_copied = $1 WHERE tbl = $2 AND n_copied = $3");
        let noted = sqlx::query(AssertSqlSafe(note))
            .bind(now.cast_signed())
            .bind(&table.name)
            .bind(copied.cast_signed())
            .execute(&mut *tx)
            .await
            .map_err(failed)?;
        if noted.rows_affected() != 1 {
            return Err(Error::Import(
                "another import into this target is under way".to_owned(),
            ));
        }
        tx.commit().await.map_err(failed)?;
        Ok(now)
    }

    /// What the table holds now.
    pub(super) async fn sum(&mut self, table: &Table) -> Result<Sum, Error> {
        let columns: Vec<String> = table
            .columns
            .iter()
            .map(|(name, kind)| kind.read_sql(&quoted(name)))
            .collect();
        let sql = format!("SELECT {} FROM {}", columns.join(", "), quoted(&table.name));
        let mut rows = sqlx::query(AssertSqlSafe(sql)).fetch(&mut self.connection);
        let mut sum = Sum::default();
        while let Some(row) = rows.try_next().await.map_err(failed)? {
            let mut cells = Vec::with_capacity(table.columns.len());
            for (index, (name, kind)) in table.columns.iter().enumerate() {
                let text: Option<String> = row.try_get(index).map_err(failed)?;
                let cell = Cell::read_back(*kind, text).map_err(|_| {
                    Error::Import(format!("column {}.{name} cannot be read back", table.name))
                })?;
                cells.push(cell);
            }
            sum.add(&cells);
        }
        Ok(sum)
    }

    /// Lets the database count on from where the source was, and servers start on it.
    pub(super) async fn finish(
        &mut self,
        tables: &[Table],
        sequences: &HashMap<String, i64>,
    ) -> Result<(), Error> {
        let mut tx = self.connection.begin().await.map_err(failed)?;
        for table in tables {
            let Some(identity) = &table.identity else {
                continue;
            };
            let sql = format!(
                "SELECT setval(pg_get_serial_sequence($1, $2),
                   greatest((SELECT max({}) FROM {}), $3, 1), greatest((SELECT max({}) FROM {}), $3) >= 1)",
                quoted(identity),
                quoted(&table.name),
                quoted(identity),
                quoted(&table.name)
            );
            sqlx::query(AssertSqlSafe(sql))
                .bind(quoted(&table.name))
                .bind(identity)
                .bind(sequences.get(&table.name).copied().unwrap_or_default())
                .execute(&mut *tx)
                .await
                .map_err(failed)?;
        }
        let drop = format!("DROP TABLE {NOTES}");
        tx.execute(AssertSqlSafe(drop)).await.map_err(failed)?;
        tx.commit().await.map_err(failed)
    }
}

async fn install(config: &Config) -> Result<(), Error> {
    let db = db::open(config).await?;
    migration::up(&db.write, migration::Side::Server).await?;
    let registry = entity::registry().map_err(sea_orm::DbErr::from)?;
    let sync = SyncServer::new(
        db.clone(),
        registry,
        Arc::new(SystemClock),
        Arc::new(UuidV7),
    );
    sync.install().await?;
    Ok(db.write.close_by_ref().await?)
}

/// Column by column as texts, which Postgres turns into each column's type.
fn insert_sql(table: &Table) -> String {
    let columns: Vec<String> = table.columns.iter().map(|(name, _)| quoted(name)).collect();
    let values: Vec<String> = (1..)
        .zip(&table.columns)
        .map(|(number, (_, kind))| format!("c{number}::{}", kind.sql_type()))
        .collect();
    let arrays: Vec<String> = (1..=columns.len())
        .map(|n| format!("${n}::text[]"))
        .collect();
    let names: Vec<String> = (1..=columns.len()).map(|n| format!("c{n}")).collect();
    format!(
        "INSERT INTO {} ({}) SELECT {} FROM unnest({}) AS u({})",
        quoted(&table.name),
        columns.join(", "),
        values.join(", "),
        arrays.join(", "),
        names.join(", ")
    )
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn failed(error: sqlx::Error) -> Error {
    Error::Import(format!("the target failed: {error}"))
}
