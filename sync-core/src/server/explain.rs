//! All that the server knows of one row: what each register holds, who set it, and why.

use std::collections::BTreeSet;

use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr, Statement};
use serde_json::Value;

use super::{
    Caller, Entry, ServerError, SyncServer,
    account::{self, Account},
    feed,
};
use crate::{
    clocks::Stamp,
    ids::is_canonical,
    protocol::{DeviceAnswer, ErrorCode, RegisterAnswer, RowAnswer, RowQuery, SetBy},
    registry::{OnDelete, Registered},
    retry::retry,
    row_now::{RowNow, value_of},
    shape::{DELETED_AT, Exclusive, Register},
    tx,
};

impl SyncServer {
    /// Explains one row of the account. A row of another account is as unknown as one that nobody has.
    ///
    /// # Errors
    /// If there is no such row or table, or the database fails.
    pub async fn row(&self, caller: &Caller, query: &RowQuery) -> Result<RowAnswer, ServerError> {
        let registered = self.known_table(&query.table)?;
        if !is_canonical(&query.remote_id) {
            let message = "remote_id must be a row's name, a UUID in lower case";
            return Err(ServerError::bad_request(message));
        }
        self.absorb(caller).await?;
        retry(|| self.row_once(caller, registered, query)).await
    }

    async fn row_once(
        &self,
        caller: &Caller,
        registered: &Registered,
        query: &RowQuery,
    ) -> Result<RowAnswer, ServerError> {
        let tx = tx::begin_read(&self.db.read).await?;
        let account = account::find(&tx, &caller.user_id).await?;
        let account = account.ok_or_else(unknown_row)?;
        let entry = find(&tx, &account, registered, &query.remote_id).await?;
        let entry = entry.ok_or_else(unknown_row)?;
        let mut now = registered.table.now(&tx, &[entry.row_id]).await?;
        let is_it = |row: &RowNow| row.remote_id.as_ref() == Some(&entry.remote_id);
        let row = now.rows.pop().filter(is_it);
        let unreadable = !now.unreadable.is_empty();
        let mut registers = Vec::new();
        for register in registered.shape.registers {
            registers.push(
                self.told(&tx, &account, registered, register, &entry, row.as_ref())
                    .await?,
            );
        }
        let answer = RowAnswer {
            epoch: account::epoch(&tx).await?,
            now: self.clock.now_ms(),
            table: entry.table.clone(),
            aliases: feed::aliases_of(&tx, account.id, &entry.table, &entry.remote_id).await?,
            deleted_at: row.as_ref().map_or(entry.deleted_at, |row| row.deleted_at),
            at: entry.clocks.latest(),
            gone: row.is_none() && !unreadable,
            unreadable,
            devices: devices(caller, &registers),
            registers,
            remote_id: entry.remote_id,
        };
        tx.commit().await?;
        Ok(answer)
    }

    async fn told(
        &self,
        tx: &DatabaseTransaction,
        account: &Account,
        registered: &Registered,
        register: &Register,
        entry: &Entry,
        row: Option<&RowNow>,
    ) -> Result<RegisterAnswer, DbErr> {
        let stamp = entry.clocks.get(register.name);
        let value = row.map(|row| value_of(register, &row.columns));
        let (mut set_by, mut because_of) = (by(stamp), None);
        if let (SetBy::Server, Some(row)) = (set_by, row) {
            if register.name == DELETED_AT && row.deleted_at.is_some() {
                because_of = self.dead_parent(tx, account, registered, row).await?;
                set_by = because_of.as_ref().map_or(set_by, |_| SetBy::ParentDeleted);
            }
            for exclusive in cleared(registered, register, row) {
                because_of = holder(tx, account, registered, exclusive, row.row_id, stamp).await?;
                set_by = because_of
                    .as_ref()
                    .map_or(set_by, |_| SetBy::ExclusiveCleared);
            }
        }
        Ok(RegisterAnswer {
            register: register.name.to_owned(),
            value,
            at: stamp.at(),
            device_at: stamp.2,
            device: Some(stamp.1.abs()).filter(|number| *number > 0),
            set_by,
            because_of,
        })
    }

    /// A deleted row that this one goes with.
    async fn dead_parent(
        &self,
        tx: &DatabaseTransaction,
        account: &Account,
        registered: &Registered,
        row: &RowNow,
    ) -> Result<Option<String>, DbErr> {
        let parents = registered
            .targets
            .iter()
            .filter(|target| target.on_delete == OnDelete::Cascade);
        for target in parents {
            let Some(name) = row.columns.get(target.column).and_then(Value::as_str) else {
                continue;
            };
            let found = feed::find(tx, account.id, &target.table, &[name]).await?;
            if found
                .get(name)
                .is_some_and(|parent| parent.deleted_at.is_some())
            {
                return Ok(Some(name.to_owned()));
            }
        }
        Ok(None)
    }
}

/// The row's entry, by its name or one it had.
async fn find(
    tx: &DatabaseTransaction,
    account: &Account,
    registered: &Registered,
    name: &str,
) -> Result<Option<Entry>, DbErr> {
    let table = registered.shape.table;
    let aliases = feed::aliases(tx, account.id, table, &[name]).await?;
    let name = aliases.get(name).map_or(name, String::as_str);
    Ok(feed::find(tx, account.id, table, &[name])
        .await?
        .remove(name))
}

fn by(stamp: Stamp) -> SetBy {
    match stamp.1 {
        0 => SetBy::Server,
        1.. => SetBy::Device,
        _ => SetBy::Followed,
    }
}

/// The rules by which this register may have lost its flag.
fn cleared<'a>(
    registered: &'a Registered,
    register: &'a Register,
    row: &'a RowNow,
) -> impl Iterator<Item = &'a Exclusive> {
    registered.shape.exclusive.iter().filter(|exclusive| {
        let is_set = row.columns.get(exclusive.flag).and_then(Value::as_bool);
        register.columns.contains(&exclusive.flag) && is_set == Some(false)
    })
}

/// The row of the same scope that holds the flag and got it no later than this one lost it.
async fn holder(
    tx: &DatabaseTransaction,
    account: &Account,
    registered: &Registered,
    exclusive: &Exclusive,
    row_id: i64,
    lost: Stamp,
) -> Result<Option<String>, DbErr> {
    let (shape, Exclusive { flag, per }) = (registered.shape, exclusive);
    let (table, id) = (shape.table, shape.id);
    let sql = format!(
        "SELECT s.remote_id FROM \"{table}\" s JOIN \"{table}\" t ON t.\"{per}\" = s.\"{per}\"
         WHERE t.\"{id}\" = $1 AND s.\"{flag}\" AND s.deleted_at IS NULL AND s.remote_id IS NOT NULL LIMIT 1"
    );
    let statement = Statement::from_sql_and_values(tx.get_database_backend(), sql, [row_id.into()]);
    let Some(found) = tx.query_one_raw(statement).await? else {
        return Ok(None);
    };
    let name: String = found.try_get("", "remote_id")?;
    let register = shape
        .register_of(flag)
        .map_or(*flag, |number| shape.registers[number].name);
    let entries = feed::find(tx, account.id, table, &[&name]).await?;
    let got = entries.get(&name).map(|entry| entry.clocks.get(register));
    Ok(got.filter(|got| got.at() <= lost.at()).map(|_| name))
}

/// The devices in these registers; their names are the caller's to add.
fn devices(caller: &Caller, registers: &[RegisterAnswer]) -> Vec<DeviceAnswer> {
    let numbers: BTreeSet<i64> = registers
        .iter()
        .filter_map(|register| register.device)
        .collect();
    let device = |number| DeviceAnswer {
        number,
        name: None,
        this: number == caller.device,
    };
    numbers.into_iter().map(device).collect()
}

fn unknown_row() -> ServerError {
    let message = "this account has no such row";
    ServerError::refused(ErrorCode::UnknownRow, message)
}
