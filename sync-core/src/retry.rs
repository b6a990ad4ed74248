//! Running a transaction, or a statement, again where the database asks for it.
//!
//! Databases that run transactions at the same time end one of them now and then, so that the result is as if
//! they had run one after the other. Nothing of it was done, and done again it works.

use std::{
    hash::{BuildHasher, Hasher, RandomState},
    time::Duration,
};

use sea_orm::DbErr;
use tokio::time;

use crate::{db_error, server::ServerError};

/// How often it is run at most. Where many write to one account at once, and each transaction is
/// serializable, all that wait for the one before are ended when that one commits, and only one of them is
/// the next: who has no luck needs many tries.
const ATTEMPTS: u32 = 100;
/// The longest wait before another try.
const LONGEST: Duration = Duration::from_millis(100);

/// An error that may be a conflict with another transaction.
pub trait Conflict {
    /// Whether the database asks to run the same once more.
    fn is_conflict(&self) -> bool;
}

impl Conflict for DbErr {
    fn is_conflict(&self) -> bool {
        db_error::is_conflict(self)
    }
}

impl Conflict for ServerError {
    fn is_conflict(&self) -> bool {
        matches!(self, Self::Database(error) if error.is_conflict())
    }
}

/// Runs `work` until it is no conflict any more. It must leave nothing behind when it fails.
///
/// # Errors
/// Its error; a conflict only when there were too many in a row.
pub async fn retry<T, E: Conflict, F: Future<Output = Result<T, E>>>(
    work: impl FnMut() -> F,
) -> Result<T, E> {
    retry_at_most(ATTEMPTS, work).await
}

async fn retry_at_most<T, E: Conflict, F: Future<Output = Result<T, E>>>(
    attempts: u32,
    mut work: impl FnMut() -> F,
) -> Result<T, E> {
    let mut attempt = 1;
    loop {
        match work().await {
            Err(error) if error.is_conflict() && attempt < attempts => {
                time::sleep(wait(attempt, random())).await;
                attempt += 1;
            }
            result => return result,
        }
    }
}

/// Runs `work`, which installs something, until nobody else is installing the same any more. It must look
/// what is there each time.
///
/// # Errors
/// Its error.
pub async fn retry_install<F: Future<Output = Result<(), DbErr>>>(
    mut work: impl FnMut() -> F,
) -> Result<(), DbErr> {
    struct Race(DbErr);
    impl Conflict for Race {
        fn is_conflict(&self) -> bool {
            db_error::is_race(&self.0)
        }
    }
    let result = retry(|| {
        let work = work();
        async move { work.await.map_err(Race) }
    });
    result.await.map_err(|Race(error)| error)
}

/// Doubled each time; by `random` (0 to 1) some of it, because those who met would otherwise meet again.
fn wait(attempt: u32, random: f64) -> Duration {
    Duration::from_millis(1 << attempt.min(16))
        .min(LONGEST)
        .mul_f64(random.clamp(0.0, 1.0))
}

/// Each hasher of the standard library is seeded at random.
fn random() -> f64 {
    f64::from(RandomState::new().build_hasher().finish() as u32) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    struct Failure(bool);

    impl Conflict for Failure {
        fn is_conflict(&self) -> bool {
            self.0
        }
    }

    async fn runs(answer: impl Fn(u32) -> Result<(), Failure>) -> (u32, bool) {
        let n = Cell::new(0);
        let result = retry_at_most(5, async || {
            n.set(n.get() + 1);
            answer(n.get())
        });
        let ended_well = result.await.is_ok();
        (n.get(), ended_well)
    }

    #[tokio::test]
    async fn only_a_conflict_is_tried_again_and_not_for_ever() {
        assert_eq!(runs(|_| Ok(())).await, (1, true));
        assert_eq!(runs(|_| Err(Failure(false))).await, (1, false));
        let third = |n| if n < 3 { Err(Failure(true)) } else { Ok(()) };
        assert_eq!(runs(third).await, (3, true));
        assert_eq!(runs(|_| Err(Failure(true))).await, (5, false));
    }

    #[test]
    fn waits_grow_to_a_cap() {
        let ms = |attempt, random| wait(attempt, random).as_millis();
        assert_eq!(
            [ms(1, 1.0), ms(4, 1.0), ms(4, 0.5), ms(4, 0.0)],
            [2, 16, 8, 0]
        );
        assert_eq!(ms(u32::MAX, 1.0), LONGEST.as_millis());
        assert!((0.0..=1.0).contains(&random()));
    }
}
