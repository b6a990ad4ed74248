//! What a database holds, as text that reads the same on both kinds.

use anyhow::{Context, Result};
use sea_orm::{ConnectionTrait, DatabaseConnection, QueryResult, Statement};

/// The rows of a query, each as one text: its columns as the database writes them, joined by `|`.
///
/// # Errors
/// What the database says.
pub async fn text_rows(db: &DatabaseConnection, query: &str) -> Result<Vec<String>> {
    let some = all(db, &format!("SELECT * FROM ({query}) AS q LIMIT 1")).await?;
    let Some(columns) = some.first().map(QueryResult::column_names) else {
        return Ok(Vec::new());
    };
    let text = |column: &String| format!("coalesce(CAST(\"{column}\" AS TEXT), 'NULL')");
    let columns: Vec<String> = columns.iter().map(text).collect();
    let columns = columns.join(" || '|' || ");
    let rows = all(db, &format!("SELECT {columns} AS line FROM ({query}) AS q")).await?;
    rows.iter()
        .map(|row| Ok(row.try_get("", "line")?))
        .collect()
}

/// The one row of a query.
///
/// # Errors
/// If there is not exactly one.
pub async fn text_row(db: &DatabaseConnection, query: &str) -> Result<String> {
    let mut rows = text_rows(db, query).await?;
    anyhow::ensure!(
        rows.len() == 1,
        "{} rows from {query}: {rows:?}",
        rows.len()
    );
    Ok(rows.remove(0))
}

async fn all(db: &DatabaseConnection, sql: &str) -> Result<Vec<QueryResult>> {
    let statement = Statement::from_string(db.get_database_backend(), sql);
    db.query_all_raw(statement)
        .await
        .with_context(|| sql.to_owned())
}
