//! The feed in pages of any size, and cursors of any kind.

mod batches;
mod between;
mod cursors;
mod one_row;
mod sizes;

use anyhow::Result;
use sync_core::{
    protocol::PullPage,
    server::{Caller, PullQuery, ServerError},
};
use sync_tests::{Scene, scene::USER};

/// One page as a device gets it.
pub(crate) async fn page(
    scene: &Scene,
    cursor: Option<&str>,
    limit: u32,
) -> Result<PullPage, ServerError> {
    let caller = Caller {
        user_id: USER.to_owned(),
        device: 1,
    };
    let query = PullQuery {
        cursor: cursor.map(str::to_owned),
        limit: Some(limit),
        ..PullQuery::default()
    };
    scene.server.engine.pull(&caller, &query).await
}

/// The names of the rows of a page, table by table.
pub(crate) fn names(page: &PullPage) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for table in &page.tables {
        let rows: Vec<serde_json::Value> = serde_json::from_str(table.rows.get())?;
        let name = |row: &serde_json::Value| {
            format!(
                "{} {}",
                table.table,
                row["remote_id"].as_str().unwrap_or_default()
            )
        };
        names.extend(rows.iter().map(name));
    }
    Ok(names)
}

/// Every page from the beginning: the rows of each.
pub(crate) async fn all_pages(scene: &Scene, limit: u32) -> Result<Vec<Vec<String>>> {
    let (mut pages, mut cursor) = (Vec::new(), None);
    loop {
        let next = page(scene, cursor.as_deref(), limit).await?;
        pages.push(names(&next)?);
        if !next.has_more {
            return Ok(pages);
        }
        cursor = Some(next.cursor);
    }
}
