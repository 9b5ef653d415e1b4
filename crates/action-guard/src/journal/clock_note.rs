//! What the clock showed, beside how long this machine was up: so that the next process sees a leap.

use std::fs;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// What the clock showed, beside how long this machine was up. A journal keeps the last one, for the
/// next process of this machine to compare with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClockNote {
    boot: String,
    up_ms: u64,
    shows: Timestamp,
}

impl ClockNote {
    /// How often it is written down.
    pub const EVERY: Duration = Duration::from_secs(60);

    /// That it shows this now; `None` where it cannot be told how long this machine is up.
    #[must_use]
    pub fn now(shows: Timestamp) -> Option<Self> {
        let (boot, up_ms) = up()?;
        Some(Self { boot, up_ms, shows })
    }

    /// One that was written down; `None` when it is none.
    #[must_use]
    pub fn read(boot: &str, up_ms: u64, shows_ms: i64) -> Option<Self> {
        Some(Self {
            boot: boot.to_owned(),
            up_ms,
            shows: Timestamp::from_millisecond(shows_ms).ok()?,
        })
    }

    /// Which start of which machine it is.
    #[must_use]
    pub fn boot(&self) -> &str {
        &self.boot
    }

    /// For how many milliseconds it was up then, asleep or not.
    #[must_use]
    pub fn up_ms(&self) -> u64 {
        self.up_ms
    }

    /// What the clock showed, in milliseconds after 1970.
    #[must_use]
    pub fn shows_ms(&self) -> i64 {
        self.shows.as_millisecond()
    }

    /// What the clock should show now, as far as this machine has been up since.
    #[must_use]
    pub fn expected(&self) -> Option<Timestamp> {
        let (boot, up_ms) = up()?;
        if self.boot != boot {
            return None;
        }
        let passed = up_ms.checked_sub(self.up_ms)?;
        let passed = SignedDuration::from_millis(i64::try_from(passed).ok()?);
        self.shows.checked_add(passed).ok()
    }
}

/// Which start of this machine it is, and for how many milliseconds it has been up, asleep or not.
fn up() -> Option<(String, u64)> {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let uptime = fs::read_to_string("/proc/uptime").ok()?;
    let (seconds, hundredths) = uptime.split_whitespace().next()?.split_once('.')?;
    let (seconds, hundredths): (u64, u64) = (seconds.parse().ok()?, hundredths.parse().ok()?);
    let up = seconds
        .checked_mul(1_000)?
        .checked_add(hundredths.checked_mul(10)?)?;
    Some((boot.trim().to_owned(), up))
}
