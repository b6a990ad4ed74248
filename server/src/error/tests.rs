//! Every error with the status and code it travels with.

use sea_orm::RuntimeErr;

use super::*;

#[test]
fn every_error_has_its_status_and_code() {
    let text = || "words for the client".to_owned();
    let io = || std::io::Error::other("disk on fire");
    let listen = Error::Listen {
        address: ([127, 0, 0, 1], 1).into(),
        source: io(),
    };
    for (error, status, code) in [
        (Error::BadRequest(text()), 400, "bad_request"),
        (Error::Unauthorized, 401, "unauthorized"),
        (Error::TokenExpired, 401, "token_expired"),
        (Error::WrongPassword, 401, "invalid_email_or_password"),
        (Error::WrongCurrentPassword, 400, "wrong_password"),
        (Error::NoPassword, 400, "no_password"),
        (
            Error::TooManyAttempts { wait_s: 7 },
            429,
            "too_many_attempts",
        ),
        (Error::EmailNotVerified, 403, "email_not_verified"),
        (Error::UnknownAccount(text()), 500, "internal"),
        (Error::UnknownDevice, 404, "unknown_device"),
        (Error::Banned, 403, "banned"),
        (Error::SignUpDisabled, 403, "sign_up_disabled"),
        (Error::NotFound, 404, "not_found"),
        (Error::MethodNotAllowed, 405, "method_not_allowed"),
        (Error::BodyTimeout, 408, "body_timeout"),
        (Error::EmailTaken, 409, "email_taken"),
        (Error::BodyTooLarge, 413, "body_too_large"),
        (Error::UnsupportedMediaType, 415, "unsupported_media_type"),
        (Error::BadBody(text()), 422, "invalid_body"),
        (Error::InvalidEmail, 422, "invalid_email"),
        (Error::InvalidPassword, 422, "invalid_password"),
        (Error::InvalidName, 422, "invalid_name"),
        (
            Error::Hash(argon2::password_hash::Error::Crypto),
            500,
            "internal",
        ),
        (Error::Config(text()), 500, "internal"),
        (Error::Io(io()), 500, "internal"),
        (listen, 500, "internal"),
        (DbErr::Custom(text()).into(), 500, "internal"),
        (Error::Busy("many"), 503, "unavailable"),
        (
            DbErr::Conn(RuntimeErr::Internal(text())).into(),
            503,
            "unavailable",
        ),
    ] {
        let (actual, body) = error.public();
        assert_eq!(
            (actual.as_u16(), body.code.as_str()),
            (status, code),
            "{error:?}"
        );
        assert!(!body.message.is_empty(), "{error:?}");
    }
}

#[test]
fn what_the_engine_refuses_keeps_its_code_status_and_words() {
    for code in ErrorCode::ALL {
        let error = Error::from(ServerError::Refused {
            code,
            message: "why".to_owned(),
        });
        let (status, body) = error.public();
        assert_eq!(status.as_u16(), code.status());
        assert_eq!(
            (body.code.as_str(), body.message.as_str()),
            (code.as_str(), "why")
        );
    }
}

#[test]
fn an_overtaken_push_tells_the_number_of_the_last() {
    let (status, body) = Error::from(ServerError::Overtaken { last: 7 }).public();
    assert_eq!((status.as_u16(), body.last_push_no), (409, Some(7)));
}

#[test]
fn what_the_database_says_stays_inside() {
    let error = Error::from(DbErr::Query(RuntimeErr::Internal(
        "SELECT secret FROM user".to_owned(),
    )));
    let (_, body) = error.public();
    assert!(!body.message.contains("SELECT"), "{body:?}");
}

#[tokio::test]
async fn a_panic_is_an_internal_error() {
    let failed = crate::task::detached::<()>(async { panic!("a bug") }).await;
    let (status, body) = failed.expect_err("the panic").public();
    assert_eq!((status.as_u16(), body.code.as_str()), (500, "internal"));
}

#[test]
fn headers_tell_how_to_go_on() {
    let unauthorized = Error::TokenExpired.into_response();
    assert_eq!(unauthorized.headers()[header::WWW_AUTHENTICATE], "Bearer");
    let busy = Error::Busy("many").into_response();
    assert_eq!(busy.headers()[header::RETRY_AFTER], "5");
}
