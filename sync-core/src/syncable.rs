//! The trait that `#[derive(Syncable)]` implements for an entity.

use sea_orm::{
    ActiveModelBehavior, ColumnTrait, ConnectionTrait, DbBackend, DbErr, EntityTrait,
    IntoActiveModel, Iterable, PrimaryKeyToColumn, QueryFilter,
};

use crate::{
    lookup::LookupTable,
    refs::{LocalIds, RemoteNames},
    shape::Shape,
    wire::{Millis, WireRow},
};

/// A SeaORM entity whose rows are kept in step between devices and a server.
///
/// Derived on the model; see the crate's documentation for the attributes. All methods are plain
/// conversions: what is written when is decided by the engine.
pub trait Syncable:
    EntityTrait<
        Model: IntoActiveModel<Self::ActiveModel> + Clone + Send + Sync,
        ActiveModel: ActiveModelBehavior + Clone + Send + Sync,
        Column: Send + Sync,
    >
{
    /// The row as it travels.
    type Wire: WireRow;

    /// What the attributes say of the table.
    const SHAPE: Shape;

    /// The tables behind the shape's lookups, in its order.
    fn lookups() -> Vec<Box<dyn LookupTable>>;
    /// The columns every synced row has besides its data.
    fn meta(model: &Self::Model) -> Meta<'_>;
    /// The account's name in the owner column of a root row.
    fn owner(model: &Self::Model) -> Option<String>;
    /// The local id in foreign key number `reference` of the shape.
    fn reference_id(model: &Self::Model, reference: usize) -> Option<i64>;
    /// The local id in lookup number `lookup` of the shape.
    fn lookup_id(model: &Self::Model, lookup: usize) -> Option<i64>;
    /// The row as it travels, foreign keys replaced by the names in `names`.
    fn to_wire(model: Self::Model, names: &RemoteNames) -> Self::Wire;
    /// Sets every present column of `wire`, foreign keys replaced by the ids in `ids`.
    ///
    /// # Errors
    /// Names the first column that cannot hold what arrived.
    fn from_wire(
        wire: Self::Wire,
        ids: &LocalIds,
        active: &mut Self::ActiveModel,
    ) -> Result<(), FieldError>;
    /// Sets the columns that the engine keeps; the row becomes clean.
    fn set_meta(
        active: &mut Self::ActiveModel,
        id: Option<i64>,
        remote_id: &str,
        updated_at: Millis,
    );
    /// Sets the owner column; false if the table has none or it cannot hold the name.
    fn set_owner(active: &mut Self::ActiveModel, owner: &str) -> bool;
}

/// The columns every synced row has besides its data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Meta<'a> {
    /// The primary key in this database.
    pub id: i64,
    /// The name all replicas know the row by; none until its first push.
    pub remote_id: Option<&'a str>,
    /// Whether changes are waiting to be pushed.
    pub dirty: bool,
    /// When the row last changed, as this database has it.
    pub updated_at: Option<Millis>,
    /// When it was deleted.
    pub deleted_at: Option<Millis>,
}

/// A column that cannot hold what arrived for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// The column.
    pub column: &'static str,
    /// Why: a stable word for verdicts.
    pub code: FieldErrorCode,
}

/// Why a column cannot hold what arrived for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldErrorCode {
    /// NULL, or nothing, where a value is needed.
    Required,
    /// A value outside what the column's type holds.
    OutOfRange,
    /// A foreign key whose row is not here.
    UnknownReference,
}

/// Integer types that can be a primary or a foreign key.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the key of a synced row",
    label = "the key of a synced row is an `i32` or an `i64`"
)]
pub trait LocalId: Copy {
    /// The key as the engine counts it.
    fn to_local(self) -> i64;
    /// The key in the column's type, if it fits.
    fn from_local(id: i64) -> Option<Self>;
}

impl LocalId for i64 {
    fn to_local(self) -> i64 {
        self
    }
    fn from_local(id: i64) -> Option<Self> {
        Some(id)
    }
}

impl LocalId for i32 {
    fn to_local(self) -> i64 {
        self.into()
    }
    fn from_local(id: i64) -> Option<Self> {
        id.try_into().ok()
    }
}

/// Foreign key columns: a key, or NULL.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the foreign key of a synced row",
    label = "a foreign key is an `i32` or an `i64`, or an `Option` of one"
)]
pub trait ForeignKey: Sized {
    /// The referred row's key.
    fn to_local(&self) -> Option<i64>;
    /// The column's value for a key or NULL; `None` if it cannot hold that.
    fn from_local(id: Option<i64>) -> Option<Self>;
}

impl<T: LocalId> ForeignKey for Option<T> {
    fn to_local(&self) -> Option<i64> {
        self.map(LocalId::to_local)
    }
    fn from_local(id: Option<i64>) -> Option<Self> {
        match id {
            Some(id) => T::from_local(id).map(Some),
            None => Some(None),
        }
    }
}

macro_rules! required_foreign_key {
    ($($type:ty),*) => {$(
        impl ForeignKey for $type {
            fn to_local(&self) -> Option<i64> { Some(LocalId::to_local(*self)) }
            fn from_local(id: Option<i64>) -> Option<Self> { id.and_then(LocalId::from_local) }
        }
    )*};
}
required_foreign_key!(i32, i64);

/// A saved row as it is stored: SQLite's `RETURNING` does not see what triggers change after it.
/// Without SeaORM's feature `sqlite-use-returning-for-3_35` the model has been read anew already.
///
/// # Errors
/// When the database fails.
pub async fn as_stored<E: Syncable, C: ConnectionTrait>(
    model: E::Model,
    db: &C,
) -> Result<E::Model, DbErr> {
    let stale = db.get_database_backend() == DbBackend::Sqlite && db.support_returning();
    let Some(key) = E::PrimaryKey::iter().next().filter(|_| stale) else {
        return Ok(model);
    };
    let stored = E::find()
        .filter(key.into_column().eq(E::meta(&model).id))
        .one(db)
        .await?;
    Ok(stored.unwrap_or(model))
}
