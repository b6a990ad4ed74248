//! A pass over the change feed: fetch a page, apply it together with its cursor, and so on.

use std::collections::HashSet;

use sea_orm::{DatabaseTransaction, DbErr};

use super::{
    ApplyContext, Device, State, apply, drift, pages::Pages, remote, state, sync::Session,
};
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
        let state = state::load(&self.db).await?;
        let server = state.server().unwrap_or_default().fingerprint;
        let State {
            mut cursor, epoch, ..
        } = state;
        let mut page = match self.page(session, cursor.as_deref(), Some(&server)).await {
            Err(error) if error.code() == Some(ErrorCode::CursorTooOld) => {
                self.begin_replacement(session).await?;
                cursor = None;
                self.page(session, None, Some(&server)).await?
            }
            page => page?,
        };
        let mut been_at: HashSet<String> = cursor.iter().cloned().collect();
        let mut pages = Pages::default();
        loop {
            if epoch.as_ref().is_some_and(|epoch| *epoch != page.epoch) {
                return Err(new_life());
            }
            if page.has_more && !been_at.insert(page.cursor.clone()) {
                return Err(SyncError::NotASyncServer("a page leads nowhere".to_owned()));
            }
            pages.count(&page)?;
            // The next page travels while this one is written.
            let next = async {
                if !page.has_more {
                    return Ok(None);
                }
                self.page(session, Some(&page.cursor), None).await.map(Some)
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
        // On the heap: it is as large as all of this.
        Box::pin(self.refetch(session, report)).await?;
        self.retry_quarantined(None).await
    }

    /// Asks for the page behind a cursor, and with the first one what the server syncs.
    async fn page(
        &self,
        session: Session<'_>,
        cursor: Option<&str>,
        schema: Option<&str>,
    ) -> Result<PullPage, SyncError> {
        let asked = remote::Asked {
            cursor,
            limit: self.limits.page_rows,
            schema,
            tables: None,
        };
        remote::pull(session.transport, &asked).await
    }

    /// Writes a page and its cursor in one transaction.
    async fn apply_page(
        &self,
        session: Session<'_>,
        cursor: Option<&str>,
        page: &PullPage,
        report: &mut SyncReport,
    ) -> Result<Vec<SyncEvent>, SyncError> {
        let nothing =
            page.tables.is_empty() && cursor == Some(&page.cursor) && page.schema.is_none();
        if nothing {
            let state = state::load(&self.db).await?;
            if state.replacing.is_none() && !state.merging {
                return Ok(Vec::new());
            }
        }
        if planted(Bug::CursorBeforeRows) {
            self.cursor_before_rows(cursor, page).await?;
        }
        reach(Point::PageCame).await;
        let tx = tx::begin_write(&self.db).await?;
        tx::begin_applying(&tx).await?;
        let state = state::load(&tx).await?;
        session.check(&state)?;
        if let Some(server) = &page.schema {
            let n_again = drift::note_server(&tx, &self.registry, server).await?;
            report.n_rejected = report.n_rejected.saturating_sub(n_again);
        }
        if drift::is_beginning(cursor) {
            let server = page.schema.clone().or_else(|| state.server());
            drift::begin_fetching(&tx, &self.registry, server.as_ref()).await?;
        }
        let (n_rows, mut events) = self.write_page(&tx, &state, page, report).await?;
        self.replace(&tx, &state, page).await?;
        state::save_cursor(&tx, &page.epoch, &page.cursor).await?;
        if state.merging && !page.has_more {
            state::save_merging(&tx, false).await?;
        }
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

    /// Makes a mistake: see [`Bug::CursorBeforeRows`].
    async fn cursor_before_rows(
        &self,
        cursor: Option<&str>,
        page: &PullPage,
    ) -> Result<(), SyncError> {
        let tx = tx::begin_write(&self.db).await?;
        if drift::is_beginning(cursor) {
            drift::begin_fetching(&tx, &self.registry, page.schema.as_ref()).await?;
        }
        state::save_cursor(&tx, &page.epoch, &page.cursor).await?;
        Ok(tx.commit().await?)
    }

    /// Writes a page's rows; how many were written, and what is to be told.
    pub(super) async fn write_page(
        &self,
        tx: &DatabaseTransaction,
        state: &State,
        page: &PullPage,
        report: &mut SyncReport,
    ) -> Result<(u64, Vec<SyncEvent>), SyncError> {
        let mut cx = ApplyContext::new(self.clock.now_ms(), state);
        let mut events = Vec::new();
        let mut n_rows = 0;
        for table in &page.tables {
            // A table of a newer server: it is fetched once this program knows it.
            let Some(registered) = self.registry.get(&table.table) else {
                continue;
            };
            let applied = registered.table.apply(tx, &mut cx, &table.rows).await;
            let applied = applied.map_err(no_rows)?;
            n_rows += applied.n_written;
            report.n_pulled += applied.n_written;
            report.n_quarantined += applied.quarantined.len() as u64;
            events.extend(apply::quarantined_events(&table.table, &applied));
        }
        Ok((n_rows, events))
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
