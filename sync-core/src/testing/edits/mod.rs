//! What users do: one random edit of a database, written as the app writes it or through SeaORM.

mod change;
mod insert;
mod models;
mod remove;
mod values;

use anyhow::Result;
use sea_orm::{ConnectionTrait, DatabaseConnection};

pub(crate) use models::ModelEdit;
pub(crate) use values::ADDONS;

use super::{dump::Dump, options::Options, rng::Rng};

/// One edit, ready to be made.
#[derive(Clone, Debug)]
pub(crate) enum Edit {
    /// Hand-written SQL, as most of the app's.
    Sql(String),
    /// The same, taken back at once.
    Undone(String, String),
    /// Through SeaORM.
    Model(ModelEdit),
}

/// What an edit is chosen by.
pub(crate) struct Editor<'a> {
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
    pub(crate) options: &'a Options,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Insert,
    Upsert,
    Change,
    Progress,
    RenameList,
    Bulk,
    BackAndForth,
    Delete,
    Remove,
    Undelete,
    Model,
}

impl Editor<'_> {
    /// An edit that makes sense here, if one was found.
    pub(crate) fn choose(&mut self) -> Option<Edit> {
        let kinds = [
            (26, Kind::Insert),
            (8, Kind::Upsert),
            (24, Kind::Change),
            (8, Kind::Progress),
            (3, Kind::RenameList),
            (6, Kind::Bulk),
            (3, Kind::BackAndForth),
            (9, Kind::Delete),
            (if self.options.hard_deletes { 3 } else { 0 }, Kind::Remove),
            (if self.options.undeletes { 5 } else { 0 }, Kind::Undelete),
            (9, Kind::Model),
        ];
        (0..4).find_map(|_| {
            let sql = match self.rng.weighted(&kinds)? {
                Kind::BackAndForth => return self.back_and_forth(),
                Kind::Insert => self.insert(),
                Kind::Upsert => self.upsert(),
                Kind::Change => self.change(),
                Kind::Progress => self.progress(),
                Kind::RenameList => self.rename_list(),
                Kind::Bulk => self.bulk(),
                Kind::Delete => self.delete(),
                Kind::Remove => self.remove(),
                Kind::Undelete => self.undelete(),
                Kind::Model => return self.model().map(Edit::Model),
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
    pub(crate) async fn make(&self, db: &DatabaseConnection) -> Result<()> {
        match self {
            Self::Sql(sql) => db.execute_unprepared(sql).await.map(|_| ())?,
            Self::Undone(there, back) => {
                db.execute_unprepared(there).await?;
                db.execute_unprepared(back).await?;
            }
            Self::Model(edit) => edit.make(db).await?,
        }
        Ok(())
    }

    pub(crate) fn text(&self) -> String {
        match self {
            Self::Sql(sql) => sql.clone(),
            Self::Undone(there, back) => format!("{there}; {back}"),
            Self::Model(edit) => format!("{edit:?}"),
        }
    }
}
