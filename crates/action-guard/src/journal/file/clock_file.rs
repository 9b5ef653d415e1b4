//! What the clock showed last, beside how long this machine was up: so that the next process sees a
//! leap.

use std::fs;
use std::io::{Read as _, Write as _};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::journal::file::directory::{Directory, open_file, open_with, private_files};

/// No line of it is longer.
const LONGEST: u64 = 1_024;

/// How often it is written down.
pub(super) const NOTED_EVERY: Duration = Duration::from_secs(60);

/// Writes down what the clock shows. What cannot be written is only not compared with later.
pub(super) fn note(directory: &Directory, shows: Timestamp) {
    if let Some((boot, up)) = up() {
        let line = format!("{boot} {up} {}\n", shows.as_millisecond());
        let mut options = private_files();
        let options = options.create(true).truncate(true).write(true);
        let file = open_with(options, &directory.path().join(NAME));
        let _ = file.and_then(|mut file| file.write_all(line.as_bytes()));
    }
}

/// What the clock should show, as far as this machine has been up since it was written down.
pub(super) fn expected(directory: &Directory) -> Option<Timestamp> {
    let file = open_file(&directory.path().join(NAME)).ok()?;
    let mut line = String::new();
    file.take(LONGEST).read_to_string(&mut line).ok()?;
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
