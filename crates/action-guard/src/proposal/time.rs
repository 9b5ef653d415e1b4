//! Times, as records and attempts count them.

use std::time::Duration;

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

/// To the millisecond, as it is shown.
pub(crate) fn now() -> Timestamp {
    let now = Timestamp::now();
    Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
}
