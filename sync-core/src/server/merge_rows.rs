//! One table's part of a push: parse, find what is there, merge each row, write all at once.

use std::collections::{HashMap, HashSet};

use sea_orm::DatabaseTransaction;
use serde_json::value::RawValue;

use super::{
    Entry, PushContext, ServerError, absorb,
    decide::Outcome,
    feed,
    incoming::{Incoming, parse},
    push::{Seen, rejected},
    resolve::Found,
};
use crate::{
    protocol::{Verdict, VerdictKind, name_in},
    shape::Shape,
    syncable::Syncable,
    table::Table,
    wire::WireRow,
};

impl<E: Syncable> Table<E> {
    pub(crate) async fn merge_rows(
        &self,
        tx: &DatabaseTransaction,
        cx: &mut PushContext<'_>,
        rows: &[&RawValue],
    ) -> Result<Vec<Verdict>, ServerError> {
        let mut verdicts: Vec<Option<Verdict>> = vec![None; rows.len()];
        let mut incoming = self.parse_rows(cx, rows, &mut verdicts);
        self.resolve_references(tx, cx, &mut incoming, &mut verdicts)
            .await?;
        let ids = self.local_ids(tx, cx, &incoming).await?;
        let Found {
            entries,
            mut models,
            unreadable,
        } = self.find_rows(tx, cx, &mut incoming).await?;
        let lost = self.lost(tx, &entries, &models, &unreadable).await?;
        let names = self.names(tx, models.values()).await?;
        let revived: HashSet<i64> = incoming
            .iter()
            .filter(|i| self.may_revive(i))
            .filter_map(|i| entries.get(&i.remote_id).map(|entry| entry.row_id))
            .collect();
        let revived = models.values().filter(|m| revived.contains(&E::meta(m).id));
        self.resolve_old_parents(tx, cx, revived, &names).await?;
        self.expect_undeleted(cx, &incoming);
        let mut merged = HashSet::new();

        let (mut inserts, mut updates, mut restamped) = (Vec::new(), Vec::new(), Vec::new());
        for incoming in incoming {
            let position = incoming.position;
            let there = entries.get(&incoming.remote_id);
            if there.is_some_and(|entry| unreadable.contains(&entry.row_id)) {
                verdicts[position] = Some(cannot_read(&incoming.pushed_as));
                continue;
            }
            if !merged.insert(incoming.remote_id.clone()) {
                // By two of its names.
                verdicts[position] = Some(stands_twice(&incoming.pushed_as));
                continue;
            }
            let outcome = match there {
                Some(entry) if lost.contains(&entry.remote_id) && is_live(&incoming) => {
                    self.plan_new(cx, &ids, incoming)
                }
                Some(entry) => {
                    let model = models.remove(&entry.row_id);
                    self.merge_known(cx, &ids, incoming, entry.clone(), model, &names)
                }
                None => self.plan_new(cx, &ids, incoming),
            };
            match outcome {
                Outcome::Answer(verdict) => verdicts[position] = Some(verdict),
                Outcome::Restamp(verdict, entry) => {
                    verdicts[position] = Some(verdict);
                    restamped.push(entry);
                }
                Outcome::Insert(planned) => inserts.push(*planned),
                Outcome::Update(planned) => updates.push(*planned),
            }
        }
        feed::put(tx, cx.account, &restamped).await?;
        self.write_updates(tx, cx, updates, &mut verdicts).await?;
        self.write_inserts(tx, cx, inserts, &ids, &mut verdicts)
            .await?;
        Ok(self.finish(cx, rows, verdicts))
    }

    /// Of a tree, what is undeleted in one push comes back together, whatever order it stands in.
    fn expect_undeleted(&self, cx: &mut PushContext<'_>, incoming: &[Incoming<E::Wire>]) {
        let register = E::SHAPE.deleted_register();
        let Some(known) = cx.known.get_mut(E::SHAPE.table) else {
            return;
        };
        let undeleted = incoming.iter().filter(|incoming| {
            is_live(incoming) && incoming.edits.iter().any(|edit| edit.register == register)
        });
        for incoming in undeleted.filter(|incoming| !incoming.whole) {
            if let Some(row) = known.get_mut(&incoming.remote_id) {
                row.deleted_at = None;
            }
        }
    }

    /// Whether a deleted row may live after this: it is undeleted, or moved to another parent.
    fn may_revive(&self, incoming: &Incoming<E::Wire>) -> bool {
        let deleted_at = E::SHAPE.deleted_register();
        let undeleted = incoming.row.has(deleted_at) && incoming.row.deleted_at().is_none();
        undeleted || (0..self.targets.len()).any(|n| !incoming.row.reference(n).is_absent())
    }

    /// Rows of the feed that vanished from their table unseen, by a write past the triggers: nobody deleted
    /// them, so whoever still has one brings it back.
    async fn lost(
        &self,
        tx: &DatabaseTransaction,
        entries: &HashMap<String, Entry>,
        models: &HashMap<i64, E::Model>,
        unreadable: &HashSet<i64>,
    ) -> Result<HashSet<String>, ServerError> {
        let mut lost = HashSet::new();
        for entry in entries.values() {
            let there = models.contains_key(&entry.row_id) || unreadable.contains(&entry.row_id);
            if entry.deleted_at.is_none() && !there && !absorb::is_deleted(tx, entry).await? {
                lost.insert(entry.remote_id.clone());
            }
        }
        Ok(lost)
    }

    fn parse_rows(
        &self,
        cx: &mut PushContext<'_>,
        rows: &[&RawValue],
        verdicts: &mut [Option<Verdict>],
    ) -> Vec<Incoming<E::Wire>> {
        let before = cx.seen.remove(E::SHAPE.table).unwrap_or_default();
        let mut seen = HashMap::with_capacity(rows.len());
        let mut parsed = Vec::with_capacity(rows.len());
        for (position, row) in rows.iter().enumerate() {
            match parse::<E::Wire>(&E::SHAPE, &cx.reading(), position, row) {
                Ok(incoming) => {
                    let name = &incoming.remote_id;
                    if seen.contains_key(name) || before.get(name) == Some(&Seen::Row) {
                        verdicts[position] = Some(stands_twice(name));
                    } else {
                        seen.insert(name.clone(), how_it_stands(&E::SHAPE, &incoming));
                        parsed.push(incoming);
                    }
                }
                Err(verdict) => verdicts[position] = Some(*verdict),
            }
        }
        seen.extend(before);
        cx.seen.insert(E::SHAPE.table, seen);
        parsed
    }

    fn finish(
        &self,
        cx: &mut PushContext<'_>,
        rows: &[&RawValue],
        verdicts: Vec<Option<Verdict>>,
    ) -> Vec<Verdict> {
        let refused = cx.rejected.entry(E::SHAPE.table.to_owned()).or_default();
        let answered = verdicts.into_iter().zip(rows).map(|(verdict, row)| {
            let verdict = verdict.unwrap_or_else(|| {
                rejected(&name_in(row), "constraint", None, "the row was not taken")
            });
            if verdict.verdict == VerdictKind::Rejected {
                refused.insert(verdict.remote_id.clone());
            }
            verdict
        });
        answered.collect()
    }
}

fn is_live<W: WireRow>(incoming: &Incoming<W>) -> bool {
    incoming.row.deleted_at().is_none()
}

fn how_it_stands<W>(shape: &Shape, incoming: &Incoming<W>) -> Seen {
    match incoming.edits.as_slice() {
        [edit] if edit.register == shape.deleted_register() => Seen::Deletion,
        _ => Seen::Row,
    }
}

fn stands_twice(name: &str) -> Verdict {
    let message = "this row stands twice in the push; send it once";
    rejected(name, "duplicate_in_push", None, message)
}

/// The verdict for an edit of a row that another program stored so that it cannot be read.
fn cannot_read(name: &str) -> Verdict {
    let message = "the server's own copy of this row cannot be read; it has to be corrected there";
    rejected(name, "unreadable", None, message)
}
