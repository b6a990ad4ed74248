//! One row explained: values on both ends, who set them, what waits, and which rule decides.

use anyhow::{Context, Result};
use serde_json::{Value, json};
use sync_core::{
    SyncError,
    device::{Explanation, Outlook, RegisterNow, RowId, RowState},
    protocol::SetBy,
};
use sync_tests::{Fault, Scene, SceneDevice, TestDb, on_both_backends};

use super::{here, name_of};

async fn each_register_tells_who_set_it_and_when(db: TestDb) -> Result<()> {
    let (scene, a, b) = world(db).await?;
    b.sql("UPDATE lists SET name = 'Renamed' WHERE name = 'One'")
        .await?;
    scene.settled(&[&b, &a]).await?;

    let row = explain(&a, "lists", here(1)).await?;

    assert_eq!((row.here, row.row_id), (RowState::Live, Some(1)));
    assert_eq!(row.remote_id, Some(name_of(&a, "lists", 1).await?));
    let name = register(&row, "name");
    assert_eq!((name.same, name.rule.as_str()), (Some(true), "latest"));
    assert_eq!(name.here, json!({"name": "Renamed"}).as_object().cloned());
    let set = name.set.as_ref().context("the server knows")?;
    assert_eq!(
        (set.by, set.device, set.this_device),
        (SetBy::Device, Some(b.number), false)
    );
    assert!(set.at_ms > 0);
    let created = register(&row, "created_at");
    assert_eq!(created.rule, "min");
    assert!(
        created.set.as_ref().is_some_and(|set| set.this_device),
        "{created:?}"
    );
    assert!(register(&row, "profile_id").pending.is_none());
    assert_eq!(row.server_error, None);
    Ok(())
}

async fn a_pending_edit_tells_what_it_was_and_what_will_become_of_it(db: TestDb) -> Result<()> {
    let (_scene, a, b) = world(db).await?;
    a.sql("UPDATE lists SET name = 'Early' WHERE id = 1")
        .await?;
    b.sql("UPDATE lists SET name = 'Late' WHERE name = 'One'")
        .await?;
    b.sync().await?;
    let row = explain(&a, "lists", here(1)).await?;
    let name = register(&row, "name");
    assert_eq!(name.same, Some(false));
    assert_eq!(name.server, json!({"name": "Late"}).as_object().cloned());
    let pending = name.pending.as_ref().context("it waits")?;
    assert_eq!((pending.n_edits, pending.whole), (1, false));
    assert_eq!(pending.before.as_deref(), Some("'One'"));
    let at = name.set.as_ref().context("set")?.at_ms;
    let expected = match pending.edited_ms.cmp(&at) {
        std::cmp::Ordering::Less => Outlook::GivesWay,
        std::cmp::Ordering::Equal => Outlook::Tie,
        std::cmp::Ordering::Greater => Outlook::Wins,
    };
    assert_eq!(name.outlook, Some(expected));

    a.sync().await?;
    let row = explain(&a, "lists", here(1)).await?;
    if expected == Outlook::GivesWay {
        assert_eq!(row.gave_way.len(), 1, "{row:?}");
        assert_eq!(row.gave_way[0].local.as_deref(), Some(r#"["Early"]"#));
        assert_eq!(row.gave_way[0].remote.as_deref(), Some(r#"["Late"]"#));
    }
    assert_eq!(register(&row, "name").same, Some(true));
    Ok(())
}

async fn a_group_is_told_as_one(db: TestDb) -> Result<()> {
    let (scene, a, b) = world(db).await?;
    a.sql("INSERT INTO watch_history (profile_id, meta_id, meta_type, position, duration) VALUES (1, 'tt1', 'movie', 5, 9)").await?;
    scene.settled(&[&a, &b]).await?;
    a.sql("UPDATE watch_history SET position = 7").await?;
    let row = explain(&a, "watch_history", here(1)).await?;
    let progress = register(&row, "progress");
    assert!(progress.is_group && progress.pending.is_some());
    let value = |side: &Option<serde_json::Map<String, Value>>| {
        side.as_ref().map(|value| value["position"].clone())
    };
    assert_eq!(
        (value(&progress.here), value(&progress.server)),
        (Some(json!(7)), Some(json!(5)))
    );
    assert_eq!(progress.outlook, Some(Outlook::Wins));
    Ok(())
}

async fn a_flag_that_went_elsewhere_names_where(db: TestDb) -> Result<()> {
    let (scene, a, b) = world(db).await?;
    a.sql("UPDATE lists SET is_default = 1 WHERE id = 1")
        .await?;
    scene.settled(&[&a, &b]).await?;
    b.sql("UPDATE lists SET is_default = 1 WHERE name = 'Two'")
        .await?;
    scene.settled(&[&b, &a]).await?;
    let row = explain(&a, "lists", here(1)).await?;
    let set = register(&row, "is_default").set.as_ref().context("set")?;
    assert_eq!(set.by, SetBy::ExclusiveCleared);
    assert_eq!(set.because_of, Some(name_of(&a, "lists", 2).await?));
    let winner = explain(&a, "lists", here(2)).await?;
    let set = register(&winner, "is_default")
        .set
        .as_ref()
        .context("set")?;
    assert_eq!((set.by, set.device), (SetBy::Device, Some(b.number)));
    Ok(())
}

async fn a_row_that_went_with_its_parent_names_it(db: TestDb) -> Result<()> {
    let (scene, a, b) = world(db).await?;
    b.add_item(1, "tt2").await?;
    a.sql("UPDATE lists SET deleted_at = CURRENT_TIMESTAMP WHERE id = 1")
        .await?;
    a.sync().await?;
    scene.settled(&[&b, &a]).await?;
    let item = b
        .one("SELECT id FROM list_items WHERE meta_id = 'tt2'")
        .await?
        .parse()?;
    let row = explain(&b, "list_items", here(item)).await?;
    assert_eq!(row.here, RowState::Deleted);
    let set = register(&row, "deleted_at").set.as_ref().context("set")?;
    assert_eq!(set.by, SetBy::ParentDeleted, "{set:?}");
    assert_eq!(set.because_of, Some(name_of(&a, "lists", 1).await?));
    Ok(())
}

async fn an_edit_in_the_servers_own_database_is_the_servers(db: TestDb) -> Result<()> {
    let (scene, a, _b) = world(db).await?;
    let edit = "UPDATE lists SET name = 'Edited there' WHERE name = 'One'";
    sea_orm::ConnectionTrait::execute_unprepared(&scene.server.db, edit).await?;
    let row = explain(&a, "lists", here(1)).await?;
    let name = register(&row, "name");
    assert_eq!(
        name.set.as_ref().map(|set| (set.by, set.device)),
        Some((SetBy::Server, None))
    );
    assert_eq!(name.same, Some(false), "it has not been pulled yet");
    Ok(())
}

async fn another_name_of_a_row_leads_to_it(db: TestDb) -> Result<()> {
    let (scene, a, b) = world(db).await?;
    a.add_list(1, "Same").await?;
    b.add_list(1, "Same").await?;
    a.sync().await?;
    b.net.on_push(Fault::LoseAnswer);
    assert!(b.push().await.is_err());
    let (winner, alias) = (
        name_of(&a, "lists", 3).await?,
        name_of(&b, "lists", 3).await?,
    );
    let row = explain(&b, "lists", here(3)).await?;
    let server = row.server.as_ref().context("the server knows it")?;
    assert!(server.is_alias);
    assert_eq!(
        (&server.remote_id, &server.aliases),
        (&winner, &vec![alias.clone()])
    );
    scene.settled(&[&a, &b]).await?;
    // Long after, by the name that lost.
    let row = explain(&a, "lists", RowId::Name(alias)).await?;
    assert_eq!(row.here, RowState::Absent);
    assert_eq!(row.server.map(|server| server.remote_id), Some(winner));
    Ok(())
}

async fn without_the_server_the_device_tells_what_it_knows(db: TestDb) -> Result<()> {
    let (_scene, a, _b) = world(db).await?;
    a.sql("UPDATE lists SET name = 'Mine' WHERE id = 1").await?;
    a.net.on_pull(Fault::Offline);
    let row = explain(&a, "lists", here(1)).await?;
    assert_eq!(
        (row.server.is_none(), row.server_error.as_deref()),
        (true, Some("offline"))
    );
    let name = register(&row, "name");
    assert!(name.pending.is_some() && name.outlook.is_none() && name.set.is_none());
    let row = a.device.device.explain(None, "lists", &here(1)).await?;
    assert_eq!(row.server_error.as_deref(), Some("not_asked"));

    let list = a.add_list(1, "New").await?;
    let row = explain(&a, "lists", here(list)).await?;
    assert_eq!(
        (row.remote_id, row.server_error.as_deref()),
        (None, Some("never_sent"))
    );
    Ok(())
}

async fn refused_and_deleted_rows_say_so(db: TestDb) -> Result<()> {
    let (scene, a, _b) = world(db).await?;
    scene.refuse_name("lists", "bad").await?;
    a.sql("UPDATE lists SET name = 'bad' WHERE id = 1; DELETE FROM list_items WHERE id = 1")
        .await?;
    a.push().await?;
    let row = explain(&a, "lists", here(1)).await?;
    assert_eq!(
        row.rejected.map(|row| row.code).as_deref(),
        Some("constraint")
    );
    a.sql("DELETE FROM list_items WHERE id = 2").await?;
    let row = explain(&a, "list_items", here(2)).await?;
    assert_eq!(row.here, RowState::Gone);
    assert!(
        row.deleted_ms.is_some() && row.server.is_some_and(|server| server.deleted_ms.is_none())
    );
    Ok(())
}

async fn what_is_nowhere_is_unknown(db: TestDb) -> Result<()> {
    let (scene, a, _b) = world(db).await?;
    scene.server.add_user("u2").await?;
    let stranger = scene.device_of("u2").await?;
    stranger
        .sql("INSERT INTO profiles (user_id, name, avatar) VALUES ('u2', 'Theirs', 'x')")
        .await?;
    stranger.sync().await?;
    let theirs = RowId::Name(name_of(&stranger, "profiles", 1).await?);
    let nobodys = RowId::Name("0190a6e0-0000-7000-8000-0000000000ff".to_owned());
    for (table, id, expected) in [
        ("profiles", theirs, "unknown_row"),
        ("profiles", nobodys, "unknown_row"),
        ("profiles", here(99), "unknown_row"),
        ("user", here(1), "unknown_table"),
        ("lists\"; DROP TABLE lists; --", here(1), "unknown_table"),
    ] {
        let error = explain(&a, table, id).await.err().context("unknown")?;
        assert_eq!(
            error.downcast_ref::<SyncError>().map(SyncError::word),
            Some(expected)
        );
    }
    Ok(())
}

async fn world(db: TestDb) -> Result<(Scene, SceneDevice, SceneDevice)> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    let profile = a.add_profile("Kids").await?;
    for name in ["One", "Two"] {
        let list = a.add_list(profile, name).await?;
        a.add_item(list, "tt1").await?;
    }
    scene.settled(&[&a, &b]).await?;
    Ok((scene, a, b))
}

async fn explain(device: &SceneDevice, table: &str, id: RowId) -> Result<Explanation> {
    let engine = &device.device.device;
    Ok(engine.explain(Some(&*device.net), table, &id).await?)
}

fn register<'a>(row: &'a Explanation, name: &str) -> &'a RegisterNow {
    let mut registers = row.registers.iter();
    let found = registers.find(|register| register.register == name);
    found.unwrap_or_else(|| panic!("no register {name}: {row:?}"))
}

on_both_backends!(
    each_register_tells_who_set_it_and_when,
    a_pending_edit_tells_what_it_was_and_what_will_become_of_it,
    a_group_is_told_as_one,
    a_flag_that_went_elsewhere_names_where,
    a_row_that_went_with_its_parent_names_it,
    an_edit_in_the_servers_own_database_is_the_servers,
    another_name_of_a_row_leads_to_it,
    without_the_server_the_device_tells_what_it_knows,
    refused_and_deleted_rows_say_so,
    what_is_nowhere_is_unknown,
);
