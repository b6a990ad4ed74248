//! What a user of the kit gives it: functions, without their types.

use std::{collections::BTreeMap, error::Error, pin::Pin, sync::Arc};

use sea_orm::{DatabaseConnection, DbBackend, Value};

/// Any error of a user's function.
pub type BoxError = Box<dyn Error + Send + Sync>;

type Work = Pin<Box<dyn Future<Output = Result<(), BoxError>>>>;

/// Something that is done to a database.
pub(crate) type Hook<A> = Arc<dyn Fn(DatabaseConnection, A) -> Work + Send + Sync>;

type Draw = Arc<dyn Fn(u64) -> Value + Send + Sync>;

/// Values for columns that the kit makes up none for, or should not.
#[derive(Clone, Default)]
pub(crate) struct Values(BTreeMap<(String, String), Option<Draw>>);

impl Values {
    pub(crate) fn give(&mut self, table: &str, column: &str, draw: Draw) {
        self.0
            .insert((table.to_owned(), column.to_owned()), Some(draw));
    }

    pub(crate) fn leave(&mut self, table: &str, column: &str) {
        self.0.insert((table.to_owned(), column.to_owned()), None);
    }

    fn get(&self, table: &str, column: &str) -> Option<&Option<Draw>> {
        self.0.get(&(table.to_owned(), column.to_owned()))
    }

    /// Whether the user gives values for the column.
    pub(crate) fn knows(&self, table: &str, column: &str) -> bool {
        matches!(self.get(table, column), Some(Some(_)))
    }

    /// Whether the user wants the column left alone.
    pub(crate) fn leaves(&self, table: &str, column: &str) -> bool {
        matches!(self.get(table, column), Some(None))
    }

    /// Columns that are named but are none of these.
    pub(crate) fn strangers(&self, known: impl Fn(&str, &str) -> bool) -> Vec<String> {
        let named = self
            .0
            .keys()
            .filter(|(table, column)| !known(table, column));
        named
            .map(|(table, column)| format!("{table}.{column}"))
            .collect()
    }

    pub(crate) fn draw(&self, table: &str, column: &str, number: u64) -> Option<Value> {
        let draw = self.get(table, column)?.as_ref()?;
        Some(draw(number))
    }

    /// The value number `number` of a column, as SQL.
    pub(crate) fn sql(
        &self,
        table: &str,
        column: &str,
        number: u64,
        backend: DbBackend,
    ) -> Option<String> {
        use sea_orm::sea_query::{PostgresQueryBuilder, QueryBuilder, SqliteQueryBuilder};
        let value = self.draw(table, column, number)?;
        Some(match backend {
            DbBackend::Postgres => PostgresQueryBuilder.value_to_string(&value),
            _ => SqliteQueryBuilder.value_to_string(&value),
        })
    }
}
