//! The real server on a port of its own, and a device's way to it over real HTTP.

use std::sync::Arc;

use anyhow::{Context, Result};
use serde_json::{Value, json};
use sync_core::{Transport, http_transport::HttpTransport};
use tokio::net::TcpListener;

use crate::TestDb;

/// The password of every account of a test.
pub const PASSWORD: &str = "correct horse battery";

/// A running server. Stopped when dropped.
pub struct HttpServer {
    running: server::Running,
    state: server::AppState,
    http: reqwest::Client,
    database: Arc<TestDb>,
}

impl HttpServer {
    /// Starts the server on a database.
    ///
    /// # Errors
    /// If it does not start.
    pub async fn start(database: TestDb) -> Result<Self> {
        Self::start_with(Arc::new(database), |_| {}).await
    }

    /// Starts the server on a database that others may have, too, configured as `adjust` says.
    ///
    /// # Errors
    /// If it does not start.
    pub async fn start_with(
        database: Arc<TestDb>,
        adjust: impl FnOnce(&mut server::Config),
    ) -> Result<Self> {
        let mut config = server::Config {
            database_url: database.url().to_owned(),
            ..server::Config::default()
        };
        adjust(&mut config);
        let state = server::AppState::open(&config).await?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let running = server::start(state.clone(), listener)?;
        // Installs the TLS provider that reqwest needs to exist.
        HttpTransport::new(&running.url(), None)?;
        Ok(Self {
            running,
            state,
            http: reqwest::Client::new(),
            database,
        })
    }

    /// The server's address.
    pub fn url(&self) -> String {
        self.running.url()
    }

    /// Its database.
    pub fn database(&self) -> &TestDb {
        &self.database
    }

    /// Adds an account with [`PASSWORD`]; returns its id.
    ///
    /// # Errors
    /// If the server refuses it.
    pub async fn add_user(&self, email: &str) -> Result<String> {
        let new = server::accounts::NewAccount {
            email: email.to_owned(),
            password: PASSWORD.to_owned(),
            name: None,
        };
        Ok(server::accounts::create(&self.state, new).await?.id)
    }

    /// Logs a device in, as an app does, and returns its sync token.
    ///
    /// # Errors
    /// If the server refuses it.
    pub async fn token(&self, email: &str) -> Result<String> {
        let sign_in = json!({ "email": email, "password": PASSWORD, "rememberMe": true });
        let session = self.post("/api/auth/sign-in/email", None, &sign_in).await?;
        let session = session["token"]
            .as_str()
            .context("no session token")?
            .to_owned();
        let token = self
            .post("/api/sync/token", Some(&session), &json!({}))
            .await?;
        Ok(token["syncToken"]
            .as_str()
            .context("no sync token")?
            .to_owned())
    }

    /// A device's way to this server, logged in.
    ///
    /// # Errors
    /// If the server refuses the login.
    pub async fn transport(&self, email: &str) -> Result<Arc<dyn Transport>> {
        Ok(Arc::new(self.http_transport(email).await?))
    }

    /// The same, by which it can listen, too.
    ///
    /// # Errors
    /// If the server refuses the login.
    pub async fn http_transport(&self, email: &str) -> Result<HttpTransport> {
        Ok(HttpTransport::new(
            &self.url(),
            Some(self.token(email).await?),
        )?)
    }

    /// Stops it, as a service manager does.
    ///
    /// # Errors
    /// If it does not stop.
    pub async fn stop(self) -> Result<()> {
        Ok(self.running.stop().await?)
    }

    async fn post(&self, path: &str, bearer: Option<&str>, body: &Value) -> Result<Value> {
        let mut request = self.http.post(self.url() + path).json(body);
        if let Some(bearer) = bearer {
            request = request.bearer_auth(bearer);
        }
        let answer = request.send().await?;
        let status = answer.status();
        let text = answer.text().await?;
        anyhow::ensure!(status.is_success(), "{path}: {status} {text}");
        Ok(serde_json::from_str(&text)?)
    }
}
