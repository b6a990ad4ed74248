//! `zentrio-server import`.

use std::{
    io::{self, IsTerminal},
    time::Duration,
};

use indicatif::{ProgressBar, ProgressStyle};
use server::{Config, Imported, Phase, Progress};

use crate::cli::ImportArgs;

pub(crate) async fn run(config: &Config, args: &ImportArgs) -> anyhow::Result<()> {
    let with = |url: &str| Config {
        database_url: url.to_owned(),
        ..config.clone()
    };
    let mut show: Box<dyn FnMut(Progress) + Send> = match io::stderr().is_terminal() {
        true => Box::new(bar()),
        false => Box::new(lines()),
    };
    let imported = server::import(&with(&args.from), &with(&args.to), &mut *show).await?;
    drop(show);
    report(&imported, args.json)
}

fn word(phase: Phase) -> &'static str {
    match phase {
        Phase::Reading => "reading",
        Phase::Copying => "copying",
        Phase::Verifying => "verifying",
    }
}

/// One bar, which begins anew with each phase.
fn bar() -> impl FnMut(Progress) + Send {
    let bar = ProgressBar::new(0);
    if let Ok(style) =
        ProgressStyle::with_template("{msg:>9} [{wide_bar}] {human_pos}/{human_len} rows {eta}")
    {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(200));
    move |progress| {
        if bar.message() != word(progress.phase) {
            bar.reset();
            bar.set_message(word(progress.phase));
        }
        bar.set_length(progress.total);
        bar.set_position(progress.done);
        if progress.phase == Phase::Verifying && progress.done == progress.total {
            bar.finish_and_clear();
        }
    }
}

/// A line for every tenth of each phase.
fn lines() -> impl FnMut(Progress) + Send {
    let mut last = None;
    move |Progress { phase, done, total }| {
        let tenths = done * 10 / total.max(1);
        if last != Some((phase, tenths)) {
            last = Some((phase, tenths));
            eprintln!("{}: {done} of {total} rows", word(phase));
        }
    }
}

#[expect(clippy::print_stdout, reason = "the result of the command")]
fn report(imported: &Imported, json: bool) -> anyhow::Result<()> {
    if json {
        println!("{}", serde_json::to_string(imported)?);
        return Ok(());
    }
    for table in &imported.tables {
        println!("{:>9} {:32} {}", table.rows, table.table, table.checksum);
    }
    println!(
        "{} rows of {} tables; counts and checksums are the same at both ends",
        imported.n_rows,
        imported.tables.len()
    );
    for (what, left) in [
        ("tables", &imported.tables_left),
        ("columns", &imported.columns_left),
    ] {
        if !left.is_empty() {
            println!(
                "not copied, because only the source has them: {what} {}",
                left.join(", ")
            );
        }
    }
    if imported.n_altered > 0 {
        println!(
            "{} texts had characters that Postgres does not take; those were left out",
            imported.n_altered
        );
    }
    Ok(())
}
