//! Durations as people write them: `90s`, `10m`, `1h30m`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How long, as people write it: `90s`, `10m`, `1h30m`; units are `ms`, `s`, `m`, `h` and `d`.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct DurationText {
    ms: u64,
}

/// From the longest to the shortest.
const UNITS: [(&str, u64); 5] = [
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];

/// Text that is not a duration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid duration `{0}`: use 90s, 15m or 1h30m, at most 366d")]
pub struct InvalidDuration(String);

/// A year: whoever means longer means something else.
const LONGEST_MS: u64 = 366 * 86_400_000;

impl DurationText {
    /// So many milliseconds, at most 366 days.
    #[must_use]
    pub const fn from_millis(ms: u64) -> Self {
        Self {
            ms: if ms > LONGEST_MS { LONGEST_MS } else { ms },
        }
    }

    /// So many seconds, at most 366 days.
    #[must_use]
    pub const fn from_secs(seconds: u64) -> Self {
        Self::from_millis(seconds.saturating_mul(1_000))
    }

    /// So many minutes, at most 366 days.
    #[must_use]
    pub const fn from_mins(minutes: u64) -> Self {
        Self::from_millis(minutes.saturating_mul(60_000))
    }

    /// The same as a [`Duration`].
    #[must_use]
    pub const fn duration(self) -> Duration {
        Duration::from_millis(self.ms)
    }

    /// In milliseconds.
    #[must_use]
    pub const fn as_millis(self) -> u64 {
        self.ms
    }
}

impl fmt::Display for DurationText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.ms == 0 {
            return f.write_str("0s");
        }
        let mut left = self.ms;
        for (unit, length) in UNITS {
            if left >= length {
                write!(f, "{}{unit}", left / length)?;
                left %= length;
            }
        }
        Ok(())
    }
}

impl FromStr for DurationText {
    type Err = InvalidDuration;

    fn from_str(text: &str) -> Result<Self, InvalidDuration> {
        parse(text)
            .filter(|ms| *ms <= LONGEST_MS)
            .map(|ms| Self { ms })
            .ok_or_else(|| InvalidDuration(text.chars().take(40).collect()))
    }
}

/// Units from the longest to the shortest, each at most once.
fn parse(text: &str) -> Option<u64> {
    let (mut rest, mut sum, mut shorter_than) = (text, 0_u64, u64::MAX);
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let (number, after) = rest.split_at_checked(digits)?;
        let letters = after
            .find(|c: char| c.is_ascii_digit())
            .unwrap_or(after.len());
        let (unit, after) = after.split_at_checked(letters)?;
        let (_, length) = UNITS.iter().find(|(name, _)| *name == unit)?;
        if *length >= shorter_than {
            return None;
        }
        sum = sum.checked_add(number.parse::<u64>().ok()?.checked_mul(*length)?)?;
        (rest, shorter_than) = (after, *length);
    }
    Some(sum)
}

impl TryFrom<String> for DurationText {
    type Error = InvalidDuration;

    fn try_from(text: String) -> Result<Self, InvalidDuration> {
        text.parse()
    }
}

impl From<DurationText> for String {
    fn from(span: DurationText) -> Self {
        span.to_string()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(text: &str, ms: u64) {
        assert_eq!(
            text.parse::<DurationText>().unwrap().as_millis(),
            ms,
            "{text}"
        );
    }

    #[test]
    fn people_write_units() {
        check("90s", 90_000);
        check("1h30m", 5_400_000);
        check("2d", 172_800_000);
        check("250ms", 250);
        check("0s", 0);
    }

    #[test]
    fn what_could_mean_two_things_is_refused() {
        for text in [
            "",
            "10",
            "m",
            "1m1h",
            "1s1s",
            "1.5h",
            "-1s",
            "1 h",
            "1y",
            "400d",
            "99999999999999999999s",
            "é",
        ] {
            assert!(text.parse::<DurationText>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(ms in 0..=LONGEST_MS) {
            let span = DurationText::from_millis(ms);
            prop_assert_eq!(span.to_string().parse::<DurationText>(), Ok(span));
        }
    }
}
