//! The file with what the clock showed last.

use std::io::{Read as _, Write as _};

use jiff::Timestamp;

use crate::journal::clock_note::ClockNote;
use crate::journal::file::directory::{Directory, open_file, open_with, private_files};

/// No line of it is longer.
const LONGEST: u64 = 1_024;

/// Writes down what the clock shows. What cannot be written is only not compared with later.
pub(super) fn note(directory: &Directory, shows: Timestamp) {
    if let Some(note) = ClockNote::now(shows) {
        let line = format!("{} {} {}\n", note.boot(), note.up_ms(), note.shows_ms());
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
    let mut parts = line.split_whitespace();
    let (boot, up, shows) = (parts.next()?, parts.next()?, parts.next()?);
    ClockNote::read(boot, up.parse().ok()?, shows.parse().ok()?)?.expected()
}

const NAME: &str = "clock";
