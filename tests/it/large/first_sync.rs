//! A database that is full when it is connected, and one that is empty while the account is full.

use anyhow::Result;
use sync_tests::{Fault, Scene, TestDb, on_both_backends};

use super::watch;

on_both_backends!(
    lg01_five_thousand_rows_come_and_go_in_bounded_steps,
    lg02_what_was_answered_before_a_failure_is_done,
);

const N: u32 = 5_000;

/// LG01: no request holds more than its share, whatever the whole is; it goes on where it stopped.
async fn lg01_five_thousand_rows_come_and_go_in_bounded_steps(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    a.add_profile("Anna").await?;
    watch(&a, N).await?;
    let report = a.sync().await?;
    assert_eq!(report.n_pushed, u64::from(N) + 1);
    let pushes = a.net.requests();
    assert!(pushes.iter().all(|push| push.body().len() < 1 << 20));
    assert_eq!(a.net.pushes().len(), 6, "a thousand rows each");

    b.net
        .plan_pulls([Fault::None, Fault::None, Fault::LoseAnswer]);
    assert!(b.sync().await.is_err());
    let n: u32 = b.one("SELECT count(*) FROM watch_history").await?.parse()?;
    assert!((1_000..3_000).contains(&n), "{n} after two pages");
    b.net.forget();
    b.sync().await?;
    assert_eq!(b.net.pulls().len(), 4, "it did not begin again");
    scene.settled(&[&a, &b]).await
}

async fn lg02_what_was_answered_before_a_failure_is_done(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let (a, b) = scene.pair().await?;
    a.add_profile("Anna").await?;
    watch(&a, N).await?;
    let mut dirty = N as usize + 1;
    for fault in [
        Fault::LoseRequest,
        Fault::LoseAnswer,
        Fault::AnswerInstead(503, vec![]),
    ] {
        a.net.on_push(Fault::None);
        a.net.on_push(fault);
        assert!(a.sync().await.is_err());
        dirty -= 1_000;
        assert_eq!(a.dirty().await?.len(), dirty);
    }
    scene.settled(&[&a, &b]).await?;
    assert_eq!(
        scene.one("SELECT count(*) FROM watch_history").await?,
        N.to_string()
    );
    Ok(())
}
