//! JSON in a text is a value like any other: never taken apart.

use anyhow::Result;
use sync_tests::{TestDb, on_both_backends, scene_time::sync_in};

use super::family;

on_both_backends!(cf24_json_is_never_spliced);

const COLUMNS: [(&str, &str); 4] = [
    ("stream_settings", "config"),
    ("stream_settings", "qualities"),
    ("settings_profiles", "tmdb_catalog_config"),
    ("watch_history", "last_stream"),
];

/// The later text wins byte by byte, also where it is no JSON at all.
async fn cf24_json_is_never_spliced(db: TestDb) -> Result<()> {
    let mut at = -500_000;
    let (scene, [a, b, c]) = family(db).await?;
    for (table, column) in COLUMNS {
        for (of_a, of_b) in [
            (r#"{"a":1,"b":[1,2]}"#, r#"{"b" : [ 3 ],"a":2 }"#),
            (r#"{"z":1}"#, "no JSON {"),
            (r#"{"x":1.10}"#, r#"{"x":1.1}"#),
        ] {
            at += 2_000;
            let order = if at % 4_000 == 0 {
                [0, 1, 0]
            } else {
                [1, 0, 1]
            };
            a.at(at, &format!("UPDATE {table} SET {column} = '{of_a}'"))
                .await?;
            b.at(
                at + 1_000,
                &format!("UPDATE {table} SET {column} = '{of_b}'"),
            )
            .await?;
            sync_in(&order, &[&a, &b]).await?;
            scene.settled(&[&a, &b, &c]).await?;
            let there = scene.one(&format!("SELECT {column} FROM {table}")).await?;
            assert_eq!(there, of_b, "{table}.{column}");
        }
    }
    Ok(())
}
