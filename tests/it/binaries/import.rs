//! A server moves from SQLite to Postgres; its devices notice nothing.

use anyhow::{Context, Result, ensure};
use sync_tests::{
    Backend, TestDb,
    programs::{DeviceFile, Ended, Program, ServerProgram, Started, sqlite3, until},
    snapshot::query,
    synced_rows::live_rows,
};

use super::{PASSWORD, device, is_at_rest, number, serve};

const BEN: &str = "ben@example.org";

fn import(from: &TestDb, to: &TestDb) -> Result<Started> {
    let mut command = Program::Server.command()?;
    command.args(["import", from.url(), to.url(), "--json"]);
    Started::new(&mut command, "")
}

fn refused(ended: Ended, word: &str) -> Result<()> {
    let ended = ended.with_code(1)?;
    ensure!(ended.stderr.contains(word), "not for `{word}`: {ended:?}");
    Ok(())
}

/// What the server's own SQLite file says.
fn at_source(db: &TestDb, sql: &str) -> Result<String> {
    sqlite3(&db.file().context("a file")?, sql)
}

const ROWS: &str = "INSERT INTO profiles (user_id, name, avatar, is_default) SELECT id, 'Zoë', 'z', 1 FROM user;
    INSERT INTO lists (profile_id, name) SELECT id, 'Later' FROM profiles;
    INSERT INTO list_items (list_id, meta_id, type, imdb_rating) SELECT id, 'tt1', 'movie', 7.5 FROM lists;
    INSERT INTO list_items (list_id, meta_id, type, imdb_rating) SELECT id, 'tt2', 'movie', 0.1 FROM lists;
    INSERT INTO watch_history (profile_id, meta_id, meta_type, position, last_stream) SELECT id, 'tt1', 'movie', 61, '{\"a\": 1}' FROM profiles;
    INSERT INTO profile_addons (profile_id, addon_id) SELECT p.id, a.id FROM profiles p, addons a";

/// Two people's devices and a server, all at rest, some of it deleted.
struct World {
    from: TestDb,
    to: TestDb,
    server: ServerProgram,
    a: DeviceFile,
    b: DeviceFile,
    bens: DeviceFile,
}

impl World {
    async fn new() -> Result<Self> {
        let from = TestDb::new(Backend::Sqlite).await?;
        let to = TestDb::new(Backend::Postgres).await?;
        let server = serve(&from)?;
        server.add_user(BEN, PASSWORD)?;
        let (a, b) = (device(&server.url())?, device(&server.url())?);
        let bens = DeviceFile::missing()?;
        bens.connect(&server.url(), BEN, PASSWORD)?.with_code(0)?;
        for file in [&a, &bens] {
            file.sql(ROWS)?;
            file.sync()?;
        }
        b.sync()?;
        b.sql("DELETE FROM list_items WHERE meta_id = 'tt2'; UPDATE lists SET name = 'Renamed'")?;
        b.sync()?;
        a.sync()?;
        Ok(Self {
            from,
            to,
            server,
            a,
            b,
            bens,
        })
    }
}

#[tokio::test]
async fn devices_go_on_at_postgres_and_nothing_is_sent_twice() -> Result<()> {
    let World {
        from,
        to,
        server,
        a,
        b,
        bens,
    } = World::new().await?;
    // Before it stops, somebody edits the server's database.
    let address = server.address;
    server.stop()?;
    at_source(
        &from,
        "UPDATE lists SET name = 'By SQL' WHERE name = 'Renamed';
         CREATE TABLE verification (id TEXT); ALTER TABLE profiles ADD COLUMN theirs TEXT;
         UPDATE profiles SET created_at = '2026-01-02 03:04:05', avatar = 'nul' || char(0) || 'nul' WHERE name = 'Zoë'",
    )?;
    let imported = import(&from, &to)?.ended()?.with_code(0)?.json()?;
    ensure!(imported["resumed"] == false, "{imported}");
    ensure!(
        imported["tables_left"] == serde_json::json!(["verification"]),
        "{imported}"
    );
    ensure!(
        imported["columns_left"] == serde_json::json!(["profiles.theirs"]),
        "{imported}"
    );
    ensure!(imported["n_altered"] == 2, "{imported}");
    let tables = imported["tables"].as_array().context("tables")?;
    for (name, rows) in [
        ("user", 2),
        ("profiles", 2),
        ("sync_device", 3),
        ("sync_account", 2),
    ] {
        let table = tables.iter().find(|table| table["table"] == name);
        ensure!(
            table.is_some_and(|table| table["rows"] == rows),
            "{name}: {imported}"
        );
    }
    let at_target = to.connect().await?;
    let times = query(
        &at_target,
        "SELECT DISTINCT CAST(created_at AT TIME ZONE 'UTC' AS TEXT) || ' ' || avatar FROM profiles",
    )
    .await?;
    ensure!(times == ["2026-01-02 03:04:05 nulnul"], "{times:?}");

    let _server = ServerProgram::start_again(to.url(), address)?;
    for (file, n_pulled) in [(&a, 2), (&b, 2), (&bens, 1)] {
        let synced = file.sync()?;
        ensure!(synced["n_pushed"] == 0, "sent twice: {synced}");
        ensure!(synced["n_pulled"] == n_pulled, "{synced}");
    }
    both_agree(&a, &b).await?;
    // All goes on: new rows, edits of old ones, new devices, by the old password.
    a.sql("INSERT INTO lists (profile_id, name) SELECT id, 'New' FROM profiles; UPDATE list_items SET title = 'Edited' WHERE deleted_at IS NULL")?;
    let pushed = a.sync()?;
    ensure!(
        pushed["n_pushed"] == 2 && pushed["n_rejected"] == 0,
        "{pushed}"
    );
    b.sync()?;
    ensure!(b.sql("SELECT name FROM lists ORDER BY 1")? == "By SQL\nNew");
    ensure!(b.sql("SELECT title FROM list_items WHERE deleted_at IS NULL")? == "Edited");
    let c = device(&format!("http://{address}"))?;
    c.sync()?;
    ensure!(c.sql("SELECT count(*) FROM lists")? == "2");
    let feeds = "SELECT CAST(count(*) AS TEXT) || ' ' || CAST(max(a.head) AS TEXT) FROM sync_feed f
                 JOIN sync_account a ON a.id = f.account WHERE f.seq > a.head GROUP BY a.id";
    ensure!(query(&at_target, feeds).await?.is_empty());
    Ok(())
}

/// One person's two devices hold the same and are at rest.
async fn both_agree(a: &DeviceFile, b: &DeviceFile) -> Result<()> {
    is_at_rest(a)?;
    is_at_rest(b)?;
    let (here, there) = (
        live_rows(&a.open().await?).await?,
        live_rows(&b.open().await?).await?,
    );
    ensure!(here == there, "{here:#?} {there:#?}");
    Ok(())
}

#[tokio::test]
async fn an_import_into_or_from_what_is_in_use_is_refused() -> Result<()> {
    let World {
        from, to, server, ..
    } = World::new().await?;
    refused(import(&from, &to)?.ended()?, "stop the servers on it")?;
    server.stop()?;
    let other = ServerProgram::start(to.url())?;
    refused(
        import(&from, &to)?.ended()?,
        "a server is running on the target",
    )?;
    other.add_user("x@example.org", PASSWORD)?;
    other.stop()?;
    refused(import(&from, &to)?.ended()?, "the target has data already")?;
    refused(import(&to, &from)?.ended()?, "from sqlite://")?;
    let fresh = TestDb::new(Backend::Postgres).await?;
    at_source(
        &from,
        "PRAGMA foreign_keys = OFF; INSERT INTO list_items (id, list_id, meta_id, type) VALUES (77, 99, 'x', 'movie')",
    )?;
    refused(import(&from, &fresh)?.ended()?, "list_items 77 -> lists")?;
    at_source(
        &from,
        "DELETE FROM list_items WHERE id = 77; UPDATE watch_history SET position = 'soon'",
    )?;
    refused(import(&from, &fresh)?.ended()?, "position of row 1")?;
    at_source(&from, "UPDATE watch_history SET position = 61")?;
    import(&from, &fresh)?.ended()?.with_code(0)?;
    refused(
        import(&from, &fresh)?.ended()?,
        "the target has data already",
    )
}

const N_ITEMS: i64 = 30_000;

#[tokio::test]
async fn an_import_that_was_killed_goes_on_where_it_was() -> Result<()> {
    let World {
        from,
        to,
        server,
        a,
        b,
        ..
    } = World::new().await?;
    let address = server.address;
    server.stop()?;
    at_source(
        &from,
        &format!(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {N_ITEMS})
             INSERT INTO list_items (list_id, meta_id, type, title)
               SELECT (SELECT min(id) FROM lists), 'many' || i, 'movie', 'Title ' || i FROM n"
        ),
    )?;
    let at_target = to.connect().await?;
    let killed = import(&from, &to)?;
    until("some of it is copied", async || {
        let begun = query(
            &at_target,
            "SELECT CAST(to_regclass('server_import') AS TEXT)",
        )
        .await?;
        Ok(begun != ["NULL"]
            && number(&at_target, "SELECT sum(n_copied) FROM server_import").await? > 10_000)
    })
    .await?;
    killed.kill()?;
    let copied = number(&at_target, "SELECT sum(n_copied) FROM server_import").await?;
    let all = number(&at_target, "SELECT sum(n_rows) FROM server_import").await?;
    ensure!(copied < all, "it came too late: {copied} of {all}");
    // Half a database is served to nobody.
    let half = ServerProgram::start(to.url());
    ensure!(half.is_err_and(|error| error.to_string().contains("was begun and not ended")));

    at_source(
        &from,
        "UPDATE user SET name = 'Changed' WHERE email = 'ben@example.org'",
    )?;
    refused(import(&from, &to)?.ended()?, "the source has changed")?;
    at_source(
        &from,
        "UPDATE user SET name = 'ben' WHERE email = 'ben@example.org'",
    )?;
    let imported = import(&from, &to)?.ended()?.with_code(0)?.json()?;
    ensure!(
        imported["resumed"] == true && imported["n_rows"] == all,
        "{imported}"
    );
    let n_items = number(&at_target, "SELECT count(DISTINCT id) FROM list_items").await?;
    ensure!(n_items >= N_ITEMS);

    let _server = ServerProgram::start_again(to.url(), address)?;
    for file in [&a, &b] {
        let synced = file.sync()?;
        ensure!(synced["n_pushed"] == 0, "{synced}");
    }
    both_agree(&a, &b).await?;
    let n_items = a.sql("SELECT count(*) FROM list_items WHERE meta_id LIKE 'many%'")?;
    ensure!(n_items == N_ITEMS.to_string(), "{n_items}");
    Ok(())
}
