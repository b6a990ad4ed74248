//! Times as people say them.

use chrono::{DateTime, Local, SecondsFormat};
use maud::{Markup, html};

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
/// Nothing was synced before 2001: a clock that says so had not been set.
const NOT_SET_BEFORE_MS: i64 = 978_307_200_000;

/// A time in words, with the exact one for machines and for whoever points at it.
pub(super) fn time(ms: i64, now_ms: i64) -> Markup {
    let time = DateTime::from_timestamp_millis(ms).unwrap_or_default();
    let exact = time.to_rfc3339_opts(SecondsFormat::Secs, true);
    let here = time.with_timezone(&Local).format("%-d %B %Y, %H:%M:%S");
    html! { time datetime=(exact) title=(here) { (words(ms, now_ms)) } }
}

fn words(ms: i64, now_ms: i64) -> String {
    if ms < NOT_SET_BEFORE_MS {
        return "an unknown time ago".to_owned();
    }
    let seconds = now_ms.saturating_sub(ms) / 1_000;
    let several = |n: i64, unit: &str| format!("{n} {unit}{}", if n == 1 { "" } else { "s" });
    let distance = match seconds.abs() {
        0..45 => {
            return if seconds >= 0 {
                "just now"
            } else {
                "in a moment"
            }
            .to_owned();
        }
        s if s < 90 => several(1, "minute"),
        s if s < HOUR => several((s + 30) / MINUTE, "minute"),
        s if s < DAY => several((s + HOUR / 2) / HOUR, "hour"),
        s => several((s + DAY / 2) / DAY, "day"),
    };
    if seconds >= 0 {
        format!("{distance} ago")
    } else {
        format!("in {distance}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON_MS: i64 = 1_767_268_800_000;

    #[test]
    fn a_time_that_no_clock_was_set_for_is_not_counted_in_days() {
        for ms in [0, -1, 3_600_000, i64::MIN] {
            assert_eq!(words(ms, NOON_MS), "an unknown time ago", "{ms}");
        }
    }

    #[test]
    fn distances_have_words() {
        for (seconds, expected) in [
            (0, "just now"),
            (44, "just now"),
            (60, "1 minute ago"),
            (150, "3 minutes ago"),
            (3_600, "1 hour ago"),
            (7_300, "2 hours ago"),
            (86_400, "1 day ago"),
            (800_000, "9 days ago"),
            (-10, "in a moment"),
            (-300, "in 5 minutes"),
        ] {
            assert_eq!(
                words(NOON_MS, NOON_MS + seconds * 1_000),
                expected,
                "{seconds}"
            );
        }
    }

    #[test]
    fn the_exact_time_is_there_for_machines() {
        let html = time(1_767_323_045_678, 1_767_323_045_678).into_string();
        assert!(html.contains("datetime=\"2026-01-02T03:04:05Z\""), "{html}");
        time(i64::MAX, i64::MIN);
    }
}
