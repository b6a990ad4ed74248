//! `zentrio explain`.

use std::fmt;

use serde::Serialize;
use serde_json::{Map, Value};
use sync_core::{
    device::{Explanation, Outlook, PendingEdit, RegisterNow, RowState, SetAt},
    protocol::SetBy,
};

use super::{
    exit::Exit,
    output::{Answer, Output, count, local_time},
    row::Row,
};
use crate::{Adapter, AdapterError};

/// Most characters of a value in the table.
const WIDEST: usize = 32;

#[derive(Serialize)]
struct Told(Explanation);

pub(super) async fn run(
    adapter: &Adapter,
    row: Row,
    output: &Output,
) -> Result<Exit, AdapterError> {
    output.answer(&Told(adapter.explain(&row.name()).await?))
}

impl Answer for Told {}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let row = &self.0;
        write_row(f, row)?;
        write_server(f, row)?;
        write_troubles(f, row)?;
        write_registers(f, &row.registers)?;
        for edit in &row.gave_way {
            let value = |text: &Option<String>| text.clone().unwrap_or_default();
            writeln!(
                f,
                "{}: the value {} from here gave way to {} on {}.",
                edit.register,
                cut(&value(&edit.local)),
                cut(&value(&edit.remote)),
                local_time(edit.at_ms)
            )?;
        }
        Ok(())
    }
}

fn write_row(f: &mut fmt::Formatter<'_>, row: &Explanation) -> fmt::Result {
    let id = row.row_id.map_or(String::new(), |id| format!(" {id}"));
    let name = row.remote_id.as_deref().unwrap_or("no name yet");
    let deleted = row
        .deleted_ms
        .map_or(String::new(), |ms| format!(" on {}", local_time(ms)));
    let state = match row.here {
        RowState::Live => "live".to_owned(),
        RowState::Deleted => format!("deleted{deleted}"),
        RowState::Gone => format!("deleted for good{deleted}, which the server does not know yet"),
        RowState::Absent => "not in this database".to_owned(),
        RowState::Unreadable => "it holds what its columns cannot, so it cannot be read".to_owned(),
    };
    writeln!(f, "{}{id} ({name}): {state}.", row.table)
}

fn write_server(f: &mut fmt::Formatter<'_>, row: &Explanation) -> fmt::Result {
    let Some(server) = &row.server else {
        let message = row.server_message.as_deref().unwrap_or("it was not asked");
        return writeln!(f, "Nothing from the server: {message}.");
    };
    let state = match (server.deleted_ms, server.unreadable) {
        (_, true) => "its own copy cannot be read".to_owned(),
        (Some(ms), _) if server.gone => format!("deleted for good on {}", local_time(ms)),
        (Some(ms), _) => format!("deleted on {}", local_time(ms)),
        (None, _) => "live".to_owned(),
    };
    writeln!(
        f,
        "At the server: {state}, last edited {}.",
        local_time(server.at_ms)
    )?;
    if server.is_alias {
        writeln!(
            f,
            "There it goes by the name {}: another device made the same thing first.",
            server.remote_id
        )?;
    }
    match server.aliases.len() {
        0 => Ok(()),
        _ => writeln!(
            f,
            "Other names that lead to it: {}.",
            server.aliases.join(", ")
        ),
    }
}

fn write_troubles(f: &mut fmt::Formatter<'_>, row: &Explanation) -> fmt::Result {
    if let Some(rejected) = &row.rejected {
        let message = rejected.message.as_deref().unwrap_or_default();
        let since = local_time(rejected.since_ms);
        writeln!(
            f,
            "Not taken by the server since {since}: {message} ({}).",
            rejected.code
        )?;
    }
    if let Some(aside) = &row.quarantined {
        let since = local_time(aside.since_ms);
        writeln!(
            f,
            "The server's form cannot be written here since {since}: {}.",
            aside.reason
        )?;
    }
    Ok(())
}

fn write_registers(f: &mut fmt::Formatter<'_>, registers: &[RegisterNow]) -> fmt::Result {
    let heading = [
        "register",
        "here",
        "server",
        "set by",
        "on",
        "decided by",
        "waiting",
    ]
    .map(str::to_owned);
    let lines: Vec<[String; 7]> = std::iter::once(heading)
        .chain(registers.iter().map(line))
        .collect();
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max();
    let widths: Vec<usize> = (0..7)
        .map(|column| width(column).unwrap_or_default())
        .collect();
    for line in &lines {
        let cells = line
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell:width$}"));
        let text = cells.collect::<Vec<_>>().join("  ");
        writeln!(f, "  {}", text.trim_end())?;
    }
    Ok(())
}

fn line(register: &RegisterNow) -> [String; 7] {
    let set = register.set.as_ref();
    [
        register.register.clone(),
        value(register.here.as_ref()),
        match register.same {
            Some(true) => "the same".to_owned(),
            _ => value(register.server.as_ref()),
        },
        set.map_or_else(|| "-".to_owned(), who),
        set.map_or_else(|| "-".to_owned(), |set| local_time(set.at_ms)),
        rule(register),
        register
            .pending
            .as_ref()
            .map_or_else(String::new, |edit| waiting(edit, register.outlook)),
    ]
}

/// What decided the server's value, or the rule that would.
fn rule(register: &RegisterNow) -> String {
    let decided = match register.decided_by.as_deref() {
        Some("tie") => "tie, the greater value",
        Some(decided) => decided,
        None => &register.rule,
    };
    let group = if register.is_group {
        ", as a group"
    } else {
        ""
    };
    format!("{}{group}", decided.replace('_', " "))
}

fn who(set: &SetAt) -> String {
    let number = set.device.unwrap_or_default();
    let device = match (&set.device_name, set.this_device) {
        (_, true) => "this device".to_owned(),
        (Some(name), _) => cut(name),
        (None, _) => format!("device {number}"),
    };
    let because = set
        .because_of
        .as_ref()
        .map_or(String::new(), |name| format!(" {name}"));
    match set.by {
        SetBy::Device => device,
        SetBy::Server => "the server".to_owned(),
        SetBy::Followed => format!("followed from another row's edit by {device}"),
        SetBy::ParentDeleted => format!("the server, parent deleted{because}"),
        SetBy::ExclusiveCleared => format!("the server, flag went to{because}"),
    }
}

fn waiting(edit: &PendingEdit, outlook: Option<Outlook>) -> String {
    let before = edit
        .before
        .as_ref()
        .map_or(String::new(), |before| format!(", was {}", cut(before)));
    let outlook = match outlook {
        None => "",
        Some(Outlook::Same) => "; the server has the same",
        Some(Outlook::Wins) => "; will stand",
        Some(Outlook::GivesWay) => "; will give way",
        Some(Outlook::Tie) => "; a tie, the greater value will stand",
        Some(_) => "; the rule decides",
    };
    let what = match edit.whole {
        true => "the whole row".to_owned(),
        false => count(edit.n_edits.unsigned_abs(), "edit"),
    };
    format!("{what}, {}{before}{outlook}", local_time(edit.edited_ms))
}

/// A single column's value, or those of a group.
fn value(columns: Option<&Map<String, Value>>) -> String {
    let Some(columns) = columns else {
        return "-".to_owned();
    };
    let mut values = columns.values();
    match (values.next(), values.next()) {
        (Some(value), None) => cut(&value.to_string()),
        _ => cut(&Value::Object(columns.clone()).to_string()),
    }
}

fn cut(text: &str) -> String {
    if text.chars().count() <= WIDEST {
        return text.to_owned();
    }
    let start: String = text.chars().take(WIDEST - 1).collect();
    format!("{start}…")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_values_are_cut_and_short_ones_are_not() {
        assert_eq!(cut("short"), "short");
        assert_eq!(cut(&"é".repeat(100)).chars().count(), WIDEST);
        let columns = serde_json::json!({"name": "Kids"});
        assert_eq!(value(columns.as_object()), "\"Kids\"");
        assert_eq!(value(None), "-");
    }

    #[test]
    fn what_waits_is_told_with_what_it_was() {
        let edit = PendingEdit {
            edited_ms: 1,
            n_edits: 2,
            n_sent: 0,
            before: Some("'Kids'".to_owned()),
            whole: false,
        };
        let text = waiting(&edit, Some(Outlook::GivesWay));
        assert!(text.starts_with("2 edits, 19"), "{text}");
        assert!(text.ends_with(", was 'Kids'; will give way"), "{text}");
    }
}
