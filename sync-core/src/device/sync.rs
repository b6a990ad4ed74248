//! A whole sync: push, pull, and push again what came up meanwhile.

use std::time::Duration;

use sea_orm::{ConnectionTrait, Statement};

use super::{Device, State, state};
use crate::{
    error::SyncError,
    event::{SyncEvent, SyncReport},
    protocol::ErrorCode,
    schema::{self, Outdated},
    transport::Transport,
};

/// Is told what happens; must not block.
pub type Observer<'a> = &'a (dyn Fn(SyncEvent) + Send + Sync);

/// How often a sync pushes at most without getting anywhere: what users edit while it runs waits for the
/// next.
const PUSH_PASSES: u32 = 3;

/// How long after its last heartbeat a sync's lease on the database runs out, in milliseconds: so long a
/// crashed one keeps others waiting.
const LEASE_MS: i64 = 20_000;

/// How often a sync renews its lease.
const HEARTBEAT: Duration = Duration::from_secs(5);

/// One sync that is running.
#[derive(Clone, Copy)]
pub(super) struct Session<'a> {
    pub(super) transport: &'a dyn Transport,
    pub(super) observer: Observer<'a>,
    /// Who holds the database's lease: this sync.
    pub(super) holder: &'a str,
}

impl Device {
    /// Pushes every local change and pulls every change of others.
    ///
    /// # Errors
    /// If it did not come to its end. What was settled and applied before stays; nothing is lost, and the
    /// next sync goes on from there.
    pub async fn sync(
        &self,
        transport: &dyn Transport,
        observer: Observer<'_>,
    ) -> Result<SyncReport, SyncError> {
        let session = self.session(transport, observer);
        self.leased(self.sync_in(session)).await
    }

    /// The same inside a lease.
    pub(super) async fn sync_in(&self, session: Session<'_>) -> Result<SyncReport, SyncError> {
        let mut report = SyncReport::default();
        (session.observer)(SyncEvent::Started {
            n_pending: self.n_pending().await?,
        });
        // On the heap: a future of all of this is too much for some stacks.
        Box::pin(self.push_first(session, &mut report)).await?;
        Box::pin(self.pull_pass(session, &mut report)).await?;
        Box::pin(self.push_rest(session, &mut report)).await?;
        (session.observer)(SyncEvent::Finished(report));
        Ok(report)
    }

    pub(super) fn session<'a>(
        &'a self,
        transport: &'a dyn Transport,
        observer: Observer<'a>,
    ) -> Session<'a> {
        Session {
            transport,
            observer,
            holder: &self.holder,
        }
    }

    /// Pushes; after a pull where only that can tell what there is left to push.
    async fn push_first(
        &self,
        session: Session<'_>,
        report: &mut SyncReport,
    ) -> Result<(), SyncError> {
        let state = state::load(&self.db).await?;
        if state.replacing.is_some() || state.merging {
            self.pull_pass(session, report).await?;
        }
        match self.push_pass(session, report).await {
            Err(error) if error.code() == Some(ErrorCode::CursorTooOld) => {
                self.pull_pass(session, report).await?;
                self.push_pass(session, report).await
            }
            pushed => pushed,
        }
    }

    /// Pushes what came up since. Rows of a tree go out generation by generation, each with its own pass.
    async fn push_rest(
        &self,
        session: Session<'_>,
        report: &mut SyncReport,
    ) -> Result<(), SyncError> {
        let mut passes = 1;
        let mut n_pending = u64::MAX;
        while self.anything_to_push().await? {
            let left = self.n_pending().await?;
            if passes >= PUSH_PASSES && left >= n_pending {
                break;
            }
            (passes, n_pending) = (passes + 1, left);
            self.push_pass(session, report).await?;
        }
        Ok(())
    }

    /// Only pushes.
    ///
    /// # Errors
    /// As [`Device::sync`].
    pub async fn push(
        &self,
        transport: &dyn Transport,
        observer: Observer<'_>,
    ) -> Result<SyncReport, SyncError> {
        let session = self.session(transport, observer);
        let work = async {
            let mut report = SyncReport::default();
            self.push_pass(session, &mut report).await?;
            Ok(report)
        };
        self.leased(work).await
    }

    /// Only pulls.
    ///
    /// # Errors
    /// As [`Device::sync`].
    pub async fn pull(
        &self,
        transport: &dyn Transport,
        observer: Observer<'_>,
    ) -> Result<SyncReport, SyncError> {
        let session = self.session(transport, observer);
        let work = async {
            let mut report = SyncReport::default();
            self.pull_pass(session, &mut report).await?;
            Ok(report)
        };
        self.leased(work).await
    }

    /// Runs `work` while holding the database's lease, and keeps how it ended.
    pub(super) async fn leased<T>(
        &self,
        work: impl Future<Output = Result<T, SyncError>>,
    ) -> Result<T, SyncError> {
        let Ok(_running) = self.running.try_lock() else {
            return Err(SyncError::Busy);
        };
        if state::load(&self.db).await?.auth_token.is_none() {
            return Err(SyncError::NotConnected);
        }
        if let Some(Outdated { table, column }) =
            Box::pin(schema::outdated(&self.db, &self.registry)).await?
        {
            return Err(SyncError::NewerDatabase { table, column });
        }
        self.take_lease().await?;
        let result = tokio::select! {
            result = work => result,
            error = self.keep_lease() => Err(error),
        };
        let saved = match &result {
            // Whoever has the lease now tells how things stand.
            Err(SyncError::Busy) => Ok(()),
            result => {
                state::save_result(&self.db, self.clock.now_ms(), result.as_ref().err()).await
            }
        };
        let release = "UPDATE sync_state SET lease_until_ms = 0 WHERE lease_holder = $1";
        let released = state::execute(&self.db, release, vec![self.holder.as_str().into()]).await;
        let value = result?;
        saved.and(released)?;
        Ok(value)
    }

    /// One sync at a time on one database, also across programs. A lease runs out, so a crash leaves nothing.
    async fn take_lease(&self) -> Result<(), SyncError> {
        let now_ms = self.clock.now_ms();
        // A clock that stepped back must not make a lease last for ever.
        let sql = "UPDATE sync_state SET lease_holder = $1, lease_until_ms = $2
                   WHERE lease_until_ms <= $3 OR lease_until_ms > $2 OR lease_holder = $1";
        let until = now_ms + LEASE_MS;
        let values = [self.holder.as_str().into(), until.into(), now_ms.into()];
        let statement = Statement::from_sql_and_values(self.db.get_database_backend(), sql, values);
        match self.db.execute_raw(statement).await?.rows_affected() {
            0 => Err(SyncError::Busy),
            _ => Ok(()),
        }
    }

    /// Renews the lease for as long as the sync runs.
    async fn keep_lease(&self) -> SyncError {
        loop {
            tokio::time::sleep(HEARTBEAT).await;
            let until = self.clock.now_ms() + LEASE_MS;
            let sql = "UPDATE sync_state SET lease_until_ms = $1 WHERE lease_holder = $2";
            if let Err(error) = state::execute(
                &self.db,
                sql,
                vec![until.into(), self.holder.as_str().into()],
            )
            .await
            {
                return error.into();
            }
        }
    }
}

impl Session<'_> {
    /// Whether this sync still is the one to write its answers: not after a disconnect, nor after its
    /// lease ran out and another began.
    pub(super) fn check(&self, state: &State) -> Result<(), SyncError> {
        match &state.lease_holder {
            Some(holder) if holder == self.holder && state.auth_token.is_some() => Ok(()),
            _ => Err(SyncError::Busy),
        }
    }
}
