//! What holds for every request and answer, whatever the address.

use std::{future::ready, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::Request,
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use http::{HeaderName, HeaderValue, Method, header};
use sync_core::{Ids, UuidV7};
use tower_http::{
    catch_panic::CatchPanicLayer,
    compression::CompressionLayer,
    cors::{AllowOrigin, CorsLayer},
    request_id::{MakeRequestId, PropagateRequestIdLayer, RequestId, SetRequestIdLayer},
    trace::TraceLayer,
};

use crate::{Config, Error, decode, metrics};

/// Most bytes of an address with its query.
const LONGEST_URI: usize = 8 << 10;
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Longest request id that is taken from a proxy.
const LONGEST_REQUEST_ID: usize = 64;
/// How long a browser may go on believing what other sites may do here.
const PREFLIGHT: Duration = Duration::from_secs(600);

/// Puts the layers around the addresses; the last one is the first to see a request.
pub(crate) fn around(router: Router, config: &Config) -> Router {
    let https = config.is_https();
    let router = router
        .layer(CatchPanicLayer::custom(|_| Error::Panicked.into_response()))
        .layer(CompressionLayer::new())
        .layer(middleware::from_fn(refuse_long_addresses));
    let router = match cors(config) {
        Some(cors) => router.layer(cors),
        None => router,
    };
    router
        .layer(middleware::map_response(move |answer: Response| {
            ready(with_headers(answer, https))
        }))
        .layer(middleware::from_fn(metrics::measure))
        .layer(
            TraceLayer::new_for_http()
                .make_span_with(span)
                .on_failure(()),
        )
        .layer(PropagateRequestIdLayer::new(REQUEST_ID))
        .layer(SetRequestIdLayer::new(REQUEST_ID, NewRequestId))
        .layer(middleware::map_request(drop_odd_request_id))
}

/// The query stays out of the log, and so does every header.
fn span(request: &Request<Body>) -> tracing::Span {
    let id = request.headers().get(REQUEST_ID);
    let id = id.and_then(|id| id.to_str().ok()).unwrap_or_default();
    tracing::info_span!("request", id, method = %request.method(), path = request.uri().path())
}

async fn refuse_long_addresses(request: Request, next: Next) -> Response {
    let length = request
        .uri()
        .path_and_query()
        .map_or(0, |path| path.as_str().len());
    match length > LONGEST_URI {
        true => Error::AddressTooLong.into_response(),
        false => next.run(request).await,
    }
}

/// Answers are for one device alone: they are kept nowhere, framed nowhere, and are not to be guessed at.
fn with_headers(mut answer: Response, https: bool) -> Response {
    const HEADERS: [(HeaderName, &str); 5] = [
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; frame-ancestors 'none'",
        ),
    ];
    let headers = answer.headers_mut();
    for (name, value) in HEADERS {
        headers
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    }
    headers.insert(header::ACCEPT_ENCODING, decode::ACCEPTED);
    if https {
        let year = HeaderValue::from_static("max-age=31536000");
        headers.insert(header::STRICT_TRANSPORT_SECURITY, year);
    }
    answer
}

/// Off unless origins are named; then for those alone, never for all, because sessions travel in cookies.
fn cors(config: &Config) -> Option<CorsLayer> {
    let origins: Vec<HeaderValue> = config
        .allow_origins
        .iter()
        .filter_map(|origin| origin.parse().ok())
        .collect();
    (!origins.is_empty()).then(|| {
        CorsLayer::new()
            .allow_origin(AllowOrigin::list(origins))
            .allow_credentials(true)
            .allow_methods([Method::GET, Method::POST, Method::DELETE])
            .allow_headers([header::AUTHORIZATION, header::CONTENT_TYPE])
            .expose_headers([header::RETRY_AFTER, REQUEST_ID])
            .max_age(PREFLIGHT)
    })
}

/// A proxy's id is kept, so that both logs can be read together; anything else a stranger sends is not.
async fn drop_odd_request_id(mut request: Request) -> Request {
    let plain = |id: &HeaderValue| {
        (1..=LONGEST_REQUEST_ID).contains(&id.len())
            && id
                .as_bytes()
                .iter()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
    };
    if !request.headers().get(REQUEST_ID).is_some_and(plain) {
        request.headers_mut().remove(REQUEST_ID);
    }
    request
}

#[derive(Clone)]
struct NewRequestId;

impl MakeRequestId for NewRequestId {
    fn make_request_id<B>(&mut self, _: &http::Request<B>) -> Option<RequestId> {
        HeaderValue::try_from(UuidV7.next())
            .ok()
            .map(RequestId::new)
    }
}
