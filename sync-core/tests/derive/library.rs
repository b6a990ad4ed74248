//! Shelves and books: one entity of each format, which between them use every attribute.

/// A root table in the compact format, with the other type wherever there is a choice.
pub mod shelf {
    use sea_orm::entity::prelude::*;
    use sync_core::Syncable;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel, Syncable)]
    #[sea_orm(table_name = "shelves")]
    #[sync(exclusive(flag = "is_default", per = "account"))]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i32,
        #[sync(owner)]
        pub account: i64,
        pub name: String,
        pub is_default: Option<bool>,
        pub remote_id: String,
        pub dirty: Option<bool>,
        pub updated_at: Option<DateTimeUtc>,
        pub deleted_at: Option<DateTimeUtc>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
}

/// A child table in the dense format.
pub mod book {
    use sea_orm::entity::prelude::*;
    use sync_core::Syncable;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel, Syncable)]
    #[sea_orm(table_name = "books")]
    #[sync(natural_key(shelf_id, r#type, isbn))]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        #[sync(parent)]
        pub shelf_id: i32,
        #[sync(reference)]
        pub sequel_id: Option<i64>,
        #[sync(lookup(entity = "super::publisher::Entity", key = "website"))]
        pub publisher_id: Option<i64>,
        pub r#type: String,
        #[sea_orm(column_name = "isbnCode")]
        pub isbn: Option<String>,
        #[sync(group = "progress")]
        pub page: Option<i32>,
        #[sync(merge = "max")]
        pub times_read: i64,
        #[sync(group = "progress")]
        pub finished_at: Option<DateTimeUtc>,
        #[sync(merge = "min")]
        pub bought_at: Option<DateTimeUtc>,
        #[sync(merge = "longer")]
        pub notes: Option<String>,
        #[sync(merge = "latest")]
        pub weight: Option<f64>,
        #[sync(local)]
        pub file: Option<String>,
        #[sea_orm(ignore)]
        pub open: bool,
        pub remote_id: Option<String>,
        pub dirty: bool,
        pub updated_at: DateTimeUtc,
        pub deleted_at: Option<DateTimeUtc>,
        #[sea_orm(belongs_to, from = "publisher_id", to = "id")]
        pub publisher: BelongsTo<Option<super::publisher::Entity>>,
    }

    fn longer(one: &Option<String>, other: &Option<String>) -> Option<String> {
        let key = |text: &Option<String>| (text.as_ref().map(String::len), text.clone());
        if key(one) >= key(other) {
            one.clone()
        } else {
            other.clone()
        }
    }
}

/// A table that is not synced.
pub mod publisher {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "publishers")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        #[sea_orm(unique)]
        pub website: String,
    }

    impl ActiveModelBehavior for ActiveModel {}
}
