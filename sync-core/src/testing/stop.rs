//! Places inside the engine where a program ends, or another device comes in between: one in a sync.

use std::{
    future::poll_fn,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::Poll,
};

use bytes::Bytes;
use http::Response;

use super::{network::SimTransport, rng::Rng};
use crate::{
    TransportError,
    planted::{Look, POINTS, Point},
};

/// What happens at one point, once.
#[derive(Default)]
pub(crate) struct Stop {
    /// The point, and how often it is passed before.
    at: Option<(Point, u64)>,
    /// The device that syncs there, where nothing ends.
    between: Option<usize>,
    passed: std::sync::atomic::AtomicU64,
    /// Whether the server is working for this device.
    serving: AtomicBool,
    server_ended: AtomicBool,
}

impl Stop {
    /// Mostly nowhere.
    pub(crate) fn draw(chance: &mut Rng, n_devices: usize) -> Self {
        let point = *chance.pick(&POINTS).unwrap_or(&Point::PushCame);
        let other = chance.below(n_devices);
        let passes = if chance.percent(60) { 0 } else { 1 };
        Self {
            at: chance.percent(30).then_some((point, passes)),
            // Elsewhere the account is locked, or the device's database is.
            between: (point == Point::PushCame).then_some(other),
            ..Self::default()
        }
    }

    fn is_here(&self, point: Point) -> bool {
        let (true, Some((at, passes))) = (self.is_due(point), self.at) else {
            return false;
        };
        at == point && self.passed.fetch_add(1, Ordering::SeqCst) == passes
    }

    /// The server also works for others meanwhile.
    fn is_due(&self, point: Point) -> bool {
        !point.on_server() || self.serving.load(Ordering::SeqCst)
    }

    /// Waits for the server's answer, or for its end.
    pub(crate) async fn served(
        &self,
        answer: impl Future<Output = Result<Response<Bytes>, TransportError>>,
    ) -> Result<Response<Bytes>, TransportError> {
        self.serving.store(true, Ordering::SeqCst);
        let ended = poll_fn(|_| match self.server_ended.swap(false, Ordering::SeqCst) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        });
        let answer = tokio::select! {
            biased;
            answer = answer => answer,
            () = ended => Err(TransportError::lost("the server ended")),
        };
        self.serving.store(false, Ordering::SeqCst);
        answer
    }
}

/// What is done at every point of a device's sync.
pub(crate) fn look(transport: &Arc<SimTransport>) -> Look {
    let transport = Arc::clone(transport);
    Arc::new(move |point| {
        let transport = Arc::clone(&transport);
        Box::pin(async move {
            if !transport.stop.is_here(point) {
                return;
            }
            if let Some(other) = transport.stop.between {
                transport.stop.serving.store(false, Ordering::SeqCst);
                transport.come_between(other).await;
                transport.stop.serving.store(true, Ordering::SeqCst);
                return;
            }
            let name = format!("{point:?}");
            if point.on_server() {
                transport.server_ends(&name);
                transport.stop.server_ended.store(true, Ordering::SeqCst);
            } else {
                transport.end_device(&name);
            }
            std::future::pending().await
        })
    })
}
