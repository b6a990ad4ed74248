//! One run from its beginning to its verdict.

use std::sync::{Arc, atomic::Ordering};

use anyhow::Result;

use super::{
    device::lock,
    ledger::Place,
    network::SimTransport,
    options::Options,
    oracles::{self, Watch},
    plan::{Action, Plan, What, wrong_by},
    rng::Rng,
    setup::Kit,
    stop,
    trace::Trace,
    world::World,
};
use crate::{SyncError, clocks::CLOCK_TOLERANCE_MS, planted::watched, protocol::ErrorCode};

/// How a run went.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    pub(crate) trace: Trace,
    /// What was wrong, if anything was.
    pub(crate) failure: Option<String>,
}

impl Outcome {
    /// The oracle that was not content.
    pub(crate) fn kind(&self) -> Option<&str> {
        self.failure.as_deref()?.split(':').next()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum How {
    Sync,
    Push,
    Pull,
}

/// Carries out a plan and checks what came of it.
pub(crate) async fn run(kit: &Kit, plan: &Plan, options: &Options) -> Result<Outcome> {
    let world = World::new(kit, plan, *options).await?;
    let failure = match live(&world, plan).await {
        Ok(()) => world.first_violation(),
        Err(error) => Some(
            world
                .first_violation()
                .unwrap_or_else(|| format!("{error:#}")),
        ),
    };
    let trace = world.trace();
    world.close().await?;
    Ok(Outcome { trace, failure })
}

async fn live(world: &Arc<World>, plan: &Plan) -> Result<()> {
    let mut watch = Watch::new(world).await?;
    for (number, action) in plan.actions.iter().enumerate() {
        world.advance(action.after_ms);
        world.line(format!(
            "{number} {:?}{}",
            action.what,
            if action.calm { "" } else { " !" }
        ));
        world.act(action).await?;
        watch.look(world).await?;
        if let Some(violation) = world.first_violation() {
            anyhow::bail!(violation);
        }
    }
    oracles::judge(world, plan, &mut watch).await
}

impl World {
    async fn act(self: &Arc<Self>, action: &Action) -> Result<()> {
        let dice = action.dice;
        let chance = (!action.calm).then(|| Rng::new(dice));
        match action.what {
            What::Edit(device) => self.edit(device, dice).await,
            What::ServerEdit(device) => self.edit_server(self.devices[device].account, dice).await,
            What::Sync(device) => self.drive(device, How::Sync, chance).await,
            What::Push(device) => self.drive(device, How::Push, chance).await,
            What::Pull(device) => self.drive(device, How::Pull, chance).await,
            What::Deliver => self.deliver_old(dice).await,
            What::Clock(device) => {
                self.devices[device].set_ahead(wrong_by(&mut Rng::new(dice)));
                Ok(())
            }
            What::Restart(device) => self.restart(device).await,
            What::AtOnce(device) => self.edit_at_once(device, dice).await,
            What::Expire(device) => {
                self.devices[device].set_expired(true);
                Ok(())
            }
            What::Garbage => self.collect_garbage(dice).await,
            What::ServerClock => {
                self.set_server_ahead(wrong_by(&mut Rng::new(dice)));
                Ok(())
            }
        }
    }

    /// A whole sync with nothing going wrong.
    pub(crate) async fn sync_calmly(self: &Arc<Self>, device: usize) -> Result<()> {
        self.line(format!("   d{device} syncs meanwhile"));
        self.drive(device, How::Sync, None).await
    }

    async fn drive(self: &Arc<Self>, device: usize, how: How, chance: Option<Rng>) -> Result<()> {
        let transport = Arc::new(SimTransport::new(self.clone(), device, chance));
        let engine = self.devices[device].engine()?;
        self.touch(Place::Device(device));
        // On the heap: other devices sync in the middle of this, and more of them in the middle of that.
        let work = Box::pin(async {
            match how {
                How::Sync => engine.sync(&*transport, &|_| {}).await,
                How::Push => engine.push(&*transport, &|_| {}).await,
                How::Pull => engine.pull(&*transport, &|_| {}).await,
            }
        });
        let result = tokio::select! {
            biased;
            result = watched(stop::look(&transport), work) => Some(result),
            () = transport.crashed() => None,
        };
        drop(engine);
        match result {
            None => {
                self.line(format!("   d{device} crashes"));
                self.restart(device).await?;
            }
            Some(Ok(report)) => self.line(format!("   d{device} {report:?}")),
            Some(Err(error)) => {
                self.line(format!("   d{device} fails: {error}"));
                let expired = self.devices[device].expired();
                if !forgivable(&error, transport.was_faulty(), expired) {
                    self.violation(format!("a sync failed by itself: {error:?}"));
                }
                if matches!(error, SyncError::Unauthorized) {
                    self.devices[device].set_expired(false);
                }
            }
        }
        self.link(device).await
    }

    /// A request that was sent before arrives late, or again; nobody waits for its answer.
    pub(crate) async fn deliver_old(&self, dice: u64) -> Result<()> {
        let letter = {
            let mut mail = lock(&self.mail);
            let fresh: Vec<usize> = (0..mail.len()).filter(|&n| !mail[n].delivered).collect();
            let mut rng = Rng::new(dice);
            let number = match rng.pick(&fresh) {
                Some(&number) if rng.percent(70) => number,
                _ => rng.below(mail.len()),
            };
            let Some(letter) = mail.get_mut(number) else {
                return Ok(());
            };
            if !letter.delivered && self.now_ms() - letter.sent_ms > CLOCK_TOLERANCE_MS / 2 {
                self.late.store(true, Ordering::SeqCst);
            }
            letter.delivered = true;
            letter.clone()
        };
        self.touch(Place::Server);
        let answer = self.ways[letter.device].send(letter.request).await?;
        let body = String::from_utf8_lossy(answer.body());
        let what = match answer.status() {
            status if status.is_success() => "taken".to_owned(),
            status => format!("{status} {body}"),
        };
        self.line(format!(
            "   an old push of d{} arrives: {what}",
            letter.device
        ));
        if answer.status().is_server_error() {
            self.violation(format!("the server failed: {what}"));
        }
        Ok(())
    }
}

/// Whether a sync may fail so.
fn forgivable(error: &SyncError, faulty: bool, expired: bool) -> bool {
    if error.code() == Some(ErrorCode::CursorTooOld) {
        // Where only a push was asked for, or the server forgot more in the middle of a pull.
        return true;
    }
    match error {
        SyncError::Unauthorized => expired,
        // The lease of a program that ended runs out by itself.
        SyncError::Busy => true,
        SyncError::Transport(error) => faulty && !error.message.contains("simulation is broken"),
        SyncError::NotASyncServer(_) => faulty,
        // An error page, or a refusal that was cut on its way.
        SyncError::Refused { code, .. } => faulty && code.starts_with("http_"),
        SyncError::Overtaken { .. } => faulty,
        _ => false,
    }
}
