use sea_orm::entity::prelude::*;
use sync_core::Syncable;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Syncable)]
#[sea_orm(table_name = "notes")]
#[sync(natural_key)]
#[sync(natural_key())]
#[sync(exclusive(flag = "pinned"))]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    #[sync(owner)]
    pub account: String,
    #[sync(lookup(entity = "super::author::Entity"))]
    pub author_id: i64,
    #[sync(lookup(table = "editors", key = "name"))]
    pub editor_id: i64,
    #[sync(merge = "the longest")]
    pub title: String,
    #[sync(group)]
    pub page: i64,
    pub remote_id: Option<String>,
    pub dirty: bool,
    pub updated_at: DateTimeUtc,
    pub deleted_at: Option<DateTimeUtc>,
}

fn main() {}
