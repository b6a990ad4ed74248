use sea_orm::entity::prelude::*;
use sync_core::Syncable;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Syncable)]
#[sea_orm(table_name = "notes")]
#[sync(exclusive(flag = "is_pinned", per = "is_pinned"))]
#[sync(exclusive(flag = "account", per = "is_pinned"))]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    #[sync(owner)]
    pub account: String,
    pub is_pinned: bool,
    pub remote_id: Option<String>,
    pub dirty: bool,
    pub updated_at: DateTimeUtc,
    pub deleted_at: Option<DateTimeUtc>,
}

fn main() {}
