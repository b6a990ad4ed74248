//! A list of titles that a profile keeps.

use sea_orm::entity::prelude::*;
use sync_core::Syncable;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Syncable)]
#[sea_orm(table_name = "lists")]
#[sync(natural_key(profile_id, name))]
#[sync(exclusive(flag = "is_default", per = "profile_id"))]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    #[sync(parent)]
    pub profile_id: i64,
    pub name: String,
    pub is_default: Option<bool>,
    #[sync(merge = "min")]
    pub created_at: Option<DateTimeUtc>,
    pub remote_id: Option<String>,
    pub dirty: Option<bool>,
    pub updated_at: Option<DateTimeUtc>,
    pub deleted_at: Option<DateTimeUtc>,
    #[sea_orm(belongs_to, from = "profile_id", to = "id", on_delete = "Cascade")]
    pub profile: BelongsTo<super::profile::Entity>,
}
