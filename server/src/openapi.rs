//! The description of the interface, generated from the routes, the wire types and the tables that are synced.

pub(crate) mod errors;
mod rows;

use sync_core::Registry;
use utoipa::{
    Modify, OpenApi,
    openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme},
};

use crate::routes;

/// What the routes say of themselves.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Zentrio Sync",
        description = "Devices push what they changed and pull what others changed. All sync is inside one account. \
                       Every error is a JSON object with a stable `code` and a `message` for people."
    ),
    paths(
        routes::push::push,
        routes::pull::pull,
        routes::events::events,
        routes::info::info,
        routes::row::row,
        routes::rows::rows,
        routes::compare::compare,
        routes::token::issue,
        routes::token::revoke,
        routes::devices::list,
        routes::devices::revoke,
        routes::sign_up::sign_up,
        routes::sign_in::sign_in,
        routes::sign_out::sign_out,
        routes::change_password::change_password,
        routes::get_session::get_session,
        routes::health::healthz,
        routes::health::readyz,
        routes::openapi::openapi,
    ),
    components(schemas(sync_core::protocol::ErrorBody)),
    modifiers(&Tokens)
)]
struct Routes;

/// The description of a server that syncs these tables.
pub(crate) fn description(registry: &Registry) -> utoipa::openapi::OpenApi {
    let mut description = Routes::openapi();
    let components = description.components.get_or_insert_default();
    rows::describe(registry, &mut components.schemas);
    description
}

struct Tokens;

impl Modify for Tokens {
    fn modify(&self, description: &mut utoipa::openapi::OpenApi) {
        let bearer = |about: &str| {
            let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer);
            SecurityScheme::Http(bearer.description(Some(about)).build())
        };
        let components = description.components.get_or_insert_default();
        components.add_security_scheme(
            "sync_token",
            bearer("What a device got from `POST /api/sync/token`."),
        );
        components.add_security_scheme(
            "session",
            bearer("The `token` of a sign-in, good for little but to get a sync token."),
        );
        let cookie = ApiKeyValue::new("better-auth.session_token");
        components.add_security_scheme("cookie", SecurityScheme::ApiKey(ApiKey::Cookie(cookie)));
    }
}
