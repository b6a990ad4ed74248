//! When an account's own edits in the server's database are absorbed: before it is answered, and all
//! accounts' when a server starts.

use super::{Caller, ServerError, SyncServer, absorb, account, cascade, exclusive};
use crate::{clocks::Timekeeper, retry::retry, tx};

impl SyncServer {
    /// Absorbs what is pending of every account: when a server starts on a database that others have
    /// written, so that the first requests do not find all of it.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn absorb_all(&self) -> Result<(), ServerError> {
        if !self.anything_pending().await? {
            return Ok(());
        }
        for user_id in retry(|| absorb::owners(&self.db.read, &self.registry)).await? {
            self.absorb(&Caller { user_id, device: 0 }).await?;
        }
        Ok(())
    }

    /// Puts edits made in the server's own database into the feed, if there are any.
    pub(super) async fn absorb(&self, caller: &Caller) -> Result<(), ServerError> {
        if !self.anything_pending().await? {
            return Ok(());
        }
        let absorb = || self.absorb_once(caller);
        self.queues.retry(&caller.user_id, absorb).await
    }

    /// Puts the account's edits made in the server's own database into the feed.
    async fn absorb_once(&self, caller: &Caller) -> Result<(), ServerError> {
        let tx = tx::begin_write(&self.db.write).await?;
        tx::begin_applying(&tx).await?;
        let account = account::lock(&tx, &caller.user_id).await?;
        let now_ms = self.clock.now_ms();
        let mut cx = self.context(caller, &account, Timekeeper::new(0, now_ms, now_ms), now_ms);
        absorb::absorb(&tx, &mut cx).await?;
        cascade::follow(&tx, &mut cx).await?;
        exclusive::settle(&tx, &mut cx).await?;
        let moved = cx.seq != account.head;
        if moved {
            account::set_head(&tx, &account, cx.seq, &*self.ids).await?;
        }
        tx::end_applying(&tx).await?;
        tx.commit().await?;
        if moved {
            self.tell_moved(&caller.user_id, account.id);
        }
        Ok(())
    }

    /// Whether any account has edits waiting.
    pub(super) async fn anything_pending(&self) -> Result<bool, ServerError> {
        Ok(retry(|| absorb::anything_pending(&self.db.read)).await?)
    }
}
