use sea_orm::entity::prelude::*;
use sync_core::Syncable;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Syncable)]
#[sea_orm(table_name = "notes")]
#[sync(alike(name))]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    #[sync(owner)]
    pub account: String,
    pub title: String,
    pub remote_id: Option<String>,
    pub dirty: bool,
    pub updated_at: DateTimeUtc,
    pub deleted_at: Option<DateTimeUtc>,
}

fn main() {}
