//! Values that cannot be read are told by table, row and column, and cost nothing else.

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use sync_tests::{TestDb, account::GENERATION_2, on_both_backends, programs::DeviceFile};

use super::{connect, oracle};
use crate::binaries::{all_agree, device, serve};

on_both_backends!(
    each_is_told_and_costs_nothing_else,
    what_tells_what_a_row_is_keeps_the_row_here,
    a_corrected_value_goes_out_by_itself,
    a_row_goes_on_with_what_can_be_read,
);

/// A statement that spoils a value, what names it, and the statement that puts it right.
const SPOILT: [(&str, &str, i64, &str, &str); 15] = [
    (
        "UPDATE profiles SET created_at = 'yesterday' WHERE id = 5",
        "profiles",
        5,
        "created_at",
        "UPDATE profiles SET created_at = '2025-01-01 00:00:00' WHERE id = 5",
    ),
    (
        "UPDATE profiles SET avatar_type = x'0001' WHERE id = 4",
        "profiles",
        4,
        "avatar_type",
        "UPDATE profiles SET avatar_type = 'image' WHERE id = 4",
    ),
    (
        "UPDATE settings_profiles SET is_default = 'yes' WHERE id = 2",
        "settings_profiles",
        2,
        "is_default",
        "UPDATE settings_profiles SET is_default = 0 WHERE id = 2",
    ),
    (
        "UPDATE profile_addons SET priority = 'first' WHERE id = 1",
        "profile_addons",
        1,
        "priority",
        "UPDATE profile_addons SET priority = 9 WHERE id = 1",
    ),
    (
        "UPDATE profile_addons SET priority = 1.5 WHERE id = 3",
        "profile_addons",
        3,
        "priority",
        "UPDATE profile_addons SET priority = 8 WHERE id = 3",
    ),
    (
        "UPDATE stream_settings SET config = CAST(x'ff41' AS TEXT) WHERE id = 2",
        "stream_settings",
        2,
        "config",
        "UPDATE stream_settings SET config = '{}' WHERE id = 2",
    ),
    (
        "UPDATE appearance_settings SET show_age_ratings = 'no' WHERE id = 1",
        "appearance_settings",
        1,
        "show_age_ratings",
        "UPDATE appearance_settings SET show_age_ratings = 0 WHERE id = 1",
    ),
    (
        "UPDATE watch_history SET updated_at = 'Tue Mar 04 2025' WHERE id = 10",
        "watch_history",
        10,
        "updated_at",
        "UPDATE watch_history SET updated_at = '2025-03-04 00:00:00' WHERE id = 10",
    ),
    (
        "UPDATE watch_history SET position = 'half' WHERE id = 11",
        "watch_history",
        11,
        "position",
        "UPDATE watch_history SET position = 1 WHERE id = 11",
    ),
    (
        "UPDATE watch_history SET title = x'00' WHERE id = 12",
        "watch_history",
        12,
        "title",
        "UPDATE watch_history SET title = 'Three' WHERE id = 12",
    ),
    (
        "UPDATE lists SET created_at = 1767323045678 WHERE id = 7",
        "lists",
        7,
        "created_at",
        "UPDATE lists SET created_at = '2026-01-02T03:04:05.678Z' WHERE id = 7",
    ),
    (
        "UPDATE lists SET created_at = '' WHERE id = 8",
        "lists",
        8,
        "created_at",
        "UPDATE lists SET created_at = NULL WHERE id = 8",
    ),
    (
        "UPDATE list_items SET imdb_rating = 1e999 WHERE id = 1",
        "list_items",
        1,
        "imdb_rating",
        "UPDATE list_items SET imdb_rating = 9.9 WHERE id = 1",
    ),
    (
        "UPDATE list_items SET imdb_rating = 'good' WHERE id = 2",
        "list_items",
        2,
        "imdb_rating",
        "UPDATE list_items SET imdb_rating = 7 WHERE id = 2",
    ),
    (
        "UPDATE list_items SET created_at = '2025-13-41 10:00:00' WHERE id = 4",
        "list_items",
        4,
        "created_at",
        "UPDATE list_items SET created_at = '2025-12-31 10:00:00' WHERE id = 4",
    ),
];

fn spoilt() -> Result<DeviceFile> {
    let file = DeviceFile::of_the_app(GENERATION_2)?;
    for (spoil, ..) in SPOILT {
        file.sql(spoil)?;
    }
    Ok(file)
}

fn tells(told: &[Value], table: &str, row_id: i64, column: &str) -> bool {
    told.iter().any(|row| {
        row["table"] == table
            && row["row_id"] == row_id
            && row["field"] == column
            && row["code"] == "unreadable"
            && row["message"]
                .as_str()
                .is_some_and(|message| message.contains(column))
    })
}

async fn each_is_told_and_costs_nothing_else(db: TestDb) -> Result<()> {
    let server = serve(&db)?;
    let a = spoilt()?;
    let raw = a.sql("SELECT typeof(title), quote(title) FROM watch_history; SELECT quote(created_at) FROM lists")?;
    connect(&a, &server.url())?;
    // Synced, but for what needs attention.
    a.zentrio(&["sync", "--json"])?.with_code(6)?;
    let status = a.status()?;
    let told = status["rejected"].as_array().context("rows")?;
    ensure!(told.len() == SPOILT.len(), "{told:#?}");
    for (_, table, row_id, column, _) in SPOILT {
        ensure!(
            tells(told, table, row_id, column),
            "{table} {row_id} {column}: {told:#?}"
        );
    }
    let words = a.zentrio(&["status"])?.stdout;
    ensure!(
        words.contains(
            "watch_history 11, position: `position` holds the text 'half', not a whole number"
        ),
        "{words}"
    );
    let doctor = a.zentrio(&["doctor", "--json"])?.json()?;
    let found = doctor["findings"].as_array().context("findings")?;
    // That of a row which cannot be sent at all is in both.
    ensure!(found.len() == SPOILT.len(), "{doctor:#}");
    for (_, table, row_id, column, _) in SPOILT {
        let names =
            |f: &&Value| f["kind"] == "unreadable" && f["table"] == table && f["row_id"] == row_id;
        let finding = found
            .iter()
            .find(names)
            .with_context(|| format!("{table} {row_id}: {doctor}"))?;
        ensure!(
            finding["message"]
                .as_str()
                .is_some_and(|m| m.contains(column)),
            "{finding}"
        );
    }
    // The values stay as they are, and all rows are elsewhere but for them.
    ensure!(a.sql("SELECT typeof(title), quote(title) FROM watch_history; SELECT quote(created_at) FROM lists")? == raw);
    let b = device(&server.url())?;
    b.sync()?;
    let n = "SELECT (SELECT count(*) FROM profiles) + (SELECT count(*) FROM settings_profiles) + (SELECT count(*) FROM profile_addons)
        + (SELECT count(*) FROM stream_settings) + (SELECT count(*) FROM appearance_settings) + (SELECT count(*) FROM watch_history)
        + (SELECT count(*) FROM lists) + (SELECT count(*) FROM list_items)";
    ensure!(b.sql(n)? == "19", "{}", b.sql(n)?);
    ensure!(
        b.sql("SELECT name, avatar, created_at IS NULL FROM profiles ORDER BY id")?
            == "Anna|a.png|0\nBo|B|1"
    );
    ensure!(
        b.sql("SELECT meta_id, title, position FROM watch_history ORDER BY 1")?
            == "tt1|One|61\ntt2|Two|\ntt3||"
    );
    Ok(())
}

async fn a_corrected_value_goes_out_by_itself(db: TestDb) -> Result<()> {
    let server = serve(&db)?;
    let a = spoilt()?;
    connect(&a, &server.url())?;
    a.zentrio(&["sync", "--json"])?.with_code(6)?;
    let b = device(&server.url())?;
    b.sync()?;
    for (number, (.., correct)) in SPOILT.iter().enumerate() {
        a.sql(correct)?;
        if number % 4 == 0 {
            a.zentrio(&["sync", "--json"])?.with_code(6)?;
        }
    }
    let synced = a.sync()?;
    ensure!(synced["n_pending"] == 0, "{synced}");
    let status = a.status()?;
    ensure!(status["state"] == "synced", "{status}");
    b.sync()?;
    all_agree(&db, &[&a, &b]).await?;
    // But for when a row was edited, which a correction is, both hold the same.
    for file in [&a, &b] {
        let tables = [
            "profiles",
            "settings_profiles",
            "profile_addons",
            "stream_settings",
            "appearance_settings",
            "watch_history",
            "lists",
        ];
        for table in tables {
            file.sql(&format!("UPDATE {table} SET updated_at = NULL"))?;
        }
        file.sql("DELETE FROM watch_history WHERE deleted_at IS NOT NULL")?;
    }
    oracle::same(&a.path(), &b.path())?;
    ensure!(b.sql("SELECT priority FROM profile_addons ORDER BY 1")? == "2\n8\n9");
    Ok(())
}

async fn a_row_goes_on_with_what_can_be_read(db: TestDb) -> Result<()> {
    let server = serve(&db)?;
    let a = spoilt()?;
    connect(&a, &server.url())?;
    a.zentrio(&["sync", "--json"])?.with_code(6)?;
    let b = device(&server.url())?;
    b.sync()?;
    // Another edit of such a row goes out, and the value is still told of.
    a.sql("UPDATE lists SET name = 'Renamed' WHERE id = 7; UPDATE profiles SET name = 'Bob' WHERE id = 5")?;
    a.zentrio(&["sync", "--json"])?.with_code(6)?;
    let status = a.status()?;
    let told = status["rejected"].as_array().context("rows")?;
    ensure!(told.len() == SPOILT.len(), "{told:#?}");
    b.sync()?;
    ensure!(b.sql("SELECT name FROM lists ORDER BY 1")? == "My List\nRenamed");
    ensure!(b.sql("SELECT name FROM profiles ORDER BY 1")? == "Anna\nBob");
    // What others make of such a row waits here until it can be read, and then comes.
    b.sql("UPDATE lists SET name = 'From B' WHERE name = 'Renamed'")?;
    b.sync()?;
    a.zentrio(&["sync", "--json"])?.with_code(6)?;
    ensure!(a.sql("SELECT quote(created_at) FROM lists WHERE id = 7")? == "1767323045678");
    for (.., correct) in SPOILT {
        a.sql(correct)?;
    }
    a.sync()?;
    a.sync()?;
    b.sync()?;
    ensure!(a.sql("SELECT name FROM lists WHERE id = 7")? == "From B");
    all_agree(&db, &[&a, &b]).await
}

/// Without its name, or while nobody knows whether it is deleted, a row is no row that could be sent.
async fn what_tells_what_a_row_is_keeps_the_row_here(db: TestDb) -> Result<()> {
    let server = serve(&db)?;
    let a = DeviceFile::of_the_app(GENERATION_2)?;
    a.sql(
        "UPDATE list_items SET deleted_at = 'some day' WHERE id = 1; UPDATE list_items SET meta_id = x'00' WHERE id = 2;
         UPDATE profiles SET name = CAST(x'ff' AS TEXT) WHERE id = 5",
    )?;
    connect(&a, &server.url())?;
    a.zentrio(&["sync", "--json"])?.with_code(6)?;
    let b = device(&server.url())?;
    b.sync()?;
    ensure!(b.sql("SELECT count(*) FROM list_items")? == "0");
    ensure!(b.sql("SELECT name FROM profiles")? == "Anna");
    let doctor = a.zentrio(&["doctor", "--json"])?.json()?;
    let found = doctor["findings"].as_array().context("findings")?;
    let status = a.status()?;
    let told = status["rejected"].as_array().context("rows")?;
    for (table, row_id, column) in [
        ("list_items", 1, "deleted_at"),
        ("list_items", 2, "meta_id"),
        ("profiles", 5, "name"),
    ] {
        ensure!(
            tells(told, table, row_id, column),
            "{table} {row_id}: {status}"
        );
        let names =
            |f: &Value| f["kind"] == "unreadable" && f["table"] == table && f["row_id"] == row_id;
        ensure!(found.iter().any(names), "{table} {row_id}: {doctor:#}");
    }
    a.sql(
        "UPDATE list_items SET deleted_at = NULL WHERE id = 1; UPDATE list_items SET meta_id = 'tt4' WHERE id = 2;
         UPDATE profiles SET name = 'Bo' WHERE id = 5",
    )?;
    a.sync()?;
    b.sync()?;
    all_agree(&db, &[&a, &b]).await?;
    ensure!(
        b.sql("SELECT count(*) FROM list_items")? == "3",
        "the two, and what belongs to the profile"
    );
    Ok(())
}
