//! The `session` table: who is logged in to the web pages. Tokens stand in it as they are, because the
//! web app reads the same table.

use sea_orm::{ActiveValue::Set, entity::prelude::*};

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
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

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

pub(crate) async fn by_token(
    db: &impl ConnectionTrait,
    token: &str,
) -> Result<Option<Model>, DbErr> {
    Entity::find().filter(Column::Token.eq(token)).one(db).await
}

pub(crate) async fn delete(db: &impl ConnectionTrait, token: &str) -> Result<(), DbErr> {
    Entity::delete_many()
        .filter(Column::Token.eq(token))
        .exec(db)
        .await?;
    Ok(())
}
