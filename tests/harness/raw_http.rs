//! Requests byte by byte, as no well-behaved client sends them.

use std::net::SocketAddr;

use anyhow::{Context, Result};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{Duration, timeout},
};

/// How long an answer may go on.
const PATIENCE: Duration = Duration::from_secs(30);

/// A request to be sent.
#[derive(Clone, Debug)]
pub struct Raw {
    to: SocketAddr,
    line: String,
    headers: Vec<(String, String)>,
    body: String,
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// All lines before the body.
    pub head: String,
    /// The body, as far as it came.
    pub body: String,
}

impl Raw {
    /// A request with the right `Host`.
    #[must_use]
    pub fn new(to: SocketAddr, method: &str, path: &str) -> Self {
        Self {
            to,
            line: format!("{method} {path} HTTP/1.1"),
            headers: vec![("Host".to_owned(), to.to_string())],
            body: String::new(),
        }
    }

    /// Without any `Host`.
    #[must_use]
    pub fn without_host(mut self) -> Self {
        self.headers.retain(|(name, _)| name != "Host");
        self
    }

    /// With another `Host`.
    #[must_use]
    pub fn host(self, host: &str) -> Self {
        self.without_host().header("Host", host)
    }

    /// With one header more.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With a body of this kind.
    #[must_use]
    pub fn body(mut self, kind: &str, body: &str) -> Self {
        body.clone_into(&mut self.body);
        self.header("Content-Type", kind)
    }

    /// Sends it and reads the answer to its end.
    ///
    /// # Errors
    /// If no answer comes.
    pub async fn send(&self) -> Result<Answer> {
        let mut text = format!("{}\r\n", self.line);
        for (name, value) in &self.headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        text.push_str(&format!(
            "Content-Length: {}\r\nConnection: close\r\n\r\n{}",
            self.body.len(),
            self.body
        ));
        let mut stream = TcpStream::connect(self.to).await?;
        stream.write_all(text.as_bytes()).await?;
        let mut answer = Vec::new();
        timeout(PATIENCE, stream.read_to_end(&mut answer)).await??;
        Answer::read(&String::from_utf8_lossy(&answer))
    }
}

impl Answer {
    fn read(text: &str) -> Result<Self> {
        let (head, body) = text.split_once("\r\n\r\n").context("no answer")?;
        let status = head.split(' ').nth(1).context("no status")?.parse()?;
        Ok(Self {
            status,
            head: head.to_owned(),
            body: body.to_owned(),
        })
    }

    /// A header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }
}
