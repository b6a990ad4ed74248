//! Settings that several profiles of a user share.

use sea_orm::entity::prelude::*;
use sync_core::Syncable;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Syncable)]
#[sea_orm(table_name = "settings_profiles")]
#[sync(alike(name))]
#[sync(exclusive(flag = "is_default", per = "user_id"))]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    #[sync(owner)]
    pub user_id: String,
    pub name: String,
    pub is_default: Option<bool>,
    #[sync(merge = "min")]
    pub created_at: Option<DateTimeUtc>,
    /// JSON.
    pub tmdb_catalog_config: Option<String>,
    pub remote_id: Option<String>,
    pub dirty: Option<bool>,
    pub updated_at: Option<DateTimeUtc>,
    pub deleted_at: Option<DateTimeUtc>,
    #[sea_orm(belongs_to, from = "user_id", to = "id", on_delete = "Cascade")]
    pub user: BelongsTo<super::user::Entity>,
}
