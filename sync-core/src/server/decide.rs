//! What becomes of one pushed row. Decisions only: nothing here reads or writes a database.

use sea_orm::{ActiveModelTrait, IntoActiveModel};
use serde_json::value::to_raw_value;

use super::{
    Entry, PushContext,
    cascade::Event,
    incoming::Incoming,
    push::{Known, rejected},
};
use crate::{
    clocks::{Clocks, Stamp},
    merge::{Merged, merge},
    protocol::{Verdict, VerdictKind},
    refs::LocalIds,
    registry::OnDelete,
    shape::DELETED_AT,
    syncable::{FieldError, FieldErrorCode, Syncable},
    table::Table,
    wire::{Field, Millis, WireRow},
};

/// What is to be done for one pushed row.
pub(super) enum Outcome<E: Syncable> {
    Answer(Verdict),
    Restamp(Verdict, Entry),
    Insert(Box<Planned<E>>),
    Update(Box<Planned<E>>),
}

/// A row to be written, with what it takes to answer for it.
pub(super) struct Planned<E: Syncable> {
    pub(super) row: E::Wire,
    pub(super) position: usize,
    pub(super) pushed_as: String,
    pub(super) active: E::ActiveModel,
    pub(super) entry: Entry,
    pub(super) verdict: Verdict,
    pub(super) incoming: Incoming<E::Wire>,
}

impl<E: Syncable> Table<E> {
    pub(super) fn merge_known(
        &self,
        cx: &mut PushContext<'_>,
        ids: &LocalIds,
        incoming: Incoming<E::Wire>,
        entry: Entry,
        model: Option<E::Model>,
        names: &crate::refs::RemoteNames,
    ) -> Outcome<E> {
        let Some(model) = model else {
            return Outcome::Answer(gone(&incoming, &entry));
        };
        let mut row = E::to_wire(model.clone(), names);
        let mut clocks = entry.clocks.clone();
        let was_deleted = row.deleted_at();
        // A row that is sent whole is made, not undeleted.
        let mut incoming = incoming;
        let made_under_deleted = incoming.whole
            && was_deleted.is_some()
            && incoming.row.deleted_at().is_none()
            && self.dead_parent(cx, &row).is_some();
        if made_under_deleted {
            incoming.leave_deleted(&E::SHAPE, was_deleted.map(|at| at.0));
        }
        let edits = incoming.stamped(&E::SHAPE, &cx.keeper, &clocks);
        let old_parents = row.clone();
        let mut merged = merge(&E::SHAPE, &mut row, &mut clocks, &incoming.row, &edits);
        if was_deleted.is_some()
            && row.deleted_at().is_none()
            && self.knew_parent_dead(cx, &row, &incoming)
        {
            let message = "the row it belongs to is deleted; undelete that one first";
            return Outcome::Answer(rejected(
                &incoming.pushed_as,
                "parent_deleted",
                Some(DELETED_AT),
                message,
            ));
        }
        self.keep_own_deletion(&incoming, &row, was_deleted, &mut clocks, &mut merged);
        if was_deleted.is_some() && row.deleted_at() == was_deleted {
            self.revive_moved(cx, &old_parents, &mut row, &mut clocks, &mut merged);
        }
        let code = self
            .obey_parents(cx, &mut row, &mut clocks, &mut merged)
            .or(made_under_deleted.then_some("parent_deleted"));
        let mut verdict = self.verdict(&incoming, &merged, code, &row, &clocks);
        if incoming.pushed_as != incoming.remote_id {
            verdict.renamed_to = Some(incoming.remote_id.clone());
            verdict = as_merged(verdict, &row, &clocks);
        }
        let entry = Entry {
            clocks,
            deleted_at: row.deleted_at().map(|at| at.0),
            ..entry
        };
        if merged.changed.is_empty() {
            return if merged.restamped {
                Outcome::Restamp(verdict, entry)
            } else {
                Outcome::Answer(verdict)
            };
        }
        let mut patch = E::Wire::default();
        merged
            .changed
            .iter()
            .for_each(|&register| patch.take(register, &row));
        let mut active = model.into_active_model();
        if let Err(error) = E::from_wire(patch, ids, &mut active) {
            return Outcome::Answer(refuse(&incoming.pushed_as, &error));
        }
        self.note_event(cx, &entry, was_deleted, row.deleted_at());
        E::set_meta(
            &mut active,
            None,
            &entry.remote_id,
            Millis(entry.clocks.latest()),
        );
        let (position, pushed_as) = (incoming.position, incoming.pushed_as.clone());
        Outcome::Update(Box::new(Planned {
            row,
            position,
            pushed_as,
            active,
            entry,
            verdict,
            incoming,
        }))
    }

    pub(super) fn plan_new(
        &self,
        cx: &mut PushContext<'_>,
        ids: &LocalIds,
        incoming: Incoming<E::Wire>,
    ) -> Outcome<E> {
        if incoming.row.deleted_at().is_some() {
            // Deleted before anybody here has seen it.
            return Outcome::Answer(Verdict::plain(&incoming.pushed_as, VerdictKind::Unchanged));
        }
        if !incoming.whole {
            let message = "the server does not have this row; send it whole";
            return Outcome::Answer(rejected(&incoming.pushed_as, "unknown_id", None, message));
        }
        if cx.room == Some(0) {
            let message = "the account has as many rows as this server allows; delete some, or ask its administrator";
            return Outcome::Answer(rejected(&incoming.pushed_as, "account_full", None, message));
        }
        let mut row = incoming.row.clone();
        let mut clocks = incoming.first_clocks(&E::SHAPE, &cx.keeper);
        let mut merged = Merged::default();
        let code = self.obey_parents(cx, &mut row, &mut clocks, &mut merged);
        let mut active = <E::ActiveModel as ActiveModelTrait>::default();
        if let Err(error) = E::from_wire(row.clone(), ids, &mut active) {
            return Outcome::Answer(refuse(&incoming.pushed_as, &error));
        }
        if !self.give_owner(cx, &row, &mut active) {
            let message = "it belongs to no row of this account; set one of its parents";
            return Outcome::Answer(rejected(&incoming.pushed_as, "no_parent", None, message));
        }
        let verdict = self.verdict(&incoming, &merged, code, &row, &clocks);
        let verdict = match verdict.verdict {
            VerdictKind::Unchanged => Verdict {
                verdict: VerdictKind::Applied,
                ..verdict
            },
            _ => verdict,
        };
        let entry = Entry {
            table: E::SHAPE.table.to_owned(),
            remote_id: incoming.remote_id.clone(),
            seq: 0,
            row_id: 0,
            clocks,
            deleted_at: row.deleted_at().map(|at| at.0),
        };
        cx.room = cx.room.map(|room| room.saturating_sub(1));
        let (position, pushed_as) = (incoming.position, incoming.pushed_as.clone());
        Outcome::Insert(Box::new(Planned {
            row,
            position,
            pushed_as,
            active,
            entry,
            verdict,
            incoming,
        }))
    }

    pub(super) fn give_owner(
        &self,
        cx: &PushContext<'_>,
        row: &E::Wire,
        active: &mut E::ActiveModel,
    ) -> bool {
        let child = |number: usize| {
            self.targets[number].parent && matches!(row.reference(number), Field::Present(Some(_)))
        };
        E::set_owner(active, &cx.caller.user_id) || (0..self.targets.len()).any(child)
    }

    /// The deletion time of a parent that is deleted, if one is.
    pub(super) fn dead_parent(&self, cx: &PushContext<'_>, row: &E::Wire) -> Option<i64> {
        let parents = self
            .targets
            .iter()
            .enumerate()
            .filter(|(_, target)| target.on_delete == OnDelete::Cascade);
        parents
            .filter_map(|(number, target)| deleted_target(cx, &target.table, row.reference(number)))
            .min()
    }

    /// Whether the device that edits a row's deletion knew of that of its parent: what it says then makes no
    /// sense. One that did not know has its edit, which shows once the parent is back.
    fn knew_parent_dead(
        &self,
        cx: &PushContext<'_>,
        row: &E::Wire,
        incoming: &Incoming<E::Wire>,
    ) -> bool {
        let deleted = E::SHAPE.deleted_register();
        let edit = incoming.edits.iter().find(|edit| edit.register == deleted);
        let seen = edit.map_or(0, |edit| edit.seen);
        let parents = self
            .targets
            .iter()
            .enumerate()
            .filter(|(_, target)| target.on_delete == OnDelete::Cascade);
        let mut dead = parents.filter_map(|(number, target)| {
            target_of(cx, &target.table, row.reference(number))
                .filter(|target| target.deleted_at.is_some())
        });
        dead.any(|parent| parent.since <= seen)
    }

    /// A row cannot live under a deleted parent, nor keep a reference that its deletion sets to NULL.
    pub(super) fn obey_parents(
        &self,
        cx: &PushContext<'_>,
        row: &mut E::Wire,
        clocks: &mut Clocks,
        merged: &mut Merged,
    ) -> Option<&'static str> {
        for (number, target) in self.targets.iter().enumerate() {
            let gone = deleted_target(cx, &target.table, row.reference(number)).is_some();
            if gone && target.on_delete == OnDelete::SetNull {
                *row.reference_mut(number) = Field::Present(None);
                merged.overrule(E::SHAPE.register_of(target.column));
            }
        }
        let at = self.dead_parent(cx, row)?;
        if row.deleted_at().is_some() {
            return None;
        }
        row.set_deleted_at(Some(Millis(at)));
        clocks.overrule(DELETED_AT, cx.now_ms);
        merged.overrule(Some(E::SHAPE.deleted_register()));
        Some("parent_deleted")
    }

    pub(super) fn verdict(
        &self,
        incoming: &Incoming<E::Wire>,
        merged: &Merged,
        code: Option<&'static str>,
        row: &E::Wire,
        clocks: &Clocks,
    ) -> Verdict {
        let kind = if merged.changed.is_empty() {
            VerdictKind::Unchanged
        } else {
            VerdictKind::Applied
        };
        let verdict = Verdict {
            code: code.map(str::to_owned),
            ..Verdict::plain(&incoming.pushed_as, kind)
        };
        let as_pushed = incoming
            .edits
            .iter()
            .all(|edit| row.same(edit.register, &incoming.row));
        let as_pushed = as_pushed && !incoming.deletion_shifted;
        let overruled =
            !merged.beaten.is_empty() || !as_pushed || incoming.normalised || code.is_some();
        if overruled {
            as_merged(verdict, row, clocks)
        } else {
            verdict
        }
    }

    pub(super) fn note_event(
        &self,
        cx: &mut PushContext<'_>,
        entry: &Entry,
        was: Option<Millis>,
        is: Option<Millis>,
    ) {
        if was != is {
            cx.events.push(Event {
                table: E::SHAPE.table,
                row_id: entry.row_id,
                was: was.map(|at| at.0),
                is: is.map(|at| at.0),
                stamp: entry.clocks.get(DELETED_AT),
            });
        }
    }

    /// A device that deletes a row at the time at which its parent's deletion has deleted it here deletes
    /// the row itself: it does not come back by moving away from that parent.
    fn keep_own_deletion(
        &self,
        incoming: &Incoming<E::Wire>,
        row: &E::Wire,
        was_deleted: Option<Millis>,
        clocks: &mut Clocks,
        merged: &mut Merged,
    ) {
        let register = E::SHAPE.deleted_register();
        let current = clocks.get(DELETED_AT);
        let again = was_deleted.is_some()
            && row.deleted_at() == was_deleted
            && incoming.row.deleted_at() == was_deleted
            && current.is_followed();
        let edited = incoming.edits.iter().find(|edit| edit.register == register);
        if let Some(edit) = edited.filter(|_| again) {
            let device = incoming.device;
            clocks.set(DELETED_AT, Stamp::new(current.0, device, edit.at));
            merged.restamped |= device != current.1;
        }
    }

    /// A row that is deleted only because its parent is lives again once it is moved to a live one, as it
    /// would have lived on if the move had come before the deletion.
    fn revive_moved(
        &self,
        cx: &PushContext<'_>,
        before: &E::Wire,
        row: &mut E::Wire,
        clocks: &mut Clocks,
        merged: &mut Merged,
    ) {
        let deleted_at = row.deleted_at().map(|at| at.0);
        let left_dead_parent = self.targets.iter().enumerate().any(|(number, target)| {
            target.on_delete == OnDelete::Cascade
                && before.reference(number) != row.reference(number)
                && deleted_target(cx, &target.table, before.reference(number)) == deleted_at
        });
        let stamp = clocks.get(DELETED_AT);
        if !left_dead_parent || !stamp.is_followed() || self.dead_parent(cx, row).is_some() {
            return;
        }
        row.set_deleted_at(None);
        // As if the parent's deletion had not touched it: a device's own deletion, still to come, stands.
        let at = stamp.at().saturating_sub(1);
        clocks.set(DELETED_AT, Stamp::new(at, 0, at));
        merged.overrule(Some(E::SHAPE.deleted_register()));
    }
}

impl Merged {
    /// What the server made of the row stands, whatever was pushed.
    fn overrule(&mut self, register: Option<usize>) {
        let Some(register) = register else { return };
        if !self.changed.contains(&register) {
            self.changed.push(register);
        }
        self.beaten.push(register);
    }
}

fn deleted_target(
    cx: &PushContext<'_>,
    table: &str,
    reference: &Field<Option<String>>,
) -> Option<i64> {
    target_of(cx, table, reference)?.deleted_at
}

fn target_of<'a>(
    cx: &'a PushContext<'_>,
    table: &str,
    reference: &Field<Option<String>>,
) -> Option<&'a Known> {
    let name = reference.as_ref()?.as_deref()?;
    cx.known.get(table)?.get(name)
}

pub(super) fn as_merged<W: WireRow>(verdict: Verdict, row: &W, clocks: &Clocks) -> Verdict {
    Verdict {
        verdict: VerdictKind::Merged,
        row: to_raw_value(row).ok(),
        at: Some(clocks.latest()),
        ..verdict
    }
}

/// The row was deleted in the server's database for good: nothing is left to merge into.
pub(super) fn gone<W: WireRow>(incoming: &Incoming<W>, entry: &Entry) -> Verdict {
    let verdict = Verdict::plain(&incoming.pushed_as, VerdictKind::Unchanged);
    let at = entry
        .deleted_at
        .unwrap_or_else(|| entry.deletion_stamp().at());
    if incoming.row.deleted_at().is_some() {
        return verdict;
    }
    let mut row = W::default();
    row.set_deleted_at(Some(Millis(at)));
    Verdict {
        code: Some("gone".to_owned()),
        ..as_merged(verdict, &row, &entry.clocks)
    }
}

fn refuse(remote_id: &str, error: &FieldError) -> Verdict {
    let (code, message) = match error.code {
        FieldErrorCode::Required => ("required", "this column needs a value"),
        FieldErrorCode::OutOfRange => ("out_of_range", "this column cannot hold the value"),
        FieldErrorCode::UnknownReference => (
            "unknown_parent",
            "the row it refers to is not on the server",
        ),
    };
    rejected(remote_id, code, Some(error.column), message)
}
