//! `zentrio status`.

use std::fmt;

use sync_core::device::{PendingTable, QuarantinedRow, RejectedRow, Status};

use super::{
    exit::Exit,
    output::{Answer, Output, count, list, local_time},
};
use crate::{Adapter, AdapterError, Overview, Standing};

pub(super) async fn run(adapter: &Adapter, output: &Output) -> Result<Exit, AdapterError> {
    adapter.assure().await?;
    output.answer(&adapter.overview().await?)
}

impl Answer for Overview {}

impl fmt::Display for Overview {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            state,
            n_pending,
            copy_before_sync,
            status,
        } = self;
        write_connection(f, *state, status)?;
        match status.last_sync_ms {
            Some(ms) => writeln!(f, "Last synced {}.", local_time(ms))?,
            None => writeln!(f, "Never synced yet.")?,
        }
        if let (Some(error), Some(ms)) = (&status.last_error, status.last_error_ms) {
            let words = error
                .split_once(": ")
                .map_or(error.as_str(), |(_, words)| words);
            writeln!(f, "The last try, {}, failed: {words}.", local_time(ms))?;
        }
        if *n_pending > 0 {
            writeln!(
                f,
                "To be sent: {} ({}).",
                count(*n_pending, "row"),
                tables(&status.pending)
            )?;
        } else if *state == Standing::Synced {
            writeln!(f, "Everything is at the server.")?;
        }
        for parked in &status.set_aside {
            let who = parked.email.as_deref().or(parked.remote_user_id.as_deref());
            writeln!(
                f,
                "Set aside: {} of {}. To go on with them: zentrio connect",
                count(parked.n_rows, "row"),
                who.unwrap_or("another account")
            )?;
        }
        write_troubles(f, &status.rejected, &status.quarantined)?;
        match copy_before_sync {
            Some(copy) => writeln!(
                f,
                "A copy of the database as it was before it was adopted: {copy}"
            ),
            None => Ok(()),
        }
    }
}

fn write_connection(f: &mut fmt::Formatter<'_>, state: Standing, status: &Status) -> fmt::Result {
    let at = status.remote_url.as_deref().unwrap_or("a server");
    let who = status
        .email
        .as_deref()
        .or(status.user_id.as_deref())
        .unwrap_or("an account");
    match state {
        Standing::NotConnected if status.remote_url.is_some() => {
            writeln!(
                f,
                "Not connected. It was to {at} as {who}; go on with: zentrio connect"
            )
        }
        Standing::NotConnected => writeln!(f, "Not connected. Begin with: zentrio connect"),
        Standing::LoginNeeded => writeln!(
            f,
            "The login at {at} as {who} has ended. Log in again: zentrio connect"
        ),
        _ => writeln!(f, "Connected to {at} as {who}."),
    }
}

/// Writes what needs somebody's attention.
pub(super) fn write_troubles(
    f: &mut fmt::Formatter<'_>,
    rejected: &[RejectedRow],
    quarantined: &[QuarantinedRow],
) -> fmt::Result {
    let (unreadable, refused): (Vec<_>, Vec<_>) =
        rejected.iter().partition(|row| row.code == "unreadable");
    let heading = format!(
        "The server did not take {}. Change what is wrong and sync again, or give it up with zentrio discard:",
        count(refused.len() as u64, "row")
    );
    list(f, &heading, &refused, |row| told(row))?;
    let heading = format!(
        "{} here cannot be read whole. What cannot be read is not sent before it is corrected:",
        count(unreadable.len() as u64, "row")
    );
    list(f, &heading, &unreadable, |row| told(row))?;
    let heading = format!(
        "{} of the server cannot be written here yet. A newer version of the app may be able to; do without with zentrio leave-out:",
        count(quarantined.len() as u64, "row")
    );
    list(f, &heading, quarantined, |row| {
        let since = local_time(row.since_ms);
        format!(
            "{} {}: {}, since {since}",
            row.table, row.remote_id, row.reason
        )
    })
}

/// Why a row was not taken, or not all of it.
fn told(row: &RejectedRow) -> String {
    let RejectedRow {
        table,
        row_id,
        code,
        field,
        message,
        since_ms,
        ..
    } = row;
    let since = local_time(*since_ms);
    let field = field
        .as_ref()
        .map_or(String::new(), |field| format!(", {field}"));
    match message {
        Some(message) => format!("{table} {row_id}{field}: {message} ({code}), since {since}"),
        None => format!("{table} {row_id}{field}: {code}, since {since}"),
    }
}

fn tables(pending: &[PendingTable]) -> String {
    let tables: Vec<String> = pending
        .iter()
        .map(|table| format!("{} {}", table.table, table.n_rows))
        .collect();
    tables.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn overview(state: Standing) -> Overview {
        let status = Status {
            connected: state != Standing::NotConnected,
            remote_url: Some("https://zentrio.eu".to_owned()),
            email: Some("anna@example.org".to_owned()),
            user_id: Some("u1".to_owned()),
            last_sync_ms: Some(1_767_323_045_678),
            last_error: None,
            last_error_code: None,
            last_error_ms: None,
            pending: Vec::new(),
            rejected: Vec::new(),
            quarantined: Vec::new(),
            set_aside: Vec::new(),
        };
        Overview {
            state,
            n_pending: 0,
            copy_before_sync: None,
            status,
        }
    }

    #[test]
    fn a_synced_database_says_that_all_is_well() {
        let text = overview(Standing::Synced).to_string();
        assert!(
            text.starts_with(
                "Connected to https://zentrio.eu as anna@example.org.\nLast synced 20"
            ),
            "{text}"
        );
        assert!(text.ends_with("Everything is at the server.\n"), "{text}");
    }

    #[test]
    fn what_waits_is_told_by_table() {
        let mut overview = overview(Standing::Pending);
        overview.n_pending = 3;
        overview.status.pending = vec![
            PendingTable {
                table: "lists".to_owned(),
                n_rows: 1,
            },
            PendingTable {
                table: "list_items".to_owned(),
                n_rows: 2,
            },
        ];
        overview.status.last_error = Some("offline: the server cannot be reached".to_owned());
        overview.status.last_error_ms = Some(1);
        let text = overview.to_string();
        assert!(
            text.contains("To be sent: 3 rows (lists 1, list_items 2)."),
            "{text}"
        );
        assert!(
            text.contains("failed: the server cannot be reached."),
            "{text}"
        );
    }

    #[test]
    fn without_a_login_it_says_what_to_do() {
        for state in [Standing::NotConnected, Standing::LoginNeeded] {
            assert!(
                overview(state).to_string().contains("zentrio connect"),
                "{state:?}"
            );
        }
    }

    #[test]
    fn json_tells_the_same_without_a_token() {
        let json = serde_json::to_value(overview(Standing::Synced)).expect("json");
        assert_eq!(json["state"], "synced");
        assert_eq!(json["connected"], true);
        assert_eq!(json["n_pending"], 0);
        assert!(
            json["pending"].is_array()
                && json["rejected"].is_array()
                && json["quarantined"].is_array()
        );
        assert!(!json.to_string().contains("token"));
    }
}
