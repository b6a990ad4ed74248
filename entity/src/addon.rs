//! The catalogue of addons that all profiles of a database share. Not synced, but what a synced row
//! refers to is created where it is missing.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "addons")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    /// Names the addon everywhere; `zentrio://tmdb-addon` is in every database.
    #[sea_orm(unique)]
    pub manifest_url: String,
    pub name: String,
    pub version: Option<String>,
    pub description: Option<String>,
    pub logo: Option<String>,
    pub logo_url: Option<String>,
    /// JSON.
    pub behavior_hints: Option<String>,
    pub created_at: Option<DateTimeUtc>,
}

impl ActiveModelBehavior for ActiveModel {}
