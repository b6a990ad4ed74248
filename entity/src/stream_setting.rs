//! Which streams to prefer.

use sea_orm::entity::prelude::*;
use sync_core::Syncable;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Syncable)]
#[sea_orm(table_name = "stream_settings")]
#[sync(natural_key(profile_id))]
#[sync(natural_key(settings_profile_id))]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    /// In rows from before there were settings profiles.
    #[sync(parent)]
    pub profile_id: Option<i64>,
    /// In rows since then.
    #[sync(parent)]
    pub settings_profile_id: Option<i64>,
    pub qualities: Option<String>,
    pub preferred_keywords: Option<String>,
    pub required_keywords: Option<String>,
    /// JSON.
    pub config: Option<String>,
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
}
