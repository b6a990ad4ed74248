//! Keys of 32 bits, in the compact format, in an account that is named by a number.

use anyhow::Result;
use async_trait::async_trait;
use sea_orm::{ConnectionTrait, DatabaseConnection, Schema};
use sync_core::{Registry, schema::Side};
use sync_tests::{TestDb, on_both_backends};

use super::world::{Tables, World};

mod shelf {
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
        pub remote_id: Option<String>,
        pub dirty: Option<bool>,
        pub updated_at: Option<DateTimeUtc>,
        pub deleted_at: Option<DateTimeUtc>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
}

mod book {
    use sea_orm::entity::prelude::*;
    use sync_core::Syncable;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel, Syncable)]
    #[sea_orm(table_name = "books")]
    #[sync(natural_key(shelf_id, title))]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i32,
        #[sync(parent)]
        pub shelf_id: i32,
        pub title: String,
        pub page: Option<i32>,
        pub remote_id: Option<String>,
        pub dirty: Option<bool>,
        pub updated_at: Option<DateTimeUtc>,
        pub deleted_at: Option<DateTimeUtc>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {
        #[sea_orm(
            belongs_to = "super::shelf::Entity",
            from = "Column::ShelfId",
            to = "super::shelf::Column::Id"
        )]
        Shelf,
    }
}

pub(super) struct Shelves;

#[async_trait]
impl Tables for Shelves {
    async fn create(&self, db: &DatabaseConnection, _side: Side) -> Result<()> {
        let schema = Schema::new(db.get_database_backend());
        db.execute(&schema.create_table_from_entity(shelf::Entity))
            .await?;
        db.execute(&schema.create_table_from_entity(book::Entity))
            .await?;
        Ok(())
    }

    fn registry(&self) -> Result<Registry> {
        Ok(Registry::builder()
            .table::<book::Entity>()
            .table::<shelf::Entity>()
            .build()?)
    }

    fn user(&self) -> &'static str {
        "42"
    }
}

async fn world(database: TestDb) -> Result<World> {
    let world = World::with(database, &Shelves).await?;
    world
        .a
        .sql("INSERT INTO shelves (account, name) VALUES (42, 'Left')")
        .await?;
    world
        .a
        .sql("INSERT INTO books (shelf_id, title, page) VALUES (1, 'Emma', 5)")
        .await?;
    world.settle().await?;
    Ok(world)
}

const BOOKS: &str =
    "SELECT s.account, s.name, b.title, b.page FROM books b JOIN shelves s ON s.id = b.shelf_id
    WHERE b.deleted_at IS NULL AND s.deleted_at IS NULL";

async fn a_tree_arrives(database: TestDb) -> Result<()> {
    let world = world(database).await?;

    assert_eq!(world.b.rows(BOOKS).await?, ["42|Left|Emma|5"]);
    Ok(())
}

async fn edits_of_both_devices_meet(database: TestDb) -> Result<()> {
    let world = world(database).await?;
    world
        .a
        .sql("UPDATE books SET page = 9; UPDATE shelves SET is_default = TRUE")
        .await?;
    world
        .b
        .sql("UPDATE books SET title = 'Persuasion'; UPDATE shelves SET name = 'Right'")
        .await?;
    world.settle().await?;

    for device in [&world.a, &world.b] {
        assert_eq!(device.rows(BOOKS).await?, ["42|Right|Persuasion|9"]);
    }
    Ok(())
}

/// A pull that takes one column must leave the mark that another is pending.
async fn v9_a_row_with_something_pending_stays_dirty(database: TestDb) -> Result<()> {
    let world = world(database).await?;
    world.b.sql("UPDATE books SET title = 'Persuasion'").await?;
    world.b.sync().await?;
    world.a.sql("UPDATE books SET page = 9").await?;

    world.a.device.pull(&*world.a.transport, &|_| {}).await?;

    assert_eq!(
        world.a.rows("SELECT title, page, dirty FROM books").await?,
        ["Persuasion|9|1"]
    );
    assert_eq!(world.a.pending().await?, ["books 1 page"]);
    Ok(())
}

async fn a_deleted_tree_goes_and_comes_back(database: TestDb) -> Result<()> {
    let world = world(database).await?;
    world
        .a
        .sql("UPDATE shelves SET deleted_at = CURRENT_TIMESTAMP")
        .await?;
    world.settle().await?;
    assert_eq!(
        world
            .b
            .rows("SELECT id FROM books WHERE deleted_at IS NULL")
            .await?,
        [""; 0]
    );

    world.b.sql("UPDATE shelves SET deleted_at = NULL").await?;
    world.settle().await?;
    assert_eq!(world.a.rows(BOOKS).await?, ["42|Left|Emma|5"]);

    world
        .a
        .sql("DELETE FROM books; DELETE FROM shelves")
        .await?;
    world.settle().await?;
    assert_eq!(world.b.rows(BOOKS).await?, [""; 0]);
    Ok(())
}

async fn what_the_server_edits_arrives(database: TestDb) -> Result<()> {
    let world = world(database).await?;
    world
        .server
        .db
        .execute_unprepared("UPDATE books SET page = 12")
        .await?;
    world
        .server
        .db
        .execute_unprepared("INSERT INTO shelves (account, name) VALUES (42, 'New')")
        .await?;
    world.settle().await?;

    assert_eq!(world.b.rows(BOOKS).await?, ["42|Left|Emma|12"]);
    assert_eq!(
        world.a.rows("SELECT name FROM shelves ORDER BY 1").await?,
        ["Left", "New"]
    );
    Ok(())
}

on_both_backends!(
    a_tree_arrives,
    edits_of_both_devices_meet,
    v9_a_row_with_something_pending_stays_dirty,
    a_deleted_tree_goes_and_comes_back,
    what_the_server_edits_arrives,
);
