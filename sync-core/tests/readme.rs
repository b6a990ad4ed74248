//! What README.md promises: its program is the example, and that works.

use std::path::Path;

use tokio::net::TcpListener;

#[path = "../examples/notes.rs"]
#[allow(dead_code, reason = "its main function is for those who run it")]
mod notes;

const README: &str = include_str!("../README.md");
const EXAMPLE: &str = include_str!("../examples/notes.rs");

/// A stranger copies it from there.
#[test]
fn the_program_in_the_readme_is_the_example() {
    let begins = EXAMPLE.find("use std::").expect("it uses something");
    let program = format!("```rust,ignore\n{}```", &EXAMPLE[begins..]);
    assert!(
        README.contains(&program),
        "README.md shows another program than examples/notes.rs"
    );
}

#[tokio::test]
async fn two_devices_sync_as_the_readme_says() {
    let folder = tempfile::tempdir().expect("folder");
    let file = |name: &str| path(folder.path(), name);
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("port");
    let url = format!("http://{}", listener.local_addr().expect("address"));
    let server_file = file("server.sqlite");
    tokio::spawn(async move {
        let served = notes::serve(listener, &server_file).await;
        served.map_err(|e| e.to_string())
    });
    let visit = async |name: &str, token: &str, title: Option<&str>| {
        let title = title.map(str::to_owned);
        let notes = notes::visit(&url, &file(name), token, title).await;
        notes.expect("visit")
    };
    let milk = ["Buy milk"].as_slice();
    let both = ["Buy milk", "Call Bob"].as_slice();
    assert_eq!(visit("a.sqlite", "token-1", Some("Buy milk")).await, milk);
    assert_eq!(visit("b.sqlite", "token-2", None).await, milk);
    assert_eq!(visit("b.sqlite", "token-2", Some("Call Bob")).await, both);
    assert_eq!(visit("a.sqlite", "token-1", None).await, both);
    // A stranger's token gets nothing, and what is written stays.
    let refused = visit("c.sqlite", "token-3", Some("Alone")).await;
    assert_eq!(refused, ["Alone"]);
    assert_eq!(visit("a.sqlite", "token-1", None).await, both);
}

fn path(folder: &Path, name: &str) -> String {
    folder.join(name).to_string_lossy().into_owned()
}
