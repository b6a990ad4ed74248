//! What an application does with a synced row beyond SeaORM's own: delete softly, look at what is pending.

use async_trait::async_trait;
use sea_orm::{
    ConnectionTrait, DbErr, EntityTrait, FromQueryResult, ModelTrait, QueryFilter, Select,
    Statement, Value,
    sea_query::{Expr, ExprTrait},
};

use crate::{
    schema::{now_sql, time_sql},
    shape::{DELETED_AT, EVERY_REGISTER},
    syncable::Syncable,
    table::Table,
    wire::Millis,
};

/// A register of a row that was edited here and that the server has not taken yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingChange {
    /// The register; `*` for all of a row that is new, or was marked by [`SyncModel::mark_dirty`].
    pub register: String,
    /// The value before the first edit, as SQL text; none for a new row.
    pub before: Option<String>,
    /// When it was last edited, by this device's clock.
    pub edited_at: Millis,
    /// How often it was edited since the server last took it.
    pub n_edits: i64,
    /// How many of these edits were sent, answered or not.
    pub n_sent: i64,
}

/// Queries on a synced entity.
pub trait SyncEntity: Syncable {
    /// The row that all replicas know by this name.
    fn find_by_remote_id(remote_id: &str) -> Select<Self> {
        Self::find().filter(Expr::col(Table::<Self>::column("remote_id")).eq(remote_id))
    }

    /// The rows that are not deleted: what an application shows.
    fn find_live() -> Select<Self> {
        Self::find().filter(Expr::col(Table::<Self>::column(DELETED_AT)).is_null())
    }

    /// The rows that are deleted and can come back.
    fn find_deleted() -> Select<Self> {
        Self::find().filter(Expr::col(Table::<Self>::column(DELETED_AT)).is_not_null())
    }
}

impl<E: Syncable> SyncEntity for E {}

/// What can be done with a row of a synced entity. Each change is captured like any other write.
#[async_trait]
pub trait SyncModel:
    ModelTrait<Entity: Syncable<Model = Self>> + FromQueryResult + Send + Sync
{
    /// The name all replicas know the row by; none until its first push.
    fn remote_id(&self) -> Option<&str> {
        Self::Entity::meta(self).remote_id
    }

    /// Whether the row is deleted.
    fn is_deleted(&self) -> bool {
        Self::Entity::meta(self).deleted_at.is_some()
    }

    /// Whether something of the row, as it was read, is waiting to be pushed.
    fn is_dirty(&self) -> bool {
        Self::Entity::meta(self).dirty
    }

    /// Deletes the row, and its children, so that it is gone everywhere and can come back.
    ///
    /// # Errors
    /// If the database fails, or the row is gone.
    async fn soft_delete<C: ConnectionTrait>(self, db: &C) -> Result<Self, DbErr> {
        let now = Expr::cust(time_sql(db.get_database_backend()));
        let live = Expr::col(Table::<Self::Entity>::column(DELETED_AT)).is_null();
        write_deleted_at(&self, db, now, live).await?;
        reread(self, db).await
    }

    /// Brings the row back, with the children that went with it.
    ///
    /// # Errors
    /// If the database fails, or the row is gone.
    async fn undelete<C: ConnectionTrait>(self, db: &C) -> Result<Self, DbErr> {
        let dead = Expr::col(Table::<Self::Entity>::column(DELETED_AT)).is_not_null();
        write_deleted_at(&self, db, Expr::cust("NULL"), dead).await?;
        reread(self, db).await
    }

    /// Has the whole row pushed again, as if every register had just been edited.
    ///
    /// # Errors
    /// If the database fails.
    async fn mark_dirty<C: ConnectionTrait>(self, db: &C) -> Result<Self, DbErr> {
        let this = reread(self, db).await?;
        let backend = db.get_database_backend();
        let (table, id) = (Self::Entity::SHAPE.table, Self::Entity::SHAPE.id);
        let sql = format!(
            "INSERT INTO sync_pending (tbl, row_id, register, base, edited_at, edits, sent)
             SELECT $1, $2, '{EVERY_REGISTER}', NULL, {}, 1, 0 FROM \"{table}\" WHERE \"{id}\" = $2
             ON CONFLICT (tbl, row_id, register)
             DO UPDATE SET edits = sync_pending.edits + 1, edited_at = excluded.edited_at",
            now_sql(backend)
        );
        db.execute_raw(Statement::from_sql_and_values(backend, sql, key(&this)))
            .await?;
        let sql = format!("UPDATE \"{table}\" SET dirty = TRUE WHERE \"{id}\" = $1");
        let id = Self::Entity::meta(&this).id;
        db.execute_raw(Statement::from_sql_and_values(backend, sql, [id.into()]))
            .await?;
        reread(this, db).await
    }

    /// What of the row is waiting to be pushed.
    ///
    /// # Errors
    /// If the database fails.
    async fn pending<C: ConnectionTrait>(&self, db: &C) -> Result<Vec<PendingChange>, DbErr> {
        let sql = "SELECT register, base, edited_at, edits, sent FROM sync_pending
                   WHERE tbl = $1 AND row_id = $2 ORDER BY register";
        let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, key(self));
        let rows = db.query_all_raw(statement).await?;
        let read = rows.iter().map(|row| {
            Ok(PendingChange {
                register: row.try_get("", "register")?,
                before: row.try_get("", "base")?,
                edited_at: Millis(row.try_get("", "edited_at")?),
                n_edits: row.try_get("", "edits")?,
                n_sent: row.try_get("", "sent")?,
            })
        });
        read.collect()
    }
}

impl<M> SyncModel for M where
    M: ModelTrait<Entity: Syncable<Model = M>> + FromQueryResult + Send + Sync
{
}

fn key<M: SyncModel>(model: &M) -> [Value; 2] {
    [
        M::Entity::SHAPE.table.into(),
        M::Entity::meta(model).id.into(),
    ]
}

async fn write_deleted_at<M: SyncModel, C: ConnectionTrait>(
    model: &M,
    db: &C,
    value: Expr,
    condition: Expr,
) -> Result<(), DbErr> {
    let id = Expr::col(Table::<M::Entity>::id()).eq(M::Entity::meta(model).id);
    let update = M::Entity::update_many().col_expr(Table::<M::Entity>::column(DELETED_AT), value);
    update
        .filter(id)
        .filter(condition)
        .exec(db)
        .await
        .map(|_| ())
}

/// The row as it is stored now.
async fn reread<M: SyncModel, C: ConnectionTrait>(model: M, db: &C) -> Result<M, DbErr> {
    let id = M::Entity::meta(&model).id;
    let found = M::Entity::find()
        .filter(Expr::col(Table::<M::Entity>::id()).eq(id))
        .one(db)
        .await?;
    found.ok_or_else(|| DbErr::RecordNotFound(format!("{} {id}", M::Entity::SHAPE.table)))
}
