//! F21 F22: an answer that ends at any of its bytes is no answer; what it told is told again.

use anyhow::{Result, ensure};
use sync_tests::{Fault, Scene, SceneDevice, TestDb, on_both_backends};

on_both_backends!(
    f21_a_pushs_answer_that_ends_at_any_byte,
    f21_a_pulls_answer_that_ends_at_any_byte,
);

/// More bytes than any answer here has.
const MOST: usize = 5_000;

async fn pair(scene: &Scene) -> Result<(SceneDevice, SceneDevice)> {
    let (a, b) = scene.pair().await?;
    a.add_profile("0").await?;
    scene.settled(&[&a, &b]).await?;
    Ok((a, b))
}

async fn f21_a_pushs_answer_that_ends_at_any_byte(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = pair(&scene).await?;
    for at in 0..MOST {
        let head = scene.head().await?;
        a.sql(&format!("UPDATE profiles SET name = 'cut at {at}'"))
            .await?;
        a.net.on_push(Fault::CutAnswer(at));
        let whole = a.push().await.is_ok();
        let pending = a.pending().await?;
        ensure!(
            whole == pending.is_empty(),
            "cut at {at}, {pending:?} is pending"
        );
        a.push().await?;
        ensure!(a.pending().await?.is_empty(), "cut at {at}");
        // It was taken once, whatever became of the answer.
        ensure!(scene.head().await? == head + 1, "cut at {at}");
        let name = scene.one("SELECT name FROM profiles").await?;
        ensure!(name == format!("cut at {at}"), "cut at {at}: {name}");
        if whole {
            return scene.settled(&[&a, &b]).await;
        }
    }
    anyhow::bail!("no answer was whole")
}

async fn f21_a_pulls_answer_that_ends_at_any_byte(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = pair(&scene).await?;
    for at in 0..MOST {
        a.sql(&format!("UPDATE profiles SET name = 'cut at {at}'"))
            .await?;
        a.push().await?;
        let (cursor, before) = (b.cursor().await?, b.one("SELECT name FROM profiles").await?);
        b.net.on_pull(Fault::CutAnswer(at));
        let whole = b.pull().await.is_ok();
        if !whole {
            ensure!(b.cursor().await? == cursor, "cut at {at}: the cursor moved");
            let name = b.one("SELECT name FROM profiles").await?;
            ensure!(name == before, "cut at {at}: half a page was written");
        }
        b.pull().await?;
        let name = b.one("SELECT name FROM profiles").await?;
        ensure!(name == format!("cut at {at}"), "cut at {at}: {name}");
        if whole {
            return scene.settled(&[&a, &b]).await;
        }
    }
    anyhow::bail!("no answer was whole")
}
