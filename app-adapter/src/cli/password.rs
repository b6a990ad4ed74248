//! Where the password comes from; never from the command line, where every user of the machine sees it.

use std::io::{self, BufRead, IsTerminal};

use crate::{AdapterError, Password};

const VARIABLE: &str = "ZENTRIO_PASSWORD";

/// Reads the password from the first line of stdin if that was asked for, else takes it from the
/// environment, else asks whoever sits at the terminal.
pub(super) fn read(from_stdin: bool, email: &str) -> Result<Password, AdapterError> {
    let text = if from_stdin {
        first_line(io::stdin().lock())?
    } else if let Ok(text) = std::env::var(VARIABLE) {
        text
    } else if io::stdin().is_terminal() {
        rpassword::prompt_password(format!("Password of {email}: "))?
    } else {
        String::new()
    };
    if text.is_empty() {
        Err(AdapterError::NoPassword)
    } else {
        Ok(Password::new(text))
    }
}

fn first_line(mut input: impl BufRead) -> io::Result<String> {
    let mut line = String::new();
    input.read_line(&mut line)?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_one_line_with_its_blanks() {
        for (input, expected) in [
            ("secret\n", "secret"),
            ("secret", "secret"),
            ("secret\r\nmore\n", "secret"),
            (" a b \n", " a b "),
            ("", ""),
        ] {
            assert_eq!(
                first_line(input.as_bytes()).expect("a line"),
                expected,
                "{input:?}"
            );
        }
    }
}
