//! `cargo demo`: a server and two devices in one process, on SQLite files in a temporary folder.
//!
//! Shows an edit made on one device arriving at the other, then leaves all three running until Ctrl-C,
//! so that they can be driven from outside with `sqlite3`. With `--once` it stops instead.
#![expect(clippy::print_stdout, reason = "the demo talks to a person")]

use std::{path::Path, time::Duration};

use anyhow::{Context, Result};
use app_adapter::{Adapter, Connect, Environment, Password};
use sea_orm::{ConnectionTrait, Statement};
use sync_core::SyncEvent;
use tokio::net::TcpListener;

const EMAIL: &str = "demo@example.com";
const PASSWORD: &str = "demo-password";

/// How often the devices sync while the demo waits for edits from outside.
const EVERY: Duration = Duration::from_secs(2);

#[tokio::main]
async fn main() -> Result<()> {
    let folder = tempfile::Builder::new().prefix("zentrio-demo-").tempdir()?;
    let server = start_server(folder.path()).await?;
    println!(
        "server    {} (SQLite, account {EMAIL}, password {PASSWORD})",
        server.url()
    );

    let phone = connect(&folder.path().join("phone.sqlite"), &server.url()).await?;
    let laptop = connect(&folder.path().join("laptop.sqlite"), &server.url()).await?;

    let user = phone
        .device()
        .state()
        .await?
        .local_user_id
        .context("connected")?;
    execute(
        &phone,
        "INSERT INTO profiles (user_id, name, avatar, is_default) VALUES ($1, 'Kids', 'robot', 1)",
        &user,
    )
    .await?;
    execute(
        &phone,
        "INSERT INTO watch_history (profile_id, meta_id, meta_type, title, duration, position)
         SELECT id, 'tt0111161', 'movie', 'A film', 8520, 1200 FROM profiles WHERE user_id = $1",
        &user,
    )
    .await?;
    println!("phone     watches a film up to 1200 seconds");
    sync("phone", &phone).await?;
    sync("laptop", &laptop).await?;
    println!("laptop    has it at {} seconds", position(&laptop).await?);

    execute(
        &laptop,
        "UPDATE watch_history SET position = 3600 WHERE $1 <> ''",
        &user,
    )
    .await?;
    println!("laptop    watches on, up to 3600 seconds");
    sync("laptop", &laptop).await?;
    sync("phone", &phone).await?;
    let arrived = position(&phone).await?;
    println!("phone     has it at {arrived} seconds");
    anyhow::ensure!(arrived == 3600, "the edit did not arrive");

    if std::env::args().all(|arg| arg != "--once") {
        keep_running(folder.path(), &phone, &laptop).await?;
    }
    phone.close().await?;
    laptop.close().await?;
    Ok(server.stop().await?)
}

async fn start_server(folder: &Path) -> Result<server::Running> {
    let database_url = format!("sqlite://{}", folder.join("server.sqlite").display());
    let state = server::AppState::open(&server::Config {
        database_url,
        ..server::Config::default()
    })
    .await?;
    let new = server::accounts::NewAccount {
        email: EMAIL.into(),
        password: PASSWORD.into(),
        name: None,
    };
    server::accounts::create(&state, new).await?;
    Ok(server::start(
        state,
        TcpListener::bind("127.0.0.1:0").await?,
    )?)
}

async fn connect(file: &Path, url: &str) -> Result<Adapter> {
    // Nothing of a demo belongs into anybody's keyring.
    let environment = Environment {
        keyring: None,
        ..Environment::default()
    };
    let adapter = Adapter::open_in(file, environment).await?;
    let device_name = file
        .file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    println!("{device_name:<9} {}", file.display());
    adapter
        .connect(&Connect::new(
            app_adapter::ServerUrl::parse(url, false)?,
            EMAIL,
            Password::new(PASSWORD.to_owned()),
            &device_name,
        ))
        .await?;
    Ok(adapter)
}

/// Writes as the app does: plain SQL, captured by the database.
async fn execute(adapter: &Adapter, sql: &str, user: &str) -> Result<()> {
    let db = adapter.device().db();
    db.execute_raw(Statement::from_sql_and_values(
        db.get_database_backend(),
        sql,
        [user.into()],
    ))
    .await?;
    Ok(())
}

async fn position(adapter: &Adapter) -> Result<i64> {
    let db = adapter.device().db();
    let sql = "SELECT position FROM watch_history WHERE meta_id = 'tt0111161'";
    let row = db
        .query_one_raw(Statement::from_string(db.get_database_backend(), sql))
        .await?;
    Ok(row
        .context("the film has not arrived")?
        .try_get("", "position")?)
}

async fn sync(name: &str, adapter: &Adapter) -> Result<()> {
    let report = adapter.sync(&|_: SyncEvent| {}).await?;
    if report.n_pushed + report.n_pulled > 0 {
        println!(
            "{name:<9} synced: {} sent, {} received",
            report.n_pushed, report.n_pulled
        );
    }
    Ok(())
}

async fn keep_running(folder: &Path, phone: &Adapter, laptop: &Adapter) -> Result<()> {
    let shown = folder.display();
    println!(
        "\nAll three keep running. Edit one device with any SQLite program and look at the other:"
    );
    println!("  sqlite3 {shown}/phone.sqlite \"UPDATE watch_history SET position = 5000\"");
    println!("  sqlite3 {shown}/laptop.sqlite \"SELECT title, position FROM watch_history\"");
    println!("Ctrl-C stops them and removes the folder.");
    loop {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => return Ok(()),
            () = tokio::time::sleep(EVERY) => {}
        }
        sync("phone", phone).await?;
        sync("laptop", laptop).await?;
    }
}
