//! The account: the form to log in, or who is logged in where.

use maud::{Markup, html};

use super::{Shown, count, form_token};
use crate::{DEFAULT_SERVER, Standing};

/// The form, or the account.
pub(super) fn account(shown: &Shown<'_>) -> Markup {
    if shown.preview.is_some() {
        return html! {};
    }
    match shown.status.overview.state {
        Standing::NotConnected => login(shown, "Log in"),
        Standing::LoginNeeded => login(shown, "Log in again"),
        _ => who(shown),
    }
}

fn login(shown: &Shown<'_>, title: &str) -> Markup {
    let known = &shown.status.overview.status;
    let url = known.remote_url.as_deref().unwrap_or(DEFAULT_SERVER);
    let email = known.email.as_deref().unwrap_or_default();
    html! {
        section .card aria-labelledby="login-title" {
            h2 #login-title { (title) }
            (login_form(shown, title, url, email))
        }
    }
}

/// The form, filled with what was typed before, or else with what is known.
fn login_form(shown: &Shown<'_>, title: &str, url: &str, email: &str) -> Markup {
    let typed = shown.typed.clone().unwrap_or_default();
    let (url, email) = (or(&typed.url, url), or(&typed.email, email));
    html! {
        form method="post" action="/connect" {
            (form_token(shown.session))
            label for="url" { "Server" }
            input #url name="url" type="url" required value=(url) autocapitalize="none" spellcheck="false"
                maxlength="300" aria-describedby="url-says";
            p #url-says .hint { "Leave it as it is unless you or a friend run a server of your own." }
            label for="email" { "Email" }
            input #email name="email" type="email" required value=(email) autocomplete="username" maxlength="300";
            label for="password" { "Password" }
            input #password name="password" type="password" required autocomplete="current-password" maxlength="1000"
                aria-describedby="password-says";
            p #password-says .hint { "It is sent to the server once and is not kept." }
            details open[typed.insecure] {
                summary { "A server in my own network, without https" }
                label .check for="insecure" {
                    input #insecure name="insecure" type="checkbox" value="yes" checked[typed.insecure];
                    span { "Allow http:// for an address in a private network. Whoever listens in there learns the password and the data." }
                }
            }
            button #connect .main type="submit" { (title) }
        }
    }
}

/// The account that is logged in, and the way to another.
fn who(shown: &Shown<'_>) -> Markup {
    let status = &shown.status.overview.status;
    html! {
        section .card aria-labelledby="account-title" {
            h2 #account-title { "Account" }
            dl {
                dt { "Email" }
                dd { (status.email.as_deref().or(status.user_id.as_deref()).unwrap_or("unknown")) }
                dt { "Server" }
                dd { (status.remote_url.as_deref().unwrap_or("unknown")) }
            }
            @for parked in &status.set_aside {
                p .hint {
                    (count(parked.n_rows, "row")) " of "
                    (parked.email.as_deref().or(parked.remote_user_id.as_deref()).unwrap_or("another account"))
                    " are set aside on this device. Log in to that account to go on with them."
                }
            }
            details open[shown.typed.is_some()] {
                summary #other-account { "Use another account …" }
                p #other-says { "You are asked first what becomes of the data that is here." }
                (login_form(shown, "Log in to it", status.remote_url.as_deref().unwrap_or(DEFAULT_SERVER), ""))
            }
        }
    }
}

/// The end of the login.
pub(super) fn disconnect(shown: &Shown<'_>) -> Markup {
    if shown.status.overview.state == Standing::NotConnected {
        return html! {};
    }
    html! {
        section .card aria-labelledby="disconnect-title" {
            h2 #disconnect-title { "Disconnect" }
            p #disconnect-says {
                "Ends the login of this device. All data stays here and goes on with the next login."
                @match shown.status.overview.n_pending {
                    0 => " Everything here is at the server.",
                    n => { " " strong { (count(n, "changed row")) " not sent yet" } " will wait here until then." }
                }
            }
            form method="post" action="/disconnect" {
                (form_token(shown.session))
                button #disconnect-now type="submit" aria-describedby="disconnect-says" { "Disconnect" }
            }
        }
    }
}

fn or<'a>(typed: &'a str, known: &'a str) -> &'a str {
    if typed.is_empty() { known } else { typed }
}
