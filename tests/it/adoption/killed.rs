//! Adopting is interrupted anywhere: the file is the app's or an adopted one, and opening it again finishes.

use std::{fs, process::Command};

use anyhow::{Context, Result, ensure};
use sync_tests::{account::APP_STATEMENTS, programs::DeviceFile};

use super::{GENERATIONS, oracle};

/// How a file is set up: every object, and what is pending.
const SET_UP: &str = "SELECT type, name, sql FROM sqlite_master ORDER BY 1, 2;
    SELECT tbl, row_id, register, edited_at FROM sync_pending ORDER BY 1, 2, 3;
    SELECT tbl, fingerprint FROM sync_capture ORDER BY 1; SELECT version FROM sync_migrations ORDER BY 1";
const IS_ADOPTED: &str = "SELECT count(*) FROM sqlite_master WHERE name = 'sync_migrations'";

/// Where a machine does not let one process trace another, this says so and tests nothing.
#[tokio::test]
async fn f38_adopting_is_killed_at_its_writes() -> Result<()> {
    let tried = Command::new("strace")
        .args(["-qq", "-o", "/dev/null", "true"])
        .status();
    if !tried.is_ok_and(|status| status.success()) {
        eprintln!("programs cannot be traced here: nothing is tested");
        return Ok(());
    }
    for (number, generation) in GENERATIONS.into_iter().enumerate() {
        let original = DeviceFile::of_the_app(generation)?;
        let before = original.dump()?;
        let whole = copy_of(&original)?;
        whole.status()?;
        let set_up = whole.sql(SET_UP)?;
        let (mut n_old, mut n_adopted) = (0, 0);
        // The oldest is changed most, so it is killed most often.
        let calls: &[&str] = match number {
            0 => &["pwrite64", "fdatasync", "fsync", "rename", "unlink"],
            _ => &["pwrite64"],
        };
        for &call in calls {
            for n in 1.. {
                let n: u32 = match (call, number) {
                    ("pwrite64", 0) => n * n,
                    ("pwrite64", _) => n * n * n,
                    _ => n,
                };
                let device = copy_of(&original)?;
                let inject = format!("inject={call}:signal=KILL:when={n}");
                let trace = format!("trace={call}");
                let strace = [
                    "strace",
                    "-f",
                    "-qq",
                    "-o",
                    "/dev/null",
                    "-e",
                    &trace,
                    "-e",
                    &inject,
                ];
                let ended = device.zentrio_under(&strace, &["status"])?;
                let at = || format!("killed at {call} {n}");
                // Whoever looks first has what was, or what is to be: nothing in between.
                if device.sql(IS_ADOPTED)? == "0" {
                    ensure!(device.dump()? == before, "{}", at());
                    n_old += 1;
                } else {
                    ensure!(device.sql(SET_UP)? == set_up, "{}", at());
                    n_adopted += 1;
                }
                if device.copy().exists() {
                    let copy = sync_tests::programs::sqlite3(&device.copy(), ".dump")?;
                    ensure!(copy == before, "a half copy, {}", at());
                }
                ensure!(device.sql("PRAGMA integrity_check")? == "ok", "{}", at());
                device.status().with_context(at)?;
                ensure!(device.sql(SET_UP)? == set_up, "{}", at());
                oracle::same(&device.copy(), &device.path()).with_context(at)?;
                let folder = device.path();
                let n_files = fs::read_dir(folder.parent().context("a folder")?)?.count();
                ensure!(n_files == 2, "{n_files} files are left, {}", at());
                device.sql(APP_STATEMENTS).with_context(at)?;
                if ended.code == Some(0) {
                    break;
                }
            }
        }
        ensure!(n_old > 3 && n_adopted > 0, "{n_old} and {n_adopted} times");
    }
    Ok(())
}

fn copy_of(original: &DeviceFile) -> Result<DeviceFile> {
    let copy = DeviceFile::missing()?;
    fs::copy(original.path(), copy.path())?;
    Ok(copy)
}
