//! Any bytes are a record, or an error that can be shown: as they are, and under a hash that is
//! right, so that what is behind the hash is reached too.

#![no_main]

use action_guard::{Entry, Hash};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    read(bytes);
    let mut line = bytes.to_vec();
    let hash = format!(",\"hash\":\"{}\"}}", Hash::of(bytes));
    line.extend(hash.as_bytes());
    read(&line);
});

fn read(line: &[u8]) {
    if let Err(error) = Entry::read(line, None) {
        assert!(!error.to_string().is_empty());
    }
}
