//! The network between a device and the server, and what goes wrong on it.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, Ordering},
};

use anyhow::Result;
use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use tokio::sync::Notify;

use super::{
    device::lock,
    ledger::Place,
    plan::{Clocks, wrong_by},
    rng::Rng,
    stop::Stop,
    world::{Letter, World},
};
use crate::{Transport, TransportError, protocol::PUSH_PATH};

/// What happens to one request and its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    None,
    LoseRequest,
    LoseAnswer,
    /// The request arrives twice, and the second answer is the one that comes back.
    Twice,
    CutAnswer,
    /// The server does its work, and something before it answers with an error.
    ErrorAfterwards,
    CrashBefore,
    CrashAfter,
    EditBefore,
    EditAfter,
    ServerEditBefore,
    ServerEditAfter,
    /// Another device syncs meanwhile.
    OtherBefore,
    OtherAfter,
    /// An earlier request arrives first.
    OldFirst,
    ClockJump,
    /// What the device logged in with is no longer good when the request arrives.
    Expire,
    /// The server forgets what was deleted, just before the request arrives.
    Garbage,
}

/// A device's way to the server, for one sync.
pub(crate) struct SimTransport {
    world: Arc<World>,
    device: usize,
    /// `None` where nothing goes wrong.
    chance: Option<Mutex<Rng>>,
    /// Told when the device's program is to end.
    crash: Notify,
    faulty: AtomicBool,
    /// Where a program ends, or another device comes in between.
    pub(super) stop: Stop,
}

impl SimTransport {
    pub(crate) fn new(world: Arc<World>, device: usize, chance: Option<Rng>) -> Self {
        let mut chance = chance;
        let stop = chance.as_mut().map_or_else(Stop::default, |chance| {
            Stop::draw(chance, world.devices.len())
        });
        Self {
            world,
            device,
            chance: chance.map(Mutex::new),
            crash: Notify::new(),
            faulty: AtomicBool::new(false),
            stop,
        }
    }

    /// Ends the device's program where it is.
    pub(super) fn end_device(&self, at: &str) {
        self.world.line(format!("   d{} ends: {at}", self.device));
        self.faulty.store(true, Ordering::SeqCst);
        self.crash.notify_one();
    }

    /// Has another device sync while the server is about to take this one's push.
    pub(super) async fn come_between(&self, other: usize) {
        if other == self.device {
            return;
        }
        if let Err(error) = self.world.sync_calmly(other).await {
            self.world
                .violation(format!("a sync in between: {error:#}"));
        }
    }

    pub(super) fn server_ends(&self, at: &str) {
        self.world.line(format!("   the server ends: {at}"));
        self.faulty.store(true, Ordering::SeqCst);
    }

    /// Comes when the program is to end.
    pub(crate) async fn crashed(&self) {
        self.crash.notified().await;
    }

    /// Whether anything went wrong.
    pub(crate) fn was_faulty(&self) -> bool {
        self.faulty.load(Ordering::SeqCst)
    }

    fn fault(&self) -> (Fault, u64) {
        let Some(chance) = &self.chance else {
            return (Fault::None, 0);
        };
        let mut chance = lock(chance);
        let weights = [
            (60, Fault::None),
            (5, Fault::LoseRequest),
            (6, Fault::LoseAnswer),
            (4, Fault::Twice),
            (2, Fault::CutAnswer),
            (3, Fault::ErrorAfterwards),
            (2, Fault::CrashBefore),
            (4, Fault::CrashAfter),
            (6, Fault::EditBefore),
            (6, Fault::EditAfter),
            (
                if self.world.options.server_edits {
                    2
                } else {
                    0
                },
                Fault::ServerEditBefore,
            ),
            (
                if self.world.options.server_edits {
                    2
                } else {
                    0
                },
                Fault::ServerEditAfter,
            ),
            (4, Fault::OtherBefore),
            (4, Fault::OtherAfter),
            (4, Fault::OldFirst),
            (
                if self.world.clocks == Clocks::Jumping {
                    1
                } else {
                    0
                },
                Fault::ClockJump,
            ),
            (2, Fault::Expire),
            (
                if self.world.options.garbage { 1 } else { 0 },
                Fault::Garbage,
            ),
        ];
        let fault = chance.weighted(&weights).unwrap_or(Fault::None);
        (fault, chance.next())
    }

    async fn carry(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        self.alone().await;
        let (fault, dice) = self.fault();
        let push = request.uri().path() == PUSH_PATH;
        if push {
            self.post(&request).await.map_err(broken)?;
        }
        if fault != Fault::None {
            self.faulty.store(true, Ordering::SeqCst);
            let what = if push { "push" } else { "pull" };
            self.world
                .line(format!("   d{} {what}: {fault:?}", self.device));
        }
        self.before(fault, dice).await.map_err(broken)?;
        match fault {
            Fault::LoseRequest => return Err(TransportError::offline("lost on its way")),
            Fault::CrashBefore => return self.crash().await,
            _ => {}
        }
        let mut answer = self.deliver(request.clone()).await?;
        if fault == Fault::Twice {
            answer = self.deliver(request).await?;
        }
        self.after(fault, dice).await.map_err(broken)?;
        match fault {
            Fault::LoseAnswer => Err(TransportError::lost("the answer was lost")),
            Fault::CutAnswer => {
                let half = answer.body().len() / 2;
                let cut = answer.body().slice(..half);
                Ok(answer.map(|_| cut))
            }
            Fault::ErrorAfterwards => {
                let page = Response::builder()
                    .status(502)
                    .body(Bytes::from_static(b"<html>"));
                page.map_err(|e| TransportError::lost(e.to_string()))
            }
            Fault::CrashAfter => self.crash().await,
            _ => Ok(answer),
        }
    }

    /// Keeps a push, and the names it gives to rows, before it is sent.
    async fn post(&self, request: &Request<Bytes>) -> Result<()> {
        self.world.n_pushes.fetch_add(1, Ordering::SeqCst);
        let letter = Letter {
            device: self.device,
            request: request.clone(),
            delivered: false,
            sent_ms: self.world.now_ms(),
        };
        lock(&self.world.mail).push(letter);
        self.world.link(self.device).await
    }

    async fn before(&self, fault: Fault, dice: u64) -> Result<()> {
        match fault {
            Fault::EditBefore => self.world.edit(self.device, dice).await,
            Fault::ServerEditBefore => self.server_edit(dice).await,
            Fault::OtherBefore => self.other(dice).await,
            Fault::OldFirst => self.world.deliver_old(dice).await,
            Fault::Expire => {
                self.world.devices[self.device].set_expired(true);
                Ok(())
            }
            Fault::Garbage => self.world.collect_garbage(dice).await,
            Fault::ClockJump => {
                let device = &self.world.devices[self.device];
                device.set_ahead(wrong_by(&mut Rng::new(dice)));
                self.world.advance(1);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    async fn after(&self, fault: Fault, dice: u64) -> Result<()> {
        match fault {
            Fault::EditAfter => self.world.edit(self.device, dice).await,
            Fault::ServerEditAfter => self.server_edit(dice).await,
            Fault::OtherAfter => self.other(dice).await,
            _ => Ok(()),
        }
    }

    async fn server_edit(&self, dice: u64) -> Result<()> {
        self.world
            .edit_server(self.world.devices[self.device].account, dice)
            .await
    }

    async fn other(&self, dice: u64) -> Result<()> {
        let other = Rng::new(dice).below(self.world.devices.len());
        if other != self.device {
            self.world.sync_calmly(other).await?;
        }
        Ok(())
    }

    async fn deliver(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        let world = &self.world;
        world.advance(1);
        if world.devices[self.device].expired() {
            return unauthorized();
        }
        if request.uri().path() == PUSH_PATH {
            let mut mail = lock(&world.mail);
            let sent = mail
                .iter_mut()
                .rev()
                .find(|letter| letter.request.body() == request.body());
            sent.into_iter().for_each(|letter| letter.delivered = true);
        }
        let body = request.body().clone();
        let transport = &world.ways[self.device];
        world.touch(Place::Server);
        world.mix(request.uri().to_string().as_bytes());
        world.mix(request.body());
        let is_push = request.uri().path() == PUSH_PATH;
        let answer = match self.stop.served(transport.send(request)).await {
            Ok(answer) => answer,
            Err(error) => {
                // A server that ended may not have carried it out.
                let mut mail = lock(&world.mail);
                let same = mail
                    .iter_mut()
                    .filter(|letter| *letter.request.body() == body);
                same.for_each(|letter| letter.delivered = false);
                return Err(error);
            }
        };
        if is_push {
            world.hear_verdicts(answer.body());
        }
        world.mix(answer.body());
        if answer.status().is_server_error() {
            let body = String::from_utf8_lossy(answer.body());
            world.violation(format!("the server failed: {} {body}", answer.status()));
        }
        Ok(answer)
    }

    /// The program ends here; what it is doing besides comes to its end first, so that the same seed
    /// has it end at the same place.
    async fn crash(&self) -> Result<Response<Bytes>, TransportError> {
        self.alone().await;
        self.crash.notify_one();
        std::future::pending().await
    }

    /// Waits until the device does nothing else: it applies one page while it asks for the next. The
    /// database's one connection is given to one after the other, so the second turn comes after
    /// whatever was begun with this request.
    async fn alone(&self) {
        for _ in 0..2 {
            if let Ok(db) = self.world.devices[self.device].db() {
                drop(db.get_sqlite_connection_pool().acquire().await);
            }
        }
    }
}

#[async_trait]
impl Transport for SimTransport {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        self.carry(request).await
    }
}

fn unauthorized() -> Result<Response<Bytes>, TransportError> {
    let body = Bytes::from_static(br#"{"code":"token_expired","message":"log in again"}"#);
    let answer = Response::builder().status(401).body(body);
    answer.map_err(|e| TransportError::lost(e.to_string()))
}

/// A mistake of the simulation itself: it must not pass for a lost answer.
fn broken(error: anyhow::Error) -> TransportError {
    TransportError::lost(format!("the simulation is broken: {error:#}"))
}
