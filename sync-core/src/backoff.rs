//! How long to wait before the next try: a pure function.

use std::time::Duration;

/// The first wait, before jitter.
pub const FIRST: Duration = Duration::from_secs(5);
/// The longest wait, before jitter; also the most that a server's `Retry-After` is heeded for.
pub const LONGEST: Duration = Duration::from_secs(15 * 60);

/// The wait after `failures` failures in a row (from 1), doubled each time, between half and the whole
/// of it by `random` (0 to 1), and never less than the server asked for.
pub fn delay(failures: u32, retry_after: Option<Duration>, random: f64) -> Duration {
    delay_within(FIRST, LONGEST, failures, retry_after, random)
}

/// [`delay`] with another first and another longest wait.
pub fn delay_within(
    first: Duration,
    longest: Duration,
    failures: u32,
    retry_after: Option<Duration>,
    random: f64,
) -> Duration {
    let doubled = first.saturating_mul(1 << failures.saturating_sub(1).min(16));
    let jittered = doubled
        .min(longest)
        .mul_f64(0.5 + random.clamp(0.0, 1.0) / 2.0);
    jittered.max(retry_after.unwrap_or_default().min(longest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rt12_waits_grow_to_a_cap_and_heed_the_server() {
        let secs = |failures, retry_after: Option<u64>, random| {
            delay(failures, retry_after.map(Duration::from_secs), random).as_secs_f64()
        };
        for (failures, retry_after, random, expected) in [
            (1, None, 1.0, 5.0),
            (1, None, 0.0, 2.5),
            (2, None, 1.0, 10.0),
            (8, None, 1.0, 640.0),
            (9, None, 1.0, 900.0),
            (u32::MAX, None, 1.0, 900.0),
            (1, Some(60), 1.0, 60.0),
            (1, Some(1_000_000_000), 0.0, 900.0),
        ] {
            assert_eq!(
                secs(failures, retry_after, random),
                expected,
                "{failures} {retry_after:?} {random}"
            );
        }
    }
}
