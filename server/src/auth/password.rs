//! Checking passwords without stopping the server, and without telling who has an account.

use std::{
    borrow::Cow,
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
    /// Whether the web app reads the hashes of this database, too. Then new ones have the form it knows,
    /// and every check does the work of both forms, so that the time taken tells neither who has an
    /// account nor how old it is.
    shared: AtomicBool,
}

/// The hashes that one check of a password is held against. The same work whoever asks for whom.
#[derive(Debug, PartialEq, Eq)]
struct Checks {
    argon2: Cow<'static, str>,
    scrypt: Option<Cow<'static, str>>,
}

impl Passwords {
    /// Takes as many turns at once as there are cores, less one for everything else.
    pub(crate) fn new(shared: bool) -> Self {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        Self {
            turns: Arc::new(Semaphore::new(cores.saturating_sub(1).max(1))),
            shared: AtomicBool::new(shared),
        }
    }

    /// The hash to store for a new password.
    pub(crate) async fn hash(&self, password: String) -> Result<String, Error> {
        let form = if self.shared.load(Ordering::Relaxed) {
            Form::Scrypt
        } else {
            Form::Argon2
        };
        self.in_turn(move || hash::hash(&password, form)).await?
    }

    /// Whether the password fits `stored`; with nothing stored it fits not, and takes as long to say so.
    pub(crate) async fn verify(
        &self,
        password: String,
        stored: Option<String>,
    ) -> Result<bool, Error> {
        if stored.as_deref().map(Form::of) == Some(Form::Scrypt) {
            self.shared.store(true, Ordering::Relaxed);
        }
        let checks = Checks::of(stored, self.shared.load(Ordering::Relaxed));
        self.in_turn(move || checks.fit(&password)).await
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

impl Checks {
    fn of(stored: Option<String>, shared: bool) -> Self {
        let form = stored.as_deref().map(Form::of);
        let stored = stored.map(Cow::Owned);
        let (argon2, scrypt) = match form {
            Some(Form::Scrypt) => (None, stored),
            _ => (stored, None),
        };
        Self {
            argon2: argon2.unwrap_or(Cow::Borrowed(hash::NOBODYS_ARGON2)),
            scrypt: shared.then(|| scrypt.unwrap_or(Cow::Borrowed(hash::NOBODYS_SCRYPT))),
        }
    }

    fn fit(&self, password: &str) -> bool {
        // Both are always computed: `||` between the calls would skip the second.
        let argon2 = hash::verify(password, &self.argon2);
        let scrypt = self.scrypt.as_ref();
        let scrypt = scrypt.is_some_and(|stored| hash::verify(password, stored));
        argon2 || scrypt
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// T17: how long a check takes depends on the hashes that are computed, and those on nobody.
    #[test]
    fn t17_every_check_is_the_same_work() {
        let argon2 = hash::NOBODYS_ARGON2.replace("$AAAA", "$BBBB");
        let scrypt = hash::NOBODYS_SCRYPT.replace('0', "1");
        let work = |checks: &Checks| {
            let scrypt = checks.scrypt.as_deref();
            (Form::of(&checks.argon2), scrypt.map(Form::of))
        };
        for (shared, expected) in [
            (false, (Form::Argon2, None)),
            (true, (Form::Argon2, Some(Form::Scrypt))),
        ] {
            let known = Checks::of(Some(argon2.clone()), shared);
            assert_eq!(known.argon2, argon2);
            assert_eq!(work(&known), expected);
            assert_eq!(work(&Checks::of(None, shared)), expected);
        }
        let known = Checks::of(Some(scrypt.clone()), true);
        assert_eq!(known.scrypt.as_deref(), Some(scrypt.as_str()));
        assert_eq!(work(&known), (Form::Argon2, Some(Form::Scrypt)));
    }

    #[tokio::test]
    async fn beside_the_web_app_new_hashes_are_as_it_makes_them() {
        for (shared, form) in [(false, Form::Argon2), (true, Form::Scrypt)] {
            let stored = Passwords::new(shared).hash("a password".into()).await;
            assert_eq!(Form::of(&stored.expect("hash")), form);
        }
    }

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
