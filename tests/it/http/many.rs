//! Many at once: nobody hangs, and nobody is kept out by others.

use anyhow::{Result, ensure};
use futures_util::future::try_join_all;
use sea_orm::{ConnectionTrait, DbBackend};
use serde_json::json;
use sync_tests::{TestDb, on_both_backends};

use super::world::{World, edit};

on_both_backends!(
    h20_two_hundred_pulls_at_once,
    h07_a_reader_that_hangs_holds_nobody_up,
    f18_a_lock_that_somebody_else_holds,
);

/// Answered, or told to come again: with ten connections to the database and the usual patience, all are.
async fn h20_two_hundred_pulls_at_once(db: TestDb) -> Result<()> {
    let world = World::with(db, |config| config.database_connections = 10).await?;
    let pulls = (0..200).map(|_| world.get(&world.ann, "/api/sync/pull"));
    for answer in try_join_all(pulls).await? {
        ensure!([200, 503].contains(&answer.status.as_u16()), "{answer:?}");
        let told = answer.status == 200 || answer.headers.contains_key("retry-after");
        ensure!(told, "{answer:?}");
    }
    Ok(())
}

/// Its page is read and its transaction over before the first byte is sent.
async fn h07_a_reader_that_hangs_holds_nobody_up(db: TestDb) -> Result<()> {
    use tokio::{io::AsyncWriteExt, net::TcpStream};

    let world = World::with(db, |config| config.database_connections = 2).await?;
    let title = "x".repeat(200_000);
    for push_no in 2..12 {
        let rows = [edit(
            &world.ann.item,
            json!({"title": title, "poster": format!("{push_no}")}),
        )];
        world
            .push(
                &world.ann,
                push_no,
                json!([{"table": "list_items", "rows": rows}]),
            )
            .await?;
    }
    let address = world.server.url().replace("http://", "");
    let request = format!(
        "GET /api/sync/pull HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\n\r\n",
        world.ann.token
    );
    let mut hanging = Vec::new();
    for _ in 0..20 {
        let mut stream = TcpStream::connect(&address).await?;
        stream.write_all(request.as_bytes()).await?;
        hanging.push(stream);
    }
    let answer = world.get(&world.bob, "/api/sync/pull").await?;
    ensure!(answer.status == 200, "{answer:?}");
    let rows = [edit(&world.ann.list, json!({"name": "goes on"}))];
    let answer = world
        .push(&world.ann, 12, json!([{"table": "lists", "rows": rows}]))
        .await?;
    ensure!(answer.verdicts() == ["applied"], "{answer:?}");
    Ok(())
}

/// An administrator's transaction that was left open: who needs the lock is told to come again, others go on.
async fn f18_a_lock_that_somebody_else_holds(db: TestDb) -> Result<()> {
    let world = World::new(db).await?;
    let user = &world.ann.user_id;
    let lock = match world.db.get_database_backend() {
        DbBackend::Postgres => {
            format!("BEGIN; SELECT 1 FROM sync_account WHERE user_id = '{user}' FOR UPDATE")
        }
        _ => "BEGIN IMMEDIATE".to_owned(),
    };
    world.db.execute_unprepared(&lock).await?;
    let rows = json!([{"table": "lists", "rows": [edit(&world.ann.list, json!({"name": "X"}))]}]);
    let (refused, others) = tokio::join!(
        world.push(&world.ann, 2, rows.clone()),
        world.get(&world.bob, "/api/sync/pull")
    );
    let (refused, others) = (refused?, others?);
    ensure!(others.status == 200, "{others:?}");
    ensure!(refused.status == 503, "{refused:?}");
    ensure!(refused.headers.contains_key("retry-after"), "{refused:?}");
    world.db.execute_unprepared("COMMIT").await?;
    let taken = world.push(&world.ann, 3, rows).await?;
    ensure!(taken.verdicts() == ["applied"], "{taken:?}");
    Ok(())
}
