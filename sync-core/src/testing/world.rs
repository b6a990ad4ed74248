//! Everything of one run: a server, devices, the time, and what is known of what was done.

use std::{
    collections::{BTreeSet, HashSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering},
    },
};

use anyhow::{Result, anyhow};
use bytes::Bytes;
use http::Request;
use sea_orm::{ConnectionTrait, DatabaseConnection};

use super::{
    desk::{Desk, File},
    device::{SimDevice, lock},
    dump::{Dump, Row},
    dumps::Dumps,
    edits::Editor,
    ledger::{Ledger, Place},
    options::Options,
    oracles,
    plan::{Clocks, Plan},
    refused,
    rng::Rng,
    server::Server,
    setup::{Kit, Setup},
    tables::{Kind, Role},
    template::{self, BEGIN_MS, peer},
    trace::Trace,
};
use crate::{
    Clock, ManualClock, Transport,
    protocol::PushAnswer,
    schema::{Side, pin_clock},
};

/// A push as it was sent.
#[derive(Clone, Debug)]
pub(crate) struct Letter {
    pub(crate) device: usize,
    pub(crate) request: Request<Bytes>,
    /// Whether the server has ever seen it.
    pub(crate) delivered: bool,
    /// The true time when it was sent.
    pub(crate) sent_ms: i64,
}

pub(crate) struct World {
    pub(crate) options: Options,
    pub(crate) setup: Arc<Setup>,
    pub(crate) server: Box<dyn Server>,
    pub(crate) devices: Vec<SimDevice>,
    /// By device: its way to the server where nothing goes wrong.
    pub(crate) ways: Vec<Arc<dyn Transport>>,
    dumps: Dumps,
    desk: Arc<Desk>,
    /// The kit's own server's database.
    server_file: Option<File>,
    /// Places that a sync or a program's end may have changed since oracles last looked.
    pub(crate) touched: Mutex<BTreeSet<Place>>,
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
}

impl World {
    pub(crate) async fn new(kit: &Kit, plan: &Plan, options: Options) -> Result<Arc<Self>> {
        let Kit { setup, desk } = kit;
        let server_clock = Arc::new(ManualClock::new(BEGIN_MS));
        let (server, server_file) = start_server(kit, server_clock.clone()).await?;
        let (mut devices, mut ways) = (Vec::new(), Vec::new());
        for (number, device) in plan.devices.iter().enumerate() {
            let user = &setup.accounts[device.account].id;
            let way = server.transport(user, peer(number)).await;
            ways.push(way.map_err(|error| anyhow!("{error}").context("a device logs in"))?);
            let bytes = &setup.template().await?.devices[device.account][role(setup, plan, number)];
            let file = desk.open(Side::Device, bytes).await?;
            devices.push(SimDevice::start(
                setup.clone(),
                number,
                device.clone(),
                file,
            )?);
        }
        let world = Arc::new(Self {
            options,
            setup: setup.clone(),
            server,
            devices,
            ways,
            dumps: Dumps::default(),
            desk: desk.clone(),
            server_file,
            touched: Mutex::default(),
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
        });
        world.take_down_first_rows().await?;
        Ok(world)
    }

    /// What the run begins with counts as written on the server.
    async fn take_down_first_rows(&self) -> Result<()> {
        let first = self.dump(Place::Server).await?;
        lock(&self.ledger).record(Place::Server, &Dump::default(), &first, BEGIN_MS);
        for number in 0..self.devices.len() {
            self.link(number).await?;
        }
        self.advance(1_000);
        Ok(())
    }

    /// The database of a place.
    pub(crate) fn db(&self, place: Place) -> Result<DatabaseConnection> {
        match place {
            Place::Device(number) => self.devices[number].db(),
            Place::Server => Ok(self.server.db().clone()),
        }
    }

    /// All rows of a place.
    pub(crate) async fn dump(&self, place: Place) -> Result<Arc<Dump>> {
        let db = self.db(place)?;
        // Another's server may write through connections that cannot be asked.
        let ours = place != Place::Server || self.setup.servers.is_none();
        self.dumps.get(&self.setup, place, &db, ours).await
    }

    /// Notes that something may have changed in a place which is watched.
    pub(crate) fn touch(&self, place: Place) {
        lock(&self.touched).insert(place);
    }

    /// The program of a device ends, at once and wherever it is, and starts again.
    pub(crate) async fn restart(&self, number: usize) -> Result<()> {
        self.touch(Place::Device(number));
        // A connection that is opened anew counts its changes from the beginning.
        self.dumps.forget(Place::Device(number));
        self.devices[number].restart().await
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
        let now_ms = self.server_clock.now_ms();
        let age_ms = Rng::new(dice).between(0, 60_000);
        self.touch(Place::Server);
        let garbage = self.server.collect_garbage(now_ms - age_ms).await?;
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
        let writer = Writer {
            place: Place::Device(number),
            account: device.account,
            now_ms: device.clock.now_ms(),
            who: format!("d{number}"),
        };
        self.edit_database(&writer, dice).await
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
            self.dump(Place::Device(number)).await?,
            self.dump(Place::Device(other)).await?,
        );
        let Some((here, there, column)) = same_text(&self.setup, &mut rng, &one, &two) else {
            return Ok(());
        };
        self.advance(3);
        for (number, row, before) in [(number, here, &one), (other, there, &two)] {
            let device = &self.devices[number];
            let db = device.db()?;
            pin_clock(&db, Some(device.clock.now_ms())).await?;
            let text = self.n_texts.fetch_add(1, Ordering::SeqCst) + 1;
            let label = &self.setup.accounts[account].label;
            let sql = format!(
                "UPDATE \"{}\" SET \"{column}\" = '{label}.d{number}.{text}' WHERE \"{}\" = {}",
                row.table.name, row.table.id, row.id
            );
            db.execute_unprepared(&sql).await?;
            self.line(format!("   d{number} edits at once: {sql}"));
            let after = self.dump(Place::Device(number)).await?;
            lock(&self.ledger).record(Place::Device(number), before, &after, self.now_ms());
        }
        Ok(())
    }

    /// Somebody writes rows of an account in the server's database.
    pub(crate) async fn edit_server(&self, account: usize, dice: u64) -> Result<()> {
        self.advance(3);
        self.touch(Place::Server);
        let writer = Writer {
            place: Place::Server,
            account,
            now_ms: self.now_ms(),
            who: "server".to_owned(),
        };
        self.edit_database(&writer, dice).await
    }

    async fn edit_database(&self, writer: &Writer, dice: u64) -> Result<()> {
        let Writer { place, who, .. } = writer;
        let account = &self.setup.accounts[writer.account];
        let db = self.db(*place)?;
        let mut before = self.own_rows(writer).await?;
        pin_clock(&db, Some(writer.now_ms)).await?;
        let mut editor = Editor {
            rng: Rng::new(dice),
            dump: &before,
            user: &account.id,
            author: format!("{}.{who}", account.label),
            number: self.n_texts.load(Ordering::SeqCst),
            now_ms: writer.now_ms,
            backend: db.get_database_backend(),
            options: &self.options,
            setup: &self.setup,
        };
        let edit = editor.choose();
        self.n_texts.store(editor.number, Ordering::SeqCst);
        let Some(edit) = edit else {
            self.line(format!("   {who} finds nothing to edit"));
            return Ok(());
        };
        for edit in edit.parts() {
            let refused = edit.make(&db).await.err();
            let said = refused.as_ref().map(|error| format!("  -- {error}"));
            self.line(format!(
                "   {who} edits: {}{}",
                edit.text(),
                said.unwrap_or_default()
            ));
            if let Some(error) = refused
                && let Some(wrong) = refused::wrongly(&db, &edit, &error).await?
            {
                self.violation(wrong);
            }
            let after = self.own_rows(writer).await?;
            lock(&self.ledger).record(*place, &before, &after, self.now_ms());
            before = after;
        }
        Ok(())
    }

    /// The rows of the account; a device has no others.
    async fn own_rows(&self, writer: &Writer) -> Result<Arc<Dump>> {
        let all = self.dump(writer.place).await?;
        Ok(match writer.place {
            Place::Device(_) => all,
            Place::Server => Arc::new(all.owned_by(&self.setup.accounts[writer.account].id)),
        })
    }

    /// Takes down the names that a device's rows have by now.
    pub(crate) async fn link(&self, number: usize) -> Result<()> {
        let dump = self.dump(Place::Device(number)).await?;
        lock(&self.ledger).link(Place::Device(number), dump.rows.iter());
        Ok(())
    }

    /// Ends every program.
    pub(crate) async fn close(&self) -> Result<()> {
        for device in &self.devices {
            self.desk.put_back(device.stop()).await?;
        }
        match &self.server_file {
            Some(file) => self.desk.put_back(file.clone()).await,
            None => Ok(self.server.db().close_by_ref().await?),
        }
    }
}

/// Who makes an edit, and where.
struct Writer {
    place: Place,
    account: usize,
    /// By the clock of the database.
    now_ms: i64,
    who: String,
}

/// The user's server, or the kit's own on a copy of the first one's database.
async fn start_server(
    kit: &Kit,
    clock: Arc<ManualClock>,
) -> Result<(Box<dyn Server>, Option<File>)> {
    let Kit { setup, desk } = kit;
    let wanted = template::server_setup(setup, clock, 1_001);
    match &setup.servers {
        None => {
            let file = desk
                .open(Side::Server, &setup.template().await?.server)
                .await?;
            Ok((Box::new(wanted.installed(file.db.clone())), Some(file)))
        }
        Some(servers) => {
            let started = servers.start(&wanted).await;
            let started = started.map_err(|e| anyhow!("{e}").context("the server does not start"));
            Ok((started?, None))
        }
    }
}

/// Which of the template's databases a device begins with. A server that has none of the first rows takes
/// only devices that have none.
fn role(setup: &Setup, plan: &Plan, number: usize) -> usize {
    let account = plan.devices[number].account;
    let nth = plan.devices[..number]
        .iter()
        .filter(|device| device.account == account)
        .count();
    match (nth, &setup.servers) {
        (_, Some(_)) => 2,
        (0, None) => 0,
        (nth, None) => 2 - nth % 2,
    }
}

/// A live row that both have under one name, and a column of it that holds free text.
fn same_text(
    setup: &Setup,
    rng: &mut Rng,
    one: &Dump,
    two: &Dump,
) -> Option<(Row, Row, &'static str)> {
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
        .filter(|c| c.length.is_none_or(|length| length > 30))
        .filter(|c| !setup.values.knows(here.table.name, c.name))
        .map(|c| c.name)
        .collect();
    Some((here.clone(), there.clone(), rng.pick(&texts)?))
}
