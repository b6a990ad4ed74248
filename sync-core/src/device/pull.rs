//! A pass over the change feed: fetch a page, apply it together with its cursor, and so on.

use std::collections::HashSet;

use sea_orm::DbErr;

use super::{ApplyContext, Device, State, apply, remote, state, sync::Session};
use crate::{
    error::SyncError,
    event::{SyncEvent, SyncReport},
    planted::{Bug, Point, planted, reach},
    protocol::{ErrorCode, PullPage},
    tx,
};

impl Device {
    /// Pulls to the feed's end. Pages that were applied stay applied when a later one fails.
    ///
    /// # Errors
    /// If a page did not come, or cannot be applied; the cursor stands before it.
    pub(super) async fn pull_pass(
        &self,
        session: Session<'_>,
        report: &mut SyncReport,
    ) -> Result<(), SyncError> {
        let State {
            mut cursor, epoch, ..
        } = state::load(&self.db).await?;
        let mut page =
            match remote::pull(session.transport, cursor.as_deref(), self.limits.page_rows).await {
                Err(error) if error.code() == Some(ErrorCode::CursorTooOld) => {
                    self.begin_replacement(session).await?;
                    cursor = None;
                    remote::pull(session.transport, None, self.limits.page_rows).await?
                }
                page => page?,
            };
        let mut been_at: HashSet<String> = cursor.iter().cloned().collect();
        loop {
            if epoch.as_ref().is_some_and(|epoch| *epoch != page.epoch) {
                return Err(new_life());
            }
            if page.has_more && !been_at.insert(page.cursor.clone()) {
                return Err(SyncError::NotASyncServer("a page leads nowhere".to_owned()));
            }
            // The next page travels while this one is written.
            let next = async {
                if !page.has_more {
                    return Ok(None);
                }
                remote::pull(session.transport, Some(&page.cursor), self.limits.page_rows)
                    .await
                    .map(Some)
            };
            let (applied, next) = tokio::join!(
                self.apply_page(session, cursor.as_deref(), &page, report),
                next
            );
            applied?.into_iter().for_each(session.observer);
            cursor = Some(page.cursor);
            match next? {
                Some(next) => page = next,
                None => break,
            }
        }
        self.retry_quarantined(None).await
    }

    /// Writes a page and its cursor in one transaction.
    async fn apply_page(
        &self,
        session: Session<'_>,
        cursor: Option<&str>,
        page: &PullPage,
        report: &mut SyncReport,
    ) -> Result<Vec<SyncEvent>, SyncError> {
        let nothing = page.tables.is_empty() && cursor == Some(&page.cursor);
        if nothing && state::load(&self.db).await?.replacing.is_none() {
            return Ok(Vec::new());
        }
        if planted(Bug::CursorBeforeRows) {
            state::save_cursor(&self.db, &page.epoch, &page.cursor).await?;
        }
        reach(Point::PageCame).await;
        let tx = tx::begin_write(&self.db).await?;
        tx::begin_applying(&tx).await?;
        let state = state::load(&tx).await?;
        session.check(&state)?;
        let mut cx = ApplyContext::new(self.clock.now_ms(), &state);
        let mut events = Vec::new();
        let mut n_rows = 0;
        for table in &page.tables {
            // A table of a newer server: it is fetched again once this program knows it.
            let Some(registered) = self.registry.get(&table.table) else {
                continue;
            };
            let applied = registered.table.apply(&tx, &mut cx, &table.rows).await;
            let applied = applied.map_err(no_rows)?;
            n_rows += applied.n_written;
            report.n_pulled += applied.n_written;
            report.n_quarantined += applied.quarantined.len() as u64;
            events.extend(apply::quarantined_events(&table.table, &applied));
        }
        self.replace(&tx, &state, page).await?;
        state::save_cursor(&tx, &page.epoch, &page.cursor).await?;
        tx::end_applying(&tx).await?;
        reach(Point::PageWritten).await;
        tx.commit().await?;
        reach(Point::PageApplied).await;
        events.push(SyncEvent::Pulled {
            n_rows,
            has_more: page.has_more,
        });
        Ok(events)
    }
}

/// A table's part of the page that is no list of rows is the server's fault, not the database's.
pub(super) fn no_rows(error: DbErr) -> SyncError {
    match error {
        DbErr::Json(message) => SyncError::NotASyncServer(message),
        error => error.into(),
    }
}

/// What a server says whose data is not what was synced with, said here because this one did not.
pub(super) fn new_life() -> SyncError {
    SyncError::Refused {
        status: ErrorCode::EpochChanged.status(),
        code: ErrorCode::EpochChanged.as_str().to_owned(),
        message: "the server's data began a new life, perhaps from a backup".to_owned(),
        retry_after: None,
    }
}
