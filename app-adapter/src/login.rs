//! The server's login: a password becomes a session, the session a sync token, and then the session ends.

use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use sync_core::{
    SyncError, Transport, TransportError,
    protocol::{ErrorBody, INFO_PATH, TOKEN_PATH},
    transport::retry_after,
};

use crate::error::AdapterError;

const SIGN_IN_PATH: &str = "/api/auth/sign-in/email";
const SIGN_OUT_PATH: &str = "/api/auth/sign-out";
/// Longer than any token or id that a server gives out.
const LONGEST_WORD: usize = 4096;
/// How long is waited for what need not succeed.
const BEST_EFFORT: Duration = Duration::from_secs(10);

/// A password. Shows nothing of itself.
#[derive(Clone)]
pub struct Password(String);

impl Password {
    /// Takes a password as it was typed.
    pub fn new(text: String) -> Self {
        Self(text)
    }
}

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Password(..)")
    }
}

/// Whose session it is, as the server says.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Account {
    pub(crate) id: String,
    pub(crate) email: String,
    #[serde(default)]
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) email_verified: bool,
}

/// A session at a server. End it with [`Session::end`].
pub(crate) struct Session<'a> {
    transport: &'a dyn Transport,
    token: String,
    pub(crate) account: Account,
}

impl<'a> Session<'a> {
    /// Signs in over a transport that shows no token of its own.
    pub(crate) async fn begin(
        transport: &'a dyn Transport,
        email: &str,
        password: &Password,
    ) -> Result<Self, AdapterError> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct SignIn<'a> {
            email: &'a str,
            password: &'a str,
            remember_me: bool,
        }
        #[derive(Deserialize)]
        struct SignedIn {
            token: String,
            user: Account,
        }
        let body = SignIn {
            email,
            password: &password.0,
            remember_me: true,
        };
        let answer = transport.send(post(SIGN_IN_PATH, None, &body)?).await?;
        if answer.status() == StatusCode::UNAUTHORIZED {
            return Err(AdapterError::WrongPassword);
        }
        let SignedIn {
            token,
            user: account,
        } = read(&answer)?;
        check(
            is_word(&token) && is_word(&account.id),
            "its login is not one of Zentrio's",
        )?;
        Ok(Self {
            transport,
            token,
            account,
        })
    }

    /// Asks for the token that this installation syncs with; an earlier one of it ends.
    pub(crate) async fn sync_token(
        &self,
        device_id: &str,
        device_name: &str,
    ) -> Result<String, AdapterError> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Device<'a> {
            device_id: &'a str,
            device_name: &'a str,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Issued {
            sync_token: String,
            user_id: String,
        }
        let request = post(
            TOKEN_PATH,
            Some(&self.token),
            &Device {
                device_id,
                device_name,
            },
        )?;
        let issued: Issued = read(&self.transport.send(request).await?)?;
        check(
            is_word(&issued.sync_token),
            "its sync token is not one of Zentrio's",
        )?;
        check(
            issued.user_id == self.account.id,
            "it gave out another account's token",
        )?;
        Ok(issued.sync_token)
    }

    /// Ends the session, as it has served. One that stays runs out by itself.
    pub(crate) async fn end(self) {
        let Ok(request) = post(SIGN_OUT_PATH, Some(&self.token), &serde_json::json!({})) else {
            return;
        };
        if !succeeds(self.transport, request).await {
            tracing::info!("the session could not be ended; it runs out by itself");
        }
    }
}

/// Which life of which data the server has that `transport` leads to.
pub(crate) async fn epoch(transport: &dyn Transport) -> Result<String, AdapterError> {
    let request = Request::builder()
        .method(Method::GET)
        .uri(INFO_PATH)
        .body(Bytes::new());
    let request = request.map_err(|_| TransportError::lost("the request cannot be written"))?;
    #[derive(Deserialize)]
    struct Life {
        epoch: String,
    }
    let life: Life = read(&transport.send(request).await?)?;
    Ok(life.epoch)
}

/// Gives back the sync token that `transport` shows. Says whether the server has taken it.
pub(crate) async fn revoke(transport: &dyn Transport) -> bool {
    let request = Request::builder()
        .method(Method::DELETE)
        .uri(TOKEN_PATH)
        .body(Bytes::new());
    match request {
        Ok(request) => succeeds(transport, request).await,
        Err(_) => false,
    }
}

/// Sends what is only tidying up: nothing waits long for it, and it may fail.
async fn succeeds(transport: &dyn Transport, request: Request<Bytes>) -> bool {
    let answer = tokio::time::timeout(BEST_EFFORT, transport.send(request)).await;
    // Unauthorized: there is nothing left to end.
    matches!(answer, Ok(Ok(answer)) if answer.status().is_success() || answer.status() == StatusCode::UNAUTHORIZED)
}

fn post(
    path: &str,
    token: Option<&str>,
    body: &impl Serialize,
) -> Result<Request<Bytes>, TransportError> {
    let invalid = |source: Box<dyn std::error::Error + Send + Sync>| TransportError {
        source: Some(source),
        ..TransportError::lost("the request cannot be written")
    };
    let body = serde_json::to_vec(body).map_err(|e| invalid(e.into()))?;
    let mut request = Request::builder()
        .method(Method::POST)
        .uri(path)
        .header(header::CONTENT_TYPE, "application/json");
    if let Some(token) = token {
        request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    }
    request.body(body.into()).map_err(|e| invalid(e.into()))
}

fn read<T: DeserializeOwned>(answer: &Response<Bytes>) -> Result<T, SyncError> {
    let status = answer.status();
    if status.is_redirection() {
        let to = answer
            .headers()
            .get(header::LOCATION)
            .and_then(|to| to.to_str().ok())
            .unwrap_or("elsewhere");
        return Err(SyncError::NotASyncServer(format!("it redirects to {to}")));
    }
    if matches!(
        status,
        StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED
    ) {
        return Err(SyncError::NotASyncServer("it has no such login".to_owned()));
    }
    if !status.is_success() {
        return Err(refused(answer));
    }
    serde_json::from_slice(answer.body())
        .map_err(|error| SyncError::NotASyncServer(error.to_string()))
}

fn refused(answer: &Response<Bytes>) -> SyncError {
    let status = answer.status().as_u16();
    let body = serde_json::from_slice::<ErrorBody>(answer.body());
    let ErrorBody { code, message, .. } = body.unwrap_or_else(|_| {
        ErrorBody::new(
            format!("http_{status}"),
            format!("the server answered with status {status}"),
        )
    });
    SyncError::Refused {
        status,
        code,
        message,
        retry_after: retry_after(answer),
    }
}

fn check(holds: bool, otherwise: &str) -> Result<(), SyncError> {
    if holds {
        Ok(())
    } else {
        Err(SyncError::NotASyncServer(otherwise.to_owned()))
    }
}

/// Whether this can be a token or an id: something to put into a header, and not endless.
pub(crate) fn is_word(text: &str) -> bool {
    (1..=LONGEST_WORD).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::testing::{FakeServer, answer};

    fn password() -> Password {
        Password::new("correct horse".to_owned())
    }

    #[tokio::test]
    async fn a_password_becomes_a_sync_token_and_no_session_stays() {
        let server = FakeServer::zentrio();
        let session = Session::begin(&server, "anna@example.org", &password())
            .await
            .expect("session");
        assert_eq!(session.account.id, "u1");
        assert_eq!(
            session.sync_token("d1", "laptop").await.expect("token"),
            "sync-1"
        );
        session.end().await;

        let requests = server.requests();
        let lines: Vec<_> = requests.iter().map(|request| request.line()).collect();
        assert_eq!(
            lines,
            [
                "POST /api/auth/sign-in/email -",
                "POST /api/sync/token Bearer session-1",
                "POST /api/auth/sign-out Bearer session-1",
            ]
        );
        let expected =
            json!({ "email": "anna@example.org", "password": "correct horse", "rememberMe": true });
        assert_eq!(requests[0].body, expected);
        assert_eq!(
            requests[1].body,
            json!({ "deviceId": "d1", "deviceName": "laptop" })
        );
    }

    #[tokio::test]
    async fn a_wrong_password_is_told_from_a_broken_server() {
        for (status, body, expected) in [
            (
                401,
                json!({ "code": "INVALID_EMAIL_OR_PASSWORD", "message": "no" }),
                "wrong_password",
            ),
            (401, json!(null), "wrong_password"),
            (403, json!({ "code": "banned", "message": "no" }), "banned"),
            (429, json!("slow down"), "http_429"),
            (
                503,
                json!({ "code": "unavailable", "message": "later" }),
                "unavailable",
            ),
            (404, json!({}), "not_a_sync_server"),
            (302, json!({}), "not_a_sync_server"),
            (
                200,
                json!({ "twoFactorRedirect": true }),
                "not_a_sync_server",
            ),
            (
                200,
                json!({ "token": "a\nb", "user": { "id": "u1", "email": "a@b" } }),
                "not_a_sync_server",
            ),
            (
                200,
                json!({ "token": "t", "user": { "id": "", "email": "a@b" } }),
                "not_a_sync_server",
            ),
        ] {
            let server = FakeServer::new(move |_| answer(status, &body));
            let error = Session::begin(&server, "anna@example.org", &password())
                .await
                .err()
                .expect("an error");
            assert_eq!(error.word(), expected, "{status}");
        }
    }

    #[tokio::test]
    async fn another_accounts_token_is_not_taken() {
        let server = FakeServer::new(|request| match request.path.as_str() {
            TOKEN_PATH => answer(
                200,
                &json!({ "syncToken": "t", "userId": "u2", "expiresAt": "2030-01-01T00:00:00Z" }),
            ),
            _ => answer(
                200,
                &json!({ "token": "s", "user": { "id": "u1", "email": "a@b" } }),
            ),
        });
        let session = Session::begin(&server, "a@b", &password())
            .await
            .expect("session");
        let error = session
            .sync_token("d1", "laptop")
            .await
            .expect_err("another account");
        assert_eq!(error.word(), "not_a_sync_server");
    }

    #[tokio::test]
    async fn giving_a_token_back_says_whether_it_is_gone() {
        for (status, gone) in [(204, true), (401, true), (500, false)] {
            let server = FakeServer::new(move |_| answer(status, &json!({})));
            assert_eq!(revoke(&server).await, gone, "{status}");
        }
        assert!(!revoke(&FakeServer::offline()).await);
    }

    #[test]
    fn a_password_shows_nothing_of_itself() {
        assert_eq!(format!("{:?}", password()), "Password(..)");
    }
}
