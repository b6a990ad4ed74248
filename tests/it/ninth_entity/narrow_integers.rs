//! Integers that SeaORM reads and writes on SQLite only.

use anyhow::Result;
use async_trait::async_trait;
use sea_orm::{
    ActiveModelTrait, ActiveValue, ConnectionTrait, DatabaseConnection, EntityTrait,
    IntoActiveModel, Schema,
};
use sync_core::{Registry, schema::Side};
use sync_tests::{Backend, TestDb};

use super::world::{Tables, World};

mod count {
    use sea_orm::entity::prelude::*;
    use sync_core::Syncable;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel, Syncable)]
    #[sea_orm(table_name = "counts")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        #[sync(owner)]
        pub user_id: String,
        pub tiny: i8,
        pub unsigned_tiny: u8,
        pub unsigned_small: Option<u16>,
        pub unsigned_medium: u32,
        pub remote_id: Option<String>,
        pub dirty: Option<bool>,
        pub updated_at: Option<DateTimeUtc>,
        pub deleted_at: Option<DateTimeUtc>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
}

struct Counts;

#[async_trait]
impl Tables for Counts {
    async fn create(&self, db: &DatabaseConnection, _side: Side) -> Result<()> {
        let schema = Schema::new(db.get_database_backend());
        db.execute(&schema.create_table_from_entity(count::Entity))
            .await?;
        Ok(())
    }

    fn registry(&self) -> Result<Registry> {
        Ok(Registry::builder().table::<count::Entity>().build()?)
    }
}

#[tokio::test]
async fn narrow_integers_keep_their_largest_and_least_values() -> Result<()> {
    let world = World::with(TestDb::new(Backend::Sqlite).await?, &Counts).await?;
    let row = |tiny, unsigned_tiny, unsigned_small, unsigned_medium| count::Model {
        id: 0,
        user_id: "u1".to_owned(),
        tiny,
        unsigned_tiny,
        unsigned_small,
        unsigned_medium,
        remote_id: None,
        dirty: None,
        updated_at: None,
        deleted_at: None,
    };
    let rows = [
        row(i8::MIN, 0, None, 0),
        row(i8::MAX, u8::MAX, Some(u16::MAX), u32::MAX),
    ];
    for row in &rows {
        let new = count::ActiveModel {
            id: ActiveValue::NotSet,
            ..row.clone().into_active_model().reset_all()
        };
        new.insert(world.a.device.db()).await?;
    }
    world.settle().await?;

    let there = count::Entity::find().all(world.b.device.db()).await?;
    let plain = |model: count::Model| count::Model {
        id: 0,
        remote_id: None,
        dirty: None,
        updated_at: None,
        ..model
    };
    assert_eq!(there.into_iter().map(plain).collect::<Vec<_>>(), rows);
    Ok(())
}
