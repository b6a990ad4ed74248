//! What a database holds, written so that a device's and a server's can be compared.

use anyhow::{Context, Result};
use sea_orm::{ConnectionTrait, DatabaseConnection, Statement};

/// A table, its columns, and its foreign keys with the tables they lead to.
type Table = (
    &'static str,
    &'static str,
    &'static [(&'static str, &'static str)],
);

/// Per table: the columns that every replica has alike, then where its foreign keys lead.
const TABLES: [Table; 8] = [
    (
        "settings_profiles",
        "name, is_default, tmdb_catalog_config",
        &[],
    ),
    (
        "profiles",
        "name, avatar, avatar_type, avatar_style, is_default",
        &[("settings_profile_id", "settings_profiles")],
    ),
    (
        "profile_addons",
        "enabled, priority",
        &[
            ("profile_id", "profiles"),
            ("settings_profile_id", "settings_profiles"),
            ("addon_id", "addons"),
        ],
    ),
    (
        "stream_settings",
        "qualities, preferred_keywords, required_keywords, config",
        &[
            ("profile_id", "profiles"),
            ("settings_profile_id", "settings_profiles"),
        ],
    ),
    (
        "appearance_settings",
        "show_imdb_ratings, show_age_ratings",
        &[("settings_profile_id", "settings_profiles")],
    ),
    (
        "watch_history",
        "meta_id, meta_type, season, episode, episode_id, title, poster, duration, position, is_watched, last_stream",
        &[("profile_id", "profiles")],
    ),
    ("lists", "name, is_default", &[("profile_id", "profiles")]),
    (
        "list_items",
        "meta_id, type, title, poster, imdb_rating",
        &[("list_id", "lists")],
    ),
];

/// The synced tables, parents first.
pub fn tables() -> impl Iterator<Item = &'static str> {
    TABLES.iter().map(|(table, ..)| *table)
}

/// Every live row, one text each: its table, its name, its values, where its foreign keys lead. Rows of
/// other accounts than the one whose user is named `user` are left out.
///
/// # Errors
/// What the database says.
pub async fn live_rows(db: &DatabaseConnection, user: &str) -> Result<Vec<String>> {
    let mut lines = Vec::new();
    for (table, columns, references) in TABLES {
        let mut parts = vec!["r.remote_id".to_owned()];
        parts.extend(columns.split(", ").map(plain));
        parts.extend(references.iter().map(|(column, target)| {
            let name = if *target == "addons" {
                "manifest_url"
            } else {
                "remote_id"
            };
            format!("(SELECT t.{name} FROM {target} t WHERE t.id = r.{column})")
        }));
        let parts: Vec<String> = parts
            .iter()
            .map(|part| format!("coalesce(CAST({part} AS TEXT), 'NULL')"))
            .collect();
        let line = parts.join(" || '|' || ");
        let owned = owned(table, user);
        let sql = format!(
            "SELECT {line} AS line FROM {table} r WHERE r.deleted_at IS NULL AND {owned} ORDER BY 1"
        );
        let rows = query(db, &sql).await?;
        lines.extend(rows.into_iter().map(|row| format!("{table}|{row}")));
    }
    Ok(lines)
}

/// The rows of a query of one column, as text, on either kind of database.
///
/// # Errors
/// What the database says.
pub async fn query(db: &DatabaseConnection, sql: &str) -> Result<Vec<String>> {
    let sql = format!(
        "WITH q(line) AS ({sql}) SELECT coalesce(CAST(line AS TEXT), 'NULL') AS line FROM q"
    );
    let rows = db
        .query_all_raw(Statement::from_string(
            db.get_database_backend(),
            sql.clone(),
        ))
        .await;
    let rows = rows.with_context(|| sql)?;
    rows.iter()
        .map(|row| Ok(row.try_get("", "line")?))
        .collect()
}

/// Floats and booleans print differently on the two databases.
fn plain(column: &str) -> String {
    match column {
        "is_default" | "enabled" | "show_imdb_ratings" | "show_age_ratings" | "is_watched" => {
            format!("CASE WHEN r.{column} IS NULL THEN NULL WHEN r.{column} THEN 1 ELSE 0 END")
        }
        "imdb_rating" => "CAST(round(r.imdb_rating * 1000) AS BIGINT)".to_owned(),
        other => format!("r.{other}"),
    }
}

fn owned(table: &str, user: &str) -> String {
    let profile = format!("r.profile_id IN (SELECT id FROM profiles WHERE user_id = '{user}')");
    let settings = format!(
        "r.settings_profile_id IN (SELECT id FROM settings_profiles WHERE user_id = '{user}')"
    );
    match table {
        "profiles" | "settings_profiles" => format!("r.user_id = '{user}'"),
        "profile_addons" | "stream_settings" => format!("({profile} OR {settings})"),
        "appearance_settings" => settings,
        "list_items" => format!(
            "r.list_id IN (SELECT l.id FROM lists l JOIN profiles p ON p.id = l.profile_id WHERE p.user_id = '{user}')"
        ),
        _ => profile,
    }
}

/// Live rows whose parent is deleted, as table and name.
///
/// # Errors
/// What the database says.
pub async fn orphans(db: &DatabaseConnection) -> Result<Vec<String>> {
    let each = CHILDREN.map(|(child, column, parent)| {
        format!(
            "SELECT '{child} ' || coalesce(c.remote_id, '') FROM {child} c JOIN {parent} p ON p.id = c.{column}
             WHERE c.deleted_at IS NULL AND p.deleted_at IS NOT NULL"
        )
    });
    query(db, &each.join(" UNION ALL ")).await
}

const CHILDREN: [(&str, &str, &str); 8] = [
    ("profile_addons", "profile_id", "profiles"),
    ("profile_addons", "settings_profile_id", "settings_profiles"),
    ("stream_settings", "profile_id", "profiles"),
    (
        "stream_settings",
        "settings_profile_id",
        "settings_profiles",
    ),
    (
        "appearance_settings",
        "settings_profile_id",
        "settings_profiles",
    ),
    ("watch_history", "profile_id", "profiles"),
    ("lists", "profile_id", "profiles"),
    ("list_items", "list_id", "lists"),
];
