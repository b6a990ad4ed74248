//! An app that syncs in the background, in time that passes when its test says so.

use std::{path::PathBuf, time::Duration};

use anyhow::{Context, Result};
use app_adapter::{CloudSync, Connect, Environment, Password, ServerUrl, SyncStatus};
use sea_orm::DatabaseConnection;
use sync_core::{Clock, SyncReport, SystemClock};
use tempfile::TempDir;

use crate::{
    HttpServer,
    device::{open, rows},
    http_server::PASSWORD,
    manual_timer::ManualTime,
    switched::Switched,
};

/// How long a test waits for what must come. Machines that build and test at once are slow.
const PATIENCE: Duration = Duration::from_secs(60);

/// An app, its database, and the world around it.
pub struct App {
    /// What the app holds.
    pub sync: CloudSync,
    /// Its time.
    pub time: ManualTime,
    /// Its network.
    pub network: Switched,
    /// Another program on the same file, which is how tests write as an app does.
    pub other: DatabaseConnection,
    folder: TempDir,
}

impl App {
    /// An app with a fresh database that is not connected.
    ///
    /// # Errors
    /// If there is no room.
    pub async fn new() -> Result<Self> {
        let folder = TempDir::with_prefix("sync-test-")?;
        let time = ManualTime::at(SystemClock.now_ms());
        let network = Switched::default();
        let file = folder.path().join("app.sqlite");
        let sync = start(&file, &time, &network).await?;
        let other = open(&format!("sqlite://{}", file.display())).await?;
        Ok(Self {
            sync,
            time,
            network,
            other,
            folder,
        })
    }

    /// One that is logged in and has synced for the first time.
    ///
    /// # Errors
    /// If the server does not have it.
    pub async fn connected(server: &HttpServer, email: &str) -> Result<Self> {
        let this = Self::new().await?;
        this.connect(server, email).await?;
        this.until("it has synced", |status| status.n_syncs == 1)
            .await?;
        this.rest();
        Ok(this)
    }

    /// Logs in.
    ///
    /// # Errors
    /// If the server does not have it.
    pub async fn connect(&self, server: &HttpServer, email: &str) -> Result<()> {
        let url = ServerUrl::parse(&server.url(), false)?;
        let wanted = Connect::new(url, email, Password::new(PASSWORD.to_owned()), "test");
        self.sync.connect(&wanted).await?;
        Ok(())
    }

    /// A second program with a background job on the same file.
    ///
    /// # Errors
    /// If the file cannot be opened.
    pub async fn second(&self) -> Result<CloudSync> {
        start(&self.file(), &self.time, &self.network).await
    }

    /// The database file.
    #[must_use]
    pub fn file(&self) -> PathBuf {
        self.folder.path().join("app.sqlite")
    }

    /// Syncs now, as a user does who has not done so for a while.
    ///
    /// # Errors
    /// As the sync itself, or if it never ends.
    pub async fn sync_now(&self) -> Result<SyncReport> {
        let asked = tokio::time::timeout(PATIENCE, self.sync.sync_now());
        asked
            .await
            .context("the sync never ends")?
            .map_err(Into::into)
    }

    /// The word of the error that a sync now ends with.
    ///
    /// # Errors
    /// If it ends well.
    pub async fn sync_fails(&self) -> Result<String> {
        match tokio::time::timeout(PATIENCE, self.sync.sync_now()).await? {
            Ok(report) => anyhow::bail!("it ended well: {report:?}"),
            Err(error) => Ok(error.word().to_owned()),
        }
    }

    /// Lets some seconds pass in which nothing is due.
    pub fn rest(&self) {
        self.time.pass(Duration::from_secs(20));
    }

    /// Waits until the status is so.
    ///
    /// # Errors
    /// If it never is.
    pub async fn until(
        &self,
        what: &str,
        holds: impl FnMut(&SyncStatus) -> bool,
    ) -> Result<SyncStatus> {
        until(&self.sync, what, holds).await
    }

    /// Lets time pass, a second at a time, until the status is so; says how long that took.
    ///
    /// # Errors
    /// If it never is.
    pub async fn pass_until(
        &self,
        what: &str,
        mut holds: impl FnMut(&SyncStatus) -> bool,
    ) -> Result<Duration> {
        let mut passed = Duration::ZERO;
        while !holds(&self.sync.status().borrow()) {
            anyhow::ensure!(passed < Duration::from_secs(3_600), "in vain until {what}");
            self.time.pass(Duration::from_secs(1));
            passed += Duration::from_secs(1);
            self.settled().await;
        }
        Ok(passed)
    }

    /// Waits until the job has done all there is to do at this moment.
    pub async fn settled(&self) {
        // It answers when it has looked, and no earlier than what it was told before.
        for _ in 0..2 {
            self.sync.refresh().await;
            let mut status = self.sync.status();
            let idle = status.wait_for(|status| status.activity == app_adapter::Activity::Idle);
            let _ = tokio::time::timeout(PATIENCE, idle).await;
        }
    }

    /// Writes as the app does.
    ///
    /// # Errors
    /// What the database says.
    pub async fn sql(&self, sql: &str) -> Result<()> {
        use sea_orm::ConnectionTrait;
        self.other
            .execute_unprepared(sql)
            .await
            .with_context(|| sql.to_owned())?;
        Ok(())
    }

    /// The rows of a query, each as one text.
    ///
    /// # Errors
    /// What the database says.
    pub async fn rows(&self, query: &str) -> Result<Vec<String>> {
        rows(&self.other, query).await
    }

    /// Adds a profile of the account.
    ///
    /// # Errors
    /// What the database says.
    pub async fn add_profile(&self, name: &str) -> Result<()> {
        self.sql(&format!(
            "INSERT INTO profiles (user_id, name, avatar) SELECT id, '{name}', 'a' FROM user"
        ))
        .await
    }
}

/// Waits until the status of a background job is so.
///
/// # Errors
/// If it never is.
pub async fn until(
    sync: &CloudSync,
    what: &str,
    holds: impl FnMut(&SyncStatus) -> bool,
) -> Result<SyncStatus> {
    let mut status = sync.status();
    let waited = tokio::time::timeout(PATIENCE, status.wait_for(holds)).await;
    let status = match waited {
        Ok(status) => status.context("the job has ended")?.clone(),
        Err(_) => anyhow::bail!("waited in vain until {what}: {:#?}", sync.status().borrow()),
    };
    Ok(status)
}

async fn start(file: &std::path::Path, time: &ManualTime, network: &Switched) -> Result<CloudSync> {
    let environment = Environment {
        clock: time.clock.clone(),
        timer: time.timer.clone(),
        network: std::sync::Arc::new(network.clone()),
        keyring: None,
        ..Environment::default()
    };
    Ok(CloudSync::open_in(file, environment).await?)
}
