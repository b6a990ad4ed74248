//! A row that turned out to be the same thing as another device's: it takes that one's name.

use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr, Statement};

use super::{collect::SentRow, state::execute};
use crate::{
    registry::{Registered, Registry},
    wire::Millis,
};

/// Gives a local row the winner's name. Where the winner is here too, the loser's children move to it
/// and the loser goes; children that have a twin there stay until their own verdict settles them.
pub(super) async fn rename(
    tx: &DatabaseTransaction,
    registry: &Registry,
    registered: &Registered,
    row: &SentRow,
    winner: &str,
    now_ms: i64,
) -> Result<(), DbErr> {
    let (table, id) = (registered.shape.table, registered.shape.id);
    let loser = row.row_id;
    let Some(winner_id) = find(tx, table, id, winner)
        .await?
        .filter(|winner_id| *winner_id != loser)
    else {
        let sql = format!("UPDATE \"{table}\" SET remote_id = $1 WHERE \"{id}\" = $2");
        return execute(tx, &sql, vec![winner.into(), loser.into()]).await;
    };
    let mut left = false;
    for (child, target) in registry.referring_to(table) {
        let (child_table, column) = (child.shape.table, target.column);
        let sql = format!(
            "UPDATE OR IGNORE \"{child_table}\" SET \"{column}\" = $1 WHERE \"{column}\" = $2"
        );
        execute(tx, &sql, vec![winner_id.into(), loser.into()]).await?;
        left |= any_child(tx, child_table, column, loser).await?;
    }
    execute(
        tx,
        "DELETE FROM sync_pending WHERE tbl = $1 AND row_id = $2",
        vec![table.into(), loser.into()],
    )
    .await?;
    if left {
        let sql = format!(
            "UPDATE \"{table}\" SET remote_id = NULL, dirty = FALSE, deleted_at = $1 WHERE \"{id}\" = $2"
        );
        return execute(tx, &sql, vec![Millis(now_ms).to_utc().into(), loser.into()]).await;
    }
    execute(
        tx,
        &format!("DELETE FROM \"{table}\" WHERE \"{id}\" = $1"),
        vec![loser.into()],
    )
    .await
}

async fn find(
    tx: &DatabaseTransaction,
    table: &str,
    id: &str,
    remote_id: &str,
) -> Result<Option<i64>, DbErr> {
    let sql =
        format!("SELECT CAST(\"{id}\" AS BIGINT) AS id FROM \"{table}\" WHERE remote_id = $1");
    let row = tx
        .query_one_raw(Statement::from_sql_and_values(
            tx.get_database_backend(),
            sql,
            [remote_id.into()],
        ))
        .await?;
    row.map(|row| row.try_get("", "id")).transpose()
}

async fn any_child(
    tx: &DatabaseTransaction,
    table: &str,
    column: &str,
    parent: i64,
) -> Result<bool, DbErr> {
    let sql = format!("SELECT 1 AS one FROM \"{table}\" WHERE \"{column}\" = $1 LIMIT 1");
    let row = tx
        .query_one_raw(Statement::from_sql_and_values(
            tx.get_database_backend(),
            sql,
            [parent.into()],
        ))
        .await?;
    Ok(row.is_some())
}
