//! After an upgrade of the program or of the server: tables that gained columns, or are new, are fetched once
//! more from the feed's beginning. The cursor stays where it is, nothing is deleted, and what is pending
//! stays pending. It goes on where it was interrupted, and counts only when it has come to its end.

use super::{
    Device, drift, drift::Columns, pages::Pages, pull::new_life, remote, state, state::execute,
    sync::Session,
};
use crate::{
    error::SyncError,
    event::{SyncEvent, SyncReport},
    protocol::{ErrorCode, PullPage},
    tx,
};

/// How often it begins anew where the server forgot tombstones meanwhile.
const BEGINNINGS: u32 = 3;

impl Device {
    /// Fetches what tables gained, if any did.
    pub(super) async fn refetch(
        &self,
        session: Session<'_>,
        report: &mut SyncReport,
    ) -> Result<(), SyncError> {
        let state = state::load(&self.db).await?;
        let gained = drift::gained(&self.db, &self.registry, state.server().as_ref()).await?;
        if gained.is_empty() {
            return Ok(());
        }
        let what = serde_json::to_string(&gained).unwrap_or_default();
        let goes_on = state.refetch_of.as_ref() == Some(&what);
        let mut cursor = state.refetch_cursor.filter(|_| goes_on);
        let mut beginnings = 1;
        let mut pages = Pages::default();
        loop {
            let page = match self.gained_page(session, &gained, cursor.as_deref()).await {
                Err(error)
                    if error.code() == Some(ErrorCode::CursorTooOld) && beginnings < BEGINNINGS =>
                {
                    (cursor, beginnings) = (None, beginnings + 1);
                    continue;
                }
                page => page?,
            };
            if state
                .epoch
                .as_ref()
                .is_some_and(|epoch| *epoch != page.epoch)
            {
                return Err(new_life());
            }
            if page.has_more && cursor.as_ref() == Some(&page.cursor) {
                return Err(SyncError::NotASyncServer("a page leads nowhere".to_owned()));
            }
            pages.count(&page)?;
            self.apply_gained(session, &gained, &what, &page, report)
                .await?;
            if !page.has_more {
                return Ok(());
            }
            cursor = Some(page.cursor);
        }
    }

    async fn gained_page(
        &self,
        session: Session<'_>,
        gained: &Columns,
        cursor: Option<&str>,
    ) -> Result<PullPage, SyncError> {
        let tables: Vec<&str> = gained.keys().map(String::as_str).collect();
        let asked = remote::Asked {
            cursor,
            limit: self.limits.page_rows,
            schema: None,
            tables: Some(tables.join(",")),
        };
        remote::pull(session.transport, &asked).await
    }

    /// Writes a page, and where the next one begins or that this was the last.
    async fn apply_gained(
        &self,
        session: Session<'_>,
        gained: &Columns,
        what: &str,
        page: &PullPage,
        report: &mut SyncReport,
    ) -> Result<(), SyncError> {
        let tx = tx::begin_write(&self.db).await?;
        tx::begin_applying(&tx).await?;
        let state = state::load(&tx).await?;
        session.check(&state)?;
        let (n_rows, events) = self.write_page(&tx, &state, page, report).await?;
        let (of, next) = match page.has_more {
            true => (Some(what), Some(page.cursor.as_str())),
            false => (None, None),
        };
        let sql = "UPDATE sync_state SET refetch_of = $1, refetch_cursor = $2";
        execute(&tx, sql, vec![of.into(), next.into()]).await?;
        if !page.has_more {
            for (table, columns) in gained {
                drift::save_fetched(&tx, table, columns).await?;
            }
        }
        tx::end_applying(&tx).await?;
        tx.commit().await?;
        events.into_iter().for_each(session.observer);
        let has_more = page.has_more;
        (session.observer)(SyncEvent::Pulled { n_rows, has_more });
        Ok(())
    }
}
