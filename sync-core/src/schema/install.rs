//! Installing sync around the tables of a database, and checking that it is still in step.

use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, Statement,
};

use super::{
    Side, adopt,
    capture::Captured,
    installed::{self, Installed, Trigger, fingerprint},
    layout::Layout,
    outdated::{self, Retired},
    postgres, sqlite, tables,
};
use crate::{
    registry::{Registered, Registry, RegistryError},
    retry::retry_install,
    syncable::Syncable,
    tx,
};

/// Creates the framework's tables, and for every registered table the sync columns and the capture.
///
/// Runs as one transaction, after the migrations that create the tables and whenever the program
/// starts: where all is in step it only looks. Rows that a table had before go out at the next sync.
///
/// # Errors
/// If a registered table is missing, or the database fails; then nothing has changed.
pub async fn install(
    db: &DatabaseConnection,
    side: Side,
    registry: &Registry,
) -> Result<(), DbErr> {
    retry_install(|| install_once(db, side, registry)).await
}

async fn install_once(
    db: &DatabaseConnection,
    side: Side,
    registry: &Registry,
) -> Result<(), DbErr> {
    // A table that is not there yet is an error here, and a reason to go on.
    if matches!(in_step(db, side, registry).await, Ok(true)) {
        return Ok(());
    }
    let tx = tx::begin_write(db).await?;
    install_in(&tx, side, registry).await?;
    tx.commit().await
}

/// What [`install`] does, as a part of a transaction that holds more, such as the migrations before it.
///
/// # Errors
/// As [`install`]; then the transaction has to be rolled back.
pub async fn install_in(
    tx: &DatabaseTransaction,
    side: Side,
    registry: &Registry,
) -> Result<(), DbErr> {
    tables::create(tx, side).await?;
    take_turns(tx).await?;
    tx::begin_applying(tx).await?;
    let mut adopted = false;
    for registered in registry.tables() {
        adopted |= install_table(tx, side, registered, registry.retired()).await?;
    }
    if adopted {
        adopt::delete_orphans(tx, registry).await?;
    }
    tx::end_applying(tx).await
}

/// Of servers that start together one installs, and the others wait for it here. An update, because whoever
/// waits for a row that was merely locked may go on with what it saw before.
async fn take_turns<C: ConnectionTrait>(tx: &C) -> Result<(), DbErr> {
    tx.execute_unprepared("UPDATE sync_clock SET id = id WHERE id = 1")
        .await
        .map(|_| ())
}

/// Installs sync around one entity's table: the helper that its migration calls after creating the table.
///
/// Columns that a later migration adds are captured once they are there, by [`install`] at the next start.
///
/// # Errors
/// If the table is missing, or the database fails.
pub async fn install_entity<E: Syncable, C: ConnectionTrait>(
    db: &C,
    side: Side,
) -> Result<(), DbErr> {
    tables::create(db, side).await?;
    install_table(db, side, &Registered::alone::<E>()?, &[])
        .await
        .map(|_| ())
}

/// Pins the time of captured edits to `now_ms`, or lets it run again: for tests and simulations.
///
/// # Errors
/// If the database fails.
pub async fn pin_clock<C: ConnectionTrait>(db: &C, now_ms: Option<i64>) -> Result<(), DbErr> {
    let sql = "UPDATE sync_clock SET pinned_ms = $1";
    db.execute_raw(Statement::from_sql_and_values(
        db.get_database_backend(),
        sql,
        [now_ms.into()],
    ))
    .await
    .map(|_| ())
}

/// A table whose installed capture is not what its entity asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaptureDifference {
    /// The table.
    pub table: &'static str,
    /// The fingerprint that is installed, if any.
    pub installed: Option<String>,
    /// The fingerprint of what the entity asks for.
    pub wanted: String,
}

/// The tables whose installed capture is not what their entities ask for. Empty after [`install`].
///
/// # Errors
/// If the database fails.
pub async fn check<C: ConnectionTrait>(
    db: &C,
    registry: &Registry,
) -> Result<Vec<CaptureDifference>, DbErr> {
    let mut differences = Vec::new();
    let there = installed::triggers(db).await?;
    for registered in registry.tables() {
        let plan = Plan::new(db, registered).await?;
        let altered = plan.altered(&there);
        let installed = stored(db, registered.shape.table)
            .await?
            .map(|stored| stored.fingerprint);
        if altered || installed.as_ref() != Some(&plan.fingerprint) {
            let table = registered.shape.table;
            differences.push(CaptureDifference {
                table,
                installed,
                wanted: plan.fingerprint,
            });
        }
    }
    Ok(differences)
}

/// Whether there is nothing to install: found out without a lock.
async fn in_step(db: &DatabaseConnection, side: Side, registry: &Registry) -> Result<bool, DbErr> {
    Ok(tables::complete(db, side).await? && check(db, registry).await?.is_empty())
}

/// Returns whether the table had no sync before.
async fn install_table<C: ConnectionTrait>(
    db: &C,
    side: Side,
    registered: &Registered,
    retired: &[Retired],
) -> Result<bool, DbErr> {
    let shape = registered.shape;
    adopt::add_sync_columns(db, shape.table).await?;
    let stored = stored(db, shape.table).await?;
    if let (Side::Device, Some(stored)) = (side, &stored)
        && outdated::unknown_column(db, retired, registered, &stored.columns)
            .await?
            .is_some()
    {
        // A newer program's capture stays as it is.
        return Ok(false);
    }
    if stored.is_none() {
        adopt::enqueue_rows(db, shape).await?;
    }
    let in_step = match &stored {
        Some(stored) => {
            let plan = Plan::new(db, registered).await?;
            let there = installed::triggers(db).await?;
            if plan.lost(&there) {
                adopt::enqueue_missed(db, side, shape).await?;
            }
            stored.fingerprint == plan.fingerprint && !plan.altered(&there)
        }
        None => false,
    };
    if !in_step {
        // A table rebuilt by a migration has lost its indexes too.
        adopt::add_natural_keys(db, registered).await?;
        if side == Side::Device {
            adopt::add_names(db, shape.table).await?;
        }
    }
    let plan = Plan::new(db, registered).await?;
    if !in_step {
        plan.run(db).await?;
    }
    if let (Side::Device, Some(stored)) = (side, &stored) {
        let gained = plan.gained_since(stored);
        adopt::enqueue_gained(db, shape, &gained).await?;
    }
    Ok(stored.is_none())
}

struct Plan {
    table: &'static str,
    columns: String,
    triggers: Vec<Trigger>,
    fingerprint: String,
}

struct Stored {
    fingerprint: String,
    columns: String,
}

impl Plan {
    async fn new<C: ConnectionTrait>(db: &C, registered: &Registered) -> Result<Self, DbErr> {
        let table = registered.shape.table;
        let captured = Captured::new(registered, &Layout::read(db, table).await?);
        let triggers = match db.get_database_backend() {
            DbBackend::Sqlite => sqlite::triggers(&captured),
            _ => postgres::triggers(&captured),
        };
        let columns: Vec<&str> = captured.columns().collect();
        let statements = triggers.iter().flat_map(|trigger| &trigger.statements);
        let fingerprint = fingerprint(statements.flat_map(|sql| sql.bytes().chain([0])));
        Ok(Self {
            table,
            columns: columns.join(","),
            triggers,
            fingerprint,
        })
    }

    /// Whether a trigger is not there, not as it should be, or switched off.
    fn altered(&self, there: &Installed) -> bool {
        self.triggers.iter().any(|wanted| !there.has(wanted))
    }

    /// Whether the table has none of its own triggers: it was rebuilt, and written to since.
    fn lost(&self, there: &Installed) -> bool {
        let mut own = self.triggers.iter().filter(|t| t.on == self.table);
        !own.any(|trigger| there.names(trigger))
    }

    async fn run<C: ConnectionTrait>(&self, db: &C) -> Result<(), DbErr> {
        for sql in self.triggers.iter().flat_map(|trigger| &trigger.statements) {
            db.execute_unprepared(sql).await?;
        }
        let sql = "INSERT INTO sync_capture (tbl, fingerprint, columns) VALUES ($1, $2, $3)
                   ON CONFLICT (tbl) DO UPDATE SET fingerprint = excluded.fingerprint, columns = excluded.columns";
        let values = [
            self.table.into(),
            self.fingerprint.as_str().into(),
            self.columns.as_str().into(),
        ];
        db.execute_raw(Statement::from_sql_and_values(
            db.get_database_backend(),
            sql,
            values,
        ))
        .await
        .map(|_| ())
    }

    /// The columns that were not captured before.
    fn gained_since(&self, stored: &Stored) -> Vec<&str> {
        let before: Vec<&str> = stored.columns.split(',').collect();
        let columns = self.columns.split(',');
        columns.filter(|column| !before.contains(column)).collect()
    }
}

async fn stored<C: ConnectionTrait>(db: &C, table: &str) -> Result<Option<Stored>, DbErr> {
    let sql = "SELECT fingerprint, columns FROM sync_capture WHERE tbl = $1";
    let row = db
        .query_one_raw(Statement::from_sql_and_values(
            db.get_database_backend(),
            sql,
            [table.into()],
        ))
        .await?;
    row.map(|row| {
        Ok(Stored {
            fingerprint: row.try_get("", "fingerprint")?,
            columns: row.try_get("", "columns")?,
        })
    })
    .transpose()
}

impl From<RegistryError> for DbErr {
    fn from(error: RegistryError) -> Self {
        DbErr::Custom(error.to_string())
    }
}
