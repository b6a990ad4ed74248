//! Two devices edit the same field: the later edit stays, whoever syncs first.

use anyhow::Result;
use sync_tests::{TestDb, on_both_backends, scene_time::sync_in};

use super::family;

on_both_backends!(
    cf10_the_later_edit_stays_in_either_order,
    cf11_each_field_is_decided_alone,
    cf12_emptied_here_and_changed_there,
    cf13_the_same_change_on_both_is_no_conflict,
    cf30_the_edit_that_stays_reaches_all,
    ck04_edits_of_one_millisecond_end_alike_in_every_order,
);

/// A's value with its time, B's, and what stays.
type Case = (&'static str, i64, &'static str, i64, &'static str);

async fn ends_as(db: &TestDb, column: &str, case: Case) -> Result<()> {
    let (of_a, a_at, of_b, b_at, expected) = case;
    for order in [[0, 1, 0], [1, 0, 1]] {
        let (scene, [a, b, c]) = family(TestDb::new(db.backend()).await?).await?;
        a.at(a_at, &format!("UPDATE profiles SET {column} = {of_a}"))
            .await?;
        b.at(b_at, &format!("UPDATE profiles SET {column} = {of_b}"))
            .await?;
        sync_in(&order, &[&a, &b]).await?;
        scene.settled(&[&a, &b, &c]).await?;
        let there = format!("SELECT coalesce({column}, 'NULL') FROM profiles");
        assert_eq!(
            scene.one(&there).await?,
            expected,
            "{case:?} synced {order:?}"
        );
    }
    Ok(())
}

async fn cf10_the_later_edit_stays_in_either_order(db: TestDb) -> Result<()> {
    for column in ["name", "avatar"] {
        ends_as(&db, column, ("'Y'", -2_000, "'Z'", -1_000, "Z")).await?;
        ends_as(&db, column, ("'Z'", -1_000, "'Y'", -2_000, "Z")).await?;
    }
    Ok(())
}

async fn ck04_edits_of_one_millisecond_end_alike_in_every_order(db: TestDb) -> Result<()> {
    ends_as(&db, "name", ("'Y'", -1_000, "'Z'", -1_000, "Z")).await?;
    ends_as(&db, "name", ("'Z'", -1_000, "'Y'", -1_000, "Z")).await
}

async fn cf12_emptied_here_and_changed_there(db: TestDb) -> Result<()> {
    ends_as(&db, "avatar_style", ("NULL", -2_000, "'Z'", -1_000, "Z")).await?;
    ends_as(&db, "avatar_style", ("NULL", -1_000, "'Z'", -2_000, "NULL")).await?;
    ends_as(&db, "avatar_style", ("''", -1_000, "'Z'", -2_000, "")).await
}

/// Two fields, of which A has one later and B the other.
async fn cf11_each_field_is_decided_alone(db: TestDb) -> Result<()> {
    for order in [[0, 1, 0], [1, 0, 1]] {
        let (scene, [a, b, c]) = family(TestDb::new(db.backend()).await?).await?;
        a.at(-4_000, "UPDATE profiles SET name = 'A'").await?;
        b.at(-3_000, "UPDATE profiles SET avatar = 'B'").await?;
        b.at(-2_000, "UPDATE profiles SET name = 'B'").await?;
        a.at(-1_000, "UPDATE profiles SET avatar = 'A'").await?;
        sync_in(&order, &[&a, &b]).await?;
        scene.settled(&[&a, &b, &c]).await?;
        assert_eq!(
            scene.one("SELECT name || avatar FROM profiles").await?,
            "BA"
        );
    }
    Ok(())
}

async fn cf13_the_same_change_on_both_is_no_conflict(db: TestDb) -> Result<()> {
    let (scene, [a, b, c]) = family(db).await?;
    a.at(-2_000, "UPDATE profiles SET name = 'Same'").await?;
    b.at(-1_000, "UPDATE profiles SET name = 'Same'").await?;
    let reports = [a.sync().await?, b.sync().await?, a.sync().await?];
    assert!(
        reports.iter().all(|report| report.n_conflicts == 0),
        "{reports:?}"
    );
    scene.settled(&[&a, &b, &c]).await?;
    // B's was the later: an edit of C between the two must not come through.
    c.at(-1_500, "UPDATE profiles SET name = 'Between'").await?;
    scene.settled(&[&c, &a, &b]).await?;
    assert_eq!(
        scene.one("SELECT name FROM profiles").await?,
        "Between",
        "C had seen both"
    );
    Ok(())
}

/// A's edit is the later and B's arrives first: S changes, B follows.
async fn cf30_the_edit_that_stays_reaches_all(db: TestDb) -> Result<()> {
    let (scene, [a, b, c]) = family(db).await?;
    b.at(-2_000, "UPDATE lists SET name = 'B'").await?;
    a.at(-1_000, "UPDATE lists SET name = 'A'").await?;
    b.sync().await?;
    let report = a.sync().await?;
    assert_eq!(
        (report.n_pushed, report.n_conflicts),
        (1, 0),
        "A's edit was not beaten"
    );
    assert_eq!(scene.one("SELECT name FROM lists").await?, "A");
    b.sync().await?;
    assert_eq!(b.one("SELECT name FROM lists").await?, "A");
    scene.settled(&[&a, &b, &c]).await
}
