//! Describes a column in words that mean the same on both databases.

use sea_orm_migration::prelude::*;

/// A column; built from its type, as in `text("name").required()`.
#[derive(Clone, Copy)]
pub(crate) struct Column {
    name: &'static str,
    kind: Kind,
    key: bool,
    required: bool,
    unique: bool,
    default: Option<Fill>,
    references: Option<Reference>,
}

#[derive(Clone, Copy)]
enum Kind {
    Text,
    Integer,
    Real,
    Bool,
    Time,
}

/// What an INSERT that does not name the column puts there.
#[derive(Clone, Copy)]
pub(crate) enum Fill {
    Text(&'static str),
    Integer(i64),
    Bool(bool),
    Now,
}

/// The primary key of another table, and what happens here when a row goes there.
#[derive(Clone, Copy)]
struct Reference {
    table: &'static str,
    on_delete: &'static str,
}

/// The integer key that the database hands out.
pub(crate) const fn id() -> Column {
    Column {
        key: true,
        ..column("id", Kind::Integer)
    }
}

pub(crate) const fn text(name: &'static str) -> Column {
    column(name, Kind::Text)
}

/// 64 bits on both databases.
pub(crate) const fn integer(name: &'static str) -> Column {
    column(name, Kind::Integer)
}

pub(crate) const fn real(name: &'static str) -> Column {
    column(name, Kind::Real)
}

pub(crate) const fn boolean(name: &'static str) -> Column {
    column(name, Kind::Bool)
}

/// A moment: text on SQLite, with time zone on Postgres.
pub(crate) const fn time(name: &'static str) -> Column {
    column(name, Kind::Time)
}

const fn column(name: &'static str, kind: Kind) -> Column {
    Column {
        name,
        kind,
        key: false,
        required: false,
        unique: false,
        default: None,
        references: None,
    }
}

impl Column {
    pub(crate) const fn key(self) -> Self {
        Self { key: true, ..self }
    }

    /// NOT NULL.
    pub(crate) const fn required(self) -> Self {
        Self {
            required: true,
            ..self
        }
    }

    pub(crate) const fn unique(self) -> Self {
        Self {
            unique: true,
            ..self
        }
    }

    /// Does not forbid NULL.
    pub(crate) const fn or(self, default: Fill) -> Self {
        Self {
            default: Some(default),
            ..self
        }
    }

    /// Goes when the row goes that it names.
    pub(crate) const fn within(self, table: &'static str) -> Self {
        self.references(table, "CASCADE")
    }

    /// Becomes NULL when the row goes that it names.
    pub(crate) const fn naming(self, table: &'static str) -> Self {
        self.references(table, "SET NULL")
    }

    const fn references(self, table: &'static str, on_delete: &'static str) -> Self {
        Self {
            references: Some(Reference { table, on_delete }),
            ..self
        }
    }

    pub(crate) fn name(self) -> &'static str {
        self.name
    }

    pub(crate) fn refers(self) -> bool {
        self.references.is_some()
    }

    /// As a part of CREATE TABLE.
    pub(crate) fn to_create(self) -> ColumnDef {
        let mut def = self.without_default();
        if let Some(fill) = self.default {
            def.default(fill.expr());
        }
        def
    }

    /// As a column added to `table`, which has rows.
    ///
    /// A default that is not constant is left out: SQLite refuses it, and it would say of every
    /// row that is there that it was written just now.
    pub(crate) fn to_add(self, table: &str) -> Result<ColumnDef, DbErr> {
        let default = self.default.filter(|fill| !matches!(fill, Fill::Now));
        if self.key || (self.required && default.is_none()) {
            let name = self.name;
            return Err(DbErr::Custom(format!(
                "table {table} has no column {name}: this is not a Zentrio database"
            )));
        }
        let mut def = self.without_default();
        if let Some(fill) = default {
            def.default(fill.expr());
        }
        Ok(def)
    }

    fn without_default(self) -> ColumnDef {
        let mut def = ColumnDef::new_with_type(self.name, self.kind.column_type());
        if self.required || self.key {
            def.not_null();
        }
        if self.key {
            def.primary_key();
        }
        if self.key && matches!(self.kind, Kind::Integer) {
            def.auto_increment();
        }
        if self.unique {
            def.unique_key();
        }
        if let Some(reference) = self.references {
            // Not as a constraint of the table: SQLite can add one only together with its column.
            def.extra(reference.clause());
        }
        def
    }
}

impl Kind {
    fn column_type(self) -> ColumnType {
        match self {
            Self::Text => ColumnType::Text,
            Self::Integer => ColumnType::BigInteger,
            Self::Real => ColumnType::Double,
            Self::Bool => ColumnType::Boolean,
            Self::Time => ColumnType::TimestampWithTimeZone,
        }
    }
}

impl Fill {
    fn expr(self) -> Expr {
        match self {
            Self::Text(text) => Expr::val(text),
            Self::Integer(number) => Expr::val(number),
            Self::Bool(flag) => Expr::val(flag),
            Self::Now => Expr::current_timestamp(),
        }
    }
}

impl Reference {
    fn clause(self) -> String {
        let Self { table, on_delete } = self;
        format!(r#"REFERENCES "{table}" ("id") ON DELETE {on_delete}"#)
    }
}
