//! Everything that can go wrong, and what of it a stranger may be told.
//!
//! The enum keeps the source for the log; [`Error::public`] is the only way out to a client, and what
//! it says never holds SQL, a stack or another account's data.

use std::net::SocketAddr;

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header};
use sea_orm::DbErr;
use sync_core::{
    RegistryError,
    protocol::{ErrorBody, ErrorCode},
    server::ServerError,
};

/// Why a request, or the start of the server, failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No token, or none that is valid where it was shown.
    #[error("no valid token")]
    Unauthorized,
    /// The sync token was valid once; logging in again gives a new one.
    #[error("the sync token has expired")]
    TokenExpired,
    /// Unknown address or wrong password; deliberately not told apart.
    #[error("wrong email or password")]
    WrongPassword,
    /// The password that was to be replaced is another one.
    #[error("the current password is wrong")]
    WrongCurrentPassword,
    /// The account logs in by other means than a password.
    #[error("the account has no password")]
    NoPassword,
    /// Too many attempts of a kind.
    #[error("too many attempts; the next one in {wait_s} s")]
    TooManyAttempts {
        /// Seconds until the next one may be made.
        wait_s: u64,
    },
    /// Nobody has made sure that the address is the user's own, and this server wants that.
    #[error("the email address is not verified")]
    EmailNotVerified,
    /// No account has the address. For administrators only.
    #[error("there is no account with the address {0}")]
    UnknownAccount(String),
    /// The account has no such device.
    #[error("the account has no such device")]
    UnknownDevice,
    /// The administrator has locked the account.
    #[error("the account is banned")]
    Banned,
    /// New accounts are made by the administrator here.
    #[error("sign-up is switched off")]
    SignUpDisabled,
    /// Another account has the address.
    #[error("the email address is taken")]
    EmailTaken,
    /// Not an address mail could be sent to.
    #[error("not an email address")]
    InvalidEmail,
    /// Too short or too long; the limits are in [`accounts`](crate::accounts).
    #[error("unsuitable password")]
    InvalidPassword,
    /// A name that is too long or holds control characters.
    #[error("unsuitable name")]
    InvalidName,
    /// The body or query does not say what the endpoint takes; the text is for the client.
    #[error("bad request: {0}")]
    BadRequest(String),
    /// The body is JSON, but not the object the endpoint takes; the text is for the client.
    #[error("bad body: {0}")]
    BadBody(String),
    /// The body is larger than the limit.
    #[error("body too large")]
    BodyTooLarge,
    /// The body did not arrive in time.
    #[error("the body took too long")]
    BodyTimeout,
    /// The body is not `application/json`, or is encoded in a way that is not read here.
    #[error("unsupported media type")]
    UnsupportedMediaType,
    /// The address is longer than any of this server's.
    #[error("the address is too long")]
    AddressTooLong,
    /// A mistake in this program.
    #[error("a request panicked")]
    Panicked,
    /// No such page.
    #[error("not found")]
    NotFound,
    /// The page exists, but not for this method.
    #[error("method not allowed")]
    MethodNotAllowed,
    /// As many devices of the account listen as may.
    #[error("too many listeners of one account")]
    TooManyListeners,
    /// Too much is going on; later is better.
    #[error("busy: {0}")]
    Busy(&'static str),
    /// The sync engine refused, or the database failed, under the engine or elsewhere.
    #[error(transparent)]
    Sync(#[from] ServerError),
    /// The entities contradict each other; no fault of any user.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// A password could not be hashed.
    #[error("cannot hash a password: {0}")]
    Hash(argon2::password_hash::Error),
    /// A task of ours panicked or was cut off by the shutdown.
    #[error(transparent)]
    Task(#[from] tokio::task::JoinError),
    /// A database could not be moved to another one; the text is for the administrator.
    #[error("{0}")]
    Import(String),
    /// The configuration says something impossible; the text is for the administrator.
    #[error("{0}")]
    Config(String),
    /// The address to listen on cannot be had.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address asked for.
        address: SocketAddr,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The operating system failed.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

impl Error {
    /// The status and the body for a client.
    pub(crate) fn public(&self) -> (StatusCode, ErrorBody) {
        let (status, code, message) = match self {
            Self::Sync(error) => return (status(error.code()), error.body()),
            Self::Busy(_) => return failed(ErrorCode::Unavailable),
            Self::BadRequest(why) => (400, ErrorCode::BadRequest.as_str(), why.as_str()),
            Self::Unauthorized => (
                401,
                "unauthorized",
                "A valid token is needed. Log in again.",
            ),
            Self::TokenExpired => (401, "token_expired", "The token has expired. Log in again."),
            Self::WrongPassword => (
                401,
                "invalid_email_or_password",
                "Email or password is wrong.",
            ),
            Self::WrongCurrentPassword => (400, "wrong_password", "The current password is wrong."),
            Self::NoPassword => (
                400,
                "no_password",
                "This account does not log in with a password.",
            ),
            Self::TooManyAttempts { .. } => (
                429,
                "too_many_attempts",
                "There were too many attempts. Try again later.",
            ),
            Self::EmailNotVerified => (
                403,
                "email_not_verified",
                "The email address of this account has to be verified first.",
            ),
            Self::UnknownDevice => (404, "unknown_device", "The account has no such device."),
            Self::Banned => (403, "banned", "The administrator has locked this account."),
            Self::SignUpDisabled => (
                403,
                "sign_up_disabled",
                "Ask the administrator of this server for an account.",
            ),
            Self::NotFound => (404, "not_found", "There is nothing at this address."),
            Self::MethodNotAllowed => (
                405,
                "method_not_allowed",
                "This address does not take this method.",
            ),
            Self::BodyTimeout => (408, "body_timeout", "The body did not arrive in time."),
            Self::EmailTaken => (
                409,
                "email_taken",
                "There is an account with this email address.",
            ),
            Self::BodyTooLarge => (
                413,
                "body_too_large",
                "The body is larger than this server takes.",
            ),
            Self::AddressTooLong => (414, "address_too_long", "The address is too long."),
            Self::UnsupportedMediaType => (
                415,
                "unsupported_media_type",
                "Send application/json, as it is or compressed with zstd or gzip.",
            ),
            Self::TooManyListeners => (
                429,
                "too_many_listeners",
                "As many devices of this account listen as may.",
            ),
            Self::BadBody(why) => (422, "invalid_body", why.as_str()),
            Self::InvalidEmail => (422, "invalid_email", "This is not an email address."),
            Self::InvalidPassword => (
                422,
                "invalid_password",
                "A password has 8 to 128 characters.",
            ),
            Self::InvalidName => (
                422,
                "invalid_name",
                "A name has at most 200 characters on one line.",
            ),
            // All others are for the log: not the client's fault, so not the client's business.
            _ => return failed(ErrorCode::Internal),
        };
        (known(status), ErrorBody::new(code, message))
    }
}

fn failed(code: ErrorCode) -> (StatusCode, ErrorBody) {
    let message = match code {
        ErrorCode::Unavailable => "The server cannot answer now. Try again later.",
        _ => "The server failed. Its log says why.",
    };
    (status(code), ErrorBody::new(code.as_str(), message))
}

fn status(code: ErrorCode) -> StatusCode {
    known(code.status())
}

fn known(status: u16) -> StatusCode {
    StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

impl From<DbErr> for Error {
    fn from(error: DbErr) -> Self {
        Self::Sync(error.into())
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let (status, body) = self.public();
        self.log(status, &body.code);
        let mut response = (status, Json(body)).into_response();
        let (name, value) = match (&self, status) {
            (Self::TooManyAttempts { wait_s }, _) => (header::RETRY_AFTER, (*wait_s).into()),
            (_, StatusCode::UNAUTHORIZED) => {
                (header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
            }
            (_, StatusCode::SERVICE_UNAVAILABLE) => (header::RETRY_AFTER, 5.into()),
            (_, StatusCode::TOO_MANY_REQUESTS) => (header::RETRY_AFTER, 60.into()),
            _ => return response,
        };
        response.headers_mut().insert(name, value);
        response
    }
}

impl Error {
    /// The only place that logs a failed request. What a client did wrong is logged by its code alone:
    /// the words may repeat what was sent.
    fn log(&self, status: StatusCode, code: &str) {
        if status.is_server_error() {
            tracing::error!(
                code,
                error = self as &dyn std::error::Error,
                "request failed"
            );
        } else {
            tracing::debug!(code, "request refused");
        }
    }
}

#[cfg(test)]
mod tests;
