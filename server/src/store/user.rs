//! The `user` table, in the columns this server needs. Others may stand beside them.

use sea_orm::{
    ActiveValue::Set,
    FromQueryResult, QueryOrder, QuerySelect,
    entity::prelude::*,
    sea_query::{LockType, SimpleExpr},
};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "user")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    #[sea_orm(unique)]
    pub email: String,
    pub name: String,
    #[sea_orm(column_name = "emailVerified")]
    pub email_verified: bool,
    pub image: Option<String>,
    #[sea_orm(column_name = "createdAt")]
    pub created_at: DateTimeUtc,
    #[sea_orm(column_name = "updatedAt")]
    pub updated_at: DateTimeUtc,
    pub banned: Option<bool>,
    #[sea_orm(column_name = "banReason")]
    pub ban_reason: Option<String>,
    /// Without one, a ban has no end.
    #[sea_orm(column_name = "banExpires")]
    pub ban_expires: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// What of a user forbids the use of a session or token.
#[derive(Clone, Copy, Debug, FromQueryResult)]
pub(crate) struct Ban {
    pub(crate) banned: Option<bool>,
    pub(crate) ban_expires: Option<DateTimeUtc>,
}

impl Ban {
    pub(crate) fn is_on(self, now: DateTimeUtc) -> bool {
        self.banned == Some(true) && self.ban_expires.is_none_or(|end| end > now)
    }
}

impl Model {
    pub(crate) fn is_banned(&self, now: DateTimeUtc) -> bool {
        let ban = Ban {
            banned: self.banned,
            ban_expires: self.ban_expires,
        };
        ban.is_on(now)
    }
}

pub(crate) async fn insert(db: &impl ConnectionTrait, user: &Model) -> Result<(), DbErr> {
    let user = user.clone();
    let row = ActiveModel {
        id: Set(user.id),
        email: Set(user.email),
        name: Set(user.name),
        email_verified: Set(user.email_verified),
        image: Set(user.image),
        created_at: Set(user.created_at),
        updated_at: Set(user.updated_at),
        banned: Set(user.banned),
        ban_reason: Set(user.ban_reason),
        ban_expires: Set(user.ban_expires),
    };
    Entity::insert(row).exec_without_returning(db).await?;
    Ok(())
}

pub(crate) async fn by_email(
    db: &impl ConnectionTrait,
    email: &str,
) -> Result<Option<Model>, DbErr> {
    Entity::find().filter(Column::Email.eq(email)).one(db).await
}

pub(crate) async fn by_id(db: &impl ConnectionTrait, id: &str) -> Result<Option<Model>, DbErr> {
    Entity::find_by_id(id).one(db).await
}

/// Everybody, by address.
pub(crate) async fn all(db: &impl ConnectionTrait) -> Result<Vec<Model>, DbErr> {
    Entity::find().order_by_asc(Column::Email).all(db).await
}

/// Makes others wait who change what the user logs in with, to the end of the transaction; whether there
/// is such a user. Synced rows may refer to the user meanwhile.
pub(crate) async fn lock(db: &impl ConnectionTrait, id: &str) -> Result<bool, DbErr> {
    let found: Option<String> = Entity::find_by_id(id)
        .select_only()
        .column(Column::Id)
        .lock(LockType::NoKeyUpdate)
        .into_tuple()
        .one(db)
        .await?;
    Ok(found.is_some())
}

/// Bans a user, or lifts the ban.
pub(crate) async fn set_ban(
    db: &impl ConnectionTrait,
    id: &str,
    ban: Ban,
    reason: Option<String>,
    now: DateTimeUtc,
) -> Result<(), DbErr> {
    let values = [
        (Column::Banned, ban.banned.into()),
        (Column::BanReason, reason.into()),
        (Column::BanExpires, ban.ban_expires.into()),
    ];
    update(db, id, values, now).await
}

/// Says that the address is the user's own.
pub(crate) async fn set_verified(
    db: &impl ConnectionTrait,
    id: &str,
    now: DateTimeUtc,
) -> Result<(), DbErr> {
    update(db, id, [(Column::EmailVerified, true.into())], now).await
}

async fn update<const N: usize>(
    db: &impl ConnectionTrait,
    id: &str,
    values: [(Column, Value); N],
    now: DateTimeUtc,
) -> Result<(), DbErr> {
    let mut update = Entity::update_many().col_expr(Column::UpdatedAt, now.into());
    for (column, value) in values {
        update = update.col_expr(column, SimpleExpr::Value(value));
    }
    update.filter(Column::Id.eq(id)).exec(db).await?;
    Ok(())
}

/// Removes the user, and by the database's own rules what refers to it.
pub(crate) async fn delete(db: &impl ConnectionTrait, id: &str) -> Result<(), DbErr> {
    Entity::delete_by_id(id).exec(db).await?;
    Ok(())
}
