//! Who has opened the page. A session proves that a form comes from it, and is no login: it ends with the
//! program, and is another one after each login at a server.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use axum::http::{HeaderMap, HeaderValue, header};

use super::secret::Secret;

/// Most sessions; the oldest give way. Any program on the machine can open the page over and over.
const MOST: usize = 64;

/// The sessions of one start of the program.
#[derive(Debug)]
pub(super) struct Sessions {
    cookie: String,
    open: Mutex<VecDeque<Session>>,
}

/// One browser that has opened the page.
#[derive(Clone, Debug)]
pub(super) struct Session {
    /// What its cookie holds.
    id: Secret,
    /// What its forms hold.
    pub(super) form: Secret,
    /// What to tell at its next look.
    message: Option<Message>,
    /// What was typed into the form that failed; never a password.
    typed: Option<Typed>,
}

/// Something to tell once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Message {
    /// Whether it went well.
    pub(super) good: bool,
    /// In words.
    pub(super) text: String,
}

/// What somebody typed to log in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Typed {
    pub(super) url: String,
    pub(super) email: String,
    pub(super) insecure: bool,
}

impl Sessions {
    /// Cookies know no ports, so each page's has a name of its own.
    pub(super) fn new(port: u16) -> Self {
        Self {
            cookie: format!("zentrio_page_{port}"),
            open: Mutex::default(),
        }
    }

    /// The session that a request shows.
    pub(super) fn of(&self, headers: &HeaderMap) -> Option<Session> {
        let shown = self.shown(headers)?;
        let open = self.open();
        open.iter().find(|session| session.id.is(&shown)).cloned()
    }

    /// A new session, and the header that sets its cookie.
    pub(super) fn begin(&self) -> (Session, Option<HeaderValue>) {
        let session = Session {
            id: Secret::random(),
            form: Secret::random(),
            message: None,
            typed: None,
        };
        let mut open = self.open();
        if open.len() >= MOST {
            open.pop_front();
        }
        open.push_back(session.clone());
        drop(open);
        let cookie = format!(
            "{}={}; Path=/; HttpOnly; SameSite=Strict",
            self.cookie,
            session.id.as_str()
        );
        (session, HeaderValue::from_str(&cookie).ok())
    }

    /// Ends a session; another begins in its place.
    pub(super) fn renew(&self, old: &Session) -> (Session, Option<HeaderValue>) {
        self.open().retain(|session| session.id != old.id);
        self.begin()
    }

    /// Keeps what to tell at the next look.
    pub(super) fn tell(&self, to: &Session, message: Message) {
        self.change(to, |session| session.message = Some(message));
    }

    /// Keeps what was typed for the next try.
    pub(super) fn remember(&self, of: &Session, typed: Option<Typed>) {
        self.change(of, |session| session.typed = typed);
    }

    /// What there is to tell, told only once, and what was typed.
    pub(super) fn take(&self, of: &Session) -> (Option<Message>, Option<Typed>) {
        let mut taken = (None, None);
        self.change(of, |session| {
            taken = (session.message.take(), session.typed.clone());
        });
        taken
    }

    /// What was typed.
    pub(super) fn typed(&self, of: &Session) -> Option<Typed> {
        let mut typed = None;
        self.change(of, |session| typed.clone_from(&session.typed));
        typed
    }

    fn change(&self, of: &Session, change: impl FnOnce(&mut Session)) {
        let mut open = self.open();
        if let Some(session) = open.iter_mut().find(|session| session.id == of.id) {
            change(session);
        }
    }

    fn shown(&self, headers: &HeaderMap) -> Option<String> {
        let cookies = headers.get_all(header::COOKIE).iter();
        cookies
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .find(|(name, _)| *name == self.cookie)
            .map(|(_, value)| value.to_owned())
    }

    fn open(&self) -> MutexGuard<'_, VecDeque<Session>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Session {
    pub(super) fn is(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Message {
    pub(super) fn good(text: impl Into<String>) -> Self {
        let text = text.into();
        Self { good: true, text }
    }

    pub(super) fn bad(text: impl Into<String>) -> Self {
        let text = text.into();
        Self { good: false, text }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn showing(cookie: &HeaderValue) -> HeaderMap {
        let text = cookie.to_str().expect("ASCII");
        let (pair, _) = text.split_once(';').expect("attributes");
        let mut headers = HeaderMap::new();
        let value = format!("other=1; {pair}").parse().expect("a header");
        headers.insert(header::COOKIE, value);
        headers
    }

    #[test]
    fn l07_a_cookie_is_for_this_page_alone_and_ends_with_the_browser() {
        let sessions = Sessions::new(8788);
        let (session, cookie) = sessions.begin();
        let cookie = cookie.expect("a cookie");
        let text = cookie.to_str().expect("ASCII");
        assert!(text.starts_with("zentrio_page_8788="), "{text}");
        assert!(
            text.ends_with("; Path=/; HttpOnly; SameSite=Strict"),
            "{text}"
        );
        assert_eq!(
            sessions.of(&showing(&cookie)).expect("known").id,
            session.id
        );
        assert!(sessions.of(&HeaderMap::new()).is_none());
        assert!(
            Sessions::new(8788).of(&showing(&cookie)).is_none(),
            "of another start"
        );
    }

    #[test]
    fn l07_a_session_that_is_renewed_is_over() {
        let sessions = Sessions::new(1);
        let (old, cookie) = sessions.begin();
        let (new, _) = sessions.renew(&old);
        assert!(sessions.of(&showing(&cookie.expect("a cookie"))).is_none());
        assert!(new.id != old.id && new.form != old.form);
    }

    #[test]
    fn a_message_is_told_once() {
        let sessions = Sessions::new(1);
        let (session, _) = sessions.begin();
        sessions.tell(&session, Message::good("Synced."));
        assert_eq!(sessions.take(&session).0, Some(Message::good("Synced.")));
        assert_eq!(sessions.take(&session).0, None);
    }

    #[test]
    fn sessions_do_not_pile_up() {
        let sessions = Sessions::new(1);
        let (first, _) = sessions.begin();
        for _ in 0..1_000 {
            sessions.begin();
        }
        assert_eq!(sessions.open().len(), MOST);
        assert!(sessions.open().iter().all(|session| session.id != first.id));
    }
}
