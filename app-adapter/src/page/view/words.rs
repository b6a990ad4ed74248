//! Errors in words that a person understands: what is the matter, and what to do.

use crate::{AdapterError, Problem};

/// What is the matter, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::page) struct Words {
    /// In one sentence.
    pub(in crate::page) what: String,
    /// What to do.
    pub(in crate::page) then: String,
}

/// The words for a problem of the background job.
pub(super) fn of_problem(problem: &Problem) -> Words {
    of(&problem.code, &problem.message)
}

/// The words for what came of something that a person asked for, in one text.
pub(in crate::page) fn of_error(error: &AdapterError) -> String {
    let Words { what, then } = of(error.word(), &error.to_string());
    format!("{what} {then}")
}

fn of(code: &str, message: &str) -> Words {
    let (what, then) = match code {
        "wrong_password" => (
            "The server does not accept this email and password.",
            "Check both and try again.",
        ),
        "unauthorized" | "login_unreadable" => (
            "The login has ended.",
            "Log in again. Everything on this device is kept and is sent then.",
        ),
        "not_connected" => ("This device is not connected.", "Log in first."),
        "offline" => (
            "The server cannot be reached.",
            "Check the network. Changes are kept here and are sent as soon as it is back.",
        ),
        "unreachable" if message.contains("certificate") => (
            "The server cannot prove who it is: its certificate is not accepted.",
            "Nothing was sent to it. Check the address, or tell whoever runs the server.",
        ),
        "unreachable" => (
            "The connection to the server broke.",
            "It is tried again by itself. If it keeps happening, check the network.",
        ),
        "not_a_sync_server" => (
            "What answers at this address is no Zentrio server.",
            "Check the address. In a hotel or on a train, log in to the network first.",
        ),
        "busy" | "locked" => (
            "Another program is syncing this database.",
            "Try again in a moment.",
        ),
        "damaged" => (
            "The database on this device is damaged.",
            "Nothing is sent from it. Restore it from a backup, or begin with a new one: the server has what was synced.",
        ),
        "replaced" => (
            "Another file has been put in the place of the database.",
            "Nothing is sent. Start this program again, and it works on that one.",
        ),
        "newer_database" => (
            "A newer version of this program has synced this database.",
            "Update this one. Nothing was changed, and nothing is lost.",
        ),
        "unsupported_protocol" | "http_426" => (
            "This program and the server do not understand each other.",
            "Update the older one. Until then everything works on this device alone.",
        ),
        "epoch_changed" | "cursor_ahead" | "mass_deletion" => (
            "The server's data is not what this device has synced with.",
            "Choose below whose is right. Until then nothing is deleted and nothing is sent.",
        ),
        "rate_limited" | "http_429" | "too_many_attempts" => (
            "The server asks for patience: it was asked too often.",
            "Wait a few minutes and try again.",
        ),
        "banned" => (
            "The server does not let this account in.",
            "Ask whoever runs the server.",
        ),
        "panicked" => (
            "The sync stopped by a mistake of this program.",
            "It begins again by itself. If it keeps happening, please report it.",
        ),
        "http_500" | "http_502" | "http_503" | "http_504" | "internal" | "unavailable" => (
            "The server cannot answer at the moment.",
            "It is tried again by itself. If it lasts, tell whoever runs the server.",
        ),
        "disk_full" => (
            "There is no room left on this device.",
            "Make some and try again.",
        ),
        _ => {
            return Words {
                what: sentence(message),
                then: String::new(),
            };
        }
    };
    Words {
        what: what.to_owned(),
        then: then.to_owned(),
    }
}

/// Why a row is not taken, or not written.
pub(super) fn of_row(code: &str, message: &str) -> String {
    let words = match code {
        "constraint" => "The database cannot hold this row as it is.",
        "parent_rejected" => "What it belongs to is not taken either.",
        "parent_missing" | "unknown_parent" => "What it belongs to is not there.",
        "too_large" | "row_too_large" => "It is too large.",
        _ => return sentence(message),
    };
    words.to_owned()
}

/// A message of the engine as a sentence.
pub(super) fn sentence(message: &str) -> String {
    let mut letters = message.chars();
    let Some(first) = letters.next() else {
        return "Something went wrong.".to_owned();
    };
    let text: String = first.to_uppercase().chain(letters).collect();
    if text.ends_with(['.', '!', '?']) {
        text
    } else {
        format!("{text}.")
    }
}

/// A table as its users know it.
pub(super) fn table(name: &str) -> &str {
    match name {
        "profiles" => "Profile",
        "settings_profiles" => "Settings profile",
        "profile_addons" => "Addon of a profile",
        "stream_settings" => "Stream settings",
        "appearance_settings" => "Appearance",
        "watch_history" => "Watch history",
        "lists" => "List",
        "list_items" => "Item of a list",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_error_says_what_to_do_in_sentences() {
        for code in [
            "wrong_password",
            "unauthorized",
            "not_connected",
            "offline",
            "unreachable",
            "not_a_sync_server",
            "busy",
            "newer_database",
            "epoch_changed",
            "http_503",
            "panicked",
            "unreachable",
        ] {
            let Words { what, then } = of(code, "x");
            for text in [&what, &then] {
                assert!(
                    text.ends_with('.') && !text.contains(code),
                    "{code}: {text}"
                );
            }
        }
    }

    #[test]
    fn an_unknown_error_is_a_sentence_all_the_same() {
        assert_eq!(
            of("new", "the row is too long").what,
            "The row is too long."
        );
        assert_eq!(of("new", "").what, "Something went wrong.");
        assert_eq!(sentence("über"), "Über.");
    }
}
