//! Does what the schedule decides: runs syncs, watches the database, tells how things stand.

use std::{sync::Arc, time::Duration};

use sync_core::{SyncError, SyncEvent, SyncReport, protocol::ErrorCode};
use tokio::{
    sync::{broadcast, mpsc, oneshot, watch},
    task::JoinHandle,
};

use super::{
    look::Look,
    schedule::{Decision, Ending, Gate, Input, Now, Schedule, Trigger},
    status::{Activity, Change, Event, Problem, SyncStatus},
};
use crate::{Adapter, AdapterError, Overview, Standing};

/// What the handle asks of the job.
pub(super) enum Command {
    Notify(Trigger),
    SyncNow(Waiting),
    Refresh(oneshot::Sender<()>),
    /// The server's feed ends there.
    Hint(String),
    Stop,
}

type Ended = Result<SyncReport, AdapterError>;
/// Somebody who wants to know how a sync ends.
type Waiting = oneshot::Sender<Result<SyncReport, Arc<AdapterError>>>;

/// What the job works on. Lives on when the job itself has to be started anew.
#[derive(Clone)]
pub(super) struct Driver {
    pub(super) adapter: Adapter,
    pub(super) status: watch::Sender<SyncStatus>,
    pub(super) events: broadcast::Sender<Event>,
}

/// One life of the job.
struct Job<'a> {
    driver: &'a Driver,
    schedule: Schedule,
    look: Look,
    /// By the timer; commands that keep coming must not put it off.
    next_look: Duration,
    running: Option<JoinHandle<Ended>>,
    waiting: Vec<Waiting>,
    hinted: Option<String>,
    stopping: bool,
}

/// Runs the job until it is told to stop. If it panics, that is told, and it is started again after a wait.
pub(super) async fn supervise(driver: Driver, orders: mpsc::UnboundedReceiver<Command>) {
    let orders = Arc::new(tokio::sync::Mutex::new(orders));
    let mut n_panics = 0;
    loop {
        let (life, orders) = (driver.clone(), orders.clone());
        let life = tokio::spawn(async move {
            let mut orders = orders.lock().await;
            Job::new(&life).run(&mut orders).await;
        });
        match life.await {
            Err(error) if error.is_panic() => n_panics += 1,
            _ => break,
        }
        driver.failed(&AdapterError::Panicked, n_panics);
        let wait = driver.adapter.policy().wait(n_panics, None, rand::random());
        driver.adapter.timer().sleep(wait).await;
    }
    driver
        .status
        .send_modify(|status| status.activity = Activity::Stopped);
}

impl Driver {
    /// Tells of a failure.
    fn failed(&self, error: &AdapterError, n_failures: u32) {
        let problem = Problem::of(error);
        tracing::warn!(code = problem.code, "the sync failed: {}", problem.message);
        self.status.send_modify(|status| {
            status.activity = Activity::Idle;
            status.problem = Some(problem.clone());
            status.n_failures = n_failures;
        });
        // Nobody may be listening.
        let _ = self.events.send(Event::Failed(problem));
    }

    fn observe(&self, event: SyncEvent) {
        self.status
            .send_if_modified(|status| status.activity.follow(&event));
        let _ = self.events.send(Event::Sync(event));
    }
}

impl<'a> Job<'a> {
    fn new(driver: &'a Driver) -> Self {
        Self {
            driver,
            schedule: Schedule::new(driver.adapter.policy(), Gate::NotConnected),
            look: Look::default(),
            next_look: Duration::ZERO,
            running: None,
            waiting: Vec::new(),
            hinted: None,
            stopping: false,
        }
    }

    async fn run(&mut self, orders: &mut mpsc::UnboundedReceiver<Command>) {
        self.look_around().await;
        // What is found at the beginning is news, too.
        let mut decision = self.refresh().await;
        while !(self.stopping && self.running.is_none()) {
            let timer = self.driver.adapter.timer();
            let until_look = self.next_look.saturating_sub(timer.elapsed());
            let wait = decision.next.unwrap_or(until_look).min(until_look);
            decision = tokio::select! {
                order = orders.recv() => self.obey(order.unwrap_or(Command::Stop)).await,
                ended = ended(&mut self.running) => self.end(ended).await,
                () = timer.sleep(wait.max(Duration::from_millis(1))) => self.tick().await,
            };
        }
    }

    async fn obey(&mut self, command: Command) -> Decision {
        match command {
            Command::Notify(trigger) => self.step(Input::Notify(trigger)),
            Command::SyncNow(waiting) if self.stopping => {
                let _ = waiting.send(Err(Arc::new(AdapterError::Stopped)));
                Decision::default()
            }
            Command::SyncNow(waiting) => {
                self.waiting.push(waiting);
                self.step(Input::SyncNow)
            }
            Command::Refresh(done) => {
                let decision = self.refresh().await;
                let _ = done.send(());
                decision
            }
            Command::Hint(head) => {
                self.hinted = Some(head);
                self.heed_hint().await
            }
            Command::Stop => {
                self.stopping = true;
                Decision::default()
            }
        }
    }

    /// A hint is worth a sync if it tells of more than the last one has brought. While one runs, nobody knows.
    async fn heed_hint(&mut self) -> Decision {
        if self.running.is_some() {
            return Decision::default();
        }
        let Some(head) = self.hinted.take() else {
            return self.step(Input::Tick);
        };
        match self.driver.adapter.device().state().await {
            Ok(state) if state.cursor.as_ref() == Some(&head) => self.step(Input::Tick),
            _ => self.step(Input::Notify(Trigger::ServerEvent)),
        }
    }

    async fn tick(&mut self) -> Decision {
        let now = self.driver.adapter.timer().elapsed();
        if self.running.is_some() {
            // A sync looks by itself, and the database is busy with it.
            self.next_look = now + self.driver.adapter.policy().look;
        } else if now >= self.next_look {
            self.look_around().await;
        }
        self.step(Input::Tick)
    }

    /// Looks whether somebody wrote the database.
    async fn look_around(&mut self) {
        let adapter = &self.driver.adapter;
        self.next_look = adapter.timer().elapsed() + adapter.policy().look;
        let device = adapter.device();
        let seen = match self.look.look(device.db()).await {
            Ok(seen) => seen,
            // The next sync will tell.
            Err(error) => return tracing::debug!(%error, "the database cannot be looked at"),
        };
        if seen.written {
            self.refresh().await;
        }
        if seen.edited && device.anything_to_push().await.unwrap_or(true) {
            self.step(Input::Notify(Trigger::LocalChange));
        }
    }

    /// Has the status tell what the database says.
    async fn refresh(&mut self) -> Decision {
        match self.driver.adapter.overview().await {
            Ok(overview) => {
                let gate = gate(&overview);
                self.driver.status.send_if_modified(|status| {
                    let is_new = status.overview != overview;
                    // A new login, a choice, or another program's sync has done away with it.
                    let had = status.overview.status.last_error.is_some();
                    if had && overview.status.last_error.is_none() {
                        status.problem = None;
                    }
                    status.overview = overview;
                    is_new
                });
                self.step(Input::Gate(gate))
            }
            Err(error) => {
                tracing::warn!(%error, "the database cannot be asked how things stand");
                self.step(Input::Tick)
            }
        }
    }

    async fn end(&mut self, ended: Ended) -> Decision {
        let ending = ending(&ended, self.edits_left().await.unwrap_or(false));
        let overview = self.driver.adapter.overview().await;
        let gate = overview.as_ref().ok().map(gate);
        // All at once, and before anybody is answered: who asks then finds it so.
        self.tell(&ended, ending, overview.ok());
        let waiting = std::mem::take(&mut self.waiting);
        let mut decision = self.step(Input::Ended(ending));
        if let Some(gate) = gate {
            // A login that ended is seen in the database as well.
            decision = self.step(Input::Gate(gate));
        }
        let ended = ended.map_err(Arc::new);
        for waiting in waiting {
            let _ = waiting.send(ended.clone());
        }
        match self.hinted {
            Some(_) => self.heed_hint().await,
            None => decision,
        }
    }

    /// Whether a sync that has ended left edits that another one would send.
    async fn edits_left(&mut self) -> Result<bool, SyncError> {
        let device = self.driver.adapter.device();
        let is_other = self.look.look_after_sync(device.db()).await?;
        Ok(is_other && device.anything_to_push().await?)
    }

    /// Tells how a sync ended.
    fn tell(&self, ended: &Ended, ending: Ending, overview: Option<Overview>) {
        let at_ms = self.driver.adapter.clock().now_ms();
        self.driver.status.send_modify(|status| {
            if let Some(overview) = overview {
                status.overview = overview;
            }
            status.activity = Activity::Idle;
            status.n_syncs += 1;
            status.is_offline = ending == Ending::Offline;
            if let Ok(report) = ended {
                (status.problem, status.n_failures) = (None, 0);
                if report.n_pushed + report.n_pulled > 0 {
                    status.last_change = Some(Change {
                        report: *report,
                        at_ms,
                    });
                }
            }
        });
        match (ended, ending) {
            (Ok(_), _) | (_, Ending::Stopped(Gate::NotConnected)) => {}
            (Err(_), Ending::Offline) => tracing::debug!("offline"),
            (Err(AdapterError::Sync(SyncError::Busy)), _) => {
                tracing::debug!("another program is syncing this database");
            }
            (Err(error), _) => self
                .driver
                .failed(error, self.schedule.failures().saturating_add(1)),
        }
    }

    fn step(&mut self, input: Input) -> Decision {
        let adapter = &self.driver.adapter;
        let now = Now {
            elapsed: adapter.timer().elapsed(),
            wall_ms: adapter.clock().now_ms(),
            random: rand::random(),
        };
        let decision = self.schedule.step(now, input);
        match decision.ask {
            Some(Gate::LoginNeeded) => drop(self.driver.events.send(Event::NeedsLogin)),
            Some(Gate::ChoiceNeeded) => drop(self.driver.events.send(Event::NeedsChoice)),
            _ => {}
        }
        let next = decision.next.map(|next| {
            let next = i64::try_from(next.as_millis()).unwrap_or(i64::MAX);
            now.wall_ms.saturating_add(next)
        });
        self.driver.status.send_if_modified(|status| {
            let is_new = status.next_sync_ms.is_some() != next.is_some();
            status.next_sync_ms = next;
            is_new
        });
        if decision.start && !self.stopping {
            self.start();
        }
        decision
    }

    /// In a task of its own: it goes on while this one listens, and its panic is its own.
    fn start(&mut self) {
        let driver = self.driver.clone();
        driver
            .status
            .send_modify(|status| status.activity = Activity::BEGUN);
        self.running = Some(tokio::spawn(async move {
            let observe = |event| driver.observe(event);
            Box::pin(driver.adapter.sync(&observe)).await
        }));
    }
}

/// How the sync ended, once it has. One that panicked has failed.
async fn ended(running: &mut Option<JoinHandle<Ended>>) -> Ended {
    let Some(task) = running else {
        return std::future::pending().await;
    };
    let ended = task.await;
    *running = None;
    ended.unwrap_or(Err(AdapterError::Panicked))
}

/// Whether the database can be synced.
fn gate(overview: &Overview) -> Gate {
    let code = overview.status.last_error_code.as_deref();
    match overview.state {
        Standing::NotConnected => Gate::NotConnected,
        Standing::LoginNeeded => Gate::LoginNeeded,
        _ if code.is_some_and(needs_choice) => Gate::ChoiceNeeded,
        _ => Gate::Open,
    }
}

/// Whether what is kept of the last error asks for a choice.
pub(crate) fn needs_choice(code: &str) -> bool {
    code == "mass_deletion"
        || matches!(
            ErrorCode::parse(code),
            Some(ErrorCode::EpochChanged | ErrorCode::CursorAhead)
        )
}

fn ending(ended: &Ended, edits_left: bool) -> Ending {
    let error = match ended {
        Ok(_) => return Ending::Done { edits_left },
        Err(AdapterError::LoginUnreadable) => return Ending::Stopped(Gate::LoginNeeded),
        Err(AdapterError::Sync(error)) => error,
        Err(_) => {
            return Ending::Failed {
                asked: None,
                network: false,
            };
        }
    };
    match error {
        SyncError::Unauthorized => Ending::Stopped(Gate::LoginNeeded),
        SyncError::NotConnected => Ending::Stopped(Gate::NotConnected),
        SyncError::Busy => Ending::Busy,
        error if error.needs_choice() => Ending::Stopped(Gate::ChoiceNeeded),
        error if error.is_offline() => Ending::Offline,
        error if error.is_retryable() => Ending::Failed {
            asked: error.retry_after(),
            network: matches!(
                error,
                SyncError::Transport(_) | SyncError::NotASyncServer(_)
            ),
        },
        _ => Ending::Hopeless,
    }
}
