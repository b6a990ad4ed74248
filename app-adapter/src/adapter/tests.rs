//! The handle against a server that is not there.

use std::fs;

use sea_orm::ConnectionTrait;
use serde_json::json;
use sync_core::{CountedIds, ManualClock};

use super::*;
use crate::{
    FileProblem, Standing,
    testing::{FakeServer, answer},
};

const URL: &str = "https://zentrio.example";

struct Installation {
    adapter: Adapter,
    server: FakeServer,
    dir: tempfile::TempDir,
}

impl Installation {
    async fn new(server: FakeServer) -> Self {
        let dir = tempfile::tempdir().expect("folder");
        let adapter = open(&dir, &server).await;
        Self {
            adapter,
            server,
            dir,
        }
    }

    async fn sql(&self, sql: &str) {
        self.adapter
            .device()
            .db()
            .execute_unprepared(sql)
            .await
            .expect(sql);
    }

    /// All bytes of all files, as a thief has them.
    fn bytes(&self) -> Vec<u8> {
        let files = fs::read_dir(self.dir.path()).expect("folder").flatten();
        files
            .flat_map(|file| fs::read(file.path()).expect("file"))
            .collect()
    }

    async fn state(&self) -> Standing {
        self.adapter.overview().await.expect("overview").state
    }
}

async fn open(dir: &tempfile::TempDir, server: &FakeServer) -> Adapter {
    let environment = Environment {
        clock: Arc::new(ManualClock::new(1_767_323_045_678)),
        ids: Arc::new(CountedIds::new(1)),
        network: Arc::new(server.clone()),
        keyring: None,
        ..Environment::default()
    };
    Adapter::open_in(&dir.path().join("app.sqlite"), environment)
        .await
        .expect("database")
}

fn wanted(url: &str) -> Connect {
    let password = Password::new("correct horse".to_owned());
    Connect::new(
        ServerUrl::parse(url, false).expect("address"),
        "anna@example.org",
        password,
        "laptop",
    )
}

#[tokio::test]
async fn a_fresh_database_becomes_the_accounts() {
    let here = Installation::new(FakeServer::zentrio()).await;
    assert_eq!(here.state().await, Standing::NotConnected);

    let connected = here.adapter.connect(&wanted(URL)).await.expect("connected");

    assert_eq!(
        (connected.user_id.as_str(), connected.local_user_id.as_str()),
        ("u1", "u1")
    );
    assert_eq!(
        (connected.remote_url.as_str(), connected.n_pending),
        (URL, 0)
    );
    assert_eq!(here.state().await, Standing::Pending);
    let lines: Vec<_> = here
        .server
        .requests()
        .iter()
        .map(|asked| asked.line())
        .collect();
    assert_eq!(
        lines,
        [
            "POST /api/auth/sign-in/email -",
            "POST /api/sync/token Bearer session-1",
            "POST /api/auth/sign-out Bearer session-1",
        ]
    );
}

#[tokio::test]
async fn no_file_holds_the_token_the_password_or_the_session() {
    let here = Installation::new(FakeServer::zentrio()).await;
    here.adapter.connect(&wanted(URL)).await.expect("connected");
    let bytes = here.bytes();
    for secret in ["sync-1", "session-1", "correct horse"] {
        assert!(
            !bytes
                .windows(secret.len())
                .any(|part| part == secret.as_bytes()),
            "{secret}"
        );
    }
    // The token is used nevertheless, also after a restart.
    open(&here.dir, &here.server)
        .await
        .disconnect()
        .await
        .expect("disconnected");
    let last = here.server.requests().pop().expect("a request");
    assert_eq!(last.line(), "DELETE /api/sync/token Bearer sync-1");
}

#[tokio::test]
async fn a_guests_data_becomes_the_accounts_and_waits() {
    let here = Installation::new(FakeServer::zentrio()).await;
    here.sql(
        "INSERT INTO user (id, email, name, emailVerified, createdAt, updatedAt)
             VALUES ('guest', 'guest@localhost', 'Guest', 0, '2026-01-02', '2026-01-02');
         INSERT INTO profiles (user_id, name, avatar) VALUES ('guest', 'Anna', 'a')",
    )
    .await;
    let connected = here.adapter.connect(&wanted(URL)).await.expect("connected");
    assert_eq!(
        (connected.local_user_id.as_str(), connected.n_pending),
        ("guest", 1)
    );
}

#[tokio::test]
async fn an_unclear_owner_costs_no_token() {
    let here = Installation::new(FakeServer::zentrio()).await;
    here.sql(
        "INSERT INTO user (id, email, name, emailVerified, createdAt, updatedAt)
             VALUES ('a', 'a@b', 'A', 0, '2026-01-02', '2026-01-02'), ('b', 'b@b', 'B', 0, '2026-01-02', '2026-01-02');
         INSERT INTO profiles (user_id, name, avatar) VALUES ('a', 'A', 'a'), ('b', 'B', 'b')",
    )
    .await;
    let error = here
        .adapter
        .connect(&wanted(URL))
        .await
        .expect_err("several");
    assert_eq!(error.word(), "several_local_users");
    assert!(
        !here
            .server
            .requests()
            .iter()
            .any(|asked| asked.path == "/api/sync/token")
    );
    assert_eq!(
        here.server.requests().pop().expect("a request").path,
        "/api/auth/sign-out"
    );

    let named = Connect {
        local_user: Some("b@b".to_owned()),
        ..wanted(URL)
    };
    assert_eq!(
        here.adapter
            .connect(&named)
            .await
            .expect("connected")
            .local_user_id,
        "b"
    );
}

#[tokio::test]
async fn the_same_account_comes_back_and_another_is_refused() {
    let here = Installation::new(FakeServer::zentrio()).await;
    here.adapter.connect(&wanted(URL)).await.expect("connected");
    here.adapter.disconnect().await.expect("disconnected");
    here.adapter
        .connect(&wanted(URL))
        .await
        .expect("connected again");

    let error = here
        .adapter
        .connect(&wanted("https://other.example"))
        .await
        .expect_err("another server");
    assert_eq!(error.word(), "other_account");
    let text = error.to_string();
    assert!(
        text.contains("anna@example.org") && text.contains(URL),
        "{text}"
    );
    assert_eq!(
        here.state().await,
        Standing::Pending,
        "the login that was there is untouched"
    );

    let other = FakeServer::new(|_| {
        answer(
            200,
            &json!({ "token": "s", "user": { "id": "u2", "email": "eve@b" } }),
        )
    });
    let adapter = open(&here.dir, &other).await;
    assert_eq!(
        adapter
            .connect(&wanted(URL))
            .await
            .expect_err("another account")
            .word(),
        "other_account"
    );
    assert!(
        !other
            .requests()
            .iter()
            .any(|asked| asked.path == "/api/sync/token")
    );
}

#[tokio::test]
async fn disconnecting_keeps_the_rows_and_tells_what_was_not_pushed() {
    let here = Installation::new(FakeServer::zentrio()).await;
    here.adapter.connect(&wanted(URL)).await.expect("connected");
    here.sql("INSERT INTO profiles (user_id, name, avatar) VALUES ('u1', 'Anna', 'a')")
        .await;

    let gone = here.adapter.disconnect().await.expect("disconnected");
    assert_eq!(
        gone,
        Disconnected {
            was_connected: true,
            is_revoked: true,
            n_pending: 1
        }
    );
    assert_eq!(here.state().await, Standing::NotConnected);

    let again = here.adapter.disconnect().await.expect("once more");
    assert_eq!(
        again,
        Disconnected {
            was_connected: false,
            is_revoked: false,
            n_pending: 1
        }
    );
}

#[tokio::test]
async fn disconnecting_needs_no_server() {
    let here = Installation::new(FakeServer::zentrio()).await;
    here.adapter.connect(&wanted(URL)).await.expect("connected");
    let adapter = open(&here.dir, &FakeServer::offline()).await;
    let gone = adapter.disconnect().await.expect("disconnected");
    assert!(gone.was_connected && !gone.is_revoked);
    assert_eq!(here.state().await, Standing::NotConnected);
}

#[tokio::test]
async fn without_a_login_that_opens_nothing_is_sent() {
    let here = Installation::new(FakeServer::zentrio()).await;
    let sync = async || {
        here.adapter
            .sync(&|_| {})
            .await
            .expect_err("no login")
            .word()
            .to_owned()
    };
    assert_eq!(sync().await, "not_connected");

    here.adapter.connect(&wanted(URL)).await.expect("connected");
    let n_before = here.server.requests().len();

    here.sql("UPDATE sync_state SET remote_url = 'https://evil.example'")
        .await;
    assert_eq!(sync().await, "login_unreadable");
    here.sql(&format!("UPDATE sync_state SET remote_url = '{URL}'"))
        .await;

    fs::remove_file(here.dir.path().join("app.sqlite.key")).expect("key file");
    assert_eq!(sync().await, "login_unreadable");
    assert_eq!(here.state().await, Standing::LoginNeeded);

    // As an older app kept it.
    here.sql("UPDATE sync_state SET auth_token = 'plain'").await;
    assert_eq!(sync().await, "not_connected");
    assert_eq!(here.state().await, Standing::NotConnected);
    assert_eq!(here.server.requests().len(), n_before);
}

#[tokio::test]
async fn a_login_that_cannot_be_kept_is_given_back() {
    let here = Installation::new(FakeServer::zentrio()).await;
    here.sql("CREATE TRIGGER no BEFORE UPDATE OF auth_token ON sync_state BEGIN SELECT raise(ABORT, 'no'); END").await;
    assert_eq!(
        here.adapter
            .connect(&wanted(URL))
            .await
            .expect_err("not kept")
            .word(),
        "database"
    );
    let lines: Vec<_> = here
        .server
        .requests()
        .iter()
        .map(|asked| asked.line())
        .collect();
    assert!(
        lines.contains(&"DELETE /api/sync/token Bearer sync-1".to_owned()),
        "{lines:?}"
    );
}

#[tokio::test]
async fn an_open_database_that_breaks_is_told_by_its_file() {
    let dir = tempfile::tempdir().expect("folder");
    fs::write(dir.path().join("app.sqlite"), "text").expect("file");
    let error = Adapter::open(&dir.path().join("app.sqlite"))
        .await
        .err()
        .expect("no database");
    assert!(
        matches!(
            error,
            AdapterError::File {
                problem: FileProblem::NotADatabase,
                ..
            }
        ),
        "{error}"
    );
}

/// A keyring of a test: what is in it, and whether it can be used.
#[derive(Default)]
struct FakeKeyring {
    kept: std::sync::Mutex<std::collections::BTreeMap<String, Vec<u8>>>,
    is_locked: std::sync::atomic::AtomicBool,
}

impl FakeKeyring {
    fn check(&self) -> Result<(), crate::KeyringError> {
        match self.is_locked.load(std::sync::atomic::Ordering::SeqCst) {
            true => Err(crate::KeyringError::new("it is locked")),
            false => Ok(()),
        }
    }
}

impl crate::Keyring for FakeKeyring {
    fn get(&self, name: &str) -> Result<Option<Vec<u8>>, crate::KeyringError> {
        self.check()?;
        Ok(self.kept.lock().expect("kept").get(name).cloned())
    }

    fn set(&self, name: &str, secret: &[u8]) -> Result<(), crate::KeyringError> {
        self.check()?;
        let mut kept = self.kept.lock().expect("kept");
        kept.insert(name.to_owned(), secret.to_owned());
        Ok(())
    }
}

async fn open_with(
    dir: &tempfile::TempDir,
    server: &FakeServer,
    keyring: &Arc<FakeKeyring>,
) -> Adapter {
    let environment = Environment {
        network: Arc::new(server.clone()),
        keyring: Some(keyring.clone()),
        ..Environment::default()
    };
    let adapter = Adapter::open_in(&dir.path().join("app.sqlite"), environment).await;
    adapter.expect("database")
}

#[tokio::test]
async fn where_there_is_a_keyring_the_key_is_in_it() {
    let (dir, server) = (tempfile::tempdir().expect("folder"), FakeServer::zentrio());
    let keyring = Arc::new(FakeKeyring::default());
    let adapter = open_with(&dir, &server, &keyring).await;
    adapter.connect(&wanted(URL)).await.expect("connected");
    assert!(!dir.path().join("app.sqlite.key").exists());
    assert_eq!(keyring.kept.lock().expect("kept").len(), 1);
    drop(adapter);

    // After a restart it is asked for; one that is locked, or has lost the key, is a login that is needed.
    let again = open_with(&dir, &server, &keyring).await;
    assert_eq!(
        again.overview().await.expect("overview").state,
        Standing::Pending
    );
    for lose in [false, true] {
        let again = open_with(&dir, &server, &keyring).await;
        keyring
            .is_locked
            .store(!lose, std::sync::atomic::Ordering::SeqCst);
        if lose {
            keyring.kept.lock().expect("kept").clear();
        }
        let state = again.overview().await.expect("overview").state;
        assert_eq!(state, Standing::LoginNeeded, "{lose}");
    }
    let error = again.disconnect().await;
    assert!(
        error.is_ok(),
        "a login that cannot be opened is forgotten all the same"
    );
}

#[tokio::test]
async fn where_the_keyring_cannot_be_used_the_key_is_in_the_file() {
    let (dir, server) = (tempfile::tempdir().expect("folder"), FakeServer::zentrio());
    let keyring = Arc::new(FakeKeyring::default());
    keyring
        .is_locked
        .store(true, std::sync::atomic::Ordering::SeqCst);
    let adapter = open_with(&dir, &server, &keyring).await;
    adapter.connect(&wanted(URL)).await.expect("connected");
    assert!(dir.path().join("app.sqlite.key").exists());
    // That it can be used later changes nothing: the login says where its key is.
    keyring
        .is_locked
        .store(false, std::sync::atomic::Ordering::SeqCst);
    let again = open_with(&dir, &server, &keyring).await;
    assert_eq!(
        again.overview().await.expect("overview").state,
        Standing::Pending
    );
}
