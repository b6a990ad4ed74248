//! Which row is meant: as people and scripts name one.

use std::fmt;

use sea_orm::{ConnectionTrait, DbErr, Statement};

use super::{Device, state};
use crate::{error::SyncError, ids::is_canonical, owner, registry::Registered};

/// A row by its primary key in this database, or by the name that all replicas know it by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RowId {
    /// Its primary key here.
    Here(i64),
    /// Its name.
    Name(String),
}

impl RowId {
    /// Reads a whole number or a UUID.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Ok(id) = text.parse() {
            return Some(Self::Here(id));
        }
        let name = text.to_lowercase();
        is_canonical(&name).then_some(Self::Name(name))
    }
}

impl fmt::Display for RowId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Here(id) => write!(f, "{id}"),
            Self::Name(name) => f.write_str(name),
        }
    }
}

/// Where a row was found.
pub(super) struct Located<'a> {
    pub(super) registered: &'a Registered,
    /// Its primary key here, if it is in its table.
    pub(super) row_id: Option<i64>,
    /// Its name, if it has one.
    pub(super) remote_id: Option<String>,
    /// When it was deleted here for good, where the server does not know that yet.
    pub(super) gone_ms: Option<i64>,
}

impl Device {
    /// Finds a row of the synced account. A name that is not here may still be at the server.
    pub(super) async fn locate<C: ConnectionTrait>(
        &self,
        db: &C,
        table: &str,
        id: &RowId,
    ) -> Result<Located<'_>, SyncError> {
        let registered = self
            .registry
            .get(table)
            .ok_or_else(|| SyncError::UnknownTable(table.to_owned()))?;
        let (row_id, remote_id) = self.in_table(db, registered, id).await?;
        let gone = match row_id {
            Some(_) => None,
            None => gone(db, table, id).await?,
        };
        let (remote_id, gone_ms) = match (gone, id) {
            (Some((name, at)), _) => (Some(name), Some(at)),
            (None, RowId::Name(name)) => (remote_id.or_else(|| Some(name.clone())), None),
            (None, RowId::Here(_)) => (remote_id, None),
        };
        if row_id.is_none() && remote_id.is_none() {
            return Err(unknown(table, id));
        }
        Ok(Located {
            registered,
            row_id,
            remote_id,
            gone_ms,
        })
    }

    async fn in_table<C: ConnectionTrait>(
        &self,
        db: &C,
        registered: &Registered,
        id: &RowId,
    ) -> Result<(Option<i64>, Option<String>), DbErr> {
        let (table, key) = (registered.shape.table, registered.shape.id);
        let (column, wanted) = match id {
            RowId::Here(id) => (key, (*id).into()),
            RowId::Name(name) => ("remote_id", name.as_str().into()),
        };
        let user = state::load(db).await?.local_user_id;
        let whose = match user {
            Some(_) => owner::owns_row(
                &self.registry,
                registered,
                &format!("\"{table}\".\"{key}\""),
            ),
            None => "$1 IS NOT NULL".to_owned(),
        };
        let sql = format!(
            "SELECT CAST(\"{key}\" AS BIGINT) AS id, remote_id FROM \"{table}\" WHERE \"{column}\" = $2 AND {whose}"
        );
        let values = [user.unwrap_or_default().into(), wanted];
        let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, values);
        Ok(match db.query_one_raw(statement).await? {
            Some(row) => (Some(row.try_get("", "id")?), row.try_get("", "remote_id")?),
            None => (None, None),
        })
    }
}

/// The name of a row that is gone from its table, and when it went.
async fn gone<C: ConnectionTrait>(
    db: &C,
    table: &str,
    id: &RowId,
) -> Result<Option<(String, i64)>, DbErr> {
    let (column, wanted) = match id {
        RowId::Here(id) => ("row_id", (*id).into()),
        RowId::Name(name) => ("remote_id", name.as_str().into()),
    };
    let sql = format!(
        "SELECT remote_id, edited_at FROM sync_deleted WHERE tbl = $1 AND {column} = $2 ORDER BY edited_at DESC"
    );
    let values = [table.into(), wanted];
    let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, values);
    let row = db.query_one_raw(statement).await?;
    row.map(|row| Ok((row.try_get("", "remote_id")?, row.try_get("", "edited_at")?)))
        .transpose()
}

pub(super) fn unknown(table: &str, id: &RowId) -> SyncError {
    SyncError::UnknownRow {
        table: table.to_owned(),
        id: id.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::RowId;

    #[test]
    fn a_number_and_a_uuid_name_a_row_and_nothing_else_does() {
        let name = "0190a6e0-0000-7000-8000-0000000000a1";
        assert_eq!(RowId::parse(" 17 "), Some(RowId::Here(17)));
        assert_eq!(RowId::parse("-1"), Some(RowId::Here(-1)));
        for text in [name.to_owned(), name.to_uppercase()] {
            assert_eq!(RowId::parse(&text), Some(RowId::Name(name.to_owned())));
        }
        for odd in [
            "",
            "x",
            "1.5",
            "99999999999999999999",
            "'; DROP TABLE lists",
            "0190a6e0",
        ] {
            assert_eq!(RowId::parse(odd), None, "{odd}");
        }
    }
}
