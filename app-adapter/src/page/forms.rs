//! What the page's forms do. Each is a POST from our own page with its session's proof, and ends with the page.

use std::time::Duration;

use axum::{
    Extension, Form,
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use sync_core::device::{DiscardOutcome, Restart};

use super::{
    PageState,
    door::From,
    guard::refused,
    sessions::{Message, Session, Typed},
    view,
};
use crate::{AdapterError, Connect, LocalData, Password, Prepared, RowName, ServerUrl};

/// How long an answer waits for the sync that was asked for; after that the page shows it going on.
const PATIENCE: Duration = Duration::from_secs(3);

/// What a form has beside its own fields.
#[derive(Deserialize)]
pub(super) struct Filled<T> {
    #[serde(default)]
    form: String,
    #[serde(flatten)]
    fields: T,
}

#[derive(Deserialize)]
pub(super) struct Nothing {}

#[derive(Deserialize)]
pub(super) struct Login {
    url: String,
    email: String,
    password: String,
    insecure: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Answer {
    answer: String,
}

#[derive(Deserialize)]
pub(super) struct Choice {
    choice: String,
}

#[derive(Deserialize)]
pub(super) struct Row {
    table: String,
    id: String,
}

#[derive(Deserialize)]
pub(super) struct Device {
    id: String,
}

/// Who has sent a form.
pub(super) struct Sender {
    state: PageState,
    session: Session,
}

impl Sender {
    /// Proof of the page: where it comes from, its cookie, and what only the page has shown.
    fn prove(
        state: PageState,
        from: &From,
        headers: &HeaderMap,
        form: &str,
    ) -> Result<Self, Box<Response>> {
        if !matches!(from, From::Own | From::Unsaid) {
            return Err(Box::new(refused()));
        }
        match state.sessions.of(headers) {
            Some(session) if session.form.is(form) => Ok(Self { state, session }),
            // A page of an earlier start, most likely: a new one has what it takes.
            _ if *from == From::Own => Err(Box::new(back(None))),
            _ => Err(Box::new(refused())),
        }
    }

    /// Back to the page, which tells this.
    fn done(self, message: Message) -> Response {
        self.state.sessions.tell(&self.session, message);
        back(None)
    }

    fn failed(self, error: &AdapterError) -> Response {
        self.done(Message::bad(view::of_error(error)))
    }
}

/// The page again, by GET: loading it anew then sends nothing twice.
fn back(cookie: Option<HeaderValue>) -> Response {
    let mut response = (
        StatusCode::SEE_OTHER,
        [(header::LOCATION, HeaderValue::from_static("/"))],
    )
        .into_response();
    if let Some(cookie) = cookie {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}

/// Makes a handler of what is done with a proven form.
macro_rules! handler {
    ($(#[$doc:meta])* $name:ident, $fields:ty, $action:ident) => {
        $(#[$doc])*
        pub(super) async fn $name(
            State(state): State<PageState>,
            Extension(from): Extension<From>,
            headers: HeaderMap,
            Form(filled): Form<Filled<$fields>>,
        ) -> Response {
            match Sender::prove(state, &from, &headers, &filled.form) {
                Ok(sender) => sender.$action(filled.fields).await,
                Err(response) => *response,
            }
        }
    };
}

handler!(/// `POST /connect`
    connect, Login, connect);
handler!(/// `POST /answer`
    answer, Answer, answer);
handler!(/// `POST /sync`
    sync, Nothing, sync);
handler!(/// `POST /disconnect`
    disconnect, Nothing, disconnect);
handler!(/// `POST /choose`
    choose, Choice, choose);
handler!(/// `POST /retry`
    retry, Row, retry);
handler!(/// `POST /discard`
    discard, Row, discard);
handler!(/// `POST /leave-out`
    leave_out, Row, leave_out);
handler!(/// `POST /log-out`
    log_out, Device, log_out);

impl Sender {
    async fn connect(self, login: Login) -> Response {
        let typed = Typed {
            url: login.url.clone(),
            email: login.email.clone(),
            insecure: login.insecure.is_some(),
        };
        let sessions = self.state.sessions.clone();
        sessions.remember(&self.session, Some(typed));
        let url = match ServerUrl::parse(&login.url, login.insecure.is_some()) {
            Ok(url) => url,
            Err(error) => return self.failed(&error),
        };
        if login.email.trim().is_empty() || login.password.is_empty() {
            return self.done(Message::bad("Type your email and your password."));
        }
        let device_name = gethostname::gethostname().to_string_lossy().into_owned();
        let password = Password::new(login.password);
        let wanted = Connect::new(url, login.email.trim(), password, &device_name);
        match self.state.sync.prepare(&wanted).await {
            Ok((prepared, None)) => self.finish(prepared, LocalData::Ask).await,
            Ok((prepared, Some(preview))) => {
                self.state
                    .asking
                    .ask(&self.session, prepared, preview)
                    .await;
                back(None)
            }
            Err(error) => self.failed(&error),
        }
    }

    async fn finish(self, prepared: Prepared, local_data: LocalData) -> Response {
        let connected = match self.state.sync.finish(prepared, local_data).await {
            Ok(connected) => connected,
            Err(error) => return self.failed(&error),
        };
        // Who has logged in is somebody else than who had not.
        let (session, cookie) = self.state.sessions.renew(&self.session);
        self.state.forget_devices().await;
        let text = match connected.set_aside {
            None => "Connected. Syncing goes on by itself.".to_owned(),
            Some(other) => format!(
                "Connected. The data of {other} is set aside: log in to that account to go on with it."
            ),
        };
        self.state.sessions.tell(&session, Message::good(text));
        back(cookie)
    }

    async fn answer(self, Answer { answer }: Answer) -> Response {
        let local_data = match answer.as_str() {
            "merge" => Some(LocalData::Merge),
            "set-aside" => Some(LocalData::SetAside),
            "cancel" => None,
            _ => return StatusCode::UNPROCESSABLE_ENTITY.into_response(),
        };
        match (self.state.asking.take(&self.session).await, local_data) {
            (None, _) => self.done(Message::bad("Log in again: too much time has passed.")),
            (Some(prepared), Some(local_data)) => self.finish(prepared, local_data).await,
            (Some(prepared), None) => {
                self.state.sync.cancel(prepared).await;
                self.done(Message::good("Nothing was done. All is as it was."))
            }
        }
    }

    async fn sync(self, _: Nothing) -> Response {
        let sync = self.state.sync.clone();
        // In a task of its own: who asked may not wait for it.
        let asked = tokio::spawn(async move { sync.sync_now().await });
        match tokio::time::timeout(PATIENCE, asked).await {
            Err(_) | Ok(Err(_)) => back(None),
            Ok(Ok(Err(error))) => self.failed(&error),
            Ok(Ok(Ok(report))) => {
                let text = match (report.n_pushed, report.n_pulled) {
                    (0, 0) => "Synced. There was nothing new.".to_owned(),
                    (sent, came) => format!("Synced. Sent {sent}, received {came}."),
                };
                self.done(Message::good(text))
            }
        }
    }

    async fn disconnect(self, _: Nothing) -> Response {
        let done = match self.state.sync.disconnect().await {
            Ok(done) => done,
            Err(error) => return self.failed(&error),
        };
        let mut text = "Disconnected. All data stays here.".to_owned();
        if done.n_pending > 0 {
            let rows = view::count(done.n_pending, "changed row");
            text += &format!(" {rows} not sent yet: log in to the same account to send them.");
        }
        if done.was_connected && !done.is_revoked {
            text += " The server could not be told; the login runs out there by itself.";
        }
        self.done(Message::good(text))
    }

    async fn choose(self, Choice { choice }: Choice) -> Response {
        let restart = match choice.as_str() {
            "keep-mine" => Restart::KeepMine,
            "take-theirs" => Restart::TakeTheirs,
            _ => return StatusCode::UNPROCESSABLE_ENTITY.into_response(),
        };
        match self.state.sync.restart(restart).await {
            Ok(()) => self.sync(Nothing {}).await,
            Err(error) => self.failed(&error),
        }
    }

    async fn retry(self, row: Row) -> Response {
        match self.state.sync.adapter().retry(Some(&row.name())).await {
            Ok(_) => {
                self.state.sync.refresh().await;
                self.sync(Nothing {}).await
            }
            Err(error) => self.failed(&error),
        }
    }

    async fn discard(self, row: Row) -> Response {
        let discarded = self.state.sync.adapter().discard(&row.name(), true).await;
        self.state.sync.refresh().await;
        let text = match discarded {
            Err(error) => return self.failed(&error),
            Ok(done) => match done.outcome {
                DiscardOutcome::Nothing => "Nothing of this row was waiting to be sent.",
                DiscardOutcome::TakenBack => "The row is as the server has it.",
                DiscardOutcome::Removed => "The row is removed. The server never had it.",
            },
        };
        self.done(Message::good(text))
    }

    async fn leave_out(self, Row { table, id }: Row) -> Response {
        let device = self.state.sync.adapter().device();
        let left_out = device.leave_out(&table, &id).await;
        self.state.sync.refresh().await;
        match left_out {
            Ok(true) => self.done(Message::good(
                "The row is left out on this device until it changes elsewhere.",
            )),
            Ok(false) => self.done(Message::good("The row is not waiting any more.")),
            Err(error) => self.failed(&error.into()),
        }
    }

    async fn log_out(self, Device { id }: Device) -> Response {
        let revoked = self.state.sync.adapter().revoke_device(&id).await;
        self.state.forget_devices().await;
        match revoked {
            Ok(()) => self.done(Message::good("The device is logged out.")),
            Err(error) => self.failed(&error),
        }
    }
}

impl Row {
    fn name(self) -> RowName {
        RowName {
            table: self.table,
            id: self.id,
        }
    }
}
