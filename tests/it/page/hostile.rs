//! Servers that are not what they say: sending people on, without end, with somebody else's token.

use anyhow::{Context, Result, ensure};
use app_adapter::{Connect, Password, ServerUrl};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use super::{Device, EMAIL, PASSWORD};

async fn word_of_connecting(device: &Device, url: &str) -> Result<(String, String)> {
    let password = Password::new(PASSWORD.to_owned());
    let wanted = Connect::new(ServerUrl::parse(url, false)?, EMAIL, password, "Laptop");
    let error = device
        .sync
        .connect(&wanted)
        .await
        .err()
        .context("it connected")?;
    Ok((error.word().to_owned(), error.to_string()))
}

/// Answers every request so, and tells what came.
async fn answering(answer: String) -> Result<(String, tokio::task::JoinHandle<Result<String>>)> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    let task = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await?;
        let mut came = vec![0; 4096];
        let n = stream.read(&mut came).await?;
        stream.write_all(answer.as_bytes()).await?;
        stream.shutdown().await?;
        came.truncate(n);
        Ok(String::from_utf8_lossy(&came).into_owned())
    });
    Ok((url, task))
}

#[tokio::test(flavor = "multi_thread")]
async fn l12_nobody_is_sent_on_to_another_server() -> Result<()> {
    let device = Device::new().await?;
    let (target, came) =
        answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}".to_owned()).await?;
    for status in ["301 Moved", "302 Found", "307 Temporary", "308 Permanent"] {
        let answer =
            format!("HTTP/1.1 {status}\r\nLocation: {target}/api\r\nContent-Length: 0\r\n\r\n");
        let (url, _) = answering(answer).await?;
        let (word, message) = word_of_connecting(&device, &url).await?;
        ensure!(word == "not_a_sync_server", "{word}: {message}");
    }
    ensure!(!came.is_finished(), "the request was sent on");
    came.abort();
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn l15_an_answer_without_end_is_cut_off() -> Result<()> {
    let device = Device::new().await?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    let endless = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await?;
        let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 10737418240\r\n\r\n";
        stream.write_all(head.as_bytes()).await?;
        let piece = vec![b' '; 1 << 20];
        let mut n_sent = 0_u64;
        while stream.write_all(&piece).await.is_ok() {
            n_sent += piece.len() as u64;
        }
        anyhow::Ok(n_sent)
    });
    let (word, _) = word_of_connecting(&device, &url).await?;
    ensure!(word == "unreachable", "{word}");
    let n_sent = endless.await??;
    ensure!(n_sent < 100 << 20, "{n_sent} bytes were taken");
    Ok(())
}
