//! The configuration file: the same settings as the flags, under the same names.
//!
//! ```toml
//! database-url = "postgres://zentrio@localhost/zentrio"
//! listen = "0.0.0.0:8787"
//! allow-sign-up = false
//! allow-origin = ["https://app.example"]
//! ```
//!
//! What it says is handed to the command line's definition as defaults, so that a flag goes before an
//! environment variable, and that before the file, and a value is checked in one place.

use std::{fs, path::Path};

use clap::{ArgMatches, Command, Error, error::ErrorKind};
use toml::{Table, Value};

/// The flag that names the file.
const CONFIG: &str = "config";
/// Flags that mean something on a command line alone.
const NOT_IN_FILES: [&str; 3] = [CONFIG, "help", "version"];

/// The command with what its configuration file says, if it is given one.
pub(super) fn with_file(command: Command, args: &[std::ffi::OsString]) -> Result<Command, Error> {
    // Whatever else is wrong is told by the second reading.
    let first = command
        .clone()
        .ignore_errors(true)
        .try_get_matches_from(args);
    let Some(path) = first.ok().and_then(|matches| config_path(&matches)) else {
        return Ok(command);
    };
    let read = fs::read_to_string(&path).map_err(|e| e.to_string());
    let read = read.and_then(|text| text.parse::<Table>().map_err(|e| e.to_string()));
    let defaults = read.and_then(|table| with_table(command.clone(), &table));
    defaults.map_err(|why| {
        let why = format!("configuration file {}: {why}\n", Path::new(&path).display());
        command.clone().error(ErrorKind::InvalidValue, why)
    })
}

fn config_path(matches: &ArgMatches) -> Option<String> {
    let here = matches.try_get_one::<String>(CONFIG).ok().flatten();
    let below = || {
        matches
            .subcommand()
            .and_then(|(_, below)| config_path(below))
    };
    here.cloned().or_else(below)
}

fn with_table(command: Command, table: &Table) -> Result<Command, String> {
    table.iter().try_fold(command, |command, (key, value)| {
        let ids = command.get_arguments().filter(|arg| {
            arg.get_long() == Some(key.as_str()) && !NOT_IN_FILES.contains(&key.as_str())
        });
        let Some(id) = ids.map(|arg| arg.get_id().clone()).next() else {
            return Err(format!(
                "there is no setting `{key}`; `zentrio-server --help` lists them, without the leading `--`"
            ));
        };
        let values = values(value).ok_or_else(|| format!("`{key}` cannot be a table or a date"))?;
        Ok(command.mut_arg(id, |arg| arg.default_values(values).hide_default_value(true)))
    })
}

fn values(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::String(text) => Some(vec![text.clone()]),
        Value::Integer(number) => Some(vec![number.to_string()]),
        Value::Float(number) => Some(vec![number.to_string()]),
        Value::Boolean(truth) => Some(vec![truth.to_string()]),
        Value::Array(items) => {
            let items: Option<Vec<_>> = items.iter().map(values).collect();
            Some(items?.into_iter().flatten().collect())
        }
        Value::Datetime(_) | Value::Table(_) => None,
    }
}
