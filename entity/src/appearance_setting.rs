//! What is shown.

use sea_orm::entity::prelude::*;
use sync_core::Syncable;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Syncable)]
#[sea_orm(table_name = "appearance_settings")]
#[sync(natural_key(settings_profile_id))]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    #[sync(parent)]
    pub settings_profile_id: Option<i64>,
    pub show_imdb_ratings: Option<bool>,
    pub show_age_ratings: Option<bool>,
    pub remote_id: Option<String>,
    pub dirty: Option<bool>,
    pub updated_at: Option<DateTimeUtc>,
    pub deleted_at: Option<DateTimeUtc>,
    #[sea_orm(
        belongs_to,
        from = "settings_profile_id",
        to = "id",
        on_delete = "Cascade"
    )]
    pub settings_profile: BelongsTo<Option<super::settings_profile::Entity>>,
}
