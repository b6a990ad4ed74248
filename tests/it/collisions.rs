//! Two devices that made, renamed or flagged the same thing, in both orders, on both kinds of server.

use std::sync::Arc;

use anyhow::Result;
use sync_core::{SystemClock, UuidV7};
use sync_tests::{InProcessServer, TestDb, TestDevice, on_both_backends};

struct Two {
    a: TestDevice,
    b: TestDevice,
    _server: InProcessServer,
}

/// Two devices in step, with one profile and the lists X and Y with an item each.
async fn two(db: TestDb) -> Result<Two> {
    let server = InProcessServer::zentrio(db, Arc::new(SystemClock), Arc::new(UuidV7)).await?;
    server.add_user("u1").await?;
    let device = async |number| {
        let transport = server.transport("u1", number);
        TestDevice::zentrio("u1", Arc::new(SystemClock), Arc::new(UuidV7), transport).await
    };
    let (a, b) = (device(1).await?, device(2).await?);
    a.sql("INSERT INTO profiles (user_id, name, avatar) VALUES ('u1', 'P', 'x')")
        .await?;
    a.sql("INSERT INTO lists (profile_id, name) VALUES (1, 'X'), (1, 'Y')")
        .await?;
    a.sql("INSERT INTO list_items (list_id, meta_id, type) VALUES (1, 'in-x', 'movie'), (2, 'in-y', 'movie')").await?;
    a.sync().await?;
    b.sync().await?;
    Ok(Two {
        a,
        b,
        _server: server,
    })
}

const LISTS: &str = "SELECT l.name, l.is_default, group_concat(i.meta_id) FROM
    (SELECT * FROM lists WHERE deleted_at IS NULL) l
    LEFT JOIN (SELECT * FROM list_items WHERE deleted_at IS NULL ORDER BY meta_id) i ON i.list_id = l.id
    GROUP BY l.id ORDER BY l.name";

impl Two {
    /// Syncs in one order or the other until nothing moves, then both must show the same lists.
    async fn settled(&self, a_first: bool) -> Result<Vec<String>> {
        for round in 0..4 {
            let order = if a_first {
                [&self.a, &self.b]
            } else {
                [&self.b, &self.a]
            };
            for device in order {
                let report = device.sync().await?;
                anyhow::ensure!(
                    report.n_rejected == 0,
                    "rejected in round {round}: {:?}",
                    device.status().await?.rejected
                );
            }
        }
        let (a, b) = (self.a.rows(LISTS).await?, self.b.rows(LISTS).await?);
        anyhow::ensure!(a == b, "they differ:\n{a:?}\n{b:?}");
        for device in [&self.a, &self.b] {
            anyhow::ensure!(
                device.pending().await?.is_empty(),
                "still pending: {:?}",
                device.pending().await?
            );
            anyhow::ensure!(device.status().await?.quarantined.is_empty(), "set aside");
            anyhow::ensure!(device.sync().await?.n_pulled == 0, "not quiet");
        }
        Ok(a)
    }
}

async fn uk01_two_devices_make_the_same_list(db: TestDb) -> Result<()> {
    let two = two(db).await?;
    for (device, item) in [(&two.a, "from-a"), (&two.b, "from-b")] {
        device
            .sql("INSERT INTO lists (profile_id, name) VALUES (1, 'Favorites')")
            .await?;
        let list = "(SELECT id FROM lists WHERE name = 'Favorites')";
        device
            .sql(&format!(
                "INSERT INTO list_items (list_id, meta_id, type) VALUES ({list}, 'both', 'movie'), ({list}, '{item}', 'movie')"
            ))
            .await?;
    }
    let lists = two.settled(true).await?;
    assert_eq!(lists[0], "Favorites|NULL|both,from-a,from-b");
    assert_eq!(lists.len(), 3);
    Ok(())
}

async fn uk05_a_rename_onto_a_taken_name_gets_a_suffix(db: TestDb) -> Result<()> {
    let two = two(db).await?;
    two.a
        .sql("UPDATE lists SET name = 'Kids' WHERE name = 'X'")
        .await?;
    two.b
        .sql("INSERT INTO lists (profile_id, name) VALUES (1, 'Kids')")
        .await?;
    let lists = two.settled(false).await?;
    assert_eq!(
        lists,
        ["Kids|NULL|NULL", "Kids (2)|NULL|in-x", "Y|NULL|in-y"]
    );
    Ok(())
}

async fn two_renames_onto_one_name(db: TestDb) -> Result<()> {
    let two = two(db).await?;
    two.a
        .sql("UPDATE lists SET name = 'Z' WHERE name = 'X'")
        .await?;
    two.b
        .sql("UPDATE lists SET name = 'Z' WHERE name = 'Y'")
        .await?;
    assert_eq!(two.settled(true).await?, ["Z|NULL|in-x", "Z (2)|NULL|in-y"]);
    Ok(())
}

async fn two_names_are_swapped(db: TestDb) -> Result<()> {
    let two = two(db).await?;
    two.a
        .sql("UPDATE lists SET name = 'T' WHERE name = 'X'")
        .await?;
    two.a
        .sql("UPDATE lists SET name = 'X' WHERE name = 'Y'")
        .await?;
    two.a
        .sql("UPDATE lists SET name = 'Y' WHERE name = 'T'")
        .await?;
    assert_eq!(two.settled(true).await?, ["X|NULL|in-y", "Y|NULL|in-x"]);
    Ok(())
}

async fn uk10_two_ways_to_write_a_name_are_one_key(db: TestDb) -> Result<()> {
    let two = two(db).await?;
    two.a
        .sql("INSERT INTO lists (profile_id, name) VALUES (1, 'caf\u{e9}')")
        .await?;
    two.b
        .sql("INSERT INTO lists (profile_id, name) VALUES (1, 'cafe\u{301} ')")
        .await?;
    assert_eq!(two.settled(true).await?[2], "caf\u{e9}|NULL|NULL");
    Ok(())
}

async fn an_item_moved_to_where_it_is_already(db: TestDb) -> Result<()> {
    let two = two(db).await?;
    two.a
        .sql("UPDATE list_items SET list_id = 2 WHERE meta_id = 'in-x'")
        .await?;
    two.b
        .sql("INSERT INTO list_items (list_id, meta_id, type) VALUES (2, 'in-x', 'movie')")
        .await?;
    assert_eq!(
        two.settled(false).await?,
        ["X|NULL|NULL", "Y|NULL|in-x,in-y"]
    );
    Ok(())
}

async fn one_default_list_remains(db: TestDb) -> Result<()> {
    let two = two(db).await?;
    two.a
        .sql("UPDATE lists SET is_default = 1 WHERE name = 'X'")
        .await?;
    two.b
        .sql("UPDATE lists SET is_default = 1 WHERE name = 'Y'")
        .await?;
    let lists = two.settled(true).await?;
    assert_eq!(lists, ["X|0|in-x", "Y|1|in-y"], "the later choice stands");
    Ok(())
}

on_both_backends!(
    uk01_two_devices_make_the_same_list,
    uk05_a_rename_onto_a_taken_name_gets_a_suffix,
    two_renames_onto_one_name,
    two_names_are_swapped,
    uk10_two_ways_to_write_a_name_are_one_key,
    an_item_moved_to_where_it_is_already,
    one_default_list_remains,
);
