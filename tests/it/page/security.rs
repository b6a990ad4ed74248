//! What a site, a name or a program from elsewhere can do to the page: nothing.

use std::net::{SocketAddr, UdpSocket};

use anyhow::{Context, Result, ensure};
use app_adapter::{Page, PageOptions};
use sync_tests::{
    programs::{DeviceFile, Program, Started},
    raw_http::Raw,
};
use tokio::{io::AsyncWriteExt, net::TcpStream};

use super::{
    Device, PASSWORD,
    by_hand::{FORMS, Visit, address},
    server,
};

const SHOWN: [&str; 6] = [
    "/",
    "/page.css",
    "/page.js",
    "/live",
    "/api/sync/status",
    "/api/sync/config",
];
const CALLS: [&str; 4] = [
    "/api/sync/connect",
    "/api/sync/sync",
    "/api/sync/trigger",
    "/api/sync/disconnect",
];

/// Every route there is, and one that is not.
fn routes() -> Vec<(&'static str, &'static str)> {
    let forms = FORMS.iter().map(|(path, _)| ("POST", *path));
    let shown = SHOWN.iter().map(|path| ("GET", *path));
    let calls = CALLS.iter().map(|path| ("POST", *path));
    forms
        .chain(shown)
        .chain(calls)
        .chain([("GET", "/nothing")])
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn l01_the_page_is_on_loopback_only() -> Result<()> {
    let device = Device::new().await?;
    let at = address(&device)?;
    ensure!(at.ip().is_loopback());
    // The address that others would use; on a machine without a network there is none.
    let socket = UdpSocket::bind("0.0.0.0:0")?;
    if socket.connect("192.0.2.1:9").is_ok() {
        let lan = SocketAddr::new(socket.local_addr()?.ip(), at.port());
        ensure!(TcpStream::connect(lan).await.is_err(), "{lan} answers");
    }
    for listen in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"] {
        let options = PageOptions {
            listen: listen.parse()?,
            allowed_origins: Vec::new(),
            secret_beside: None,
        };
        let served = Page::serve(device.sync.clone(), options).await;
        let error = served.err().map(|e| e.word().to_owned());
        ensure!(
            error.as_deref() == Some("not_loopback"),
            "{listen}: {error:?}"
        );
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn l02_another_name_for_this_machine_is_refused_on_every_route() -> Result<()> {
    let device = Device::new().await?;
    let at = address(&device)?;
    let port = at.port();
    for (method, path) in routes() {
        for host in [
            "evil.com".to_owned(),
            format!("evil.com:{port}"),
            format!("localhost.evil.com:{port}"),
            format!("127.0.0.1.nip.io:{port}"),
            "127.0.0.1:1".to_owned(),
            "localhost".to_owned(),
            String::new(),
        ] {
            let answer = Raw::new(at, method, path).host(&host).send().await?;
            ensure!(
                [403, 400].contains(&answer.status),
                "{method} {path} {host}: {answer:?}"
            );
        }
        let none = Raw::new(at, method, path).without_host().send().await?;
        ensure!(
            [403, 400].contains(&none.status),
            "{method} {path}: {none:?}"
        );
        let two = Raw::new(at, method, path)
            .header("Host", "evil.com")
            .send()
            .await?;
        ensure!([403, 400].contains(&two.status), "{method} {path}: {two:?}");
        let other = format!("http://evil.com{path}");
        let absolute = Raw::new(at, method, &other).send().await?;
        ensure!(
            [403, 400].contains(&absolute.status),
            "{method} {other}: {absolute:?}"
        );
    }
    for host in ["127.0.0.1", "localhost", "[::1]"] {
        let answer = Raw::new(at, "GET", "/")
            .host(&format!("{host}:{port}"))
            .send()
            .await?;
        ensure!(answer.status == 200, "{host}: {answer:?}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn l03_another_origin_is_refused_on_every_route() -> Result<()> {
    let device = Device::new().await?;
    let visit = Visit::to(&device).await?;
    for (method, path) in routes() {
        for origin in ["https://evil.example", "http://localhost:1", "null", ""] {
            let sent = Raw::new(visit.at, method, path)
                .header("Origin", origin)
                .header("Cookie", &visit.cookie);
            let answer = sent.send().await?;
            ensure!(answer.status == 403, "{method} {path} {origin}: {answer:?}");
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn l04_what_a_form_can_send_is_no_json() -> Result<()> {
    let device = Device::new().await?;
    let visit = Visit::to(&device).await?;
    let own = format!("http://{}", visit.at);
    let json = r#"{"remoteUrl":"https://evil.example","token":"t","userId":"u"}"#;
    for kind in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
    ] {
        for path in CALLS {
            let answer = Raw::new(visit.at, "POST", path)
                .header("Origin", &own)
                .body(kind, json)
                .send()
                .await?;
            ensure!(answer.status == 415, "{path} {kind}: {answer:?}");
        }
    }
    for (path, fields) in FORMS {
        let body = format!("form={}&{fields}", visit.token);
        for kind in ["text/plain", "application/json"] {
            let sent = Raw::new(visit.at, "POST", path)
                .header("Origin", &own)
                .header("Cookie", &visit.cookie)
                .body(kind, &body);
            let answer = sent.send().await?;
            ensure!(answer.status == 415, "{path} {kind}: {answer:?}");
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn l05_no_get_has_an_effect() -> Result<()> {
    let (_db, server) = server().await?;
    let device = Device::connected(&server).await?;
    let visit = Visit::to(&device).await?;
    let before = device.sync.status().borrow().clone();
    for path in FORMS.iter().map(|(path, _)| *path).chain(CALLS) {
        for method in ["GET", "HEAD"] {
            let with = format!(
                "{path}?form={}&choice=take-theirs&table=lists&id=1",
                visit.token
            );
            let answer = Raw::new(visit.at, method, &with)
                .header("Cookie", &visit.cookie)
                .header("Sec-Fetch-Site", "same-origin")
                .send()
                .await?;
            ensure!(answer.status == 405, "{method} {path}: {answer:?}");
        }
    }
    let after = device.sync.status().borrow().clone();
    ensure!(after.overview.state == before.overview.state && after.n_syncs == before.n_syncs);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn l08_every_answer_has_its_headers() -> Result<()> {
    let device = Device::new().await?;
    let at = address(&device)?;
    for (method, path) in routes() {
        // The stream of events has no end; its refusal has one.
        let answer = Raw::new(at, method, path).send().await?;
        let policy = answer.header("content-security-policy").unwrap_or_default();
        for rule in [
            "default-src 'none'",
            "frame-ancestors 'none'",
            "form-action 'self'",
            "base-uri 'none'",
        ] {
            ensure!(policy.contains(rule), "{path}: {answer:?}");
        }
        ensure!(
            !policy.contains("unsafe") && !policy.contains('*'),
            "{policy}"
        );
        for (name, value) in [
            ("x-frame-options", "DENY"),
            ("x-content-type-options", "nosniff"),
            ("cache-control", "no-store"),
            ("referrer-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
        ] {
            ensure!(
                answer.header(name) == Some(value),
                "{path} {name}: {answer:?}"
            );
        }
    }
    let page = Raw::new(at, "GET", "/").send().await?.body;
    for inline in ["<style", "style=", "onclick", "<script>", "javascript:"] {
        ensure!(!page.contains(inline), "{inline} is in the page");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn l10_nobody_else_may_watch() -> Result<()> {
    let device = Device::new().await?;
    let visit = Visit::to(&device).await?;
    let live = || Raw::new(visit.at, "GET", "/live");
    for asked in [
        live(),
        live()
            .header("Origin", "https://evil.example")
            .header("Cookie", &visit.cookie),
        live()
            .header("Sec-Fetch-Site", "cross-site")
            .header("Cookie", &visit.cookie),
        live()
            .header("Sec-Fetch-Site", "same-site")
            .header("Cookie", &visit.cookie),
        live().header("Cookie", "zentrio_page=x"),
    ] {
        let answer = asked.send().await?;
        ensure!(answer.status == 403, "{asked:?}: {answer:?}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn l11_no_answer_and_no_log_holds_a_secret() -> Result<()> {
    let (_db, server) = server().await?;
    let gate = sync_tests::gate::Gate::before(server.address)?;
    let file = DeviceFile::missing()?;
    file.connect(&gate.url(), super::EMAIL, PASSWORD)?
        .with_code(0)?;
    let mut run = file.start_zentrio(&["run", "--listen", "127.0.0.1:0", "--verbose"])?;
    let at = started(&mut run)?;
    let own = format!("http://{at}");
    let mut said = String::new();
    for path in ["/", "/api/sync/status", "/api/sync/config"] {
        said += &Raw::new(at, "GET", path)
            .header("Origin", &own)
            .send()
            .await?
            .body;
    }
    let sync = Raw::new(at, "POST", "/api/sync/sync")
        .header("Origin", &own)
        .send()
        .await?;
    ensure!(sync.status == 200, "{sync:?}");
    let arguments = std::fs::read_to_string("/proc/self/cmdline").map(|_| list_of_processes());
    let ended = run.terminate()?.with_code(0)?;
    said += &format!(
        "{}{}{}",
        ended.stdout,
        ended.stderr,
        arguments.unwrap_or_default()
    );
    let mut secrets = gate.tokens();
    ensure!(secrets.len() >= 2, "{} tokens were shown", secrets.len());
    secrets.push(PASSWORD.to_owned());
    for secret in secrets {
        ensure!(!said.contains(&secret), "a secret is told");
    }
    Ok(())
}

/// What everybody on this machine sees of its programs.
fn list_of_processes() -> String {
    let folders = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    folders
        .filter_map(|folder| std::fs::read_to_string(folder.path().join("cmdline")).ok())
        .collect()
}

/// Where a program that was started serves its page.
fn started(run: &mut Started) -> Result<SocketAddr> {
    let begun = std::time::Instant::now();
    loop {
        let said = run.said();
        let url = said
            .lines()
            .find_map(|line| line.strip_prefix("Cloud Sync: http://"));
        if let Some(url) = url.and_then(|url| url.strip_suffix('/')) {
            return Ok(url.parse()?);
        }
        ensure!(
            run.is_running()? && begun.elapsed().as_secs() < 60,
            "{said}"
        );
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn l17_a_port_that_is_taken_is_named() -> Result<()> {
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let listen = taken.local_addr()?.to_string();
    let file = DeviceFile::missing()?;
    let ended = file
        .zentrio(&["run", "--listen", &listen, "--json"])?
        .with_code(1)?;
    let error = ended.json()?;
    ensure!(error["error"]["code"] == "port_taken", "{error}");
    let message = error["error"]["message"].as_str().context("no words")?;
    ensure!(
        message.contains(&taken.local_addr()?.port().to_string()) && message.contains("--listen"),
        "{message}"
    );
    let wide = file
        .zentrio(&["run", "--listen", "0.0.0.0:0", "--json"])?
        .with_code(2)?
        .json()?;
    ensure!(wide["error"]["code"] == "not_loopback", "{wide}");
    ensure!(!file.path().with_extension("sqlite.page").exists());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_is_asked_to_stop_does_so_and_leaves_nothing_open() -> Result<()> {
    let (_db, server) = server().await?;
    let file = DeviceFile::missing()?;
    file.connect(&server.url(), super::EMAIL, PASSWORD)?
        .with_code(0)?;
    let mut run = file.start_zentrio(&["run", "--listen", "127.0.0.1:0"])?;
    let at = started(&mut run)?;
    // Somebody who watches, and somebody who says nothing.
    let mut silent = TcpStream::connect(at).await?;
    silent.write_all(b"GET / HTTP/1.1\r\n").await?;
    file.sql("INSERT INTO profiles (user_id, name, avatar) SELECT id, 'Zoë', 'z' FROM user")?;
    sync_tests::programs::until("the edit is sent", async || {
        Ok(file.status()?["n_pending"] == 0)
    })
    .await?;
    run.terminate()?.with_code(0)?;
    ensure!(TcpStream::connect(at).await.is_err(), "it still listens");
    ensure!(!file.path().with_extension("sqlite.page").exists());
    ensure!(
        file.sql("SELECT lease_until_ms FROM sync_state")? == "0",
        "a lease is left"
    );
    let mut once = Program::Device.command()?;
    once.arg("--database")
        .arg(file.path())
        .args(["run", "--once", "--json"]);
    Started::new(&mut once, "")?.ended()?.with_code(0)?.json()?;
    Ok(())
}
