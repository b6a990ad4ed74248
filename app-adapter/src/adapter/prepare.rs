//! Connecting in two steps: a login and a look at what it would mean, and then the deed.

use sync_core::{
    Device, Millis,
    device::{Connection, LocalRows, State},
};

use super::{Adapter, Connect, Connected, known::Known, other_account};
use crate::{
    account,
    error::AdapterError,
    login::{self, Account, Session},
    seal::Purpose,
};

/// What becomes of the data that a database holds when an account is connected that it is not tied to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LocalData {
    /// Data of another account is not touched without an answer; data of nobody's account becomes this one's.
    #[default]
    Ask,
    /// It becomes the account's, one with what the account has where that is the same thing.
    Merge,
    /// It stays in the database, unsynced, as another user's.
    SetAside,
}

/// A login that is done, and waits to be used: [`Adapter::finish`] or [`Adapter::cancel`] it. Shows no token.
pub struct Prepared {
    pub(super) url: String,
    pub(super) account: Account,
    /// The account's email address, if it is known.
    pub(super) email: Option<String>,
    pub(super) token: String,
    /// The database as it was then.
    pub(super) state: State,
    pub(super) tie: Tie,
    pub(super) users: Users,
}

/// Whose rows are the account's.
#[derive(Clone, Debug)]
pub(super) struct Users {
    /// If the local data is merged.
    pub(super) merged: String,
    /// If it is set aside.
    apart: String,
}

/// What the database is to an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tie {
    /// It is tied to none.
    Free,
    /// It is this one's.
    Same,
    /// It is another's.
    Other,
}

impl std::fmt::Debug for Prepared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Prepared")
            .field("url", &self.url)
            .field("account", &self.account.id)
            .field("tie", &self.tie)
            .finish_non_exhaustive()
    }
}

impl Prepared {
    fn user(&self, local_data: LocalData) -> &str {
        match local_data {
            LocalData::SetAside => &self.users.apart,
            LocalData::Ask | LocalData::Merge => &self.users.merged,
        }
    }
}

impl Adapter {
    /// Logs in at a server, and changes nothing here yet.
    ///
    /// # Errors
    /// If the login fails, or it is not clear whose data is to be the account's.
    pub async fn prepare(&self, wanted: &Connect) -> Result<Prepared, AdapterError> {
        self.prepare_for(wanted, false).await
    }

    /// The same; if nobody can be asked, another account's database costs no token.
    pub(super) async fn prepare_for(
        &self,
        wanted: &Connect,
        nobody_to_ask: bool,
    ) -> Result<Prepared, AdapterError> {
        let transport = self.network.transport(wanted.url.as_str(), None)?;
        let session = Session::begin(&*transport, &wanted.email, &wanted.password).await?;
        let state = self.device.state().await?;
        let prepared = match nobody_to_ask && is_certainly_another(&state, &session.account.id) {
            true => Err(other_account(&state)),
            false => self.prepare_session(&session, wanted, state).await,
        };
        session.end().await;
        prepared
    }

    async fn prepare_session(
        &self,
        session: &Session<'_>,
        wanted: &Connect,
        state: State,
    ) -> Result<Prepared, AdapterError> {
        let account = session.account.clone();
        let named = wanted.local_user.as_deref();
        let users = self
            .users(&state, &account.id, named, wanted.local_data)
            .await?;
        let device_id = self.device.device_id().await?;
        let token = session.sync_token(&device_id, &wanted.device_name).await?;
        let mut prepared = Prepared {
            url: wanted.url.as_str().to_owned(),
            email: Some(account.email.clone()),
            account,
            token,
            state,
            tie: Tie::Free,
            users,
        };
        if let Err(error) = self.look_at(&mut prepared).await {
            self.cancel(prepared).await;
            return Err(error);
        }
        Ok(prepared)
    }

    /// Whose rows could be the account's.
    pub(super) async fn users(
        &self,
        state: &State,
        account_id: &str,
        named: Option<&str>,
        local_data: LocalData,
    ) -> Result<Users, AdapterError> {
        let db = self.device.db();
        let is_apart = local_data == LocalData::SetAside;
        // Whoever is tied stays tied, unless his data is left behind.
        let (tied, of_all) = (state.local_user_id.clone(), named.filter(|_| !is_apart));
        let merged = match account::choose(db, account_id, tied, of_all).await {
            // Whose data it is does not matter where all of it is left alone.
            Err(AdapterError::SeveralLocalUsers { .. }) if is_apart => String::new(),
            merged => merged?,
        };
        // Whose data stays as it is: that of all who were set aside earlier, too.
        let parked = self.device.parked_accounts().await?.into_iter();
        let mut left: Vec<String> = parked.map(|parked| parked.local_user_id).collect();
        if state.is_tied() || self.device.n_rows_of(&merged).await? > 0 {
            left.push(merged.clone());
        }
        let apart = match left.is_empty() && !merged.is_empty() {
            true => merged.clone(),
            false => account::apart(db, account_id, &left, named.filter(|_| is_apart)).await?,
        };
        Ok(Users { merged, apart })
    }

    /// Finds out what the database is to the account, and whether data of it was set aside here.
    pub(super) async fn look_at(&self, prepared: &mut Prepared) -> Result<(), AdapterError> {
        let parked = self.device.parked_accounts().await?;
        let synced = Known::of(&prepared.state);
        let mut known = synced
            .into_iter()
            .chain(parked.iter().map(Known::of_parked));
        // The same account at another address: only the server knows whether it has moved.
        let may_have_moved = known.any(|known| {
            known.id == Some(&prepared.account.id) && known.url != Some(&prepared.url)
        });
        let epoch = match may_have_moved {
            true => Some(login::epoch(&*self.login(prepared)?).await?),
            false => None,
        };
        let is_it =
            |known: Known<'_>| known.is(&prepared.account.id, &prepared.url, epoch.as_deref());
        let tie = match synced {
            None => Tie::Free,
            Some(known) if is_it(known) => Tie::Same,
            Some(_) => Tie::Other,
        };
        let back = parked.iter().find(|parked| is_it(Known::of_parked(parked)));
        prepared.tie = tie;
        if let Some(back) = back {
            prepared.users.apart.clone_from(&back.local_user_id);
            prepared.users.merged.clone_from(&back.local_user_id);
        }
        Ok(())
    }

    pub(super) fn login(
        &self,
        prepared: &Prepared,
    ) -> Result<Box<dyn sync_core::Transport>, AdapterError> {
        Ok(self
            .network
            .transport(&prepared.url, Some(prepared.token.clone()))?)
    }

    /// Ties the account to the local data. The next sync does the rest.
    ///
    /// # Errors
    /// [`AdapterError::OtherAccount`] if the database is tied to another account and there is no answer what
    /// becomes of its data. Then all is as before, and the login is ended.
    pub async fn finish(
        &self,
        prepared: Prepared,
        local_data: LocalData,
    ) -> Result<Connected, AdapterError> {
        match self.tie(&prepared, local_data).await {
            Ok(connected) => Ok(connected),
            Err(error) => {
                self.cancel(prepared).await;
                Err(error)
            }
        }
    }

    /// Ends a login that is not used.
    pub async fn cancel(&self, mut prepared: Prepared) {
        // Of one device there is one login: the new one has ended the one that is in use.
        let in_use = prepared.tie == Tie::Same && prepared.state.auth_token.is_some();
        if let (true, Some(url)) = (in_use, prepared.state.remote_url.clone()) {
            prepared.url = url;
            if self.tie(&prepared, LocalData::Ask).await.is_ok() {
                return;
            }
        }
        if let Ok(transport) = self.login(&prepared) {
            login::revoke(&*transport).await;
        }
    }

    pub(super) async fn tie(
        &self,
        prepared: &Prepared,
        local_data: LocalData,
    ) -> Result<Connected, AdapterError> {
        if prepared.tie == Tie::Other && local_data == LocalData::Ask {
            return Err(other_account(&prepared.state));
        }
        let device_id = self.device.device_id().await?;
        let (key, kept) = self.key.for_login(&device_id).await?;
        let purpose = Purpose {
            url: &prepared.url,
            user_id: &prepared.account.id,
        };
        let sealed = key.seal(&prepared.token, purpose, kept)?;
        let connection = prepared.connection(local_data, sealed);
        self.tie_device(&self.device, prepared, &connection, local_data)
            .await?;
        Ok(Connected {
            remote_url: connection.remote_url,
            user_id: connection.remote_user_id,
            email: prepared.email.clone().unwrap_or_default(),
            local_user_id: connection.local_user_id,
            // It is done, whatever can be told of it.
            n_pending: self
                .overview()
                .await
                .map_or(0, |overview| overview.n_pending),
            set_aside: (prepared.tie == Tie::Other && local_data == LocalData::SetAside)
                .then(|| super::name_of(&prepared.state)),
        })
    }

    pub(super) async fn tie_device(
        &self,
        device: &Device,
        prepared: &Prepared,
        connection: &Connection,
        local_data: LocalData,
    ) -> Result<(), AdapterError> {
        let now = Millis(self.clock.now_ms());
        let user = &connection.local_user_id;
        account::ensure_user(device.db(), user, &prepared.account, now).await?;
        let local_rows = match (prepared.tie, local_data) {
            (Tie::Other, LocalData::SetAside) => LocalRows::SetAside,
            (Tie::Other, _) => LocalRows::Merge,
            (Tie::Free, LocalData::Merge) => {
                return Ok(device.connect_and_merge(connection).await?);
            }
            _ => return Ok(device.connect(connection).await?),
        };
        Ok(device.switch_account(connection, local_rows).await?)
    }
}

impl Prepared {
    pub(super) fn connection(&self, local_data: LocalData, auth_token: String) -> Connection {
        let local_user_id = match self.tie {
            Tie::Same => self.state.local_user_id.clone().unwrap_or_default(),
            _ => self.user(local_data).to_owned(),
        };
        Connection {
            remote_url: self.url.clone(),
            remote_user_id: self.account.id.clone(),
            email: self.email.clone(),
            auth_token,
            local_user_id,
        }
    }
}

/// Whether no server need be asked to see that the database is another account's.
pub(super) fn is_certainly_another(state: &State, account_id: &str) -> bool {
    state.is_tied() && state.remote_user_id.as_deref() != Some(account_id)
}
