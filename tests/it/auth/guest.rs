//! A database that was used before there was a login: what is in it joins what the account has.

use anyhow::Result;
use sync_core::device::Connection;
use sync_tests::{TestDb, on_both_backends, scene::USER};

use crate::conflict::{FAMILY, family};

on_both_backends!(
    at08_a_guests_rows_join_the_accounts,
    at08_only_the_one_who_logs_in_is_synced,
);

async fn at08_a_guests_rows_join_the_accounts(db: TestDb) -> Result<()> {
    let (scene, [a, b, c]) = family(db).await?;
    let guest = scene.device().await?;
    guest.device.device.disconnect().await?;
    guest.at(-2_000, FAMILY).await?;
    guest.at(-1_000, "UPDATE profiles SET name = 'Guest'; INSERT INTO lists (profile_id, name) VALUES (1, 'Of the guest')").await?;
    connect(&guest, USER).await?;
    scene.settled(&[&guest, &a, &b, &c]).await?;
    // Profiles have no key: both are there, each with its own.
    for (table, n) in [
        ("profiles", "2"),
        ("settings_profiles", "2"),
        ("lists", "3"),
        ("list_items", "2"),
        ("watch_history", "2"),
        ("profile_addons", "2"),
    ] {
        for device in [&a, &guest] {
            assert_eq!(
                device.one(&format!("SELECT count(*) FROM {table}")).await?,
                n,
                "{table}"
            );
        }
    }
    assert_eq!(
        guest
            .one("SELECT count(*) FROM addons WHERE manifest_url = 'https://x.test'")
            .await?,
        "1"
    );
    Ok(())
}

async fn connect(device: &sync_tests::SceneDevice, local_user_id: &str) -> Result<()> {
    let connection = Connection {
        remote_url: "http://server.test".to_owned(),
        remote_user_id: USER.to_owned(),
        email: None,
        auth_token: "sealed".to_owned(),
        local_user_id: local_user_id.to_owned(),
    };
    Ok(device.device.device.connect(&connection).await?)
}

/// Two people share a database. The guest logs in: the other one's rows stay here.
async fn at08_only_the_one_who_logs_in_is_synced(db: TestDb) -> Result<()> {
    let (scene, [a, b, c]) = family(db).await?;
    let shared = scene.device().await?;
    shared.device.device.disconnect().await?;
    shared
        .sql(
            "INSERT INTO user (id, email, name, emailVerified, createdAt, updatedAt)
         VALUES ('guest', 'guest', 'guest', 0, '2026-01-01 00:00:00', '2026-01-01 00:00:00')",
        )
        .await?;
    shared.at(-3_000, "INSERT INTO profiles (user_id, name, avatar, is_default) VALUES ('u1', 'Not mine', 'x', 1);
        INSERT INTO lists (profile_id, name) SELECT id, 'Not mine' FROM profiles").await?;
    shared.at(-2_000, "INSERT INTO profiles (user_id, name, avatar, is_default) VALUES ('guest', 'Mine', 'x', 1);
        INSERT INTO lists (profile_id, name) SELECT id, 'Mine' FROM profiles WHERE name = 'Mine';
        UPDATE lists SET is_default = 1").await?;
    connect(&shared, "guest").await?;
    for _ in 0..2 {
        for device in [&shared, &a, &b, &c] {
            device.sync().await?;
        }
    }
    assert_eq!(
        scene
            .one("SELECT count(*) FROM profiles WHERE name = 'Not mine'")
            .await?,
        "0"
    );
    assert_eq!(
        a.rows("SELECT name FROM profiles WHERE deleted_at IS NULL ORDER BY 1")
            .await?,
        ["Anna", "Mine"]
    );
    let here = shared
        .rows("SELECT user_id, name, is_default FROM profiles ORDER BY 1, 2")
        .await?;
    assert_eq!(here, ["guest|Anna|NULL", "guest|Mine|1", "u1|Not mine|1"]);
    let status = shared.status().await?;
    assert!(status.pending.is_empty(), "{:?}", status.pending);
    Ok(())
}
