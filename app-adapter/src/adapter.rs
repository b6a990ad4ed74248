//! One handle on a local database: connect it, sync it, ask how it stands, disconnect it.

use std::{
    path::{Path, PathBuf, absolute},
    sync::{Arc, atomic::AtomicBool},
};

use sea_orm::DbErr;
use serde::Serialize;
use sync_core::{
    Clock, Device, Ids, SyncError, SyncReport, SystemClock, Transport, UuidV7,
    device::{Observer, Restart, State},
};

use crate::{
    background::{Policy, SystemTimer, Timer},
    before_sync, database,
    error::AdapterError,
    key_store::KeyStore,
    keyring::{Keyring, SystemKeyring},
    login::{self, Password},
    network::{Hints, Http, Network},
    seal::{self, Purpose},
    server_url::ServerUrl,
    soundness::{self, Soundness},
    standing::{Login, Overview},
};

/// A local database and what it takes to sync it. Cheap to clone.
#[derive(Clone)]
pub struct Adapter {
    path: PathBuf,
    device: Device,
    key: KeyStore,
    new_copy: Option<PathBuf>,
    clock: Arc<dyn Clock>,
    network: Arc<dyn Network>,
    timer: Arc<dyn Timer>,
    policy: Policy,
    pub(crate) soundness: Soundness,
}

/// What an adapter takes from the world; a test brings its own.
#[derive(Clone)]
pub struct Environment {
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// New names.
    pub ids: Arc<dyn Ids>,
    /// The way to servers.
    pub network: Arc<dyn Network>,
    /// Where the key of the login is kept; none for the file beside the database.
    pub keyring: Option<Arc<dyn Keyring>>,
    /// Waiting, for the background job.
    pub timer: Arc<dyn Timer>,
    /// How often and how patiently the background job syncs.
    pub policy: Policy,
}

impl Default for Environment {
    fn default() -> Self {
        Self {
            clock: Arc::new(SystemClock),
            ids: Arc::new(UuidV7),
            network: Arc::new(Http),
            keyring: SystemKeyring::if_any(),
            timer: Arc::new(SystemTimer::default()),
            policy: Policy::default(),
        }
    }
}

/// What it takes to connect a database to an account.
#[derive(Clone, Debug)]
pub struct Connect {
    /// The server.
    pub url: ServerUrl,
    /// The account's email address.
    pub email: String,
    /// The account's password. It is not kept.
    pub password: Password,
    /// What to call this device in the account's list of devices.
    pub device_name: String,
    /// Whose data to sync, by id or email: needed only where the database holds several users'.
    pub local_user: Option<String>,
    /// What becomes of data that is here and is not the account's yet.
    pub local_data: LocalData,
}

impl Connect {
    /// An account at a server, for a device that goes by this name.
    pub fn new(url: ServerUrl, email: &str, password: Password, device_name: &str) -> Self {
        Self {
            url,
            email: email.to_owned(),
            password,
            device_name: device_name.to_owned(),
            local_user: None,
            local_data: LocalData::default(),
        }
    }
}

/// What a database is connected to now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Connected {
    /// The server.
    pub remote_url: String,
    /// The account.
    pub user_id: String,
    /// The account's email address.
    pub email: String,
    /// Whose local data is synced.
    pub local_user_id: String,
    /// Rows that wait for the next sync.
    pub n_pending: u64,
    /// The account whose data was set aside for this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub set_aside: Option<String>,
}

/// How a disconnect went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Disconnected {
    /// Whether there was a login to forget.
    pub was_connected: bool,
    /// Whether the server knows that the login has ended; if not, it runs out there by itself.
    pub is_revoked: bool,
    /// Rows with changes that the server does not have. They stay, and wait for the next connect.
    pub n_pending: u64,
}

impl Adapter {
    /// Opens the database at `path`: creates it, or adopts the one that is there.
    ///
    /// # Errors
    /// [`AdapterError::File`] if the file cannot be used.
    pub async fn open(path: &Path) -> Result<Self, AdapterError> {
        Self::open_in(path, Environment::default()).await
    }

    /// [`Adapter::open`] with another clock, other names or another way to servers.
    ///
    /// # Errors
    /// [`AdapterError::File`] if the file cannot be used.
    pub async fn open_in(path: &Path, environment: Environment) -> Result<Self, AdapterError> {
        let Environment {
            clock,
            ids,
            network,
            keyring,
            timer,
            policy,
        } = environment;
        let was_left_open = soundness::is_left_open(path);
        let registry = entity::registry()?;
        let database::Opened { db, new_copy } = database::open(path, &registry).await?;
        let device = Device::open(db, registry, clock.clone(), ids).await;
        let device = device.map_err(|e| database::failed(path, e))?;
        Ok(Self {
            path: absolute(path)?,
            device,
            key: KeyStore::new(path, keyring),
            new_copy,
            clock,
            network,
            timer,
            policy,
            soundness: Soundness::of(path, was_left_open),
        })
    }

    /// The copy of the database as it was, if opening it has just adopted it.
    pub fn new_copy(&self) -> Option<&Path> {
        self.new_copy.as_deref()
    }

    /// The engine and the database behind it.
    pub fn device(&self) -> &Device {
        &self.device
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        &*self.clock
    }

    pub(crate) fn timer(&self) -> &dyn Timer {
        &*self.timer
    }

    pub(crate) fn policy(&self) -> Policy {
        self.policy
    }

    /// Logs in at a server and ties the account to the local data. Nothing is synced yet.
    ///
    /// The same account as before goes on where it stopped. The password is sent once and forgotten, the
    /// session it opens is ended, and the sync token is kept sealed. To see what it would do before it is done,
    /// [`Adapter::prepare`] it.
    ///
    /// # Errors
    /// If the login fails, the database is another account's and it is not said what becomes of its data, or it
    /// is not clear whose data is to be the account's; then all is as before.
    pub async fn connect(&self, wanted: &Connect) -> Result<Connected, AdapterError> {
        let nobody_to_ask = wanted.local_data == LocalData::Ask;
        let prepared = self.prepare_for(wanted, nobody_to_ask).await?;
        self.finish(prepared, wanted.local_data).await
    }

    /// Pushes every local change and pulls every change of others. `observer` is told what happens.
    ///
    /// # Errors
    /// If there is no usable login, or the sync did not come to its end. What was done stays done, and the
    /// next one goes on from there.
    pub async fn sync(&self, observer: Observer<'_>) -> Result<SyncReport, AdapterError> {
        let transport = self.transport().await?;
        self.assure().await?;
        Ok(self.device.sync(&*transport, observer).await?)
    }

    /// Says whose rows are right where the server's data is not what this database was synced with. The next
    /// sync begins anew.
    ///
    /// # Errors
    /// If the database fails, is not connected, or is being synced.
    pub async fn restart(&self, restart: Restart) -> Result<(), AdapterError> {
        Ok(self.device.restart(restart).await?)
    }

    /// Where the database stands. Asks no server.
    ///
    /// # Errors
    /// If the database fails, or the key file cannot be read.
    pub async fn overview(&self) -> Result<Overview, AdapterError> {
        let login = match self.unsealed().await {
            Ok(_) => Login::Readable,
            Err(AdapterError::LoginUnreadable) => Login::Unreadable,
            Err(AdapterError::Sync(SyncError::NotConnected)) => Login::None,
            Err(error) => return Err(error),
        };
        let copy = before_sync::latest(&self.path);
        Ok(Overview::new(self.device.status().await?, login).with_copy(copy))
    }

    /// Forgets the login, here and if possible at the server. Every row stays, and so does what was not
    /// pushed yet: the same account goes on later.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn disconnect(&self) -> Result<Disconnected, AdapterError> {
        let was_connected = self.device.state().await?.auth_token.is_some();
        let is_revoked = match self.transport().await {
            Ok(transport) => login::revoke(&*transport).await,
            Err(_) => false,
        };
        self.device.disconnect().await?;
        let n_pending = self.overview().await?.n_pending;
        Ok(Disconnected {
            was_connected,
            is_revoked,
            n_pending,
        })
    }

    /// The way to the server the database is connected to, with its login.
    ///
    /// # Errors
    /// If there is no usable login.
    pub async fn transport(&self) -> Result<Box<dyn Transport>, AdapterError> {
        let Unsealed {
            url,
            user_id,
            token,
        } = self.unsealed().await?;
        Ok(Box::new(Bound {
            inner: self.network.transport(&url, Some(token))?,
            device: self.device.clone(),
            url,
            user_id,
            is_checked: AtomicBool::new(false),
        }))
    }

    /// Hints of the server the database is connected to; none if the network brings none.
    pub(crate) async fn hints(&self) -> Result<Option<Box<dyn Hints>>, AdapterError> {
        let Unsealed { url, token, .. } = self.unsealed().await?;
        Ok(self.network.hints(&url, token).await?)
    }

    async fn unsealed(&self) -> Result<Unsealed, AdapterError> {
        let State {
            auth_token,
            remote_url,
            remote_user_id,
            device_id,
            ..
        } = self.device.state().await?;
        let (Some(sealed), Some(url), Some(user_id)) = (auth_token, remote_url, remote_user_id)
        else {
            return Err(SyncError::NotConnected.into());
        };
        // A plain one is of an older app: it is no login at a server of today.
        let Some(kept) = seal::kept(&sealed) else {
            return Err(SyncError::NotConnected.into());
        };
        let device_id = device_id.unwrap_or_default();
        let key = self.key.load(kept, &device_id).await?;
        let key = key.ok_or(AdapterError::LoginUnreadable)?;
        let token = key.open(
            &sealed,
            Purpose {
                url: &url,
                user_id: &user_id,
            },
        );
        Ok(Unsealed {
            token: token.ok_or(AdapterError::LoginUnreadable)?,
            url,
            user_id,
        })
    }

    /// Closes the database and tidies up the files beside it. Other clones cannot use it any more.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn close(self) -> Result<(), DbErr> {
        self.device.db().clone().close().await
    }
}

/// The login that a database has, unsealed.
struct Unsealed {
    url: String,
    user_id: String,
    token: String,
}

mod bound;
mod grant;
mod known;
mod prepare;
mod preview;
use bound::Bound;
pub use grant::Grant;
pub use prepare::{LocalData, Prepared};
pub use preview::{OtherAccount, Preview};

fn other_account(state: &State) -> AdapterError {
    AdapterError::OtherAccount {
        email: name_of(state),
        url: url_of(state),
    }
}

fn name_of(state: &State) -> String {
    let name = state.email.clone().or(state.remote_user_id.clone());
    name.unwrap_or_else(|| "another account".to_owned())
}

fn url_of(state: &State) -> String {
    let url = state.remote_url.clone();
    url.unwrap_or_else(|| "another server".to_owned())
}

#[cfg(test)]
mod tests;
