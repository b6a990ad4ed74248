//! Where the server's data is not what was synced with: somebody has to say whose is right.

use maud::{Markup, html};

use super::{Shown, form_token};
use crate::{SyncStatus, background::needs_choice};

/// Whether somebody has to choose.
pub(super) fn is_needed(status: &SyncStatus) -> bool {
    let status = &status.overview.status;
    let code = status.last_error_code.as_deref();
    status.connected && code.is_some_and(needs_choice)
}

/// Both ways, each with what it does.
pub(super) fn choice(shown: &Shown<'_>) -> Markup {
    if !is_needed(shown.status) {
        return html! {};
    }
    html! {
        section .card aria-labelledby="choice-title" {
            h2 #choice-title { "Whose data is right?" }
            p {
                "The server was put back to an older state, set up anew, or lacks much of what it had. "
                "Nothing is deleted here and nothing is sent until you choose."
            }
            form method="post" action="/choose" {
                (form_token(shown.session))
                input type="hidden" name="choice" value="keep-mine";
                p #mine-says { "All rows of this device are sent again. For each of them the later edit wins. What other devices deleted meanwhile may come back." }
                button #keep-mine .main type="submit" aria-describedby="mine-says" { "Keep what is here" }
            }
            details {
                summary { "Take what the server has …" }
                form method="post" action="/choose" {
                    (form_token(shown.session))
                    input type="hidden" name="choice" value="take-theirs";
                    p #theirs-says { "Rows that were synced before and that the server no longer has are deleted from this device. What was never sent stays." }
                    button #take-theirs .danger type="submit" aria-describedby="theirs-says" { "Delete them here and take the server's" }
                }
            }
        }
    }
}
