//! What connecting would do, rehearsed on a copy of the database.

use serde::Serialize;
use sync_core::device::Plan;

use super::{Adapter, LocalData, Prepared, name_of, prepare::Tie, url_of};
use crate::{copy::Copy, error::AdapterError};

/// What connecting would do, for a person to choose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Preview {
    /// The server.
    pub remote_url: String,
    /// The account.
    pub user_id: String,
    /// The account's email address.
    pub email: String,
    /// The account that the database is tied to, if it is another one.
    pub other_account: Option<OtherAccount>,
    /// Live rows of the data that is here.
    pub n_local_rows: u64,
    /// What the first sync does if that data becomes the account's.
    pub merge: Plan,
    /// What it does if that data is set aside.
    pub set_aside: Plan,
}

/// Another account that a database is tied to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OtherAccount {
    /// Its email address, or else its id.
    pub name: String,
    /// Its server.
    pub url: String,
    /// Rows with changes that its server does not have.
    pub n_pending: u64,
}

impl Adapter {
    /// What there is to choose; nothing where the data here is this account's, or there is none.
    ///
    /// Both ways are tried on a copy of the database, which is removed again.
    ///
    /// # Errors
    /// If there is no room for the copy, or the account's data cannot be fetched.
    pub async fn preview(&self, prepared: &Prepared) -> Result<Option<Preview>, AdapterError> {
        let local_user = match prepared.tie {
            Tie::Same => return Ok(None),
            Tie::Free => prepared.users.merged.clone(),
            Tie::Other => prepared.state.local_user_id.clone().unwrap_or_default(),
        };
        let n_local_rows = self.device.n_rows_of(&local_user).await?;
        if prepared.tie == Tie::Free && n_local_rows == 0 {
            return Ok(None);
        }
        let other_account = match prepared.tie {
            Tie::Other => Some(OtherAccount {
                name: name_of(&prepared.state),
                url: url_of(&prepared.state),
                n_pending: self.overview().await?.n_pending,
            }),
            _ => None,
        };
        Ok(Some(Preview {
            remote_url: prepared.url.clone(),
            user_id: prepared.account.id.clone(),
            email: prepared.account.email.clone(),
            other_account,
            n_local_rows,
            merge: self.rehearse(prepared, LocalData::Merge).await?,
            set_aside: self.rehearse(prepared, LocalData::SetAside).await?,
        }))
    }

    async fn rehearse(
        &self,
        prepared: &Prepared,
        local_data: LocalData,
    ) -> Result<Plan, AdapterError> {
        let copy = Copy::of(self.device.db(), &self.path).await?;
        let plan = async {
            let device = self.device.on(copy.db.clone());
            let connection = prepared.connection(local_data, "rehearsal".to_owned());
            self.tie_device(&device, prepared, &connection, local_data)
                .await?;
            let transport = self.login(prepared)?;
            Ok(device.rehearse(&*transport).await?)
        };
        let plan = plan.await;
        copy.remove().await;
        plan
    }
}
