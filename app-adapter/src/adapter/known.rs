//! By what an account is known again.

use sync_core::device::{ParkedAccount, State};

/// What is known of an account that this database was, or is, connected to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known<'a> {
    pub(super) url: Option<&'a String>,
    pub(super) id: Option<&'a String>,
    epoch: Option<&'a String>,
}

impl<'a> Known<'a> {
    pub(super) fn of(state: &'a State) -> Option<Self> {
        state.is_tied().then_some(Self {
            url: state.remote_url.as_ref(),
            id: state.remote_user_id.as_ref(),
            epoch: state.epoch.as_ref(),
        })
    }

    pub(super) fn of_parked(parked: &'a ParkedAccount) -> Self {
        Self {
            url: parked.remote_url.as_ref(),
            id: parked.remote_user_id.as_ref(),
            epoch: parked.epoch.as_ref(),
        }
    }

    /// A server that has moved has the same data, with the same epoch.
    pub(super) fn is(self, account_id: &str, url: &str, epoch: Option<&str>) -> bool {
        let same_url = self.url.is_some_and(|known| known == url);
        let same_data = epoch.is_some() && self.epoch.map(String::as_str) == epoch;
        self.id.is_some_and(|id| id == account_id) && (same_url || same_data)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_known_by_its_id_at_its_server_which_may_have_moved() {
        for (id, url, epoch, told, expected) in [
            ("u1", "a", None, None, true),
            ("u2", "a", None, None, false),
            ("u1", "b", Some("e"), Some("e"), true),
            ("u1", "b", Some("e"), Some("f"), false),
            ("u1", "b", None, None, false),
            ("u1", "b", Some("e"), None, false),
            ("u2", "b", Some("e"), Some("e"), false),
        ] {
            let (id, url) = (id.to_owned(), url.to_owned());
            let epoch = epoch.map(str::to_owned);
            let known = Known {
                url: Some(&url),
                id: Some(&id),
                epoch: epoch.as_ref(),
            };
            assert_eq!(known.is("u1", "a", told), expected, "{known:?} {told:?}");
        }
    }
}
