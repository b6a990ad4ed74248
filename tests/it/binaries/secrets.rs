//! What opens an account is nowhere to be read: not in what the programs say, not in a dump of either end.

use anyhow::{Result, ensure};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement};
use sync_tests::{Backend, TestDb, gate::Gate, on_both_backends, programs::DeviceFile};

use super::{EMAIL, PASSWORD, serve};

on_both_backends!(tokens_and_passwords_are_nowhere_to_be_read);

async fn tokens_and_passwords_are_nowhere_to_be_read(db: TestDb) -> Result<()> {
    let server = serve(&db)?;
    let gate = Gate::before(server.address)?;
    let a = DeviceFile::missing()?;
    for again in [false, true] {
        a.connect(&gate.url(), EMAIL, PASSWORD)?.with_code(0)?;
        a.sql("INSERT INTO profiles (user_id, name, avatar) SELECT id, 'Zoë', 'z' FROM user")?;
        a.zentrio(&["sync", "--verbose"])?.with_code(0)?;
        a.zentrio(&["status", "--verbose"])?.with_code(0)?;
        a.status()?;
        if !again {
            a.zentrio(&["disconnect"])?.with_code(0)?;
        }
    }
    a.connect(&gate.url(), EMAIL, "wrong horse battery")?
        .with_code(3)?;

    // What went over the wire to log in, twice: a session for each login, and what it was changed for.
    let mut secrets = gate.tokens();
    ensure!(secrets.len() == 4, "{} tokens were shown", secrets.len());
    secrets.extend([PASSWORD.to_owned(), "wrong horse battery".to_owned()]);
    let at_server = dump(&db).await?;
    let places = [
        ("what zentrio says", a.said()),
        ("what the server says", server.said()),
        ("a dump of the device", a.dump()?),
        ("a dump of the server", at_server),
    ];
    for (place, text) in &places {
        ensure!(!text.is_empty(), "nothing was looked at in {place}");
        for secret in &secrets {
            ensure!(!text.contains(secret), "a secret is in {place}");
        }
    }
    // Nor in what is left of deleted rows in the file, nor in the log beside it.
    ensure!(a.path().with_extension("sqlite.log").exists());
    let bytes = a.bytes()?;
    for secret in &secrets {
        let is_there = bytes
            .windows(secret.len())
            .any(|window| window == secret.as_bytes());
        ensure!(!is_there, "a secret is in the device's file");
    }
    // The key that opens the login is not in the file that people copy and send.
    let key = std::fs::read_to_string(a.path().with_extension("sqlite.key"))?;
    let key = key.split_whitespace().last().unwrap_or_default();
    ensure!(
        key.len() > 20 && !places[2].1.contains(key),
        "the key is in the device's file"
    );
    Ok(())
}

/// Everything in a server's database.
pub(crate) async fn dump(db: &TestDb) -> Result<String> {
    let connection = db.connect().await?;
    match db.backend() {
        Backend::Sqlite => {
            let file = db.file().ok_or_else(|| anyhow::anyhow!("no file"))?;
            sync_tests::programs::sqlite3(&file, ".dump")
        }
        Backend::Postgres => dump_postgres(&connection).await,
    }
}

async fn dump_postgres(db: &DatabaseConnection) -> Result<String> {
    let tables = "SELECT quote_ident(table_name) AS t FROM information_schema.tables WHERE table_schema = 'public'";
    let mut dump = String::new();
    for table in texts(db, tables).await? {
        let rows = texts(
            db,
            &format!("SELECT row_to_json(r)::text AS t FROM {table} r"),
        )
        .await?;
        dump.push_str(&rows.join("\n"));
    }
    Ok(dump)
}

async fn texts(db: &DatabaseConnection, sql: &str) -> Result<Vec<String>> {
    let rows = db
        .query_all_raw(Statement::from_string(DbBackend::Postgres, sql))
        .await?;
    rows.iter().map(|row| Ok(row.try_get("", "t")?)).collect()
}
