//! An addon that a settings profile uses, or in old rows a profile.
#![expect(
    clippy::duplicated_attributes,
    reason = "a column may be in two natural keys; clippy takes the second mention for a repetition"
)]

use sea_orm::entity::prelude::*;
use sync_core::Syncable;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Syncable)]
#[sea_orm(table_name = "profile_addons")]
#[sync(natural_key(profile_id, addon_id))]
#[sync(natural_key(settings_profile_id, addon_id))]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    /// In rows from before there were settings profiles.
    #[sync(parent)]
    pub profile_id: Option<i64>,
    /// In rows since then.
    #[sync(parent)]
    pub settings_profile_id: Option<i64>,
    #[sync(lookup(entity = "super::addon::Entity", key = "manifest_url"))]
    pub addon_id: i64,
    pub enabled: Option<bool>,
    pub priority: Option<i64>,
    #[sync(merge = "min")]
    pub created_at: Option<DateTimeUtc>,
    pub remote_id: Option<String>,
    pub dirty: Option<bool>,
    pub updated_at: Option<DateTimeUtc>,
    pub deleted_at: Option<DateTimeUtc>,
    #[sea_orm(belongs_to, from = "profile_id", to = "id", on_delete = "Cascade")]
    pub profile: BelongsTo<Option<super::profile::Entity>>,
    #[sea_orm(
        belongs_to,
        from = "settings_profile_id",
        to = "id",
        on_delete = "Cascade"
    )]
    pub settings_profile: BelongsTo<Option<super::settings_profile::Entity>>,
    #[sea_orm(belongs_to, from = "addon_id", to = "id", on_delete = "Cascade")]
    pub addon: BelongsTo<super::addon::Entity>,
}
