//! What the kit makes of a user's tables, in lines for people.

use super::tables::{Column, Kind, Role, Table};

impl Table {
    /// What the kit knows of it, in lines for people.
    pub(crate) fn describe(&self) -> Vec<String> {
        let table = self.name;
        let owner = self
            .owner
            .iter()
            .map(|o| format!("{table}: owner {}", o.column));
        let columns = self
            .columns
            .iter()
            .map(|c| format!("{table}.{}", c.describe()));
        let keys = self
            .keys
            .iter()
            .map(|key| format!("{table}: key {}", key.join(", ")));
        owner.chain(columns).chain(keys).collect()
    }
}

impl Column {
    fn describe(&self) -> String {
        let mut text = format!(
            "{}: {}, {}",
            self.name,
            self.kind.describe(),
            self.role.word()
        );
        if self.required {
            text.push_str(", required");
        }
        if self.group != self.name {
            text.push_str(&format!(", in {}", self.group));
        }
        text
    }
}

impl Kind {
    fn describe(self) -> String {
        match self {
            Self::Key(table) => format!("key of {table}"),
            Self::Lookup(to) => format!("{} of {}", to.key, to.table),
            _ => self.word().to_owned(),
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Number(_) => "number",
            Self::Real => "real",
            Self::Decimal => "decimal",
            Self::Bool => "bool",
            Self::Time => "time",
            Self::Date => "date",
            Self::Clock => "time of day",
            Self::Json => "json",
            Self::Blob => "bytes",
            Self::Uuid => "uuid",
            Self::Enum(_) => "one of a few words",
            Self::Key(_) | Self::Lookup(_) => "key",
            Self::Other => "unknown",
        }
    }
}

impl Role {
    const fn word(self) -> &'static str {
        match self {
            Self::Free => "free",
            Self::Name => "name",
            Self::ByValue(_) => "by value",
            Self::Parent => "parent",
            Self::Link => "link",
            Self::Flag => "flag",
            Self::Left => "left alone",
        }
    }
}
