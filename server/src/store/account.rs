//! The `account` table: one row a user and way to log in. Only passwords matter here.

use sea_orm::{ActiveValue::Set, DbBackend, QuerySelect, Statement, entity::prelude::*};

/// The way to log in that is a password.
const CREDENTIAL: &str = "credential";

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "account")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    #[sea_orm(column_name = "accountId")]
    pub account_id: String,
    #[sea_orm(column_name = "providerId")]
    pub provider_id: String,
    #[sea_orm(column_name = "userId")]
    pub user_id: String,
    pub password: Option<String>,
    #[sea_orm(column_name = "createdAt")]
    pub created_at: DateTimeUtc,
    #[sea_orm(column_name = "updatedAt")]
    pub updated_at: DateTimeUtc,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Gives a user, new at `now`, a password by its hash.
pub(crate) async fn insert_password(
    db: &impl ConnectionTrait,
    id: String,
    user_id: &str,
    hash: String,
    now: DateTimeUtc,
) -> Result<(), DbErr> {
    let row = ActiveModel {
        id: Set(id),
        account_id: Set(user_id.to_owned()),
        provider_id: Set(CREDENTIAL.to_owned()),
        user_id: Set(user_id.to_owned()),
        password: Set(Some(hash)),
        created_at: Set(now),
        updated_at: Set(now),
    };
    Entity::insert(row).exec_without_returning(db).await?;
    Ok(())
}

/// Gives a user another password by its hash; whether there was one to replace.
pub(crate) async fn replace_password(
    db: &impl ConnectionTrait,
    user_id: &str,
    hash: String,
    now: DateTimeUtc,
) -> Result<bool, DbErr> {
    let replaced = Entity::update_many()
        .col_expr(Column::Password, hash.into())
        .col_expr(Column::UpdatedAt, now.into())
        .filter(Column::UserId.eq(user_id))
        .filter(Column::ProviderId.eq(CREDENTIAL))
        .exec(db)
        .await?;
    Ok(replaced.rows_affected > 0)
}

/// The hash of a user's password, if the user has one.
pub(crate) async fn password_of(
    db: &impl ConnectionTrait,
    user_id: &str,
) -> Result<Option<String>, DbErr> {
    let found: Option<Option<String>> = Entity::find()
        .select_only()
        .column(Column::Password)
        .filter(Column::UserId.eq(user_id))
        .filter(Column::ProviderId.eq(CREDENTIAL))
        .filter(Column::Password.is_not_null())
        .into_tuple()
        .one(db)
        .await?;
    Ok(found.flatten())
}

/// Whether the web app uses this database too, so that passwords must be of its form.
pub(crate) async fn is_shared(db: &impl ConnectionTrait) -> Result<bool, DbErr> {
    Ok(has_web_apps_tables(db).await? || has_adopted_passwords(db).await?)
}

/// Whether there is the one table of Better Auth's that this server has no use for.
async fn has_web_apps_tables(db: &impl ConnectionTrait) -> Result<bool, DbErr> {
    let sql = match db.get_database_backend() {
        DbBackend::Postgres => {
            "SELECT 1 FROM information_schema.tables WHERE table_name = 'verification' AND table_schema = current_schema()"
        }
        _ => "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'verification'",
    };
    let statement = Statement::from_string(db.get_database_backend(), sql);
    Ok(db.query_one_raw(statement).await?.is_some())
}

/// Whether there is a password hash that another program made.
async fn has_adopted_passwords(db: &impl ConnectionTrait) -> Result<bool, DbErr> {
    let found: Option<String> = Entity::find()
        .select_only()
        .column(Column::Id)
        .filter(Column::ProviderId.eq(CREDENTIAL))
        .filter(Column::Password.not_like("$%"))
        .into_tuple()
        .one(db)
        .await?;
    Ok(found.is_some())
}
