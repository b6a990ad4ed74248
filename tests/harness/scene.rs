//! A server, an account and its devices, each behind a network of its own that can fail.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use http::{Method, Request, Response};
use sea_orm::{ConnectionTrait, DbBackend};
use serde_json::{Value, json};
use sync_core::{
    Clock, ManualClock, SystemClock, UuidV7,
    protocol::{PROTOCOL_VERSION, PUSH_PATH},
};

use crate::{
    Faulty, InProcessServer, SceneDevice, TestDb, TestDevice,
    snapshot::{live_rows, orphans, query},
};

/// A server with the account [`USER`].
pub struct Scene {
    /// The server.
    pub server: InProcessServer,
    clock: Arc<dyn Clock>,
    /// What a scene goes by that began at noon.
    pub(crate) noon: Option<Arc<ManualClock>>,
    n_devices: AtomicI64,
}

/// The account that a scene has.
pub const USER: &str = "u1";

impl Scene {
    /// A server on this database, on the system's clock.
    ///
    /// # Errors
    /// If the database cannot be made.
    pub async fn new(db: TestDb) -> Result<Self> {
        Self::at(db, Arc::new(SystemClock)).await
    }

    /// The same on another clock, which the devices' engines share.
    ///
    /// # Errors
    /// If the database cannot be made.
    pub async fn at(db: TestDb, clock: Arc<dyn Clock>) -> Result<Self> {
        let server = InProcessServer::zentrio(db, Arc::clone(&clock), Arc::new(UuidV7)).await?;
        server.add_user(USER).await?;
        Ok(Self {
            server,
            clock,
            noon: None,
            n_devices: AtomicI64::new(0),
        })
    }

    /// What the server and the devices go by.
    #[must_use]
    pub fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.clock)
    }

    /// One more device of the account, with an empty database.
    ///
    /// # Errors
    /// If its database cannot be made.
    pub async fn device(&self) -> Result<SceneDevice> {
        self.device_of(USER).await
    }

    /// One more device of any account.
    ///
    /// # Errors
    /// If its database cannot be made.
    pub async fn device_of(&self, user: &str) -> Result<SceneDevice> {
        self.device_with(user, Arc::clone(&self.clock)).await
    }

    /// One more device of any account, whose engine goes by a clock of its own.
    ///
    /// # Errors
    /// If its database cannot be made.
    pub async fn device_with(&self, user: &str, clock: Arc<dyn Clock>) -> Result<SceneDevice> {
        let number = self.n_devices.fetch_add(1, Ordering::SeqCst) + 1;
        let net = Faulty::new(self.server.transport(user, number));
        let device =
            TestDevice::zentrio(user, clock, Arc::new(UuidV7), Arc::<Faulty>::clone(&net)).await?;
        Ok(SceneDevice {
            device,
            net,
            number,
        })
    }

    /// Two devices of the account.
    ///
    /// # Errors
    /// If a database cannot be made.
    pub async fn pair(&self) -> Result<(SceneDevice, SceneDevice)> {
        Ok((self.device().await?, self.device().await?))
    }

    /// Three devices of the account.
    ///
    /// # Errors
    /// If a database cannot be made.
    pub async fn trio(&self) -> Result<[SceneDevice; 3]> {
        Ok([
            self.device().await?,
            self.device().await?,
            self.device().await?,
        ])
    }

    /// Runs statements in the server's own database, as a web app or an administrator does.
    ///
    /// # Errors
    /// What the database says.
    pub async fn sql(&self, sql: &str) -> Result<()> {
        let done = self.server.db.execute_unprepared(sql).await;
        done.with_context(|| sql.to_owned())?;
        Ok(())
    }

    /// The rows of a query of one column in the server's database.
    ///
    /// # Errors
    /// What the database says.
    pub async fn rows(&self, sql: &str) -> Result<Vec<String>> {
        query(&self.server.db, sql).await
    }

    /// The one value of a query in the server's database.
    ///
    /// # Errors
    /// If there is not exactly one row.
    pub async fn one(&self, sql: &str) -> Result<String> {
        let mut rows = self.rows(sql).await?;
        ensure!(rows.len() == 1, "{} rows from {sql}: {rows:?}", rows.len());
        Ok(rows.remove(0))
    }

    /// The feed's last position, 0 before the first push.
    ///
    /// # Errors
    /// What the database says.
    pub async fn head(&self) -> Result<i64> {
        let sql =
            format!("SELECT coalesce(max(head), 0) FROM sync_account WHERE user_id = '{USER}'");
        Ok(self.one(&sql).await?.parse()?)
    }

    /// All the server knows of an account: its rows, its feed with all times, its aliases.
    ///
    /// # Errors
    /// What the database says.
    pub async fn account(&self, user: &str) -> Result<Vec<String>> {
        let whose = format!("(SELECT id FROM sync_account WHERE user_id = '{user}')");
        let mut all = live_rows(&self.server.db, user).await?;
        for (what, table) in [
            (
                "tbl || remote_id || seq || clocks || coalesce(deleted_at, 0)",
                "sync_feed",
            ),
            ("tbl || alias || remote_id", "sync_alias"),
        ] {
            all.extend(
                self.rows(&format!(
                    "SELECT {what} FROM {table} WHERE account = {whose} ORDER BY 1"
                ))
                .await?,
            );
        }
        Ok(all)
    }

    /// Sends a push that a test wrote by hand: tables with their rows.
    ///
    /// # Errors
    /// If there is no answer in JSON.
    pub async fn push_by_hand(
        &self,
        user: &str,
        device: i64,
        push_no: i64,
        tables: Value,
    ) -> Result<(u16, Value)> {
        let now = self.clock.now_ms();
        let body =
            json!({"protocol": PROTOCOL_VERSION, "push_no": push_no, "now": now, "tables": tables});
        let request = Request::builder().method(Method::POST).uri(PUSH_PATH);
        let request = request.body(Bytes::from(body.to_string()))?;
        let answer: Response<Bytes> = self.server.transport(user, device).send(request).await?;
        Ok((
            answer.status().as_u16(),
            serde_json::from_slice(answer.body())?,
        ))
    }

    /// Gives the server's database a rule that only it has: no row of the table has this name.
    ///
    /// # Errors
    /// What the database says.
    pub async fn refuse_name(&self, table: &str, name: &str) -> Result<()> {
        let sql = match self.server.db.get_database_backend() {
            DbBackend::Postgres => format!("ALTER TABLE {table} ADD CHECK (name <> '{name}')"),
            _ => ["INSERT", "UPDATE"]
                .map(|write| {
                    format!(
                        "CREATE TRIGGER refuse_{write} BEFORE {write} ON {table} WHEN NEW.name = '{name}'
                         BEGIN SELECT RAISE(ABORT, 'refused'); END;"
                    )
                })
                .concat(),
        };
        self.server.db.execute_unprepared(&sql).await?;
        Ok(())
    }

    /// Lets every device sync twice, then checks what has to hold whenever nothing goes wrong any more:
    /// all hold the same rows, nothing is pending, every reference leads somewhere, and one more sync
    /// sends nothing and writes no row.
    ///
    /// # Errors
    /// Says what does not hold.
    pub async fn settled(&self, devices: &[&SceneDevice]) -> Result<()> {
        for device in devices.iter().chain(devices) {
            device
                .sync()
                .await
                .with_context(|| format!("device {} cannot sync", device.number))?;
        }
        let there = live_rows(&self.server.db, USER).await?;
        for device in devices {
            let here = live_rows(device.device.device.db(), USER).await?;
            ensure!(
                here == there,
                "device {} has\n{here:#?}\nand the server\n{there:#?}",
                device.number
            );
            device
                .check()
                .await
                .with_context(|| format!("device {}", device.number))?;
            let status = device.status().await?;
            ensure!(
                status.rejected.is_empty(),
                "device {}: {:?}",
                device.number,
                status.rejected
            );
            ensure!(
                status.quarantined.is_empty(),
                "device {}: {:?}",
                device.number,
                status.quarantined
            );
        }
        ensure!(
            orphans(&self.server.db).await?.is_empty(),
            "the server has live rows under deleted ones"
        );
        if self.server.db.get_database_backend() == DbBackend::Sqlite {
            let broken = self
                .rows("SELECT \"table\" FROM pragma_foreign_key_check")
                .await?;
            ensure!(
                broken.is_empty(),
                "references that lead nowhere on the server: {broken:?}"
            );
        }
        let head = self.head().await?;
        for device in devices {
            device.net.forget();
            let before = device.everything().await?;
            device.sync().await?;
            ensure!(
                device.net.pushes().is_empty(),
                "device {} still pushes",
                device.number
            );
            ensure!(
                device.everything().await? == before,
                "device {} still writes",
                device.number
            );
        }
        ensure!(self.head().await? == head, "the feed still moves");
        Ok(())
    }
}

/// A row for a push written by hand: new to the server, all of it edited at one time.
#[must_use]
pub fn new_row(remote_id: &str, at: i64, row: Value) -> Value {
    json!({"remote_id": remote_id, "changed": {"*": at}, "row": row})
}
