//! Each of the eight tables there and back: created, edited, deleted, made again, removed for good.

use anyhow::{Context, Result, bail, ensure};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement};
use sync_tests::{
    HttpServer, TestDb, TestDevice,
    account::Origin,
    on_both_backends,
    synced_rows::{Row, SyncedTable},
};

use super::{
    all_agree,
    cases::{BASE, CASES, Case, with_ids},
    pair, travels,
};

on_both_backends!(
    each_table_travels_between_fresh_databases,
    each_table_travels_from_the_apps_database,
    each_table_travels_to_the_apps_database,
);

async fn each_table_travels_between_fresh_databases(db: TestDb) -> Result<()> {
    each_table_travels(db, Origin::Fresh, Origin::Fresh).await
}

async fn each_table_travels_from_the_apps_database(db: TestDb) -> Result<()> {
    each_table_travels(db, Origin::Adopted, Origin::Fresh).await
}

async fn each_table_travels_to_the_apps_database(db: TestDb) -> Result<()> {
    each_table_travels(db, Origin::Fresh, Origin::Adopted).await
}

async fn each_table_travels(db: TestDb, a: Origin, b: Origin) -> Result<()> {
    let server = HttpServer::start(db).await?;
    let (a_device, b_device) = pair(&server, a, b).await?;
    a_device.sql(BASE).await?;
    travels(&a_device, &b_device).await?;
    let at_server = server.database().connect().await?;
    for case in CASES {
        let journey = Journey {
            server: &at_server,
            a: &a_device,
            b: &b_device,
            table: SyncedTable::named(case.table)?,
            unique: case.unique.filter(|_| a == Origin::Adopted),
            case: &case,
        };
        journey
            .there_and_back()
            .await
            .with_context(|| format!("{}: {}", case.table, case.row))?;
        all_agree(&server, &[&a_device, &b_device]).await?;
    }
    Ok(())
}

#[test]
fn the_cases_cover_every_table() {
    for table in SyncedTable::all() {
        assert!(
            CASES.iter().any(|case| case.table == table.name),
            "{}",
            table.name
        );
    }
}

/// One case between two devices.
struct Journey<'a> {
    server: &'a DatabaseConnection,
    a: &'a TestDevice,
    b: &'a TestDevice,
    table: SyncedTable,
    case: &'a Case,
    unique: Option<&'static str>,
}

impl Journey<'_> {
    async fn there_and_back(&self) -> Result<()> {
        let name = self.created().await.context("created on A")?;
        self.edited(&name).await.context("edited on B")?;
        self.deleted(self.a, self.b, &name)
            .await
            .context("deleted on A")?;
        self.undeleted(&name).await.context("undeleted on B")?;
        self.deleted(self.b, self.a, &name)
            .await
            .context("deleted on B")?;
        let name = self.made_again(&name).await.context("made again on A")?;
        self.removed(&name).await.context("removed for good on B")
    }

    async fn created(&self) -> Result<String> {
        let id = self.insert("").await?;
        let written = self.table.at(self.a.device.db(), id).await?;
        self.has_a_value_in_every_column(&written)?;
        travels(self.a, self.b).await?;
        let name = self.name_of(id).await?;
        self.is_everywhere(&name, &written).await?;
        let at_b = format!(
            "SELECT id FROM {} WHERE remote_id = '{name}'",
            self.case.table
        );
        let at_b: i64 = self.b.one(&at_b).await?.parse()?;
        ensure!(
            at_b != id,
            "the test wants other ids on B, but it is {id} on both"
        );
        Ok(name)
    }

    async fn edited(&self, name: &str) -> Result<()> {
        let before = self.find(self.b, name).await?;
        self.update(self.b, self.case.edit, name).await?;
        let written = self.find(self.b, name).await?;
        ensure!(before != written, "the edit changed nothing");
        travels(self.b, self.a).await?;
        self.is_everywhere(name, &written).await
    }

    async fn deleted(&self, by: &TestDevice, other: &TestDevice, name: &str) -> Result<()> {
        self.update(by, "deleted_at = CURRENT_TIMESTAMP", name)
            .await?;
        let written = self.find(by, name).await?;
        ensure!(written["deleted_at"].is_some(), "not deleted: {written:?}");
        travels(by, other).await?;
        self.is_gone(name).await?;
        // Both keep the tombstone, and when the row was deleted.
        let there = self.find(other, name).await?;
        ensure!(
            there == written,
            "deleted as {written:?}, but there it is {there:?}"
        );
        Ok(())
    }

    async fn undeleted(&self, name: &str) -> Result<()> {
        self.update(self.b, "deleted_at = NULL", name).await?;
        let written = self.find(self.b, name).await?;
        travels(self.b, self.a).await?;
        self.is_everywhere(name, &written).await
    }

    /// The app's own table finds the same row again; elsewhere there is a new one.
    async fn made_again(&self, before: &str) -> Result<String> {
        let upsert = self
            .unique
            .map(|unique| format!(" ON CONFLICT({unique}) DO UPDATE SET deleted_at = NULL"));
        let id = self.insert(upsert.as_deref().unwrap_or_default()).await?;
        let written = self.table.at(self.a.device.db(), id).await?;
        travels(self.a, self.b).await?;
        let name = self.name_of(id).await?;
        ensure!(
            (name == before) == upsert.is_some(),
            "{before} became {name}"
        );
        self.is_everywhere(&name, &written).await?;
        Ok(name)
    }

    async fn removed(&self, name: &str) -> Result<()> {
        let sql = format!("DELETE FROM {} WHERE remote_id = '{name}'", self.case.table);
        self.b.sql(&sql).await?;
        travels(self.b, self.a).await?;
        self.is_gone(name).await
    }

    fn has_a_value_in_every_column(&self, row: &Row) -> Result<()> {
        for (column, value) in row {
            let without = *column == "deleted_at" || self.case.without.contains(column);
            ensure!(value.is_some() != without, "{column} is {value:?}");
        }
        Ok(())
    }

    /// Live, and the same on both devices and at the server.
    async fn is_everywhere(&self, name: &str, written: &Row) -> Result<()> {
        ensure!(written["deleted_at"].is_none(), "not live: {written:?}");
        for (place, db) in [
            ("A", self.a.device.db()),
            ("B", self.b.device.db()),
            ("the server", self.server),
        ] {
            match self.table.find(db, name).await? {
                None => bail!("{place} has no row {name}"),
                Some(row) => ensure!(
                    row == *written,
                    "{place} has {row:#?}, written was {written:#?}"
                ),
            }
        }
        self.is_at_rest().await
    }

    async fn is_gone(&self, name: &str) -> Result<()> {
        for (place, db) in [
            ("A", self.a.device.db()),
            ("B", self.b.device.db()),
            ("the server", self.server),
        ] {
            let live = self.table.live(db).await?;
            ensure!(
                !live.contains_key(name),
                "{place} still has {:?}",
                live[name]
            );
        }
        self.is_at_rest().await
    }

    async fn is_at_rest(&self) -> Result<()> {
        self.a.is_at_rest().await.context("A")?;
        self.b.is_at_rest().await.context("B")
    }

    /// Inserts the case's row on A.
    async fn insert(&self, or: &str) -> Result<i64> {
        let sql = format!(
            "INSERT INTO {} {}{or} RETURNING id",
            self.case.table,
            with_ids(self.case.row)
        );
        let statement = Statement::from_string(DbBackend::Sqlite, sql);
        let row = self.a.device.db().query_one_raw(statement).await?;
        Ok(row.context("no row was inserted")?.try_get("", "id")?)
    }

    async fn update(&self, device: &TestDevice, set: &str, name: &str) -> Result<()> {
        let sql = format!(
            "UPDATE {} SET {} WHERE remote_id = '{name}'",
            self.case.table,
            with_ids(set)
        );
        device.sql(&sql).await
    }

    async fn find(&self, device: &TestDevice, name: &str) -> Result<Row> {
        let row = self.table.find(device.device.db(), name).await?;
        row.with_context(|| format!("no row {name}"))
    }

    async fn name_of(&self, id: i64) -> Result<String> {
        self.a
            .one(&format!(
                "SELECT remote_id FROM {} WHERE id = {id}",
                self.case.table
            ))
            .await
    }
}
