//! A known row that is to get a natural key which another live row has: by a rename, an undelete or a
//! move to another parent. It never ends in an error.
//!
//! Rows that only trade their keys get them. A row that was renamed, or that others belong to, gets a
//! suffix, ` (2)` and so on; any other row gives way to the one that has the key, and is deleted.

use sea_orm::{
    ActiveModelTrait, ColumnTrait, ColumnType, DatabaseTransaction, DbErr, TransactionTrait,
};

use super::{
    PushContext, ServerError,
    decide::{Planned, as_merged},
    twin,
};
use crate::{
    db_error::is_the_rows,
    rows::Write,
    shape::DELETED_AT,
    syncable::Syncable,
    table::Table,
    wire::{Millis, WireRow},
};

/// Suffixes that are tried before a row gives way after all.
pub(super) const SUFFIXES: std::ops::RangeInclusive<u32> = 2..=999;

impl<E: Syncable> Table<E> {
    /// Writes rows that trade keys among themselves: all are parked on keys nobody has, then written.
    /// False, and nothing written, if one of them still finds its key taken.
    pub(crate) async fn write_traded(
        &self,
        tx: &DatabaseTransaction,
        rows: Vec<E::ActiveModel>,
    ) -> Result<bool, DbErr> {
        let Some(column) = text_key::<E>().filter(|_| rows.len() > 1) else {
            return Ok(false);
        };
        let point = tx.begin().await?;
        let (table, id) = (E::SHAPE.table, E::SHAPE.id);
        for row in &rows {
            let Some(row_id) = row.get(Self::id()).into_value() else {
                continue;
            };
            let sql = format!("UPDATE \"{table}\" SET \"{column}\" = $1 WHERE \"{id}\" = $2");
            let parked = format!("\u{1}parked {row_id:?}");
            crate::tx::execute(&point, &sql, vec![parked.into(), row_id]).await?;
        }
        match self.update(&point, rows).await {
            Ok(()) => point.commit().await.map(|()| true),
            Err(error) if is_the_rows(&error) => point.rollback().await.map(|()| false),
            Err(error) => Err(error),
        }
    }

    /// Writes a row whose key is taken under a free one, or deleted.
    pub(super) async fn write_elsewhere(
        &self,
        tx: &DatabaseTransaction,
        cx: &PushContext<'_>,
        planned: &mut Planned<E>,
    ) -> Result<bool, ServerError> {
        if twin::make_room::<E>(tx, &planned.active).await? && self.write_one(tx, planned).await? {
            return Ok(true);
        }
        if twin::other::<E>(tx, &planned.active).await?.is_none() {
            // Some other key of the database's own, of which the entity says nothing.
            return Ok(false);
        }
        if let Some(column) =
            text_key::<E>().filter(|column| self.may_be_suffixed(cx, planned, column))
        {
            let Some(name) = planned
                .row
                .column(column)
                .and_then(|name| name.as_str().map(str::to_owned))
            else {
                return Ok(false);
            };
            for number in SUFFIXES {
                let name = suffixed(&name, number);
                planned
                    .active
                    .try_set(Self::column(column), name.clone().into())?;
                if twin::find::<E>(tx, &planned.active).await?.is_none()
                    && self.write_one(tx, planned).await?
                {
                    planned.row.set_column(column, name.into());
                    if let Some(register) = E::SHAPE.register_of(column) {
                        let register = E::SHAPE.registers[register].name;
                        planned.entry.clocks.overrule(register, cx.now_ms);
                    }
                    self.overrule_verdict(planned, "key_taken");
                    return Ok(true);
                }
            }
        }
        self.give_way(tx, cx, planned).await
    }

    fn may_be_suffixed(&self, cx: &PushContext<'_>, planned: &Planned<E>, column: &str) -> bool {
        let register = E::SHAPE.register_of(column);
        let renamed = planned
            .incoming
            .edits
            .iter()
            .any(|edit| Some(edit.register) == register);
        renamed
            || cx
                .registry
                .referring_to(E::SHAPE.table)
                .any(|(_, target)| target.parent)
    }

    async fn give_way(
        &self,
        tx: &DatabaseTransaction,
        cx: &PushContext<'_>,
        planned: &mut Planned<E>,
    ) -> Result<bool, ServerError> {
        let at = Millis(cx.now_ms);
        planned.row.set_deleted_at(Some(at));
        planned
            .active
            .try_set(Self::column(DELETED_AT), at.to_utc().into())?;
        planned.entry.deleted_at = Some(at.0);
        planned.entry.clocks.overrule(DELETED_AT, cx.now_ms);
        self.overrule_verdict(planned, "gave_way");
        Ok(self.write_one(tx, planned).await?)
    }

    fn overrule_verdict(&self, planned: &mut Planned<E>, code: &str) {
        let verdict = as_merged(planned.verdict.clone(), &planned.row, &planned.entry.clocks);
        planned.verdict = crate::protocol::Verdict {
            code: Some(code.to_owned()),
            ..verdict
        };
    }

    async fn write_one(
        &self,
        tx: &DatabaseTransaction,
        planned: &Planned<E>,
    ) -> Result<bool, DbErr> {
        Ok(self
            .write_each(tx, vec![planned.active.clone()], Write::Update)
            .await?
            .is_empty())
    }
}

/// A name that is told from the one that is taken.
pub(super) fn suffixed(name: &str, number: u32) -> String {
    format!("{name} ({number})")
}

/// The text column of a natural key that tells its rows apart for people: the last one.
pub(crate) fn text_key<E: Syncable>() -> Option<&'static str> {
    let columns = E::SHAPE
        .natural_keys
        .iter()
        .flat_map(|key| key.iter().rev().copied());
    let mut texts = columns.filter(|name| {
        let kind = Table::<E>::column(name).def();
        matches!(
            kind.get_column_type(),
            ColumnType::Text | ColumnType::String(_)
        )
    });
    texts.next()
}
