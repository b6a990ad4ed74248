//! What can be seen in the database alone: the file, its references, the triggers, and whether rows and
//! pending changes say the same.

use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr, Statement};

use super::{Finding, FindingKind, Findings, mend::send_whole};
use crate::{
    device::{Device, state::execute},
    error::SyncError,
    registry::Registered,
    schema::{self, Side},
    tx,
};

/// Most lines that SQLite is asked for.
const MOST: u32 = 1_000;

/// Rows of which one kind of thing holds.
struct Contradiction {
    kind: FindingKind,
    /// An SQL condition on a row `t` of which `pending` tells whether something is pending, and `parked` whether it
    /// is of an account that is set aside.
    condition: &'static str,
}

const CONTRADICTIONS: [Contradiction; 3] = [
    Contradiction {
        kind: FindingKind::NeverSent,
        condition: "t.remote_id IS NULL AND t.deleted_at IS NULL AND NOT pending AND NOT parked",
    },
    Contradiction {
        kind: FindingKind::MissedEdit,
        condition: "t.dirty AND NOT (t.remote_id IS NULL AND t.deleted_at IS NULL) AND NOT pending",
    },
    Contradiction {
        kind: FindingKind::DirtyFlag,
        condition: "NOT coalesce(t.dirty, FALSE) AND pending",
    },
];

impl Device {
    /// Looks at the database alone.
    pub(super) async fn look_at_database(
        &self,
        mend: bool,
        findings: &mut Findings,
    ) -> Result<(), SyncError> {
        self.look_at_file(findings).await?;
        self.look_at_references(findings).await?;
        self.look_at_capture(mend, findings).await?;
        for registered in self.registry.tables() {
            for contradiction in &CONTRADICTIONS {
                self.look_for(registered, contradiction, mend, findings)
                    .await?;
            }
        }
        Ok(())
    }

    /// A damaged file is beyond mending here.
    async fn look_at_file(&self, findings: &mut Findings) -> Result<(), DbErr> {
        let sql = "SELECT integrity_check AS line FROM pragma_integrity_check LIMIT 20";
        for (number, row) in self.query(sql).await?.into_iter().enumerate() {
            let line: String = row.try_get("", "line")?;
            if line != "ok" {
                let number = i64::try_from(number).unwrap_or_default();
                findings.add(Finding {
                    message: Some(line),
                    ..Finding::of_row(FindingKind::FileDamaged, "", Some(number), None)
                });
            }
        }
        Ok(())
    }

    async fn look_at_references(&self, findings: &mut Findings) -> Result<(), DbErr> {
        for registered in self.registry.tables() {
            let table = registered.shape.table;
            let sql = format!(
                "SELECT rowid AS id, \"parent\" AS parent FROM pragma_foreign_key_check('{table}') LIMIT {MOST}"
            );
            for row in self.query(&sql).await? {
                let (id, parent): (i64, String) =
                    (row.try_get("", "id")?, row.try_get("", "parent")?);
                findings.add(Finding {
                    message: Some(format!(
                        "the row of `{parent}` that it refers to is not there"
                    )),
                    ..Finding::of_row(FindingKind::BrokenReference, table, Some(id), None)
                });
            }
        }
        Ok(())
    }

    async fn look_at_capture(&self, mend: bool, findings: &mut Findings) -> Result<(), DbErr> {
        let differences = schema::check(&self.db, &self.registry).await?;
        if mend && !differences.is_empty() {
            schema::install(&self.db, Side::Device, &self.registry).await?;
        }
        for difference in differences {
            findings.add(Finding {
                mended: mend,
                ..Finding::new(FindingKind::CaptureAltered, difference.table)
            });
        }
        Ok(())
    }

    async fn look_for(
        &self,
        registered: &Registered,
        contradiction: &Contradiction,
        mend: bool,
        findings: &mut Findings,
    ) -> Result<(), DbErr> {
        let table = registered.shape.table;
        let tx = tx::begin_write(&self.db).await?;
        let mut ids = Vec::new();
        for row in contradicting(&tx, registered, contradiction).await? {
            let (id, name) = row;
            ids.push(id);
            findings.add(Finding {
                mended: mend,
                ..Finding::of_row(contradiction.kind, table, Some(id), name.as_deref())
            });
        }
        if !mend || ids.is_empty() {
            return tx.rollback().await;
        }
        tx::begin_applying(&tx).await?;
        match contradiction.kind {
            FindingKind::DirtyFlag => set_dirty(&tx, registered, &ids).await?,
            _ => send_whole(&tx, registered, &ids).await?,
        }
        tx::end_applying(&tx).await?;
        tx.commit().await
    }

    async fn query(&self, sql: &str) -> Result<Vec<sea_orm::QueryResult>, DbErr> {
        let statement = Statement::from_string(self.db.get_database_backend(), sql);
        self.db.query_all_raw(statement).await
    }
}

async fn contradicting(
    tx: &DatabaseTransaction,
    registered: &Registered,
    contradiction: &Contradiction,
) -> Result<Vec<(i64, Option<String>)>, DbErr> {
    let (table, id) = (registered.shape.table, registered.shape.id);
    let pending = format!(
        "EXISTS (SELECT 1 FROM sync_pending p WHERE p.tbl = '{table}' AND p.row_id = t.\"{id}\")"
    );
    let parked = format!(
        "EXISTS (SELECT 1 FROM sync_parked k WHERE k.tbl = '{table}' AND k.row_id = t.\"{id}\")"
    );
    let condition = contradiction.condition.replace("pending", &pending);
    let condition = condition.replace("parked", &parked);
    let sql = format!(
        "SELECT CAST(t.\"{id}\" AS BIGINT) AS id, t.remote_id FROM \"{table}\" t WHERE {condition} ORDER BY 1"
    );
    let statement = Statement::from_string(tx.get_database_backend(), sql);
    let rows = tx.query_all_raw(statement).await?;
    rows.iter()
        .map(|row| Ok((row.try_get("", "id")?, row.try_get("", "remote_id")?)))
        .collect()
}

async fn set_dirty(
    tx: &DatabaseTransaction,
    registered: &Registered,
    ids: &[i64],
) -> Result<(), DbErr> {
    let (table, id) = (registered.shape.table, registered.shape.id);
    let sql = format!("UPDATE \"{table}\" SET dirty = TRUE WHERE \"{id}\" = $1");
    for row_id in ids {
        execute(tx, &sql, vec![(*row_id).into()]).await?;
    }
    Ok(())
}
