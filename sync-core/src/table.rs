//! A synced table without its entity's type: what the engines of both ends work with.

use std::marker::PhantomData;

use async_trait::async_trait;
use sea_orm::{ColumnTrait, ColumnType, DatabaseTransaction, DbErr, IdenStatic, Iterable};
use serde_json::value::RawValue;

use crate::{
    device::{Applied, ApplyContext, Outgoing, Wanted, Withheld},
    fact::{self, Fact},
    lookup::LookupTable,
    protocol::Verdict,
    registry::Target,
    row_now::RowsNow,
    server::{self, Entry, PageRow, PushContext, ServerError},
    syncable::Syncable,
    unreadable::is_time,
};

/// What the engines do with a table. Implemented once, for every entity.
#[async_trait]
pub(crate) trait SyncTable: Send + Sync {
    /// Device: the rows of these pending changes, ready to be sent.
    async fn outgoing(
        &self,
        tx: &DatabaseTransaction,
        wanted: &[Wanted],
        withheld: &Withheld,
    ) -> Result<Vec<Outgoing>, DbErr>;
    /// Device: writes rows that came from the server.
    async fn apply(
        &self,
        tx: &DatabaseTransaction,
        cx: &mut ApplyContext,
        rows: &RawValue,
    ) -> Result<Applied, DbErr>;
    /// Server: merges rows that a device pushed.
    async fn merge_push(
        &self,
        tx: &DatabaseTransaction,
        cx: &mut PushContext<'_>,
        rows: &[&RawValue],
    ) -> Result<Vec<Verdict>, ServerError>;
    /// Server: the rows of these feed entries as they travel.
    async fn page(
        &self,
        tx: &DatabaseTransaction,
        entries: &[Entry],
    ) -> Result<Vec<PageRow>, DbErr>;
    /// Server: the column of a natural key that may get a suffix.
    fn text_key(&self) -> Option<&'static str>;
    /// Both: the rows with these ids as they are now.
    async fn now(&self, tx: &DatabaseTransaction, ids: &[i64]) -> Result<RowsNow, DbErr>;
    /// The columns as SeaORM has them.
    fn columns(&self) -> Vec<Fact>;
    /// The testing kit: the tables behind the shape's lookups, in its order.
    #[cfg(feature = "testing")]
    fn lookups(&self) -> &[Box<dyn LookupTable>];
    /// The testing kit: what a register's own rule makes of two values of its column.
    #[cfg(feature = "testing")]
    fn combine(
        &self,
        register: usize,
        one: &serde_json::Value,
        other: &serde_json::Value,
    ) -> Option<serde_json::Value>;
}

/// The table of entity `E`.
pub(crate) struct Table<E: Syncable> {
    pub(crate) targets: Vec<Target>,
    pub(crate) lookups: Vec<Box<dyn LookupTable>>,
    /// Columns whose type can hold what the wire cannot: fractions and times.
    pub(crate) unbounded: Vec<&'static str>,
    entity: PhantomData<fn() -> E>,
}

impl<E: Syncable> Table<E> {
    pub(crate) fn new(targets: Vec<Target>) -> Self {
        Self {
            targets,
            lookups: E::lookups(),
            unbounded: unbounded::<E>(),
            entity: PhantomData,
        }
    }

    /// The entity's column with this name. The registry has checked that there is one.
    pub(crate) fn column(name: &str) -> E::Column {
        let found = <E::Column as Iterable>::iter().find(|column| column.as_str() == name);
        found.expect("the registry knows every column")
    }

    pub(crate) fn id() -> E::Column {
        Self::column(E::SHAPE.id)
    }
}

fn unbounded<E: Syncable>() -> Vec<&'static str> {
    let is_unbounded = |column: &E::Column| {
        let def = column.def();
        let kind = def.get_column_type();
        matches!(kind, ColumnType::Double | ColumnType::Float) || is_time(kind)
    };
    let columns = <E::Column as Iterable>::iter().filter(is_unbounded);
    columns.map(|column| column.as_str()).collect()
}

#[async_trait]
impl<E: Syncable> SyncTable for Table<E> {
    async fn outgoing(
        &self,
        tx: &DatabaseTransaction,
        wanted: &[Wanted],
        withheld: &Withheld,
    ) -> Result<Vec<Outgoing>, DbErr> {
        self.outgoing_rows(tx, wanted, withheld).await
    }

    async fn apply(
        &self,
        tx: &DatabaseTransaction,
        cx: &mut ApplyContext,
        rows: &RawValue,
    ) -> Result<Applied, DbErr> {
        self.apply_rows(tx, cx, rows).await
    }

    async fn merge_push(
        &self,
        tx: &DatabaseTransaction,
        cx: &mut PushContext<'_>,
        rows: &[&RawValue],
    ) -> Result<Vec<Verdict>, ServerError> {
        self.merge_rows(tx, cx, rows).await
    }

    async fn page(
        &self,
        tx: &DatabaseTransaction,
        entries: &[Entry],
    ) -> Result<Vec<PageRow>, DbErr> {
        self.page_rows(tx, entries).await
    }

    fn text_key(&self) -> Option<&'static str> {
        server::text_key::<E>()
    }

    async fn now(&self, tx: &DatabaseTransaction, ids: &[i64]) -> Result<RowsNow, DbErr> {
        self.rows_now(tx, ids).await
    }

    fn columns(&self) -> Vec<Fact> {
        fact::columns::<E>()
    }

    #[cfg(feature = "testing")]
    fn lookups(&self) -> &[Box<dyn LookupTable>] {
        &self.lookups
    }

    #[cfg(feature = "testing")]
    fn combine(
        &self,
        register: usize,
        one: &serde_json::Value,
        other: &serde_json::Value,
    ) -> Option<serde_json::Value> {
        crate::testing::entity::combine::<E>(register, one, other)
    }
}
