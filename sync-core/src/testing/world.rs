//! Everything of one run: a server, devices, the time, and what is known of what was done.

use std::{
    collections::HashSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering},
    },
};

use anyhow::Result;
use bytes::Bytes;
use sea_orm::{ConnectionTrait, DatabaseConnection};
use sync_core::{ManualClock, protocol::PushAnswer, schema::pin_clock};
use tempfile::TempDir;

use super::{
    device::{SimDevice, lock},
    dump::{Dump, Row, dump},
    edits::Editor,
    ledger::{Ledger, Place},
    options::Options,
    oracles,
    plan::{Clocks, Plan},
    rng::Rng,
    tables::{Kind, Role},
    template::{self, BEGIN_MS, Template},
    trace::Trace,
};
use crate::{Backend, InProcessServer, TestDb};

/// A push as it was sent.
#[derive(Clone, Debug)]
pub(crate) struct Letter {
    pub(crate) device: usize,
    pub(crate) body: Bytes,
    /// Whether the server has ever seen it.
    pub(crate) delivered: bool,
    /// The true time when it was sent.
    pub(crate) sent_ms: i64,
}

pub(crate) struct World {
    pub(crate) options: Options,
    pub(crate) server: InProcessServer,
    pub(crate) devices: Vec<SimDevice>,
    pub(crate) ledger: Mutex<Ledger>,
    pub(crate) mail: Mutex<Vec<Letter>>,
    /// Whether a request took so long that the server had to believe the device's clock wrong.
    pub(crate) late: AtomicBool,
    /// How many pushes were sent.
    pub(crate) n_pushes: AtomicU64,
    /// What must never happen, and did.
    violations: Mutex<Vec<String>>,
    trace: Mutex<Trace>,
    server_clock: Arc<ManualClock>,
    server_ahead_ms: AtomicI64,
    /// What the server has refused: a row's name and the verdict's code.
    verdicts: Mutex<HashSet<(String, String)>>,
    pub(crate) clocks: Clocks,
    true_ms: AtomicI64,
    n_texts: AtomicU64,
    _folder: TempDir,
}

impl World {
    pub(crate) async fn new(plan: &Plan, options: Options) -> Result<Arc<Self>> {
        let folder = template::scratch()?;
        let template = Template::get().await?;
        let server_clock = Arc::new(ManualClock::new(BEGIN_MS));
        let database = TestDb::new(options.backend).await?;
        let copied = (options.backend == Backend::Sqlite).then_some(template.server.as_slice());
        let server = template::server(database, copied, server_clock.clone()).await?;
        let mut devices = Vec::new();
        for (number, plan) in plan.devices.iter().enumerate() {
            let nth = devices
                .iter()
                .filter(|d: &&SimDevice| d.account == plan.account)
                .count();
            let role = match (nth, copied) {
                (_, None) => 2,
                (0, _) => 0,
                (nth, _) => 2 - nth % 2,
            };
            let file = folder.path().join(format!("device-{number}"));
            std::fs::write(&file, &template.devices[plan.account][role])?;
            devices.push(SimDevice::start(number, plan.clone(), file).await?);
        }
        let world = Arc::new(Self {
            options,
            server,
            devices,
            ledger: Mutex::default(),
            mail: Mutex::default(),
            late: AtomicBool::new(false),
            n_pushes: AtomicU64::new(0),
            violations: Mutex::default(),
            trace: Mutex::default(),
            server_clock,
            server_ahead_ms: AtomicI64::new(0),
            verdicts: Mutex::default(),
            clocks: plan.clocks,
            true_ms: AtomicI64::new(BEGIN_MS),
            n_texts: AtomicU64::new(0),
            _folder: folder,
        });
        world.take_down_first_rows().await?;
        Ok(world)
    }

    /// What the run begins with counts as written on the server.
    async fn take_down_first_rows(&self) -> Result<()> {
        let first = dump(&self.server.db).await?;
        lock(&self.ledger).record(Place::Server, &Dump::default(), &first, BEGIN_MS);
        for number in 0..self.devices.len() {
            self.link(number).await?;
        }
        self.advance(1_000);
        Ok(())
    }

    /// The true time, in milliseconds.
    pub(crate) fn now_ms(&self) -> i64 {
        self.true_ms.load(Ordering::SeqCst)
    }

    pub(crate) fn advance(&self, ms: i64) {
        let now_ms = self.true_ms.fetch_add(ms, Ordering::SeqCst) + ms;
        self.server_clock
            .set(now_ms + self.server_ahead_ms.load(Ordering::SeqCst));
        self.devices.iter().for_each(|device| device.tick(now_ms));
    }

    /// Has the server's clock be off by so much from now on.
    pub(crate) fn set_server_ahead(&self, ahead_ms: i64) {
        self.server_ahead_ms.store(ahead_ms, Ordering::SeqCst);
        self.advance(0);
    }

    /// Takes down which rows the server has refused, and why.
    pub(crate) fn hear_verdicts(&self, body: &[u8]) {
        let Ok(answer) = serde_json::from_slice::<PushAnswer>(body) else {
            return;
        };
        let refused = answer.tables.into_iter().flat_map(|table| table.rows);
        let refused = refused.filter_map(|row| Some((row.remote_id, row.code?)));
        lock(&self.verdicts).extend(refused);
    }

    /// Whether the server has ever refused this row for this reason.
    pub(crate) fn has_refused(&self, remote_id: &str, code: &str) -> bool {
        lock(&self.verdicts).contains(&(remote_id.to_owned(), code.to_owned()))
    }

    /// The server forgets what was deleted until some moment of the last minutes.
    pub(crate) async fn collect_garbage(&self, dice: u64) -> Result<()> {
        // The names that go with it are needed to tell what became of rows.
        oracles::take_down_aliases(self).await?;
        let now_ms = sync_core::Clock::now_ms(&*self.server_clock);
        let age_ms = Rng::new(dice).between(0, 60_000);
        let garbage = self.server.engine.collect_garbage(now_ms - age_ms).await?;
        self.line(format!("   the server forgets: {garbage:?}"));
        Ok(())
    }

    pub(crate) fn line(&self, line: impl Into<String>) {
        lock(&self.trace).line(line);
    }

    pub(crate) fn mix(&self, bytes: &[u8]) {
        lock(&self.trace).mix(bytes);
    }

    pub(crate) fn trace(&self) -> Trace {
        lock(&self.trace).clone()
    }

    /// Takes down that something happened which must not.
    pub(crate) fn violation(&self, what: impl Into<String>) {
        let what = what.into();
        self.line(format!("   VIOLATION {what}"));
        lock(&self.violations).push(what);
    }

    pub(crate) fn first_violation(&self) -> Option<String> {
        lock(&self.violations).first().cloned()
    }

    /// The user of a device writes.
    pub(crate) async fn edit(&self, number: usize, dice: u64) -> Result<()> {
        self.advance(3);
        let device = &self.devices[number];
        let now_ms = sync_core::Clock::now_ms(&*device.clock);
        let db = device.db()?;
        let writer = (Place::Device(number), device.user.as_str(), now_ms);
        self.edit_database(&db, writer, &format!("d{number}"), dice)
            .await
    }

    /// Two users write the same text of the same row, each on a device of their own, at the same moment.
    pub(crate) async fn edit_at_once(&self, number: usize, dice: u64) -> Result<()> {
        let mut rng = Rng::new(dice);
        let account = self.devices[number].account;
        let others: Vec<usize> = (0..self.devices.len())
            .filter(|&other| other != number && self.devices[other].account == account)
            .collect();
        let Some(&other) = rng.pick(&others) else {
            return Ok(());
        };
        let (one, two) = (
            dump(&self.devices[number].db()?).await?,
            dump(&self.devices[other].db()?).await?,
        );
        let Some((here, there, column)) = same_text(&mut rng, &one, &two) else {
            return Ok(());
        };
        self.advance(3);
        for (number, row, before) in [(number, here, &one), (other, there, &two)] {
            let device = &self.devices[number];
            let db = device.db()?;
            pin_clock(&db, Some(sync_core::Clock::now_ms(&*device.clock))).await?;
            let text = self.n_texts.fetch_add(1, Ordering::SeqCst) + 1;
            let sql = format!(
                "UPDATE {} SET \"{column}\" = '{}.d{number}.{text}' WHERE id = {}",
                row.table.name, device.user, row.id
            );
            db.execute_unprepared(&sql).await?;
            self.line(format!("   d{number} edits at once: {sql}"));
            let after = dump(&db).await?;
            lock(&self.ledger).record(Place::Device(number), before, &after, self.now_ms());
        }
        Ok(())
    }

    /// Somebody writes rows of an account in the server's database.
    pub(crate) async fn edit_server(&self, account: usize, dice: u64) -> Result<()> {
        self.advance(3);
        let user = template::user(account);
        let writer = (Place::Server, user.as_str(), self.now_ms());
        self.edit_database(&self.server.db, writer, "server", dice)
            .await
    }

    async fn edit_database(
        &self,
        db: &DatabaseConnection,
        (place, user, now_ms): (Place, &str, i64),
        who: &str,
        dice: u64,
    ) -> Result<()> {
        pin_clock(db, Some(now_ms)).await?;
        let before = dump(db).await?.owned_by(user);
        let mut editor = Editor {
            rng: Rng::new(dice),
            dump: &before,
            user,
            author: format!("{user}.{who}"),
            number: self.n_texts.load(Ordering::SeqCst),
            now_ms,
            options: &self.options,
        };
        let edit = editor.choose();
        self.n_texts.store(editor.number, Ordering::SeqCst);
        let Some(edit) = edit else {
            self.line(format!("   {who} finds nothing to edit"));
            return Ok(());
        };
        let mut before = before;
        for edit in edit.parts() {
            let refused = edit.make(db).await.err();
            let refused = refused
                .map(|error| format!("  -- {error}"))
                .unwrap_or_default();
            self.line(format!("   {who} edits: {}{refused}", edit.text()));
            let after = dump(db).await?.owned_by(user);
            lock(&self.ledger).record(place, &before, &after, self.now_ms());
            before = after;
        }
        Ok(())
    }

    /// Takes down the names that a device's rows have by now.
    pub(crate) async fn link(&self, number: usize) -> Result<()> {
        let dump = dump(&self.devices[number].db()?).await?;
        lock(&self.ledger).link(Place::Device(number), dump.rows.iter());
        Ok(())
    }

    /// Ends every program.
    pub(crate) async fn close(&self) -> Result<()> {
        for device in &self.devices {
            device.stop().await?;
        }
        Ok(self.server.db.close_by_ref().await?)
    }
}

/// A live row that both have under one name, and a column of it that holds free text.
fn same_text(rng: &mut Rng, one: &Dump, two: &Dump) -> Option<(Row, Row, &'static str)> {
    let pairs: Vec<(&Row, &Row)> = one
        .rows
        .iter()
        .filter(|row| row.live() && row.remote_id.is_some())
        .filter_map(|row| {
            let same = |other: &&Row| {
                other.live() && other.table == row.table && other.remote_id == row.remote_id
            };
            Some((row, two.rows.iter().find(same)?))
        })
        .collect();
    let &(here, there) = rng.pick(&pairs)?;
    let texts: Vec<&'static str> = here
        .table
        .columns
        .iter()
        .filter(|c| c.role == Role::Free && c.kind == Kind::Text && c.group == c.name)
        .map(|c| c.name)
        .collect();
    Some((here.clone(), there.clone(), rng.pick(&texts)?))
}
