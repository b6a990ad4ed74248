//! Zentrio's eight tables, written down once more, so that a mistake in the entities' attributes is not made
//! twice: it would be in what the simulation checks, too.

use std::collections::BTreeSet;

/// What a column holds, and how it is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Text,
    Number,
    Real,
    Bool,
    Time,
    /// A foreign key to this table.
    Key(&'static str),
    /// A foreign key to `addons`, which has other ids everywhere.
    Addon,
}

/// What edits do with a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    /// Changed at will.
    Free,
    /// Part of the natural key: set once, to one of few values.
    Name,
    /// When the row was made; of two the earlier stands.
    Born,
    /// The row it belongs to: set once; one of a row's parents is.
    Parent,
    /// Another row it refers to; that one's deletion clears it.
    Link,
    /// Carried by one row of a scope.
    Flag,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Column {
    name: &'static str,
    kind: Kind,
    role: Role,
    /// Whether every row has a value.
    required: bool,
    /// The name of the columns it merges with.
    group: &'static str,
}

#[derive(Debug, PartialEq, Eq)]
struct Table {
    name: &'static str,
    /// Whether it has a column `user_id`.
    root: bool,
    columns: &'static [Column],
    /// Columns in which two live rows may not be equal.
    keys: &'static [&'static [&'static str]],
}

const fn column(name: &'static str, kind: Kind, role: Role) -> Column {
    Column {
        name,
        kind,
        role,
        required: false,
        group: name,
    }
}

const fn free(name: &'static str, kind: Kind) -> Column {
    column(name, kind, Role::Free)
}

const fn parent(name: &'static str, table: &'static str) -> Column {
    column(name, Kind::Key(table), Role::Parent)
}

impl Column {
    const fn required(self) -> Self {
        Self {
            required: true,
            ..self
        }
    }

    const fn within(self, group: &'static str) -> Self {
        Self { group, ..self }
    }
}

const CREATED_AT: Column = column("created_at", Kind::Time, Role::Born);
const IS_DEFAULT: Column = column("is_default", Kind::Bool, Role::Flag);

/// Parents come before their children.
const TABLES: &[Table] = &[
    Table {
        name: "settings_profiles",
        root: true,
        columns: &[
            free("name", Kind::Text).required(),
            IS_DEFAULT,
            CREATED_AT,
            free("tmdb_catalog_config", Kind::Text),
        ],
        keys: &[],
    },
    Table {
        name: "profiles",
        root: true,
        columns: &[
            free("name", Kind::Text).required(),
            free("avatar", Kind::Text).required(),
            free("avatar_type", Kind::Text),
            free("avatar_style", Kind::Text),
            IS_DEFAULT,
            column(
                "settings_profile_id",
                Kind::Key("settings_profiles"),
                Role::Link,
            ),
            CREATED_AT,
        ],
        keys: &[],
    },
    Table {
        name: "profile_addons",
        root: false,
        columns: &[
            parent("profile_id", "profiles"),
            parent("settings_profile_id", "settings_profiles"),
            column("addon_id", Kind::Addon, Role::Name).required(),
            free("enabled", Kind::Bool),
            free("priority", Kind::Number),
            CREATED_AT,
        ],
        keys: &[
            &["profile_id", "addon_id"],
            &["settings_profile_id", "addon_id"],
        ],
    },
    Table {
        name: "stream_settings",
        root: false,
        columns: &[
            parent("profile_id", "profiles"),
            parent("settings_profile_id", "settings_profiles"),
            free("qualities", Kind::Text),
            free("preferred_keywords", Kind::Text),
            free("required_keywords", Kind::Text),
            free("config", Kind::Text),
        ],
        keys: &[&["profile_id"], &["settings_profile_id"]],
    },
    Table {
        name: "appearance_settings",
        root: false,
        columns: &[
            parent("settings_profile_id", "settings_profiles"),
            free("show_imdb_ratings", Kind::Bool),
            free("show_age_ratings", Kind::Bool),
        ],
        keys: &[&["settings_profile_id"]],
    },
    Table {
        name: "watch_history",
        root: false,
        columns: &[
            parent("profile_id", "profiles").required(),
            column("meta_id", Kind::Text, Role::Name).required(),
            free("meta_type", Kind::Text).required(),
            column("season", Kind::Number, Role::Name).required(),
            column("episode", Kind::Number, Role::Name).required(),
            free("episode_id", Kind::Text),
            free("title", Kind::Text),
            free("poster", Kind::Text),
            free("duration", Kind::Number).within("progress"),
            free("position", Kind::Number).within("progress"),
            free("is_watched", Kind::Bool).within("progress"),
            free("watched_at", Kind::Time).within("progress"),
            free("last_stream", Kind::Text).within("progress"),
        ],
        keys: &[&["profile_id", "meta_id", "season", "episode"]],
    },
    Table {
        name: "lists",
        root: false,
        columns: &[
            parent("profile_id", "profiles").required(),
            column("name", Kind::Text, Role::Name).required(),
            IS_DEFAULT,
            CREATED_AT,
        ],
        keys: &[&["profile_id", "name"]],
    },
    Table {
        name: "list_items",
        root: false,
        columns: &[
            parent("list_id", "lists").required(),
            column("meta_id", Kind::Text, Role::Name).required(),
            free("type", Kind::Text).required(),
            free("title", Kind::Text),
            free("poster", Kind::Text),
            free("imdb_rating", Kind::Real),
            CREATED_AT,
        ],
        keys: &[&["list_id", "meta_id"]],
    },
];

impl Table {
    fn describe(&self) -> Vec<String> {
        let table = self.name;
        let owner = self.root.then(|| format!("{table}: owner user_id"));
        let columns = self
            .columns
            .iter()
            .map(|c| format!("{table}.{}", c.describe()));
        let keys = self
            .keys
            .iter()
            .map(|key| format!("{table}: key {}", key.join(", ")));
        owner.into_iter().chain(columns).chain(keys).collect()
    }
}

impl Column {
    fn describe(&self) -> String {
        let kind = match self.kind {
            Kind::Text => "text".to_owned(),
            Kind::Number => "number".to_owned(),
            Kind::Real => "real".to_owned(),
            Kind::Bool => "bool".to_owned(),
            Kind::Time => "time".to_owned(),
            Kind::Key(table) => format!("key of {table}"),
            Kind::Addon => "manifest_url of addons".to_owned(),
        };
        let role = match self.role {
            Role::Free => "free",
            Role::Name => "name",
            Role::Born => "by value",
            Role::Parent => "parent",
            Role::Link => "link",
            Role::Flag => "flag",
        };
        let required = if self.required { ", required" } else { "" };
        let within = match self.group == self.name {
            true => String::new(),
            false => format!(", in {}", self.group),
        };
        format!("{}: {kind}, {role}{required}{within}", self.name)
    }
}

#[test]
fn the_tables_are_those_that_sync() -> anyhow::Result<()> {
    let derived = super::zentrio(super::options())?.describe()?;
    let derived: BTreeSet<String> = derived.into_iter().collect();
    let wanted: BTreeSet<String> = TABLES.iter().flat_map(Table::describe).collect();
    let strange: Vec<_> = derived.symmetric_difference(&wanted).collect();
    assert!(strange.is_empty(), "{strange:#?}");
    Ok(())
}
