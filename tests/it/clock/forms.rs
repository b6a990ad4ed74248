//! Times are instants, whatever form a program writes them in.

use anyhow::Result;
use sync_tests::{TestDb, on_both_backends};

use crate::conflict::family;

on_both_backends!(
    ck07_every_form_of_a_time_is_the_same_instant,
    ck07_the_earliest_is_told_by_the_instant,
    ck07_forms_of_the_time_of_an_edit,
);

/// One instant in the forms that SQLite programs write.
const ONE_INSTANT: [&str; 9] = [
    "2026-01-01 00:00:00",
    "2026-01-01T00:00:00Z",
    "2026-01-01T00:00:00.000Z",
    "2026-01-01T02:00:00+02:00",
    "2025-12-31T19:00:00.000-05:00",
    "2026-01-01 00:00:00.000000",
    "2026-01-01 00:00:00+00:00",
    "2026-01-01T00:00:00.0000004Z",
    "2026-01-01 05:30:00 +05:30",
];

const SAME: &str = "CAST(round(julianday({c}) * 86400000) AS INTEGER) = CAST(round(julianday('2026-01-01') * 86400000) AS INTEGER)";

async fn ck07_every_form_of_a_time_is_the_same_instant(db: TestDb) -> Result<()> {
    let (scene, [a, b, c]) = family(db).await?;
    for (number, form) in (0_i64..).zip(ONE_INSTANT) {
        a.at(
            number * 2_000 - 100_000,
            "UPDATE watch_history SET watched_at = '2020-02-02 02:02:02'",
        )
        .await?;
        scene.settled(&[&a, &b, &c]).await?;
        a.at(
            number * 2_000 - 99_000,
            &format!("UPDATE watch_history SET watched_at = '{form}'"),
        )
        .await?;
        scene.settled(&[&a, &b, &c]).await?;
        for device in [&a, &b, &c] {
            let same = format!(
                "SELECT {} FROM watch_history",
                SAME.replace("{c}", "watched_at")
            );
            assert_eq!(device.one(&same).await?, "1", "{form:?}");
        }
        // The same instant in another form is no change for anybody.
        let head = scene.head().await?;
        for other in ONE_INSTANT {
            b.at(
                number * 2_000 - 98_500,
                &format!("UPDATE watch_history SET watched_at = '{other}'"),
            )
            .await?;
            b.sync().await?;
        }
        assert_eq!(scene.head().await?, head, "{form:?}");
    }
    Ok(())
}

/// As text, the last of these comes first.
async fn ck07_the_earliest_is_told_by_the_instant(db: TestDb) -> Result<()> {
    for b_first in [true, false] {
        let (scene, [a, b, c]) = family(TestDb::new(db.backend()).await?).await?;
        let forms = [
            "2026-01-01T10:00:00+09:00",
            "2026-01-01 00:00:00",
            "2025-12-31T23:30:00-02:00",
        ];
        for (device, form) in [&a, &b, &c].into_iter().zip(forms) {
            device
                .at(-1_000, &format!("UPDATE lists SET created_at = '{form}'"))
                .await?;
        }
        let order = if b_first { [&b, &a, &c] } else { [&c, &a, &b] };
        for device in order {
            device.sync().await?;
        }
        scene.settled(&[&a, &b, &c]).await?;
        for device in [&a, &b, &c] {
            let same = format!("SELECT {} FROM lists", SAME.replace("{c}", "created_at"));
            assert_eq!(device.one(&same).await?, "1");
        }
    }
    Ok(())
}

/// `updated_at` and `deleted_at` as other programs write them: the edit after it is later, and a deletion
/// in one form takes the children along and brings them back in another.
async fn ck07_forms_of_the_time_of_an_edit(db: TestDb) -> Result<()> {
    let (scene, [a, b, c]) = family(db).await?;
    for (number, form) in (0_i64..).zip(ONE_INSTANT) {
        let at = number * 10_000 - 200_000;
        a.at(
            at,
            &format!("UPDATE lists SET name = 'form {number}', updated_at = '{form}'"),
        )
        .await?;
        scene.settled(&[&a, &b, &c]).await?;
        b.at(
            at + 2_000,
            &format!("UPDATE profiles SET deleted_at = '{form}'"),
        )
        .await?;
        scene.settled(&[&b, &a, &c]).await?;
        let live = "SELECT count(*) FROM list_items WHERE deleted_at IS NULL";
        assert_eq!(scene.one(live).await?, "0", "{form:?}");
        c.at(at + 4_000, "UPDATE profiles SET deleted_at = NULL")
            .await?;
        scene.settled(&[&c, &a, &b]).await?;
        assert_eq!(scene.one(live).await?, "1", "{form:?}");
        assert_eq!(
            scene.one("SELECT name FROM lists").await?,
            format!("form {number}")
        );
    }
    Ok(())
}
