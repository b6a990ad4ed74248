//! Adds the addon that every database has. Where it is there already, it keeps its id.

use sea_orm_migration::prelude::*;

const ADDONS: &str = "addons";
const MANIFEST_URL: &str = "manifest_url";
const NAME: &str = "name";
const TMDB: &str = "zentrio://tmdb-addon";

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let existing = Query::select()
            .column(NAME)
            .from(ADDONS)
            .and_where(Expr::col(MANIFEST_URL).eq(TMDB))
            .limit(1)
            .take();
        if manager
            .get_connection()
            .query_one(&existing)
            .await?
            .is_some()
        {
            return Ok(());
        }
        let insert = Query::insert()
            .into_table(ADDONS)
            .columns([MANIFEST_URL, NAME])
            .values_panic([TMDB.into(), "TMDB".into()])
            .take();
        manager.execute(insert).await
    }
}
