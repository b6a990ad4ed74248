//! The app changes the default with two statements. Whatever comes between them, one row has it in the end.

use anyhow::Result;
use sync_tests::{Fault, TestDb, on_both_backends};

use super::{FLAGGED, choose, defaults, three_of_each};

on_both_backends!(
    v13_a_sync_between_the_two_statements,
    v13_the_second_statement_while_the_first_is_on_its_way,
    v13_only_the_second_statement,
    v13_in_pushes_and_pages_of_one_row,
    v13_the_same_choice_again_and_back,
);

fn halves(table: &str) -> (String, String) {
    let both = choose(table, "Two");
    let (first, second) = both.split_once(';').unwrap_or_default();
    (first.to_owned(), second.to_owned())
}

async fn v13_a_sync_between_the_two_statements(db: TestDb) -> Result<()> {
    let (scene, [a, b, c]) = three_of_each(db).await?;
    for table in FLAGGED {
        let (first, second) = halves(table);
        a.at(-3_000, &first).await?;
        a.sync().await?;
        b.sync().await?;
        // Another device chooses in the moment without one.
        b.at(
            -2_500,
            &format!("UPDATE {table} SET is_default = 1 WHERE name = 'Three'"),
        )
        .await?;
        b.sync().await?;
        a.at(-2_000, &second).await?;
        assert_eq!(
            defaults(&scene, &[&a, &b, &c], table).await?,
            ["Two"],
            "{table}"
        );
    }
    Ok(())
}

async fn v13_the_second_statement_while_the_first_is_on_its_way(db: TestDb) -> Result<()> {
    for table in FLAGGED {
        let (scene, [a, b, c]) = three_of_each(TestDb::new(db.backend()).await?).await?;
        let (first, second) = halves(table);
        a.at(-3_000, &first).await?;
        let device = a.device.device.db().clone();
        a.net.on_push(Fault::after(move || async move {
            use sea_orm::ConnectionTrait;
            device.execute_unprepared(&second).await?;
            Ok(())
        }));
        a.sync().await?;
        assert_eq!(
            defaults(&scene, &[&a, &b, &c], table).await?,
            ["Two"],
            "{table}"
        );
    }
    Ok(())
}

/// A program that does not take the flag from the one that had it.
async fn v13_only_the_second_statement(db: TestDb) -> Result<()> {
    let (scene, [a, b, c]) = three_of_each(db).await?;
    for table in FLAGGED {
        a.at(-3_000, &halves(table).1).await?;
        assert_eq!(
            defaults(&scene, &[&a, &b, &c], table).await?,
            ["Two"],
            "{table}"
        );
    }
    Ok(())
}

async fn v13_in_pushes_and_pages_of_one_row(db: TestDb) -> Result<()> {
    let (scene, [mut a, mut b, c]) = three_of_each(db).await?;
    a.limit_rows(1, 1);
    b.limit_rows(1, 1);
    for table in FLAGGED {
        b.at(-4_000, &choose(table, "Three")).await?;
        a.at(-3_000, &choose(table, "Two")).await?;
        for _ in 0..3 {
            a.net.on_push(Fault::LoseAnswer);
            let _ = (a.sync().await, b.sync().await);
        }
        assert_eq!(
            defaults(&scene, &[&a, &b, &c], table).await?,
            ["Two"],
            "{table}"
        );
    }
    Ok(())
}

/// A chooses another and the old one again; what B chose meanwhile is later than that or not.
async fn v13_the_same_choice_again_and_back(db: TestDb) -> Result<()> {
    let (scene, [a, b, c]) = three_of_each(db).await?;
    for table in FLAGGED {
        a.at(-4_000, &choose(table, "Two")).await?;
        a.at(-3_000, &choose(table, "One")).await?;
        a.at(-2_900, &choose(table, "One")).await?;
        b.at(-2_000, &choose(table, "Three")).await?;
        for device in [&b, &a] {
            device.sync().await?;
        }
        assert_eq!(
            defaults(&scene, &[&a, &b, &c], table).await?,
            ["Three"],
            "{table}"
        );
    }
    Ok(())
}
