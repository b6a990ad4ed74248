//! The `session` table: who is logged in to the web pages. Tokens stand in it as they are, because the
//! web app reads the same table.

use sea_orm::{
    ActiveValue::Set, FromQueryResult, JoinType, QuerySelect, RelationTrait, entity::prelude::*,
};

use super::user::{self, Ban};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "session")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    #[sea_orm(column_name = "expiresAt")]
    pub expires_at: DateTimeUtc,
    #[sea_orm(unique)]
    pub token: String,
    #[sea_orm(column_name = "createdAt")]
    pub created_at: DateTimeUtc,
    #[sea_orm(column_name = "updatedAt")]
    pub updated_at: DateTimeUtc,
    #[sea_orm(column_name = "userAgent")]
    pub user_agent: Option<String>,
    #[sea_orm(column_name = "userId")]
    pub user_id: String,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(
        belongs_to = "user::Entity",
        from = "Column::UserId",
        to = "user::Column::Id"
    )]
    User,
}

impl ActiveModelBehavior for ActiveModel {}

/// A session with what forbids its use.
#[derive(Debug, FromQueryResult)]
pub(crate) struct Found {
    pub(crate) user_id: String,
    pub(crate) expires_at: DateTimeUtc,
    #[sea_orm(nested)]
    pub(crate) ban: Ban,
}

/// The session of this token, if its user exists.
pub(crate) async fn find(db: &impl ConnectionTrait, token: &str) -> Result<Option<Found>, DbErr> {
    Entity::find()
        .select_only()
        .column_as(Column::UserId, "user_id")
        .column_as(Column::ExpiresAt, "expires_at")
        .column_as(user::Column::Banned, "banned")
        .column_as(user::Column::BanExpires, "ban_expires")
        .join(JoinType::InnerJoin, Relation::User.def())
        .filter(Column::Token.eq(token))
        .into_model()
        .one(db)
        .await
}

pub(crate) async fn by_token(
    db: &impl ConnectionTrait,
    token: &str,
) -> Result<Option<Model>, DbErr> {
    Entity::find().filter(Column::Token.eq(token)).one(db).await
}

pub(crate) async fn insert(db: &impl ConnectionTrait, session: Model) -> Result<(), DbErr> {
    let row = ActiveModel {
        id: Set(session.id),
        expires_at: Set(session.expires_at),
        token: Set(session.token),
        created_at: Set(session.created_at),
        updated_at: Set(session.updated_at),
        user_agent: Set(session.user_agent),
        user_id: Set(session.user_id),
    };
    Entity::insert(row).exec_without_returning(db).await?;
    Ok(())
}

pub(crate) async fn delete(db: &impl ConnectionTrait, token: &str) -> Result<(), DbErr> {
    Entity::delete_many()
        .filter(Column::Token.eq(token))
        .exec(db)
        .await?;
    Ok(())
}

/// Ends the user's sessions, all or all but one.
pub(crate) async fn delete_of(
    db: &impl ConnectionTrait,
    user_id: &str,
    but: Option<&str>,
) -> Result<(), DbErr> {
    let mut delete = Entity::delete_many().filter(Column::UserId.eq(user_id));
    if let Some(token) = but {
        delete = delete.filter(Column::Token.ne(token));
    }
    delete.exec(db).await?;
    Ok(())
}

/// Removes sessions that ended before.
pub(crate) async fn forget(db: &impl ConnectionTrait, before: DateTimeUtc) -> Result<(), DbErr> {
    Entity::delete_many()
        .filter(Column::ExpiresAt.lt(before))
        .exec(db)
        .await?;
    Ok(())
}
