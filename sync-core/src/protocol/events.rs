//! `GET /api/sync/events`: a stream of server-sent events, which tell that the feed has moved.
//!
//! An event is a hint. One that is lost is made up for by the next one, or by the next pull: what a device
//! has is told by its cursor alone.

use serde::{Deserialize, Serialize};

/// The name of the event that carries a [`FeedHint`]. Others are to be passed over.
pub const FEED_EVENT: &str = "feed";

/// How far the account's feed has come. The first one comes at once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FeedHint {
    /// The feed's end. Opaque: where it equals a device's cursor there is nothing to pull.
    pub head: String,
}
