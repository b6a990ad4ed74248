//! Someone who watches; a user has one or more.

use sea_orm::entity::prelude::*;
use sync_core::Syncable;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Syncable)]
#[sea_orm(table_name = "profiles")]
#[sync(alike(name))]
#[sync(exclusive(flag = "is_default", per = "user_id"))]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    #[sync(owner)]
    pub user_id: String,
    pub name: String,
    pub avatar: String,
    pub avatar_type: Option<String>,
    pub avatar_style: Option<String>,
    pub is_default: Option<bool>,
    #[sync(reference)]
    pub settings_profile_id: Option<i64>,
    #[sync(merge = "min")]
    pub created_at: Option<DateTimeUtc>,
    pub remote_id: Option<String>,
    pub dirty: Option<bool>,
    pub updated_at: Option<DateTimeUtc>,
    pub deleted_at: Option<DateTimeUtc>,
    #[sea_orm(belongs_to, from = "user_id", to = "id", on_delete = "Cascade")]
    pub user: BelongsTo<super::user::Entity>,
    #[sea_orm(
        belongs_to,
        from = "settings_profile_id",
        to = "id",
        on_delete = "SetNull"
    )]
    pub settings_profile: BelongsTo<Option<super::settings_profile::Entity>>,
}
