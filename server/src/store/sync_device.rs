//! The `sync_device` table: which installation may sync for whom, until when. Tokens are in it only
//! as their SHA-256.

use std::collections::HashMap;

use sea_orm::{
    ActiveValue::{NotSet, Set},
    Condition, FromQueryResult, JoinType, QueryOrder, QuerySelect, RelationTrait,
    entity::prelude::*,
};

use super::user::{self, Ban};

/// What a token of this table is good for.
pub(crate) const SCOPE_SYNC: &str = "sync";

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sync_device")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub user_id: String,
    /// The name the installation gave itself.
    pub device_id: Option<String>,
    pub name: Option<String>,
    #[sea_orm(unique)]
    pub token_hash: String,
    pub scope: String,
    pub created_at: DateTimeUtc,
    pub last_seen_at: Option<DateTimeUtc>,
    pub expires_at: DateTimeUtc,
    pub revoked_at: Option<DateTimeUtc>,
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

/// A device about to get a token.
#[derive(Clone)]
pub(crate) struct NewDevice {
    pub(crate) user_id: String,
    pub(crate) device_id: String,
    pub(crate) name: Option<String>,
    pub(crate) token_hash: String,
    pub(crate) expires_at: DateTimeUtc,
}

pub(crate) async fn insert(
    db: &impl ConnectionTrait,
    device: NewDevice,
    now: DateTimeUtc,
) -> Result<(), DbErr> {
    let row = ActiveModel {
        id: NotSet,
        user_id: Set(device.user_id),
        device_id: Set(Some(device.device_id)),
        name: Set(device.name),
        token_hash: Set(device.token_hash),
        scope: Set(SCOPE_SYNC.to_owned()),
        created_at: Set(now),
        last_seen_at: Set(None),
        expires_at: Set(device.expires_at),
        revoked_at: Set(None),
    };
    Entity::insert(row).exec_without_returning(db).await?;
    Ok(())
}

/// A device whose token was not revoked, with what else forbids its use.
#[derive(Debug, FromQueryResult)]
pub(crate) struct Found {
    pub(crate) id: i64,
    pub(crate) user_id: String,
    pub(crate) last_seen_at: Option<DateTimeUtc>,
    pub(crate) expires_at: DateTimeUtc,
    #[sea_orm(nested)]
    pub(crate) ban: Ban,
}

/// The device of a token, if it was not revoked and its user exists. One query, as every request asks it.
pub(crate) async fn by_token_hash(
    db: &impl ConnectionTrait,
    hash: &str,
) -> Result<Option<Found>, DbErr> {
    Entity::find()
        .select_only()
        .columns([
            Column::Id,
            Column::UserId,
            Column::LastSeenAt,
            Column::ExpiresAt,
        ])
        .column_as(user::Column::Banned, "banned")
        .column_as(user::Column::BanExpires, "ban_expires")
        .join(JoinType::InnerJoin, Relation::User.def())
        .filter(Column::TokenHash.eq(hash))
        .filter(Column::Scope.eq(SCOPE_SYNC))
        .filter(Column::RevokedAt.is_null())
        .into_model()
        .one(db)
        .await
}

/// The user's devices that may sync, those that came first at the beginning.
pub(crate) async fn live(
    db: &impl ConnectionTrait,
    user_id: &str,
    now: DateTimeUtc,
) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::UserId.eq(user_id))
        .filter(Column::Scope.eq(SCOPE_SYNC))
        .filter(Column::RevokedAt.is_null())
        .filter(Column::ExpiresAt.gt(now))
        .order_by_asc(Column::Id)
        .all(db)
        .await
}

/// What these devices of the user call themselves, by number.
pub(crate) async fn names(
    db: &impl ConnectionTrait,
    user_id: &str,
    numbers: &[i64],
) -> Result<HashMap<i64, String>, DbErr> {
    let devices = Entity::find()
        .filter(Column::UserId.eq(user_id))
        .filter(Column::Id.is_in(numbers.iter().copied()))
        .all(db)
        .await?;
    let named = devices
        .into_iter()
        .filter_map(|device| Some((device.id, device.name?)));
    Ok(named.collect())
}

/// Notes that the device was here and until when its token is good.
pub(crate) async fn seen(
    db: &impl ConnectionTrait,
    id: i64,
    now: DateTimeUtc,
    expires_at: DateTimeUtc,
) -> Result<(), DbErr> {
    Entity::update_many()
        .col_expr(Column::LastSeenAt, now.into())
        .col_expr(Column::ExpiresAt, expires_at.into())
        .filter(Column::Id.eq(id))
        .exec(db)
        .await?;
    Ok(())
}

/// Ends one token.
pub(crate) async fn revoke(
    db: &impl ConnectionTrait,
    id: i64,
    now: DateTimeUtc,
) -> Result<(), DbErr> {
    revoke_where(db, Condition::all().add(Column::Id.eq(id)), now).await?;
    Ok(())
}

/// Ends all tokens that an installation of the user got before; how many there were.
pub(crate) async fn revoke_device(
    db: &impl ConnectionTrait,
    user_id: &str,
    device_id: &str,
    now: DateTimeUtc,
) -> Result<u64, DbErr> {
    let its = Condition::all()
        .add(Column::UserId.eq(user_id))
        .add(Column::DeviceId.eq(device_id));
    revoke_where(db, its, now).await
}

/// Ends all tokens of the user; how many there were.
pub(crate) async fn revoke_all(
    db: &impl ConnectionTrait,
    user_id: &str,
    now: DateTimeUtc,
) -> Result<u64, DbErr> {
    revoke_where(db, Condition::all().add(Column::UserId.eq(user_id)), now).await
}

async fn revoke_where(
    db: &impl ConnectionTrait,
    which: Condition,
    now: DateTimeUtc,
) -> Result<u64, DbErr> {
    let revoked = Entity::update_many()
        .col_expr(Column::RevokedAt, now.into())
        .filter(which.add(Column::RevokedAt.is_null()))
        .exec(db)
        .await?;
    Ok(revoked.rows_affected)
}

/// Removes devices that could not sync any more since before.
pub(crate) async fn forget(db: &impl ConnectionTrait, before: DateTimeUtc) -> Result<(), DbErr> {
    let ended = Condition::any()
        .add(Column::RevokedAt.lt(before))
        .add(Column::ExpiresAt.lt(before));
    Entity::delete_many().filter(ended).exec(db).await?;
    Ok(())
}
