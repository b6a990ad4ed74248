//! The page's style and its little script, as files of our own.

use axum::{
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};

pub(super) async fn style() -> Response {
    file("text/css; charset=utf-8", include_str!("assets/page.css"))
}

pub(super) async fn script() -> Response {
    let text = include_str!("assets/page.js");
    file("text/javascript; charset=utf-8", text)
}

fn file(kind: &'static str, text: &'static str) -> Response {
    let kind = HeaderValue::from_static(kind);
    ([(header::CONTENT_TYPE, kind)], text).into_response()
}
