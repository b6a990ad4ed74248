//! The door, applied to every request, and the headers that every answer has.

use axum::{
    Extension,
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::{
    PageState,
    door::{From, Said},
};

/// Nothing from elsewhere, nothing inline, in nobody's frame.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// `same-origin` rather than `no-referrer`: with that browsers keep the origin of our own forms to themselves.
const HEADERS: [(HeaderName, HeaderValue); 7] = [
    (
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(POLICY),
    ),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    ),
    (
        header::REFERRER_POLICY,
        HeaderValue::from_static("same-origin"),
    ),
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        HeaderValue::from_static("same-origin"),
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("same-origin"),
    ),
];

/// Lets a request in that may come, with where it comes from as an extension.
pub(super) async fn guard(
    State(state): State<PageState>,
    mut request: Request,
    next: Next,
) -> Response {
    let from = match is_for_us(&state, &request) {
        true => state.door.from(said(request.headers())),
        false => From::Foreign,
    };
    let response = if from == From::Foreign {
        refused()
    } else {
        request.extensions_mut().insert(from.clone());
        match (&from, request.method()) {
            (From::Allowed(_), &Method::OPTIONS) => StatusCode::NO_CONTENT.into_response(),
            _ => next.run(request).await,
        }
    };
    with_headers(response, &from)
}

/// An origin that was allowed is so for the front end's endpoints alone.
pub(super) async fn not_for_other_origins(
    Extension(from): Extension<From>,
    request: Request,
    next: Next,
) -> Response {
    match from {
        From::Allowed(_) => refused(),
        _ => next.run(request).await,
    }
}

/// One `Host`, and that ours.
fn is_for_us(state: &PageState, request: &Request) -> bool {
    let mut hosts = request.headers().get_all(header::HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else {
        return false;
    };
    let named = request.uri().authority();
    let is_ours = |host: &str| state.door.is_ours(host);
    host.to_str().is_ok_and(is_ours) && named.is_none_or(|name| is_ours(name.as_str()))
}

fn said(headers: &HeaderMap) -> Said<'_> {
    // What cannot be read is no origin of ours.
    let word = |name: &str| {
        let mut values = headers.get_all(name).iter();
        let value = values.next()?;
        Some(match values.next() {
            None => value.to_str().unwrap_or("unreadable"),
            Some(_) => "several",
        })
    };
    Said {
        origin: word("origin"),
        site: word("sec-fetch-site"),
        mode: word("sec-fetch-mode"),
        dest: word("sec-fetch-dest"),
    }
}

/// The answer to whoever may not come in. Tells nothing.
pub(super) fn refused() -> Response {
    (
        StatusCode::FORBIDDEN,
        "This page is for this machine and its own programs.\n",
    )
        .into_response()
}

fn with_headers(mut response: Response, from: &From) -> Response {
    let headers = response.headers_mut();
    headers.extend(HEADERS);
    if let From::Allowed(origin) = from {
        let Ok(origin) = HeaderValue::from_str(origin) else {
            return response;
        };
        let fixed = HeaderValue::from_static;
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(
            HeaderName::from_static("cross-origin-resource-policy"),
            fixed("cross-origin"),
        );
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, fixed("GET, POST"));
        headers.insert(
            header::ACCESS_CONTROL_ALLOW_HEADERS,
            fixed("content-type, authorization"),
        );
        headers.insert(
            HeaderName::from_static("access-control-allow-private-network"),
            fixed("true"),
        );
    }
    headers.insert(header::VARY, HeaderValue::from_static("origin, cookie"));
    response
}
