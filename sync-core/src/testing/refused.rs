//! Edits that the database refuses: rightly, because their key is taken, or because it was set up wrongly.

use anyhow::Result;
use sea_orm::{DatabaseConnection, DbErr, SqlErr};

use super::{
    edits::{Edit, NewRow},
    oracles::texts,
};

/// What is wrong with the database that refused this edit, if anything is.
pub(crate) async fn wrongly(
    db: &DatabaseConnection,
    edit: &Edit,
    error: &DbErr,
) -> Result<Option<String>> {
    let taken = matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_)));
    let row = match edit {
        Edit::Insert(row) => row,
        // Where something refers to the row, or its application makes the edit.
        Edit::Delete(_) | Edit::User(_) => return Ok(None),
        _ if taken => return Ok(None),
        _ => return Ok(Some(refuses(&edit.text(), error))),
    };
    if !taken {
        return Ok(Some(refuses(&row.sql, error)));
    }
    if key_is_taken(db, row).await? {
        return Ok(None);
    }
    let table = row.table.name;
    Ok(Some(format!(
        "REFUSED: no live row of `{table}` has the natural key of a new one, and still: {error}. A deleted row \
         must not keep its key, and what is unique has to be a natural key: make the index partial, \
         `WHERE deleted_at IS NULL`, and name its columns in `#[sync(natural_key(..))]`. The row: {}",
        row.sql
    )))
}

fn refuses(sql: &str, error: &DbErr) -> String {
    format!(
        "REFUSED: the database refuses what the entity's types allow: {error}. If only some values are good, \
         give them with `.values(..)`. The edit: {sql}"
    )
}

/// Whether a live row is what the new one would have been.
async fn key_is_taken(db: &DatabaseConnection, row: &NewRow) -> Result<bool> {
    for key in row.table.keys {
        let value = |column: &&str| row.set.iter().find(|(name, _)| name == column);
        let values: Option<Vec<_>> = key.iter().map(value).collect();
        let Some(values) = values else { continue };
        let equal = values
            .iter()
            .map(|(name, value)| format!("\"{name}\" = {value}"));
        let sql = format!(
            "SELECT CAST(count(*) AS TEXT) AS text FROM \"{}\" WHERE deleted_at IS NULL AND {}",
            row.table.name,
            equal.collect::<Vec<_>>().join(" AND ")
        );
        if texts(db, &sql).await? != ["0"] {
            return Ok(true);
        }
    }
    Ok(false)
}
