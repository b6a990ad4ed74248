//! How far a profile has watched a film or an episode.

use sea_orm::entity::prelude::*;
use sync_core::Syncable;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Syncable)]
#[sea_orm(table_name = "watch_history")]
#[sync(natural_key(profile_id, meta_id, season, episode))]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    #[sync(parent)]
    pub profile_id: i64,
    /// The title, as catalogues name it.
    pub meta_id: String,
    pub meta_type: String,
    /// -1 for a film, and where it is not known.
    pub season: i64,
    /// -1 for a film, and where it is not known.
    pub episode: i64,
    pub episode_id: Option<String>,
    pub title: Option<String>,
    pub poster: Option<String>,
    /// Seconds.
    #[sync(group = "progress")]
    pub duration: Option<i64>,
    /// Seconds from the start.
    #[sync(group = "progress")]
    pub position: Option<i64>,
    #[sync(group = "progress")]
    pub is_watched: Option<bool>,
    #[sync(group = "progress")]
    pub watched_at: Option<DateTimeUtc>,
    /// JSON.
    #[sync(group = "progress")]
    pub last_stream: Option<String>,
    pub remote_id: Option<String>,
    pub dirty: Option<bool>,
    pub updated_at: Option<DateTimeUtc>,
    pub deleted_at: Option<DateTimeUtc>,
    #[sea_orm(belongs_to, from = "profile_id", to = "id", on_delete = "Cascade")]
    pub profile: BelongsTo<super::profile::Entity>,
}
