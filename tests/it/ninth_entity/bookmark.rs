//! A ninth entity: a scene that a profile wants to find again. This file, its migration and the line in
//! [`registry`] are all that it takes, on either end.

use sea_orm::entity::prelude::*;
use sync_core::{Registry, RegistryError, Syncable};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Syncable)]
#[sea_orm(table_name = "bookmarks")]
#[sync(natural_key(profile_id, meta_id, second))]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    #[sync(parent)]
    pub profile_id: i64,
    pub meta_id: String,
    /// Seconds from the start.
    pub second: i64,
    pub note: Option<String>,
    #[sync(merge = "max")]
    pub visits: i64,
    /// Where the device shows it.
    #[sync(local)]
    pub place: Option<i64>,
    pub remote_id: Option<String>,
    pub dirty: bool,
    pub updated_at: DateTimeUtc,
    pub deleted_at: Option<DateTimeUtc>,
    #[sea_orm(belongs_to, from = "profile_id", to = "id", on_delete = "Cascade")]
    pub profile: BelongsTo<entity::profile::Entity>,
}

/// Zentrio's tables and this one.
pub fn registry() -> Result<Registry, RegistryError> {
    entity::builder().table::<Entity>().build()
}
