//! What all runs of a simulation share: the tables, the user's functions, and databases to begin with.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, OnceLock},
};

use anyhow::{Context, Result, anyhow, bail};
use sea_orm::{DatabaseConnection, DbBackend};
use tokio::sync::OnceCell;

use super::{
    desk::Desk,
    dump::{self, Dump},
    edits::Edits,
    hooks::{BoxError, Hook, Values},
    laws,
    options::Options,
    oracles::texts,
    plan::N_ACCOUNTS,
    server::Servers,
    tables::{Catalogue, Kind, Role, Table, tables},
    template::Template,
};
use crate::{registry::Registry, schema::Side};

/// An account of a simulation.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    /// What owner columns hold.
    pub(crate) id: String,
    /// What every text begins with that is written in it.
    pub(crate) label: String,
}

pub(crate) struct Setup {
    pub(crate) registry: Registry,
    pub(crate) tables: &'static [Table],
    /// Tables and columns that are merged by their values and never hold what nobody wrote.
    pub(crate) choosing: BTreeSet<(&'static str, &'static str)>,
    pub(crate) accounts: Vec<Account>,
    pub(crate) values: Values,
    pub(crate) edits: Option<Arc<dyn Edits>>,
    pub(crate) servers: Option<Arc<dyn Servers>>,
    schema: Option<Hook<Side>>,
    account: Option<Hook<String>>,
    on_sqlite: String,
    on_postgres: String,
    keys: OnceLock<BTreeMap<String, Vec<String>>>,
    template: OnceCell<Template>,
}

/// What a run needs.
#[derive(Clone)]
pub(crate) struct Kit {
    pub(crate) setup: Arc<Setup>,
    pub(crate) desk: Arc<Desk>,
}

/// What the user gave.
#[derive(Clone, Default)]
pub(crate) struct Given {
    pub(crate) schema: Option<Hook<Side>>,
    pub(crate) account: Option<Hook<String>>,
    pub(crate) values: Values,
    pub(crate) edits: Option<Arc<dyn Edits>>,
    pub(crate) servers: Option<Arc<dyn Servers>>,
}

impl Setup {
    pub(crate) fn new(registry: Registry, given: Given) -> Result<Self> {
        let tables = tables(&registry, &given.values);
        let known = |table: &str, column: &str| {
            let table = tables.iter().find(|t| t.name == table);
            table.is_some_and(|table| table.number(column).is_some())
        };
        let strangers = given.values.strangers(known);
        if !strangers.is_empty() {
            bail!("no column that is synced: {}", strangers.join(", "));
        }
        let choosing = laws::check(&registry, tables, &given.values)?;
        let numbered = tables
            .iter()
            .any(|t| t.owner.is_some_and(|owner| owner.number));
        let account = |number: usize| {
            let label = format!("u{}", number + 1);
            let id = if numbered {
                (number + 1).to_string()
            } else {
                label.clone()
            };
            Account { id, label }
        };
        Ok(Self {
            accounts: (0..N_ACCOUNTS).map(account).collect(),
            on_sqlite: dump::statement(tables, DbBackend::Sqlite),
            on_postgres: dump::statement(tables, DbBackend::Postgres),
            registry,
            choosing,
            tables,
            values: given.values,
            edits: given.edits,
            servers: given.servers,
            schema: given.schema,
            account: given.account,
            keys: OnceLock::new(),
            template: OnceCell::new(),
        })
    }

    /// Databases to begin with, made at the first asking.
    pub(crate) async fn template(&self) -> Result<&Template> {
        self.template.get_or_try_init(|| Template::make(self)).await
    }

    /// All rows of a database.
    pub(crate) async fn dump(&self, db: &DatabaseConnection) -> Result<Dump> {
        let sql = match sea_orm::ConnectionTrait::get_database_backend(db) {
            DbBackend::Postgres => &self.on_postgres,
            _ => &self.on_sqlite,
        };
        dump::read(db, self.tables, sql).await
    }

    /// The user's tables in a new database.
    pub(crate) async fn create(&self, db: &DatabaseConnection, side: Side) -> Result<()> {
        let schema = self.schema.as_ref();
        let schema = schema.context("no tables: say with `.schema(..)` how they are created")?;
        let created = schema(db.clone(), side).await;
        created.map_err(|e| anyhow!(e).context(format!("creating the tables ({side:?})")))
    }

    /// The row of an account, in the table that owner columns refer to.
    pub(crate) async fn add_account(&self, db: &DatabaseConnection, account: usize) -> Result<()> {
        let Some(add) = &self.account else {
            return Ok(());
        };
        let added = add(db.clone(), self.accounts[account].id.clone()).await;
        added.map_err(|e| anyhow!(e).context("adding an account"))
    }

    pub(crate) async fn prepare_server(&self, db: &DatabaseConnection) -> Result<(), BoxError> {
        self.create(db, Side::Server).await?;
        for account in 0..self.accounts.len() {
            self.add_account(db, account).await?;
        }
        Ok(())
    }

    /// Takes down what rows there are of tables that are not synced.
    pub(crate) async fn read_catalogues(&self, db: &DatabaseConnection) -> Result<()> {
        let mut keys = BTreeMap::new();
        let columns = self.tables.iter().flat_map(|table| &table.columns);
        for column in columns {
            if let Kind::Lookup(Catalogue { table, key, .. }) = column.kind {
                let sql = format!("SELECT \"{key}\" AS text FROM \"{table}\" ORDER BY 1 LIMIT 3");
                keys.insert(table.clone(), texts(db, &sql).await?);
            }
        }
        let _ = self.keys.set(keys);
        Ok(())
    }

    /// The names of a few rows of a table that is not synced.
    pub(crate) fn keys(&self, catalogue: &Catalogue) -> &[String] {
        let keys = self.keys.get().and_then(|keys| keys.get(&catalogue.table));
        keys.map_or(&[], Vec::as_slice)
    }

    /// What no edit touches, and why.
    pub(crate) fn left_alone(&self, options: &Options) -> Vec<String> {
        let mut left = Vec::new();
        for table in self.tables {
            if let Some(column) = table.unwritable() {
                left.push(format!(
                    "`{}`: no row can be made without `{column}`",
                    table.name
                ));
            }
            for column in &table.columns {
                let name = format!("`{}.{}`", table.name, column.name);
                match (column.role, column.kind) {
                    (Role::Left, Kind::Other) if !self.values.leaves(table.name, column.name) => {
                        left.push(format!("{name}: its type does not tell what it holds; give it values with `.values(..)`"));
                    }
                    (Role::Left, _) => left.push(format!("{name}: as asked for")),
                    (_, Kind::Lookup(catalogue)) if self.keys(catalogue).is_empty() => {
                        left.push(format!(
                            "{name}: `{}` has no rows; insert some where the tables are created",
                            catalogue.table
                        ));
                    }
                    (Role::Flag, _) if !options.exclusive_flags => {
                        left.push(format!("{name}: never set, see `Options::exclusive_flags`"));
                    }
                    _ => {}
                }
            }
        }
        left
    }
}
