//! What a sync with an account would do, found by doing it to a copy of the database.
//!
//! The pull is the real one, so that what it makes one by natural key is what a sync makes one. Nothing is sent.

use std::collections::{BTreeMap, HashMap, HashSet};

use sea_orm::{ConnectionTrait, Statement};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Device, remote, state};
use crate::{
    error::SyncError,
    owner,
    protocol::{MOST_NAMES, RowsRequest},
    registry::Registered,
    row_now::{agree, value_of},
    shape::{EVERY_REGISTER, Shape},
    transport::Transport,
    tx,
};

/// Most clashes that are told one by one.
const MOST_CLASHES: usize = 100;

/// What a sync with an account would do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Plan {
    /// By table, parents first, tables of which there is nothing to tell left out.
    pub tables: Vec<PlannedTable>,
    /// Rows of both ends that are the same thing and differ; of many the first ones.
    pub clashes: Vec<Clash>,
}

/// What a sync would do with one table's live rows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct PlannedTable {
    /// The table.
    pub table: String,
    /// Rows that the account gets.
    pub n_new: u64,
    /// Rows that the account has already, all the same.
    pub n_same: u64,
    /// Rows that the account has already with other values: of each register the later edit stands.
    pub n_clashing: u64,
    /// Rows that this database gets.
    pub n_received: u64,
    /// Rows that go from this database because they are deleted elsewhere.
    pub n_removed: u64,
}

/// A row that is the same thing as one of the account, and differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Clash {
    /// Its table.
    pub table: String,
    /// Its primary key here.
    pub row_id: i64,
    /// Its name at the server.
    pub remote_id: String,
    /// Where the two differ.
    pub registers: Vec<ClashingRegister>,
}

/// A register in which a row and its other form differ.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ClashingRegister {
    /// Its name.
    pub register: String,
    /// Its value here, by column.
    pub here: Map<String, Value>,
    /// Its value at the server, by column.
    pub there: Map<String, Value>,
}

/// The live rows of a table that are the account's: new ones, and all of them with their names.
#[derive(Default)]
struct Seen {
    live: HashSet<i64>,
    unsent: HashSet<i64>,
    names: HashMap<i64, String>,
}

impl Plan {
    /// All tables together.
    pub fn total(&self) -> PlannedTable {
        let mut total = PlannedTable::default();
        for table in &self.tables {
            total.n_new += table.n_new;
            total.n_same += table.n_same;
            total.n_clashing += table.n_clashing;
            total.n_received += table.n_received;
            total.n_removed += table.n_removed;
        }
        total
    }
}

impl PlannedTable {
    fn is_nothing(&self) -> bool {
        self.n_new + self.n_same + self.n_clashing + self.n_received + self.n_removed == 0
    }
}

impl Device {
    /// Pulls into this database, **which is to be a copy that is thrown away**, and tells what a sync of the
    /// original would do. Rows that the server would refuse are told as new ones.
    ///
    /// # Errors
    /// As [`Device::pull`].
    pub async fn rehearse(&self, transport: &dyn Transport) -> Result<Plan, SyncError> {
        // The copy may have been taken while somebody synced the original.
        let sql = "UPDATE sync_state SET lease_holder = NULL, lease_until_ms = 0";
        state::execute(&self.db, sql, vec![]).await?;
        let mut before = Vec::new();
        for registered in self.registry.tables() {
            before.push(self.seen(registered).await?);
        }
        self.pull(transport, &|_| {}).await?;
        let mut plan = Plan::default();
        for (registered, before) in self.registry.tables().iter().zip(&before) {
            let after = self.seen(registered).await?;
            let clashes = self.clashes(transport, registered, before, &after).await?;
            let planned = planned(registered.shape, before, &after, clashes.len() as u64);
            if !planned.is_nothing() {
                plan.tables.push(planned);
            }
            let room = MOST_CLASHES.saturating_sub(plan.clashes.len());
            plan.clashes.extend(clashes.into_iter().take(room));
        }
        Ok(plan)
    }

    /// How many live rows a user has in this database, whether they are synced or not.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn n_rows_of(&self, user: &str) -> Result<u64, SyncError> {
        let mut n_rows = 0;
        for registered in self.registry.tables() {
            let (table, id) = (registered.shape.table, registered.shape.id);
            let whose =
                owner::owns_row(&self.registry, registered, &format!("\"{table}\".\"{id}\""));
            let sql = format!(
                "SELECT count(*) AS n FROM \"{table}\" WHERE deleted_at IS NULL AND {whose}"
            );
            let backend = self.db.get_database_backend();
            let statement = Statement::from_sql_and_values(backend, sql, [user.into()]);
            if let Some(row) = self.db.query_one_raw(statement).await? {
                n_rows += row.try_get::<i64>("", "n")?.unsigned_abs();
            }
        }
        Ok(n_rows)
    }

    async fn seen(&self, registered: &Registered) -> Result<Seen, SyncError> {
        let user = state::load(&self.db).await?.local_user_id;
        let user = user.ok_or(SyncError::NotConnected)?;
        let (table, id) = (registered.shape.table, registered.shape.id);
        let sql = format!(
            "SELECT CAST(t.\"{id}\" AS BIGINT) AS id, t.remote_id, EXISTS (SELECT 1 FROM sync_pending p
               WHERE p.tbl = $2 AND p.row_id = t.\"{id}\" AND p.register = '{EVERY_REGISTER}') AS unsent
             FROM \"{table}\" t WHERE t.deleted_at IS NULL AND {}",
            owner::owns_row(&self.registry, registered, &format!("t.\"{id}\""))
        );
        let values = [user.into(), table.into()];
        let statement = Statement::from_sql_and_values(self.db.get_database_backend(), sql, values);
        let mut seen = Seen::default();
        for row in self.db.query_all_raw(statement).await? {
            let row_id: i64 = row.try_get("", "id")?;
            seen.live.insert(row_id);
            if row.try_get("", "unsent")? {
                seen.unsent.insert(row_id);
            }
            if let Some(name) = row.try_get("", "remote_id")? {
                seen.names.insert(row_id, name);
            }
        }
        Ok(seen)
    }

    /// Rows that got a name by the pull and still differ from the server's form.
    async fn clashes(
        &self,
        transport: &dyn Transport,
        registered: &Registered,
        before: &Seen,
        after: &Seen,
    ) -> Result<Vec<Clash>, SyncError> {
        let adopted = adopted(before, after).filter(|id| after.unsent.contains(id));
        let names: BTreeMap<String, i64> = adopted
            .filter_map(|id| Some((after.names.get(&id)?.clone(), id)))
            .collect();
        let all: Vec<&String> = names.keys().collect();
        let mut clashes = Vec::new();
        for some in all.chunks(MOST_NAMES) {
            let theirs = fetch(transport, registered.shape.table, some).await?;
            let ids: Vec<i64> = some.iter().filter_map(|n| names.get(*n).copied()).collect();
            let tx = tx::begin_read(&self.db).await?;
            let here = registered.table.now(&tx, &ids).await?;
            tx.rollback().await?;
            let clashing = here.rows.iter().filter_map(|row| {
                let their = theirs.get(row.remote_id.as_ref()?)?;
                clash(registered.shape, row.row_id, &row.columns, their)
            });
            clashes.extend(clashing);
        }
        Ok(clashes)
    }
}

/// The server's form of a row.
#[derive(Deserialize)]
struct Their {
    remote_id: String,
    row: Map<String, Value>,
}

async fn fetch(
    transport: &dyn Transport,
    table: &str,
    names: &[&String],
) -> Result<HashMap<String, Their>, SyncError> {
    let request = RowsRequest {
        table: table.to_owned(),
        remote_ids: names.iter().map(|name| (*name).clone()).collect(),
    };
    let answer = remote::rows(transport, &request).await?;
    let Some(page) = answer.tables.iter().find(|page| page.table == table) else {
        return Ok(HashMap::new());
    };
    let rows: Vec<Their> = serde_json::from_str(page.rows.get())
        .map_err(|error| SyncError::NotASyncServer(error.to_string()))?;
    Ok(rows
        .into_iter()
        .map(|row| (row.remote_id.clone(), row))
        .collect())
}

/// Rows that were here before without a name and have the server's now.
fn adopted<'a>(before: &'a Seen, after: &'a Seen) -> impl Iterator<Item = i64> + 'a {
    let nameless = before
        .live
        .iter()
        .filter(|id| !before.names.contains_key(id));
    nameless.copied().filter(|id| after.names.contains_key(id))
}

fn planned(shape: &Shape, before: &Seen, after: &Seen, n_clashing: u64) -> PlannedTable {
    let count = |n: usize| n as u64;
    let n_adopted = count(adopted(before, after).count());
    let is_new = |id: &&i64| !after.names.contains_key(id);
    PlannedTable {
        table: shape.table.to_owned(),
        n_new: count(after.unsent.iter().filter(is_new).count()),
        n_same: n_adopted.saturating_sub(n_clashing),
        n_clashing,
        n_received: count(after.live.difference(&before.live).count()),
        n_removed: count(before.live.difference(&after.live).count()),
    }
}

fn clash(shape: &Shape, row_id: i64, here: &Map<String, Value>, their: &Their) -> Option<Clash> {
    let differing = shape.registers.iter();
    let differing = differing.filter(|register| !agree(shape, register, here, &their.row));
    let registers: Vec<ClashingRegister> = differing
        .map(|register| ClashingRegister {
            register: register.name.to_owned(),
            here: value_of(register, here),
            there: value_of(register, &their.row),
        })
        .collect();
    (!registers.is_empty()).then(|| Clash {
        table: shape.table.to_owned(),
        row_id,
        remote_id: their.remote_id.clone(),
        registers,
    })
}
