//! A web application writes the server's database while devices sync with it.

use std::sync::Arc;

use anyhow::Result;
use sea_orm::{ConnectionTrait, DatabaseConnection};
use sync_core::{
    SystemClock, UuidV7,
    server::{Caller, PullQuery, ServerDb, SyncServer},
};
use sync_tests::{InProcessServer, TestDb, TestDevice, on_both_backends, text_rows::text_rows};

on_both_backends!(edits_while_the_server_absorbs_are_not_lost_and_meet_no_error);

const ROUNDS: usize = 40;

/// Two writers on the same rows, each row edited in another order, and a server that absorbs all the while.
async fn edits_while_the_server_absorbs_are_not_lost_and_meet_no_error(
    database: TestDb,
) -> Result<()> {
    let (one, two) = (database.connect().await?, database.connect().await?);
    let absorbing = database.connect().await?;
    let server =
        InProcessServer::zentrio(database, Arc::new(SystemClock), Arc::new(UuidV7)).await?;
    server.add_user("u1").await?;
    server
        .db
        .execute_unprepared(
            "INSERT INTO profiles (user_id, name, avatar) VALUES ('u1', 'Anna', 'a');
             INSERT INTO lists (profile_id, name) VALUES (1, 'a'), (1, 'b'), (1, 'c')",
        )
        .await?;
    let absorber = SyncServer::new(
        ServerDb {
            write: absorbing.clone(),
            read: absorbing,
        },
        entity::registry()?,
        Arc::new(SystemClock),
        Arc::new(UuidV7),
    );

    let writers = async {
        let both = tokio::join!(
            write(&one, "name", [1, 2, 3]),
            write(&two, "created_at", [1, 2, 3])
        );
        both.0.and(both.1)
    };
    tokio::select! {
        written = writers => written?,
        absorbed = absorb(&absorber) => absorbed?,
    }
    let device = TestDevice::zentrio(
        "u1",
        Arc::new(SystemClock),
        Arc::new(UuidV7),
        server.transport("u1", 1),
    )
    .await?;
    device.sync().await?;

    assert_eq!(
        device
            .rows("SELECT name, created_at FROM lists ORDER BY name")
            .await?,
        [1, 2, 3].map(|id| format!("{id} 39|2026-01-01T00:00:39+00:00"))
    );
    assert_eq!(
        text_rows(&server.db, "SELECT tbl FROM sync_pending").await?,
        [""; 0]
    );
    let dirty = "SELECT id FROM lists WHERE dirty";
    assert_eq!(text_rows(&server.db, dirty).await?, [""; 0]);
    Ok(())
}

async fn write(db: &DatabaseConnection, column: &str, ids: [i64; 3]) -> Result<()> {
    for round in 0..ROUNDS {
        for id in ids {
            let value = match column {
                "name" => format!("'{id} {round}'"),
                _ => format!("'2026-01-01 00:00:{round:02}'"),
            };
            db.execute_unprepared(&format!(
                "UPDATE lists SET {column} = {value} WHERE id = {id}"
            ))
            .await?;
        }
    }
    Ok(())
}

/// Never ends by itself.
async fn absorb(server: &SyncServer) -> Result<()> {
    let caller = Caller {
        user_id: "u1".to_owned(),
        device: 100,
    };
    loop {
        let pulled = server.pull(&caller, &PullQuery::default()).await;
        pulled.map_err(|error| anyhow::anyhow!("{error:?}"))?;
    }
}
