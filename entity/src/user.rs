//! Who owns the data: an account of a server, or a guest of a device. Not synced.
//!
//! The table is Better Auth's, hence the names of its columns.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
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
    pub username: Option<String>,
    pub role: Option<String>,
    pub banned: Option<bool>,
    #[sea_orm(column_name = "banReason")]
    pub ban_reason: Option<String>,
    /// When a ban ends; one without is for ever.
    #[sea_orm(column_name = "banExpires")]
    pub ban_expires: Option<DateTimeUtc>,
}

impl ActiveModelBehavior for ActiveModel {}
