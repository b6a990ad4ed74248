//! The triggers that are installed, to compare with those that should be.

use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement};

/// A trigger as it should be.
#[derive(Clone, Debug)]
pub(super) struct Trigger {
    pub(super) name: String,
    /// The table it is on.
    pub(super) on: String,
    /// What the database's catalogue says of it while nobody has altered it.
    pub(super) text: String,
    /// What installs it, over an altered one too.
    pub(super) statements: Vec<String>,
}

/// The framework's triggers as the catalogue has them.
pub(super) struct Installed(Vec<(String, String, String)>);

impl Installed {
    pub(super) fn has(&self, wanted: &Trigger) -> bool {
        let same = |(name, on, text): &(String, String, String)| {
            *name == wanted.name && *on == wanted.on && *text == wanted.text
        };
        self.0.iter().any(same)
    }

    /// Whether a trigger of this name is on its table, altered or not.
    pub(super) fn names(&self, wanted: &Trigger) -> bool {
        let named =
            |(name, on, _): &(String, String, String)| *name == wanted.name && *on == wanted.on;
        self.0.iter().any(named)
    }
}

/// Looks them up.
pub(super) async fn triggers<C: ConnectionTrait>(db: &C) -> Result<Installed, DbErr> {
    let backend = db.get_database_backend();
    let sql = match backend {
        DbBackend::Sqlite => {
            "SELECT name, tbl_name AS tbl, coalesce(sql, '') AS text FROM sqlite_master
             WHERE type = 'trigger' AND name LIKE 'sync%'"
        }
        // One that is switched off, or has a condition, has no text of ours.
        _ => {
            "SELECT t.tgname::text AS name, c.relname::text AS tbl,
               CASE WHEN t.tgenabled IN ('O', 'A') AND t.tgqual IS NULL THEN t.tgtype || ' ' || p.prosrc ELSE '' END AS text
             FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_proc p ON p.oid = t.tgfoid
             WHERE NOT t.tgisinternal AND t.tgname LIKE 'sync%' AND c.relnamespace =
               (SELECT oid FROM pg_namespace WHERE nspname = current_schema())"
        }
    };
    let rows = db
        .query_all_raw(Statement::from_string(backend, sql))
        .await?;
    let read = rows.iter().map(|row| {
        Ok((
            row.try_get("", "name")?,
            row.try_get("", "tbl")?,
            row.try_get("", "text")?,
        ))
    });
    read.collect::<Result<_, DbErr>>().map(Installed)
}

/// FNV-1a, 64 bits: only ever compared with what the same function made.
pub(crate) fn fingerprint(bytes: impl Iterator<Item = u8>) -> String {
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
    });
    format!("{hash:016x}")
}
