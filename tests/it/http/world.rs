//! Two accounts with rows at one server, and words to attack it with.

use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode, header};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, Statement};
use serde_json::{Value, json};
use sync_core::{Clock, SystemClock};
use sync_tests::{Description, HttpServer, TestDb, snapshot::live_rows};

/// A server with two accounts.
pub(super) struct World {
    pub(super) server: HttpServer,
    pub(super) db: DatabaseConnection,
    pub(super) ann: Person,
    pub(super) bob: Person,
    http: reqwest::Client,
    description: Description,
}

/// An account with a device that has pushed a profile, a list and an item.
pub(super) struct Person {
    pub(super) user_id: String,
    pub(super) token: String,
    /// The names of its rows.
    pub(super) profile: String,
    pub(super) list: String,
    pub(super) item: String,
}

/// An answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) text: String,
}

impl Answer {
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_default()
    }

    pub(super) fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }

    /// The verdicts of a push, row by row, as `verdict` or `verdict code field`.
    pub(super) fn verdicts(&self) -> Vec<String> {
        let body = self.json();
        let tables = body["tables"].as_array().into_iter().flatten();
        let rows = tables.flat_map(|table| table["rows"].as_array().into_iter().flatten());
        rows.map(|row| {
            let words = [&row["verdict"], &row["code"], &row["field"]];
            let words: Vec<&str> = words.into_iter().filter_map(Value::as_str).collect();
            words.join(" ")
        })
        .collect()
    }
}

impl World {
    pub(super) async fn new(db: TestDb) -> Result<Self> {
        Self::with(db, |_| {}).await
    }

    pub(super) async fn with(db: TestDb, adjust: impl FnOnce(&mut server::Config)) -> Result<Self> {
        let server = HttpServer::start_with(Arc::new(db), adjust).await?;
        let db = server.database().connect().await?;
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        let document = http.get(server.url() + "/api/openapi.json").send().await?;
        let description = Description::new(serde_json::from_slice(&document.bytes().await?)?)?;
        let ann = Person::new(&server, "ann@example.org", 'a').await?;
        let bob = Person::new(&server, "bob@example.org", 'b').await?;
        let world = Self {
            server,
            db,
            ann,
            bob,
            http,
            description,
        };
        for person in [&world.ann, &world.bob] {
            let pushed = world.push(person, 1, person.rows()).await?;
            ensure!(pushed.verdicts() == ["applied"; 3], "{pushed:?}");
        }
        Ok(world)
    }

    pub(super) fn description(&self) -> &Description {
        &self.description
    }

    /// Sends a request and holds the answer against the description. No answer is the server's fault.
    pub(super) async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &[u8])],
        body: impl Into<Bytes>,
    ) -> Result<Answer> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            let name: http::HeaderName = name.parse()?;
            map.append(name, http::HeaderValue::from_bytes(value)?);
        }
        let request = self.http.request(method.clone(), self.server.url() + path);
        let answer = request.headers(map).body(body.into()).send().await?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        let body = answer.bytes().await?;
        ensure!(
            status.as_u16() != 500,
            "{method} {path}: {}",
            String::from_utf8_lossy(&body)
        );
        let media_type = headers.get(header::CONTENT_TYPE);
        let media_type = media_type.and_then(|value| value.to_str().ok());
        if method != Method::HEAD {
            self.description
                .check(&method, path, status, media_type, &body)?;
        }
        Ok(Answer {
            status,
            headers,
            text: String::from_utf8(body.to_vec())?,
        })
    }

    /// The same for what browsers ask before they ask: that is not described.
    pub(super) async fn http_alone(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &[u8])],
    ) -> Result<Answer> {
        let mut request = self.http.request(method, self.server.url() + path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = request.send().await?;
        Ok(Answer {
            status: answer.status(),
            headers: answer.headers().clone(),
            text: answer.text().await?,
        })
    }

    /// A push by another device.
    pub(super) async fn push_as(&self, token: &str, push_no: i64, tables: Value) -> Result<Answer> {
        let token = format!("Bearer {token}");
        let headers = [
            ("authorization", token.as_bytes()),
            ("content-type", b"application/json".as_slice()),
        ];
        let body = push_body(push_no, tables).to_string();
        self.send(Method::POST, "/api/sync/push", &headers, body)
            .await
    }

    /// A body by nobody in particular.
    pub(super) async fn post_json(&self, path: &str, body: Value) -> Result<Answer> {
        let headers = [("content-type", b"application/json".as_slice())];
        self.send(Method::POST, path, &headers, body.to_string())
            .await
    }

    /// A body for `POST /api/sync/push` as it is, by Ann's device.
    pub(super) async fn push_raw(&self, body: impl Into<Bytes>) -> Result<Answer> {
        self.post(&self.ann, "/api/sync/push", body).await
    }

    pub(super) async fn post(
        &self,
        person: &Person,
        path: &str,
        body: impl Into<Bytes>,
    ) -> Result<Answer> {
        let token = format!("Bearer {}", person.token);
        let headers = [
            ("authorization", token.as_bytes()),
            ("content-type", b"application/json".as_slice()),
        ];
        self.send(Method::POST, path, &headers, body).await
    }

    pub(super) async fn get(&self, person: &Person, path: &str) -> Result<Answer> {
        let token = format!("Bearer {}", person.token);
        let headers = [("authorization", token.as_bytes())];
        self.send(Method::GET, path, &headers, "").await
    }

    pub(super) async fn push(
        &self,
        person: &Person,
        push_no: i64,
        tables: Value,
    ) -> Result<Answer> {
        let body = push_body(push_no, tables).to_string();
        self.post(person, "/api/sync/push", body).await
    }

    /// All that the two accounts have, and the schema.
    pub(super) async fn everything(&self) -> Result<Vec<String>> {
        let mut all = Vec::new();
        for person in [&self.ann, &self.bob] {
            all.extend(self.of(person).await?);
        }
        all.extend(self.rows(schema(self.db.get_database_backend())).await?);
        Ok(all)
    }

    /// All that an account has.
    pub(super) async fn of(&self, person: &Person) -> Result<Vec<String>> {
        let user = &person.user_id;
        let mut all = live_rows(&self.db, user).await?;
        let whose = format!("(SELECT id FROM sync_account WHERE user_id = '{user}')");
        for sql in [
            format!(
                "SELECT tbl || remote_id || seq || clocks || coalesce(deleted_at, 0) AS text FROM sync_feed WHERE account = {whose} ORDER BY 1"
            ),
            format!(
                "SELECT tbl || alias || remote_id AS text FROM sync_alias WHERE account = {whose} ORDER BY 1"
            ),
            format!("SELECT 'head ' || head AS text FROM sync_account WHERE user_id = '{user}'"),
        ] {
            all.extend(self.rows(&sql).await?);
        }
        Ok(all)
    }

    /// A column `text` of each row.
    pub(super) async fn rows(&self, sql: &str) -> Result<Vec<String>> {
        let statement = Statement::from_string(self.db.get_database_backend(), sql);
        let rows = self.db.query_all_raw(statement).await?;
        let text = rows.iter().map(|row| row.try_get("", "text"));
        Ok(text.collect::<Result<_, _>>()?)
    }
}

fn schema(backend: DbBackend) -> &'static str {
    match backend {
        DbBackend::Postgres => {
            "SELECT table_name || column_name || data_type AS text FROM information_schema.columns
             WHERE table_schema = current_schema() ORDER BY 1"
        }
        _ => "SELECT coalesce(sql, name) AS text FROM sqlite_master ORDER BY 1",
    }
}

impl Person {
    async fn new(server: &HttpServer, email: &str, letter: char) -> Result<Self> {
        let name = |number: u8| format!("0190a6e0-0000-7000-8000-00000000{letter}{number:03}");
        Ok(Self {
            user_id: server.add_user(email).await?,
            token: server.token(email).await.context("no token")?,
            profile: name(1),
            list: name(2),
            item: name(3),
        })
    }

    /// What it pushes at first. The lists' names are the same for all.
    fn rows(&self) -> Value {
        json!([
            {"table": "profiles", "rows": [row(&self.profile, json!({"name": "P", "avatar": "x"}))]},
            {"table": "lists", "rows": [row(&self.list, json!({"name": "Mine", "profile_id": self.profile}))]},
            {"table": "list_items", "rows": [row(&self.item, json!({
                "list_id": self.list, "meta_id": "tt1", "type": "movie", "title": "T"
            }))]},
        ])
    }
}

/// A whole row, new to the server.
pub(super) fn row(remote_id: &str, row: Value) -> Value {
    json!({"remote_id": remote_id, "changed": {"*": now()}, "row": row})
}

/// Edits of a row that is there.
pub(super) fn edit(remote_id: &str, row: Value) -> Value {
    let names = row.as_object().into_iter().flatten();
    let changed: Value = names
        .map(|(name, _)| (name.clone(), json!(now())))
        .collect();
    json!({"remote_id": remote_id, "changed": changed, "row": row})
}

pub(super) fn push_body(push_no: i64, tables: Value) -> Value {
    json!({"protocol": 1, "push_no": push_no, "now": now(), "tables": tables})
}

pub(super) fn now() -> i64 {
    SystemClock.now_ms()
}

/// A name nobody has.
pub(super) fn stranger(number: u8) -> String {
    format!("0190a6e0-0000-7000-8000-0000000fff{number:02}")
}
