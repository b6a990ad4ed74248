//! How many attempts may be made: a number at once, and then one each so often.
//!
//! All that is kept of earlier attempts is one time, at which they will have been paid for by waiting
//! (the generic cell rate algorithm). So a limit is one number in one row, and nobody has to tidy it.

/// The pace at which something may be tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pace {
    burst: i64,
    pub(crate) every_ms: i64,
}

impl Pace {
    /// `burst` attempts at once, and one more each `every_ms`.
    pub(crate) const fn new(burst: i64, every_ms: i64) -> Self {
        Self { burst, every_ms }
    }

    /// How far ahead of now the paying may lie.
    pub(crate) fn depth_ms(self) -> i64 {
        self.burst * self.every_ms
    }

    /// How long the next attempt has to wait; 0 if it may be made. `due_ms` is when earlier attempts
    /// are paid for.
    ///
    /// A time further ahead than can be is that of a clock which was wrong, and is not believed.
    pub(crate) fn wait_ms(self, due_ms: Option<i64>, now_ms: i64) -> i64 {
        let believed = now_ms..=now_ms.saturating_add(self.depth_ms());
        let due_ms = due_ms
            .filter(|due| believed.contains(due))
            .unwrap_or(now_ms);
        self.over_ms(due_ms.saturating_add(self.every_ms), now_ms)
    }

    /// By how much an attempt came too early, after which all are paid for at `due_ms`.
    pub(crate) fn over_ms(self, due_ms: i64, now_ms: i64) -> i64 {
        due_ms
            .saturating_sub(now_ms.saturating_add(self.depth_ms()))
            .max(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_767_225_600_000;
    const PACE: Pace = Pace::new(3, 1_000);

    #[test]
    fn an_attempt_waits_for_those_before_it() {
        for (due, wait) in [
            (None, 0),
            (Some(NOW - 1), 0),
            (Some(NOW), 0),
            (Some(NOW + 2_000), 0),
            (Some(NOW + 2_001), 1),
            (Some(NOW + 3_000), 1_000),
            // Nothing can have been charged so far ahead: a clock was wrong.
            (Some(NOW + 3_001), 0),
            (Some(i64::MAX), 0),
            (Some(i64::MIN), 0),
        ] {
            assert_eq!(PACE.wait_ms(due, NOW), wait, "{due:?}");
        }
    }

    #[test]
    fn a_burst_and_then_the_pace() {
        let mut due = None;
        let mut allowed_at = Vec::new();
        for now in (NOW..NOW + 5_000).step_by(100) {
            if PACE.wait_ms(due, now) == 0 {
                due = Some(due.unwrap_or(now).max(now) + PACE.every_ms);
                allowed_at.push(now - NOW);
            }
        }
        assert_eq!(allowed_at, [0, 100, 200, 1_000, 2_000, 3_000, 4_000]);
    }
}
