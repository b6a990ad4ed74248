//! What users do: one random edit of a database, written as SQL, or as their application makes it.

mod change;
mod insert;
mod remove;
mod values;

use std::fmt;

use async_trait::async_trait;
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, DbErr};

use super::{dump::Dump, options::Options, rng::Rng, setup::Setup, tables::Table};

/// Edits that an application makes in its own way, such as through SeaORM's models, beside the kit's SQL.
pub trait Edits: Send + Sync {
    /// An edit that makes sense with the rows there are, chosen by chance; none if there is none.
    fn choose(&self, editor: &mut Editor<'_>) -> Option<Box<dyn UserEdit>>;
}

/// One edit of an application. Its [`Debug`](fmt::Debug) form is what the history of a failure shows.
#[async_trait]
pub trait UserEdit: fmt::Debug + Send + Sync {
    /// Makes the edit.
    ///
    /// # Errors
    /// What the database says, such as that a key is taken: then nothing was written.
    async fn make(&self, db: &DatabaseConnection) -> Result<(), DbErr>;
}

/// One edit, ready to be made.
#[derive(Debug)]
pub(crate) enum Edit {
    /// Hand-written SQL, as most of an app's.
    Sql(String),
    Insert(NewRow),
    /// For good.
    Delete(String),
    /// The same, taken back at once.
    Undone(String, String),
    /// The application's own.
    User(Box<dyn UserEdit>),
}

/// A row that is to be made.
#[derive(Debug)]
pub(crate) struct NewRow {
    pub(crate) sql: String,
    pub(crate) table: &'static Table,
    /// Columns and their values, as SQL.
    pub(crate) set: Vec<(&'static str, String)>,
}

/// What an edit is chosen by: chance, and the rows that are there.
pub struct Editor<'a> {
    pub(crate) rng: Rng,
    /// The rows the user has.
    pub(crate) dump: &'a Dump,
    pub(crate) user: &'a str,
    /// Begins every text that is written, so that it tells who wrote it.
    pub(crate) author: String,
    /// Makes every text that is written a new one.
    pub(crate) number: u64,
    /// By the clock of the database.
    pub(crate) now_ms: i64,
    pub(crate) backend: DbBackend,
    pub(crate) options: &'a Options,
    pub(crate) setup: &'a Setup,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Insert,
    Upsert,
    Change,
    Group,
    Rename,
    Bulk,
    BackAndForth,
    Delete,
    Remove,
    Undelete,
    User,
}

impl Editor<'_> {
    /// The account.
    pub fn user(&self) -> &str {
        self.user
    }

    /// Now, by the clock of the database.
    pub fn now_ms(&self) -> i64 {
        self.now_ms
    }

    /// What may happen in this simulation.
    pub fn options(&self) -> &Options {
        self.options
    }

    /// Where a choice is made by chance: from 0 up to but not including `n`.
    pub fn below(&mut self, n: usize) -> usize {
        self.rng.below(n)
    }

    /// True in so many of a hundred cases.
    pub fn percent(&mut self, percent: u64) -> bool {
        self.rng.percent(percent)
    }

    /// The id of any live row of a table.
    pub fn live(&mut self, table: &str) -> Option<i64> {
        Some(self.live_row(table)?.id)
    }

    /// The id of any deleted row of a table whose parents are not deleted.
    pub fn deleted(&mut self, table: &str) -> Option<i64> {
        Some(self.deleted_row(table)?.id)
    }

    /// The ids of all live rows of a table.
    pub fn all_live(&self, table: &str) -> Vec<i64> {
        let live = self.dump.of(table).filter(|row| row.live());
        live.map(|row| row.id).collect()
    }

    /// An edit that makes sense here, if one was found.
    pub(crate) fn choose(&mut self) -> Option<Edit> {
        let options = self.options;
        let only_if = |on: bool, weight| if on { weight } else { 0 };
        let kinds = [
            (26, Kind::Insert),
            (8, Kind::Upsert),
            (24, Kind::Change),
            (8, Kind::Group),
            (3, Kind::Rename),
            (6, Kind::Bulk),
            (3, Kind::BackAndForth),
            (9, Kind::Delete),
            (only_if(options.hard_deletes, 3), Kind::Remove),
            (only_if(options.undeletes, 5), Kind::Undelete),
            (only_if(self.setup.edits.is_some(), 9), Kind::User),
        ];
        (0..4).find_map(|_| {
            let sql = match self.rng.weighted(&kinds)? {
                Kind::BackAndForth => return self.back_and_forth(),
                Kind::Insert => return self.insert(),
                Kind::Upsert => return self.upsert(),
                Kind::Change => self.change(),
                Kind::Group => self.group(),
                Kind::Rename => self.rename(),
                Kind::Bulk => self.bulk(),
                Kind::Delete => self.delete(),
                Kind::Remove => return self.remove().map(Edit::Delete),
                Kind::Undelete => self.undelete(),
                Kind::User => {
                    let edits = self.setup.edits.clone()?;
                    return edits.choose(self).map(Edit::User);
                }
            };
            sql.map(Edit::Sql)
        })
    }
}

impl Edit {
    /// The edits it consists of, one after the other.
    pub(crate) fn parts(self) -> Vec<Self> {
        match self {
            Self::Undone(there, back) => vec![Self::Sql(there), Self::Sql(back)],
            part => vec![part],
        }
    }

    /// Makes the edit.
    ///
    /// # Errors
    /// What the database says, such as that a key is taken: then nothing was written.
    pub(crate) async fn make(&self, db: &DatabaseConnection) -> Result<(), DbErr> {
        match self {
            Self::Sql(sql) | Self::Delete(sql) | Self::Insert(NewRow { sql, .. }) => {
                db.execute_unprepared(sql).await.map(|_| ())
            }
            Self::Undone(there, back) => {
                db.execute_unprepared(there).await?;
                db.execute_unprepared(back).await.map(|_| ())
            }
            Self::User(edit) => edit.make(db).await,
        }
    }

    pub(crate) fn text(&self) -> String {
        match self {
            Self::Sql(sql) | Self::Delete(sql) | Self::Insert(NewRow { sql, .. }) => sql.clone(),
            Self::Undone(there, back) => format!("{there}; {back}"),
            Self::User(edit) => format!("{edit:?}"),
        }
    }
}
