//! A table that refers to itself: folders in folders.

use anyhow::Result;
use async_trait::async_trait;
use sea_orm::{ConnectionTrait, DatabaseConnection, Schema};
use sync_core::{Registry, schema::Side};
use sync_tests::{TestDb, TestDevice, on_both_backends, text_rows::text_rows};

use super::world::{Tables, World};

mod folder {
    use sea_orm::entity::prelude::*;
    use sync_core::Syncable;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel, Syncable)]
    #[sea_orm(table_name = "folders")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        #[sync(owner)]
        pub user_id: String,
        #[sync(reference)]
        pub folder_id: Option<i64>,
        pub name: String,
        pub remote_id: Option<String>,
        pub dirty: Option<bool>,
        pub updated_at: Option<DateTimeUtc>,
        pub deleted_at: Option<DateTimeUtc>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {
        #[sea_orm(
            belongs_to = "Entity",
            from = "Column::FolderId",
            to = "Column::Id",
            on_delete = "Cascade"
        )]
        Folder,
    }
}

pub(super) struct Folders;

#[async_trait]
impl Tables for Folders {
    async fn create(&self, db: &DatabaseConnection, _side: Side) -> Result<()> {
        let schema = Schema::new(db.get_database_backend());
        db.execute(&schema.create_table_from_entity(folder::Entity))
            .await?;
        Ok(())
    }

    fn registry(&self) -> Result<Registry> {
        Ok(Registry::builder().table::<folder::Entity>().build()?)
    }
}

/// The paths of all live folders.
async fn paths(device: &TestDevice) -> Result<Vec<String>> {
    let sql = "WITH RECURSIVE path (id, text) AS (
            SELECT id, name FROM folders WHERE folder_id IS NULL AND deleted_at IS NULL
            UNION ALL SELECT f.id, text || '/' || name FROM folders f JOIN path ON f.folder_id = path.id
            WHERE f.deleted_at IS NULL)
        SELECT text FROM path ORDER BY 1";
    device.rows(sql).await
}

async fn world(database: TestDb) -> Result<World> {
    let world = World::with(database, &Folders).await?;
    for (name, parent) in [
        ("a", "NULL"),
        ("b", "1"),
        ("c", "2"),
        ("d", "3"),
        ("e", "4"),
    ] {
        let sql = format!(
            "INSERT INTO folders (user_id, folder_id, name) VALUES ('u1', {parent}, '{name}')"
        );
        world.a.sql(&sql).await?;
    }
    Ok(world)
}

const ALL: [&str; 5] = ["a", "a/b", "a/b/c", "a/b/c/d", "a/b/c/d/e"];

async fn a_deep_tree_arrives_in_one_sync(database: TestDb) -> Result<()> {
    let world = world(database).await?;
    world.a.sync().await?;
    world.b.sync().await?;

    assert_eq!(paths(&world.b).await?, ALL);
    world.settle().await?;
    assert_eq!(paths(&world.a).await?, ALL);
    Ok(())
}

/// A parent may have been made after its child, so ids say nothing.
async fn a_tree_whose_root_is_the_newest_arrives(database: TestDb) -> Result<()> {
    let world = world(database).await?;
    world.a.sql("INSERT INTO folders (user_id, name) VALUES ('u1', 'z'); UPDATE folders SET folder_id = 6 WHERE id = 1").await?;
    world.a.sync().await?;
    world.b.sync().await?;

    assert_eq!(
        paths(&world.b).await?,
        ["z", "z/a", "z/a/b", "z/a/b/c", "z/a/b/c/d", "z/a/b/c/d/e"]
    );
    Ok(())
}

async fn a_delete_goes_all_the_way_down_and_an_undelete_too(database: TestDb) -> Result<()> {
    let world = world(database).await?;
    world.settle().await?;
    world.settle().await?;
    assert_eq!(paths(&world.b).await?, ALL);

    world
        .a
        .sql("UPDATE folders SET deleted_at = CURRENT_TIMESTAMP WHERE name = 'b'")
        .await?;
    world.settle().await?;
    for device in [&world.a, &world.b] {
        assert_eq!(
            device
                .rows("SELECT name FROM folders WHERE deleted_at IS NULL")
                .await?,
            ["a"]
        );
    }

    world
        .b
        .sql("UPDATE folders SET deleted_at = NULL WHERE name = 'b'")
        .await?;
    world.settle().await?;
    for device in [&world.a, &world.b] {
        assert_eq!(paths(device).await?, ALL);
    }
    Ok(())
}

async fn a_hard_delete_goes_all_the_way_down(database: TestDb) -> Result<()> {
    let world = world(database).await?;
    world.settle().await?;
    world.settle().await?;

    world.a.sql("DELETE FROM folders WHERE name = 'b'").await?;
    world.settle().await?;

    assert_eq!(
        world
            .b
            .rows("SELECT name FROM folders WHERE deleted_at IS NULL")
            .await?,
        ["a"]
    );
    Ok(())
}

/// As `sqlite3` does, which enforces no foreign keys.
async fn a_hard_delete_goes_down_without_foreign_keys(database: TestDb) -> Result<()> {
    let world = world(database).await?;
    world.settle().await?;
    world.settle().await?;

    world.a.sql("PRAGMA foreign_keys = OFF").await?;
    world.a.sql("DELETE FROM folders WHERE name = 'b'").await?;
    world.a.sql("PRAGMA foreign_keys = ON").await?;

    assert_eq!(world.a.rows("SELECT name FROM folders").await?, ["a"]);
    assert_eq!(world.a.one("SELECT count(*) FROM sync_deleted").await?, "4");
    Ok(())
}

async fn a_folder_moved_on_one_device_moves_on_the_other(database: TestDb) -> Result<()> {
    let world = world(database).await?;
    world.settle().await?;
    world.settle().await?;

    world.b.sql("UPDATE folders SET folder_id = (SELECT id FROM folders WHERE name = 'a') WHERE name = 'd'").await?;
    world.settle().await?;

    assert_eq!(
        paths(&world.a).await?,
        ["a", "a/b", "a/b/c", "a/d", "a/d/e"]
    );
    Ok(())
}

async fn a_delete_goes_down_before_any_sync(database: TestDb) -> Result<()> {
    let world = world(database).await?;
    world.settle().await?;
    world.settle().await?;
    let server = &world.server.db;
    let live = "SELECT name FROM folders WHERE deleted_at IS NULL ORDER BY 1";

    server
        .execute_unprepared("UPDATE folders SET deleted_at = CURRENT_TIMESTAMP WHERE name = 'b'")
        .await?;
    assert_eq!(text_rows(server, live).await?, ["a"]);

    server
        .execute_unprepared("UPDATE folders SET deleted_at = NULL WHERE name = 'b'")
        .await?;
    assert_eq!(text_rows(server, live).await?, ["a", "b", "c", "d", "e"]);
    Ok(())
}

/// Each of two devices moves one folder into the other: no end, but no loss and no loop of the engine.
async fn j38_two_folders_moved_into_each_other(database: TestDb) -> Result<()> {
    let world = World::with(database, &Folders).await?;
    world
        .a
        .sql("INSERT INTO folders (user_id, name) VALUES ('u1', 'x'), ('u1', 'y')")
        .await?;
    world.settle().await?;
    world.a.sql("UPDATE folders SET folder_id = (SELECT id FROM folders WHERE name = 'y') WHERE name = 'x'").await?;
    world.b.sql("UPDATE folders SET folder_id = (SELECT id FROM folders WHERE name = 'x') WHERE name = 'y'").await?;
    world.settle().await?;

    let both = "SELECT f.name, p.name AS parent FROM folders f LEFT JOIN folders p ON p.id = f.folder_id ORDER BY 1";
    assert_eq!(world.a.rows(both).await?, world.b.rows(both).await?);
    world
        .a
        .sql("UPDATE folders SET deleted_at = CURRENT_TIMESTAMP WHERE name = 'x'")
        .await?;
    world.settle().await?;
    assert_eq!(
        world
            .b
            .rows("SELECT name FROM folders WHERE name = 'x' AND deleted_at IS NULL")
            .await?,
        [""; 0]
    );
    Ok(())
}

on_both_backends!(
    a_delete_goes_all_the_way_down_and_an_undelete_too,
    a_delete_goes_down_before_any_sync,
    a_hard_delete_goes_all_the_way_down,
    a_hard_delete_goes_down_without_foreign_keys,
    a_folder_moved_on_one_device_moves_on_the_other,
    j38_two_folders_moved_into_each_other,
);

on_both_backends!(a_deep_tree_arrives_in_one_sync);

on_both_backends!(a_tree_whose_root_is_the_newest_arrives);
