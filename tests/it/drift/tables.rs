//! The tables of a program in two versions: notes, which get a colour and stars, and then labels.

use anyhow::Result;
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Schema};
use sync_core::Registry;

/// As it was first.
pub mod older {
    use sea_orm::entity::prelude::*;
    use sync_core::Syncable;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel, Syncable)]
    #[sea_orm(table_name = "notes")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        #[sync(owner)]
        pub user_id: String,
        pub text: String,
        pub remote_id: Option<String>,
        pub dirty: Option<bool>,
        pub updated_at: Option<DateTimeUtc>,
        pub deleted_at: Option<DateTimeUtc>,
    }
}

/// As it is now.
pub mod newer {
    use sea_orm::entity::prelude::*;
    use sync_core::Syncable;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel, Syncable)]
    #[sea_orm(table_name = "notes")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        #[sync(owner)]
        pub user_id: String,
        pub text: String,
        pub color: Option<String>,
        pub stars: i64,
        pub remote_id: Option<String>,
        pub dirty: Option<bool>,
        pub updated_at: Option<DateTimeUtc>,
        pub deleted_at: Option<DateTimeUtc>,
    }
}

/// A table that is new.
pub mod label {
    use sea_orm::entity::prelude::*;
    use sync_core::Syncable;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel, Syncable)]
    #[sea_orm(table_name = "labels")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        #[sync(parent)]
        pub note_id: i64,
        pub name: String,
        pub remote_id: Option<String>,
        pub dirty: Option<bool>,
        pub updated_at: Option<DateTimeUtc>,
        pub deleted_at: Option<DateTimeUtc>,
        #[sea_orm(belongs_to, from = "note_id", to = "id", on_delete = "Cascade")]
        pub note: BelongsTo<super::newer::Entity>,
    }
}

/// Which version of the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    Older,
    Newer,
}

impl Version {
    /// What it syncs.
    pub fn registry(self) -> Result<Registry> {
        let builder = Registry::builder();
        let builder = match self {
            Self::Older => builder.table::<older::Entity>(),
            Self::Newer => builder.table::<newer::Entity>().table::<label::Entity>(),
        };
        Ok(builder.build()?)
    }

    /// Its migrations, on a database of either version.
    pub async fn migrate(self, db: &DatabaseConnection) -> Result<()> {
        let schema = Schema::new(db.get_database_backend());
        let mut notes = schema.create_table_from_entity(older::Entity);
        db.execute(notes.if_not_exists()).await?;
        if self == Self::Older || has_colour(db).await {
            return Ok(());
        }
        let number = match db.get_database_backend() {
            DbBackend::Postgres => "BIGINT",
            _ => "INTEGER",
        };
        for column in ["color TEXT", &format!("stars {number} NOT NULL DEFAULT 3")] {
            let sql = format!("ALTER TABLE notes ADD COLUMN {column}");
            db.execute_unprepared(&sql).await?;
        }
        let mut labels = schema.create_table_from_entity(label::Entity);
        db.execute(labels.if_not_exists()).await?;
        Ok(())
    }
}

async fn has_colour(db: &DatabaseConnection) -> bool {
    let sql = "SELECT color FROM notes LIMIT 1";
    db.execute_unprepared(sql).await.is_ok()
}
