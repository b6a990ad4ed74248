//! Moving a server from SQLite to Postgres, with all that devices and sessions know of it.
//!
//! Everything keeps its ids, the feed its positions and the data its epoch, so that devices go on with their
//! cursors and tokens. What is copied is noted in the target, in the transaction that copies it: an import
//! that was cut off goes on where it was. Until it is done, no server starts on the target.

mod cell;
mod plan;
mod source;
mod target;

use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement};
use serde::Serialize;

use self::{
    cell::Sum,
    plan::{Left, Plan},
    source::Source,
    target::{Noted, Target},
};
use crate::{AppState, Config, Error};

/// Rows that are copied in one transaction.
const BATCH: usize = 1_000;

/// How far an import has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// What it is doing.
    pub phase: Phase,
    /// Rows that it has done that with.
    pub done: u64,
    /// Rows that there are.
    pub total: u64,
}

/// What an import does, one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// It reads the source and makes checksums.
    Reading,
    /// It copies.
    Copying,
    /// It reads the target and compares.
    Verifying,
}

/// What was moved.
#[derive(Clone, Debug, Serialize)]
pub struct Imported {
    /// Every table, in the order it was copied.
    pub tables: Vec<ImportedTable>,
    /// Rows of all of them.
    pub n_rows: u64,
    /// Whether it went on with an import that was cut off.
    pub resumed: bool,
    /// Texts that had characters which Postgres does not take: those are left out.
    pub n_altered: u64,
    /// Tables that only the source has. They are not copied.
    pub tables_left: Vec<String>,
    /// Columns that only the source has. They are not copied.
    pub columns_left: Vec<String>,
}

/// One table that was moved.
#[derive(Clone, Debug, Serialize)]
pub struct ImportedTable {
    /// Its name.
    pub table: String,
    /// How many rows it has at both ends.
    pub rows: u64,
    /// The sum of all rows' hashes, the same at both ends.
    pub checksum: String,
}

/// Copies the server's database `from` (SQLite) to `to` (Postgres).
///
/// # Errors
/// If either cannot be opened, or is in use; if the target has data of its own; if the source is not what a
/// half-done import began with; if a value does not fit; or if the two do not agree in the end.
pub async fn import(
    from: &Config,
    to: &Config,
    tell: &mut (dyn FnMut(Progress) + Send),
) -> Result<Imported, Error> {
    check_kinds(from, to)?;
    // Both ends get the same schema first, and what waits to be absorbed is.
    let state = AppState::open(from).await?;
    state.close().await;
    let mut source = Source::lock(&from.database_url).await?;
    let mut target = Target::prepare(to).await?;
    let (plan, left) = plan::plan(source.tables().await?, target.tables().await?)?;
    source.check_references(&plan).await?;
    let (noted, n_altered) = read(&mut source, &plan, tell).await?;
    let resumed = target.begin(&noted).await?;
    copy(&mut source, &mut target, &plan, tell).await?;
    verify(&mut target, &plan, &noted, tell).await?;
    let sequences = source.sequences().await?;
    target.finish(&plan.tables, &sequences).await?;
    source.unlock().await?;
    Ok(result(noted, resumed, n_altered, left))
}

fn check_kinds(from: &Config, to: &Config) -> Result<(), Error> {
    let kind = |config: &Config| config.database_url.split(':').next().map(str::to_owned);
    match (kind(from).as_deref(), kind(to).as_deref()) {
        (Some("sqlite"), Some("postgres" | "postgresql")) => Ok(()),
        _ => Err(Error::Import(
            "an import goes from sqlite://FILE to postgres://USER@HOST/NAME".to_owned(),
        )),
    }
}

/// Reads all of the source: what is copied later has to be this.
async fn read(
    source: &mut Source,
    plan: &Plan,
    tell: &mut (dyn FnMut(Progress) + Send),
) -> Result<(Vec<Noted>, u64), Error> {
    let total = source.count(plan).await?;
    let (mut noted, mut done, mut n_altered) = (Vec::new(), 0, 0);
    for table in &plan.tables {
        let mut sum = Sum::default();
        let altered = source
            .each(table, 0, async |row| {
                sum.add(&row);
                done += 1;
                if done % BATCH as u64 == 0 {
                    tell(Progress {
                        phase: Phase::Reading,
                        done,
                        total,
                    });
                }
                Ok(())
            })
            .await?;
        n_altered += altered;
        noted.push(Noted {
            table: table.name.clone(),
            sum,
        });
    }
    Ok((noted, n_altered))
}

async fn copy(
    source: &mut Source,
    target: &mut Target,
    plan: &Plan,
    tell: &mut (dyn FnMut(Progress) + Send),
) -> Result<(), Error> {
    let total = source.count(plan).await?;
    let mut done = 0;
    for table in &plan.tables {
        let mut copied = target.copied(table).await?;
        done += copied;
        let mut rows = Vec::with_capacity(BATCH);
        source
            .each(table, copied, async |row| {
                rows.push(row);
                if rows.len() == BATCH {
                    let batch = std::mem::take(&mut rows);
                    done += batch.len() as u64;
                    copied = target.write(table, &batch, copied).await?;
                    tell(Progress {
                        phase: Phase::Copying,
                        done,
                        total,
                    });
                }
                Ok(())
            })
            .await?;
        if !rows.is_empty() {
            done += rows.len() as u64;
            target.write(table, &rows, copied).await?;
        }
        tell(Progress {
            phase: Phase::Copying,
            done,
            total,
        });
    }
    Ok(())
}

async fn verify(
    target: &mut Target,
    plan: &Plan,
    noted: &[Noted],
    tell: &mut (dyn FnMut(Progress) + Send),
) -> Result<(), Error> {
    let total = noted.iter().map(|noted| noted.sum.rows).sum();
    let mut done = 0;
    for (table, noted) in plan.tables.iter().zip(noted) {
        let sum = target.sum(table).await?;
        if sum != noted.sum {
            return Err(Error::Import(format!(
                "table {} is not the same at both ends: {} in the source, {sum} in the target. Empty the target \
                 and begin again; the source is as it was",
                noted.table, noted.sum
            )));
        }
        done += sum.rows;
        tell(Progress {
            phase: Phase::Verifying,
            done,
            total,
        });
    }
    Ok(())
}

fn result(noted: Vec<Noted>, resumed: bool, n_altered: u64, left: Left) -> Imported {
    let tables = noted.into_iter().map(|noted| ImportedTable {
        table: noted.table,
        rows: noted.sum.rows,
        checksum: noted.sum.text(),
    });
    let tables: Vec<ImportedTable> = tables.collect();
    Imported {
        n_rows: tables.iter().map(|table| table.rows).sum(),
        tables,
        resumed,
        n_altered,
        tables_left: left.tables,
        columns_left: left.columns,
    }
}

/// Whoever serves a database that is only half there gives its devices the half of their rows.
///
/// # Errors
/// If an import into this database was begun and not ended.
pub(crate) async fn refuse_half_done(db: &DatabaseConnection) -> Result<(), Error> {
    let backend = db.get_database_backend();
    if backend != DbBackend::Postgres {
        return Ok(());
    }
    let sql = format!(
        "SELECT 1 AS one FROM information_schema.tables WHERE table_schema = current_schema() AND table_name = '{}'",
        target::NOTES
    );
    let begun = db
        .query_one_raw(Statement::from_string(backend, sql))
        .await?;
    match begun {
        None => Ok(()),
        Some(_) => Err(Error::Import(
            "an import into this database was begun and not ended: run the same `zentrio-server import` again, \
             or empty the database"
                .to_owned(),
        )),
    }
}
