//! What a file holds that has to reach every device, read with SQL alone: values as SQLite writes them, instants
//! whatever their form, and in place of ids what they refer to.
//!
//! It reads the app's files of every generation as they are before they are adopted. A column that one does not
//! have yet counts as what today's app gives it.

use std::path::Path;

use anyhow::{Result, ensure};
use sync_tests::programs::sqlite3;

/// A table: its plain columns with what they are where they are missing, its times, and what names each foreign
/// key's row (`t` is the table's own).
struct Table {
    name: &'static str,
    plain: &'static [(&'static str, &'static str)],
    times: &'static [&'static str],
    refers: &'static [(&'static str, &'static str, &'static str)],
}

const PROFILE: (&str, &str, &str) = ("profile_id", "profiles", "name || avatar");
const SETTINGS: (&str, &str, &str) = ("settings_profile_id", "settings_profiles", "name");

const TABLES: [Table; 8] = [
    Table {
        name: "settings_profiles",
        plain: &[
            ("name", ""),
            ("is_default", ""),
            ("tmdb_catalog_config", "NULL"),
        ],
        times: &["created_at", "updated_at"],
        refers: &[],
    },
    Table {
        name: "profiles",
        plain: &[
            ("name", ""),
            ("avatar", ""),
            ("avatar_type", ""),
            ("avatar_style", "'bottts-neutral'"),
            ("is_default", ""),
        ],
        times: &["created_at", "updated_at"],
        refers: &[SETTINGS],
    },
    Table {
        name: "profile_addons",
        plain: &[("enabled", ""), ("priority", "")],
        times: &["created_at", "updated_at"],
        refers: &[PROFILE, SETTINGS, ("addon_id", "addons", "manifest_url")],
    },
    Table {
        name: "stream_settings",
        plain: &[
            ("qualities", ""),
            ("preferred_keywords", ""),
            ("required_keywords", ""),
            ("config", ""),
        ],
        times: &["updated_at"],
        refers: &[PROFILE, SETTINGS],
    },
    Table {
        name: "appearance_settings",
        plain: &[("show_imdb_ratings", ""), ("show_age_ratings", "")],
        times: &["updated_at"],
        refers: &[SETTINGS],
    },
    Table {
        name: "watch_history",
        plain: &[
            ("meta_id", ""),
            ("meta_type", ""),
            ("season", "-1"),
            ("episode", "-1"),
            ("episode_id", "NULL"),
            ("title", ""),
            ("poster", ""),
            ("duration", ""),
            ("position", ""),
            ("is_watched", "NULL"),
            ("last_stream", "NULL"),
        ],
        times: &["watched_at", "updated_at"],
        refers: &[PROFILE],
    },
    Table {
        name: "lists",
        plain: &[("name", ""), ("is_default", "NULL")],
        times: &["created_at", "updated_at"],
        refers: &[PROFILE],
    },
    Table {
        name: "list_items",
        plain: &[
            ("meta_id", ""),
            ("type", ""),
            ("title", ""),
            ("poster", ""),
            ("imdb_rating", ""),
        ],
        times: &["created_at"],
        refers: &[(
            "list_id",
            "lists",
            "name || (SELECT name FROM profiles p WHERE p.id = l.profile_id)",
        )],
    },
];

/// The live rows of a file by table.
pub(super) fn facts(file: &Path) -> Result<Vec<(&'static str, String)>> {
    TABLES
        .iter()
        .map(|table| Ok((table.name, sqlite3(file, &query(file, table)?)?)))
        .collect()
}

/// Checks that `there` holds what `here` does.
pub(super) fn same(here: &Path, there: &Path) -> Result<()> {
    for ((table, wanted), (_, found)) in facts(here)?.iter().zip(facts(there)?) {
        ensure!(
            *wanted == found,
            "{table} of {}:\n{wanted}\n{}:\n{found}",
            here.display(),
            there.display()
        );
    }
    Ok(())
}

fn query(file: &Path, table: &Table) -> Result<String> {
    let has = |table: &str, column: &str| {
        let sql =
            format!("SELECT count(*) FROM pragma_table_info('{table}') WHERE name = '{column}'");
        Ok::<_, anyhow::Error>(sqlite3(file, &sql)? == "1")
    };
    let mut shown = Vec::new();
    for (column, missing) in table.plain {
        shown.push(match has(table.name, column)? {
            true => format!("quote(t.\"{column}\")"),
            false => format!("quote({missing})"),
        });
    }
    for column in table.times {
        shown.push(match has(table.name, column)? {
            true => format!("coalesce(strftime('%Y-%m-%d %H:%M:%f', t.\"{column}\"), 'none')"),
            false => "'none'".to_owned(),
        });
    }
    let mut live = Vec::new();
    if has(table.name, "deleted_at")? {
        live.push("t.deleted_at IS NULL".to_owned());
    }
    for (column, parent, name) in table.refers {
        if !has(table.name, column)? {
            shown.push("'nobody'".to_owned());
            continue;
        }
        shown.push(format!(
            "coalesce((SELECT {name} FROM \"{parent}\" l WHERE l.id = t.\"{column}\"), 'nobody')"
        ));
        if has(parent, "deleted_at")? {
            live.push(format!(
                "NOT EXISTS (SELECT 1 FROM \"{parent}\" l WHERE l.id = t.\"{column}\" AND l.deleted_at IS NOT NULL)"
            ));
        }
    }
    if table.name == "list_items" && has("profiles", "deleted_at")? {
        live.push(
            "NOT EXISTS (SELECT 1 FROM lists l JOIN profiles p ON p.id = l.profile_id
               WHERE l.id = t.list_id AND p.deleted_at IS NOT NULL)"
                .to_owned(),
        );
    }
    let live = if live.is_empty() {
        "1".to_owned()
    } else {
        live.join(" AND ")
    };
    Ok(format!(
        "SELECT {} FROM \"{}\" t WHERE {live} ORDER BY 1",
        shown.join(" || '|' || "),
        table.name
    ))
}
