//! Notices that somebody has written the database: this program's own app through the same connection, or
//! another program. Cheap enough to do every other second for years.

use sea_orm::{ConnectionTrait, DatabaseConnection, DbErr, Statement};

/// Counts that tell writes. Each comparison is with the look before.
#[derive(Debug, Default)]
pub(crate) struct Look {
    /// Changes when another connection has committed, and by every statement of this one.
    writes: Option<(i64, i64)>,
    /// What is pending.
    pending: Option<Pending>,
    /// What was pending when a sync had last ended.
    left: Option<Pending>,
}

/// As much of what is pending as tells a new edit from an old one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Pending {
    n_registers: i64,
    n_edits: i64,
    last_edit: i64,
    n_deleted: i64,
}

/// What has changed since the look before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    /// Something was written, whatever it was.
    pub(crate) written: bool,
    /// There is an edit that was not there before.
    pub(crate) edited: bool,
}

impl Look {
    /// Looks once. What the first look finds is not new.
    pub(crate) async fn look(&mut self, db: &DatabaseConnection) -> Result<Seen, DbErr> {
        let writes = Some(writes(db).await?);
        if writes == self.writes {
            return Ok(Seen::default());
        }
        let pending = pending(db).await?;
        let seen = Seen {
            written: self.writes.is_some(),
            edited: self
                .pending
                .is_some_and(|before| pending.is_news_to(before)),
        };
        (self.writes, self.pending) = (writes, Some(pending));
        Ok(seen)
    }

    /// Looks after a sync. Says whether what is pending is not what the sync before left, too: that may be
    /// what cannot be sent.
    pub(crate) async fn look_after_sync(&mut self, db: &DatabaseConnection) -> Result<bool, DbErr> {
        self.writes = None;
        self.look(db).await?;
        let is_other = self.left != self.pending;
        self.left = self.pending;
        Ok(is_other)
    }
}

impl Pending {
    /// A sync makes all of these smaller, an edit makes one of them greater.
    fn is_news_to(self, before: Self) -> bool {
        self.n_registers > before.n_registers
            || self.n_edits > before.n_edits
            || self.last_edit > before.last_edit
            || self.n_deleted > before.n_deleted
    }
}

async fn writes(db: &DatabaseConnection) -> Result<(i64, i64), DbErr> {
    // One is the connection's, the other the file's.
    let sql = "SELECT data_version AS others, total_changes() AS own FROM pragma_data_version";
    let row = one(db, sql).await?;
    row.map_or(Ok((0, 0)), |row| {
        Ok((row.try_get("", "others")?, row.try_get("", "own")?))
    })
}

async fn pending(db: &DatabaseConnection) -> Result<Pending, DbErr> {
    let sql = "SELECT count(*) AS n, coalesce(sum(edits), 0) AS edits, coalesce(max(edited_at), 0) AS last,
               (SELECT count(*) FROM sync_deleted) AS deleted FROM sync_pending";
    let Some(row) = one(db, sql).await? else {
        return Ok(Pending::default());
    };
    Ok(Pending {
        n_registers: row.try_get("", "n")?,
        n_edits: row.try_get("", "edits")?,
        last_edit: row.try_get("", "last")?,
        n_deleted: row.try_get("", "deleted")?,
    })
}

async fn one(db: &DatabaseConnection, sql: &str) -> Result<Option<sea_orm::QueryResult>, DbErr> {
    db.query_one_raw(Statement::from_string(db.get_database_backend(), sql))
        .await
}
