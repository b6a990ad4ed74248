//! What is to happen in a run, made from a seed beforehand, so that parts of it can be left out.

use super::{
    options::{Options, SMALL},
    rng::Rng,
};
use crate::device::BatchLimits;

/// A whole run.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) devices: Vec<DevicePlan>,
    pub(crate) actions: Vec<Action>,
    pub(crate) clocks: Clocks,
}

/// How far the devices' clocks can be trusted, and so what can be said of which edit has to win.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Clocks {
    /// Every clock shows the true time: the latest edit wins.
    True,
    /// Each is wrong by as much all the time: an edit wins over what it was made on.
    Skewed,
    /// They jump.
    Jumping,
}

#[derive(Clone, Debug)]
pub(crate) struct DevicePlan {
    /// The number of its account.
    pub(crate) account: usize,
    /// How far its clock is ahead, in milliseconds.
    pub(crate) ahead_ms: i64,
    pub(crate) limits: BatchLimits,
}

/// One thing that happens; its details follow from `dice` and from what is there when it happens.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Action {
    pub(crate) what: What,
    pub(crate) dice: u64,
    /// How much time passes before it, in milliseconds.
    pub(crate) after_ms: i64,
    /// Whether the network does what it should while it happens.
    pub(crate) calm: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// The user of this device writes.
    Edit(usize),
    /// Somebody writes rows of this device's account on the server.
    ServerEdit(usize),
    Sync(usize),
    Push(usize),
    Pull(usize),
    /// A request that was sent before arrives late, or again.
    Deliver,
    /// This device's clock jumps.
    Clock(usize),
    /// This device's program ends and starts again.
    Restart(usize),
    /// This device's user and that of another one change the same thing at the same moment.
    AtOnce(usize),
    /// What this device logged in with is no longer good.
    Expire(usize),
    /// The server forgets what was deleted long enough ago.
    Garbage,
    /// The server's clock jumps.
    ServerClock,
}

/// How many accounts share the server.
pub(crate) const N_ACCOUNTS: usize = 2;

impl Plan {
    pub(crate) fn new(seed: u64, options: &Options) -> Self {
        let mut rng = Rng::new(seed);
        let clocks = match rng.below(10) {
            _ if !options.wrong_clocks => Clocks::True,
            0..4 => Clocks::True,
            4..7 => Clocks::Skewed,
            _ => Clocks::Jumping,
        };
        let n_devices = 2 + rng.below(4);
        let devices = (0..n_devices)
            .map(|number| device(&mut rng, number, clocks))
            .collect();
        let n_actions = options.n_actions / 2 + rng.below(options.n_actions);
        let actions = (0..n_actions)
            .map(|_| action(&mut rng, n_devices, clocks, options))
            .collect();
        Self {
            devices,
            actions,
            clocks,
        }
    }
}

fn device(rng: &mut Rng, number: usize, clocks: Clocks) -> DevicePlan {
    let ahead_ms = if clocks == Clocks::True {
        0
    } else {
        wrong_by(rng)
    };
    DevicePlan {
        // Two of the first account at least: one device alone has nobody to converge with.
        account: if number < 2 || rng.percent(60) { 0 } else { 1 },
        ahead_ms,
        limits: if rng.percent(60) {
            SMALL
        } else {
            BatchLimits::default()
        },
    }
}

/// How far a clock is off: rightly set, slightly off, a time zone, years.
pub(crate) fn wrong_by(rng: &mut Rng) -> i64 {
    let most = [0, 300, 4_000, 60_000, 7_200_000, 40_000_000_000];
    let most = most[rng.below(most.len())];
    rng.between(-most, most)
}

fn action(rng: &mut Rng, n_devices: usize, clocks: Clocks, options: &Options) -> Action {
    let device = rng.below(n_devices);
    let mut weights = vec![
        (50, What::Edit(device)),
        (22, What::Sync(device)),
        (6, What::Push(device)),
        (6, What::Pull(device)),
        (3, What::AtOnce(device)),
    ];
    if options.server_edits {
        weights.push((6, What::ServerEdit(device)));
    }
    if options.faults {
        weights.push((5, What::Deliver));
        weights.push((2, What::Restart(device)));
        weights.push((2, What::Expire(device)));
    }
    if options.garbage {
        weights.push((3, What::Garbage));
    }
    if clocks == Clocks::Jumping {
        weights.push((3, What::Clock(device)));
        weights.push((1, What::ServerClock));
    }
    let what = rng.weighted(&weights).unwrap_or(What::Sync(device));
    // Now and then enough time for a lease to run out.
    let after_ms = if rng.percent(10) {
        125_000
    } else {
        rng.between(2, 3_000)
    };
    let calm = !options.faults || rng.percent(40);
    Action {
        what,
        dice: rng.next(),
        after_ms,
        calm,
    }
}
