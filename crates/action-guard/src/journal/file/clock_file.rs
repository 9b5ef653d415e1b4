//! What the clock showed last, beside how long this machine was up: so that the next process sees a
//! leap.

use std::fs;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::journal::file::directory::Directory;

/// How often it is written down.
pub(super) const NOTED_EVERY: Duration = Duration::from_secs(60);

/// Writes down what the clock shows. What cannot be written is only not compared with later.
pub(super) fn note(directory: &Directory, shows: Timestamp) {
    if let Some((boot, up)) = up() {
        let line = format!("{boot} {up} {}\n", shows.as_millisecond());
        let _ = fs::write(directory.path().join(NAME), line);
    }
}

/// What the clock should show, as far as this machine has been up since it was written down.
pub(super) fn expected(directory: &Directory) -> Option<Timestamp> {
    let line = fs::read_to_string(directory.path().join(NAME)).ok()?;
    let (boot, up) = up()?;
    let mut parts = line.split_whitespace();
    let (noted_boot, noted_up, shows) = (parts.next()?, parts.next()?, parts.next()?);
    let passed = up.checked_sub(noted_up.parse().ok()?)?;
    if noted_boot != boot {
        return None;
    }
    let shows = Timestamp::from_millisecond(shows.parse().ok()?).ok()?;
    let passed = SignedDuration::from_millis(i64::try_from(passed).ok()?);
    shows.checked_add(passed).ok()
}

const NAME: &str = "clock";

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
