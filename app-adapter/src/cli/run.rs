//! `zentrio run`.

use std::{fmt, net::SocketAddr, path::Path, time::Duration};

use clap::{ArgAction, builder::FalseyValueParser};
use serde::Serialize;
use sync_core::{SyncError, SyncReport};
use tokio::{signal, time};

use super::{
    exit::Exit,
    output::{Answer, Output},
};
use crate::{
    Adapter, AdapterError, CloudSync, Event, Page, PageOptions, SyncLog, log::Happened,
    reporter::Reporter,
};

/// How long `--once` waits where another program is syncing the database.
const OTHERS: Duration = Duration::from_secs(60);
/// How often it asks again.
const AGAIN: Duration = Duration::from_secs(1);

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Where to serve the page: an address of this machine alone. Port 0 takes any that is free.
    #[arg(
        long,
        env = "ZENTRIO_LISTEN",
        value_name = "ADDRESS",
        default_value = "127.0.0.1:8788"
    )]
    listen: SocketAddr,
    /// Another origin that may call the endpoints of the app's front end, such as tauri://localhost. Repeatable.
    #[arg(
        long,
        env = "ZENTRIO_ALLOW_ORIGIN",
        value_name = "ORIGIN",
        value_delimiter = ','
    )]
    allow_origin: Vec<String>,
    /// Sync once, also if that means waiting for another program, and end. Serves no page.
    #[arg(long, env = "ZENTRIO_ONCE", action = ArgAction::SetTrue, value_parser = FalseyValueParser::new())]
    once: bool,
}

/// What runs, and where.
#[derive(Serialize)]
struct Running {
    url: String,
}

/// What `--once` did.
#[derive(Serialize)]
struct Once {
    #[serde(flatten)]
    report: SyncReport,
}

pub(super) async fn run(
    adapter: &Adapter,
    path: &Path,
    args: Args,
    output: &Output,
) -> Result<Exit, AdapterError> {
    let log = SyncLog::beside(path, "run");
    if args.once {
        return once(adapter, &log, output).await;
    }
    // Whoever asks it to stop while it starts is heard, too.
    let asked = asked_to_stop()?;
    let sync = CloudSync::start(adapter.clone()).await?;
    let kept = log.follow(&sync);
    let options = PageOptions {
        listen: args.listen,
        allowed_origins: args.allow_origin,
        secret_beside: Some(path.to_owned()),
    };
    let page = match Page::serve(sync.clone(), options).await {
        Ok(page) => page,
        Err(error) => {
            sync.stop().await;
            return Err(error);
        }
    };
    let exit = output.answer(&Running { url: page.url() });
    if exit.is_ok() {
        tokio::select! {
            () = asked => {}
            () = report(&sync, output) => {}
            () = kept => {}
        }
    }
    page.stop().await;
    sync.stop().await;
    log.write(Happened::Stopped);
    exit
}

/// Shows what happens, if somebody wants to know.
async fn report(sync: &CloudSync, output: &Output) {
    let mut events = sync.events();
    let reporter = Reporter::lines_if(output.is_verbose());
    loop {
        match events.recv().await {
            Ok(Event::Sync(event)) => reporter.event(&event),
            Ok(_) => {}
            Err(tokio::sync::broadcast::error::RecvError::Lagged(n)) => {
                tracing::debug!(n, "events went by too fast to be shown");
            }
            Err(tokio::sync::broadcast::error::RecvError::Closed) => std::future::pending().await,
        }
    }
}

async fn once(adapter: &Adapter, log: &SyncLog, output: &Output) -> Result<Exit, AdapterError> {
    let begun = time::Instant::now();
    let reporter = Reporter::on_stderr(output.is_verbose()).and(log);
    let result = loop {
        match adapter.sync(&|event| reporter.event(&event)).await {
            Err(AdapterError::Sync(SyncError::Busy)) if begun.elapsed() < OTHERS => {
                time::sleep(AGAIN).await;
            }
            ended => break ended,
        }
    };
    reporter.finish(&result);
    output.answer(&Once { report: result? })
}

/// Waits for Ctrl-C, or for what a service manager sends.
#[cfg(unix)]
pub(super) fn asked_to_stop() -> std::io::Result<impl Future<Output = ()>> {
    use signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

#[cfg(not(unix))]
pub(super) fn asked_to_stop() -> std::io::Result<impl Future<Output = ()>> {
    Ok(async {
        if signal::ctrl_c().await.is_err() {
            std::future::pending().await
        }
    })
}

impl Answer for Running {}

impl fmt::Display for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Cloud Sync: {}", self.url)
    }
}

impl Answer for Once {}

impl fmt::Display for Once {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let SyncReport {
            n_pushed, n_pulled, ..
        } = self.report;
        writeln!(f, "Synced. Sent {n_pushed}, received {n_pulled}.")
    }
}
