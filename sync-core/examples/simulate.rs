//! Simulates a small notes app: notebooks, and notes in them. Many devices edit them at random, the network
//! fails in every way, and in the end all of them have to agree.
//!
//! ```sh
//! cargo run -p sync-core --features testing --example simulate             # seeds 1 to 50
//! cargo run -p sync-core --features testing --example simulate -- 17      # seed 17 alone
//! ```

#![expect(unreachable_pub, reason = "entities are written as in an application")]
#![expect(clippy::print_stdout, reason = "an example talks to its reader")]

use std::{env, process::ExitCode};

use sea_orm::{ConnectionTrait, DatabaseConnection, DbErr, Schema};
use sync_core::{Registry, RegistryError, schema::Side, testing::Simulation};

mod notebook {
    use sea_orm::entity::prelude::*;
    use sync_core::Syncable;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel, Syncable)]
    #[sea_orm(table_name = "notebooks")]
    #[sync(natural_key(user_id, name))]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        #[sync(owner)]
        pub user_id: String,
        pub name: String,
        pub colour: Option<String>,
        pub remote_id: Option<String>,
        pub dirty: bool,
        pub updated_at: Option<DateTimeUtc>,
        pub deleted_at: Option<DateTimeUtc>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
}

mod note {
    use sea_orm::entity::prelude::*;
    use sync_core::Syncable;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel, Syncable)]
    #[sea_orm(table_name = "notes")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        #[sync(parent)]
        pub notebook_id: i64,
        #[sync(group = "content")]
        pub title: String,
        #[sync(group = "content")]
        pub text: Option<String>,
        pub pinned: bool,
        #[sync(merge = "max")]
        pub read_until: i64,
        /// What the app knows it by: one of three words.
        pub state: String,
        pub remote_id: Option<String>,
        pub dirty: bool,
        pub updated_at: Option<DateTimeUtc>,
        pub deleted_at: Option<DateTimeUtc>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {
        #[sea_orm(
            belongs_to = "super::notebook::Entity",
            from = "Column::NotebookId",
            to = "super::notebook::Column::Id",
            on_delete = "Cascade"
        )]
        Notebook,
    }
}

fn registry() -> Result<Registry, RegistryError> {
    Registry::builder()
        .table::<notebook::Entity>()
        .table::<note::Entity>()
        .build()
}

/// An application runs its migrations here.
async fn create(db: &DatabaseConnection, _side: Side) -> Result<(), DbErr> {
    let schema = Schema::new(db.get_database_backend());
    db.execute(&schema.create_table_from_entity(notebook::Entity))
        .await?;
    db.execute(&schema.create_table_from_entity(note::Entity))
        .await
        .map(|_| ())
}

fn main() -> ExitCode {
    let seed: Option<u64> = env::args().nth(1).and_then(|seed| seed.parse().ok());
    let simulation = Simulation::new(registry)
        .schema(create)
        .values("notes", "state", |n| {
            ["open", "done", "dropped"][n as usize % 3]
        })
        .seeds(seed.map_or(1..=50, |seed| seed..=seed))
        .replay("run `cargo run -p sync-core --features testing --example simulate -- {seed}`");
    match simulation.run() {
        Ok(report) => {
            println!("{} seeds hold", report.seeds);
            report
                .left_alone
                .iter()
                .for_each(|left| println!("not edited: {left}"));
            ExitCode::SUCCESS
        }
        Err(failure) => {
            println!("{failure}");
            ExitCode::FAILURE
        }
    }
}
