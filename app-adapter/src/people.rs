//! What a person asks of a database when something looks wrong: explain a row, give up or retry what was
//! refused, have the whole looked over.

use sync_core::{
    SyncError, Transport,
    device::{Diagnosis, Discarded, Explanation, Observer, QuarantinedRow, Retried, RowId},
};

use crate::{Adapter, AdapterError};

/// A row as a person names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowName {
    /// The table.
    pub table: String,
    /// Its primary key here, or its `remote_id`.
    pub id: String,
}

impl RowName {
    fn id(&self) -> Result<RowId, AdapterError> {
        let bad = || AdapterError::RowId {
            text: self.id.clone(),
        };
        RowId::parse(&self.id).ok_or_else(bad)
    }
}

impl Adapter {
    /// Explains one row: what it holds here and at the server, who set it, what is pending. Where the server
    /// is not reached, what this database knows.
    ///
    /// # Errors
    /// If there is no such row, or the database fails.
    pub async fn explain(&self, row: &RowName) -> Result<Explanation, AdapterError> {
        let (id, transport) = (row.id()?, self.transport_if_any().await?);
        let transport = transport.as_deref();
        Ok(self.device().explain(transport, &row.table, &id).await?)
    }

    /// Drops what is pending of a row and takes the server's form of it. `confirmed` says that a row which the
    /// server never had may go.
    ///
    /// # Errors
    /// If there is no such row or no usable login, the server is not reached, or the database fails; then
    /// nothing has changed.
    pub async fn discard(&self, row: &RowName, confirmed: bool) -> Result<Discarded, AdapterError> {
        let (id, transport) = (row.id()?, self.transport().await?);
        let discarded = self
            .device()
            .discard(&*transport, &row.table, &id, confirmed);
        Ok(discarded.await?)
    }

    /// Tries once more to write what was set aside, of all rows or of one, and tells what the next sync sends
    /// again. Asks no server.
    ///
    /// # Errors
    /// If there is no such row, or the database fails.
    pub async fn retry(&self, row: Option<&RowName>) -> Result<Retried, AdapterError> {
        match row {
            None => Ok(self.device().retry(None).await?),
            Some(row) => Ok(self.device().retry(Some((&row.table, &row.id()?))).await?),
        }
    }

    /// Does without a row of the server that cannot be written here, until it changes there. Gives the row's
    /// name; none if no such row was waiting.
    ///
    /// # Errors
    /// If it cannot be a row's name, or the database fails.
    pub async fn leave_out(&self, row: &RowName) -> Result<Option<String>, AdapterError> {
        let id = row.id()?;
        let waiting = self.device().status().await?.quarantined;
        let is_meant = |waits: &&QuarantinedRow| match &id {
            RowId::Here(id) => waits.row_id == Some(*id),
            RowId::Name(name) => waits.remote_id == *name,
        };
        let mut waiting = waiting.iter().filter(|waits| waits.table == row.table);
        let Some(meant) = waiting.find(is_meant) else {
            return Ok(None);
        };
        let left_out = self.device().leave_out(&row.table, &meant.remote_id);
        Ok(left_out.await?.then(|| meant.remote_id.clone()))
    }

    /// Looks the database over and compares it with the server; mends what is wrong if `mend` says so.
    ///
    /// # Errors
    /// If the database fails, or is being synced.
    pub async fn doctor(
        &self,
        mend: bool,
        observer: Observer<'_>,
    ) -> Result<Diagnosis, AdapterError> {
        let transport = self.transport_if_any().await?;
        Ok(self
            .device()
            .doctor(transport.as_deref(), mend, observer)
            .await?)
    }

    async fn transport_if_any(&self) -> Result<Option<Box<dyn Transport>>, AdapterError> {
        match self.transport().await {
            Ok(transport) => Ok(Some(transport)),
            Err(AdapterError::LoginUnreadable | AdapterError::Sync(SyncError::NotConnected)) => {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}
