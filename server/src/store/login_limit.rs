//! The `login_limit` table: for each counter of attempts, when those made so far are paid for.

use std::collections::HashMap;

use sea_orm::{DbBackend, Statement, entity::prelude::*, sea_query::ExprTrait};

use crate::auth::Pace;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "login_limit")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub key: String,
    pub due_ms: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// What the counters say that there are.
pub(crate) async fn due_of<'a>(
    db: &impl ConnectionTrait,
    keys: impl Iterator<Item = &'a str>,
) -> Result<HashMap<String, i64>, DbErr> {
    let found = Entity::find()
        .filter(Column::Key.is_in(keys))
        .all(db)
        .await?;
    Ok(found.into_iter().map(|row| (row.key, row.due_ms)).collect())
}

/// Counts one attempt more, and says what the counter says then. In one statement, so that of attempts
/// that come together none goes uncounted.
pub(crate) async fn charge(
    db: &impl ConnectionTrait,
    key: &str,
    pace: Pace,
    now_ms: i64,
) -> Result<i64, DbErr> {
    let sql = "INSERT INTO login_limit (key, due_ms) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET due_ms = $3 +
                 CASE WHEN login_limit.due_ms BETWEEN $4 AND $5 THEN login_limit.due_ms ELSE $4 END RETURNING due_ms";
    let values = [
        key.into(),
        (now_ms + pace.every_ms).into(),
        pace.every_ms.into(),
        now_ms.into(),
        (now_ms + pace.depth_ms()).into(),
    ];
    let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, values);
    let row = db.query_one_raw(statement).await?;
    row.ok_or_else(|| DbErr::RecordNotFound(format!("login_limit {key}")))?
        .try_get("", "due_ms")
}

/// Takes one attempt back.
pub(crate) async fn give_back(
    db: &impl ConnectionTrait,
    key: &str,
    pace: Pace,
) -> Result<(), DbErr> {
    let less = Expr::col(Column::DueMs).sub(pace.every_ms);
    Entity::update_many()
        .col_expr(Column::DueMs, less)
        .filter(Column::Key.eq(key))
        .exec(db)
        .await?;
    Ok(())
}

/// Forgets counters that say nothing any more. Those that somebody is charging just now can wait.
pub(crate) async fn forget(db: &impl ConnectionTrait, now_ms: i64) -> Result<(), DbErr> {
    let sql = match db.get_database_backend() {
        DbBackend::Postgres => {
            "DELETE FROM login_limit WHERE key IN
               (SELECT key FROM login_limit WHERE due_ms < $1 FOR UPDATE SKIP LOCKED)"
        }
        _ => "DELETE FROM login_limit WHERE due_ms < $1",
    };
    let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, [now_ms.into()]);
    db.execute_raw(statement).await?;
    Ok(())
}
