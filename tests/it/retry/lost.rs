//! What is lost on its way is sent again, and is there once.

use std::sync::Arc;

use anyhow::{Context, Result};
use sync_core::{ManualClock, protocol::PUSH_PATH};
use sync_tests::{Fault, NOON, Scene, SceneDevice, TestDb, on_both_backends, scene::USER};

async fn rt01_a_lost_answer_makes_no_second_row(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    a_family(&a).await?;
    a.net.on_push(Fault::LoseAnswer);
    assert!(a.sync().await.is_err());
    assert_eq!(a.dirty().await?.len(), 3);
    let (there, head) = (scene.account(USER).await?, scene.head().await?);
    let names = a
        .rows("SELECT remote_id FROM profiles UNION ALL SELECT remote_id FROM lists")
        .await?;

    a.sync().await?;

    assert_eq!(
        (scene.account(USER).await?, scene.head().await?),
        (there, head),
        "no second revision"
    );
    assert_eq!(
        a.rows("SELECT remote_id FROM profiles UNION ALL SELECT remote_id FROM lists")
            .await?,
        names
    );
    scene.settled(&[&a, &b]).await
}

async fn rt02_a_lost_request_is_carried_out_once(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    a_family(&a).await?;
    for fault in [Fault::LoseRequest, Fault::Offline] {
        a.net.on_push(fault);
        assert!(a.sync().await.is_err());
        assert_eq!((a.dirty().await?.len(), scene.head().await?), (3, 0));
    }
    a.sync().await?;
    assert_eq!(scene.head().await?, 3);
    scene.settled(&[&a, &b]).await
}

/// Edits and deletes of known rows, not only new rows.
async fn rt02_every_kind_of_change_survives_a_lost_push(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    for fault in [
        || Fault::LoseRequest,
        || Fault::LoseAnswer,
        || Fault::CutAnswer(40),
        || Fault::AnswerAfter(502, vec![]),
    ] {
        for change in [
            "UPDATE lists SET name = 'Best'",
            "UPDATE lists SET deleted_at = CURRENT_TIMESTAMP",
            "DELETE FROM lists",
            "DELETE FROM profiles",
            "INSERT INTO lists (profile_id, name) SELECT id, 'Second' FROM profiles",
        ] {
            a.sql("DELETE FROM profiles").await?;
            a.sync().await?;
            a_family(&a).await?;
            a.sync().await?;
            b.sync().await?;
            a.sql(change).await?;
            a.net.on_push(fault());
            assert!(a.sync().await.is_err(), "{change}");
            scene.settled(&[&a, &b]).await?;
        }
    }
    Ok(())
}

/// The answer breaks off at any byte.
/// F21: at each of its bytes.
async fn rt03_an_answer_cut_anywhere_settles_nothing(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    a_family(&a).await?;
    a.net.on_push(Fault::LoseAnswer);
    assert!(a.push().await.is_err());
    let there = scene.account(USER).await?;
    let (pending, mut bytes) = (a.pending().await?, 0);
    loop {
        a.net.on_push(Fault::CutAnswer(bytes));
        match a.push().await {
            Ok(_) => break,
            Err(error) => assert_eq!(error.word(), "not_a_sync_server", "after {bytes} bytes"),
        }
        assert_eq!(a.pending().await?, pending, "after {bytes} bytes");
        bytes += 1;
    }
    assert!(bytes > 300, "the whole answer has more than {bytes} bytes");
    a.check().await?;
    assert_eq!(scene.account(USER).await?, there);
    scene.settled(&[&a, &b]).await
}

/// The user goes on before the answer is asked for again: no conflict with oneself.
async fn rt04_an_edit_after_a_lost_answer_stands(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    a.add_profile("First").await?;
    for (number, name) in ["Second", "Third"].into_iter().enumerate() {
        a.net.on_push(Fault::LoseAnswer);
        assert!(a.sync().await.is_err());
        a.sql(&format!("UPDATE profiles SET name = '{name}'"))
            .await?;
        let report = a.sync().await?;
        assert_eq!((report.n_conflicts, report.n_rejected), (0, 0), "{number}");
        assert_eq!(scene.one("SELECT name FROM profiles").await?, name);
        a.sql("UPDATE profiles SET name = 'Between'").await?;
    }
    scene.settled(&[&a, &b]).await?;
    assert_eq!(
        a.rows("SELECT * FROM sync_conflict").await?,
        Vec::<String>::new()
    );
    assert_eq!(b.one("SELECT name FROM profiles").await?, "Between");
    Ok(())
}

/// Somebody else has edited between: their later edit is not undone by the repetition.
async fn rt04_a_repetition_does_not_beat_a_later_edit_from_elsewhere(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    a.add_profile("From A").await?;
    a.net.on_push(Fault::LoseAnswer);
    assert!(a.sync().await.is_err());
    b.sync().await?;
    b.sql("UPDATE profiles SET name = 'From B, later'").await?;
    b.sync().await?;
    a.sql("UPDATE profiles SET avatar = 'y'").await?;

    scene.settled(&[&a, &b]).await?;

    assert_eq!(
        scene.one("SELECT name FROM profiles").await?,
        "From B, later"
    );
    assert_eq!(b.one("SELECT avatar FROM profiles").await?, "y");
    Ok(())
}

async fn rt05_an_old_push_that_arrives_late_changes_nothing(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    a_family(&a).await?;
    scene.settled(&[&a, &b]).await?;
    for name in ["Once", "Twice"] {
        a.sql(&format!("UPDATE profiles SET name = '{name}'"))
            .await?;
        a.sync().await?;
    }
    b.sql("UPDATE lists SET name = 'From B'").await?;
    b.sync().await?;
    a.sql("UPDATE lists SET deleted_at = CURRENT_TIMESTAMP")
        .await?;
    scene.settled(&[&a, &b]).await?;
    let old: Vec<_> = [a.net.requests(), b.net.requests()].concat();
    let there = scene.account(USER).await?;
    for request in old.into_iter().rev() {
        let answer = a.net.deliver(request).await?;
        assert!([200, 409].contains(&answer.status().as_u16()), "{answer:?}");
        assert_eq!(scene.account(USER).await?, there);
    }
    scene.settled(&[&a, &b]).await
}

/// The first push never arrives in time; the device has long sent the next one.
async fn rt05_also_when_the_newer_push_was_the_only_one(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    a.add_profile("Old").await?;
    a.net.on_push(Fault::LoseRequest);
    assert!(a.sync().await.is_err());
    a.sql("UPDATE profiles SET name = 'New'").await?;
    a.sync().await?;
    let there = scene.account(USER).await?;

    let late = a.net.requests().remove(0);
    a.net.deliver(late).await?;

    assert_eq!(scene.account(USER).await?, there);
    scene.settled(&[&a, &b]).await?;
    assert_eq!(b.one("SELECT name FROM profiles").await?, "New");
    Ok(())
}

async fn rt06_a_push_that_arrives_twice_is_one(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (mut a, b) = scene.pair().await?;
    a.limit_rows(1, 1_000);
    a_family(&a).await?;
    for _ in 0..3 {
        a.net.on_push(Fault::Twice);
    }
    let mut rounds = 0;
    while a.sync().await.is_err() {
        rounds += 1;
        assert!(rounds < 4, "it does not get on");
    }
    assert_eq!(scene.head().await?, 3);
    scene.settled(&[&a, &b]).await
}

/// A network that doubles every request, always.
async fn rt06_also_if_every_push_does(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    a_family(&a).await?;
    for _ in 0..20 {
        a.net.on_push(Fault::Twice);
    }
    let mut rounds = 0;
    while !a.dirty().await?.is_empty() {
        let _ = a.sync().await;
        rounds += 1;
        assert!(
            rounds < 5,
            "it does not get on: {:?}",
            a.status().await?.last_error
        );
    }
    assert_eq!(scene.head().await?, 3);
    scene.settled(&[&b]).await
}

async fn rt07_a_lost_page_comes_again(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    a_family(&a).await?;
    a.sync().await?;
    for fault in [
        Fault::LoseAnswer,
        Fault::LoseRequest,
        Fault::Offline,
        Fault::AnswerAfter(504, vec![]),
    ] {
        b.net.on_pull(fault);
        assert!(b.sync().await.is_err());
        assert_eq!((b.everything().await?, b.cursor().await?), (vec![], None));
    }
    a.add_list(1, "Added meanwhile").await?;
    a.sync().await?;
    b.sync().await?;
    assert_eq!(b.rows("SELECT id FROM lists").await?.len(), 2);
    scene.settled(&[&a, &b]).await
}

/// F21: at each of its bytes.
async fn rt07_a_page_cut_anywhere_is_not_applied(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    a_family(&a).await?;
    a.sync().await?;
    b.watch_writes().await?;
    let mut bytes = 0;
    loop {
        b.net.on_pull(Fault::CutAnswer(bytes));
        match b.sync().await {
            Ok(_) => break,
            Err(error) => assert_eq!(error.word(), "not_a_sync_server", "after {bytes} bytes"),
        }
        assert_eq!(
            (b.writes().await?, b.cursor().await?),
            (vec![], None),
            "after {bytes} bytes"
        );
        bytes += 1;
    }
    assert!(bytes > 300, "the whole page has more than {bytes} bytes");
    scene.settled(&[&a, &b]).await
}

/// The clock of the device is a day behind, so that the server has to guess when its edits were made: it guesses
/// once, not again when the push comes again.
async fn rt04_an_unanswered_push_does_not_beat_what_was_made_of_it(db: TestDb) -> Result<()> {
    let scene = Scene::at_noon(db).await?;
    let clock = Arc::new(ManualClock::new(NOON - 86_400_000));
    let (a, b) = (scene.device().await?, scene.device_with(USER, clock).await?);
    a.at(
        -60_000,
        "INSERT INTO profiles (user_id, name, avatar) VALUES ('u1', 'Kids', 'x')",
    )
    .await?;
    scene.settled(&[&a, &b]).await?;
    for fault in [
        Fault::LoseAnswer,
        Fault::AnswerAfter(502, b"<html>".to_vec()),
    ] {
        b.at(-86_400_000, "UPDATE profiles SET name = 'Of B'")
            .await?;
        b.net.on_push(fault);
        assert!(b.sync().await.is_err());
        a.sync().await?;
        scene.pass(10_000);
        a.at(20_000, "UPDATE profiles SET name = name || ', and A'")
            .await?;
        scene.pass(60_000);
        a.sync().await?;
        b.sync().await?;
        scene.settled(&[&a, &b]).await?;
        assert_eq!(scene.one("SELECT name FROM profiles").await?, "Of B, and A");
    }
    Ok(())
}

/// The first of two edits is on its way all the time; the second makes the field what the server has just then.
async fn rt05_a_late_push_does_not_beat_an_edit_to_what_the_server_had(db: TestDb) -> Result<()> {
    let scene = Scene::at_noon(db).await?;
    let (a, b) = scene.pair().await?;
    let insert = "INSERT INTO profiles (user_id, name, avatar) VALUES ('u1', 'Kids', 'x')";
    a.at(-60_000, insert).await?;
    scene.settled(&[&a, &b]).await?;
    a.net.forget();
    b.at(-40_000, "UPDATE profiles SET name = 'Of B'").await?;
    b.sync().await?;
    a.at(-30_000, "UPDATE profiles SET name = 'Of A'").await?;
    a.net.on_push(Fault::LoseRequest);
    assert!(a.sync().await.is_err());
    a.at(-20_000, "UPDATE profiles SET name = 'Of B', avatar = 'y'")
        .await?;
    a.pull().await?;
    scene.pass(60_000);
    let mut sent = a.net.requests().into_iter();
    let late = sent.find(|request| request.uri().path() == PUSH_PATH);
    a.net.deliver(late.context("a push")?).await?;
    scene.settled(&[&a, &b]).await?;
    assert_eq!(scene.one("SELECT name FROM profiles").await?, "Of B");
    Ok(())
}

/// A profile with a list with an item.
async fn a_family(device: &SceneDevice) -> Result<()> {
    let profile = device.add_profile("Kids").await?;
    let list = device.add_list(profile, "Favorites").await?;
    device.add_item(list, "tt1").await?;
    Ok(())
}

on_both_backends!(
    rt01_a_lost_answer_makes_no_second_row,
    rt02_a_lost_request_is_carried_out_once,
    rt02_every_kind_of_change_survives_a_lost_push,
    rt03_an_answer_cut_anywhere_settles_nothing,
    rt04_an_edit_after_a_lost_answer_stands,
    rt04_an_unanswered_push_does_not_beat_what_was_made_of_it,
    rt04_a_repetition_does_not_beat_a_later_edit_from_elsewhere,
    rt05_an_old_push_that_arrives_late_changes_nothing,
    rt05_also_when_the_newer_push_was_the_only_one,
    rt05_a_late_push_does_not_beat_an_edit_to_what_the_server_had,
    rt06_a_push_that_arrives_twice_is_one,
    rt07_a_lost_page_comes_again,
    rt07_a_page_cut_anywhere_is_not_applied,
);

on_both_backends!(rt06_also_if_every_push_does);
