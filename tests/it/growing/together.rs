//! Processes that start together on one database: one of them makes it fit, and all of them serve.

use anyhow::{Result, ensure};
use sea_orm::ConnectionTrait;
use sync_tests::{
    TestDb, on_both_backends,
    programs::{Program, Started},
    snapshot::query,
};

on_both_backends!(
    on_an_empty_database,
    on_tables_with_rows_that_nobody_has_captured_yet,
);

const N_PROCESSES: usize = 4;
const N_ROUNDS: usize = 4;

/// Runs the same program several times at once.
fn migrate_together(db: &TestDb) -> Result<()> {
    let start = |_| {
        let mut command = Program::Server.command()?;
        command.args(["migrate", "--database-url", db.url()]);
        Started::new(&mut command, "")
    };
    let processes = (0..N_PROCESSES).map(start).collect::<Result<Vec<_>>>()?;
    for process in processes {
        process.ended()?.with_code(0)?;
    }
    Ok(())
}

async fn on_an_empty_database(mut db: TestDb) -> Result<()> {
    for _ in 0..N_ROUNDS {
        migrate_together(&db)?;
        let connection = db.connect().await?;
        for (what, expected) in [
            ("SELECT CAST(count(*) AS TEXT) FROM sync_server", "1"),
            ("SELECT CAST(count(*) AS TEXT) FROM sync_clock", "1"),
            ("SELECT CAST(count(*) AS TEXT) FROM addons", "1"),
            ("SELECT CAST(count(*) AS TEXT) FROM sync_capture", "8"),
            (
                "SELECT CAST(count(*) AS TEXT) FROM server_setting WHERE key = 'auth_secret'",
                "1",
            ),
        ] {
            ensure!(query(&connection, what).await? == [expected], "{what}");
        }
        let differences = sync_core::schema::check(&connection, &entity::registry()?).await?;
        ensure!(differences.is_empty(), "{differences:?}");
        // Nothing is left to do.
        migrate_together(&db)?;
        db = TestDb::new(db.backend()).await?;
    }
    Ok(())
}

async fn on_tables_with_rows_that_nobody_has_captured_yet(mut db: TestDb) -> Result<()> {
    for _ in 0..N_ROUNDS {
        let connection = db.connect().await?;
        migration::up(&connection, migration::Side::Server).await?;
        for user in ["u1", "u2"] {
            connection
                .execute_unprepared(&format!(
                    "INSERT INTO \"user\" (id, email, name, \"emailVerified\", \"createdAt\", \"updatedAt\")
                     VALUES ('{user}', '{user}@example.org', '{user}', TRUE, '2026-01-01 00:00:00+00:00', '2026-01-01 00:00:00+00:00');
                     INSERT INTO profiles (user_id, name, avatar, remote_id) VALUES ('{user}', 'One', 'x', '17'), ('{user}', 'Two', 'x', NULL)"
                ))
                .await?;
        }
        migrate_together(&db)?;
        let named = "SELECT CAST(count(DISTINCT p.remote_id) AS TEXT) FROM profiles p
                     JOIN sync_feed f ON f.remote_id = p.remote_id AND f.row_id = p.id";
        ensure!(query(&connection, named).await? == ["4"]);
        let feeds = "SELECT CAST(count(*) AS TEXT) || ' ' || CAST(max(seq) AS TEXT) FROM sync_feed GROUP BY account";
        ensure!(query(&connection, feeds).await? == ["2 2", "2 2"]);
        let waiting = "SELECT CAST(count(*) AS TEXT) FROM sync_pending";
        ensure!(query(&connection, waiting).await? == ["0"]);
        drop(connection);
        db = TestDb::new(db.backend()).await?;
    }
    Ok(())
}
