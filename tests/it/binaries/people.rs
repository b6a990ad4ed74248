//! `explain`, `discard`, `retry` and `doctor` as people and scripts run them.

use anyhow::{Result, ensure};
use sea_orm::ConnectionTrait;
use sync_tests::{TestDb, on_both_backends, programs::DeviceFile};

use super::{all_agree, code, device, serve};

on_both_backends!(what_looks_wrong_is_explained_and_put_right);

async fn what_looks_wrong_is_explained_and_put_right(db: TestDb) -> Result<()> {
    let server = serve(&db)?;
    let (a, b) = (device(&server.url())?, device(&server.url())?);
    a.sql(
        "INSERT INTO profiles (user_id, name, avatar) SELECT id, 'Zoë', 'z' FROM user;
           INSERT INTO lists (profile_id, name) VALUES (1, 'One'), (1, 'Two')",
    )?;
    a.sync()?;
    b.sync()?;
    explained(&a)?;
    given_up(&a)?;
    b.sync()?;
    looked_over(&a, &db).await?;
    let gone = db.connect().await?;
    gone.execute_unprepared("DELETE FROM sync_device").await?;
    let told = a.zentrio(&["doctor", "--json"])?.with_code(3)?.json()?;
    ensure!(
        told["server_error"] == "unauthorized" && told["is_sound"] == true,
        "{told}"
    );
    for device in [&a, &b] {
        device
            .connect(&server.url(), super::EMAIL, super::PASSWORD)?
            .with_code(0)?;
    }
    all_agree(&db, &[&a, &b]).await?;
    server.stop()?;
    let told = a.zentrio(&["doctor", "--json"])?.with_code(4)?.json()?;
    ensure!(told["server_error"] == "offline", "{told}");
    let told = a
        .zentrio(&["explain", "lists", "1", "--json"])?
        .with_code(0)?
        .json()?;
    ensure!(
        told["server_error"] == "offline" && told["here"] == "live",
        "{told}"
    );
    a.zentrio(&["discard", "lists", "1", "--json"])?
        .with_code(0)?;
    Ok(())
}

fn explained(a: &DeviceFile) -> Result<()> {
    a.sql("UPDATE lists SET name = 'Renamed' WHERE id = 1")?;
    let row = a
        .zentrio(&["explain", "lists", "1", "--json"])?
        .with_code(0)?
        .json()?;
    let registers = row["registers"].as_array().cloned().unwrap_or_default();
    let name = registers
        .iter()
        .find(|register| register["register"] == "name")
        .cloned()
        .unwrap_or_default();
    ensure!(
        name["here"]["name"] == "Renamed" && name["server"]["name"] == "One",
        "{row}"
    );
    ensure!(
        name["pending"]["before"] == "'One'" && name["outlook"] == "wins",
        "{row}"
    );
    ensure!(
        name["set"]["this_device"] == true && name["set"]["device_name"].is_string(),
        "{row}"
    );
    let remote_id = row["remote_id"].as_str().unwrap_or_default().to_owned();
    let by_name = a
        .zentrio(&["explain", "lists", &remote_id, "--json"])?
        .with_code(0)?
        .json()?;
    ensure!(by_name == row, "{by_name}");
    let text = a.zentrio(&["explain", "lists", "1"])?.with_code(0)?.stdout;
    for word in [
        "\"Renamed\"",
        "\"One\"",
        "this device",
        "was 'One'; will stand",
    ] {
        ensure!(text.contains(word), "{word}: {text}");
    }
    for (args, expected) in [
        (["explain", "lists", "99", "--json"], "unknown_row"),
        (["explain", "lists", "one", "--json"], "bad_row_id"),
        (["explain", "user", "1", "--json"], "unknown_table"),
        (["discard", "lists", "99", "--json"], "unknown_row"),
        (["retry", "lists", "99", "--json"], "unknown_row"),
    ] {
        let refused = a.zentrio(&args)?.with_code(2)?.json()?;
        ensure!(code(&refused) == expected, "{args:?}: {refused}");
    }
    a.zentrio(&["retry", "lists", "--json"])?.with_code(2)?;
    Ok(())
}

fn given_up(a: &DeviceFile) -> Result<()> {
    let done = a
        .zentrio(&["discard", "lists", "1", "--json"])?
        .with_code(0)?
        .json()?;
    ensure!(done["outcome"] == "taken_back", "{done}");
    ensure!(a.sql("SELECT name FROM lists WHERE id = 1")? == "One");

    a.sql("INSERT INTO profiles (user_id, name, avatar) SELECT id, 'Big', hex(zeroblob(1000000)) FROM user")?;
    let refused = a
        .zentrio(&["discard", "profiles", "2", "--json"])?
        .with_code(2)?
        .json()?;
    ensure!(code(&refused) == "unconfirmed", "{refused}");
    a.zentrio(&["sync", "--json"])?.with_code(6)?;
    let status = a.status()?;
    let rejected = &status["rejected"][0];
    ensure!(
        rejected["code"] == "row_too_large" && rejected["since_ms"].is_i64(),
        "{status}"
    );
    let tried = a.zentrio(&["retry", "--json"])?.with_code(6)?.json()?;
    ensure!(tried["n_tried"] == 1 && tried["n_taken"] == 0, "{tried}");
    ensure!(a.status()?["rejected"][0]["since_ms"] == rejected["since_ms"]);
    let done = a
        .zentrio(&["discard", "profiles", "2", "--json"])?
        .with_code(0)?
        .json()?;
    ensure!(
        done["outcome"] == "removed" && done["n_removed"] == 1,
        "{done}"
    );
    let tried = a.zentrio(&["retry", "--json"])?.with_code(0)?.json()?;
    ensure!(tried["n_tried"] == 0, "{tried}");
    Ok(())
}

async fn looked_over(a: &DeviceFile, db: &TestDb) -> Result<()> {
    let sound = a.zentrio(&["doctor", "--json"])?.with_code(0)?.json()?;
    ensure!(
        sound["is_sound"] == true && sound["n_findings"] == 0,
        "{sound}"
    );
    a.sql("UPDATE sync_guard SET applying = 1; UPDATE lists SET name = 'damaged' WHERE id = 2; UPDATE sync_guard SET applying = 0")?;
    let checked = a
        .zentrio(&["doctor", "--check", "--json"])?
        .with_code(9)?
        .json()?;
    let finding = &checked["findings"][0];
    ensure!(
        finding["kind"] == "differs" && finding["row_id"] == 2 && finding["mended"] == false,
        "{checked}"
    );
    let text = a.zentrio(&["doctor"])?.with_code(0)?.stdout;
    ensure!(
        text.contains("1 thing put right:\n  lists 2 is not the same at the server (name)"),
        "{text}"
    );
    ensure!(a.sql("SELECT name FROM lists WHERE id = 2")? == "Two");
    let rows = db.connect().await?;
    ensure!(super::number(&rows, "SELECT count(*) FROM lists WHERE name = 'damaged'").await? == 0);
    let all = a.zentrio(&["doctor"])?.with_code(0)?.stdout;
    ensure!(all.contains("All is in order."), "{all}");
    Ok(())
}
