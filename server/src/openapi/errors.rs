//! The errors that every address of a kind may answer with.

use std::collections::BTreeMap;

use sync_core::protocol::ErrorBody;
use utoipa::{
    IntoResponses, ToSchema,
    openapi::{ContentBuilder, Ref, RefOr, Response, ResponseBuilder},
};

type Responses = BTreeMap<String, RefOr<Response>>;

/// Of any address.
const ALWAYS: [(u16, &str); 3] = [
    (414, "The address is too long."),
    (500, "The server failed; its log says why."),
    (503, "Not now. Try again after `Retry-After` seconds."),
];
/// Where a body is read.
const BODY: [(u16, &str); 5] = [
    (400, "The body is not JSON, or is damaged."),
    (408, "The body did not arrive in time."),
    (413, "The body is larger than `GET /api/sync/info` allows."),
    (415, "Not `application/json`, or encoded in an unknown way."),
    (422, "The body is JSON, but not what this address takes."),
];
const LOGIN: [(u16, &str); 3] = [
    (401, "No valid token. `token_expired`: it was valid once."),
    (403, "The account may not do this."),
    (
        429,
        "Too many tries. Come again after `Retry-After` seconds.",
    ),
];
const ENGINE: [(u16, &str); 5] = [
    (400, "The request says something impossible."),
    (404, "There is no such row in this account."),
    (
        409,
        "`push_overtaken`: a later push of this device was taken.",
    ),
    (426, "`unsupported_protocol`: update the app or the server."),
    (
        410,
        "`cursor_too_old`, `cursor_ahead`, `epoch_changed`: pull from the beginning.",
    ),
];

/// Of addresses without a body that anybody may ask.
pub(crate) struct Open;
/// Of addresses with a body, or a login, or both.
pub(crate) struct WithLogin;
/// Of the sync engine.
pub(crate) struct Sync;

impl IntoResponses for Open {
    fn responses() -> Responses {
        listed(&[&ALWAYS])
    }
}

impl IntoResponses for WithLogin {
    fn responses() -> Responses {
        listed(&[&ALWAYS, &BODY, &LOGIN])
    }
}

impl IntoResponses for Sync {
    fn responses() -> Responses {
        listed(&[&ALWAYS, &BODY, &LOGIN, &ENGINE])
    }
}

fn listed(groups: &[&[(u16, &str)]]) -> Responses {
    let each = groups.iter().flat_map(|group| group.iter());
    each.map(|&(status, about)| (status.to_string(), error(about).into()))
        .collect()
}

fn error(about: &str) -> Response {
    let body = Ref::from_schema_name(ErrorBody::name());
    let content = ContentBuilder::new().schema(Some(body)).build();
    ResponseBuilder::new()
        .description(about)
        .content("application/json", content)
        .build()
}
