//! What rows are called by those who made them: an id means nothing to them.

use std::collections::HashMap;

use sea_orm::{ConnectionTrait, Statement};
use sync_core::device::RejectedRow;

use super::PageState;

/// Names of rows, by table and primary key.
pub(super) type Labels = HashMap<(String, i64), String>;

/// Most letters of a name that are shown.
const LONGEST: usize = 60;

/// The column in which people name a row of a table.
fn column(table: &str) -> Option<&'static str> {
    match table {
        "profiles" | "settings_profiles" | "lists" => Some("name"),
        "list_items" | "watch_history" => Some("title"),
        _ => None,
    }
}

impl PageState {
    /// The names of rows that the server has not taken. One that cannot be told is left out.
    pub(super) async fn labels(&self, rows: &[RejectedRow]) -> Labels {
        let mut labels = Labels::new();
        for RejectedRow { table, row_id, .. } in rows {
            let Some(column) = column(table) else {
                continue;
            };
            let db = self.sync.adapter().device().db();
            let sql = format!(
                "SELECT substr({column}, 1, {LONGEST}) AS label FROM {table} WHERE id = $1"
            );
            let backend = db.get_database_backend();
            let asked = Statement::from_sql_and_values(backend, sql, [(*row_id).into()]);
            let row = db.query_one_raw(asked).await.ok().flatten();
            if let Some(label) = row.and_then(|row| row.try_get::<String>("", "label").ok()) {
                labels.insert((table.clone(), *row_id), label);
            }
        }
        labels
    }
}
