//! Where the key of a login is kept: in the operating system's keyring where there is one, else in a file
//! beside the database. Chosen at each login; the sealed login says which it was.

use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use crate::{
    error::AdapterError,
    key_file::KeyFile,
    keyring::{self, Keyring, KeyringError},
    seal::{KEY_BYTES, Kept, Key},
};

/// Where the key of one database can be kept.
#[derive(Clone)]
pub(crate) struct KeyStore {
    file: KeyFile,
    keyring: Option<Arc<dyn Keyring>>,
    /// What the keyring has told: it need not be asked for each request.
    told: Arc<Mutex<Option<(String, Key)>>>,
}

impl KeyStore {
    pub(crate) fn new(database: &Path, keyring: Option<Arc<dyn Keyring>>) -> Self {
        Self {
            file: KeyFile::beside(database),
            keyring,
            told: Arc::default(),
        }
    }

    /// The key for a new login of this installation, and where it is kept.
    pub(crate) async fn for_login(&self, device_id: &str) -> Result<(Key, Kept), AdapterError> {
        if let Some(keyring) = &self.keyring {
            let name = device_id.to_owned();
            match keyring::ask(keyring, move |keyring| get_or_create(keyring, &name)).await {
                Ok(key) => {
                    self.remember(device_id, &key);
                    return Ok((key, Kept::InKeyring));
                }
                Err(error) => tracing::info!(%error, "the key goes into a file instead"),
            }
        }
        Ok((self.file.load_or_create()?, Kept::InFile))
    }

    /// The key that a login was sealed with; none if it is not there any more, or cannot be had.
    pub(crate) async fn load(
        &self,
        kept: Kept,
        device_id: &str,
    ) -> Result<Option<Key>, AdapterError> {
        let keyring = match (kept, &self.keyring) {
            (Kept::InFile, _) => return self.file.load(),
            (Kept::InKeyring, None) => return Ok(None),
            (Kept::InKeyring, Some(keyring)) => keyring,
        };
        if let Some(key) = self.remembered(device_id) {
            return Ok(Some(key));
        }
        let name = device_id.to_owned();
        match keyring::ask(keyring, move |keyring| get(keyring, &name)).await {
            Ok(key) => {
                if let Some(key) = &key {
                    self.remember(device_id, key);
                }
                Ok(key)
            }
            Err(error) => {
                tracing::warn!(%error, "the login cannot be opened");
                Ok(None)
            }
        }
    }

    fn remembered(&self, device_id: &str) -> Option<Key> {
        let told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let (name, key) = told.as_ref()?;
        (name == device_id).then(|| key.clone())
    }

    fn remember(&self, device_id: &str, key: &Key) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        *told = Some((device_id.to_owned(), key.clone()));
    }
}

/// What is no key of ours is as good as none.
fn get(keyring: &dyn Keyring, name: &str) -> Result<Option<Key>, KeyringError> {
    let kept = keyring.get(name)?;
    Ok(kept.and_then(|bytes| bytes.try_into().ok()).map(Key::new))
}

fn get_or_create(keyring: &dyn Keyring, name: &str) -> Result<Key, KeyringError> {
    if let Some(key) = get(keyring, name)? {
        return Ok(key);
    }
    let key: [u8; KEY_BYTES] = rand::random();
    keyring.set(name, &key)?;
    Ok(Key::new(key))
}
