//! Servers that waste a device's time.

use std::time::Duration;

use http::Request;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use super::*;

/// A server whose answer begins well and goes on with a byte now and then.
async fn dripping() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("port");
    let url = format!("http://{}", listener.local_addr().expect("address"));
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.read(&mut [0; 4096]).await;
            let head = b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n";
            let mut sent = stream.write_all(head).await;
            while sent.is_ok() {
                time::sleep(Duration::from_millis(20)).await;
                sent = stream.write_all(b" ").await;
            }
        }
    });
    url
}

#[tokio::test]
async fn l15_an_answer_that_drips_is_given_up() {
    install_tls();
    let base = read_base(&dripping().await).expect("address");
    let addresses = Addresses::new(Arc::new(|_| true));
    let patience = Patience::short(Duration::from_millis(300));
    let transport = HttpTransport::built(base, None, addresses, patience).expect("transport");
    let error = transport.send(Request::new(Bytes::new())).await;
    let error = error.expect_err("no end");
    assert_eq!(
        error.to_string(),
        "the answer comes too slowly",
        "{error:?}"
    );
    assert!(!error.offline);
}

#[tokio::test]
async fn l12_an_address_or_a_name_that_may_not_be_reached_is_not() {
    let may_reach = |ip: IpAddr| !ip.is_loopback();
    for base in [
        "http://127.0.0.1:1",
        "http://[::1]:1",
        "http://[::ffff:127.0.0.1]",
    ] {
        let refused = HttpTransport::within(base, None, move |ip| may_reach(ip.to_canonical()));
        assert!(refused.is_err(), "{base}");
    }
    let transport = HttpTransport::within("http://localhost:1", None, may_reach);
    let sent = transport
        .expect("a name")
        .send(Request::new(Bytes::new()))
        .await;
    let error = sent.expect_err("not reached");
    assert!(
        !error.offline && error.message.contains("no sync server"),
        "{error:?}"
    );
}
