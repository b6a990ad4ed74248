//! Where a command takes a new password from.

use std::io::{self, BufRead};

use anyhow::Context;

/// A password, and whether nobody knows it yet.
pub(super) struct NewPassword {
    pub(super) text: String,
    is_made_up: bool,
}

impl NewPassword {
    /// The first line of stdin, or one that is made up.
    pub(super) fn take(from_stdin: bool) -> anyhow::Result<Self> {
        let text = if from_stdin {
            first_line_of_stdin()?
        } else {
            made_up()
        };
        Ok(Self {
            text,
            is_made_up: !from_stdin,
        })
    }

    /// The password, if it has to be told.
    pub(super) fn to_tell(&self) -> Option<&str> {
        self.is_made_up.then_some(&self.text)
    }
}

fn first_line_of_stdin() -> anyhow::Result<String> {
    let mut line = String::new();
    io::stdin()
        .lock()
        .read_line(&mut line)
        .context("cannot read the password from stdin")?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

/// 100 random bits in letters and digits that are hard to mistake for one another.
fn made_up() -> String {
    const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let random: [u8; 20] = rand::random();
    let letters: Vec<char> = random
        .iter()
        .map(|byte| char::from(LETTERS[usize::from(byte % 32)]))
        .collect();
    letters
        .chunks(5)
        .map(String::from_iter)
        .collect::<Vec<_>>()
        .join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn made_up_passwords_are_long_and_differ() {
        let password = made_up();
        assert_eq!(password.len(), 23);
        assert!(
            password
                .chars()
                .all(|c| c == '-' || c.is_ascii_alphanumeric()),
            "{password}"
        );
        assert_ne!(password, made_up());
    }
}
