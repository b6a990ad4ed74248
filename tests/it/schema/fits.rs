//! A fresh database fits the entities.

use std::collections::BTreeMap;

use anyhow::Result;
use sea_orm::{ColumnTrait, EntityTrait, IdenStatic, Iterable, QuerySelect};
use sync_tests::{CapturedDb, wherever_capture_runs};

wherever_capture_runs!(
    every_table_can_be_read,
    every_column_is_there_and_as_strict_as_the_entity
);

/// Hands each of the entities to a macro.
macro_rules! entities {
    ($each:ident, $db:expr) => {
        $each::<entity::user::Entity>($db).await?;
        $each::<entity::addon::Entity>($db).await?;
        $each::<entity::settings_profile::Entity>($db).await?;
        $each::<entity::profile::Entity>($db).await?;
        $each::<entity::profile_addon::Entity>($db).await?;
        $each::<entity::stream_setting::Entity>($db).await?;
        $each::<entity::appearance_setting::Entity>($db).await?;
        $each::<entity::watch_history::Entity>($db).await?;
        $each::<entity::list::Entity>($db).await?;
        $each::<entity::list_item::Entity>($db).await?;
    };
}

/// There is a row in each, so the types have to be right, which Postgres is strict about.
async fn every_table_can_be_read(db: CapturedDb) -> Result<()> {
    entities!(can_be_read, &db);
    Ok(())
}

async fn can_be_read<E: EntityTrait>(db: &CapturedDb) -> Result<()> {
    let table = sea_orm::EntityName::table_name(&E::default()).to_owned();
    let rows = E::find()
        .all(db.db())
        .await
        .map_err(|error| anyhow::anyhow!("{table}: {error}"))?;
    assert!(!rows.is_empty(), "{table}");
    E::find().limit(0).all(db.db()).await?;
    Ok(())
}

async fn every_column_is_there_and_as_strict_as_the_entity(db: CapturedDb) -> Result<()> {
    entities!(columns_fit, &db);
    Ok(())
}

/// What an entity cannot read as NULL must not be NULL.
async fn columns_fit<E: EntityTrait>(db: &CapturedDb) -> Result<()> {
    let table = sea_orm::EntityName::table_name(&E::default()).to_owned();
    let there = columns(db, &table).await?;
    for column in E::Column::iter() {
        let required = !column.def().is_null();
        match there.get(column.as_str()) {
            None => panic!("{table} has no column {}", column.as_str()),
            Some(not_null) => assert!(
                *not_null || !required,
                "{table}.{} may be NULL",
                column.as_str()
            ),
        }
    }
    let known: Vec<_> = E::Column::iter()
        .map(|column| column.as_str().to_owned())
        .collect();
    let more: Vec<_> = there
        .keys()
        .filter(|column| !known.contains(*column))
        .collect();
    assert!(
        more.is_empty() || table == "user",
        "{table} has {more:?} too"
    );
    Ok(())
}

/// The columns of a table, and whether each is NOT NULL.
async fn columns(db: &CapturedDb, table: &str) -> Result<BTreeMap<String, bool>> {
    let query = if db.is_postgres() {
        format!(
            "SELECT column_name, CASE is_nullable WHEN 'NO' THEN 1 ELSE 0 END AS strict
             FROM information_schema.columns WHERE table_name = '{table}' AND table_schema = 'public'"
        )
    } else {
        format!("SELECT name, \"notnull\" OR pk AS strict FROM pragma_table_info('{table}')")
    };
    let rows = db.rows(&query).await?;
    assert!(
        !rows.is_empty(),
        "{table} on {:?}",
        db.db().get_database_backend()
    );
    Ok(rows
        .iter()
        .filter_map(|row| row.split_once('|'))
        .map(|(name, strict)| (name.to_owned(), strict == "1"))
        .collect())
}
