//! How old tombstones are, whatever clocks say.
//!
//! A row's stamp cannot tell: a device may bring a deletion a year late, and a server's clock may stand ten
//! years ahead for an hour, or begin in 1970 at each start of a small machine. So the server notes now and
//! then how far each feed has come, together with its own age: the time it has been in use, which grows by
//! what its clock has moved between two notes, but never by more than [`MOST_AT_ONCE`]. What stood in the
//! feed at a note has been there for as long as the server has aged since. The time in which a server was
//! switched off for long does not count; no device could have synced in it.

use std::time::Duration;

use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement};

use super::{
    Garbage, ServerError, SyncServer, account,
    garbage::{GoOn, Old},
};
use crate::{protocol::ErrorCode, retry::retry, tx};

/// By how much the server ages between two notes at most, in milliseconds: a little more than the day that
/// lies between them while it runs.
const MOST_AT_ONCE: i64 = 30 * 60 * 60 * 1000;

/// An account with old tombstones, perhaps, and where in its feed they end.
struct Aged {
    account: i64,
    user_id: String,
    up_to: i64,
}

impl SyncServer {
    /// Forgets, in every account, the tombstones that have stood in its feed for `keep`, as far as the
    /// server has been seen in use: it must be called, or [`SyncServer::note_age`], once a day. Ends early
    /// when `go_on` says so. An account that fails keeps no other one waiting.
    ///
    /// # Errors
    /// If the database cannot be reached. What was forgotten of accounts before stays so.
    pub async fn collect_aged(&self, keep: Duration, go_on: &GoOn) -> Result<Garbage, ServerError> {
        let keep_ms = i64::try_from(keep.as_millis()).unwrap_or(i64::MAX);
        let age_ms = self.note_age().await?;
        let mut garbage = Garbage::default();
        let old_ms = age_ms.saturating_sub(keep_ms);
        for aged in retry(|| aged(&self.db.read, old_ms)).await? {
            let old = Old::UpTo(aged.up_to);
            let collected = self.collect_account(&aged.user_id, old, go_on).await;
            match collected {
                Ok(n_tombstones) => garbage.add(n_tombstones),
                Err(error) if error.code() == ErrorCode::Unavailable => return Err(error),
                Err(error) => {
                    garbage.n_failed += 1;
                    tracing::error!(account = aged.account, %error, source = ?error, "cannot forget tombstones");
                    continue;
                }
            }
            if !go_on() {
                break;
            }
            retry(|| aged.forget_notes(&self.db.write)).await?;
        }
        Ok(garbage)
    }

    /// Notes how far every account's feed has come; the server's age in milliseconds.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn note_age(&self) -> Result<i64, ServerError> {
        Ok(retry(|| self.note_age_once()).await?)
    }

    /// Several servers on one database take turns.
    async fn note_age_once(&self) -> Result<i64, DbErr> {
        let tx = tx::begin_write(&self.db.write).await?;
        let backend = tx.get_database_backend();
        let select = match backend {
            DbBackend::Sqlite => "SELECT age_ms, aged_at_ms FROM sync_server WHERE id = 1",
            _ => "SELECT age_ms, aged_at_ms FROM sync_server WHERE id = 1 FOR UPDATE",
        };
        let row = tx
            .query_one_raw(Statement::from_string(backend, select))
            .await?
            .ok_or_else(|| DbErr::RecordNotFound("sync_server".to_owned()))?;
        let now_ms = self.clock.now_ms();
        let age_ms = older(
            row.try_get("", "age_ms")?,
            row.try_get("", "aged_at_ms")?,
            now_ms,
        );
        let sql = "UPDATE sync_server SET age_ms = $1, aged_at_ms = $2";
        tx::execute(&tx, sql, vec![age_ms.into(), now_ms.into()]).await?;
        let sql = "INSERT INTO sync_age (account, seq, age_ms)
                   SELECT a.id, a.head, $1 FROM sync_account a
                   WHERE a.head > coalesce((SELECT max(s.seq) FROM sync_age s WHERE s.account = a.id), 0)
                   ON CONFLICT (account, seq) DO NOTHING";
        tx::execute(&tx, sql, vec![age_ms.into()]).await?;
        tx.commit().await?;
        Ok(age_ms)
    }
}

/// The age at `now_ms` of a server that had `age_ms` when its clock stood at `then_ms`. A clock that was set
/// makes it no younger, and at most [`MOST_AT_ONCE`] older.
fn older(age_ms: i64, then_ms: Option<i64>, now_ms: i64) -> i64 {
    let passed = then_ms.map_or(0, |then_ms| now_ms.saturating_sub(then_ms));
    age_ms.saturating_add(passed.clamp(0, MOST_AT_ONCE))
}

/// The accounts that had come somewhere when the server was not older than this.
async fn aged<C: ConnectionTrait>(db: &C, age_ms: i64) -> Result<Vec<Aged>, DbErr> {
    let sql = "SELECT a.id, a.user_id, max(s.seq) AS up_to FROM sync_account a
               JOIN sync_age s ON s.account = a.id WHERE s.age_ms <= $1 GROUP BY a.id, a.user_id ORDER BY a.id";
    let backend = db.get_database_backend();
    let rows = db
        .query_all_raw(Statement::from_sql_and_values(
            backend,
            sql,
            [age_ms.into()],
        ))
        .await?;
    let read = rows.iter().map(|row| {
        Ok(Aged {
            account: row.try_get("", "id")?,
            user_id: row.try_get("", "user_id")?,
            up_to: row.try_get("", "up_to")?,
        })
    });
    read.collect()
}

impl Aged {
    /// What was noted of positions behind what was collected is of no use any more, nor are their marks: a
    /// device that comes from there is believed.
    async fn forget_notes<C: ConnectionTrait>(&self, db: &C) -> Result<(), DbErr> {
        account::forget_marks(db, self.account, self.up_to).await?;
        let sql = "DELETE FROM sync_age WHERE account = $1 AND seq <= $2";
        tx::execute(db, sql, vec![self.account.into(), self.up_to.into()]).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_800_000_000_000;
    const DAY: i64 = 24 * 60 * 60 * 1000;
    const YEAR: i64 = 365 * DAY;

    #[test]
    fn ck05_a_server_ages_by_days_and_not_by_jumps_of_its_clock() {
        assert_eq!(older(0, None, NOW), 0, "at its first note");
        assert_eq!(older(7, Some(NOW), NOW + DAY), 7 + DAY);
        assert_eq!(older(7, Some(NOW), NOW + 10 * YEAR), 7 + MOST_AT_ONCE);
        assert_eq!(older(7, Some(0), NOW), 7 + MOST_AT_ONCE, "it began in 1970");
        assert_eq!(older(7, Some(NOW), NOW - 10 * YEAR), 7);
        assert_eq!(older(7, Some(i64::MIN), i64::MAX), 7 + MOST_AT_ONCE);
    }

    #[test]
    fn a_clock_that_swings_makes_it_age_no_faster_than_its_notes() {
        let age = (0..10).fold(0, |age, _| {
            let ahead = older(age, Some(NOW), NOW + YEAR);
            older(ahead, Some(NOW + YEAR), NOW)
        });
        assert_eq!(age, 10 * MOST_AT_ONCE);
    }
}
