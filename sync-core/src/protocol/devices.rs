//! `GET /api/sync/devices`: the devices of the caller's account. `DELETE /api/sync/devices/{id}`: one less.

use serde::{Deserialize, Serialize};

use crate::Millis;

/// The devices that may sync for an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct DevicesAnswer {
    /// The account.
    pub user_id: String,
    /// Those that came first at the beginning.
    pub devices: Vec<Device>,
}

/// One installation that may sync for an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Device {
    /// What the installation calls itself; the server made it up for one that does not.
    pub id: String,
    /// What its user calls it.
    pub name: Option<String>,
    /// When it logged in.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub created_at: Millis,
    /// When it last asked for something, to about ten minutes; none if it never did.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub last_seen_at: Option<Millis>,
    /// When it has to log in again, if it does not ask for anything until then.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub expires_at: Millis,
    /// Whether it is the one that asks.
    pub current: bool,
}
