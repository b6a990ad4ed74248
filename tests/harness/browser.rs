//! A real browser without a window, driven as a person drives it.

use std::{
    env, fs,
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use fantoccini::{
    Client, ClientBuilder, Locator,
    elements::Element,
    wd::{Capabilities, WebDriverCompatibleCommand},
};
use http::Method;
use serde_json::{Value, json};

/// How long a test waits for what must come. Machines that build and test at once are slow.
const PATIENCE: Duration = Duration::from_secs(60);

/// A browser with one page. Ends with this value.
pub struct Browser {
    /// For what is not here.
    pub client: Client,
    driver: Child,
}

impl Browser {
    /// Starts a browser; none where there is none, which is said.
    ///
    /// # Errors
    /// If it does not start, or is missing where everything has to be tested.
    pub async fn start() -> Result<Option<Self>> {
        Self::start_with(json!({})).await
    }

    /// One that runs no script of a page.
    ///
    /// # Errors
    /// As [`Browser::start`].
    pub async fn without_scripts() -> Result<Option<Self>> {
        Self::start_with(json!({ "profile.managed_default_content_settings.javascript": 2 })).await
    }

    async fn start_with(prefs: Value) -> Result<Option<Self>> {
        let Some(mut driver) = start_driver()? else {
            return Ok(None);
        };
        let out = driver.stdout.take().context("no stdout")?;
        let port = tokio::task::spawn_blocking(move || port_in(BufReader::new(out))).await??;
        let mut args = vec![
            "--headless=new",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--hide-scrollbars",
        ];
        if is_root()? {
            // It refuses to run otherwise.
            args.push("--no-sandbox");
        }
        let mut capabilities = Capabilities::new();
        let mut options = json!({ "args": args, "prefs": prefs });
        if let Some(path) = program("chromium").or_else(|| program("google-chrome")) {
            options["binary"] = json!(path);
        }
        capabilities.insert("goog:chromeOptions".to_owned(), options);
        let http = hyper_util::client::legacy::connect::HttpConnector::new();
        let client = ClientBuilder::new(http)
            .capabilities(capabilities)
            .connect(&format!("http://127.0.0.1:{port}"))
            .await?;
        client.set_window_size(1000, 900).await?;
        Ok(Some(Self { client, driver }))
    }

    /// Opens a page.
    ///
    /// # Errors
    /// If it cannot be opened.
    pub async fn open(&self, url: &str) -> Result<()> {
        Ok(self.client.goto(url).await?)
    }

    /// An element, once it is there.
    ///
    /// # Errors
    /// If it never is.
    pub async fn element(&self, css: &str) -> Result<Element> {
        let begun = Instant::now();
        loop {
            match self.client.find(Locator::Css(css)).await {
                Ok(element) => return Ok(element),
                Err(_) if begun.elapsed() < PATIENCE => {}
                Err(error) => bail!("no `{css}`: {error}; the page says: {}", self.text().await?),
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Types something into a field in place of what is there.
    ///
    /// # Errors
    /// If there is no such field.
    pub async fn fill(&self, css: &str, text: &str) -> Result<()> {
        let field = self.element(css).await?;
        field.clear().await?;
        Ok(field.send_keys(text).await?)
    }

    /// Clicks on something.
    ///
    /// # Errors
    /// If it is not there.
    pub async fn click(&self, css: &str) -> Result<()> {
        let begun = Instant::now();
        loop {
            // What is clicked on may be replaced just then.
            match self.element(css).await?.click().await {
                Err(_) if begun.elapsed() < PATIENCE => {}
                clicked => return Ok(clicked?),
            }
        }
    }

    /// What the page says, as people see it.
    ///
    /// # Errors
    /// If the browser does not answer.
    pub async fn text(&self) -> Result<String> {
        let text = self.run("return document.body.innerText").await?;
        Ok(text.as_str().unwrap_or_default().to_owned())
    }

    /// Waits until the page says something.
    ///
    /// # Errors
    /// If it never does.
    pub async fn says(&self, words: &str) -> Result<()> {
        let begun = Instant::now();
        loop {
            let text = self.text().await.unwrap_or_default();
            if text.contains(words) {
                return Ok(());
            }
            ensure!(
                begun.elapsed() < PATIENCE,
                "it never says `{words}`, but: {text}"
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Runs a script in the page.
    ///
    /// # Errors
    /// If that fails.
    pub async fn run(&self, script: &str) -> Result<Value> {
        Ok(self.client.execute(script, vec![]).await?)
    }

    /// Chooses dark or light, and a width.
    ///
    /// # Errors
    /// If the browser does not do it.
    pub async fn look(&self, look: Look) -> Result<()> {
        let scheme = if look.dark { "dark" } else { "light" };
        let media = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        self.devtools("Emulation.setEmulatedMedia", media).await?;
        let metrics =
            json!({ "width": look.width, "height": 900, "deviceScaleFactor": 1, "mobile": false });
        self.devtools("Emulation.setDeviceMetricsOverride", metrics)
            .await
    }

    async fn devtools(&self, cmd: &str, params: Value) -> Result<()> {
        let cmd = DevTools(json!({ "cmd": cmd, "params": params }));
        self.client.issue_cmd(cmd).await?;
        Ok(())
    }

    /// Keeps what the page looks like, all of it, in `target/screenshots`.
    ///
    /// # Errors
    /// If it cannot be kept.
    pub async fn keep(&self, name: &str) -> Result<PathBuf> {
        let picture = DevTools(json!({
            "cmd": "Page.captureScreenshot",
            "params": { "format": "png", "captureBeyondViewport": true },
        }));
        let answer = self.client.issue_cmd(picture).await?;
        let data = answer["data"].as_str().context("no picture")?;
        let data = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, data)?;
        let test = env::current_exe()?;
        // This program is in `target/debug/deps`.
        let target = test
            .ancestors()
            .nth(3)
            .context("this test is in no folder")?;
        let folder = target.join("screenshots");
        fs::create_dir_all(&folder)?;
        let path = folder.join(format!("{name}.png"));
        fs::write(&path, data)?;
        Ok(path)
    }

    /// Whether something is wider than the page.
    ///
    /// # Errors
    /// If the browser does not answer.
    pub async fn scrolls_sideways(&self) -> Result<bool> {
        let wider =
            "return document.documentElement.scrollWidth > document.documentElement.clientWidth";
        Ok(self.run(wider).await? == json!(true))
    }

    /// Ends it.
    ///
    /// # Errors
    /// If it does not end.
    pub async fn close(self) -> Result<()> {
        let client = self.client.clone();
        Ok(client.close().await?)
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // It takes its browser along.
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

/// How a page is looked at.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// Whether dark colours are preferred.
    pub dark: bool,
    /// How many pixels there are from left to right.
    pub width: u32,
}

/// A command of the browser's own.
#[derive(Debug)]
struct DevTools(Value);

impl WebDriverCompatibleCommand for DevTools {
    fn endpoint(
        &self,
        base: &url::Url,
        session: Option<&str>,
    ) -> Result<url::Url, url::ParseError> {
        base.join(&format!(
            "session/{}/goog/cdp/execute",
            session.unwrap_or_default()
        ))
    }

    fn method_and_body(&self, _: &url::Url) -> (Method, Option<String>) {
        (Method::POST, Some(self.0.to_string()))
    }
}

fn start_driver() -> Result<Option<Child>> {
    let Some(path) = program("chromedriver") else {
        ensure!(
            env::var_os("CI").is_none(),
            "the page is tested in a browser: install `chromium` and `chromium-driver`"
        );
        #[expect(clippy::print_stderr, reason = "whoever runs the tests has to know")]
        {
            eprintln!(
                "no browser, so the page is not tested: install `chromium` and `chromium-driver`"
            );
        }
        return Ok(None);
    };
    let driver = Command::new(path)
        .arg("--port=0")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    Ok(Some(driver.context("chromedriver does not start")?))
}

/// The port that the system has chosen.
fn port_in(out: impl BufRead) -> Result<u16> {
    for line in out.lines() {
        let line = line?;
        if let Some((_, port)) = line.split_once("started successfully on port ") {
            return Ok(port.trim().trim_end_matches('.').parse()?);
        }
    }
    bail!("chromedriver does not tell its port")
}

fn program(name: &str) -> Option<PathBuf> {
    let paths = env::var_os("PATH")?;
    env::split_paths(&paths)
        .map(|folder| folder.join(name))
        .find(|path| path.is_file())
}

fn is_root() -> Result<bool> {
    use std::os::unix::fs::MetadataExt;
    Ok(fs::metadata("/proc/self")?.uid() == 0)
}
