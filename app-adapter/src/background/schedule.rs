//! When to sync: told what happens and how late it is, decides whether a sync begins now and when to look
//! again. Pure, so that every case can be tried.

use std::time::Duration;

use super::policy::Policy;

/// Something that makes a sync worth while.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Trigger {
    /// The machine, or the app, woke up.
    Resume,
    /// There is a network again.
    Online,
    /// Somebody wrote the database.
    LocalChange,
    /// The server says that there is something new.
    ServerEvent,
}

/// What the schedule is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Input {
    /// Nothing but that time has passed.
    Tick,
    /// A reason to sync, soon or at once.
    Notify(Trigger),
    /// The user wants a sync now.
    SyncNow,
    /// The sync that was begun has ended.
    Ended(Ending),
    /// Whether the database can be synced.
    Gate(Gate),
}

/// How a sync ended, as far as it matters for the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Well. `edits_left` tells of edits that came too late for it.
    Done { edits_left: bool },
    /// There is no network.
    Offline,
    /// It may go better later.
    Failed {
        /// How long the server asks to wait.
        asked: Option<Duration>,
        /// Whether the way to the server is to blame, so that another network may mend it.
        network: bool,
    },
    /// It will not go better by itself soon: a program has to be updated.
    Hopeless,
    /// Another program is syncing the database.
    Busy,
    /// It cannot go on before somebody does something.
    Stopped(Gate),
}

/// Whether the database can be synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gate {
    Open,
    /// There is no login.
    NotConnected,
    /// The login is not accepted any more.
    LoginNeeded,
    /// Somebody has to say whose rows are right.
    ChoiceNeeded,
}

/// The moment of an input.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Now {
    /// By a clock that never goes back, but may stand still in sleep.
    pub(crate) elapsed: Duration,
    /// By the clock on the wall, which may be put either way, in milliseconds.
    pub(crate) wall_ms: i64,
    /// Chance, 0 to 1.
    pub(crate) random: f64,
}

/// What to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Decision {
    /// Begin a sync now.
    pub(crate) start: bool,
    /// Tell the user, once, that something is wanted of him.
    pub(crate) ask: Option<Gate>,
    /// When the next sync begins if nothing happens; none while one runs, or where none can.
    pub(crate) next: Option<Duration>,
}

/// Triggers of a kind that come in numbers.
#[derive(Clone, Copy, Debug)]
struct Burst {
    first: Duration,
    last: Duration,
}

/// No sync by itself before this.
#[derive(Clone, Copy, Debug)]
struct Hold {
    until: Duration,
    /// A network that comes back ends it.
    network: bool,
}

/// What has happened, as far as it matters.
#[derive(Clone, Debug)]
pub(crate) struct Schedule {
    policy: Policy,
    /// Time since the beginning, sleep included. All others are points of it.
    at: Duration,
    seen: Option<(Duration, i64)>,
    gate: Gate,
    running: bool,
    started: Option<Duration>,
    ended_well: bool,
    failures: u32,
    hold: Option<Hold>,
    by_itself: Duration,
    edits: Option<Burst>,
    hints: Option<Burst>,
    at_once: bool,
    by_user: bool,
}

impl Schedule {
    pub(crate) fn new(policy: Policy, gate: Gate) -> Self {
        Self {
            policy,
            at: Duration::ZERO,
            seen: None,
            gate,
            running: false,
            started: None,
            ended_well: false,
            failures: 0,
            hold: None,
            by_itself: Duration::ZERO,
            edits: None,
            hints: None,
            at_once: false,
            by_user: false,
        }
    }

    /// Takes note of something, and decides.
    pub(crate) fn step(&mut self, now: Now, input: Input) -> Decision {
        if self.pass_time(now) {
            self.want_at_once();
        }
        let mut ask = None;
        match input {
            Input::Tick => {}
            Input::Notify(Trigger::LocalChange) => more(&mut self.edits, self.at),
            Input::Notify(Trigger::ServerEvent) => more(&mut self.hints, self.at),
            Input::Notify(Trigger::Resume | Trigger::Online) => self.want_at_once(),
            // A sync that runs is the one that is wanted.
            Input::SyncNow => self.by_user = !self.running,
            Input::Ended(ending) => ask = self.end(ending, now.random),
            Input::Gate(gate) => ask = self.pass(gate),
        }
        Decision {
            ask,
            ..self.decide()
        }
    }

    /// Failures in a row.
    pub(crate) fn failures(&self) -> u32 {
        self.failures
    }

    /// Whether the machine has slept. Either clock may have stood still or been put meanwhile, so the one
    /// that went further is believed: at worst there is one sync too many.
    fn pass_time(&mut self, now: Now) -> bool {
        let (elapsed, wall_ms) = self.seen.unwrap_or((now.elapsed, now.wall_ms));
        let on_wall = u64::try_from(now.wall_ms.saturating_sub(wall_ms)).unwrap_or(0);
        let passed = now
            .elapsed
            .saturating_sub(elapsed)
            .max(Duration::from_millis(on_wall));
        self.seen = Some((now.elapsed, now.wall_ms));
        self.at += passed;
        passed >= self.policy.sleep
    }

    fn want_at_once(&mut self) {
        let covered = self.ended_well
            && self
                .started
                .is_some_and(|started| self.at - started < self.policy.covers);
        if self.running || !covered {
            self.at_once = true;
        }
        if self.hold.is_some_and(|hold| hold.network) {
            self.hold = None;
        }
    }

    fn end(&mut self, ending: Ending, random: f64) -> Option<Gate> {
        self.running = false;
        self.ended_well = matches!(ending, Ending::Done { .. });
        match ending {
            Ending::Done { edits_left } => {
                let gate = self.pass(Gate::Open);
                (self.failures, self.hold, self.at_once) = (0, None, false);
                self.edits = None;
                if edits_left {
                    more(&mut self.edits, self.at);
                }
                self.by_itself = self.at + self.policy.jittered_interval(random);
                return gate;
            }
            Ending::Offline => {
                let wait = self
                    .next_wait(None, random)
                    .min(self.policy.longest_offline);
                self.hold_for(wait, true);
            }
            Ending::Failed { asked, network } => {
                let wait = self.next_wait(asked, random);
                // What a server asks for does not end with another network.
                self.hold_for(wait, network && asked.is_none());
            }
            Ending::Hopeless => {
                self.failures = self.failures.saturating_add(1);
                let wait = self.policy.wait(u32::MAX, None, random);
                self.hold_for(wait, false);
            }
            Ending::Busy => self.hold_for(self.policy.busy_wait, false),
            Ending::Stopped(gate) => return self.pass(gate),
        }
        // A network that came while this sync still tried without.
        if self.at_once && self.hold.is_some_and(|hold| hold.network) {
            self.hold = None;
        }
        None
    }

    fn next_wait(&mut self, asked: Option<Duration>, random: f64) -> Duration {
        self.failures = self.failures.saturating_add(1);
        self.policy.wait(self.failures, asked, random)
    }

    fn hold_for(&mut self, wait: Duration, network: bool) {
        let until = self.at + wait;
        self.hold = Some(Hold { until, network });
        self.by_itself = until;
    }

    /// Tells what to ask the user for, at the first time only.
    fn pass(&mut self, gate: Gate) -> Option<Gate> {
        if gate == self.gate {
            return None;
        }
        self.gate = gate;
        match gate {
            Gate::Open => {
                (self.failures, self.hold, self.at_once) = (0, None, true);
                None
            }
            Gate::NotConnected => None,
            Gate::LoginNeeded | Gate::ChoiceNeeded => Some(gate),
        }
    }

    fn decide(&mut self) -> Decision {
        if self.running {
            return Decision::default();
        }
        let Some(next) = self.next() else {
            return Decision::default();
        };
        if next > self.at {
            return Decision {
                next: Some(next - self.at),
                ..Decision::default()
            };
        }
        (self.running, self.started) = (true, Some(self.at));
        (self.edits, self.hints, self.hold) = (None, None, None);
        (self.at_once, self.by_user) = (false, false);
        Decision {
            start: true,
            ..Decision::default()
        }
    }

    /// When the next sync begins.
    fn next(&self) -> Option<Duration> {
        let breath = self
            .started
            .map_or(Duration::ZERO, |started| started + self.policy.breath);
        if self.by_user {
            return Some(breath);
        }
        if self.gate != Gate::Open {
            return None;
        }
        let Policy {
            edits_settle,
            edits_wait,
            hints_settle,
            hints_wait,
            ..
        } = self.policy;
        let mut wanted = self.by_itself;
        if self.at_once {
            wanted = self.at;
        }
        for (burst, settle, wait) in [
            (self.edits, edits_settle, edits_wait),
            (self.hints, hints_settle, hints_wait),
        ] {
            if let Some(Burst { first, last }) = burst {
                wanted = wanted.min((last + settle).min(first + wait));
            }
        }
        let held = self.hold.map_or(Duration::ZERO, |hold| hold.until);
        Some(wanted.max(held).max(breath))
    }
}

fn more(burst: &mut Option<Burst>, at: Duration) {
    let first = burst.map_or(at, |burst| burst.first);
    *burst = Some(Burst { first, last: at });
}

#[cfg(test)]
mod tests;
