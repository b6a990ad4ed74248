//! The Cloud Sync page and the local endpoints: in a real browser against a real server, and request by request.

mod accounts;
mod by_hand;
mod damaged;
mod front_end;
mod hostile;
mod in_a_browser;
mod looks;
mod security;
mod tls;

use std::{path::PathBuf, sync::Arc};

use anyhow::{Context, Result};
use app_adapter::{
    CloudSync, Connect, Environment, Network, Page, PageOptions, Password, ServerUrl,
};
use sea_orm::{ConnectionTrait, DatabaseConnection};
use sync_tests::{
    Backend, TestDb,
    device::{open, rows},
    programs::ServerProgram,
};
use tempfile::TempDir;

const EMAIL: &str = "anna@example.org";
const PASSWORD: &str = "correct horse battery";

/// A server program with an account, on SQLite: for what is the same whatever the server stores it in.
async fn server() -> Result<(TestDb, ServerProgram)> {
    let db = TestDb::new(Backend::Sqlite).await?;
    let server = serve(&db)?;
    Ok((db, server))
}

/// The same on this database.
fn serve(db: &TestDb) -> Result<ServerProgram> {
    ServerProgram::add_user_to(db.url(), EMAIL, PASSWORD)?.with_code(0)?;
    ServerProgram::start(db.url())
}

/// A device with its background job, and its page.
struct Device {
    sync: CloudSync,
    page: Page,
    /// Another program on the same file.
    app: DatabaseConnection,
    folder: TempDir,
}

impl Device {
    async fn new() -> Result<Self> {
        Self::with(None, Vec::new()).await
    }

    async fn with(network: Option<Arc<dyn Network>>, allowed: Vec<String>) -> Result<Self> {
        let folder = TempDir::with_prefix("sync-test-")?;
        let file = folder.path().join("app.sqlite");
        let defaults = Environment::default();
        let environment = Environment {
            keyring: None,
            network: network.unwrap_or_else(|| defaults.network.clone()),
            ..defaults
        };
        let sync = CloudSync::open_in(&file, environment).await?;
        let options = PageOptions {
            listen: "127.0.0.1:0".parse()?,
            allowed_origins: allowed,
            secret_beside: Some(file.clone()),
        };
        let page = Page::serve(sync.clone(), options).await?;
        let app = open(&format!("sqlite://{}", file.display())).await?;
        Ok(Self {
            sync,
            page,
            app,
            folder,
        })
    }

    async fn connected(server: &ServerProgram) -> Result<Self> {
        let this = Self::new().await?;
        this.connect(server).await?;
        Ok(this)
    }

    async fn connect(&self, server: &ServerProgram) -> Result<()> {
        let url = ServerUrl::parse(&server.url(), false)?;
        let wanted = Connect::new(url, EMAIL, Password::new(PASSWORD.to_owned()), "Laptop");
        self.sync.connect(&wanted).await?;
        sync_tests::background::until(&self.sync, "it syncs", |s| s.n_syncs > 0).await?;
        Ok(())
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("app.sqlite")
    }

    async fn sql(&self, sql: &str) -> Result<()> {
        self.app
            .execute_unprepared(sql)
            .await
            .with_context(|| sql.to_owned())?;
        Ok(())
    }

    async fn add_profile(&self, name: &str) -> Result<()> {
        self.sql(&format!(
            "INSERT INTO profiles (user_id, name, avatar) SELECT id, '{name}', 'a' FROM user"
        ))
        .await
    }

    async fn rows(&self, query: &str) -> Result<Vec<String>> {
        rows(&self.app, query).await
    }

    async fn until_synced(&self) -> Result<()> {
        // What was written just now is not noticed at once.
        self.sync.refresh().await;
        sync_tests::background::until(&self.sync, "all is synced", |s| {
            s.overview.n_pending == 0 && s.problem.is_none() && !s.is_offline
        })
        .await?;
        Ok(())
    }
}
