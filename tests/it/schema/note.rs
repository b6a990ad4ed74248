//! One table in two versions of a program: the later one has a column more.

use anyhow::Result;
use sea_orm::{ConnectionTrait, DatabaseConnection, Schema};

/// As it was first.
pub mod first {
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
pub mod second {
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
        pub remote_id: Option<String>,
        pub dirty: Option<bool>,
        pub updated_at: Option<DateTimeUtc>,
        pub deleted_at: Option<DateTimeUtc>,
    }
}

/// The first version's table.
pub async fn create_first(db: &DatabaseConnection) -> Result<()> {
    let table = Schema::new(db.get_database_backend()).create_table_from_entity(first::Entity);
    db.execute(&table).await?;
    Ok(())
}

/// The second version's migration of it.
pub async fn add_color(db: &DatabaseConnection) -> Result<()> {
    db.execute_unprepared("ALTER TABLE notes ADD COLUMN color TEXT")
        .await?;
    Ok(())
}
