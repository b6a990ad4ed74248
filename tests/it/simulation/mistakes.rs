//! Mistakes in the set-up of entities, which the testing kit has to find.

use anyhow::{Context, Result, ensure};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbErr, Schema};
use sync_core::{
    Registry, RegistryError,
    schema::Side,
    testing::{Failure, Simulation},
};

mod tag {
    use sea_orm::entity::prelude::*;
    use sync_core::Syncable;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel, Syncable)]
    #[sea_orm(table_name = "tags")]
    #[sync(natural_key(user_id, word))]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        #[sync(owner)]
        pub user_id: String,
        pub word: String,
        pub state: String,
        pub remote_id: Option<String>,
        pub dirty: Option<bool>,
        pub updated_at: Option<DateTimeUtc>,
        pub deleted_at: Option<DateTimeUtc>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
}

mod score {
    use sea_orm::entity::prelude::*;
    use sync_core::Syncable;

    /// Who comes last is right: no rule of values.
    fn the_other(_mine: &i64, other: &i64) -> i64 {
        *other
    }

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel, Syncable)]
    #[sea_orm(table_name = "scores")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        #[sync(owner)]
        pub user_id: String,
        #[sync(merge = "the_other")]
        pub points: i64,
        pub remote_id: Option<String>,
        pub dirty: Option<bool>,
        pub updated_at: Option<DateTimeUtc>,
        pub deleted_at: Option<DateTimeUtc>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
}

fn tags() -> Result<Registry, RegistryError> {
    Registry::builder().table::<tag::Entity>().build()
}

/// Tags in a table of which more is asked.
fn tags_with(more: &'static str) -> Simulation {
    Simulation::new(tags)
        .schema(
            async move |db: &DatabaseConnection, _side: Side| -> Result<(), DbErr> {
                let schema = Schema::new(db.get_database_backend());
                db.execute(&schema.create_table_from_entity(tag::Entity))
                    .await?;
                db.execute_unprepared(more).await.map(|_| ())
            },
        )
        .seeds(1..=20)
}

fn failure(simulation: &Simulation) -> Result<Failure> {
    simulation.run().err().context("the kit is content")
}

#[test]
fn tags_hold() -> Result<()> {
    tags_with("").run()?;
    Ok(())
}

/// Who deletes a tag could not make it again.
#[test]
fn a_deleted_row_that_keeps_its_key_is_found() -> Result<()> {
    let failure = failure(&tags_with(
        "CREATE UNIQUE INDEX words ON tags (user_id, word)",
    ))?;
    ensure!(
        failure.what().starts_with("REFUSED: no live row of `tags`"),
        "{failure}"
    );
    ensure!(
        failure.to_string().contains("WHERE deleted_at IS NULL"),
        "{failure}"
    );
    Ok(())
}

/// Two devices make rows that one database can not hold.
#[test]
fn what_is_unique_and_no_natural_key_is_found() -> Result<()> {
    let tags =
        tags_with("CREATE UNIQUE INDEX states ON tags (user_id, state) WHERE deleted_at IS NULL");
    let failure = failure(&tags.values("tags", "state", |n| format!("state {}", n % 5)))?;
    ensure!(failure.seed().is_some(), "{failure}");
    Ok(())
}

#[test]
fn a_column_that_takes_only_some_values_is_found_and_can_be_given_them() -> Result<()> {
    let check = "CREATE TRIGGER states BEFORE INSERT ON tags WHEN new.state NOT IN ('open', 'done')
                 BEGIN SELECT raise(ABORT, 'no such state'); END";
    let failure = failure(&tags_with(check))?;
    ensure!(failure.what().contains("no such state"), "{failure}");

    let given = tags_with(check).values("tags", "state", |n| ["open", "done"][n as usize % 2]);
    given.run()?;
    Ok(())
}

#[test]
fn a_merge_that_asks_who_comes_last_is_found() -> Result<()> {
    let scores = Simulation::new(|| Registry::builder().table::<score::Entity>().build());
    let failure = failure(&scores)?;
    ensure!(
        failure.what().starts_with("LAWS: `scores.points` merges"),
        "{failure}"
    );
    Ok(())
}

#[test]
fn a_column_that_is_none_is_told() -> Result<()> {
    let failure = failure(&tags_with("").leave("tags", "sate"))?;
    ensure!(failure.what().contains("tags.sate"), "{failure}");
    Ok(())
}
