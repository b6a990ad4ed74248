//! The testing kit on entities that are not Zentrio's.

use std::sync::Arc;

use anyhow::Result;
use sea_orm::DatabaseConnection;
use sync_core::{
    schema::Side,
    testing::{BoxError, Simulation},
};

use super::{bookmarks::Bookmarks, folders::Folders, shelves::Shelves, world::Tables};
use crate::simulation::{add_account, servers::OnPostgres};

fn simulation(tables: impl Tables + 'static) -> Simulation {
    let tables = Arc::new(tables);
    let registered = tables.clone();
    Simulation::new(move || registered.registry())
        .schema(
            async move |db: &DatabaseConnection, side: Side| -> Result<(), BoxError> {
                let zentrios = match side {
                    Side::Device => migration::Side::Device,
                    Side::Server => migration::Side::Server,
                };
                migration::up(db, zentrios).await?;
                Ok(tables.create(db, side).await?)
            },
        )
        .account(add_account)
}

macro_rules! on_both_servers {
    ($($name:ident: $tables:expr, $seeds:expr, $on_postgres:expr;)+) => {$(
        mod $name {
            use super::*;

            #[test]
            fn sqlite() -> Result<()> {
                simulation($tables).seeds($seeds).run()?;
                Ok(())
            }

            #[test]
            fn postgres() -> Result<()> {
                simulation($tables).server(OnPostgres).seeds($on_postgres).run()?;
                Ok(())
            }
        }
    )+};
}

on_both_servers! {
    bookmarks_hold: Bookmarks, 1..=12, 1..=3;
    folders_in_folders_hold: Folders, 1..=12, 1..=3;
    shelves_of_books_hold: Shelves, 1..=12, 1..=3;
}
