//! One device edits, then two edit different fields: nothing of it is lost, in any table.

use anyhow::Result;
use sync_tests::{TestDb, on_both_backends};

use super::family;

on_both_backends!(
    cf01_an_edit_arrives_everywhere,
    cf07_edits_of_two_fields_are_both_kept,
    cf08_many_fields_here_and_one_there,
    cf05_a_reference_set_to_null_is_null_everywhere,
);

/// A table, two registers of it, and two values of each.
struct Pair {
    table: &'static str,
    one: &'static str,
    other: &'static str,
    values: [&'static str; 2],
}

const fn pair(
    table: &'static str,
    one: &'static str,
    other: &'static str,
    values: [&'static str; 2],
) -> Pair {
    Pair {
        table,
        one,
        other,
        values,
    }
}

const PAIRS: [Pair; 10] = [
    pair(
        "settings_profiles",
        "name",
        "tmdb_catalog_config",
        ["'1'", "'2'"],
    ),
    pair("profiles", "name", "avatar", ["'1'", "'2'"]),
    pair("profiles", "avatar_type", "avatar_style", ["'1'", "'2'"]),
    pair("profile_addons", "enabled", "priority", ["0", "1"]),
    pair("stream_settings", "qualities", "config", ["'1'", "'2'"]),
    pair(
        "stream_settings",
        "preferred_keywords",
        "required_keywords",
        ["'1'", "'2'"],
    ),
    pair(
        "appearance_settings",
        "show_imdb_ratings",
        "show_age_ratings",
        ["0", "1"],
    ),
    pair("watch_history", "title", "position", ["1", "2"]),
    pair("lists", "name", "is_default", ["1", "0"]),
    pair("list_items", "title", "imdb_rating", ["1", "2"]),
];

fn set(table: &str, column: &str, value: &str) -> String {
    format!("UPDATE {table} SET {column} = {value}")
}

/// CF01 to CF04: a new value, one where none was, none where one was, on either side.
async fn cf01_an_edit_arrives_everywhere(db: TestDb) -> Result<()> {
    let (scene, [a, b, c]) = family(db).await?;
    let required = ["name", "avatar"];
    let mut at = -1_000_000;
    for Pair {
        table,
        one,
        other,
        values,
    } in &PAIRS
    {
        for (from, column) in [(&a, one), (&b, other)] {
            let null = (!required.contains(column)).then_some("NULL");
            for value in null.iter().chain(values).chain(&null) {
                at += 1_000;
                from.at(at, &set(table, column, value)).await?;
                from.sync().await?;
                for device in [&a, &b, &c] {
                    device.sync().await?;
                    let here = device.one(&format!("SELECT {column} FROM {table}")).await?;
                    let plain: f64 = value.trim_matches('\'').parse().unwrap_or(f64::NAN);
                    let same = *value == here || here.parse() == Ok(plain);
                    assert!(same, "{table}.{column} is {here} and not {value}");
                }
            }
        }
    }
    scene.settled(&[&a, &b, &c]).await
}

async fn cf07_edits_of_two_fields_are_both_kept(db: TestDb) -> Result<()> {
    let (scene, [a, b, c]) = family(db).await?;
    for (
        number,
        Pair {
            table,
            one,
            other,
            values: [first, second],
        },
    ) in (0_i64..).zip(&PAIRS)
    {
        // The one who edits first is not always the one who syncs first.
        let (early, late) = if number % 2 == 0 { (&a, &b) } else { (&b, &a) };
        late.at(number * 1_000 - 100_000, &set(table, one, first))
            .await?;
        early
            .at(number * 1_000 - 99_500, &set(table, other, second))
            .await?;
        early.sync().await?;
        late.sync().await?;
        scene.settled(&[&a, &b, &c]).await?;
        for device in [&a, &b, &c] {
            let sql =
                format!("SELECT CAST({one} AS INTEGER), CAST({other} AS INTEGER) FROM {table}");
            let expected = format!("{}|{}", first.trim_matches('\''), second.trim_matches('\''));
            assert_eq!(device.one(&sql).await?, expected, "{table}: {one}, {other}");
        }
    }
    for device in [&a, &b, &c] {
        let beaten = device.one("SELECT count(*) FROM sync_conflict").await?;
        assert_eq!(beaten, "0", "different fields are no conflict");
    }
    Ok(())
}

async fn cf08_many_fields_here_and_one_there(db: TestDb) -> Result<()> {
    for a_first in [true, false] {
        let (scene, [a, b, c]) = family(TestDb::new(db.backend()).await?).await?;
        a.at(
            -1_000,
            "UPDATE profiles SET name = 'A', avatar = 'A', avatar_style = 'A'",
        )
        .await?;
        b.at(-2_000, "UPDATE profiles SET avatar_type = 'B'")
            .await?;
        let order = if a_first { [&a, &b] } else { [&b, &a] };
        for device in order {
            device.sync().await?;
        }
        scene.settled(&[&a, &b, &c]).await?;
        let all = "SELECT name || avatar || avatar_style || avatar_type FROM profiles";
        assert_eq!(scene.one(all).await?, "AAAB");
    }
    Ok(())
}

/// CF05, and a reference set to NULL here while another field is edited there.
async fn cf05_a_reference_set_to_null_is_null_everywhere(db: TestDb) -> Result<()> {
    let (scene, [a, b, c]) = family(db).await?;
    a.at(-2_000, "UPDATE profiles SET settings_profile_id = NULL")
        .await?;
    b.at(-1_000, "UPDATE profiles SET name = 'Anne'").await?;
    b.sync().await?;
    a.sync().await?;
    scene.settled(&[&a, &b, &c]).await?;
    let there =
        "SELECT name || coalesce(CAST(settings_profile_id AS TEXT), ' without') FROM profiles";
    assert_eq!(scene.one(there).await?, "Anne without");
    // And set again, by the other device.
    b.at(
        -500,
        "UPDATE profiles SET settings_profile_id = (SELECT id FROM settings_profiles)",
    )
    .await?;
    b.sync().await?;
    scene.settled(&[&a, &b, &c]).await?;
    let set = a
        .one("SELECT settings_profile_id IS NOT NULL FROM profiles")
        .await?;
    assert_eq!(set, "1");
    Ok(())
}
