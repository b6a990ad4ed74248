//! A bad network: what happens to each request on its way is written down before.

use std::{
    collections::VecDeque,
    future::{self, Future},
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use anyhow::Result;
use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use serde_json::Value;
use sync_core::{Transport, TransportError, protocol::PUSH_PATH};

/// What a test does while a request is on its way.
pub type Act = Box<dyn FnOnce() -> Pin<Box<dyn Future<Output = Result<()>> + Send>> + Send>;
/// How a body is changed on its way.
pub type Change = Box<dyn FnOnce(&mut Value) + Send>;

/// What happens to one request.
pub enum Fault {
    /// Nothing.
    None,
    /// The server cannot be reached.
    Offline,
    /// The request does not arrive.
    LoseRequest,
    /// The request arrives, its answer does not.
    LoseAnswer,
    /// The request arrives, and nothing happens ever after.
    HangAfter,
    /// The request arrives twice; the second answer comes back.
    Twice,
    /// Only so many bytes of the answer arrive, passed off as the whole.
    CutAnswer(usize),
    /// Somebody on the way answers instead of the server.
    AnswerInstead(u16, Vec<u8>),
    /// Somebody on the way answers, after the server has carried out the request.
    AnswerAfter(u16, Vec<u8>),
    /// Something happens before the request arrives.
    Before(Act),
    /// Something happens between the server's answer and its arrival.
    After(Act),
    /// The request arrives changed.
    ChangeRequest(Change),
    /// The answer arrives changed.
    ChangeAnswer(Change),
    /// The request arrives changed, and something happens between the server's answer and its arrival.
    ChangeRequestAndAfter(Change, Act),
}

impl Fault {
    /// See [`Fault::Before`].
    pub fn before<F: Future<Output = Result<()>> + Send + 'static>(
        act: impl FnOnce() -> F + Send + 'static,
    ) -> Self {
        Self::Before(Box::new(|| Box::pin(act())))
    }

    /// See [`Fault::After`].
    pub fn after<F: Future<Output = Result<()>> + Send + 'static>(
        act: impl FnOnce() -> F + Send + 'static,
    ) -> Self {
        Self::After(Box::new(|| Box::pin(act())))
    }

    /// See [`Fault::ChangeRequest`].
    pub fn change_request(change: impl FnOnce(&mut Value) + Send + 'static) -> Self {
        Self::ChangeRequest(Box::new(change))
    }

    /// See [`Fault::ChangeAnswer`].
    pub fn change_answer(change: impl FnOnce(&mut Value) + Send + 'static) -> Self {
        Self::ChangeAnswer(Box::new(change))
    }
}

/// A way to a server on which things go wrong, and which remembers what went along it.
pub struct Faulty {
    inner: Arc<dyn Transport>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    pushes: VecDeque<Fault>,
    pulls: VecDeque<Fault>,
    sent: Vec<Request<Bytes>>,
}

impl Faulty {
    /// A way without faults so far.
    #[must_use]
    pub fn new(inner: Arc<dyn Transport>) -> Arc<Self> {
        Arc::new(Self {
            inner,
            state: Mutex::default(),
        })
    }

    /// Has this happen to the next push that nothing is planned for yet.
    pub fn on_push(&self, fault: Fault) {
        self.state().pushes.push_back(fault);
    }

    /// Has this happen to the next pull that nothing is planned for yet.
    pub fn on_pull(&self, fault: Fault) {
        self.state().pulls.push_back(fault);
    }

    /// Has these happen to the next pulls, whatever was planned before and is left.
    pub fn plan_pulls(&self, faults: impl IntoIterator<Item = Fault>) {
        self.state().pulls = faults.into_iter().collect();
    }

    /// Every push that a device has sent, oldest first, whether or not it arrived.
    #[must_use]
    pub fn pushes(&self) -> Vec<Value> {
        let sent = self.sent(true);
        sent.iter()
            .map(|request| serde_json::from_slice(request.body()).unwrap_or_default())
            .collect()
    }

    /// What every pull asked for, as path and query.
    #[must_use]
    pub fn pulls(&self) -> Vec<String> {
        self.sent(false)
            .iter()
            .map(|request| request.uri().to_string())
            .collect()
    }

    /// Every request so far, as it left the device.
    #[must_use]
    pub fn requests(&self) -> Vec<Request<Bytes>> {
        self.state().sent.clone()
    }

    /// Forgets what was sent, not what is planned.
    pub fn forget(&self) {
        self.state().sent.clear();
    }

    /// Has a request arrive that was sent at some time before.
    ///
    /// # Errors
    /// If there is no way to the server.
    pub async fn deliver(
        &self,
        request: Request<Bytes>,
    ) -> Result<Response<Bytes>, TransportError> {
        self.inner.send(request).await
    }

    fn sent(&self, pushes: bool) -> Vec<Request<Bytes>> {
        let mut sent = self.requests();
        sent.retain(|request| (request.uri().path() == PUSH_PATH) == pushes);
        sent
    }

    fn plan(&self, request: &Request<Bytes>) -> Fault {
        let mut state = self.state();
        state.sent.push(request.clone());
        let planned = if request.uri().path() == PUSH_PATH {
            &mut state.pushes
        } else {
            &mut state.pulls
        };
        planned.pop_front().unwrap_or(Fault::None)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Transport for Faulty {
    async fn send(&self, mut request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        let mut fault = self.plan(&request);
        if let Fault::ChangeRequestAndAfter(change, act) = fault {
            *request.body_mut() = changed(request.body(), change);
            fault = Fault::After(act);
        }
        match fault {
            Fault::Offline => return Err(TransportError::offline("the test pulled the plug")),
            Fault::LoseRequest => return Err(TransportError::lost("the test lost the request")),
            Fault::AnswerInstead(status, body) => return answer(status, body),
            Fault::Before(act) => {
                happens(act).await;
                return self.inner.send(request).await;
            }
            Fault::ChangeRequest(change) => {
                *request.body_mut() = changed(request.body(), change);
                return self.inner.send(request).await;
            }
            Fault::Twice => _ = self.inner.send(request.clone()).await?,
            _ => {}
        }
        let mut response = self.inner.send(request).await?;
        match fault {
            Fault::LoseAnswer => Err(TransportError::lost("the test lost the answer")),
            Fault::HangAfter => future::pending().await,
            Fault::AnswerAfter(status, body) => answer(status, body),
            Fault::CutAnswer(bytes) => {
                response.body_mut().truncate(bytes);
                Ok(response)
            }
            Fault::After(act) => {
                happens(act).await;
                Ok(response)
            }
            Fault::ChangeAnswer(change) => {
                *response.body_mut() = changed(response.body(), change);
                Ok(response)
            }
            _ => Ok(response),
        }
    }
}

/// What a test does must work; a request that failed for it would look like a fault of the network.
async fn happens(act: Act) {
    let done = act().await;
    assert!(done.is_ok(), "the test's own act failed: {done:?}");
}

fn answer(status: u16, body: Vec<u8>) -> Result<Response<Bytes>, TransportError> {
    let response = Response::builder().status(status).body(body.into());
    response.map_err(|e| TransportError::lost(e.to_string()))
}

fn changed(body: &Bytes, change: Change) -> Bytes {
    let mut value = serde_json::from_slice(body).unwrap_or_default();
    change(&mut value);
    value.to_string().into()
}
