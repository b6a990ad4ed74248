//! The page's forms, sent by hand: what takes a proof, and what the answers are.

use std::net::SocketAddr;

use anyhow::{Context, Result, ensure};
use sync_tests::{
    TestDb, on_both_backends,
    raw_http::{Answer, Raw},
};

use super::{Device, EMAIL, PASSWORD, serve, server};

on_both_backends!(a_form_ends_with_the_page_which_tells_once_what_came_of_it,);

const FORM: &str = "application/x-www-form-urlencoded";
/// Every form, with fields that are well formed.
pub(super) const FORMS: [(&str, &str); 8] = [
    (
        "/connect",
        "url=https%3A%2F%2Fzentrio.eu&email=a%40b&password=x",
    ),
    ("/sync", ""),
    ("/disconnect", ""),
    ("/choose", "choice=take-theirs"),
    ("/retry", "table=lists&id=1"),
    ("/discard", "table=lists&id=1"),
    ("/leave-out", "table=lists&id=1"),
    ("/log-out", "id=x"),
];

/// A browser's session with the page: its cookie, and what its forms hold.
pub(super) struct Visit {
    pub(super) at: SocketAddr,
    pub(super) cookie: String,
    pub(super) token: String,
}

impl Visit {
    pub(super) async fn to(device: &Device) -> Result<Self> {
        let at = address(device)?;
        let page = Raw::new(at, "GET", "/").send().await?;
        Self::from(at, &page, None)
    }

    fn from(at: SocketAddr, page: &Answer, known: Option<&str>) -> Result<Self> {
        let cookie = page.header("set-cookie").and_then(|c| c.split(';').next());
        let cookie = cookie.or(known).context("no cookie")?.to_owned();
        let (_, rest) = page
            .body
            .split_once("name=\"form\" value=\"")
            .context("no form")?;
        let token = rest.split('"').next().context("no token")?.to_owned();
        Ok(Self { at, cookie, token })
    }

    /// A form that is sent as our own page does it.
    pub(super) fn post(&self, path: &str, fields: &str) -> Raw {
        Raw::new(self.at, "POST", path)
            .header("Origin", &format!("http://{}", self.at))
            .header("Cookie", &self.cookie)
            .body(FORM, &format!("form={}&{fields}", self.token))
    }
}

pub(super) fn address(device: &Device) -> Result<SocketAddr> {
    let url = device.page.url();
    Ok(url
        .trim_start_matches("http://")
        .trim_end_matches('/')
        .parse()?)
}

async fn a_form_ends_with_the_page_which_tells_once_what_came_of_it(db: TestDb) -> Result<()> {
    let server = serve(&db)?;
    let device = Device::new().await?;
    let visit = Visit::to(&device).await?;
    let url = server.url().replace(':', "%3A").replace('/', "%2F");
    let email = EMAIL.replace('@', "%40");
    let fields = |password: &str| {
        format!(
            "url={url}&email={email}&password={}",
            password.replace(' ', "+")
        )
    };
    let wrong = visit.post("/connect", &fields("wrong")).send().await?;
    ensure!(
        wrong.status == 303 && wrong.header("location") == Some("/"),
        "{wrong:?}"
    );
    let look = Raw::new(visit.at, "GET", "/").header("Cookie", &visit.cookie);
    let told = look.send().await?;
    ensure!(
        told.body
            .contains("does not accept this email and password"),
        "{}",
        told.body
    );
    ensure!(
        !look.send().await?.body.contains("does not accept"),
        "it is told twice"
    );

    // L07: a login makes another session of it; the old cookie and the old forms are worth nothing.
    let right = visit.post("/connect", &fields(PASSWORD)).send().await?;
    let cookie = right.header("set-cookie").context("no new cookie")?;
    ensure!(
        cookie.contains("; HttpOnly; SameSite=Strict") && !cookie.contains("Max-Age"),
        "{cookie}"
    );
    ensure!(!cookie.starts_with(&visit.cookie));
    let before = device.sync.status().borrow().overview.status.connected;
    let old = visit.post("/disconnect", "").send().await?;
    ensure!(old.status == 303 && before, "{old:?}");
    ensure!(
        device.sync.status().borrow().overview.status.connected,
        "an old form had an effect"
    );

    let page = Raw::new(visit.at, "GET", "/")
        .header("Cookie", cookie.split(';').next().unwrap_or_default());
    let visit = Visit::from(visit.at, &page.send().await?, cookie.split(';').next())?;
    visit.post("/disconnect", "").send().await?;
    ensure!(!device.sync.status().borrow().overview.status.connected);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn no_form_has_an_effect_without_its_proof() -> Result<()> {
    let (_db, server) = server().await?;
    let device = Device::connected(&server).await?;
    let visit = Visit::to(&device).await?;
    let own = format!("http://{}", visit.at);
    let n_syncs = device.sync.status().borrow().n_syncs;
    for (path, fields) in FORMS {
        let plain = || Raw::new(visit.at, "POST", path);
        let with = |token: &str| format!("form={token}&{fields}");
        let tries = [
            // A site that sends a form; it does not know the token, and its cookie would not come along.
            plain()
                .header("Origin", "https://evil.example")
                .header("Cookie", &visit.cookie)
                .body(FORM, &with(&visit.token)),
            plain()
                .header("Origin", "null")
                .header("Cookie", &visit.cookie)
                .body(FORM, &with(&visit.token)),
            plain()
                .header("Sec-Fetch-Site", "cross-site")
                .header("Cookie", &visit.cookie)
                .body(FORM, &with(&visit.token)),
            // Another program, without the cookie, without the token, with a wrong one.
            plain().body(FORM, &with(&visit.token)),
            plain().header("Cookie", &visit.cookie).body(FORM, fields),
            plain()
                .header("Cookie", &visit.cookie)
                .body(FORM, &with("wrong")),
            plain()
                .header("Origin", &own)
                .header("Cookie", &visit.cookie)
                .body(FORM, &with("wrong")),
            plain()
                .header("Origin", &own)
                .body(FORM, &with(&visit.token)),
        ];
        for sent in tries {
            let answer = sent.send().await?;
            ensure!([403, 303].contains(&answer.status), "{sent:?}: {answer:?}");
        }
    }
    let status = device.sync.status().borrow().clone();
    ensure!(
        status.overview.status.connected && status.n_syncs == n_syncs,
        "{status:?}"
    );
    Ok(())
}
