//! Which process holds a lock on a file, where the system tells. Only for messages.

use std::fs::File;

/// The first process that holds this file's lock.
#[cfg(target_os = "linux")]
pub(super) fn holder(file: &File) -> Option<u32> {
    use std::os::unix::fs::MetadataExt as _;

    let file = file.metadata().ok()?;
    let name = name(file.dev(), file.ino());
    (0..LOOKS).find_map(|_| named(&listed().ok()?, &name))
}

/// A line is left out where others let go of their locks meanwhile: who holds it is looked for again.
#[cfg(target_os = "linux")]
const LOOKS: usize = 10;

/// The system's list, in as few reads as it takes.
#[cfg(target_os = "linux")]
fn listed() -> std::io::Result<String> {
    use std::io::Read as _;

    let mut text = String::with_capacity(1 << 16);
    File::open("/proc/locks")?.read_to_string(&mut text)?;
    Ok(text)
}

/// What the system's list calls a file.
#[cfg(target_os = "linux")]
fn name(device: u64, inode: u64) -> String {
    let major = (device >> 8) & 0xfff;
    let minor = (device & 0xff) | ((device >> 12) & 0xf_ff00);
    format!("{major:02x}:{minor:02x}:{inode}")
}

/// The first process that holds this file's lock.
#[cfg(not(target_os = "linux"))]
pub(super) fn holder(_: &File) -> Option<u32> {
    None
}

/// The process in a line such as `1: FLOCK  ADVISORY  READ 3990 fe:00:9977937 0 EOF`; a line of one
/// that waits has an arrow, and none of 0 is in sight from here.
#[cfg(target_os = "linux")]
fn named(locks: &str, name: &str) -> Option<u32> {
    let held = |line: &str| {
        let mut words = line.split_whitespace().skip(1);
        let (kind, process, file) = (words.next()?, words.nth(2)?, words.next()?);
        let process = process.parse().ok().filter(|process| *process > 0)?;
        (kind == "FLOCK" && file == name).then_some(process)
    };
    locks.lines().find_map(held)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn the_holder_of_a_lock_is_read_from_the_systems_list() {
        let locks = "1: FLOCK  ADVISORY  READ 3990 fe:00:9977937 0 EOF\n\
                     1: -> FLOCK  ADVISORY  WRITE 77 fe:00:5 0 EOF\n\
                     2: POSIX  ADVISORY  WRITE 12 fe:00:5 0 EOF\n\
                     3: FLOCK  ADVISORY  WRITE 0 fe:00:5 0 EOF\n\
                     3: FLOCK  ADVISORY  WRITE 2879 fe:00:5 0 EOF\n\
                     nonsense\n";
        assert_eq!(named(locks, "fe:00:5"), Some(2_879));
        assert_eq!(named(locks, "fe:01:5"), None);
    }

    /// As `makedev` puts the two numbers together.
    #[test]
    fn a_file_is_called_by_both_numbers_of_its_device() {
        assert_eq!(name(0xfe00, 5), "fe:00:5");
        assert_eq!(name(0x1230_0000 | (0xabc << 8) | 0x67, 5), "abc:12367:5");
    }
}
