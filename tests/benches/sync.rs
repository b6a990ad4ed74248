//! What sync costs, beside what the databases themselves cost.
//!
//! Prints rows per second and the growth of memory for a first push and a first pull of
//! `watch_history`, for an idle sync and for one changed row in a full table, over loopback HTTP to a
//! server on SQLite and on Postgres. Beside each stands, from the same run, the raw limit: the same
//! rows through a plain bulk upsert in one transaction. The figure to watch is the ratio.
//!
//! `cargo bench -p sync-tests` runs it all; `cargo bench -p sync-tests -- 10000 sqlite` one size on one
//! database.
#![expect(clippy::print_stdout, reason = "a benchmark's result")]

use std::{sync::Arc, time::Instant};

use anyhow::Result;
use sea_orm::{
    ActiveModelTrait, ConnectionTrait, DatabaseConnection, EntityTrait, Set, sea_query::OnConflict,
};
use sync_core::{SystemClock, UuidV7, tx};
use sync_tests::{Backend, HttpServer, TestDb, TestDevice, device::fresh_file};

const EMAIL: &str = "bench@example.com";

#[tokio::main]
async fn main() -> Result<()> {
    let sizes: Vec<usize> = std::env::args()
        .skip(1)
        .filter_map(|arg| arg.parse().ok())
        .collect();
    let sizes = if sizes.is_empty() {
        vec![10_000, 100_000]
    } else {
        sizes
    };
    println!(
        "                                                            this process's CPU us/row"
    );
    println!("server    rows     step          rows/s   raw rows/s  ratio   ours    raw    memory");
    let asked = |backend: &Backend| {
        let name = format!("{backend}").to_lowercase();
        let mut named =
            std::env::args().filter(|arg| ["sqlite", "postgres"].contains(&arg.as_str()));
        let first = named.next();
        first.is_none_or(|arg| arg == name || named.any(|arg| arg == name))
    };
    for backend in Backend::ALL.into_iter().filter(asked) {
        for &n in &sizes {
            bench(backend, n).await?;
        }
    }
    capture().await
}

async fn bench(backend: Backend, n: usize) -> Result<()> {
    let server = HttpServer::start(database(backend).await?).await?;
    let user = server.add_user(EMAIL).await?;
    let a = device(&server, &user).await?;
    let b = device(&server, &user).await?;
    a.sql(&format!(
        "INSERT INTO profiles (user_id, name, avatar) VALUES ('{user}', 'Kids', 'x')"
    ))
    .await?;
    a.sync().await?;
    fill(&a, n).await?;

    let (_database, db) = raw_server(backend).await?;
    let raw = measured(n, raw_upsert(&db, raw_rows(n))).await?;
    let push = measured(n, async {
        a.device.push(&*a.transport, &|_| {}).await.map(drop)
    });
    line(backend, n, "first push", &push.await?, &raw);

    let (_folder, db) = raw_device().await?;
    let raw = measured(n, raw_upsert(&db, raw_rows(n))).await?;
    let pull = measured(n, async { b.sync().await.map(drop) }).await?;
    line(backend, n, "first pull", &pull, &raw);
    anyhow::ensure!(
        b.one("SELECT count(*) FROM watch_history").await? == n.to_string(),
        "rows are missing"
    );

    a.sync().await?;
    let idle = repeated(20, async |_| Ok(a.sync().await.map(drop)?)).await?;
    println!(
        "{:<9} {n:<8} {:<13} {idle:>8.2} ms",
        name(backend),
        "idle sync"
    );
    let one = repeated(20, async |round| {
        a.sql(&format!(
            "UPDATE watch_history SET position = {} WHERE id = {}",
            7_000 + round,
            n / 2
        ))
        .await?;
        a.sync().await?;
        Ok(b.sync().await.map(drop)?)
    });
    println!(
        "{:<9} {n:<8} {:<13} {:>8.2} ms",
        name(backend),
        "one changed",
        one.await?
    );
    Ok(())
}

/// What capture costs an application's own writes, on a device.
async fn capture() -> Result<()> {
    let n = 20_000;
    let (_folder, raw) = raw_device().await?;
    let device = offline().await?;
    let db = device.device.db();
    let mut lines = Vec::new();
    for (what, sql) in [
        ("bulk insert", insert_sql(n)),
        (
            "bulk update",
            "UPDATE watch_history SET position = position + 1".to_owned(),
        ),
        (
            "update of nothing",
            "UPDATE watch_history SET position = position".to_owned(),
        ),
        ("bulk delete", "DELETE FROM watch_history".to_owned()),
    ] {
        let plain = timed(&raw, &sql).await? / n as f64 * 1e6;
        let captured = timed(db, &sql).await? / n as f64 * 1e6;
        lines.push(format!(
            "capture: {what:<18} {captured:>6.1} us/row, plain {plain:>5.1} us/row"
        ));
    }
    println!("{}", lines.join("\n"));
    Ok(())
}

async fn timed(db: &DatabaseConnection, sql: &str) -> Result<f64> {
    let start = Instant::now();
    db.execute_unprepared(sql).await?;
    Ok(start.elapsed().as_secs_f64())
}

async fn database(backend: Backend) -> Result<TestDb> {
    TestDb::new(backend).await
}

async fn device(server: &HttpServer, user: &str) -> Result<TestDevice> {
    let transport = server.transport(EMAIL).await?;
    TestDevice::zentrio(user, Arc::new(SystemClock), Arc::new(UuidV7), transport).await
}

/// A device that never syncs.
async fn offline() -> Result<TestDevice> {
    let transport = Arc::new(sync_core::http_transport::HttpTransport::new(
        "http://127.0.0.1:9",
        None,
    )?);
    let device =
        TestDevice::zentrio("u1", Arc::new(SystemClock), Arc::new(UuidV7), transport).await?;
    device
        .sql("INSERT INTO profiles (user_id, name, avatar) VALUES ('u1', 'Kids', 'x')")
        .await?;
    Ok(device)
}

fn insert_sql(n: usize) -> String {
    format!(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {n})
         INSERT INTO watch_history (profile_id, meta_id, meta_type, season, episode, title, poster, duration, position,
           is_watched, watched_at, last_stream)
         SELECT 1, 'tt' || i, 'series', 1, i % 20, 'A title of usual length ' || i, 'https://images.example/poster/' || i,
           5400, i % 5400, 0, '2026-01-01 20:15:00', '{{\"url\":\"https://stream.example/' || i || '\"}}' FROM n"
    )
}

async fn fill(device: &TestDevice, n: usize) -> Result<()> {
    device.sql(&insert_sql(n)).await
}

/// A database with the same tables and keys, and nothing of sync.
async fn raw_server(backend: Backend) -> Result<(TestDb, DatabaseConnection)> {
    let database = database(backend).await?;
    let db = database.connect().await?;
    migration::up(&db, migration::Side::Server).await?;
    prepare_raw(&db).await?;
    Ok((database, db))
}

async fn raw_device() -> Result<(Arc<tempfile::TempDir>, DatabaseConnection)> {
    let (folder, db) = fresh_file().await?;
    migration::up(&db, migration::Side::Device).await?;
    prepare_raw(&db).await?;
    Ok((folder, db))
}

async fn prepare_raw(db: &DatabaseConnection) -> Result<()> {
    db.execute_unprepared(
        "CREATE UNIQUE INDEX raw_key ON watch_history (profile_id, meta_id, season, episode) WHERE deleted_at IS NULL",
    )
    .await?;
    db.execute_unprepared("CREATE UNIQUE INDEX raw_name ON watch_history (remote_id)")
        .await?;
    db.execute_unprepared(
        "INSERT INTO \"user\" (id, email, name, \"emailVerified\", \"createdAt\", \"updatedAt\")
         VALUES ('u1', 'u1', 'u1', TRUE, '2026-01-01 00:00:00', '2026-01-01 00:00:00')",
    )
    .await?;
    db.execute_unprepared(
        "INSERT INTO profiles (user_id, name, avatar) VALUES ('u1', 'Kids', 'x')",
    )
    .await?;
    Ok(())
}

fn raw_rows(n: usize) -> Vec<entity::watch_history::ActiveModel> {
    use entity::watch_history::ActiveModel;
    let now = chrono::DateTime::from_timestamp_millis(1_767_300_000_123).unwrap_or_default();
    (1..=n as i64)
        .map(|i| ActiveModel {
            profile_id: Set(1),
            meta_id: Set(format!("tt{i}")),
            meta_type: Set("series".to_owned()),
            season: Set(1),
            episode: Set(i % 20),
            episode_id: Set(None),
            title: Set(Some(format!("A title of usual length {i}"))),
            poster: Set(Some(format!("https://images.example/poster/{i}"))),
            duration: Set(Some(5400)),
            position: Set(Some(i % 5400)),
            is_watched: Set(Some(false)),
            watched_at: Set(Some(now)),
            last_stream: Set(Some(format!("{{\"url\":\"https://stream.example/{i}\"}}"))),
            remote_id: Set(Some(format!("0190a6e0-0000-7000-8000-{i:012x}"))),
            dirty: Set(Some(false)),
            updated_at: Set(Some(now)),
            deleted_at: Set(None),
            ..ActiveModelTrait::default()
        })
        .collect()
}

/// The same rows through SeaORM's bulk upsert in one transaction: what sync cannot beat.
async fn raw_upsert(
    db: &DatabaseConnection,
    rows: Vec<entity::watch_history::ActiveModel>,
) -> Result<()> {
    use entity::watch_history::{Column, Entity};
    let conflict = OnConflict::column(Column::RemoteId)
        .update_columns([
            Column::Position,
            Column::Duration,
            Column::LastStream,
            Column::UpdatedAt,
            Column::Title,
        ])
        .to_owned();
    let tx = tx::begin_write(db).await?;
    for chunk in rows.chunks(500) {
        Entity::insert_many(chunk.to_vec())
            .on_conflict(conflict.clone())
            .exec_without_returning(&tx)
            .await?;
    }
    Ok(tx.commit().await?)
}

struct Measured {
    /// Rows a second.
    rate: f64,
    /// What this process spent on one, in microseconds on all cores; a Postgres server is another process.
    cpu_us: f64,
    /// How much more memory the process held at its peak.
    memory_mib: f64,
}

async fn measured<E>(n: usize, work: impl Future<Output = Result<(), E>>) -> Result<Measured>
where
    anyhow::Error: From<E>,
{
    reset_peak();
    let (memory, cpu) = (peak_mib(), cpu_seconds());
    let start = Instant::now();
    work.await?;
    Ok(Measured {
        rate: n as f64 / start.elapsed().as_secs_f64(),
        cpu_us: (cpu_seconds() - cpu) / n as f64 * 1e6,
        memory_mib: peak_mib() - memory,
    })
}

async fn repeated(times: u32, mut step: impl AsyncFnMut(u32) -> Result<()>) -> Result<f64> {
    let start = Instant::now();
    for round in 0..times {
        step(round).await?;
    }
    Ok(start.elapsed().as_secs_f64() * 1_000.0 / f64::from(times))
}

fn line(backend: Backend, n: usize, step: &str, ours: &Measured, raw: &Measured) {
    println!(
        "{:<9} {n:<8} {step:<13} {:>8.0}   {:>10.0}  {:>5.2}  {:>5.1}  {:>5.1}   +{:.0} MiB",
        name(backend),
        ours.rate,
        raw.rate,
        ours.rate / raw.rate,
        ours.cpu_us,
        raw.cpu_us,
        ours.memory_mib,
    );
}

/// What all threads of this process have spent, user and system, to a hundredth of a second.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default();
    let ticks = fields.split_whitespace().skip(11).take(2);
    ticks
        .filter_map(|ticks| ticks.parse::<f64>().ok())
        .sum::<f64>()
        / 100.0
}

fn name(backend: Backend) -> String {
    format!("{backend}")
}

/// Starts the kernel's peak of this process over; without the right to, peaks of earlier steps count.
fn reset_peak() {
    let _ = std::fs::write("/proc/self/clear_refs", "5");
}

fn peak_mib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line
        .and_then(|line| line.split_whitespace().next())
        .and_then(|kib| kib.parse::<f64>().ok());
    kib.unwrap_or_default() / 1024.0
}
