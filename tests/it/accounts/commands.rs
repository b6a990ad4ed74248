//! The same by the command line.

use anyhow::{Result, ensure};
use serde_json::Value;
use sync_tests::{
    TestDb, on_both_backends,
    programs::{DeviceFile, Ended, ServerProgram},
};

use super::{ANNA, BERT};
use sync_tests::http_server::PASSWORD;

on_both_backends!(the_command_line_plans_merges_and_sets_aside);

fn connect(device: &DeviceFile, url: &str, email: &str, more: &[&str]) -> Result<Ended> {
    let mut args = vec![
        "connect",
        "--url",
        url,
        "--email",
        email,
        "--password-stdin",
    ];
    args.extend(more);
    device.zentrio_told(&args, &format!("{PASSWORD}\n"))
}

async fn the_command_line_plans_merges_and_sets_aside(db: TestDb) -> Result<()> {
    for email in [ANNA, BERT] {
        ServerProgram::add_user_to(db.url(), email, PASSWORD)?.with_code(0)?;
    }
    let server = ServerProgram::start(db.url())?;
    let url = server.url();
    let device = DeviceFile::missing()?;
    device.zentrio(&["status"])?.with_code(0)?;
    device.sql(
        "INSERT INTO user (id, email, name, emailVerified, createdAt, updatedAt)
         VALUES ('guest', 'g@localhost', 'G', 0, '2026-01-02', '2026-01-02');
         INSERT INTO profiles (user_id, name, avatar) VALUES ('guest', 'Kids', 'k')",
    )?;
    let dump = device.dump()?;

    let said = connect(&device, &url, ANNA, &["--dry-run"])?
        .with_code(0)?
        .stdout;
    for words in [
        "holds 1 row that no account has",
        "profiles             1 new to the account",
        "--set-aside",
    ] {
        ensure!(said.contains(words), "{words}: {said}");
    }
    let json: Value = connect(&device, &url, ANNA, &["--dry-run", "--json"])?
        .with_code(0)?
        .json()?;
    ensure!(
        json["preview"]["merge"]["tables"][0]["n_new"] == 1,
        "{json}"
    );
    let without_id = |dump: &str| -> Vec<String> {
        let lines = dump
            .lines()
            .filter(|line| !line.contains("INTO sync_state"));
        lines.map(str::to_owned).collect()
    };
    ensure!(
        without_id(&device.dump()?) == without_id(&dump),
        "a plan has an effect"
    );

    connect(&device, &url, ANNA, &["--merge"])?.with_code(0)?;
    device.sync()?;
    // To look at what another login of the same account would do does not end the one there is.
    let said = connect(&device, &url, ANNA, &["--dry-run"])?
        .with_code(0)?
        .stdout;
    ensure!(said.contains("nothing to choose"), "{said}");
    device.sync()?;
    let refused = connect(&device, &url, BERT, &["--json"])?.with_code(8)?;
    ensure!(
        refused.json()?["error"]["code"] == "other_account",
        "{refused:?}"
    );
    for flag in ["--merge", "--set-aside"] {
        ensure!(refused.stderr.contains(flag), "{refused:?}");
    }
    connect(&device, &url, BERT, &["--merge", "--set-aside"])?.with_code(2)?;

    let said = connect(&device, &url, BERT, &["--set-aside"])?
        .with_code(0)?
        .stdout;
    ensure!(
        said.contains("The data of anna@example.org is set aside"),
        "{said}"
    );
    ensure!(device.sync()?["n_pushed"] == 0);
    let status = device.status()?;
    ensure!(status["set_aside"][0]["email"] == ANNA, "{status}");
    let said = device.zentrio(&["status"])?.with_code(0)?.stdout;
    ensure!(
        said.contains("Set aside: 1 row of anna@example.org"),
        "{said}"
    );
    connect(&device, &url, ANNA, &["--set-aside"])?.with_code(0)?;
    let synced = device.sync()?;
    ensure!(
        synced["n_pushed"] == 0 && synced["n_pending"] == 0,
        "{synced}"
    );
    Ok(())
}
