//! Making accounts, and checking a password against one.

mod managed;
mod removal;

use sea_orm::SqlErr;
use serde::Serialize;
use sync_core::{Millis, retry::retry, tx};

use super::{limits, place::Place};
use crate::{AppState, Error, store, task::detached};

pub use managed::{Listed, Until, ban, find, list, set_password, unban, verify_email};
pub use removal::{Removed, Usage, remove, usage};

/// Fewest characters of a new password.
pub const MIN_PASSWORD_CHARS: usize = 8;
/// Most characters of a new password.
pub const MAX_PASSWORD_CHARS: usize = 128;
/// Most characters of a name.
pub const MAX_NAME_CHARS: usize = 200;
const MAX_EMAIL_BYTES: usize = 254;

/// What it takes to make an account.
#[derive(Clone)]
pub struct NewAccount {
    /// The address to log in with. Blanks around it and capital letters make no difference.
    pub email: String,
    /// The password, of [`MIN_PASSWORD_CHARS`] to [`MAX_PASSWORD_CHARS`] characters.
    pub password: String,
    /// What to call the user; the address up to the `@` if there is none.
    pub name: Option<String>,
}

/// An account as its owner may see it, in Better Auth's words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Account {
    /// The account's id; `user_id` of all its rows.
    pub id: String,
    /// The address to log in with, in its normal form.
    pub email: String,
    /// What to call the user.
    pub name: String,
    /// Whether somebody has made sure that the address is the user's own.
    pub email_verified: bool,
    /// Where a picture of the user is.
    pub image: Option<String>,
    /// When the account was made.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Millis,
    /// When it was last changed.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Millis,
}

/// Somebody whose password was right.
pub(crate) struct Login {
    pub(crate) account: Account,
    /// The stored hash that the password was checked against.
    pub(crate) hash: Option<String>,
}

/// Makes an account as the administrator, who vouches for its address.
///
/// Fails with [`Error::EmailTaken`] if there is one with the address, and with
/// [`Error::InvalidEmail`], [`Error::InvalidPassword`] or [`Error::InvalidName`] if something will not do.
pub async fn create(state: &AppState, new: NewAccount) -> Result<Account, Error> {
    Ok(make(state, new, true).await?.account)
}

/// Makes an account for a stranger, as often as strangers may.
pub(crate) async fn sign_up(
    state: &AppState,
    place: &Place,
    new: NewAccount,
) -> Result<Login, Error> {
    if !state.config.allow_sign_up {
        return Err(Error::SignUpDisabled);
    }
    limits::sign_up(state, place).await?;
    let login = make(state, new, false).await?;
    let Account { id, email, .. } = &login.account;
    limits::note_place(state, email, id, place).await?;
    Ok(login)
}

/// The account with this address, if the password is the right one; else [`Error::WrongPassword`],
/// after the same work whether the account exists or not.
pub(crate) async fn authenticate(
    state: &AppState,
    place: &Place,
    email: &str,
    password: String,
) -> Result<Login, Error> {
    let email = normal_email(email).unwrap_or_default();
    let attempt = limits::sign_in(state, &email, place).await?;
    let checked = check(state, &email, password).await;
    // What is wrong beside the password is told only to who knows the password.
    if !matches!(checked, Err(Error::WrongPassword)) {
        attempt.forgive(state).await?;
    }
    let login = checked?;
    limits::note_place(state, &email, &login.account.id, place).await?;
    Ok(login)
}

async fn check(state: &AppState, email: &str, password: String) -> Result<Login, Error> {
    let user = store::user::by_email(&state.db.read, email).await?;
    let id = user.as_ref().map_or("", |user| &user.id);
    let hash = store::account::password_of(&state.db.read, id).await?;
    let fits = state.passwords.verify(password, hash.clone()).await?;
    match user {
        Some(user) if fits && user.is_banned(state.now()) => Err(Error::Banned),
        Some(user) if fits && state.config.require_verified_email && !user.email_verified => {
            Err(Error::EmailNotVerified)
        }
        Some(user) if fits => Ok(Login {
            account: user.into(),
            hash,
        }),
        _ => Err(Error::WrongPassword),
    }
}

async fn make(state: &AppState, new: NewAccount, email_verified: bool) -> Result<Login, Error> {
    let email = normal_email(&new.email)?;
    let name = name_or_default(new.name, &email)?;
    check_password(&new.password)?;
    let hash = state.passwords.hash(new.password).await?;
    let now = state.now();
    let user = store::user::Model {
        id: state.ids.next(),
        email,
        name,
        email_verified,
        image: None,
        created_at: now,
        updated_at: now,
        banned: None,
        ban_reason: None,
        ban_expires: None,
    };
    let login = Login {
        account: user.clone().into(),
        hash: Some(hash.clone()),
    };
    let state = state.clone();
    detached(async move { retry(|| insert(&state, &user, &hash)).await }).await?;
    Ok(login)
}

async fn insert(state: &AppState, user: &store::user::Model, hash: &str) -> Result<(), Error> {
    let now = user.created_at;
    let tx = tx::begin_write(&state.db.write).await?;
    // The unique key decides between two who come at once, not a look before.
    store::user::insert(&tx, user)
        .await
        .map_err(|e| match e.sql_err() {
            Some(SqlErr::UniqueConstraintViolation(_)) => Error::EmailTaken,
            _ => e.into(),
        })?;
    store::account::insert_password(&tx, state.ids.next(), &user.id, hash.to_owned(), now).await?;
    Ok(tx.commit().await?)
}

impl From<store::user::Model> for Account {
    fn from(user: store::user::Model) -> Self {
        Self {
            id: user.id,
            email: user.email,
            name: user.name,
            email_verified: user.email_verified,
            image: user.image,
            created_at: user.created_at.into(),
            updated_at: user.updated_at.into(),
        }
    }
}

fn normal_email(text: &str) -> Result<String, Error> {
    let email = text.trim().to_lowercase();
    let plausible = email
        .split_once('@')
        .is_some_and(|(user, host)| !user.is_empty() && !host.is_empty() && !host.contains('@'));
    let clean = !email.chars().any(|c| c.is_whitespace() || c.is_control());
    if plausible && clean && email.len() <= MAX_EMAIL_BYTES {
        Ok(email)
    } else {
        Err(Error::InvalidEmail)
    }
}

fn name_or_default(name: Option<String>, email: &str) -> Result<String, Error> {
    let name = name
        .as_deref()
        .map(str::trim)
        .filter(|name| !name.is_empty());
    let name = name.or(email.split('@').next()).unwrap_or(email);
    if name.chars().count() > MAX_NAME_CHARS || name.chars().any(char::is_control) {
        return Err(Error::InvalidName);
    }
    Ok(name.to_owned())
}

pub(super) fn check_password(password: &str) -> Result<(), Error> {
    let chars = password.chars().count();
    if (MIN_PASSWORD_CHARS..=MAX_PASSWORD_CHARS).contains(&chars) {
        Ok(())
    } else {
        Err(Error::InvalidPassword)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_one_form() {
        assert_eq!(
            normal_email("  Ann@Example.ORG\n").expect("email"),
            "ann@example.org"
        );
        for bad in [
            "",
            "ann",
            "@example.org",
            "ann@",
            "a@b@c",
            "a n@b",
            "a\0@b",
            &format!("{}@b", "a".repeat(300)),
        ] {
            assert!(
                matches!(normal_email(bad), Err(Error::InvalidEmail)),
                "{bad}"
            );
        }
    }

    #[test]
    fn a_name_is_one_short_line() {
        assert_eq!(
            name_or_default(Some(" Ann ".into()), "a@b").expect("name"),
            "Ann"
        );
        assert_eq!(name_or_default(None, "ann@b").expect("name"), "ann");
        assert_eq!(
            name_or_default(Some(" ".into()), "ann@b").expect("name"),
            "ann"
        );
        assert!(name_or_default(Some("a\nb".into()), "a@b").is_err());
        assert!(name_or_default(Some("x".repeat(201)), "a@b").is_err());
    }

    #[test]
    fn a_password_is_measured_in_characters() {
        assert!(check_password("\u{e4}\u{e4}\u{e4}\u{e4}\u{e4}\u{e4}\u{e4}").is_err());
        assert!(check_password("\u{e4}\u{e4}\u{e4}\u{e4}\u{e4}\u{e4}\u{e4}\u{e4}").is_ok());
        assert!(check_password(&"x".repeat(129)).is_err());
    }
}
