//! The rows of the synced tables, read so that all replicas of a row read the same: by the types of its
//! entity, instants in milliseconds, foreign keys by the name of the row they lead to.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use chrono::{DateTime, SecondsFormat, Utc};
use sea_orm::{
    ColumnTrait, ColumnType, ConnectionTrait, DatabaseConnection, EntityName, EntityTrait,
    IdenStatic, Iterable, QueryResult, Statement,
};

/// A row: its columns by name, NULL as `None`. Without what each replica has of its own: `id`, the owner
/// and the sync columns but `deleted_at`.
pub type Row = BTreeMap<&'static str, Option<String>>;

/// The rows of a table by `remote_id`.
pub type Rows = BTreeMap<String, Row>;

/// A synced table, as its entity describes it.
#[derive(Clone, Debug)]
pub struct SyncedTable {
    /// Its name.
    pub name: &'static str,
    columns: Vec<(&'static str, Kind)>,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Text,
    Integer,
    Bool,
    Real,
    Instant,
    /// The table a foreign key leads to, and the column that names its rows everywhere.
    Reference(&'static str, &'static str),
}

/// Each replica has its own of these.
const OWN: [&str; 5] = ["id", "user_id", "remote_id", "dirty", "updated_at"];

impl SyncedTable {
    /// All of them, parents first.
    ///
    /// # Panics
    /// If an entity has a column of a type that no entity had so far.
    #[must_use]
    pub fn all() -> Vec<Self> {
        vec![
            Self::of(entity::settings_profile::Entity),
            Self::of(entity::profile::Entity),
            Self::of(entity::profile_addon::Entity),
            Self::of(entity::stream_setting::Entity),
            Self::of(entity::appearance_setting::Entity),
            Self::of(entity::watch_history::Entity),
            Self::of(entity::list::Entity),
            Self::of(entity::list_item::Entity),
        ]
    }

    /// The one of that name.
    ///
    /// # Errors
    /// If there is none.
    pub fn named(name: &str) -> Result<Self> {
        let found = Self::all().into_iter().find(|table| table.name == name);
        found.with_context(|| format!("`{name}` is not synced"))
    }

    fn of<E: EntityTrait>(entity: E) -> Self {
        let columns = E::Column::iter().map(|column| (column.as_str(), kind(column)));
        let columns = columns.filter(|(name, _)| !OWN.contains(name)).collect();
        Self {
            name: EntityName::table_name(&entity),
            columns,
        }
    }

    /// The columns that a row is made of.
    pub fn columns(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.columns.iter().map(|(name, _)| *name)
    }

    /// The rows that are not deleted.
    ///
    /// # Errors
    /// If one has no name, or what the database says.
    pub async fn live(&self, db: &DatabaseConnection) -> Result<Rows> {
        self.rows(db, "r.deleted_at IS NULL").await
    }

    /// The row with this name, deleted or not; none if it is gone.
    ///
    /// # Errors
    /// What the database says.
    pub async fn find(&self, db: &DatabaseConnection, remote_id: &str) -> Result<Option<Row>> {
        let mut rows = self
            .rows(db, &format!("r.remote_id = '{remote_id}'"))
            .await?;
        Ok(rows.remove(remote_id))
    }

    /// The row with this primary key.
    ///
    /// # Errors
    /// If there is none.
    pub async fn at(&self, db: &DatabaseConnection, id: i64) -> Result<Row> {
        let rows = self.select(db, &format!("r.id = {id}")).await?;
        let row = rows
            .first()
            .with_context(|| format!("no row {id} in {}", self.name))?;
        self.read(row)
    }

    async fn rows(&self, db: &DatabaseConnection, condition: &str) -> Result<Rows> {
        let mut rows = Rows::new();
        for row in self.select(db, condition).await? {
            let name: Option<String> = row.try_get("", "remote_id")?;
            let name = name.with_context(|| format!("a row of {} has no name", self.name))?;
            let twice = rows.insert(name.clone(), self.read(&row)?);
            ensure!(twice.is_none(), "{} has two rows named {name}", self.name);
        }
        Ok(rows)
    }

    async fn select(&self, db: &DatabaseConnection, condition: &str) -> Result<Vec<QueryResult>> {
        let columns: Vec<String> = self
            .columns
            .iter()
            .map(|(name, kind)| kind.select(name))
            .collect();
        let (columns, table) = (columns.join(", "), self.name);
        let sql = format!("SELECT r.remote_id, {columns} FROM {table} r WHERE {condition}");
        let statement = Statement::from_string(db.get_database_backend(), sql.clone());
        db.query_all_raw(statement).await.context(sql)
    }

    fn read(&self, row: &QueryResult) -> Result<Row> {
        let read = |(name, kind): &(&'static str, Kind)| Ok((*name, kind.read(row, name)?));
        self.columns.iter().map(read).collect()
    }
}

impl Kind {
    fn select(self, column: &str) -> String {
        match self {
            Self::Reference(table, name) => {
                format!("(SELECT t.{name} FROM {table} t WHERE t.id = r.{column}) AS \"{column}\"")
            }
            _ => format!("r.\"{column}\""),
        }
    }

    fn read(self, row: &QueryResult, column: &str) -> Result<Option<String>> {
        let text = match self {
            Self::Text | Self::Reference(..) => row.try_get("", column)?,
            Self::Integer => row
                .try_get::<Option<i64>>("", column)?
                .map(|n| n.to_string()),
            Self::Bool => row
                .try_get::<Option<bool>>("", column)?
                .map(|b| b.to_string()),
            Self::Real => row
                .try_get::<Option<f64>>("", column)?
                .map(|r| format!("{r:?}")),
            Self::Instant => row
                .try_get::<Option<DateTime<Utc>>>("", column)?
                .map(|at| at.to_rfc3339_opts(SecondsFormat::Millis, true)),
        };
        Ok(text)
    }
}

fn kind<C: ColumnTrait>(column: C) -> Kind {
    match column.as_str() {
        "profile_id" => return Kind::Reference("profiles", "remote_id"),
        "settings_profile_id" => return Kind::Reference("settings_profiles", "remote_id"),
        "list_id" => return Kind::Reference("lists", "remote_id"),
        "addon_id" => return Kind::Reference("addons", "manifest_url"),
        _ => {}
    }
    match column.def().get_column_type() {
        ColumnType::String(_) | ColumnType::Text => Kind::Text,
        ColumnType::Integer | ColumnType::BigInteger => Kind::Integer,
        ColumnType::Boolean => Kind::Bool,
        ColumnType::Double | ColumnType::Float => Kind::Real,
        ColumnType::TimestampWithTimeZone => Kind::Instant,
        other => panic!("the test cannot read {other:?} yet"),
    }
}

/// The live rows of every synced table, by table.
///
/// # Errors
/// If one has no name, or what the database says.
pub async fn live_rows(db: &DatabaseConnection) -> Result<BTreeMap<&'static str, Rows>> {
    let mut all = BTreeMap::new();
    for table in SyncedTable::all() {
        all.insert(table.name, table.live(db).await?);
    }
    Ok(all)
}
