//! A server whose answers a test dictates, for what a real one cannot be made
//! to say: an overload, a cut answer, the login page of a hotel's network.

use std::{io, marker::PhantomData, time::Duration};

use serde::Serialize;
use sync_core::protocol::{
    ErrorBody, ErrorCode, INFO_PATH, Info, PULL_PATH, PUSH_PATH, PullPage, PushAnswer,
};
use wiremock::{
    Mock, MockBuilder, MockServer, Request, ResponseTemplate,
    matchers::{method, path},
};

/// A server on a port of its own, stopped with this value.
///
/// It answers what was mounted, and 404 otherwise. Of several answers for one
/// endpoint the one mounted first is given, as often as it was limited to. A
/// value that is dropped fails its test if an expected request did not come.
///
/// ```
/// # use std::time::Duration;
/// # use sync_core::protocol::PullPage;
/// # use sync_tests::MockSyncServer;
/// # tokio::runtime::Runtime::new()?.block_on(async {
/// # let page = PullPage {
/// #     epoch: "e".into(), cursor: "1".into(), head: "1".into(), has_more: false, tables: vec![], schema: None,
/// # };
/// let server = MockSyncServer::start().await;
/// server.mock_pull().status(503).retry_after(Duration::from_secs(2)).at_most(1).mount().await;
/// server.mock_pull().ok(&page).mount().await;
/// # });
/// # anyhow::Ok(())
/// ```
pub struct MockSyncServer {
    server: MockServer,
}

impl MockSyncServer {
    /// Starts a server that knows no answer yet.
    pub async fn start() -> Self {
        let server = MockServer::start().await;
        Self { server }
    }

    /// Where it listens.
    #[must_use]
    pub fn url(&self) -> String {
        self.server.uri()
    }

    /// Dictates answers to a push.
    pub fn mock_push(&self) -> MockEndpoint<'_, PushAnswer> {
        self.endpoint("POST", PUSH_PATH)
    }

    /// Dictates answers to a pull, whatever its cursor.
    pub fn mock_pull(&self) -> MockEndpoint<'_, PullPage> {
        self.endpoint("GET", PULL_PATH)
    }

    /// Dictates answers to the question for limits.
    pub fn mock_info(&self) -> MockEndpoint<'_, Info> {
        self.endpoint("GET", INFO_PATH)
    }

    /// The pushes that came, oldest first.
    pub async fn pushes(&self) -> Vec<Request> {
        self.received(PUSH_PATH).await
    }

    /// The pulls that came, oldest first.
    pub async fn pulls(&self) -> Vec<Request> {
        self.received(PULL_PATH).await
    }

    fn endpoint<A>(&self, verb: &str, at: &str) -> MockEndpoint<'_, A> {
        MockEndpoint {
            server: &self.server,
            requests: Mock::given(method(verb)).and(path(at)),
            answer: PhantomData,
        }
    }

    async fn received(&self, at: &str) -> Vec<Request> {
        let mut requests = self.server.received_requests().await.unwrap_or_default();
        requests.retain(|request| request.url.path() == at);
        requests
    }
}

/// An endpoint in want of an answer; `A` is what it answers when all is well.
#[must_use = "an endpoint has no answer before one is mounted"]
pub struct MockEndpoint<'a, A> {
    server: &'a MockServer,
    requests: MockBuilder,
    answer: PhantomData<fn(A)>,
}

impl<'a, A: Serialize> MockEndpoint<'a, A> {
    /// What a server in good health answers.
    pub fn ok(self, answer: &A) -> MockAnswer<'a> {
        self.reply(ResponseTemplate::new(200).set_body_json(answer))
    }

    /// An error as our server puts it.
    pub fn refused(self, code: ErrorCode) -> MockAnswer<'a> {
        self.refused_with(code, &ErrorBody::new(code.as_str(), "the test wants it so"))
    }

    /// An error as our server puts it, with what only some errors tell.
    pub fn refused_with(self, code: ErrorCode, body: &ErrorBody) -> MockAnswer<'a> {
        self.reply(ResponseTemplate::new(code.status()).set_body_json(body))
    }

    /// A bare status, such as a proxy before the server gives.
    pub fn status(self, status: u16) -> MockAnswer<'a> {
        self.reply(ResponseTemplate::new(status))
    }

    /// A page for people in the place of the answer, with a status that claims
    /// success, as from a network that wants its users to log in first.
    pub fn html_portal(self) -> MockAnswer<'a> {
        let page = "<!doctype html><title>Welcome</title><form>Room number: <input></form>";
        self.reply(ResponseTemplate::new(200).set_body_raw(page, "text/html"))
    }

    /// The first half of the answer, passed off as the whole.
    pub fn truncated_body(self, answer: &A) -> MockAnswer<'a> {
        let mut body = serde_json::to_vec(answer).unwrap_or_default();
        body.truncate(body.len() / 2);
        self.reply(ResponseTemplate::new(200).set_body_raw(body, "application/json"))
    }

    /// No answer: the request arrives, then the connection ends.
    pub fn connection_lost(self) -> MockAnswer<'a> {
        self.answer(None)
    }

    fn reply(self, reply: ResponseTemplate) -> MockAnswer<'a> {
        self.answer(Some(reply))
    }

    fn answer(self, reply: Option<ResponseTemplate>) -> MockAnswer<'a> {
        MockAnswer {
            server: self.server,
            requests: self.requests,
            reply,
            expected: None,
            at_most: None,
        }
    }
}

/// An answer that is given once it is mounted.
#[must_use = "an answer is given only after `mount`"]
pub struct MockAnswer<'a> {
    server: &'a MockServer,
    requests: MockBuilder,
    /// None where the connection is to end instead.
    reply: Option<ResponseTemplate>,
    expected: Option<u64>,
    at_most: Option<u64>,
}

impl MockAnswer<'_> {
    /// Has the answer ask for patience, in whole seconds.
    pub fn retry_after(self, wait: Duration) -> Self {
        let seconds = wait.as_secs().to_string();
        self.with(|reply| reply.insert_header("retry-after", seconds))
    }

    /// Has the answer come late.
    pub fn delayed(self, by: Duration) -> Self {
        self.with(|reply| reply.set_delay(by))
    }

    /// Fails the test unless the answer is given exactly so many times.
    pub fn expect(mut self, times: u64) -> Self {
        self.expected = Some(times);
        self
    }

    /// Leaves later requests to the answers mounted after this one.
    pub fn at_most(mut self, times: u64) -> Self {
        self.at_most = Some(times);
        self
    }

    /// From now on the server answers so.
    pub async fn mount(self) {
        let mut mock = match self.reply {
            Some(reply) => self.requests.respond_with(reply),
            None => self.requests.respond_with_err(|_: &Request| hang_up()),
        };
        if let Some(times) = self.expected {
            mock = mock.expect(times);
        }
        if let Some(times) = self.at_most {
            mock = mock.up_to_n_times(times);
        }
        mock.mount(self.server).await;
    }

    fn with(mut self, change: impl FnOnce(ResponseTemplate) -> ResponseTemplate) -> Self {
        self.reply = self.reply.map(change);
        self
    }
}

fn hang_up() -> io::Error {
    io::ErrorKind::ConnectionReset.into()
}

#[cfg(test)]
mod tests {
    use anyhow::Result;
    use reqwest::{Client, Response};

    use super::*;

    #[tokio::test]
    async fn answers_come_in_the_order_they_were_mounted() -> Result<()> {
        let server = MockSyncServer::start().await;
        let wait = Duration::from_secs(2);
        server
            .mock_push()
            .status(503)
            .retry_after(wait)
            .at_most(1)
            .expect(1)
            .mount()
            .await;
        server
            .mock_push()
            .connection_lost()
            .at_most(1)
            .mount()
            .await;
        server
            .mock_push()
            .refused(ErrorCode::PushOvertaken)
            .at_most(1)
            .mount()
            .await;
        server.mock_push().ok(&answer()).mount().await;

        let busy = push(&server).await?;
        assert_eq!(
            (busy.status().as_u16(), &busy.headers()["retry-after"]),
            (503, &"2".parse()?)
        );
        assert!(push(&server).await.is_err());
        let refused = push(&server).await?;
        assert_eq!(refused.status(), 409);
        assert_eq!(refused.json::<ErrorBody>().await?.code, "push_overtaken");
        let taken: PushAnswer = push(&server).await?.json().await?;
        assert_eq!(taken.after, answer().after);

        assert_eq!(server.pushes().await.len(), 4);
        assert!(server.pulls().await.is_empty());
        Ok(())
    }

    #[tokio::test]
    async fn what_is_no_answer_claims_to_be_one() -> Result<()> {
        let server = MockSyncServer::start().await;
        server.mock_push().html_portal().at_most(1).mount().await;
        server.mock_push().truncated_body(&answer()).mount().await;

        let portal = push(&server).await?;
        assert_eq!(
            (portal.status().as_u16(), &portal.headers()["content-type"]),
            (200, &"text/html".parse()?)
        );
        let truncated = push(&server).await?.error_for_status()?;
        assert!(truncated.json::<PushAnswer>().await.is_err());
        Ok(())
    }

    fn answer() -> PushAnswer {
        PushAnswer {
            epoch: "first".to_owned(),
            before: "1".to_owned(),
            after: "2".to_owned(),
            tables: Vec::new(),
        }
    }

    async fn push(server: &MockSyncServer) -> reqwest::Result<Response> {
        // Fails where another test was first, which does as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Client::new()
            .post(server.url() + PUSH_PATH)
            .body("{}")
            .send()
            .await
    }
}
