//! A title in a list.

use sea_orm::entity::prelude::*;
use sync_core::Syncable;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Syncable)]
#[sea_orm(table_name = "list_items")]
#[sync(natural_key(list_id, meta_id))]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    #[sync(parent)]
    pub list_id: i64,
    /// The title, as catalogues name it.
    pub meta_id: String,
    pub r#type: String,
    pub title: Option<String>,
    pub poster: Option<String>,
    pub imdb_rating: Option<f64>,
    #[sync(merge = "min")]
    pub created_at: Option<DateTimeUtc>,
    pub remote_id: Option<String>,
    pub dirty: Option<bool>,
    pub updated_at: Option<DateTimeUtc>,
    pub deleted_at: Option<DateTimeUtc>,
    #[sea_orm(belongs_to, from = "list_id", to = "id", on_delete = "Cascade")]
    pub list: BelongsTo<super::list::Entity>,
}
