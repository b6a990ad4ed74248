//! `zentrio disconnect`.

use std::fmt;

use super::{
    exit::Exit,
    output::{Answer, Output, count},
};
use crate::{Adapter, AdapterError, Disconnected};

pub(super) async fn run(adapter: &Adapter, output: &Output) -> Result<Exit, AdapterError> {
    output.answer(&adapter.disconnect().await?)
}

impl Answer for Disconnected {}

impl fmt::Display for Disconnected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.was_connected {
            return writeln!(f, "This database was not connected.");
        }
        writeln!(f, "Disconnected. All data stays here.")?;
        if !self.is_revoked {
            writeln!(
                f,
                "The server could not be told; the login runs out there by itself."
            )?;
        }
        match self.n_pending {
            0 => Ok(()),
            n => writeln!(
                f,
                "{} not at the server yet: connect and sync to send them.",
                are(n)
            ),
        }
    }
}

fn are(n: u64) -> String {
    format!("{} {}", count(n, "row"), if n == 1 { "is" } else { "are" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_tells_what_is_not_at_the_server() {
        let text = |was_connected, is_revoked, n_pending| {
            Disconnected {
                was_connected,
                is_revoked,
                n_pending,
            }
            .to_string()
        };
        assert_eq!(text(true, true, 0), "Disconnected. All data stays here.\n");
        assert!(text(true, false, 0).contains("could not be told"));
        assert!(text(true, true, 1).contains("1 row is not at the server yet"));
        assert!(text(true, true, 2).contains("2 rows are not at the server yet"));
        assert_eq!(text(false, false, 2), "This database was not connected.\n");
    }
}
