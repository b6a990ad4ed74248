//! The real server over real HTTP as a stranger sees it, on a clock that a test moves.

use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use reqwest::{Method, RequestBuilder, header::HeaderMap};
use sea_orm::{ConnectionTrait, DatabaseConnection, Statement};
use serde_json::{Value, json};
use server::{AppState, Config, Running, accounts};
use sync_core::{Clock, ManualClock, UuidV7, http_transport::HttpTransport};
use tokio::net::TcpListener;

use crate::{Description, TestDb};

/// The password of every account of a test.
pub const PASSWORD: &str = "correct horse battery";
/// Where the clock stands when a test begins: the 1st of January 2026.
pub const START_MS: i64 = 1_767_225_600_000;
/// A day in milliseconds.
pub const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// A running server, which believes `X-Forwarded-For`. Stopped when dropped.
pub struct LoginServer {
    /// The server's clock.
    pub clock: Arc<ManualClock>,
    /// What the commands of an administrator work on.
    pub state: AppState,
    running: Running,
    http: reqwest::Client,
    description: Description,
    db: DatabaseConnection,
}

/// An answer, read to its end.
#[derive(Clone, Debug)]
pub struct Told {
    /// Its status.
    pub status: u16,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body; null if it is empty.
    pub body: Value,
}

impl LoginServer {
    /// Starts the server on a database.
    ///
    /// # Errors
    /// If it does not start.
    pub async fn start(database: &TestDb) -> Result<Self> {
        Self::start_with(database, |_| {}).await
    }

    /// The same, configured otherwise.
    ///
    /// # Errors
    /// If it does not start.
    pub async fn start_with(database: &TestDb, adjust: impl FnOnce(&mut Config)) -> Result<Self> {
        let mut config = Config {
            database_url: database.url().to_owned(),
            auth_secret: Some("a secret of this test".to_owned()),
            trust_proxy: "x-forwarded-for".parse().ok(),
            ..Config::default()
        };
        // All that come here are at one address to the machine.
        config.connections.most_per_address = 1_000;
        adjust(&mut config);
        let clock = Arc::new(ManualClock::new(START_MS));
        let state = AppState::open_with(&config, clock.clone(), Arc::new(UuidV7)).await?;
        let running = server::start(state.clone(), TcpListener::bind("127.0.0.1:0").await?)?;
        // Installs the TLS provider that reqwest needs to exist.
        HttpTransport::new(&running.url(), None)?;
        let http = reqwest::Client::new();
        let description = http.get(running.url() + "/api/openapi.json").send();
        let description = Description::new(description.await?.json().await?)?;
        Ok(Self {
            clock,
            state,
            running,
            http,
            description,
            db: database.connect().await?,
        })
    }

    /// Adds an account with [`PASSWORD`]; returns its id.
    ///
    /// # Errors
    /// If the server refuses it.
    pub async fn add_user(&self, email: &str) -> Result<String> {
        let new = accounts::NewAccount {
            email: email.to_owned(),
            password: PASSWORD.to_owned(),
            name: None,
        };
        Ok(accounts::create(&self.state, new).await?.id)
    }

    /// Begins a request.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, self.running.url() + path)
    }

    /// Sends a request, reads the answer, and holds it against the server's own description.
    ///
    /// # Errors
    /// If there is none, or it is not as it is described.
    pub async fn told(&self, request: RequestBuilder) -> Result<Told> {
        let request = request.build()?;
        let (method, path) = (request.method().clone(), request.url().path().to_owned());
        let answer = self.http.execute(request).await?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        let text = answer.text().await?;
        let media_type = headers.get("content-type");
        let media_type = media_type.and_then(|value| value.to_str().ok());
        self.description
            .check(&method, &path, status, media_type, text.as_bytes())?;
        let body = match text.as_str() {
            "" => Value::Null,
            text => serde_json::from_str(text)?,
        };
        Ok(Told {
            status: status.as_u16(),
            headers,
            body,
        })
    }

    /// Sends a request with a bearer token and without a body.
    ///
    /// # Errors
    /// If there is no answer.
    pub async fn ask(&self, method: Method, path: &str, token: &str) -> Result<Told> {
        self.told(self.request(method, path).bearer_auth(token))
            .await
    }

    /// Sends JSON with a bearer token.
    ///
    /// # Errors
    /// If there is no answer.
    pub async fn post(&self, path: &str, token: &str, body: &Value) -> Result<Told> {
        self.told(
            self.request(Method::POST, path)
                .bearer_auth(token)
                .json(body),
        )
        .await
    }

    /// Tries to log in from an address.
    ///
    /// # Errors
    /// If there is no answer.
    pub async fn sign_in(&self, from: &str, email: &str, password: &str) -> Result<Told> {
        let body = json!({ "email": email, "password": password, "rememberMe": true });
        let request = self.request(Method::POST, "/api/auth/sign-in/email");
        self.told(request.header("x-forwarded-for", from).json(&body))
            .await
    }

    /// The session token of a login that succeeds.
    ///
    /// # Errors
    /// If it does not.
    pub async fn session(&self, email: &str) -> Result<String> {
        let told = self.sign_in("192.0.2.1", email, PASSWORD).await?;
        told.text("token")
    }

    /// The sync token of a device of the session's user.
    ///
    /// # Errors
    /// If the server refuses it.
    pub async fn sync_token(&self, session: &str, device: &str) -> Result<String> {
        let body = json!({ "deviceId": device, "deviceName": format!("{device} of the test") });
        let told = self.post("/api/sync/token", session, &body).await?;
        told.text("syncToken")
    }

    /// The status of a request that any sync token may make.
    ///
    /// # Errors
    /// If there is no answer.
    pub async fn info(&self, token: &str) -> Result<Told> {
        self.ask(Method::GET, "/api/sync/info", token).await
    }

    /// Runs SQL in the server's database, as another program does.
    ///
    /// # Errors
    /// If the database refuses it.
    pub async fn sql(&self, sql: &str) -> Result<()> {
        self.db.execute_unprepared(sql).await?;
        Ok(())
    }

    /// What a query gives as text, row by row.
    ///
    /// # Errors
    /// If the database refuses it.
    pub async fn texts(&self, sql: &str) -> Result<Vec<String>> {
        let statement = Statement::from_string(self.db.get_database_backend(), sql);
        let rows = self.db.query_all_raw(statement).await?;
        rows.iter()
            .map(|row| Ok(row.try_get_by_index(0)?))
            .collect()
    }

    /// Moves the clock on, and returns what it says.
    pub fn later(&self, ms: i64) -> i64 {
        self.clock.advance(ms);
        self.clock.now_ms()
    }
}

impl Told {
    /// A text field of the body.
    ///
    /// # Errors
    /// If there is none.
    pub fn text(&self, field: &str) -> Result<String> {
        let text = self.body[field].as_str();
        Ok(text
            .with_context(|| format!("no {field}: {self:?}"))?
            .to_owned())
    }

    /// The status and the code of an error.
    #[must_use]
    pub fn outcome(&self) -> (u16, &str) {
        (self.status, self.body["code"].as_str().unwrap_or_default())
    }

    /// The seconds after which to come again.
    ///
    /// # Errors
    /// If the answer does not say.
    pub fn retry_after_s(&self) -> Result<i64> {
        let value = self.headers.get("retry-after").context("no Retry-After")?;
        Ok(value.to_str()?.parse()?)
    }

    /// The cookie as a browser would send it back.
    ///
    /// # Errors
    /// If there is none.
    pub fn cookie(&self) -> Result<String> {
        let set = self.headers.get("set-cookie").context("no cookie")?;
        let pair = set.to_str()?.split(';').next().unwrap_or_default();
        ensure!(!pair.is_empty(), "no cookie in {set:?}");
        Ok(pair.to_owned())
    }
}
