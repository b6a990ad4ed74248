//! Tables that are not synced but referred to, such as a catalogue shared by all accounts.
//!
//! A reference to one travels as the row's unique key and its plain columns, so that the other side
//! can find the row, or create it where it is missing. An existing row is never changed.

use std::{collections::HashMap, marker::PhantomData};

use async_trait::async_trait;
use sea_orm::{
    ActiveModelTrait, ActiveValue, ColumnTrait, ColumnType, DatabaseTransaction, DbErr,
    EntityTrait, IdenStatic, Iterable, ModelTrait, PrimaryKeyToColumn, QueryFilter,
    TransactionTrait, Value, sea_query::OnConflict,
};

use crate::{
    bulk::{CHUNK, json_to_value, value_to_i64, value_to_json},
    db_error::is_the_rows,
    wire::LookupRow,
};

/// A referred-to table, whatever its entity.
#[async_trait]
pub trait LookupTable: Send + Sync {
    /// The table's name and that of its primary key.
    fn place(&self) -> (String, String);
    /// The rows with these local ids, as they travel.
    async fn rows(
        &self,
        tx: &DatabaseTransaction,
        ids: &[i64],
    ) -> Result<HashMap<i64, LookupRow>, DbErr>;
    /// The local ids of these rows by key; rows that are missing are created, except those that the
    /// database cannot hold.
    async fn ids(
        &self,
        tx: &DatabaseTransaction,
        rows: &[&LookupRow],
    ) -> Result<HashMap<String, i64>, DbErr>;
}

/// The table of entity `E`, whose rows are named by the unique column `key`.
pub struct LookupBy<E: EntityTrait> {
    key: E::Column,
    id: E::Column,
    entity: PhantomData<fn() -> E>,
}

impl<E: EntityTrait> LookupBy<E> {
    /// # Panics
    /// If the entity has no such column: a mistake of the program, found when its registry is built.
    pub fn new(key: &str) -> Self {
        let key = E::Column::iter()
            .find(|c| c.as_str() == key)
            .expect("the lookup key is a column of its table");
        let id = E::PrimaryKey::iter()
            .next()
            .expect("an entity has a primary key")
            .into_column();
        Self {
            key,
            id,
            entity: PhantomData,
        }
    }
}

#[async_trait]
impl<E> LookupTable for LookupBy<E>
where
    E: EntityTrait,
    E::Model: Send + Sync + sea_orm::IntoActiveModel<E::ActiveModel>,
    E::ActiveModel: sea_orm::ActiveModelBehavior + Send,
    E::Column: Send + Sync,
{
    fn place(&self) -> (String, String) {
        let table = E::default().table_name().to_owned();
        (table, self.id.as_str().to_owned())
    }

    async fn rows(
        &self,
        tx: &DatabaseTransaction,
        ids: &[i64],
    ) -> Result<HashMap<i64, LookupRow>, DbErr> {
        let mut rows = HashMap::new();
        for ids in ids.chunks(CHUNK) {
            for model in E::find()
                .filter(self.id.is_in(ids.iter().copied()))
                .all(tx)
                .await?
            {
                if let Some(id) = value_to_i64(&model.get(self.id)) {
                    rows.insert(id, self.travelling(&model));
                }
            }
        }
        Ok(rows)
    }

    async fn ids(
        &self,
        tx: &DatabaseTransaction,
        rows: &[&LookupRow],
    ) -> Result<HashMap<String, i64>, DbErr> {
        let wanted: HashMap<&str, &LookupRow> = rows
            .iter()
            .filter_map(|row| Some((self.key_of(row)?, *row)))
            .collect();
        let mut found = self.find(tx, wanted.keys().copied()).await?;
        let missing: Vec<&str> = wanted
            .keys()
            .copied()
            .filter(|key| !found.contains_key(*key))
            .collect();
        for key in &missing {
            let point = tx.begin().await?;
            match self.create(&point, wanted[key]).await {
                Ok(()) => point.commit().await?,
                // Rows that refer to it find no such row.
                Err(error) if is_the_rows(&error) => point.rollback().await?,
                Err(error) => return Err(error),
            }
        }
        if !missing.is_empty() {
            found.extend(self.find(tx, missing.into_iter()).await?);
        }
        Ok(found)
    }
}

impl<E> LookupBy<E>
where
    E: EntityTrait,
    E::Model: Send + Sync + sea_orm::IntoActiveModel<E::ActiveModel>,
    E::ActiveModel: sea_orm::ActiveModelBehavior + Send,
{
    fn key_of<'r>(&self, row: &'r LookupRow) -> Option<&'r str> {
        row.get(self.key.as_str())?.as_str()
    }

    fn travelling(&self, model: &E::Model) -> LookupRow {
        E::Column::iter()
            .filter(|column| column.as_str() != self.id.as_str())
            .filter_map(|column| {
                Some((
                    column.as_str().to_owned(),
                    value_to_json(&model.get(column))?,
                ))
            })
            .collect()
    }

    async fn find(
        &self,
        tx: &DatabaseTransaction,
        keys: impl Iterator<Item = &str>,
    ) -> Result<HashMap<String, i64>, DbErr> {
        let keys: Vec<&str> = keys.collect();
        let mut found = HashMap::new();
        for keys in keys.chunks(CHUNK) {
            for model in E::find()
                .filter(self.key.is_in(keys.iter().copied()))
                .all(tx)
                .await?
            {
                if let (Value::String(Some(key)), Some(id)) =
                    (model.get(self.key), value_to_i64(&model.get(self.id)))
                {
                    found.insert(key.to_string(), id);
                }
            }
        }
        Ok(found)
    }

    /// Two transactions may create one row at once: the later finds it there.
    async fn create(&self, tx: &DatabaseTransaction, row: &LookupRow) -> Result<(), DbErr> {
        let mut active = <E::ActiveModel as ActiveModelTrait>::default();
        for column in E::Column::iter().filter(|column| column.as_str() != self.id.as_str()) {
            let value = row
                .get(column.as_str())
                .and_then(|json| json_to_value(column.def().get_column_type(), json));
            if let Some(value) = value.or_else(|| filler(&column)) {
                active.try_set(column, value)?;
            }
        }
        debug_assert!(matches!(active.get(self.id), ActiveValue::NotSet));
        let conflict = OnConflict::column(self.key).do_nothing().to_owned();
        E::insert(active)
            .on_conflict(conflict)
            .exec_without_returning(tx)
            .await
            .map(|_| ())
    }
}

/// A value for a column the sender left out and that cannot be NULL.
fn filler<C: ColumnTrait>(column: &C) -> Option<Value> {
    let def = column.def();
    if def.is_null() {
        return None;
    }
    match def.get_column_type() {
        ColumnType::Text | ColumnType::String(_) => Some(String::new().into()),
        _ => None,
    }
}
