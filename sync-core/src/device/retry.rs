//! A person has the rows that were refused tried once more.

use serde::Serialize;

use super::{Device, QuarantinedRow, RejectedRow, RowId};
use crate::error::SyncError;

/// What a retry found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Retried {
    /// Rows that the server did not take: the next sync sends them again.
    pub rejected: Vec<RejectedRow>,
    /// Rows of the server that were set aside and have been written now.
    pub written: Vec<QuarantinedRow>,
    /// Rows of the server that cannot be written now either.
    pub quarantined: Vec<QuarantinedRow>,
}

impl Device {
    /// Tries what the server refused and what was set aside here again, all of it or one row's. What was set
    /// aside is tried at once; what the server refused goes out with the next sync, and is told of until
    /// that has taken it.
    ///
    /// # Errors
    /// If there is no such row, or the database fails.
    pub async fn retry(&self, row: Option<(&str, &RowId)>) -> Result<Retried, SyncError> {
        let only = match row {
            Some((table, id)) => Some(self.locate(&self.db, table, id).await?),
            None => None,
        };
        let is_meant = |table: &str, row_id: Option<i64>, name: Option<&str>| {
            only.as_ref().is_none_or(|row| {
                let same_id = row.row_id.is_some() && row.row_id == row_id;
                let same_name = name.is_some() && row.remote_id.as_deref() == name;
                row.registered.shape.table == table && (same_id || same_name)
            })
        };
        let mut rejected = self.rejected().await?;
        rejected.retain(|r| is_meant(&r.table, Some(r.row_id), r.remote_id.as_deref()));
        let mut written = self.quarantined().await?;
        written.retain(|q| is_meant(&q.table, q.row_id, Some(&q.remote_id)));
        match only
            .as_ref()
            .map(|row| (row.registered.shape.table, &row.remote_id))
        {
            None => self.retry_quarantined(None).await?,
            Some((table, Some(name))) => self.retry_quarantined(Some((table, name))).await?,
            Some((_, None)) => {}
        }
        let mut quarantined = self.quarantined().await?;
        quarantined.retain(|q| is_meant(&q.table, q.row_id, Some(&q.remote_id)));
        written.retain(|was| {
            let mut left = quarantined.iter();
            !left.any(|is| (&is.table, &is.remote_id) == (&was.table, &was.remote_id))
        });
        Ok(Retried {
            rejected,
            written,
            quarantined,
        })
    }
}
