//! Two devices make the same thing while neither knows of the other's.

use anyhow::{Result, ensure};
use sync_tests::{HttpServer, TestDb, TestDevice, account::Origin, on_both_backends};

use super::{all_agree, pair, travels};

on_both_backends!(
    uk01_two_lists_of_one_name_become_one_with_all_items,
    uk01_two_lists_of_one_name_become_one_in_the_apps_databases,
    uk02_two_histories_of_one_title_become_one,
    uk02_two_histories_of_one_title_become_one_in_the_apps_databases,
);

const PROFILE: &str = "INSERT INTO profiles (user_id, name, avatar) SELECT local_user_id, 'Anna', 'a' FROM sync_state";

/// Until nobody has anything new for anybody.
async fn until_all_know(devices: [&TestDevice; 2]) -> Result<()> {
    for device in devices.iter().chain(&devices) {
        device.sync().await?;
    }
    Ok(())
}

async fn uk01_two_lists_of_one_name_become_one_with_all_items(db: TestDb) -> Result<()> {
    lists_become_one(db, Origin::Fresh).await
}

async fn uk01_two_lists_of_one_name_become_one_in_the_apps_databases(db: TestDb) -> Result<()> {
    lists_become_one(db, Origin::Adopted).await
}

async fn lists_become_one(db: TestDb, origin: Origin) -> Result<()> {
    let server = HttpServer::start(db).await?;
    let (a, b) = pair(&server, origin, origin).await?;
    a.sql(PROFILE).await?;
    travels(&a, &b).await?;
    for (device, items) in [
        (
            &a,
            "('tt1', 'One of A', NULL), ('tt2', 'Two of A', 'poster of A')",
        ),
        (&b, "('tt2', 'Two of B', NULL), ('tt3', 'Three of B', NULL)"),
    ] {
        device
            .sql(&format!(
                "INSERT INTO lists (profile_id, name) SELECT id, 'Favorites' FROM profiles;
                 WITH items(meta_id, title, poster) AS (VALUES {items})
                 INSERT INTO list_items (list_id, meta_id, type, title, poster)
                   SELECT l.id, meta_id, 'movie', title, poster FROM lists l, items"
            ))
            .await?;
    }
    until_all_know([&a, &b]).await?;
    all_agree(&server, &[&a, &b]).await?;

    for device in [&a, &b] {
        let lists = device
            .rows("SELECT name FROM lists WHERE deleted_at IS NULL")
            .await?;
        ensure!(lists == ["Favorites"], "{lists:?}");
        let items = device
            .rows("SELECT i.meta_id, i.title, l.name FROM list_items i JOIN lists l ON l.id = i.list_id
                   WHERE i.deleted_at IS NULL AND l.deleted_at IS NULL ORDER BY 1")
            .await?;
        // B made its own later.
        let expected = [
            "tt1|One of A|Favorites",
            "tt2|Two of B|Favorites",
            "tt3|Three of B|Favorites",
        ];
        ensure!(items == expected, "{items:?}");
    }
    // Both go on with it as if there never had been two.
    a.sql("INSERT INTO list_items (list_id, meta_id, type) SELECT id, 'tt4', 'movie' FROM lists WHERE deleted_at IS NULL")
        .await?;
    b.sql("UPDATE list_items SET deleted_at = CURRENT_TIMESTAMP WHERE meta_id = 'tt2' AND deleted_at IS NULL").await?;
    until_all_know([&a, &b]).await?;
    all_agree(&server, &[&a, &b]).await?;
    let items = a
        .rows("SELECT meta_id FROM list_items WHERE deleted_at IS NULL ORDER BY 1")
        .await?;
    ensure!(items == ["tt1", "tt3", "tt4"], "{items:?}");
    Ok(())
}

async fn uk02_two_histories_of_one_title_become_one(db: TestDb) -> Result<()> {
    histories_become_one(db, Origin::Fresh).await
}

async fn uk02_two_histories_of_one_title_become_one_in_the_apps_databases(
    db: TestDb,
) -> Result<()> {
    histories_become_one(db, Origin::Adopted).await
}

async fn histories_become_one(db: TestDb, origin: Origin) -> Result<()> {
    let server = HttpServer::start(db).await?;
    let (a, b) = pair(&server, origin, origin).await?;
    a.sql(PROFILE).await?;
    travels(&a, &b).await?;
    // As two televisions save it, A's earlier than B's.
    for (device, progress) in [
        (&a, "'of A', 3600, 100, 1, 'A'"),
        (&b, "NULL, 3700, 900, 0, NULL"),
    ] {
        device
            .sql(&format!(
                "INSERT INTO watch_history (profile_id, meta_id, meta_type, season, episode, title, duration, position,
                   is_watched, last_stream)
                 WITH p(title, duration, position, is_watched, last_stream) AS (VALUES ({progress}))
                 SELECT profiles.id, 'tt1', 'series', 1, 2, p.* FROM profiles, p"
            ))
            .await?;
    }
    until_all_know([&a, &b]).await?;
    all_agree(&server, &[&a, &b]).await?;
    for device in [&a, &b] {
        let rows = device
            .rows("SELECT meta_id, duration, position, is_watched, last_stream FROM watch_history WHERE deleted_at IS NULL")
            .await?;
        // The later progress as a whole, never A's position in B's film.
        ensure!(rows == ["tt1|3700|900|0|NULL"], "{rows:?}");
    }
    a.sql("UPDATE watch_history SET position = 1800").await?;
    travels(&a, &b).await?;
    all_agree(&server, &[&a, &b]).await?;
    ensure!(
        b.one("SELECT position FROM watch_history").await? == "1800",
        "B has not gone on"
    );
    Ok(())
}
