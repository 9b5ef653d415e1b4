//! Times, as records and attempts count them.

use std::time::{Duration, SystemTime};

use jiff::{SignedDuration, Timestamp};

/// So long after a time.
pub(crate) fn after(at: Timestamp, wait: Duration) -> Timestamp {
    let wait = SignedDuration::try_from(wait).unwrap_or(SignedDuration::MAX);
    at.saturating_add(wait).unwrap_or(Timestamp::MAX)
}

/// Milliseconds after 1970.
pub(crate) fn unix_ms(at: Timestamp) -> u64 {
    u64::try_from(at.as_millisecond()).unwrap_or(0)
}

/// Milliseconds from one time to another; 0 when it is not later.
pub(crate) fn between_ms(from: Timestamp, to: Timestamp) -> u64 {
    unix_ms(to).saturating_sub(unix_ms(from))
}

/// How long ago something was at most on its way, when we learn of it only now.
pub(crate) fn elapsed_since(last_on_its_way: Option<Timestamp>, now: Timestamp) -> u64 {
    last_on_its_way.map_or(0, |at| between_ms(at, now))
}

/// What the clock shows, as far as a time can be written: not beyond the year 9999.
pub(crate) fn clock() -> Timestamp {
    written(SystemTime::now())
}

fn written(shown: SystemTime) -> Timestamp {
    Timestamp::try_from(shown).unwrap_or(match shown < SystemTime::UNIX_EPOCH {
        true => Timestamp::MIN,
        false => Timestamp::MAX,
    })
}

/// To the millisecond, as it is shown.
pub(crate) fn now() -> Timestamp {
    let now = clock();
    Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_beyond_what_can_be_written_is_no_panic() {
        let years = |count: u64| Duration::from_hours(24 * 366 * count);
        let late = SystemTime::UNIX_EPOCH + years(9_000);
        assert_eq!(written(late), Timestamp::MAX);
        let early = SystemTime::UNIX_EPOCH - years(20_000);
        assert_eq!(written(early), Timestamp::MIN);
        assert_eq!(written(SystemTime::UNIX_EPOCH), Timestamp::UNIX_EPOCH);
    }

    #[test]
    fn what_is_to_come_was_not_any_time_ago() {
        let at = |ms| Timestamp::from_millisecond(ms).unwrap();
        for (from, to, expected) in [(1_000, 1_007, 7), (1_000, 1_000, 0), (1_007, 1_000, 0)] {
            assert_eq!(between_ms(at(from), at(to)), expected);
            assert_eq!(elapsed_since(Some(at(from)), at(to)), expected);
        }
        assert_eq!(elapsed_since(None, at(1_000)), 0);
    }
}
