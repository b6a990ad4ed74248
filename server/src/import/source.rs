//! The SQLite file that is moved, locked so that nobody else has it meanwhile.

use std::{collections::HashMap, str::FromStr, time::Duration};

use futures_util::TryStreamExt;
use sqlx::{
    AssertSqlSafe, ConnectOptions, Connection, Decode, Executor, Row, Sqlite, TypeInfo, Value,
    ValueRef,
    sqlite::{SqliteConnectOptions, SqliteConnection, SqliteLockingMode, SqliteRow},
};

use super::{
    cell::{Cell, Raw},
    plan::{Plan, SourceTable, Table},
};
use crate::Error;

/// How long is waited for a program that is just closing the file.
const BUSY: Duration = Duration::from_secs(2);
/// Most values that are named which do not fit.
const MOST_NAMED: usize = 10;

pub(super) struct Source {
    connection: SqliteConnection,
}

impl Source {
    /// Opens the file for nobody else to use.
    ///
    /// # Errors
    /// If another program has it open.
    pub(super) async fn lock(url: &str) -> Result<Self, Error> {
        let options = SqliteConnectOptions::from_str(url)
            .map_err(failed)?
            .locking_mode(SqliteLockingMode::Exclusive)
            .busy_timeout(BUSY);
        let in_use = |error: sqlx::Error| {
            let code = error.as_database_error().and_then(|error| error.code());
            match code.and_then(|code| code.parse::<u32>().ok()) {
                Some(code) if matches!(code & 0xff, 5 | 6) => Error::Import(
                    "another program has the source open: stop the servers on it, and what else writes it"
                        .to_owned(),
                ),
                _ => failed(error),
            }
        };
        let mut connection = options.connect().await.map_err(in_use)?;
        connection
            .execute("BEGIN IMMEDIATE")
            .await
            .map_err(in_use)?;
        Ok(Self { connection })
    }

    /// The file's tables.
    pub(super) async fn tables(&mut self) -> Result<Vec<SourceTable>, Error> {
        let sql = "SELECT name, wr FROM pragma_table_list
                   WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name";
        let rows = sqlx::query(sql)
            .fetch_all(&mut self.connection)
            .await
            .map_err(failed)?;
        let mut tables = Vec::new();
        for row in rows {
            let (name, without_rowid): (String, bool) = (get(&row, 0)?, get(&row, 1)?);
            tables.push(self.table(name, without_rowid).await?);
        }
        Ok(tables)
    }

    async fn table(&mut self, name: String, without_rowid: bool) -> Result<SourceTable, Error> {
        let sql = "SELECT name, pk FROM pragma_table_info($1) ORDER BY cid";
        let rows = sqlx::query(sql)
            .bind(&name)
            .fetch_all(&mut self.connection)
            .await
            .map_err(failed)?;
        let mut columns = Vec::new();
        let mut key: Vec<(i64, String)> = Vec::new();
        for row in rows {
            let (column, place): (String, i64) = (get(&row, 0)?, get(&row, 1)?);
            if place > 0 {
                key.push((place, quoted(&column)));
            }
            columns.push(column);
        }
        key.sort();
        let key: Vec<String> = key.into_iter().map(|(_, column)| column).collect();
        Ok(SourceTable {
            name,
            columns,
            order_by: if without_rowid {
                key.join(", ")
            } else {
                "rowid".to_owned()
            },
        })
    }

    /// How many rows are to be copied.
    pub(super) async fn count(&mut self, plan: &Plan) -> Result<u64, Error> {
        let mut count = 0;
        for table in &plan.tables {
            let sql = format!("SELECT count(*) FROM {}", quoted(&table.name));
            let row = sqlx::query(AssertSqlSafe(sql))
                .fetch_one(&mut self.connection)
                .await
                .map_err(failed)?;
            count += get::<i64>(&row, 0)?.unsigned_abs();
        }
        Ok(count)
    }

    /// Refuses rows that refer to rows which are not there: Postgres does not take them.
    pub(super) async fn check_references(&mut self, plan: &Plan) -> Result<(), Error> {
        let rows = sqlx::query("PRAGMA foreign_key_check")
            .fetch_all(&mut self.connection)
            .await
            .map_err(failed)?;
        let mut broken = Vec::new();
        for row in &rows {
            let (table, id, parent): (String, Option<i64>, String) =
                (get(row, 0)?, get(row, 1)?, get(row, 2)?);
            if plan.tables.iter().any(|planned| planned.name == table) {
                broken.push(format!("{table} {} -> {parent}", id.unwrap_or_default()));
            }
        }
        if broken.is_empty() {
            return Ok(());
        }
        let n = broken.len();
        broken.truncate(MOST_NAMED);
        Err(Error::Import(format!(
            "{n} rows of the source refer to rows that are not there; correct or delete them first: {}",
            broken.join(", ")
        )))
    }

    /// Hands over each row behind the first `skip` ones; how many texts lost something.
    pub(super) async fn each(
        &mut self,
        table: &Table,
        skip: u64,
        mut take: impl AsyncFnMut(Vec<Cell>) -> Result<(), Error>,
    ) -> Result<u64, Error> {
        let columns: Vec<String> = table.columns.iter().map(|(name, _)| quoted(name)).collect();
        let sql = format!(
            "SELECT {} FROM {} ORDER BY {} LIMIT -1 OFFSET {skip}",
            columns.join(", "),
            quoted(&table.name),
            table.order_by
        );
        let mut rows = sqlx::query(AssertSqlSafe(sql)).fetch(&mut self.connection);
        let (mut n_altered, mut unfit, mut number) = (0, Vec::new(), skip);
        while let Some(row) = rows.try_next().await.map_err(failed)? {
            number += 1;
            let mut cells = Vec::with_capacity(table.columns.len());
            for (index, (name, kind)) in table.columns.iter().enumerate() {
                match kind.cell(raw(&row, index)?) {
                    Ok((cell, altered)) => {
                        n_altered += u64::from(altered);
                        cells.push(cell);
                    }
                    Err(_) => unfit.push(format!("{name} of row {number} ({})", kind.sql_type())),
                }
            }
            if unfit.is_empty() {
                take(cells).await?;
            } else if unfit.len() >= MOST_NAMED {
                break;
            }
        }
        if unfit.is_empty() {
            return Ok(n_altered);
        }
        Err(Error::Import(format!(
            "values of table {} do not fit their columns; correct them in the source first: {}",
            table.name,
            unfit.join(", ")
        )))
    }

    /// The highest id that each table has ever given out.
    pub(super) async fn sequences(&mut self) -> Result<HashMap<String, i64>, Error> {
        let exists = "SELECT 1 FROM sqlite_master WHERE name = 'sqlite_sequence'";
        let exists = sqlx::query(exists)
            .fetch_optional(&mut self.connection)
            .await
            .map_err(failed)?;
        if exists.is_none() {
            return Ok(HashMap::new());
        }
        let rows = sqlx::query("SELECT name, CAST(seq AS INTEGER) FROM sqlite_sequence")
            .fetch_all(&mut self.connection)
            .await
            .map_err(failed)?;
        rows.iter()
            .map(|row| Ok((get(row, 0)?, get(row, 1)?)))
            .collect()
    }

    /// Gives the file back to others.
    pub(super) async fn unlock(mut self) -> Result<(), Error> {
        self.connection.execute("ROLLBACK").await.map_err(failed)?;
        self.connection.close().await.map_err(failed)
    }
}

fn raw(row: &SqliteRow, index: usize) -> Result<Raw, Error> {
    let value = row.try_get_raw(index).map_err(failed)?;
    if value.is_null() {
        return Ok(Raw::Null);
    }
    let value = ValueRef::to_owned(&value);
    let name = value.type_info().name().to_owned();
    let decoded = match name.as_str() {
        "TEXT" => value.try_decode_unchecked::<Vec<u8>>().map(Raw::Text),
        "REAL" => value.try_decode_unchecked().map(Raw::Real),
        "BLOB" => Ok(Raw::Blob),
        _ => value.try_decode_unchecked().map(Raw::Integer),
    };
    decoded.map_err(failed)
}

fn get<'r, T: Decode<'r, Sqlite> + sqlx::Type<Sqlite>>(
    row: &'r SqliteRow,
    index: usize,
) -> Result<T, Error> {
    row.try_get(index).map_err(failed)
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn failed(error: sqlx::Error) -> Error {
    Error::Import(format!("the source cannot be read: {error}"))
}
