//! The `server_setting` table: what the server made up for itself and must find again.

use sea_orm::{ActiveValue::Set, entity::prelude::*, sea_query::OnConflict};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "server_setting")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub key: String,
    pub value: String,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The value under `key`; `proposed` where there was none. Servers that start together agree on one.
pub(crate) async fn get_or_insert(
    db: &impl ConnectionTrait,
    key: &str,
    proposed: String,
) -> Result<String, DbErr> {
    let row = ActiveModel {
        key: Set(key.to_owned()),
        value: Set(proposed),
    };
    let keep_the_first = OnConflict::column(Column::Key).do_nothing().to_owned();
    Entity::insert(row)
        .on_conflict(keep_the_first)
        .exec_without_returning(db)
        .await?;
    let found = Entity::find_by_id(key).one(db).await?;
    found
        .map(|row| row.value)
        .ok_or_else(|| DbErr::RecordNotFound(format!("server_setting {key}")))
}

/// The value under `key`, if there is one.
pub(crate) async fn get(db: &impl ConnectionTrait, key: &str) -> Result<Option<String>, DbErr> {
    Ok(Entity::find_by_id(key).one(db).await?.map(|row| row.value))
}

/// Puts a value under `key` in place of what was there.
pub(crate) async fn set(db: &impl ConnectionTrait, key: &str, value: String) -> Result<(), DbErr> {
    let row = ActiveModel {
        key: Set(key.to_owned()),
        value: Set(value),
    };
    let replace = OnConflict::column(Column::Key)
        .update_column(Column::Value)
        .to_owned();
    Entity::insert(row)
        .on_conflict(replace)
        .exec_without_returning(db)
        .await?;
    Ok(())
}
