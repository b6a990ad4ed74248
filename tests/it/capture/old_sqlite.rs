//! Other programs write the file too, with SQLite builds as old as 3.31.

use anyhow::Result;
use sync_tests::CapturedDb;

/// What came later, in lower case: a file with a trigger that says it cannot be written by an older build,
/// or cannot even be opened.
const LATER: [&str; 14] = [
    "->>",
    "->",
    "unixepoch(",
    "iif(",
    "if(",
    "returning",
    "json_group",
    "jsonb",
    "strict",
    "materialized",
    "concat(",
    "subsec",
    "format(",
    "is distinct from",
];

#[tokio::test]
async fn the_triggers_say_nothing_that_sqlite_3_31_does_not_understand() -> Result<()> {
    let db = CapturedDb::device().await?;
    let triggers = db
        .rows("SELECT name, sql FROM sqlite_master WHERE type IN ('trigger', 'view', 'index')")
        .await?;
    assert!(triggers.len() > 8 * 4, "{triggers:#?}");
    for trigger in triggers {
        let sql = trigger.to_lowercase();
        let later: Vec<_> = LATER.iter().filter(|word| sql.contains(*word)).collect();
        assert!(later.is_empty(), "{later:?} in {trigger}");
        assert!(!updates_from(&sql), "UPDATE .. FROM in {trigger}");
    }
    Ok(())
}

/// The framework's tables too: generated columns and STRICT make a file unreadable for older builds.
#[tokio::test]
async fn nor_do_the_tables() -> Result<()> {
    let db = CapturedDb::device().await?;
    for table in db
        .rows("SELECT sql FROM sqlite_master WHERE type = 'table' AND name LIKE 'sync%'")
        .await?
    {
        let sql = table.to_lowercase();
        assert!(
            !sql.contains("strict") && !sql.contains("generated always"),
            "{table}"
        );
    }
    Ok(())
}

/// Whether some statement is `UPDATE table SET .. FROM`, with no SELECT between.
fn updates_from(sql: &str) -> bool {
    let mut statements = sql
        .split(';')
        .filter(|statement| statement.contains("update ") && statement.contains(" set "));
    statements.any(|statement| {
        let set = statement.split(" set ").skip(1).collect::<String>();
        set.split(" from ")
            .next()
            .is_some_and(|before| before.len() < set.len() && !before.contains("select"))
    })
}

#[test]
fn an_update_from_would_be_seen() {
    assert!(updates_from(
        "begin update t set a = u.a from u where u.id = t.id; end"
    ));
    assert!(!updates_from(
        "begin update t set a = (select b from u) where id = 1; end"
    ));
}
