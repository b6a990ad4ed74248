//! The one handle that an app holds.

use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use sync_core::{SyncReport, device::Restart};
use tokio::{
    sync::{broadcast, mpsc, oneshot, watch},
    task::JoinHandle,
};

use super::{
    driver::{self, Command, Driver},
    listen,
    schedule::Trigger,
    status::{Activity, Event, Problem, SyncStatus},
};
use crate::{
    Adapter, AdapterError, Connect, Connected, Disconnected, Environment, Grant, LocalData,
    Prepared, Preview,
};

/// Events that are kept for a reader who is slow.
const EVENTS: usize = 256;
/// How long a sync that runs may go on after the job was told to stop.
const GRACE: Duration = Duration::from_secs(10);

/// A local database that syncs by itself. Cheap to clone; every clone is the same one.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use app_adapter::{CloudSync, Trigger};
///
/// let sync = CloudSync::open("app.sqlite".as_ref()).await?;
/// let mut status = sync.status();
/// tokio::spawn(async move {
///     while status.changed().await.is_ok() {
///         println!("{:?}", status.borrow_and_update().overview.state);
///     }
/// });
/// sync.notify(Trigger::Online);
/// sync.stop().await;
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct CloudSync {
    adapter: Adapter,
    commands: mpsc::UnboundedSender<Command>,
    status: watch::Receiver<SyncStatus>,
    events: broadcast::Sender<Event>,
    job: Arc<Mutex<Option<JoinHandle<()>>>>,
}

/// A task that ends with its owner.
struct AbortOnDrop(JoinHandle<()>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl CloudSync {
    /// Opens the database at `path`, creates or adopts it, and begins to sync it in the background.
    ///
    /// # Errors
    /// [`AdapterError::File`] if the file cannot be used.
    pub async fn open(path: &Path) -> Result<Self, AdapterError> {
        Self::open_in(path, Environment::default()).await
    }

    /// [`CloudSync::open`] with another clock, other times to keep, or another way to servers.
    ///
    /// # Errors
    /// [`AdapterError::File`] if the file cannot be used.
    pub async fn open_in(path: &Path, environment: Environment) -> Result<Self, AdapterError> {
        Self::start(Adapter::open_in(path, environment).await?).await
    }

    /// Begins to sync a database that is open already.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn start(adapter: Adapter) -> Result<Self, AdapterError> {
        let overview = adapter.overview().await?;
        // It runs for long, so it may take the time to look the file through once.
        adapter.doubt();
        let status = SyncStatus {
            problem: Problem::kept(&overview),
            overview,
            activity: Activity::Idle,
            is_offline: false,
            last_change: None,
            next_sync_ms: None,
            n_failures: 0,
            n_syncs: 0,
        };
        let (commands, orders) = mpsc::unbounded_channel();
        let (told, status) = watch::channel(status);
        let (events, _) = broadcast::channel(EVENTS);
        let driver = Driver {
            adapter: adapter.clone(),
            status: told,
            events: events.clone(),
        };
        let listening = listen::listen(adapter.clone(), status.clone(), commands.downgrade());
        let job = tokio::spawn(async move {
            // It has served as soon as there is no job to tell.
            let listening = AbortOnDrop(tokio::spawn(listening));
            driver::supervise(driver, orders).await;
            drop(listening);
        });
        Ok(Self {
            adapter,
            commands,
            status,
            events,
            job: Arc::new(Mutex::new(Some(job))),
        })
    }

    /// The database, for what concerns single rows: explain, retry, discard. Call [`CloudSync::refresh`] after
    /// changing something with it.
    pub fn adapter(&self) -> &Adapter {
        &self.adapter
    }

    /// Logs in at a server and syncs at once.
    ///
    /// # Errors
    /// If the login fails, or it is not clear whose data is to be the account's; then all is as before.
    pub async fn connect(&self, wanted: &Connect) -> Result<Connected, AdapterError> {
        let connected = self.adapter.connect(wanted).await;
        self.refresh().await;
        connected
    }

    /// Logs in and tells what connecting would do; nothing, where there is nothing to choose. Go on with
    /// [`CloudSync::finish`] or [`CloudSync::cancel`].
    ///
    /// # Errors
    /// If the login fails, or what it would do cannot be worked out; then all is as before.
    pub async fn prepare(
        &self,
        wanted: &Connect,
    ) -> Result<(Prepared, Option<Preview>), AdapterError> {
        let prepared = self.adapter.prepare(wanted).await?;
        match self.adapter.preview(&prepared).await {
            Ok(preview) => Ok((prepared, preview)),
            Err(error) => {
                self.adapter.cancel(prepared).await;
                Err(error)
            }
        }
    }

    /// Connects with a login that was prepared, and syncs at once.
    ///
    /// # Errors
    /// As [`CloudSync::connect`].
    pub async fn finish(
        &self,
        prepared: Prepared,
        local_data: LocalData,
    ) -> Result<Connected, AdapterError> {
        let connected = self.adapter.finish(prepared, local_data).await;
        self.refresh().await;
        connected
    }

    /// Ends a login that was prepared and is not wanted.
    pub async fn cancel(&self, prepared: Prepared) {
        self.adapter.cancel(prepared).await;
    }

    /// [`CloudSync::connect`] with a sync token in place of a password.
    ///
    /// # Errors
    /// As [`CloudSync::connect`].
    pub async fn connect_with(&self, grant: &Grant) -> Result<Connected, AdapterError> {
        let connected = self.adapter.connect_with(grant).await;
        self.refresh().await;
        connected
    }

    /// Forgets the login, here and if possible at the server. Every row stays.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn disconnect(&self) -> Result<Disconnected, AdapterError> {
        let disconnected = self.adapter.disconnect().await;
        self.refresh().await;
        disconnected
    }

    /// Syncs now, whatever there is to wait for, and tells how it went. Joins a sync that runs.
    ///
    /// # Errors
    /// Why it did not come to its end.
    pub async fn sync_now(&self) -> Result<SyncReport, Arc<AdapterError>> {
        let (tell, told) = oneshot::channel();
        // A job that has stopped drops what it is sent.
        let _ = self.commands.send(Command::SyncNow(tell));
        told.await
            .unwrap_or_else(|_| Err(Arc::new(AdapterError::Stopped)))
    }

    /// Says whose rows are right where the server's data is not what was synced with, and syncs.
    ///
    /// # Errors
    /// If the database fails, is not connected, or is being synced.
    pub async fn restart(&self, restart: Restart) -> Result<(), AdapterError> {
        let restarted = self.adapter.restart(restart).await;
        self.refresh().await;
        restarted
    }

    /// How things stand, now and whenever it changes.
    pub fn status(&self) -> watch::Receiver<SyncStatus> {
        self.status.clone()
    }

    /// What happens from now on.
    pub fn events(&self) -> broadcast::Receiver<Event> {
        self.events.subscribe()
    }

    /// Tells the job of a reason to sync, which it may not see by itself.
    pub fn notify(&self, trigger: Trigger) {
        let _ = self.commands.send(Command::Notify(trigger));
    }

    /// Has the job look at the database again, and waits until the status tells what it found.
    pub async fn refresh(&self) {
        let (tell, told) = oneshot::channel();
        let _ = self.commands.send(Command::Refresh(tell));
        let _ = told.await;
    }

    /// Lets a sync that runs come to its end, stops the job and closes the database.
    pub async fn stop(&self) {
        let _ = self.commands.send(Command::Stop);
        let job = self
            .job
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let Some(mut job) = job else { return };
        if tokio::time::timeout(GRACE, &mut job).await.is_err() {
            tracing::info!("a sync is cut off; the next one goes on from there");
            job.abort();
        }
        if let Err(error) = self.adapter.clone().close().await {
            tracing::warn!(%error, "the database could not be closed properly");
        }
    }
}
