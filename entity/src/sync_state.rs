//! With whom a device syncs, and how far it has come: one row, kept by the sync engine.
//!
//! For an application to read. Times are milliseconds since 1970.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "sync_state")]
pub struct Model {
    /// Always 1.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: i64,
    pub remote_url: Option<String>,
    pub remote_user_id: Option<String>,
    /// Sealed: of use only with the key beside the database.
    pub auth_token: Option<String>,
    pub device_id: Option<String>,
    pub local_user_id: Option<String>,
    pub email: Option<String>,
    pub epoch: Option<String>,
    pub cursor: Option<String>,
    pub push_no: i64,
    pub last_sync_ms: Option<i64>,
    pub last_error: Option<String>,
    pub last_error_ms: Option<i64>,
}

impl ActiveModelBehavior for ActiveModel {}
