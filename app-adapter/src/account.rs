//! Whose rows of the local database are an account's.
//!
//! The rows of a device belong to a local user: the account itself, or a guest who had no account when
//! he began. Whoever has the data is tied to the account; in a fresh database the account becomes a user.

use std::{collections::BTreeMap, fmt};

use entity::{profile, settings_profile, user};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, DatabaseConnection, DbErr, EntityTrait, QueryFilter, QuerySelect,
};
use sync_core::Millis;

use crate::{error::AdapterError, login::Account};

/// Somebody whose data a local database holds, or could hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LocalUser {
    /// His id, as his rows name it.
    pub id: String,
    /// His email address; none if there is no row about him, only rows of his.
    pub email: Option<String>,
    /// How many profiles and settings profiles he has.
    pub n_profiles: u64,
}

impl fmt::Display for LocalUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            id,
            email,
            n_profiles,
        } = self;
        match email {
            Some(email) => write!(f, "`{email}` (id `{id}`, {n_profiles} profiles)"),
            None => write!(f, "`{id}` ({n_profiles} profiles)"),
        }
    }
}

impl LocalUser {
    fn goes_by(&self, name: &str) -> bool {
        self.id == name
            || self
                .email
                .as_ref()
                .is_some_and(|email| email.eq_ignore_ascii_case(name))
    }
}

/// Finds the user whose rows become the account's; it may be one that [`ensure_user`] has to create.
///
/// `tied` is whose rows are the account's already, and `named` the one that was asked for by id or email.
pub(crate) async fn choose(
    db: &DatabaseConnection,
    account_id: &str,
    tied: Option<String>,
    named: Option<&str>,
) -> Result<String, AdapterError> {
    let users = users(db).await?;
    let named = match named {
        Some(name) => match users.iter().find(|user| user.goes_by(name)) {
            Some(user) => Some(user.id.clone()),
            None => {
                return Err(AdapterError::UnknownLocalUser {
                    name: name.to_owned(),
                    users,
                });
            }
        },
        None => None,
    };
    match (tied, named) {
        (Some(tied), Some(named)) if tied != named => {
            Err(AdapterError::OtherLocalUser { id: tied })
        }
        (Some(id), _) | (None, Some(id)) => Ok(id),
        (None, None) => pick(users, account_id),
    }
}

/// Who has data comes first; among several the account itself.
fn pick(users: Vec<LocalUser>, account_id: &str) -> Result<String, AdapterError> {
    let (owners, others): (Vec<_>, Vec<_>) =
        users.into_iter().partition(|user| user.n_profiles > 0);
    let candidates = if owners.is_empty() { others } else { owners };
    match candidates.as_slice() {
        [] => Ok(account_id.to_owned()),
        [only] => Ok(only.id.clone()),
        several if several.iter().any(|user| user.id == account_id) => Ok(account_id.to_owned()),
        _ => Err(AdapterError::SeveralLocalUsers { users: candidates }),
    }
}

/// A user for the account alone: the one that was asked for, or one with the account's id, or with one like it.
/// Never one of `left`, whose data is left where it is.
pub(crate) async fn apart(
    db: &DatabaseConnection,
    account_id: &str,
    left: &[String],
    named: Option<&str>,
) -> Result<String, AdapterError> {
    let is_left = |id: &String| left.contains(id);
    if let Some(name) = named {
        let chosen = choose(db, account_id, None, Some(name)).await?;
        return match is_left(&chosen) {
            true => Err(AdapterError::OtherLocalUser { id: chosen }),
            false => Ok(chosen),
        };
    }
    let own = account_id.to_owned();
    if !is_left(&own) {
        return Ok(own);
    }
    let taken: Vec<String> = users(db).await?.into_iter().map(|user| user.id).collect();
    let mut numbered = (2..).map(|n| format!("{account_id}-{n}"));
    let free = numbered.find(|id| !taken.contains(id) && !is_left(id));
    Ok(free.unwrap_or(own))
}

/// Creates the user `id` with the account's name and address, unless he is there.
pub(crate) async fn ensure_user(
    db: &DatabaseConnection,
    id: &str,
    account: &Account,
    now: Millis,
) -> Result<(), DbErr> {
    let users = users(db).await?;
    if users
        .iter()
        .any(|user| user.id == id && user.email.is_some())
    {
        return Ok(());
    }
    // Addresses are unique, and another user may have this one; the account's own stands in `sync_state`.
    let taken = users
        .iter()
        .any(|user| user.email.as_ref() == Some(&account.email));
    let email = if taken {
        format!("{id}@user.invalid")
    } else {
        account.email.clone()
    };
    let name = if account.name.is_empty() {
        &account.email
    } else {
        &account.name
    };
    let row = user::ActiveModel {
        id: Set(id.to_owned()),
        email: Set(email),
        name: Set(name.clone()),
        email_verified: Set(account.email_verified),
        created_at: Set(now.to_utc()),
        updated_at: Set(now.to_utc()),
        ..Default::default()
    };
    user::Entity::insert(row)
        .exec_without_returning(db)
        .await
        .map(|_| ())
}

/// Everybody in the database, also who has rows but no row about himself.
async fn users(db: &DatabaseConnection) -> Result<Vec<LocalUser>, DbErr> {
    // Only these columns: times that an app wrote may be in a form that cannot be read.
    let known = user::Entity::find()
        .select_only()
        .columns([user::Column::Id, user::Column::Email]);
    let known: Vec<(String, Option<String>)> = known.into_tuple().all(db).await?;
    let profiles = profile::Entity::find()
        .select_only()
        .column(profile::Column::UserId);
    let settings = settings_profile::Entity::find()
        .select_only()
        .column(settings_profile::Column::UserId);
    let mut owners: Vec<String> = profiles
        .filter(profile::Column::UserId.is_not_null())
        .into_tuple()
        .all(db)
        .await?;
    owners.extend(
        settings
            .filter(settings_profile::Column::UserId.is_not_null())
            .into_tuple::<String>()
            .all(db)
            .await?,
    );

    let mut users: BTreeMap<String, LocalUser> = BTreeMap::new();
    for (id, email) in known {
        let user = LocalUser {
            id: id.clone(),
            email: Some(email.unwrap_or_default()),
            n_profiles: 0,
        };
        users.insert(id, user);
    }
    for id in owners {
        let user = users.entry(id.clone()).or_insert_with(|| LocalUser {
            id,
            ..Default::default()
        });
        user.n_profiles += 1;
    }
    Ok(users.into_values().collect())
}

#[cfg(test)]
mod tests {
    use sea_orm::{ConnectionTrait, PaginatorTrait};

    use super::*;
    use crate::database;

    struct File {
        db: DatabaseConnection,
        _dir: tempfile::TempDir,
    }

    impl File {
        /// A database with these users, and a profile for each of these owners.
        async fn with(users: &[&str], owners: &[&str]) -> Self {
            let dir = tempfile::tempdir().expect("folder");
            let registry = entity::registry().expect("registry");
            let opened = database::open(&dir.path().join("app.sqlite"), &registry).await;
            let db = opened.expect("database").db;
            for id in users {
                let sql = format!(
                    "INSERT INTO user (id, email, name, emailVerified, createdAt, updatedAt)
                     VALUES ('{id}', '{id}@example.org', '{id}', 0, 'Tue Mar 04 2025', 1767323045678)"
                );
                db.execute_unprepared(&sql).await.expect("user");
            }
            db.execute_unprepared("PRAGMA foreign_keys = OFF")
                .await
                .expect("pragma");
            for id in owners {
                let sql = format!(
                    "INSERT INTO profiles (user_id, name, avatar) VALUES ('{id}', 'P', 'a')"
                );
                db.execute_unprepared(&sql).await.expect("profile");
            }
            db.execute_unprepared("PRAGMA foreign_keys = ON")
                .await
                .expect("pragma");
            Self { db, _dir: dir }
        }

        /// Whom `acct` is tied to, or the word of the error.
        async fn choose(&self, tied: Option<&str>, named: Option<&str>) -> String {
            let chosen = choose(&self.db, "acct", tied.map(str::to_owned), named).await;
            chosen.unwrap_or_else(|error| error.word().to_owned())
        }
    }

    fn account() -> Account {
        Account {
            id: "acct".to_owned(),
            email: "anna@example.org".to_owned(),
            name: "Anna".to_owned(),
            email_verified: false,
        }
    }

    #[tokio::test]
    async fn who_has_the_data_is_tied() {
        for (users, owners, expected) in [
            (&[][..], &[][..], "acct"),
            (&["guest"], &["guest"], "guest"),
            (&["guest"], &[], "guest"),
            (&["guest", "other"], &["guest", "guest"], "guest"),
            (&["guest", "acct"], &["guest"], "guest"),
            (&["guest", "acct"], &["guest", "acct"], "acct"),
            (&["guest", "acct"], &[], "acct"),
            (
                &["guest", "other"],
                &["guest", "other"],
                "several_local_users",
            ),
            (&["guest", "other"], &[], "several_local_users"),
            (&[], &["nobody"], "nobody"),
        ] {
            let file = File::with(users, owners).await;
            assert_eq!(
                file.choose(None, None).await,
                expected,
                "{users:?} {owners:?}"
            );
        }
    }

    #[tokio::test]
    async fn a_name_decides_between_several() {
        let file = File::with(&["guest", "other"], &["guest", "other"]).await;
        for (named, expected) in [
            ("other", "other"),
            ("Guest@example.org", "guest"),
            ("nobody", "unknown_local_user"),
            ("", "unknown_local_user"),
        ] {
            assert_eq!(file.choose(None, Some(named)).await, expected, "{named}");
        }
    }

    #[tokio::test]
    async fn the_error_lists_who_there_is() {
        let file = File::with(&["guest", "other"], &["guest", "other", "other"]).await;
        let error = choose(&file.db, "acct", None, None)
            .await
            .expect_err("several")
            .to_string();
        assert!(error.contains("--local-user"), "{error}");
        assert!(
            error.contains("`guest@example.org` (id `guest`, 1 profiles)"),
            "{error}"
        );
        assert!(
            error.contains("`other@example.org` (id `other`, 2 profiles)"),
            "{error}"
        );
    }

    #[tokio::test]
    async fn who_is_tied_stays_tied() {
        let file = File::with(&["guest", "other"], &["guest", "other"]).await;
        assert_eq!(file.choose(Some("other"), None).await, "other");
        assert_eq!(file.choose(Some("other"), Some("other")).await, "other");
        assert_eq!(
            file.choose(Some("other"), Some("guest")).await,
            "other_local_user"
        );
    }

    #[tokio::test]
    async fn a_fresh_database_gets_the_account_as_its_user_once() {
        let file = File::with(&[], &[]).await;
        for _ in 0..2 {
            ensure_user(&file.db, "acct", &account(), Millis(1_767_323_045_678))
                .await
                .expect("user");
        }
        let rows = user::Entity::find().all(&file.db).await.expect("rows");
        let [row] = rows.as_slice() else {
            panic!("{rows:?}")
        };
        assert_eq!(
            (row.id.as_str(), row.email.as_str(), row.name.as_str()),
            ("acct", "anna@example.org", "Anna")
        );
        assert_eq!(row.created_at.timestamp_millis(), 1_767_323_045_678);
    }

    #[tokio::test]
    async fn rows_of_nobody_get_a_user_even_if_the_address_is_taken() {
        let file = File::with(&["anna"], &["nobody"]).await;
        ensure_user(&file.db, "nobody", &account(), Millis(0))
            .await
            .expect("user");
        assert_eq!(
            user::Entity::find().count(&file.db).await.expect("count"),
            2
        );
        let broken = "SELECT 1 AS one FROM pragma_foreign_key_check";
        assert!(
            file.db
                .query_all_raw(sea_orm::Statement::from_string(
                    sea_orm::DbBackend::Sqlite,
                    broken
                ))
                .await
                .expect("check")
                .is_empty()
        );
    }
}
