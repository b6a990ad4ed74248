//! The `login_place` table: from where an account was logged in to. A key tells neither of the two.

use sea_orm::{ActiveValue::Set, entity::prelude::*, sea_query::OnConflict};

const DAY_MS: i64 = 24 * 60 * 60 * 1000;
/// How long a place is remembered.
const KEPT_MS: i64 = 180 * DAY_MS;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "login_place")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub key: String,
    pub user_id: String,
    pub seen_ms: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

pub(crate) async fn is_known(db: &impl ConnectionTrait, key: &str) -> Result<bool, DbErr> {
    Ok(Entity::find_by_id(key).one(db).await?.is_some())
}

/// Whether it was noted so lately that there is no need to do it again.
pub(crate) async fn is_fresh(
    db: &impl ConnectionTrait,
    key: &str,
    now_ms: i64,
) -> Result<bool, DbErr> {
    let found = Entity::find_by_id(key).one(db).await?;
    Ok(found.is_some_and(|row| (0..DAY_MS).contains(&(now_ms - row.seen_ms))))
}

pub(crate) async fn note(
    db: &impl ConnectionTrait,
    key: &str,
    user_id: &str,
    now_ms: i64,
) -> Result<(), DbErr> {
    let row = ActiveModel {
        key: Set(key.to_owned()),
        user_id: Set(user_id.to_owned()),
        seen_ms: Set(now_ms),
    };
    let again = OnConflict::column(Column::Key)
        .update_columns([Column::UserId, Column::SeenMs])
        .to_owned();
    Entity::insert(row)
        .on_conflict(again)
        .exec_without_returning(db)
        .await?;
    Ok(())
}

/// Forgets places that have not been seen for long.
pub(crate) async fn forget(db: &impl ConnectionTrait, now_ms: i64) -> Result<(), DbErr> {
    Entity::delete_many()
        .filter(Column::SeenMs.lt(now_ms - KEPT_MS))
        .exec(db)
        .await?;
    Ok(())
}
