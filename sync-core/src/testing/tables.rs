//! The eight tables as the oracles see them: written down once more, so that a mistake in the
//! entities' attributes is not made twice.

/// What a column holds, and how it is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
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
pub(crate) enum Role {
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
pub(crate) struct Column {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) role: Role,
    /// Whether every row has a value.
    pub(crate) required: bool,
    /// The name of the columns it merges with.
    pub(crate) group: &'static str,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Table {
    pub(crate) name: &'static str,
    /// Whether it has a column `user_id`.
    pub(crate) root: bool,
    pub(crate) columns: &'static [Column],
    /// Columns in which two live rows may not be equal.
    pub(crate) keys: &'static [&'static [&'static str]],
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
pub(crate) const TABLES: &[Table] = &[
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
            parent("profile_id", "profiles"),
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
            parent("profile_id", "profiles"),
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
            parent("list_id", "lists"),
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
    pub(crate) fn named(name: &str) -> &'static Self {
        let found = TABLES.iter().find(|table| table.name == name);
        found.expect("one of the eight tables")
    }

    /// What merges as a unit: a name and the numbers of its columns.
    pub(crate) fn registers(&self) -> Vec<(&'static str, Vec<usize>)> {
        let mut registers: Vec<(&'static str, Vec<usize>)> = Vec::new();
        for (number, column) in self.columns.iter().enumerate() {
            match registers.iter_mut().find(|(name, _)| *name == column.group) {
                Some((_, columns)) => columns.push(number),
                None => registers.push((column.group, vec![number])),
            }
        }
        registers
    }

    pub(crate) fn parents(&self) -> impl Iterator<Item = (usize, &'static str)> {
        let parent = |(number, column): (usize, &Column)| match (column.role, column.kind) {
            (Role::Parent, Kind::Key(table)) => Some((number, table)),
            _ => None,
        };
        self.columns.iter().enumerate().filter_map(parent)
    }

    pub(crate) fn number(&self, column: &str) -> Option<usize> {
        self.columns.iter().position(|c| c.name == column)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_are_those_that_sync() {
        let registry = entity::registry().expect("builds");
        assert_eq!(registry.tables().len(), TABLES.len());
        for registered in registry.tables() {
            let shape = registered.shape;
            let mut wanted: Vec<&str> = shape.columns().filter(|c| *c != "deleted_at").collect();
            let mut here: Vec<&str> = Table::named(shape.table)
                .columns
                .iter()
                .map(|c| c.name)
                .collect();
            wanted.sort_unstable();
            here.sort_unstable();
            assert_eq!(here, wanted, "{}", shape.table);
            assert_eq!(
                Table::named(shape.table).keys,
                shape.natural_keys,
                "{}",
                shape.table
            );
        }
    }
}
