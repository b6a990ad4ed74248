//! Flags that at most one live row of a scope carries, such as the default list of a profile.

use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr, Statement};

use super::{Entry, PushContext, feed};
use crate::{
    clocks::Stamp,
    planted::{Bug, planted},
    registry::Registered,
    shape::Exclusive,
};

/// A row that may carry an exclusive flag after this push.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Claim {
    pub(super) table: &'static str,
    pub(super) row_id: i64,
}

/// Leaves each flag to the row that was given it last; the others lose it and get their place in the feed.
pub(super) async fn settle(
    tx: &DatabaseTransaction,
    cx: &mut PushContext<'_>,
) -> Result<(), DbErr> {
    if planted(Bug::FlagsNotSettled) {
        return Ok(());
    }
    let registry = cx.registry;
    for claim in std::mem::take(&mut cx.claims) {
        let Some(registered) = registry.get(claim.table) else {
            continue;
        };
        for exclusive in registered.shape.exclusive {
            settle_claim(tx, cx, registered, exclusive, claim.row_id).await?;
        }
    }
    Ok(())
}

async fn settle_claim(
    tx: &DatabaseTransaction,
    cx: &mut PushContext<'_>,
    registered: &Registered,
    exclusive: &Exclusive,
    row_id: i64,
) -> Result<(), DbErr> {
    let shape = registered.shape;
    let register = shape
        .register_of(exclusive.flag)
        .map_or(exclusive.flag, |number| shape.registers[number].name);
    let mut holders = holders(tx, cx, registered, exclusive, row_id).await?;
    if holders.len() < 2 {
        return Ok(());
    }
    let rank = |entry: &Entry| (entry.clocks.get(register).at(), entry.remote_id.clone());
    holders.sort_by_key(rank);
    let Some(winner) = holders.pop() else {
        return Ok(());
    };
    let given = winner.clocks.get(register).at();
    for mut loser in holders {
        let sql = format!(
            "UPDATE \"{}\" SET \"{}\" = FALSE WHERE \"{}\" = $1",
            shape.table, exclusive.flag, shape.id
        );
        let values = [loser.row_id.into()];
        tx.execute_raw(Statement::from_sql_and_values(
            tx.get_database_backend(),
            sql,
            values,
        ))
        .await?;
        let at = given.max(loser.clocks.get(register).at().saturating_add(1));
        loser.clocks.set(register, Stamp::new(at, 0, at));
        loser.seq = cx.next_seq();
        feed::put(tx, cx.account, &[loser]).await?;
    }
    Ok(())
}

/// The live rows of the row's scope that carry the flag, if the row itself is one of them.
async fn holders(
    tx: &DatabaseTransaction,
    cx: &PushContext<'_>,
    registered: &Registered,
    exclusive: &Exclusive,
    row_id: i64,
) -> Result<Vec<Entry>, DbErr> {
    let (table, id) = (registered.shape.table, registered.shape.id);
    let Exclusive { flag, per } = exclusive;
    let sql = format!(
        "SELECT s.remote_id FROM \"{table}\" s JOIN \"{table}\" t ON t.\"{per}\" = s.\"{per}\"
         WHERE t.\"{id}\" = $1 AND t.\"{flag}\" AND t.deleted_at IS NULL
           AND s.\"{flag}\" AND s.deleted_at IS NULL AND s.remote_id IS NOT NULL"
    );
    let rows = tx
        .query_all_raw(Statement::from_sql_and_values(
            tx.get_database_backend(),
            sql,
            [row_id.into()],
        ))
        .await?;
    let names: Vec<String> = rows
        .iter()
        .map(|row| row.try_get("", "remote_id"))
        .collect::<Result<_, _>>()?;
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    Ok(feed::find(tx, cx.account, table, &names)
        .await?
        .into_values()
        .collect())
}
