//! Databases as they were last read, which is as they are while nobody has written.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use anyhow::{Context, Result};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement};

use super::{device::lock, dump::Dump, ledger::Place, setup::Setup};

/// The last dump of each place, and how many changes its connection had made by then.
#[derive(Default)]
pub(crate) struct Dumps(Mutex<HashMap<Place, (i64, Arc<Dump>)>>);

impl Dumps {
    /// The rows of a place; `alone` if all that writes it does so through this one connection.
    pub(crate) async fn get(
        &self,
        setup: &Setup,
        place: Place,
        db: &DatabaseConnection,
        alone: bool,
    ) -> Result<Arc<Dump>> {
        if !alone || db.get_database_backend() != DbBackend::Sqlite {
            return Ok(Arc::new(setup.dump(db).await?));
        }
        let changes = changes(db).await?;
        let known = lock(&self.0).get(&place).cloned();
        if let Some((at, dump)) = known
            && at == changes
        {
            return Ok(dump);
        }
        let dump = Arc::new(setup.dump(db).await?);
        lock(&self.0).insert(place, (changes, dump.clone()));
        Ok(dump)
    }

    /// A new connection counts from the beginning.
    pub(crate) fn forget(&self, place: Place) {
        lock(&self.0).remove(&place);
    }
}

/// How many rows the connection has written, triggers and cascades included.
async fn changes(db: &DatabaseConnection) -> Result<i64> {
    let sql = Statement::from_string(DbBackend::Sqlite, "SELECT total_changes() AS n");
    let row = db.query_one_raw(sql).await?.context("a count")?;
    Ok(row.try_get("", "n")?)
}
