//! The operating system's keyring: macOS Keychain, Windows Credential Manager, the Secret Service elsewhere.

use std::{sync::Arc, time::Duration};

use ::keyring::v1::{Entry, Error};

/// What the entries are filed under.
const SERVICE: &str = "zentrio-sync";
/// How long is waited for a keyring: it may be asking somebody for a password that nobody types.
const PATIENCE: Duration = Duration::from_secs(10);
/// Says where keys are kept: `file`, or anything else for the keyring where there is one.
const VARIABLE: &str = "ZENTRIO_KEY_STORE";

/// Keeps small secrets.
pub trait Keyring: Send + Sync {
    /// What is kept under a name.
    ///
    /// # Errors
    /// If the keyring is not there, or is locked.
    fn get(&self, name: &str) -> Result<Option<Vec<u8>>, KeyringError>;

    /// Keeps something under a name.
    ///
    /// # Errors
    /// If the keyring is not there, or is locked.
    fn set(&self, name: &str, secret: &[u8]) -> Result<(), KeyringError>;
}

/// The keyring cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the keyring cannot be used: {0}")]
pub struct KeyringError(String);

impl KeyringError {
    /// What is the matter, in a few words.
    #[must_use]
    pub fn new(what: impl Into<String>) -> Self {
        Self(what.into())
    }
}

/// The one of the operating system.
#[derive(Clone, Copy, Debug)]
pub struct SystemKeyring;

impl SystemKeyring {
    /// The keyring, if this looks like a session that has one and the environment does not say otherwise.
    #[must_use]
    pub fn if_any() -> Option<Arc<dyn Keyring>> {
        let is_wanted = std::env::var_os(VARIABLE).is_none_or(|value| value != "file");
        (is_wanted && may_be_there()).then(|| Arc::new(Self) as Arc<dyn Keyring>)
    }
}

/// Without a session bus there is no Secret Service, and looking for it would take long.
#[cfg(all(unix, not(target_os = "macos")))]
fn may_be_there() -> bool {
    std::env::var_os("DBUS_SESSION_BUS_ADDRESS").is_some_and(|address| !address.is_empty())
}

#[cfg(not(all(unix, not(target_os = "macos"))))]
fn may_be_there() -> bool {
    true
}

impl Keyring for SystemKeyring {
    fn get(&self, name: &str) -> Result<Option<Vec<u8>>, KeyringError> {
        match Entry::new(SERVICE, name).and_then(|entry| entry.get_secret()) {
            Ok(secret) => Ok(Some(secret)),
            Err(Error::NoEntry) => Ok(None),
            Err(error) => Err(KeyringError(error.to_string())),
        }
    }

    fn set(&self, name: &str, secret: &[u8]) -> Result<(), KeyringError> {
        let set = Entry::new(SERVICE, name).and_then(|entry| entry.set_secret(secret));
        set.map_err(|error| KeyringError(error.to_string()))
    }
}

/// Asks a keyring, which may block, and gives it up if it takes too long.
pub(crate) async fn ask<T: Send + 'static>(
    keyring: &Arc<dyn Keyring>,
    question: impl FnOnce(&dyn Keyring) -> Result<T, KeyringError> + Send + 'static,
) -> Result<T, KeyringError> {
    let keyring = keyring.clone();
    let asked = tokio::task::spawn_blocking(move || question(&*keyring));
    match tokio::time::timeout(PATIENCE, asked).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(_)) => Err(KeyringError("it panicked".to_owned())),
        Err(_) => Err(KeyringError("it does not answer".to_owned())),
    }
}
