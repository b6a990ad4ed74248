//! What goes to stdout and stderr, for people or as JSON.

use std::{
    error::Error,
    fmt::{self, Display, Write as _},
    io::{self, Write as _},
    path::Path,
};

use chrono::{DateTime, Local};
use serde::Serialize;

use super::exit::Exit;
use crate::AdapterError;

/// What a command found out or did: JSON for programs, and in words for people.
pub(crate) trait Answer: Serialize + Display {
    /// How the program ends with it.
    fn exit(&self) -> Exit {
        Exit::Done
    }
}

/// Where results go, and in which form.
pub(crate) struct Output {
    json: bool,
    verbose: bool,
}

#[derive(Serialize)]
struct ErrorObject<'a> {
    error: ErrorFields<'a>,
}

#[derive(Serialize)]
struct ErrorFields<'a> {
    code: &'a str,
    message: String,
}

impl Output {
    pub(crate) fn new(json: bool, verbose: bool) -> Self {
        Self { json, verbose }
    }

    pub(crate) fn is_verbose(&self) -> bool {
        self.verbose
    }

    pub(crate) fn is_json(&self) -> bool {
        self.json
    }

    /// Prints the result of a command.
    pub(crate) fn answer(&self, answer: &impl Answer) -> Result<Exit, AdapterError> {
        if self.json {
            print_json(answer)?;
        } else {
            print(&answer.to_string())?;
        }
        Ok(answer.exit())
    }

    /// Tells on stderr that the app's own database was adopted.
    pub(crate) fn adopted(&self, copy: &Path) {
        note(&format!(
            "The app's database was adopted. A copy of it as it was: {}",
            copy.display()
        ));
    }

    /// Prints an error, the only place that does.
    pub(crate) fn error(&self, error: &AdapterError) -> Exit {
        let exit = Exit::of(error);
        let message = harmless(&error.to_string());
        note(&format!("error: {message}"));
        for cause in self.causes(error) {
            note(&format!("  because: {cause}"));
        }
        if exit == Exit::LoginNeeded && !matches!(error, AdapterError::WrongPassword) {
            note("hint: zentrio --database FILE connect [--url URL] [--email EMAIL]");
        }
        if self.json {
            // Where stdout is closed nobody waits for it.
            let _ = print_json(&ErrorObject {
                error: ErrorFields {
                    code: error.word(),
                    message,
                },
            });
        }
        exit
    }

    /// What is behind an error, as far as its own words do not say it.
    fn causes(&self, error: &AdapterError) -> Vec<String> {
        let mut causes = Vec::new();
        let mut said = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause.filter(|_| self.verbose || matches_io(cause)) {
            let text = error.to_string();
            if !said.contains(&text) {
                causes.push(text.clone());
                said = text;
            }
            cause = error.source();
        }
        causes
    }
}

/// Files fail in few words, and those matter to everybody.
fn matches_io(cause: Option<&(dyn Error + 'static)>) -> bool {
    cause.is_some_and(|cause| cause.is::<io::Error>())
}

/// Writes a line to stderr. Where that is closed there is nobody to tell.
fn note(line: &str) {
    let _ = writeln!(io::stderr(), "{}", harmless(line));
}

fn print_json(value: &impl Serialize) -> io::Result<()> {
    print(&serde_json::to_string(value)?)
}

fn print(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{}", harmless(text.trim_end()))?;
    stdout.flush()
}

/// What a server or another device wrote must not steer the terminal.
fn harmless(text: &str) -> String {
    text.chars()
        .map(|c| {
            if c.is_control() && c != '\n' {
                '\u{fffd}'
            } else {
                c
            }
        })
        .collect()
}

/// A time as people here write it: to the second, on the local clock. Zero is that of an edit from before
/// anybody noted times.
pub(crate) fn local_time(ms: i64) -> String {
    if ms == 0 {
        return "at no known time".to_owned();
    }
    let time = DateTime::from_timestamp_millis(ms).unwrap_or_default();
    time.with_timezone(&Local)
        .format("%Y-%m-%d %H:%M:%S")
        .to_string()
}

/// A number of things, such as `1 row` and `2 rows`.
pub(crate) fn count(n: u64, thing: &str) -> String {
    format!("{n} {thing}{}", if n == 1 { "" } else { "s" })
}

/// Writes the lines of a list under a heading, a few of many.
pub(crate) fn list<T>(
    f: &mut fmt::Formatter<'_>,
    heading: &str,
    items: &[T],
    line: impl Fn(&T) -> String,
) -> fmt::Result {
    const MOST: usize = 20;
    if items.is_empty() {
        return Ok(());
    }
    let mut text = format!("{heading}\n");
    for item in items.iter().take(MOST) {
        writeln!(text, "  {}", line(item))?;
    }
    if items.len() > MOST {
        writeln!(text, "  and {} more; --json lists all", items.len() - MOST)?;
    }
    f.write_str(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_cannot_steer_the_terminal() {
        assert_eq!(harmless("a\u{1b}[2Jb\rc\nd"), "a\u{fffd}[2Jb\u{fffd}c\nd");
    }

    #[test]
    fn things_are_counted_in_english() {
        assert_eq!(
            [0, 1, 2].map(|n| count(n, "row")),
            ["0 rows", "1 row", "2 rows"]
        );
    }

    #[test]
    fn a_long_list_is_cut_short() {
        struct Numbers(usize);
        impl Display for Numbers {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let items: Vec<_> = (0..self.0).collect();
                list(f, "Numbers:", &items, ToString::to_string)
            }
        }
        assert_eq!(Numbers(0).to_string(), "");
        assert_eq!(Numbers(2).to_string(), "Numbers:\n  0\n  1\n");
        assert!(
            Numbers(30)
                .to_string()
                .ends_with("  19\n  and 10 more; --json lists all\n")
        );
    }

    #[test]
    fn an_error_tells_its_causes_without_repeating_itself() {
        let source = io::Error::other("no such device");
        let error = AdapterError::KeyFile {
            path: "f.key".into(),
            source,
        };
        assert_eq!(Output::new(false, false).causes(&error), ["no such device"]);
    }
}
