//! How long to wait before something is tried or looked at again.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::time::Duration;

use action_core::{DurationText, Retry};
use backon::{BackoffBuilder as _, ExponentialBackoff, ExponentialBuilder};

/// Of the first wait between two observations, the longest.
const LONGEST_POLLS: u32 = 8;

/// The wait before something is tried again that was tried so often: doubling, with jitter. The
/// same for the same try, so that whoever asks gets the same answer.
pub(crate) fn before_retry(retry: Retry, tried: u32, flow: &str, step: &str) -> Duration {
    let mut hasher = DefaultHasher::new();
    (flow, step, tried).hash(&mut hasher);
    let longest = retry.longest.duration();
    let before = usize::try_from(tried.saturating_sub(1)).unwrap_or(usize::MAX);
    let mut waits = ExponentialBuilder::new()
        .with_min_delay(retry.first.duration())
        .with_max_delay(longest)
        .without_max_times()
        .with_jitter()
        .with_jitter_seed(hasher.finish())
        .build();
    waits.nth(before).unwrap_or(longest)
}

/// The waits between observations.
pub(crate) fn between_looks(poll: DurationText) -> ExponentialBackoff {
    let poll = poll.duration();
    ExponentialBuilder::new()
        .with_factor(1.5)
        .with_min_delay(poll)
        .with_max_delay(poll.saturating_mul(LONGEST_POLLS))
        .without_max_times()
        .with_jitter()
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_differ_and_are_the_same_when_asked_again() {
        let retry = Retry::times(8);
        let wait = |tried, step| before_retry(retry, tried, "a-flow", step);
        for tried in 1..=8 {
            let base = Duration::from_secs(1 << (tried - 1)).min(Duration::from_mins(1));
            let waited = wait(tried, "drain");
            assert!(waited >= base && waited <= base * 2, "{tried}: {waited:?}");
            assert_eq!(waited, wait(tried, "drain"));
            assert_ne!(waited, wait(tried, "stop"));
        }
    }

    #[test]
    fn looks_get_rarer_to_a_bound() {
        let mut waits = between_looks(DurationText::from_secs(1));
        let first = waits.next().unwrap();
        assert!(first >= Duration::from_secs(1) && first <= Duration::from_secs(2));
        let late = waits.nth(50).unwrap();
        assert!(late >= Duration::from_secs(8) && late <= Duration::from_secs(16));
    }
}
