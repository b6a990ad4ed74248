//! The compact format through `compact_model`, with columns named by SeaORM's rules.

use sea_orm::entity::prelude::*;
use sync_core::Syncable;

#[sea_orm::compact_model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Syncable)]
#[sea_orm(table_name = "tags", rename_all = "camelCase")]
#[sync(natural_key(user_name, "tagText"))]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i32,
    #[sync(owner)]
    pub user_name: String,
    pub tag_text: String,
    #[sea_orm(column_name = "remote_id")]
    pub remote_id: Option<String>,
    pub dirty: bool,
    #[sea_orm(column_name = "updated_at")]
    pub updated_at: DateTimeUtc,
    #[sea_orm(column_name = "deleted_at")]
    pub removed_at: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}
