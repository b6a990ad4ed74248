//! Limits to guessing: which counters an attempt is held against.
//!
//! An attempt to log in is counted three times: for its address whatever the account, for this account
//! from this address, and for this account from anywhere. The first two stop a guesser. The last one is
//! for those who have many addresses, and leaves out addresses from which the account was logged in to
//! before: whatever strangers do elsewhere, the owner's own places are served as ever. Attempts that
//! succeed are not counted. Counters are in the database, so that servers on one database share them.

use sha2::{Digest, Sha256};
use sync_core::{retry::retry, tx};

use super::{hex, pace::Pace, place::Place};
use crate::{
    AppState, Error,
    store::{login_limit, login_place},
    task::detached,
};

const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;

/// Wrong passwords for one account from one address.
const SIGN_IN_HERE: Pace = Pace::new(10, MINUTE);
/// Wrong passwords for any account from one address, behind which there may be many people.
const SIGN_IN_FROM: Pace = Pace::new(30, 20 * SECOND);
/// Wrong passwords for one account from all addresses that are new to it.
const SIGN_IN_TO: Pace = Pace::new(100, 5 * SECOND);
/// New accounts from one address, and attempts to make one: each tells whether an address is taken.
const SIGN_UP_FROM: Pace = Pace::new(30, MINUTE);
/// Wrong passwords by somebody who has a session and wants to change the password.
const CHANGE_OF: Pace = Pace::new(10, MINUTE);
/// Sync tokens of one account.
const TOKENS_OF: Pace = Pace::new(100, 20 * SECOND);

/// How many attempts are counted, more or less, until counters are forgotten that say nothing any more.
const CHARGES_A_TIDYING: u32 = 1_000;

/// One counter, and how much it bears.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Limit {
    key: String,
    pace: Pace,
}

/// An attempt that was let in and counted.
#[derive(Debug)]
pub(crate) struct Attempt(Vec<Limit>);

/// Counts an attempt to log in.
pub(crate) async fn sign_in(
    state: &AppState,
    email: &str,
    place: &Place,
) -> Result<Attempt, Error> {
    let is_known = login_place::is_known(&state.db.read, &place_key(email, place)).await?;
    enter(state, of_sign_in(email, place, is_known)).await
}

/// Counts an attempt to make an account.
pub(crate) async fn sign_up(state: &AppState, place: &Place) -> Result<Attempt, Error> {
    let limit = Limit::new(SIGN_UP_FROM, &["sign-up from", place.as_str()]);
    enter(state, vec![limit]).await
}

/// Counts an attempt to change a password.
pub(crate) async fn change_password(state: &AppState, user_id: &str) -> Result<Attempt, Error> {
    enter(state, vec![Limit::new(CHANGE_OF, &["change of", user_id])]).await
}

/// Counts a sync token.
pub(crate) async fn token(state: &AppState, user_id: &str) -> Result<Attempt, Error> {
    enter(state, vec![Limit::new(TOKENS_OF, &["tokens of", user_id])]).await
}

/// Remembers from where the account was logged in to: strangers elsewhere cannot hinder it there.
pub(crate) async fn note_place(
    state: &AppState,
    email: &str,
    user_id: &str,
    place: &Place,
) -> Result<(), Error> {
    let (key, now_ms) = (place_key(email, place), state.clock.now_ms());
    if login_place::is_fresh(&state.db.read, &key, now_ms).await? {
        return Ok(());
    }
    let (db, user_id) = (state.db.write.clone(), user_id.to_owned());
    detached(async move { Ok(login_place::note(&db, &key, &user_id, now_ms).await?) }).await
}

impl Attempt {
    /// Takes back that it was counted.
    pub(crate) async fn forgive(self, state: &AppState) -> Result<(), Error> {
        let db = state.db.write.clone();
        let give_back = async move || {
            let tx = tx::begin_write(&db).await?;
            for limit in &self.0 {
                login_limit::give_back(&tx, &limit.key, limit.pace).await?;
            }
            Ok(tx.commit().await?)
        };
        detached(async move { retry(|| give_back()).await }).await
    }
}

impl Limit {
    /// Names and addresses are not for whoever reads the database, nor may they be of any length.
    fn new(pace: Pace, parts: &[&str]) -> Self {
        let key = hashed(parts);
        Self { key, pace }
    }
}

fn of_sign_in(email: &str, place: &Place, is_known: bool) -> Vec<Limit> {
    let mut limits = vec![Limit::new(
        SIGN_IN_HERE,
        &["sign-in here", email, place.as_str()],
    )];
    if !is_known {
        limits.push(Limit::new(SIGN_IN_FROM, &["sign-in from", place.as_str()]));
        limits.push(Limit::new(SIGN_IN_TO, &["sign-in to", email]));
    }
    limits
}

fn place_key(email: &str, place: &Place) -> String {
    hashed(&["place", email, place.as_str()])
}

fn hashed(parts: &[&str]) -> String {
    hex(&Sha256::digest(parts.join("\0")))
}

/// Counts an attempt against all limits, or against none if one of them is used up. Who is refused
/// writes nothing.
async fn enter(state: &AppState, mut limits: Vec<Limit>) -> Result<Attempt, Error> {
    let now_ms = state.clock.now_ms();
    let keys = limits.iter().map(|limit| limit.key.as_str());
    let due = login_limit::due_of(&state.db.read, keys).await?;
    let waits = limits
        .iter()
        .map(|limit| limit.pace.wait_ms(due.get(&limit.key).copied(), now_ms));
    allow(waits.max())?;
    // In one order everywhere, or two attempts could wait for each other.
    limits.sort_by(|a, b| a.key.cmp(&b.key));
    let db = state.db.write.clone();
    let charge = async move || {
        let tx = tx::begin_write(&db).await?;
        let mut wait_ms = 0;
        for Limit { key, pace } in &limits {
            let due_ms = login_limit::charge(&tx, key, *pace, now_ms).await?;
            wait_ms = wait_ms.max(pace.over_ms(due_ms, now_ms));
        }
        // Others may have come in between. What was counted goes with the transaction.
        allow(Some(wait_ms))?;
        tx.commit().await?;
        // Once a day is too seldom where somebody makes up new names all the time.
        if rand::random_ratio(1, CHARGES_A_TIDYING) {
            login_limit::forget(&db, now_ms).await?;
        }
        Ok(Attempt(limits.clone()))
    };
    detached(async move { retry(|| charge()).await }).await
}

fn allow(wait_ms: Option<i64>) -> Result<(), Error> {
    match wait_ms {
        Some(wait_ms @ 1..) => Err(Error::TooManyAttempts {
            wait_s: wait_ms.unsigned_abs().div_ceil(1_000),
        }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::slice;

    use super::*;

    #[test]
    fn an_address_that_is_known_is_held_to_its_own_attempts_only() {
        let (here, there) = (Place::of("192.0.2.1"), Place::of("192.0.2.2"));
        let keys = |email, place, is_known| -> Vec<String> {
            let limits = of_sign_in(email, place, is_known);
            limits.into_iter().map(|limit| limit.key).collect()
        };
        let [ann_here, from_here, to_ann] = &keys("ann@x", &here, false)[..] else {
            panic!("three limits")
        };
        assert_eq!(&keys("ann@x", &here, true), slice::from_ref(ann_here));
        let ann_there = keys("ann@x", &there, false);
        assert!(!ann_there.contains(ann_here) && !ann_there.contains(from_here));
        assert!(ann_there.contains(to_ann));
        let ben_here = keys("ben@x", &here, false);
        assert!(!ben_here.contains(ann_here) && !ben_here.contains(to_ann));
        assert!(ben_here.contains(from_here));
    }

    #[test]
    fn parts_do_not_run_into_each_other() {
        assert_ne!(hashed(&["a", "bc"]), hashed(&["ab", "c"]));
    }
}
