//! Taking over a table that has rows already.

use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement};

use super::{
    Side,
    capture::{quoted, text},
    tables::columns,
};
use crate::{
    planted::{Bug, planted},
    registry::{OnDelete, Registered, Registry},
    shape::{DELETED_AT, Shape},
};

/// Adds the columns every synced table has, where they are missing.
pub(super) async fn add_sync_columns<C: ConnectionTrait>(db: &C, table: &str) -> Result<(), DbErr> {
    let there = columns(db, table).await?;
    if there.is_empty() {
        return Err(DbErr::Migration(format!(
            "there is no table `{table}`: create it before its sync is installed"
        )));
    }
    let time = match db.get_database_backend() {
        DbBackend::Sqlite => "DATETIME",
        _ => "TIMESTAMPTZ",
    };
    let wanted = [
        ("remote_id", "TEXT"),
        ("dirty", "BOOLEAN DEFAULT FALSE"),
        ("updated_at", time),
        (DELETED_AT, time),
    ];
    for (column, kind) in wanted
        .iter()
        .filter(|(column, _)| !there.iter().any(|c| c == column))
    {
        db.execute_unprepared(&format!(
            "ALTER TABLE {} ADD COLUMN {column} {kind}",
            quoted(table)
        ))
        .await?;
    }
    Ok(())
}

/// Makes every row that is there already a pending change, so that it goes out at the first sync.
///
/// What an earlier sync left in `remote_id` names nothing here and is forgotten.
pub(super) async fn enqueue_rows<C: ConnectionTrait>(db: &C, shape: &Shape) -> Result<(), DbErr> {
    let (table, id, word) = (quoted(shape.table), quoted(shape.id), text(shape.table));
    let edited_at = edited_at(db.get_database_backend());
    db.execute_unprepared(&format!(
        "INSERT INTO sync_pending (tbl, row_id, register, base, edited_at, edits, sent)
         SELECT {word}, {id}, '*', NULL, {edited_at}, 1, 0 FROM {table} WHERE true
         ON CONFLICT (tbl, row_id, register) DO NOTHING"
    ))
    .await?;
    db.execute_unprepared(&format!(
        "UPDATE {table} SET remote_id = NULL, dirty = TRUE"
    ))
    .await
    .map(|_| ())
}

/// Makes pending what was written while the table had no triggers, as far as the rows tell: those
/// without a name, those an application marked dirty, and those it stamped after the last sync.
pub(super) async fn enqueue_missed<C: ConnectionTrait>(
    db: &C,
    side: Side,
    shape: &Shape,
) -> Result<(), DbErr> {
    let (table, id, word) = (quoted(shape.table), quoted(shape.id), text(shape.table));
    let edited_at = edited_at(db.get_database_backend());
    // Rows of an account that is set aside have no name for now.
    let (since, parked) = match side {
        Side::Device => (
            format!(" OR {edited_at} > (SELECT last_sync_ms FROM sync_state WHERE id = 1)"),
            format!(
                " AND NOT EXISTS (SELECT 1 FROM sync_parked k WHERE k.tbl = {word} AND k.row_id = {table}.{id})"
            ),
        ),
        Side::Server => (String::new(), String::new()),
    };
    db.execute_unprepared(&format!(
        "INSERT INTO sync_pending (tbl, row_id, register, base, edited_at, edits, sent)
         SELECT {word}, {id}, '*', NULL, {edited_at}, 1, 0 FROM {table}
         WHERE (dirty OR (remote_id IS NULL AND deleted_at IS NULL{parked}){since})
           AND NOT EXISTS (SELECT 1 FROM sync_pending p WHERE p.tbl = {word} AND p.row_id = {table}.{id})
         ON CONFLICT (tbl, row_id, register) DO NOTHING"
    ))
    .await?;
    db.execute_unprepared(&format!(
        "UPDATE {table} SET dirty = TRUE WHERE EXISTS
           (SELECT 1 FROM sync_pending p WHERE p.tbl = {word} AND p.row_id = {table}.{id})"
    ))
    .await
    .map(|_| ())
}

/// Makes pending what a program wrote into columns before they were captured, as far as the rows tell: those
/// stamped after the last sync whose value is not what every row got with the column. On a device.
pub(super) async fn enqueue_gained<C: ConnectionTrait>(
    db: &C,
    shape: &Shape,
    gained: &[&str],
) -> Result<(), DbErr> {
    let (table, id, word) = (quoted(shape.table), quoted(shape.id), text(shape.table));
    let edited_at = edited_at(db.get_database_backend());
    for column in gained {
        let Some(register) = shape.register_of(column) else {
            continue;
        };
        let (name, column) = (text(shape.registers[register].name), quoted(column));
        let default = default_of(db, shape.table, &column).await?;
        db.execute_unprepared(&format!(
            "INSERT INTO sync_pending (tbl, row_id, register, base, edited_at, edits, sent)
             SELECT {word}, {id}, {name}, NULL, {edited_at}, 1, 0 FROM {table}
             WHERE remote_id IS NOT NULL AND {column} IS NOT NULL AND {column} IS NOT ({default})
               AND {edited_at} > (SELECT last_sync_ms FROM sync_state WHERE id = 1)
             ON CONFLICT (tbl, row_id, register) DO NOTHING"
        ))
        .await?;
    }
    if gained.is_empty() {
        return Ok(());
    }
    db.execute_unprepared(&format!(
        "UPDATE {table} SET dirty = TRUE WHERE NOT coalesce(dirty, FALSE) AND EXISTS
           (SELECT 1 FROM sync_pending p WHERE p.tbl = {word} AND p.row_id = {table}.{id})"
    ))
    .await
    .map(|_| ())
}

/// What a column's rows have where nothing was said, as SQL.
async fn default_of<C: ConnectionTrait>(
    db: &C,
    table: &str,
    column: &str,
) -> Result<String, DbErr> {
    let sql =
        "SELECT coalesce(dflt_value, 'NULL') AS dflt FROM pragma_table_info($1) WHERE name = $2";
    let values = [table.into(), column.trim_matches('"').into()];
    let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, values);
    match db.query_one_raw(statement).await? {
        Some(row) => row.try_get("", "dflt"),
        None => Ok("NULL".to_owned()),
    }
}

/// When a row was last edited, in milliseconds, by what it says itself.
fn edited_at(backend: DbBackend) -> &'static str {
    match backend {
        DbBackend::Sqlite => {
            "max(0, coalesce(CAST(round((julianday(updated_at) - 2440587.5) * 86400000.0) AS INTEGER), 0))"
        }
        _ => "greatest(0, coalesce(floor(extract(epoch FROM updated_at) * 1000)::bigint, 0))",
    }
}

/// Keeps two live rows from being the same thing: one partial unique index for each natural key.
///
/// A table that has such duplicates, or its own UNIQUE constraint, keeps what it has.
pub(super) async fn add_natural_keys<C: ConnectionTrait>(
    db: &C,
    registered: &Registered,
) -> Result<(), DbErr> {
    let shape = registered.shape;
    for key in shape.natural_keys {
        let columns: Vec<String> = key.iter().map(|c| quoted(c)).collect();
        let columns = columns.join(", ");
        let not_null: Vec<String> = key
            .iter()
            .map(|c| format!("{} IS NOT NULL", quoted(c)))
            .collect();
        let twice = format!(
            "SELECT 1 AS one FROM {} WHERE deleted_at IS NULL AND {} GROUP BY {columns} HAVING count(*) > 1 LIMIT 1",
            quoted(shape.table),
            not_null.join(" AND ")
        );
        let backend = db.get_database_backend();
        if db
            .query_one_raw(Statement::from_string(backend, twice))
            .await?
            .is_none()
        {
            let live = match planted(Bug::PlainUniqueIndex) {
                false => " WHERE deleted_at IS NULL",
                true => "",
            };
            db.execute_unprepared(&format!(
                "CREATE UNIQUE INDEX IF NOT EXISTS {} ON {} ({columns}){live}",
                quoted(&format!("sync_{}_{}_live", shape.table, key.join("_"))),
                quoted(shape.table)
            ))
            .await?;
        }
    }
    Ok(())
}

/// Keeps two rows of a device from having one name.
pub(super) async fn add_names<C: ConnectionTrait>(db: &C, table: &str) -> Result<(), DbErr> {
    let sql = format!(
        "CREATE UNIQUE INDEX IF NOT EXISTS \"sync_{table}_remote_id\" ON {} (remote_id)",
        quoted(table)
    );
    db.execute_unprepared(&sql).await.map(|_| ())
}

/// Deletes the live children of rows that were deleted before there were triggers to see to it, with
/// their parent's stamp, so that they come back with it.
pub(super) async fn delete_orphans<C: ConnectionTrait>(
    db: &C,
    registry: &Registry,
) -> Result<(), DbErr> {
    for child in registry.tables() {
        for target in child
            .targets
            .iter()
            .filter(|target| target.on_delete == OnDelete::Cascade)
        {
            let (table, column) = (quoted(child.shape.table), quoted(target.column));
            let (parent, id) = (quoted(&target.table), quoted(&target.id));
            db.execute_unprepared(&format!(
                "UPDATE {table} SET deleted_at =
                   (SELECT p.deleted_at FROM {parent} p WHERE p.{id} = {table}.{column})
                 WHERE deleted_at IS NULL AND EXISTS (SELECT 1 FROM {parent} p
                   WHERE p.{id} = {table}.{column} AND p.deleted_at IS NOT NULL)"
            ))
            .await?;
        }
    }
    Ok(())
}
