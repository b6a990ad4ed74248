//! The program as an administrator and a script use it.

use std::{
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, Command, Output, Stdio},
};

use serde_json::Value;

/// The program in a folder where no database is yet, with no configuration but the flags.
fn program(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_zentrio-server"));
    command.args(args).current_dir(folder).env_clear();
    command
}

fn run(folder: &Path, args: &[&str]) -> Output {
    program(folder, args).output().expect("the program runs")
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).expect("one JSON object on stdout")
}

#[test]
fn user_add_prints_one_object_and_tells_a_taken_address_by_exit_code() {
    let folder = tempfile::tempdir().expect("folder");
    let args = ["user", "add", "Ann@example.org", "--json"];
    let added = run(folder.path(), &args);
    assert_eq!(added.status.code(), Some(0), "{added:?}");
    assert_eq!(json(&added)["email"], "ann@example.org");
    assert_eq!(json(&added)["password"].as_str().map(str::len), Some(23));
    assert!(folder.path().join("zentrio-server.sqlite").exists());

    let again = run(folder.path(), &args);
    assert_eq!(
        (again.status.code(), again.stdout.len()),
        (Some(3), 0),
        "{again:?}"
    );
}

#[test]
fn a_password_from_stdin_is_not_printed() {
    let folder = tempfile::tempdir().expect("folder");
    let mut child = program(
        folder.path(),
        &[
            "user",
            "add",
            "ann@example.org",
            "--password-stdin",
            "--json",
        ],
    )
    .stdin(Stdio::piped())
    .stdout(Stdio::piped())
    .stderr(Stdio::piped())
    .spawn()
    .expect("the program runs");
    child
        .stdin
        .take()
        .expect("stdin")
        .write_all(b"correct horse\r\n")
        .expect("write");
    let added = child.wait_with_output().expect("output");
    assert_eq!(added.status.code(), Some(0), "{added:?}");
    assert_eq!(json(&added).get("password"), None);
    assert!(!String::from_utf8_lossy(&added.stderr).contains("correct horse"));
}

#[test]
fn wrong_usage_is_2_and_failure_is_1() {
    let folder = tempfile::tempdir().expect("folder");
    assert_eq!(run(folder.path(), &["bogus"]).status.code(), Some(2));
    let failed = run(folder.path(), &["migrate", "--database-url", "mysql://x"]);
    assert_eq!(failed.status.code(), Some(1));
    assert!(failed.stdout.is_empty());
}

#[test]
fn serving_tells_its_address_and_ends_well_on_sigterm() {
    let folder = tempfile::tempdir().expect("folder");
    let mut child = program(folder.path(), &["--listen", "127.0.0.1:0"])
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program runs");
    let mut lines = BufReader::new(child.stderr.take().expect("stderr")).lines();
    let found = lines
        .by_ref()
        .map_while(Result::ok)
        .any(|line| line.starts_with("listening on http://127.0.0.1:"));
    assert!(found, "the program ended without listening");
    terminate(&child);
    // Read on, so that the program never waits for us.
    lines.map_while(Result::ok).for_each(drop);
    assert_eq!(child.wait().expect("exit").code(), Some(0));
}

fn terminate(child: &Child) {
    let kill = Command::new("kill").arg(child.id().to_string()).status();
    assert!(kill.expect("kill runs").success());
}

#[test]
fn gc_says_what_it_forgot_and_0_days_need_to_be_said() {
    let folder = tempfile::tempdir().expect("folder");
    let plain = run(folder.path(), &["gc"]);
    assert_eq!(plain.status.code(), Some(0), "{plain:?}");
    let done = run(folder.path(), &["gc", "--older-than", "0", "--json"]);
    assert_eq!(done.status.code(), Some(0), "{done:?}");
    let expected = serde_json::json!({ "older_than_days": 0, "n_accounts": 0, "n_tombstones": 0 });
    assert_eq!(json(&done), expected);
    let refused = run(folder.path(), &["gc", "--tombstone-days", "0"]);
    assert_eq!((refused.status.code(), refused.stdout.len()), (Some(1), 0));
    let wrong = run(folder.path(), &["gc", "--older-than", "-1"]);
    assert_eq!(wrong.status.code(), Some(2));
}

#[test]
fn epoch_new_begins_another_life() {
    let folder = tempfile::tempdir().expect("folder");
    let show = || json(&run(folder.path(), &["epoch", "show", "--json"]))["epoch"].clone();
    let first = show();
    assert!(
        first.as_str().is_some_and(|epoch| epoch.len() == 36),
        "{first}"
    );
    assert_eq!(show(), first);
    let new = json(&run(folder.path(), &["epoch", "new", "--json"]));
    assert_eq!(new["previous"], first);
    assert_ne!(new["epoch"], first);
    assert_eq!(show(), new["epoch"]);
    let plain = run(folder.path(), &["epoch", "show"]);
    assert_eq!(
        String::from_utf8_lossy(&plain.stdout).trim_end(),
        new["epoch"].as_str().unwrap_or_default()
    );
}
