//! How often, how soon and how patiently the background job syncs.

use std::time::Duration;

use sync_core::backoff;

/// The times that the background job keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Policy {
    /// Between two syncs when nothing else happens; a tenth more or less by chance, so that devices which
    /// began together do not come together for ever.
    pub interval: Duration,
    /// How long no edit may have come before edits are sent.
    pub edits_settle: Duration,
    /// How long edits wait at most while more of them come.
    pub edits_wait: Duration,
    /// The same two for hints of the server.
    pub hints_settle: Duration,
    /// How long hints wait at most while more of them come.
    pub hints_wait: Duration,
    /// From the beginning of one sync to that of the next at the least, whoever asks.
    pub breath: Duration,
    /// How long after its beginning a sync that ended well answers a wake-up or a network that came back.
    pub covers: Duration,
    /// The first wait after a failure, doubled with each further one.
    pub first_wait: Duration,
    /// The longest wait after failures, and the most that a server's `Retry-After` is heeded for.
    pub longest_wait: Duration,
    /// The longest wait where there is no network: to try costs nothing, and nobody may tell of its return.
    pub longest_offline: Duration,
    /// How long to wait where another program is syncing the database.
    pub busy_wait: Duration,
    /// Time that passed unseen is sleep from here on.
    pub sleep: Duration,
    /// How often to look whether somebody has written the database.
    pub look: Duration,
}

impl Default for Policy {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self {
            interval: seconds(5 * 60),
            edits_settle: seconds(2),
            edits_wait: seconds(15),
            hints_settle: Duration::from_millis(300),
            hints_wait: seconds(3),
            breath: seconds(1),
            covers: seconds(10),
            first_wait: backoff::FIRST,
            longest_wait: backoff::LONGEST,
            longest_offline: seconds(60),
            busy_wait: seconds(5),
            sleep: seconds(60),
            look: seconds(2),
        }
    }
}

impl Policy {
    /// The interval, made longer or shorter by chance (0 to 1).
    pub(crate) fn jittered_interval(&self, random: f64) -> Duration {
        self.interval.mul_f64(0.9 + random.clamp(0.0, 1.0) / 5.0)
    }

    /// The wait after so many failures in a row.
    pub(crate) fn wait(&self, failures: u32, asked: Option<Duration>, random: f64) -> Duration {
        backoff::delay_within(self.first_wait, self.longest_wait, failures, asked, random)
    }
}
