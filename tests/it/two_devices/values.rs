//! Values that get lost easily: NULL, and text that is not plain.

use anyhow::{Context, Result, ensure};
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use sync_tests::{
    Backend, HttpServer, TestDb,
    account::Origin,
    on_both_backends,
    synced_rows::{Row, SyncedTable},
};

use super::{all_agree, pair, quoted, travels};

on_both_backends!(
    null_stays_null_and_empty_stays_empty,
    lg04_text_arrives_byte_by_byte
);

/// The least of each row, in whatever the row before made.
const LEAST: [(&str, &str); 8] = [
    (
        "settings_profiles",
        "(user_id, name) SELECT local_user_id, '' FROM sync_state",
    ),
    (
        "profiles",
        "(user_id, name, avatar) SELECT local_user_id, '', '' FROM sync_state",
    ),
    (
        "profile_addons",
        "(settings_profile_id, addon_id) SELECT s.id, a.id FROM settings_profiles s, addons a",
    ),
    (
        "stream_settings",
        "(settings_profile_id) SELECT id FROM settings_profiles",
    ),
    (
        "appearance_settings",
        "(settings_profile_id) SELECT id FROM settings_profiles",
    ),
    (
        "watch_history",
        "(profile_id, meta_id, meta_type) SELECT id, '', '' FROM profiles",
    ),
    ("lists", "(profile_id, name) SELECT id, '' FROM profiles"),
    (
        "list_items",
        "(list_id, meta_id, type) SELECT id, '', '' FROM lists",
    ),
];

/// Columns that may not be NULL, or that the row would be lost without.
const NEEDED: [&str; 11] = [
    "name",
    "avatar",
    "profile_id",
    "settings_profile_id",
    "addon_id",
    "list_id",
    "meta_id",
    "meta_type",
    "season",
    "episode",
    "type",
];

async fn null_stays_null_and_empty_stays_empty(db: TestDb) -> Result<()> {
    let server = HttpServer::start(db).await?;
    let (a, b) = pair(&server, Origin::Fresh, Origin::Adopted).await?;
    for (table, row) in LEAST {
        a.sql(&format!("INSERT INTO {table} {row}")).await?;
        // Of columns with a default too.
        a.sql(&format!(
            "UPDATE {table} SET {}",
            set_all(table, |_| "NULL")?
        ))
        .await?;
    }
    travels(&a, &b).await?;
    all_agree(&server, &[&a, &b]).await?;
    for table in SyncedTable::all() {
        let rows = table.live(b.device.db()).await?;
        let row = rows
            .values()
            .next()
            .with_context(|| format!("no row in {}", table.name))?;
        ensure!(
            optional(row).all(|(_, value)| value.is_none()),
            "{}: {row:?}",
            table.name
        );
    }

    // From NULL to a value, and back to NULL on the other device.
    for (table, _) in LEAST {
        b.sql(&format!("UPDATE {table} SET {}", set_all(table, a_value)?))
            .await?;
    }
    travels(&b, &a).await?;
    all_agree(&server, &[&a, &b]).await?;
    for table in SyncedTable::all() {
        let rows = table.live(a.device.db()).await?;
        let row = rows
            .values()
            .next()
            .with_context(|| format!("no row in {}", table.name))?;
        ensure!(
            optional(row).all(|(_, value)| value.is_some()),
            "{}: {row:?}",
            table.name
        );
    }
    for (table, _) in LEAST {
        a.sql(&format!(
            "UPDATE {table} SET {}",
            set_all(table, |_| "NULL")?
        ))
        .await?;
    }
    travels(&a, &b).await?;
    // The earliest creation counts, so that one stays.
    all_agree(&server, &[&a, &b]).await
}

fn optional(row: &Row) -> impl Iterator<Item = (&&'static str, &Option<String>)> {
    row.iter()
        .filter(|(column, _)| !NEEDED.contains(column) && **column != "deleted_at")
}

fn set_all(table: &str, value: fn(&str) -> &'static str) -> Result<String> {
    let table = SyncedTable::named(table)?;
    let columns = table
        .columns()
        .filter(|column| !NEEDED.contains(column) && *column != "deleted_at");
    Ok(columns
        .map(|column| format!("{column} = {}", value(column)))
        .collect::<Vec<_>>()
        .join(", "))
}

fn a_value(column: &str) -> &'static str {
    match column {
        "created_at" | "watched_at" => "'2026-03-01T10:20:30.456Z'",
        "duration" | "position" | "priority" => "0",
        "imdb_rating" => "0.0",
        column
            if column.starts_with("is_") || column.starts_with("show_") || column == "enabled" =>
        {
            "0"
        }
        _ => "''",
    }
}

/// What breaks where text is quoted, escaped, measured or normalised.
const TEXTS: [&str; 14] = [
    "\u{1f3ac}\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}\u{1f3f4}\u{e0067}\u{e0062}\u{e007f}",
    "\u{5e9}\u{5dc}\u{5d5}\u{5dd} \u{645}\u{631}\u{62d}\u{628}\u{627} abc \u{202e}gnp.exe\u{202c}",
    "O'Brien's \"list\" `x` -- ; DROP TABLE lists",
    "one\ntwo\r\nthree\rfour\ttab",
    "back\\slash \\n \\u0041 \\\\",
    "\u{e9}\u{c5}",
    "\u{1d573}\u{10ffff}\u{ffff}\u{fffd}\u{feff}\u{200b}",
    "{\"a\":null,\"b\":[1e400,\"\\ud800\"]}",
    "%00 %s $1 ? :name {} \u{7f}\u{1}\u{1b}[31m",
    "\u{df}\u{130}\u{131}\u{fb01}",
    "</script><b>&amp;",
    "NULL",
    "1.0",
    "2026-03-01 10:20:30",
];

/// What the server writes in its normal form where it is part of a key, and nowhere else: blanks at the
/// end, and characters that are not composed.
const NO_KEYS: [&str; 2] = [
    " blanks \u{a0}before and after\u{3000} ",
    "e\u{301}A\u{30a}",
];

async fn lg04_text_arrives_byte_by_byte(db: TestDb) -> Result<()> {
    let server = HttpServer::start(db).await?;
    let (a, b) = pair(&server, Origin::Adopted, Origin::Fresh).await?;
    a.sql("INSERT INTO profiles (user_id, name, avatar) SELECT local_user_id, 'Anna', 'a' FROM sync_state").await?;
    for (number, text) in TEXTS.iter().enumerate() {
        let text = quoted(text);
        a.sql(&format!(
            "INSERT INTO lists (profile_id, name) SELECT id, {text} FROM profiles;
             INSERT INTO watch_history (profile_id, meta_id, meta_type, season, title, last_stream)
               SELECT id, {text}, {text}, {number}, {text}, {text} FROM profiles"
        ))
        .await?;
    }
    for text in TEXTS.into_iter().chain(NO_KEYS).map(quoted) {
        a.sql(&format!(
            "INSERT INTO list_items (list_id, meta_id, type, title) SELECT id, 'tt' || hex({text}), {text}, {text} FROM lists"
        ))
        .await?;
    }
    let long = "\u{1f3ac}\\\"'".repeat(20_000);
    a.sql(&format!(
        "UPDATE watch_history SET poster = {} WHERE season = 0",
        quoted(&long)
    ))
    .await?;
    travels(&a, &b).await?;
    all_agree(&server, &[&a, &b]).await?;

    let mut expected: Vec<String> = TEXTS.iter().map(|text| hex(text)).collect();
    expected.sort();
    let at_server = server.database().connect().await?;
    let hex_of = match server.database().backend() {
        Backend::Sqlite => "hex(name)",
        Backend::Postgres => "upper(encode(convert_to(name, 'UTF8'), 'hex'))",
    };
    let names = Statement::from_string(
        at_server.get_database_backend(),
        format!("SELECT {hex_of} AS h FROM lists"),
    );
    let names = at_server.query_all_raw(names).await?;
    let mut names: Vec<String> = names
        .iter()
        .map(|row| row.try_get("", "h"))
        .collect::<Result<_, _>>()?;
    names.sort();
    ensure!(names == expected, "the server has {names:?}");
    ensure!(
        b.rows("SELECT hex(name) FROM lists ORDER BY 1").await? == expected,
        "B has other names"
    );
    let poster = Statement::from_string(
        DbBackend::Sqlite,
        "SELECT poster FROM watch_history WHERE season = 0",
    );
    let poster = b
        .device
        .db()
        .query_one_raw(poster)
        .await?
        .context("no row")?;
    ensure!(
        poster.try_get::<String>("", "poster")? == long,
        "a long text is another on B"
    );
    let items = b
        .one("SELECT count(*) FROM list_items i JOIN lists l ON l.id = i.list_id")
        .await?;
    ensure!(
        items == a.one("SELECT count(*) FROM list_items").await?,
        "B has {items} items"
    );
    Ok(())
}

fn hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02X}")).collect()
}
