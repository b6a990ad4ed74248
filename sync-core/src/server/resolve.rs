//! What a push's rows stand for and lead to: feed entries, rows and parents, aliases followed.

use std::collections::{HashMap, HashSet};

use sea_orm::DatabaseTransaction;

use super::{
    Entry, PushContext, ServerError, absorb, feed,
    incoming::Incoming,
    push::{Known, rejected},
};
use crate::{
    protocol::Verdict,
    refs::{LocalIds, RemoteNames},
    registry::OnDelete,
    syncable::Syncable,
    table::Table,
    wire::{Field, WireRow},
};

impl<E: Syncable> Table<E> {
    /// Follows aliases in foreign keys; rows whose parents are not here are answered.
    pub(super) async fn resolve_references(
        &self,
        tx: &DatabaseTransaction,
        cx: &mut PushContext<'_>,
        incoming: &mut Vec<Incoming<E::Wire>>,
        verdicts: &mut [Option<Verdict>],
    ) -> Result<(), ServerError> {
        for (number, target) in self.targets.iter().enumerate() {
            let names: HashSet<String> = incoming
                .iter()
                .filter_map(|i| i.row.reference(number).as_ref()?.clone())
                .collect();
            resolve(tx, cx, &target.table, &names).await?;
            let known = &cx.known[&target.table];
            incoming.retain_mut(|incoming| {
                let Field::Present(Some(name)) = incoming.row.reference(number) else {
                    return true;
                };
                if let Some(parent) = known.get(name) {
                    if parent.remote_id != *name {
                        *incoming.row.reference_mut(number) =
                            Field::Present(Some(parent.remote_id.clone()));
                    }
                    return true;
                }
                if incoming.row.deleted_at().is_some() {
                    // A deletion needs no parent.
                    *incoming.row.reference_mut(number) = Field::Absent;
                    return true;
                }
                let refused = cx
                    .rejected
                    .get(&target.table)
                    .is_some_and(|names| names.contains(name));
                let (code, message) = if refused {
                    (
                        "parent_rejected",
                        "the row it belongs to was not taken; correct that one first",
                    )
                } else {
                    (
                        "unknown_parent",
                        "the row it refers to is not on the server",
                    )
                };
                verdicts[incoming.position] = Some(rejected(
                    &incoming.pushed_as,
                    code,
                    Some(target.column),
                    message,
                ));
                false
            });
        }
        Ok(())
    }

    /// Makes known what deleted rows belonged to before this push, where it may undelete them or move them.
    pub(super) async fn resolve_old_parents(
        &self,
        tx: &DatabaseTransaction,
        cx: &mut PushContext<'_>,
        models: impl Iterator<Item = &E::Model> + Clone,
        names: &RemoteNames,
    ) -> Result<(), ServerError> {
        let dead = models.filter(|model| E::meta(model).deleted_at.is_some());
        for (number, target) in self.targets.iter().enumerate() {
            if target.on_delete != OnDelete::Cascade {
                continue;
            }
            let parents = dead
                .clone()
                .filter_map(|model| names.reference(number, E::reference_id(model, number)));
            let parents: HashSet<String> = parents.collect();
            resolve(tx, cx, &target.table, &parents).await?;
        }
        Ok(())
    }

    pub(super) async fn local_ids(
        &self,
        tx: &DatabaseTransaction,
        cx: &PushContext<'_>,
        incoming: &[Incoming<E::Wire>],
    ) -> Result<LocalIds, ServerError> {
        let by_name = |table: &String| -> HashMap<String, i64> {
            let known = cx.known.get(table).into_iter().flatten();
            known
                .map(|(_, row)| (row.remote_id.clone(), row.row_id))
                .collect()
        };
        Ok(LocalIds {
            references: self
                .targets
                .iter()
                .map(|target| by_name(&target.table))
                .collect(),
            lookups: self.lookup_ids(tx, incoming.iter().map(|i| &i.row)).await?,
        })
    }

    /// The feed entries and rows that the pushed names stand for, aliases followed.
    pub(super) async fn find_rows(
        &self,
        tx: &DatabaseTransaction,
        cx: &mut PushContext<'_>,
        incoming: &mut [Incoming<E::Wire>],
    ) -> Result<Found<E>, ServerError> {
        let table = E::SHAPE.table;
        let names: Vec<&str> = incoming.iter().map(|i| i.remote_id.as_str()).collect();
        let mut entries = feed::find(tx, cx.account, table, &names).await?;
        let unknown: Vec<&str> = names
            .into_iter()
            .filter(|name| !entries.contains_key(*name))
            .collect();
        let aliases = feed::aliases(tx, cx.account, table, &unknown).await?;
        if !aliases.is_empty() {
            let winners: Vec<&str> = aliases.values().map(String::as_str).collect();
            entries.extend(feed::find(tx, cx.account, table, &winners).await?);
            for row in incoming.iter_mut() {
                if let Some(winner) = aliases.get(&row.remote_id) {
                    row.remote_id.clone_from(winner);
                }
            }
        }
        let ids: Vec<i64> = entries.values().map(|entry| entry.row_id).collect();
        let (models, unreadable) = self.load_or_leave_out(tx, &ids, true).await?;
        if absorb::edited_since(tx, table, &ids).await? {
            absorb::absorb(tx, cx).await?;
            let names: Vec<String> = entries.keys().cloned().collect();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            entries = feed::find(tx, cx.account, table, &names).await?;
        }
        Ok(Found {
            entries,
            models,
            unreadable,
        })
    }
}

/// What a push's rows stand for.
pub(super) struct Found<E: Syncable> {
    /// By name.
    pub(super) entries: HashMap<String, Entry>,
    pub(super) models: HashMap<i64, E::Model>,
    /// Rows that another program stored so that they cannot be read.
    pub(super) unreadable: HashSet<i64>,
}

/// Finds the rows that foreign keys lead to, through aliases, and keeps them in `cx.known`.
async fn resolve(
    tx: &DatabaseTransaction,
    cx: &mut PushContext<'_>,
    table: &str,
    names: &HashSet<String>,
) -> Result<(), ServerError> {
    let known = cx.known.entry(table.to_owned()).or_default();
    let wanted: Vec<&str> = names
        .iter()
        .map(String::as_str)
        .filter(|name| !known.contains_key(*name))
        .collect();
    if wanted.is_empty() {
        return Ok(());
    }
    let mut found = feed::find(tx, cx.account, table, &wanted).await?;
    let missing: Vec<&str> = wanted
        .into_iter()
        .filter(|name| !found.contains_key(*name))
        .collect();
    let aliases = feed::aliases(tx, cx.account, table, &missing).await?;
    let winners: Vec<&str> = aliases.values().map(String::as_str).collect();
    let entries = feed::find(tx, cx.account, table, &winners).await?;
    for (alias, winner) in &aliases {
        if let Some(entry) = entries.get(winner) {
            // By its own name too, which is what the rows that refer to it say from now on.
            found.insert(alias.clone(), entry.clone());
            found.insert(winner.clone(), entry.clone());
        }
    }
    let rows = found.into_iter().map(|(name, entry)| {
        let known = Known {
            row_id: entry.row_id,
            deleted_at: entry.deleted_at,
            since: entry.deletion_stamp().position(),
            remote_id: entry.remote_id,
        };
        (name, known)
    });
    known.extend(rows);
    Ok(())
}
