//! The ninth entity between two devices, over whatever transport.

use anyhow::Result;
use async_trait::async_trait;
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, DatabaseConnection, EntityTrait, IntoActiveModel,
    ModelTrait,
};
use sea_orm_migration::MigratorTrait;
use sync_core::{
    Registry,
    schema::{Side, check},
};
use sync_tests::{TestDb, TestDevice, on_both_backends};

use super::{
    bookmark,
    create_bookmarks::{OnDevice, OnServer},
    world::{Tables, World},
};

pub(super) struct Bookmarks;

#[async_trait]
impl Tables for Bookmarks {
    async fn create(&self, db: &DatabaseConnection, side: Side) -> Result<()> {
        match side {
            Side::Device => OnDevice::up(db, None).await?,
            Side::Server => OnServer::up(db, None).await?,
        }
        Ok(())
    }

    fn registry(&self) -> Result<Registry> {
        Ok(bookmark::registry()?)
    }
}

async fn world(database: TestDb) -> Result<World> {
    let world = World::with(database, &Bookmarks).await?;
    world
        .a
        .sql("INSERT INTO profiles (user_id, name, avatar) VALUES ('u1', 'Anna', 'a')")
        .await?;
    world.settle().await?;
    Ok(world)
}

async fn insert(device: &TestDevice, meta_id: &str) -> Result<bookmark::Model> {
    let new = bookmark::ActiveModel {
        profile_id: Set(1),
        meta_id: Set(meta_id.to_owned()),
        second: Set(90),
        note: Set(Some("the storm".to_owned())),
        place: Set(Some(7)),
        ..Default::default()
    };
    Ok(new.insert(device.device.db()).await?)
}

async fn bookmarks(device: &TestDevice) -> Result<Vec<String>> {
    device.rows("SELECT meta_id, second, note, visits FROM bookmarks WHERE deleted_at IS NULL ORDER BY 1").await
}

async fn an_insert_arrives(database: TestDb) -> Result<()> {
    let world = world(database).await?;
    let inserted = insert(&world.a, "tt1").await?;
    assert!(inserted.dirty && inserted.remote_id.is_none());

    world.settle().await?;

    assert_eq!(bookmarks(&world.b).await?, ["tt1|90|the storm|0"]);
    let [here, there] =
        [&world.a, &world.b].map(|device| bookmark::Entity::find().one(device.device.db()));
    let (here, there) = (here.await?.expect("here"), there.await?.expect("there"));
    assert_eq!(here.remote_id, there.remote_id);
    assert_eq!(
        (here.place, there.place),
        (Some(7), None),
        "what is local stays"
    );
    assert!(!here.dirty && !there.dirty);
    Ok(())
}

async fn edits_of_both_devices_meet(database: TestDb) -> Result<()> {
    let world = world(database).await?;
    insert(&world.a, "tt1").await?;
    world.settle().await?;

    let model = bookmark::Entity::find()
        .one(world.a.device.db())
        .await?
        .expect("it is there");
    let edited = bookmark::ActiveModel {
        note: Set(None),
        visits: Set(3),
        ..model.into_active_model()
    };
    edited.update(world.a.device.db()).await?;
    world
        .b
        .sql("UPDATE bookmarks SET visits = 2, second = 91")
        .await?;
    world.settle().await?;

    for device in [&world.a, &world.b] {
        assert_eq!(bookmarks(device).await?, ["tt1|91|NULL|3"]);
    }
    Ok(())
}

async fn a_delete_and_an_undelete_arrive(database: TestDb) -> Result<()> {
    let world = world(database).await?;
    insert(&world.a, "tt1").await?;
    insert(&world.a, "tt2").await?;
    world.settle().await?;

    world
        .a
        .sql("UPDATE bookmarks SET deleted_at = CURRENT_TIMESTAMP WHERE meta_id = 'tt1'")
        .await?;
    world.settle().await?;
    assert_eq!(bookmarks(&world.b).await?, ["tt2|90|the storm|0"]);

    world
        .b
        .sql("UPDATE bookmarks SET deleted_at = NULL")
        .await?;
    world.settle().await?;
    assert_eq!(
        bookmarks(&world.a).await?,
        ["tt1|90|the storm|0", "tt2|90|the storm|0"]
    );
    Ok(())
}

async fn a_hard_delete_arrives(database: TestDb) -> Result<()> {
    let world = world(database).await?;
    insert(&world.a, "tt1").await?;
    world.settle().await?;

    bookmark::Entity::find()
        .one(world.b.device.db())
        .await?
        .expect("it is there")
        .delete(world.b.device.db())
        .await?;
    world.settle().await?;

    assert_eq!(bookmarks(&world.a).await?, [""; 0]);
    Ok(())
}

async fn the_parents_delete_takes_it_along_and_brings_it_back(database: TestDb) -> Result<()> {
    let world = world(database).await?;
    insert(&world.a, "tt1").await?;
    world.settle().await?;

    world
        .b
        .sql("UPDATE profiles SET deleted_at = CURRENT_TIMESTAMP")
        .await?;
    world.settle().await?;
    assert_eq!(bookmarks(&world.a).await?, [""; 0]);

    world.a.sql("UPDATE profiles SET deleted_at = NULL").await?;
    world.settle().await?;
    assert_eq!(bookmarks(&world.b).await?, ["tt1|90|the storm|0"]);
    Ok(())
}

async fn the_same_thing_made_twice_is_one(database: TestDb) -> Result<()> {
    let world = world(database).await?;
    insert(&world.a, "tt1").await?;
    insert(&world.b, "tt1").await?;
    world.b.sql("UPDATE bookmarks SET visits = 5").await?;

    world.settle().await?;

    for device in [&world.a, &world.b] {
        assert_eq!(bookmarks(device).await?, ["tt1|90|the storm|5"]);
    }
    Ok(())
}

async fn an_edit_in_the_servers_database_arrives(database: TestDb) -> Result<()> {
    let world = world(database).await?;
    let new = bookmark::ActiveModel {
        profile_id: Set(1),
        meta_id: Set("tt5".to_owned()),
        second: Set(1),
        visits: Set(0),
        ..Default::default()
    };
    bookmark::Entity::insert(new)
        .exec_without_returning(&world.server.db)
        .await?;

    world.settle().await?;

    assert_eq!(bookmarks(&world.a).await?, ["tt5|1|NULL|0"]);
    Ok(())
}

async fn the_migration_alone_installs_the_capture(database: TestDb) -> Result<()> {
    let db = database.connect().await?;
    migration::up(&db, migration::Side::Server).await?;
    OnServer::up(&db, None).await?;

    let only_it = [bookmark::registry()?];
    let differences = check(&db, &only_it[0]).await?;
    assert!(
        differences
            .iter()
            .all(|difference| difference.table != "bookmarks"),
        "{differences:?}"
    );
    Ok(())
}

on_both_backends!(
    an_insert_arrives,
    edits_of_both_devices_meet,
    a_delete_and_an_undelete_arrive,
    a_hard_delete_arrives,
    the_parents_delete_takes_it_along_and_brings_it_back,
    the_same_thing_made_twice_is_one,
    an_edit_in_the_servers_database_arrives,
    the_migration_alone_installs_the_capture,
);
