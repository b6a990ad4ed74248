//! The `server_setting` table: what the server made up for itself and must find again.

use sea_orm::{
    ActiveValue::Set, DatabaseConnection, Schema, entity::prelude::*, sea_query::OnConflict,
};
use sync_core::retry::retry_install;

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

/// Creates the table where it is missing.
pub(crate) async fn install(db: &DatabaseConnection) -> Result<(), DbErr> {
    let schema = Schema::new(db.get_database_backend());
    let mut create = schema.create_table_from_entity(Entity);
    create.if_not_exists();
    // Even so it fails in one of two servers that start together.
    retry_install(async || db.execute(&create).await.map(|_| ())).await
}

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
