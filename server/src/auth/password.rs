//! Checking passwords without stopping the server, and without telling who has an account.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    task, time,
};

use super::hash::{self, Form};
use crate::Error;

/// How long a login waits for its turn before it is told to come again.
const PATIENCE: Duration = Duration::from_secs(15);

/// Hashes and verifies passwords, a bounded number at a time.
///
/// Each costs tens of milliseconds of a core and tens of megabytes, so without the bound a burst of
/// logins would starve everything else.
#[derive(Debug)]
pub(crate) struct Passwords {
    turns: Arc<Semaphore>,
    /// Whether this database has hashes of the adopted form. From then on every check does the work of
    /// both forms, so that the time taken tells neither who has an account nor how old it is.
    adopted: AtomicBool,
}

impl Passwords {
    /// Takes as many turns at once as there are cores, less one for everything else.
    pub(crate) fn new(adopted: bool) -> Self {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        Self {
            turns: Arc::new(Semaphore::new(cores.saturating_sub(1).max(1))),
            adopted: AtomicBool::new(adopted),
        }
    }

    /// The hash to store for a new password.
    pub(crate) async fn hash(&self, password: String) -> Result<String, Error> {
        self.in_turn(move || hash::hash(&password)).await?
    }

    /// Whether the password fits `stored`; with nothing stored it fits not, and takes as long to say so.
    pub(crate) async fn verify(
        &self,
        password: String,
        stored: Option<String>,
    ) -> Result<bool, Error> {
        let form = stored.as_deref().map(Form::of);
        if form == Some(Form::Scrypt) {
            self.adopted.store(true, Ordering::Relaxed);
        }
        let adopted = self.adopted.load(Ordering::Relaxed);
        self.in_turn(move || {
            let stored_as = |wanted| stored.as_deref().filter(|_| form == Some(wanted));
            let argon2 = stored_as(Form::Argon2).unwrap_or(hash::NOBODYS_ARGON2);
            let scrypt = stored_as(Form::Scrypt).unwrap_or(hash::NOBODYS_SCRYPT);
            // Both are always computed: `||` between the calls would skip the second.
            let fits = hash::verify(&password, argon2);
            let fits_adopted = adopted && hash::verify(&password, scrypt);
            fits || fits_adopted
        })
        .await
    }

    /// Runs `work` off the async threads. The turn ends with the work, even if nobody waits for it any more.
    async fn in_turn<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Error> {
        let turn = self.turn().await?;
        let work = move || {
            let _turn = turn;
            work()
        };
        Ok(task::spawn_blocking(work).await?)
    }

    async fn turn(&self) -> Result<OwnedSemaphorePermit, Error> {
        match time::timeout(PATIENCE, self.turns.clone().acquire_owned()).await {
            Ok(Ok(turn)) => Ok(turn),
            Ok(Err(_)) | Err(_) => Err(Error::Busy("too many logins at once")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn nothing_fits_an_unknown_user() {
        let passwords = Passwords::new(false);
        assert!(!passwords.verify(String::new(), None).await.expect("verify"));
        let stored = passwords.hash("a password".into()).await.expect("hash");
        assert!(
            passwords
                .verify("a password".into(), Some(stored.clone()))
                .await
                .expect("verify")
        );
        assert!(
            !passwords
                .verify("another".into(), Some(stored))
                .await
                .expect("verify")
        );
    }
}
