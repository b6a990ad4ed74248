//! The `user` table, in the columns this server needs. Others may stand beside them.

use sea_orm::{ActiveValue::Set, entity::prelude::*};

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
    #[sea_orm(column_name = "createdAt")]
    pub created_at: DateTimeUtc,
    #[sea_orm(column_name = "updatedAt")]
    pub updated_at: DateTimeUtc,
    pub banned: Option<bool>,
    /// Without one, a ban has no end.
    #[sea_orm(column_name = "banExpires")]
    pub ban_expires: Option<DateTimeUtc>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

pub(crate) async fn insert(db: &impl ConnectionTrait, user: &Model) -> Result<(), DbErr> {
    let user = user.clone();
    let row = ActiveModel {
        id: Set(user.id),
        email: Set(user.email),
        name: Set(user.name),
        email_verified: Set(user.email_verified),
        created_at: Set(user.created_at),
        updated_at: Set(user.updated_at),
        banned: Set(user.banned),
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

impl Model {
    pub(crate) fn is_banned(&self, now: DateTimeUtc) -> bool {
        self.banned == Some(true) && self.ban_expires.is_none_or(|end| end > now)
    }
}
