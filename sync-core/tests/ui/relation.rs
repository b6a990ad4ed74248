use sea_orm::entity::prelude::*;
use sync_core::Syncable;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel, Syncable)]
#[sea_orm(table_name = "notes")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    #[sync(owner)]
    pub account: String,
    pub author_id: i64,
    pub remote_id: Option<String>,
    pub dirty: bool,
    pub updated_at: DateTimeUtc,
    pub deleted_at: Option<DateTimeUtc>,
    #[sync(parent)]
    #[sea_orm(belongs_to, from = "author_id", to = "id")]
    pub author: BelongsTo<author::Entity>,
}

mod author {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "authors")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

fn main() {}
