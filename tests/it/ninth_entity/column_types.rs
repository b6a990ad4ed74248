//! Every type that a column can have on both kinds of server, there and back.

use anyhow::Result;
use async_trait::async_trait;
use sea_orm::{
    ActiveModelTrait,
    ActiveValue::Set,
    ConnectionTrait, DatabaseConnection, EntityTrait, IntoActiveModel, Schema,
    prelude::{Date, DateTimeUtc},
};
use serde_json::json;
use sync_core::{Registry, schema::Side};
use sync_tests::{TestDb, on_both_backends};

use super::world::{Tables, World};

mod sample {
    use sea_orm::entity::prelude::*;
    use sync_core::Syncable;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel, Syncable)]
    #[sea_orm(table_name = "samples")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        #[sync(owner)]
        pub user_id: String,
        pub flag: bool,
        pub small: i16,
        pub medium: i32,
        pub large: i64,
        pub short_real: f32,
        pub real: f64,
        pub words: String,
        #[sea_orm(column_type = "Text")]
        pub long_words: String,
        pub moment: DateTimeUtc,
        pub day: Date,
        pub tree: Json,
        #[sea_orm(column_type = "JsonBinary")]
        pub binary_tree: Json,
        pub bytes: Vec<u8>,
        pub maybe_flag: Option<bool>,
        pub maybe_small: Option<i16>,
        pub maybe_large: Option<i64>,
        pub maybe_real: Option<f64>,
        pub maybe_words: Option<String>,
        pub maybe_moment: Option<DateTimeUtc>,
        pub maybe_day: Option<Date>,
        pub maybe_tree: Option<Json>,
        pub maybe_bytes: Option<Vec<u8>>,
        pub remote_id: Option<String>,
        pub dirty: bool,
        pub updated_at: DateTimeUtc,
        pub deleted_at: Option<DateTimeUtc>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
}

struct Samples;

#[async_trait]
impl Tables for Samples {
    async fn create(&self, db: &DatabaseConnection, _side: Side) -> Result<()> {
        let schema = Schema::new(db.get_database_backend());
        db.execute(&schema.create_table_from_entity(sample::Entity))
            .await?;
        Ok(())
    }

    fn registry(&self) -> Result<Registry> {
        Ok(Registry::builder().table::<sample::Entity>().build()?)
    }
}

fn moment(text: &str) -> DateTimeUtc {
    text.parse().expect("a moment")
}

fn day(text: &str) -> Date {
    text.parse().expect("a day")
}

/// As large as it gets.
fn full() -> sample::Model {
    sample::Model {
        id: 0,
        user_id: "u1".to_owned(),
        flag: true,
        small: i16::MIN,
        medium: i32::MIN,
        large: i64::MIN,
        short_real: f32::MAX,
        real: f64::MIN_POSITIVE,
        words: "Ünïcödé 😀 'quoted' \"twice\" \\ \n".to_owned(),
        long_words: "x".repeat(100_000),
        moment: moment("2026-02-28T23:59:59.999Z"),
        day: day("2028-02-29"),
        tree: json!({"b": [1, 2.5, null, {"c": "d"}], "a": "é"}),
        binary_tree: json!({"b": [1, 2.5, null, {"c": "d"}], "a": "é"}),
        bytes: (0..=255).collect(),
        maybe_flag: Some(false),
        maybe_small: Some(i16::MAX),
        maybe_large: Some(i64::MAX),
        maybe_real: Some(0.1 + 0.2),
        maybe_words: Some(String::new()),
        maybe_moment: Some(moment("1969-12-31T23:59:59.001Z")),
        maybe_day: Some(day("0001-01-01")),
        maybe_tree: Some(json!([])),
        maybe_bytes: Some(Vec::new()),
        remote_id: None,
        dirty: false,
        updated_at: DateTimeUtc::default(),
        deleted_at: None,
    }
}

/// As little as it can be.
fn bare() -> sample::Model {
    sample::Model {
        flag: false,
        small: 0,
        medium: 0,
        large: 0,
        short_real: 0.1,
        real: -0.0,
        words: String::new(),
        long_words: String::new(),
        moment: moment("0001-01-01T00:00:00Z"),
        day: day("9999-12-31"),
        tree: json!(5),
        binary_tree: json!("text"),
        bytes: Vec::new(),
        maybe_flag: None,
        maybe_small: None,
        maybe_large: None,
        maybe_real: None,
        maybe_words: None,
        maybe_moment: None,
        maybe_day: None,
        maybe_tree: None,
        maybe_bytes: None,
        ..full()
    }
}

/// What is each database's own made equal.
fn shared(model: sample::Model) -> sample::Model {
    sample::Model {
        id: 0,
        remote_id: None,
        dirty: false,
        updated_at: DateTimeUtc::default(),
        ..model
    }
}

async fn only(db: &DatabaseConnection) -> Result<sample::Model> {
    let mut all = sample::Entity::find().all(db).await?;
    anyhow::ensure!(all.len() == 1, "{} rows", all.len());
    Ok(all.remove(0))
}

async fn round_trip(database: TestDb, first: sample::Model, then: sample::Model) -> Result<()> {
    let world = World::with(database, &Samples).await?;
    let mut new = first.clone().into_active_model().reset_all();
    new.id = sea_orm::ActiveValue::NotSet;
    new.insert(world.a.device.db()).await?;
    world.settle().await?;
    for db in [world.a.device.db(), &world.server.db, world.b.device.db()] {
        assert_eq!(shared(only(db).await?), first);
    }

    let id = only(world.b.device.db()).await?.id;
    let remote_id = only(world.b.device.db()).await?.remote_id;
    let mut edited = sample::Model {
        id,
        remote_id,
        ..then.clone()
    }
    .into_active_model()
    .reset_all();
    edited.id = Set(id);
    edited.update(world.b.device.db()).await?;
    world.settle().await?;
    for db in [world.a.device.db(), &world.server.db, world.b.device.db()] {
        assert_eq!(shared(only(db).await?), then);
    }
    Ok(())
}

async fn every_type_keeps_its_largest_value(database: TestDb) -> Result<()> {
    round_trip(database, full(), bare()).await
}

async fn every_type_keeps_its_least_value(database: TestDb) -> Result<()> {
    round_trip(database, bare(), full()).await
}

/// The server's own database is where a value could change its form and come back as an edit.
async fn v10_then_all_is_quiet(database: TestDb) -> Result<()> {
    let world = World::with(database, &Samples).await?;
    let mut new = full().into_active_model().reset_all();
    new.id = sea_orm::ActiveValue::NotSet;
    new.insert(world.a.device.db()).await?;
    world.settle().await?;

    for device in [&world.a, &world.b] {
        let report = device.sync().await?;
        assert_eq!((report.n_pushed, report.n_pulled), (0, 0), "{report:?}");
    }
    Ok(())
}

/// Each column by itself, on the server: what changes there is captured and arrives.
async fn an_edit_of_each_column_on_the_server_arrives(database: TestDb) -> Result<()> {
    let world = World::with(database, &Samples).await?;
    let mut new = full().into_active_model().reset_all();
    new.id = sea_orm::ActiveValue::NotSet;
    new.insert(world.a.device.db()).await?;
    world.settle().await?;
    let stored = only(&world.server.db).await?;
    let goal = sample::Model {
        id: stored.id,
        remote_id: stored.remote_id.clone(),
        ..bare()
    };
    let columns = <sample::Column as sea_orm::Iterable>::iter();
    for column in columns.filter(|column| !KEPT.contains(&sea_orm::IdenStatic::as_str(column))) {
        let mut edit = sample::ActiveModel {
            id: sea_orm::ActiveValue::Unchanged(stored.id),
            ..Default::default()
        };
        edit.set(column, sea_orm::ModelTrait::get(&goal, column));
        sample::Entity::update(edit).exec(&world.server.db).await?;
        world.settle().await?;
        let here = only(world.a.device.db()).await?;
        assert_eq!(
            sea_orm::ModelTrait::get(&here, column),
            sea_orm::ModelTrait::get(&goal, column),
            "{column:?}"
        );
    }
    assert_eq!(shared(only(world.b.device.db()).await?), bare());
    Ok(())
}

const KEPT: [&str; 6] = [
    "id",
    "user_id",
    "remote_id",
    "dirty",
    "updated_at",
    "deleted_at",
];

on_both_backends!(
    every_type_keeps_its_largest_value,
    every_type_keeps_its_least_value,
    v10_then_all_is_quiet,
    an_edit_of_each_column_on_the_server_arrives,
);
