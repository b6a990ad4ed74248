//! Who listens in this process, and what they have been told.

use std::{
    collections::{HashMap, HashSet},
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use sync_core::server::FeedEnd;
use tokio::sync::{Notify, watch};

/// Most streams of one account: each device needs one.
const MOST_OF_ACCOUNT: usize = 32;

/// There is no room for one more listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Full {
    /// The account has as many as it may have.
    Account,
    /// The process has as many as it can take.
    Process,
}

/// What a stream is told. A slow one finds only the last of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Told {
    /// The feed's end, once it is known.
    pub(super) head: Option<String>,
    /// Grows when the token has to be looked at.
    pub(super) rechecks: u64,
}

pub(super) struct Listeners {
    /// Most streams of this process.
    most: usize,
    state: Mutex<State>,
    /// Some feeds may have moved.
    pub(super) moved: Notify,
    /// Edits may wait to be absorbed.
    pub(super) edited: Notify,
}

#[derive(Default)]
struct State {
    accounts: HashMap<String, Listened>,
    /// Those whose feed may have moved.
    moved: HashSet<String>,
    n: usize,
}

struct Listened {
    told: watch::Sender<Told>,
    n: usize,
    number: Option<i64>,
}

/// One who listens, until it is dropped.
pub(super) struct Listening {
    user_id: String,
    pub(super) told: watch::Receiver<Told>,
    listeners: Arc<Listeners>,
}

impl Listeners {
    pub(super) fn new(most: usize) -> Self {
        Self {
            most,
            state: Mutex::default(),
            moved: Notify::new(),
            edited: Notify::new(),
        }
    }

    /// One more who listens. What has moved before is looked up for it.
    pub(super) fn listen(self: &Arc<Self>, user_id: &str) -> Result<Listening, Full> {
        let mut state = self.state();
        if state.n >= self.most {
            return Err(Full::Process);
        }
        let listened = state.accounts.entry(user_id.to_owned());
        let listened = listened.or_insert_with(|| Listened {
            told: watch::channel(Told::default()).0,
            n: 0,
            number: None,
        });
        if listened.n >= MOST_OF_ACCOUNT {
            return Err(Full::Account);
        }
        listened.n += 1;
        let told = listened.told.subscribe();
        state.n += 1;
        state.moved.insert(user_id.to_owned());
        drop(state);
        self.moved.notify_one();
        self.edited.notify_one();
        Ok(Listening {
            user_id: user_id.to_owned(),
            told,
            listeners: self.clone(),
        })
    }

    /// The account's feed has moved.
    pub(super) fn moved(&self, user_id: &str) {
        let mut state = self.state();
        if state.accounts.contains_key(user_id) {
            state.moved.insert(user_id.to_owned());
            self.moved.notify_one();
        }
    }

    /// The same for the account with this number; one that never synced before has its number only now.
    pub(super) fn moved_number(&self, number: i64) {
        let mut state = self.state();
        let may_be = |listened: &Listened| listened.number.is_none_or(|its| its == number);
        let moved: Vec<String> = state
            .accounts
            .iter()
            .filter(|(_, listened)| may_be(listened))
            .map(|(user_id, _)| user_id.clone())
            .collect();
        if !moved.is_empty() {
            state.moved.extend(moved);
            self.moved.notify_one();
        }
    }

    /// Anything may have moved.
    pub(super) fn all_moved(&self) {
        let mut state = self.state();
        if !state.accounts.is_empty() {
            state.moved = state.accounts.keys().cloned().collect();
            self.moved.notify_one();
        }
    }

    /// Somebody may have edited the server's own database.
    pub(super) fn edited(&self) {
        if !self.is_empty() {
            self.edited.notify_one();
        }
    }

    /// The accounts whose feed may have moved since this was asked last.
    pub(super) fn take_moved(&self) -> Vec<String> {
        mem::take(&mut self.state().moved).into_iter().collect()
    }

    /// Tells where feeds end to who has not been told so.
    pub(super) fn tell(&self, ends: HashMap<String, FeedEnd>) {
        let mut state = self.state();
        for (user_id, end) in ends {
            let Some(listened) = state.accounts.get_mut(&user_id) else {
                continue;
            };
            listened.number = end.account;
            listened.told.send_if_modified(|told| {
                let is_new = told.head.as_ref() != Some(&end.head);
                told.head = Some(end.head);
                is_new
            });
        }
    }

    /// Asks the account's streams to look whether their tokens still are good.
    pub(super) fn recheck(&self, user_id: &str) {
        if let Some(listened) = self.state().accounts.get(user_id) {
            listened.told.send_modify(|told| told.rechecks += 1);
        }
    }

    pub(super) fn has(&self, user_id: &str) -> bool {
        self.state().accounts.contains_key(user_id)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.state().accounts.is_empty()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        let mut state = self.listeners.state();
        state.n -= 1;
        if let Some(listened) = state.accounts.get_mut(&self.user_id) {
            listened.n -= 1;
            if listened.n == 0 {
                state.accounts.remove(&self.user_id);
                state.moved.remove(&self.user_id);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOST: usize = 100;

    fn end(account: i64, head: &str) -> FeedEnd {
        FeedEnd {
            account: Some(account),
            head: head.to_owned(),
        }
    }

    fn head(listening: &mut Listening) -> Option<String> {
        listening.told.borrow_and_update().head.clone()
    }

    #[test]
    fn only_what_is_listened_to_is_looked_up() {
        let listeners = Arc::new(Listeners::new(MOST));
        listeners.moved("ann");
        assert!(listeners.take_moved().is_empty());
        let ann = listeners.listen("ann").expect("room");
        assert_eq!(listeners.take_moved(), ["ann"], "where it ends now");
        assert!(listeners.take_moved().is_empty());
        listeners.moved("ben");
        assert!(listeners.take_moved().is_empty());
        listeners.moved("ann");
        listeners.moved("ann");
        assert_eq!(listeners.take_moved(), ["ann"]);
        drop(ann);
        listeners.all_moved();
        assert!(listeners.take_moved().is_empty() && listeners.is_empty());
    }

    #[test]
    fn who_is_slow_finds_the_last_end_and_who_comes_later_too() {
        let listeners = Arc::new(Listeners::new(MOST));
        let mut first = listeners.listen("ann").expect("room");
        for text in ["1", "2", "3"] {
            listeners.tell(HashMap::from([("ann".to_owned(), end(7, text))]));
        }
        assert_eq!(head(&mut first).as_deref(), Some("3"));
        let mut second = listeners.listen("ann").expect("room");
        assert_eq!(head(&mut second).as_deref(), Some("3"));
        listeners.tell(HashMap::from([("ann".to_owned(), end(7, "3"))]));
        assert!(!first.told.has_changed().expect("sender"), "nothing is new");
    }

    #[test]
    fn a_number_stands_for_its_account_and_for_those_that_have_none_yet() {
        let listeners = Arc::new(Listeners::new(MOST));
        let users = ["ann", "ben", "new"];
        let _all = users.map(|user| listeners.listen(user).expect("room"));
        let ends = [
            ("ann".to_owned(), end(1, "1")),
            ("ben".to_owned(), end(2, "1")),
        ];
        listeners.tell(HashMap::from(ends));
        listeners.take_moved();
        listeners.moved_number(2);
        let mut moved = listeners.take_moved();
        moved.sort();
        assert_eq!(moved, ["ben", "new"]);
    }

    #[test]
    fn there_is_a_most_of_an_account_and_room_comes_back() {
        let listeners = Arc::new(Listeners::new(MOST));
        let listen = |user: &str| listeners.listen(user);
        let mut all: Vec<_> = (0..MOST_OF_ACCOUNT)
            .map(|_| listen("ann").expect("room"))
            .collect();
        assert_eq!(listen("ann").err(), Some(Full::Account));
        let _other = listen("ben").expect("room of its own");
        all.pop();
        listen("ann").expect("room again");

        let users = (all.len() + 1..MOST).map(|n| n.to_string());
        let _many: Vec<_> = users.map(|user| listen(&user).expect("room")).collect();
        assert_eq!(listen("one more").err(), Some(Full::Process));
    }
}
