//! How long an answer may take.

use std::time::Duration;

/// A server that sends a byte now and then is never silent, and never done.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// How long nothing may come.
    pub(super) silence: Duration,
    /// How long an answer may take whose bytes come too slowly.
    grace: Duration,
    /// Bytes a second that are not too slow: what the poorest mobile line brings.
    slowest: u32,
    /// How long any answer may take.
    whole: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            silence: Duration::from_secs(60),
            grace: Duration::from_secs(60),
            slowest: 512,
            whole: Duration::from_secs(15 * 60),
        }
    }
}

impl Patience {
    /// How long after its beginning an answer of which so much has come may still go on.
    pub(super) fn until(&self, n_bytes: usize) -> Duration {
        let earned = u32::try_from(n_bytes).unwrap_or(u32::MAX);
        let earned = Duration::from_secs(1) * earned / self.slowest;
        (self.grace + earned).min(self.whole)
    }

    /// The same, so much shorter.
    #[cfg(test)]
    pub(super) fn short(grace: Duration) -> Self {
        Self {
            grace,
            ..Self::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn l15_bytes_earn_time_up_to_a_bound() {
        let patience = Patience::default();
        for (n_bytes, seconds) in [
            (0, 60),
            (6, 60),
            (512, 61),
            (51_200, 160),
            (64 << 20, 900),
            (usize::MAX, 900),
        ] {
            assert_eq!(patience.until(n_bytes).as_secs(), seconds, "{n_bytes}");
        }
    }
}
