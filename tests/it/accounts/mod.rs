//! A database and the accounts it belongs to: what connecting would do, another account, and the way back.

mod another;
mod commands;
mod moved;
mod plan;
mod unanswered;

use std::{fs, sync::Arc};

use anyhow::{Context, Result, ensure};
use app_adapter::{
    Adapter, Connect, Connected, Environment, LocalData, Password, Preview, ServerUrl,
};
use sea_orm::{ConnectionTrait, DatabaseConnection};
use sync_tests::{
    HttpServer,
    device::{open, rows},
    http_server::PASSWORD,
    snapshot::live_rows,
};
use tempfile::TempDir;

const ANNA: &str = "anna@example.org";
const BERT: &str = "bert@example.org";

/// A local database without a background job, and another program on it.
struct Device {
    adapter: Adapter,
    app: DatabaseConnection,
    folder: TempDir,
}

impl Device {
    async fn new() -> Result<Self> {
        let folder = TempDir::with_prefix("sync-test-")?;
        let file = folder.path().join("app.sqlite");
        let environment = Environment {
            keyring: None,
            ..Environment::default()
        };
        let adapter = Adapter::open_in(&file, environment).await?;
        let app = open(&format!("sqlite://{}", file.display())).await?;
        Ok(Self {
            adapter,
            app,
            folder,
        })
    }

    /// One with data of a guest, who has no account.
    async fn of_a_guest(sql: &str) -> Result<Self> {
        let this = Self::new().await?;
        this.sql(
            "INSERT INTO user (id, email, name, emailVerified, createdAt, updatedAt)
             VALUES ('guest', 'guest@localhost', 'Guest', 0, '2026-01-02', '2026-01-02')",
        )
        .await?;
        this.sql(sql).await?;
        Ok(this)
    }

    async fn of(server: &HttpServer, email: &str) -> Result<Self> {
        let this = Self::new().await?;
        this.connect(server, email, LocalData::Ask).await?;
        this.sync().await?;
        Ok(this)
    }

    async fn connect(
        &self,
        server: &HttpServer,
        email: &str,
        local_data: LocalData,
    ) -> Result<Connected> {
        let wanted = Connect {
            local_data,
            ..wanted(server, email)?
        };
        Ok(self.adapter.connect(&wanted).await?)
    }

    /// What connecting would do. That it does nothing yet is checked every time.
    async fn preview(&self, server: &HttpServer, email: &str) -> Result<Option<Preview>> {
        let before = self.everything().await?;
        let prepared = self.adapter.prepare(&wanted(server, email)?).await?;
        let preview = self.adapter.preview(&prepared).await?;
        self.adapter.cancel(prepared).await;
        ensure!(self.everything().await? == before, "a plan has an effect");
        let mut files = fs::read_dir(self.folder.path())?.flatten();
        let copy = files.find(|file| file.file_name().to_string_lossy().contains("rehearsal"));
        ensure!(copy.is_none(), "a copy stays: {copy:?}");
        Ok(preview)
    }

    async fn sync(&self) -> Result<()> {
        let report = self.adapter.sync(&|_| {}).await?;
        ensure!(report.n_rejected + report.n_quarantined == 0, "{report:?}");
        Ok(())
    }

    async fn sql(&self, sql: &str) -> Result<()> {
        let done = self.app.execute_unprepared(sql).await;
        done.with_context(|| sql.to_owned())?;
        Ok(())
    }

    async fn rows(&self, query: &str) -> Result<Vec<String>> {
        rows(&self.app, query).await
    }

    /// The one value of a query.
    async fn one(&self, query: &str) -> Result<String> {
        let rows = self.rows(query).await?;
        ensure!(rows.len() == 1, "{query}: {rows:?}");
        Ok(rows.concat())
    }

    async fn n_pending(&self) -> Result<u64> {
        Ok(self.adapter.overview().await?.n_pending)
    }

    /// The live rows of a local user.
    async fn live(&self, user: &str) -> Result<Vec<String>> {
        live_rows(&self.app, user).await
    }

    /// All synced rows with their names, whosever they are, and what is pending.
    async fn everything(&self) -> Result<Vec<String>> {
        let mut all = Vec::new();
        for table in sync_tests::snapshot::tables() {
            all.extend(
                self.rows(&format!("SELECT '{table}', * FROM {table} ORDER BY id"))
                    .await?,
            );
        }
        for query in [
            "SELECT * FROM sync_pending ORDER BY 1, 2, 3",
            "SELECT * FROM sync_deleted ORDER BY 1, 2, 3",
            "SELECT id, email FROM user ORDER BY 1",
            "SELECT remote_url, remote_user_id, local_user_id, cursor, epoch FROM sync_state",
        ] {
            all.extend(self.rows(query).await?);
        }
        Ok(all)
    }

    /// Syncs twice and checks that all is the same as at the server, and nothing waits.
    async fn agrees_with(&self, server: &HttpServer, account: &str, user: &str) -> Result<()> {
        self.sync().await?;
        self.sync().await?;
        let there = live_rows(&server.database().connect().await?, account).await?;
        let here = self.live(user).await?;
        ensure!(here == there, "here\n{here:#?}\nthere\n{there:#?}");
        ensure!(self.n_pending().await? == 0, "something waits");
        let broken = self
            .rows("SELECT \"table\" FROM pragma_foreign_key_check")
            .await?;
        ensure!(broken.is_empty(), "{broken:?}");
        Ok(())
    }
}

fn wanted(server: &HttpServer, email: &str) -> Result<Connect> {
    let url = ServerUrl::parse(&server.url(), false)?;
    let password = Password::new(PASSWORD.to_owned());
    Ok(Connect::new(url, email, password, "test"))
}

/// The word of the error that something ends with.
fn word<T: std::fmt::Debug>(result: Result<T>) -> Result<String> {
    let error = match result {
        Ok(value) => anyhow::bail!("it ended well: {value:?}"),
        Err(error) => error,
    };
    let error = error.downcast::<app_adapter::AdapterError>()?;
    Ok(error.word().to_owned())
}

/// What a server has of an account, with all times.
async fn account(server: &HttpServer, user: &str) -> Result<Vec<String>> {
    let db = server.database().connect().await?;
    let mut all = live_rows(&db, user).await?;
    let feed = format!(
        "SELECT tbl || remote_id || seq || clocks || coalesce(deleted_at, 0) FROM sync_feed
         WHERE account = (SELECT id FROM sync_account WHERE user_id = '{user}') ORDER BY 1"
    );
    all.extend(sync_tests::snapshot::query(&db, &feed).await?);
    Ok(all)
}

async fn server_with_both(db: sync_tests::TestDb) -> Result<(Arc<HttpServer>, String, String)> {
    let server = HttpServer::start(db).await?;
    let anna = server.add_user(ANNA).await?;
    let bert = server.add_user(BERT).await?;
    Ok((Arc::new(server), anna, bert))
}
