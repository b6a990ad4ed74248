//! `zentrio logs`.

use std::{
    fmt,
    fs::{self, File},
    io::{self, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
    time::Duration,
};

use clap::{ArgAction, builder::FalseyValueParser};
use serde::Serialize;
use tokio::time;

use super::{
    exit::Exit,
    output::{Answer, Output, count, local_time},
    run::asked_to_stop,
};
use crate::{
    AdapterError,
    log::{Entry, Happened, entries, is_ours, older, path_beside},
};

/// How often is looked for new lines.
const LOOK: Duration = Duration::from_millis(300);

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// How many of the last lines to print.
    #[arg(
        short = 'n',
        long,
        env = "ZENTRIO_LINES",
        value_name = "N",
        default_value_t = 100
    )]
    lines: usize,
    /// Go on printing what is added, until Ctrl-C. With --json one object a line.
    #[arg(long, short, env = "ZENTRIO_FOLLOW", action = ArgAction::SetTrue, value_parser = FalseyValueParser::new())]
    follow: bool,
}

#[derive(Serialize)]
struct Logs {
    entries: Vec<Entry>,
}

pub(super) async fn run(
    database: &Path,
    args: &Args,
    output: &Output,
) -> Result<Exit, AdapterError> {
    let log = path_beside(database);
    let mut follower = Follower::of(log.clone());
    let mut last = match follower.added()? {
        now if now.len() < args.lines => {
            let mut all = read(&older(&log))?;
            all.extend(now);
            all
        }
        now => now,
    };
    last.drain(..last.len().saturating_sub(args.lines));
    if !args.follow {
        return output.answer(&Logs { entries: last });
    }
    let asked = asked_to_stop()?;
    tokio::pin!(asked);
    loop {
        for entry in std::mem::take(&mut last) {
            output.answer(&entry)?;
        }
        tokio::select! {
            () = &mut asked => return Ok(Exit::Done),
            () = time::sleep(LOOK) => {}
        }
        last = follower.added()?;
    }
}

/// Reads what is added to a log, also when it is put away meanwhile.
struct Follower {
    log: PathBuf,
    read: u64,
    /// The beginning of a line whose end has not been written yet.
    rest: Vec<u8>,
}

impl Follower {
    fn of(log: PathBuf) -> Self {
        Self {
            log,
            read: 0,
            rest: Vec::new(),
        }
    }

    fn added(&mut self) -> io::Result<Vec<Entry>> {
        let size = match fs::symlink_metadata(&self.log) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            file => file?.len(),
        };
        if !is_ours(&self.log)? {
            return Ok(Vec::new());
        }
        if size < self.read {
            // It was put away. What was added to it last is there.
            let mut last = self.from(&older(&self.log))?;
            self.read = 0;
            last.extend(self.from(&self.log.clone())?);
            return Ok(last);
        }
        self.from(&self.log.clone())
    }

    fn from(&mut self, log: &Path) -> io::Result<Vec<Entry>> {
        let mut file = match File::open(log) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            file => file?,
        };
        file.seek(SeekFrom::Start(self.read))?;
        let mut text = std::mem::take(&mut self.rest);
        self.read += file.read_to_end(&mut text)? as u64;
        let end = text.iter().rposition(|byte| *byte == b'\n');
        self.rest = text.split_off(end.map_or(0, |end| end + 1));
        Ok(entries(&text).collect())
    }
}

fn read(log: &Path) -> io::Result<Vec<Entry>> {
    if !is_ours(log)? {
        return Ok(Vec::new());
    }
    match fs::read(log) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        text => Ok(entries(&text?).collect()),
    }
}

impl Answer for Logs {}

impl Answer for Entry {}

impl fmt::Display for Logs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.entries.is_empty() {
            return writeln!(
                f,
                "There is no log: nothing was synced yet by run, sync or retry."
            );
        }
        self.entries
            .iter()
            .try_for_each(|entry| write!(f, "{entry}"))
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { at, by, happened } = self;
        writeln!(f, "{}  {by:<5}  {happened}", local_time(at.0))
    }
}

impl fmt::Display for Happened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Started => f.write_str("began to sync in the background"),
            Self::Stopped => f.write_str("stopped"),
            Self::Synced {
                n_pushed,
                n_rejected,
                n_pulled,
                n_quarantined,
                n_conflicts,
            } => {
                let (sent, received) = (count(*n_pushed, "row"), count(*n_pulled, "row"));
                write!(f, "synced: sent {sent}, received {received}")?;
                let others = [
                    (*n_rejected, "refused"),
                    (*n_quarantined, "set aside"),
                    (*n_conflicts, "gave way"),
                ];
                let mut others = others.iter().filter(|(n, _)| *n > 0);
                others.try_for_each(|(n, what)| write!(f, ", {n} {what}"))
            }
            Self::Rejected {
                table,
                row_id,
                code,
            } => write!(f, "the server did not take {table} {row_id}: {code}"),
            Self::SetAside { table, remote_id } => {
                write!(f, "{table} {remote_id} cannot be written here")
            }
            Self::Offline => f.write_str("offline: the server is not reached"),
            Self::Failed { code, message } => write!(f, "failed: {message} ({code})"),
            Self::NeedsLogin => f.write_str("the login has ended: zentrio connect"),
            Self::NeedsChoice => f.write_str(
                "the server's data is not what was synced with: zentrio sync --keep-mine or --take-theirs",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SyncLog;

    #[test]
    fn what_is_added_is_told_once_also_when_the_log_is_put_away() {
        let folder = tempfile::tempdir().expect("folder");
        let database = folder.path().join("app.sqlite");
        let log = SyncLog::beside(&database, "run");
        let path = path_beside(&database);
        let mut follower = Follower::of(path.clone());
        let mut added = || {
            let added = follower.added().expect("read");
            added
                .into_iter()
                .map(|entry| entry.happened)
                .collect::<Vec<_>>()
        };
        assert_eq!(added(), []);
        log.write(Happened::Started);
        log.write(Happened::Offline);
        assert_eq!(added(), [Happened::Started, Happened::Offline]);
        assert_eq!(added(), []);
        log.write(Happened::NeedsLogin);
        fs::rename(&path, older(&path)).expect("put away");
        log.write(Happened::Stopped);
        assert_eq!(added(), [Happened::NeedsLogin, Happened::Stopped]);
        log.write(Happened::Started);
        assert_eq!(added(), [Happened::Started]);
    }

    #[test]
    fn a_line_says_when_who_and_what() {
        let happened = Happened::Synced {
            n_pushed: 1,
            n_rejected: 2,
            n_pulled: 0,
            n_quarantined: 0,
            n_conflicts: 0,
        };
        assert_eq!(
            happened.to_string(),
            "synced: sent 1 row, received 0 rows, 2 refused"
        );
    }
}
