//! Two ways to write a key, judged alike on both kinds of database.

use anyhow::Result;
use sync_tests::{SceneDevice, TestDb, on_both_backends};

use super::base;

on_both_backends!(
    uk10_what_is_one_key_and_what_is_two,
    uk10_two_spellings_on_one_device,
    uk10_a_rename_to_another_spelling,
    uk10_also_in_the_keys_of_other_tables,
);

/// How A writes it, how B does, and whether it is one.
const SPELLINGS: [(&str, &str, bool); 10] = [
    ("caf\u{e9}", "cafe\u{301}", true),
    ("\u{1e9b}\u{323}", "\u{17f}\u{307}\u{323}", true),
    ("\u{d55c}", "\u{1112}\u{1161}\u{11ab}", true),
    ("kids", "kids ", true),
    ("kids", "kids\u{a0}\t\n", true),
    // Case, width, leading and inner blanks tell things apart.
    ("Kids", "kids", false),
    ("STRASSE", "stra\u{df}e", false),
    ("kids", " kids", false),
    ("a b", "a  b", false),
    ("\u{fb01}t", "fit", false),
];

async fn add(device: &SceneDevice, name: &str, title: &str) -> Result<()> {
    let list = device.add_list(1, name).await?;
    device.add_item(list, title).await?;
    Ok(())
}

async fn uk10_what_is_one_key_and_what_is_two(db: TestDb) -> Result<()> {
    for (of_a, of_b, is_one) in SPELLINGS {
        let (scene, [a, b, c]) = base(TestDb::new(db.backend()).await?).await?;
        add(&a, of_a, "of A").await?;
        add(&b, of_b, "of B").await?;
        for device in [&a, &b] {
            assert_eq!(device.sync().await?.n_rejected, 0);
        }
        scene.settled(&[&a, &b, &c]).await?;
        let n = scene
            .one("SELECT count(*) FROM lists WHERE deleted_at IS NULL AND name NOT IN ('X', 'Y')")
            .await?;
        assert_eq!(n, if is_one { "1" } else { "2" }, "{of_a:?} and {of_b:?}");
        let titles = scene
            .rows("SELECT meta_id FROM list_items WHERE deleted_at IS NULL ORDER BY 1")
            .await?;
        assert_eq!(titles, ["in-x", "in-y", "of A", "of B"]);
    }
    Ok(())
}

/// SQLite lets one device have both: they become one there, too.
async fn uk10_two_spellings_on_one_device(db: TestDb) -> Result<()> {
    for (one, other, is_one) in SPELLINGS {
        let (scene, [a, b, c]) = base(TestDb::new(db.backend()).await?).await?;
        add(&a, one, "tt1").await?;
        add(&a, other, "tt2").await?;
        add(&a, "Third", "tt3").await?;
        assert_eq!(a.sync().await?.n_rejected, 0, "{one:?} and {other:?}");
        scene.settled(&[&a, &b, &c]).await?;
        let n = "SELECT count(*) FROM lists WHERE deleted_at IS NULL AND name NOT IN ('X', 'Y', 'Third')";
        assert_eq!(
            a.one(n).await?,
            if is_one { "1" } else { "2" },
            "{one:?} and {other:?}"
        );
        let titles = b
            .rows("SELECT meta_id FROM list_items WHERE deleted_at IS NULL ORDER BY 1")
            .await?;
        assert_eq!(titles, ["in-x", "in-y", "tt1", "tt2", "tt3"]);
    }
    Ok(())
}

/// The row itself has the key already: no suffix; and another row's spelling gets one.
async fn uk10_a_rename_to_another_spelling(db: TestDb) -> Result<()> {
    let (scene, [a, b, c]) = base(db).await?;
    a.at(
        -9_000,
        "UPDATE lists SET name = 'caf\u{e9}' WHERE name = 'X'",
    )
    .await?;
    scene.settled(&[&a, &b, &c]).await?;
    a.at(
        -3_000,
        "UPDATE lists SET name = 'cafe\u{301} ' WHERE name = 'caf\u{e9}'",
    )
    .await?;
    scene.settled(&[&a, &b, &c]).await?;
    let names = scene.rows("SELECT name FROM lists ORDER BY 1").await?;
    assert_eq!(
        names,
        ["Y", "caf\u{e9}"]
            .map(str::to_owned)
            .iter()
            .cloned()
            .collect::<std::collections::BTreeSet<_>>()
            .into_iter()
            .collect::<Vec<_>>()
    );
    b.at(
        -2_000,
        "UPDATE lists SET name = 'cafe\u{301}' WHERE name = 'Y'",
    )
    .await?;
    scene.settled(&[&b, &a, &c]).await?;
    for device in [&a, &b, &c] {
        let names = device.rows("SELECT name FROM lists ORDER BY 1").await?;
        assert_eq!(names, ["caf\u{e9}", "caf\u{e9} (2)"]);
    }
    Ok(())
}

async fn uk10_also_in_the_keys_of_other_tables(db: TestDb) -> Result<()> {
    let (scene, [a, b, c]) = base(db).await?;
    for (device, name, url) in [
        (&a, "tt\u{e9}", "https://caf\u{e9}.test"),
        (&b, "tte\u{301} ", "https://cafe\u{301}.test"),
    ] {
        device.at(-2_000, &format!(
            "INSERT INTO watch_history (profile_id, meta_id, meta_type) VALUES (1, '{name}', 'movie');
             INSERT INTO list_items (list_id, meta_id, type) VALUES (1, '{name}', 'movie');
             INSERT INTO addons (manifest_url, name) VALUES ('{url}', 'Caf');
             INSERT INTO profile_addons (profile_id, addon_id) SELECT 1, id FROM addons WHERE name = 'Caf'"
        )).await?;
        device.sync().await?;
    }
    scene.settled(&[&a, &b, &c]).await?;
    for (table, n) in [("watch_history", "1"), ("list_items", "3")] {
        let sql = format!("SELECT count(*) FROM {table} WHERE deleted_at IS NULL");
        assert_eq!(scene.one(&sql).await?, n, "{table}");
    }
    Ok(())
}
