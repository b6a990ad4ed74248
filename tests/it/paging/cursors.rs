//! Cursors that are missing, old, or nobody's.

use anyhow::Result;
use sync_tests::{Scene, TestDb, on_both_backends};

use super::{names, page};

on_both_backends!(
    pg08_no_cursor_and_zero_give_the_same_page,
    pg06_a_cursor_that_nobody_gave_is_refused,
    pg06_an_old_cursor_goes_on_from_there,
    pg07_a_limit_that_is_none,
);

async fn pg08_no_cursor_and_zero_give_the_same_page(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let a = scene.device().await?;
    let profile = a.add_profile("Anna").await?;
    a.add_list(profile, "Mine").await?;
    a.sync().await?;
    let all = page(&scene, None, 10).await?;
    for cursor in ["0", ""] {
        let same = page(&scene, Some(cursor), 10).await?;
        assert_eq!(
            (names(&same)?, &same.cursor),
            (names(&all)?, &all.cursor),
            "{cursor:?}"
        );
    }
    Ok(())
}

/// With a stable code, and never a server error.
async fn pg06_a_cursor_that_nobody_gave_is_refused(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let a = scene.device().await?;
    a.add_profile("Anna").await?;
    a.sync().await?;
    let good = page(&scene, None, 10).await?.cursor;
    let long = "9".repeat(5_000);
    let other_life = good.replacen(|c: char| c.is_ascii_hexdigit(), "0", 4);
    for cursor in [
        "-1",
        "1",
        "x",
        "..",
        "0.0",
        "\u{0}",
        "' OR 1=1 --",
        "9223372036854775808",
        &long,
        &other_life,
        &format!("{good}0"),
        &good[..good.len() - 1],
    ] {
        let refused = page(&scene, Some(cursor), 10).await;
        match refused {
            Err(error) => assert!(
                (400..500).contains(&error.code().status()),
                "{cursor:?}: {error}"
            ),
            Ok(page) => assert_eq!(
                names(&page)?,
                Vec::<String>::new(),
                "{cursor:?} is taken for a place"
            ),
        }
    }
    Ok(())
}

/// A cursor of any page may be used again, at any time: what changed since comes, in whatever page it was.
async fn pg06_an_old_cursor_goes_on_from_there(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let a = scene.device().await?;
    for number in 0..4 {
        a.add_profile(&format!("P{number}")).await?;
    }
    a.sync().await?;
    let first = page(&scene, None, 2).await?;
    let rest = names(&page(&scene, Some(&first.cursor), 10).await?)?;
    assert_eq!(rest.len(), 2);
    a.sql("UPDATE profiles SET name = 'New' WHERE name IN ('P0', 'P2')")
        .await?;
    a.sync().await?;
    for _ in 0..2 {
        let again = names(&page(&scene, Some(&first.cursor), 10).await?)?;
        assert_eq!(again.len(), 3, "P3, and both that changed: {again:?}");
    }
    Ok(())
}

async fn pg07_a_limit_that_is_none(db: TestDb) -> Result<()> {
    let scene = Scene::new(db).await?;
    let a = scene.device().await?;
    a.add_profile("Anna").await?;
    a.sync().await?;
    let refused = page(&scene, None, 0).await;
    assert!(refused.is_err_and(|error| error.code().status() == 400));
    assert_eq!(
        names(&page(&scene, None, u32::MAX).await?)?.len(),
        1,
        "more than the most is the most"
    );
    Ok(())
}
