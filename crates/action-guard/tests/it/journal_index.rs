//! Finding the records of one proposal in a long journal: at once, and never wrongly.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use action_guard::{Entry, FileJournal, Hash, Journal, JournalError, Mode, Record};
use tempfile::TempDir;

use crate::fixtures::{allow, applied, intent, mode, proposed, write};

/// A journal of ten proposals, of which some have records in two segments.
async fn written() -> (TempDir, Vec<Entry>) {
    let directory = tempfile::tempdir().unwrap();
    let options = FileJournal::options().segment_bytes(2_500);
    let journal = options.open(directory.path()).unwrap();
    write(&journal, [mode(Mode::Execute)]).await.unwrap();
    for at in 0..10 {
        let id = format!("p-{at}");
        for record in [proposed(&id, "x", allow()), intent(&id), applied(&id)] {
            write(&journal, [record]).await.unwrap();
        }
    }
    let entries = journal.entries(0, usize::MAX).await.unwrap();
    (directory, entries)
}

/// Files of a folder of the state directory, sorted.
fn files(directory: &Path, folder: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory.join(folder)).unwrap();
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

fn read(paths: &[PathBuf]) -> Vec<Vec<u8>> {
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

/// Another process finds of each proposal what reading everything finds.
async fn check(directory: &Path, entries: &[Entry]) {
    let journal = FileJournal::open(directory).unwrap();
    for id in ["p-0", "p-3", "p-9", "p-10", ""] {
        let found = journal.entries_of(id).await.unwrap();
        let is_meant = |entry: &&Entry| entry.record.proposal_id() == Some(id);
        let expected: Vec<_> = entries.iter().filter(is_meant).cloned().collect();
        assert_eq!(found, expected, "{id}");
        assert_eq!(
            expected.len(),
            if ["p-10", ""].contains(&id) { 0 } else { 3 }
        );
    }
}

#[tokio::test]
async fn an_index_is_kept_for_every_closed_segment_and_made_anew_when_it_is_gone() {
    let (directory, entries) = written().await;
    let directory = directory.path();
    let (segments, indexes) = (files(directory, "journal"), files(directory, "index"));
    assert!(segments.len() > 3);
    assert_eq!(indexes.len() + 1, segments.len());
    let before = read(&indexes);
    check(directory, &entries).await;
    assert_eq!(read(&indexes), before);
    fs::remove_file(&indexes[1]).unwrap();
    check(directory, &entries).await;
    assert_eq!(read(&indexes), before);
    fs::remove_dir_all(directory.join("index")).unwrap();
    check(directory, &entries).await;
    assert_eq!(read(&indexes), before);
}

/// Only the lines of a proposal are read where there is an index: the others may be damaged.
#[tokio::test]
async fn an_index_leads_to_the_lines_themselves() {
    let (directory, entries) = written().await;
    let directory = directory.path();
    let first = &files(directory, "journal")[0];
    let text = fs::read_to_string(first).unwrap();
    let damaged = text.replacen("\"mode\":\"execute\"", "\"mode\":\"observe\"", 1);
    assert_ne!(damaged, text);
    fs::write(first, damaged).unwrap();
    check(directory, &entries).await;
    fs::remove_dir_all(directory.join("index")).unwrap();
    let journal = FileJournal::open(directory).unwrap();
    let error = journal.entries_of("p-0").await.unwrap_err();
    assert!(
        matches!(&error, JournalError::Bad { line: 1, .. }),
        "{error}"
    );
}

/// Wrong in every way that a file can be.
#[tokio::test]
async fn a_wrong_index_gives_right_answers_and_is_replaced() {
    let (directory, entries) = written().await;
    let directory = directory.path();
    let (other, _) = written().await;
    let indexes = files(directory, "index");
    let before = read(&indexes);
    let foreign = read(&files(other.path(), "index"));
    assert_ne!(foreign, before);
    let wrong: Vec<Box<dyn Fn(usize) -> Vec<u8>>> = vec![
        Box::new(|_| Vec::new()),
        Box::new(|_| b"nonsense".to_vec()),
        // Cut off within a line of it, and between two.
        Box::new(|at| before[at][..before[at].len() - 5].to_vec()),
        Box::new(|at| before[at][..before[at].len() - 16].to_vec()),
        // Of another segment, and of another journal.
        Box::new(|at| before[(at + 1) % before.len()].clone()),
        Box::new(|at| foreign[at].clone()),
        // Forged: it hides everything, or leads elsewhere.
        Box::new(|at| before[at][..32].to_vec()),
        Box::new(|at| {
            let mut bytes = before[at].clone();
            let last = bytes.len() - 1;
            bytes[last] ^= 1;
            bytes
        }),
        Box::new(|at| [before[at].as_slice(), &[7; 1 << 20]].concat()),
    ];
    for wrong in wrong {
        for (at, path) in indexes.iter().enumerate() {
            fs::write(path, wrong(at)).unwrap();
        }
        check(directory, &entries).await;
        assert_eq!(read(&indexes), before);
    }
}

/// What is no file is not waited for, and not followed.
#[cfg(unix)]
#[tokio::test]
async fn an_index_that_is_no_file_is_replaced() {
    let (directory, entries) = written().await;
    let directory = directory.path();
    let indexes = files(directory, "index");
    let before = read(&indexes);
    let elsewhere = directory.join("elsewhere");
    fs::write(&elsewhere, "untouched").unwrap();
    for path in &indexes {
        fs::remove_file(path).unwrap();
    }
    let made = std::process::Command::new("mkfifo")
        .arg(&indexes[0])
        .status();
    assert!(made.unwrap().success());
    std::os::unix::fs::symlink(&elsewhere, &indexes[1]).unwrap();
    check(directory, &entries).await;
    assert_eq!(read(&indexes), before);
    assert_eq!(fs::read_to_string(&elsewhere).unwrap(), "untouched");
}

/// As one whose directory may not be written to.
#[tokio::test]
async fn where_no_index_can_be_kept_all_is_found_all_the_same() {
    let (directory, entries) = written().await;
    let directory = directory.path();
    fs::remove_dir_all(directory.join("index")).unwrap();
    fs::write(directory.join("index"), "in the way").unwrap();
    check(directory, &entries).await;
}

/// Whoever can write the whole chain anew can name another index in it; not unseen.
#[tokio::test]
async fn a_checkpoint_that_names_another_index_is_found_by_verify_and_whoever_reads() {
    let (directory, mut entries) = written().await;
    let directory = directory.path();
    let mut prev = Hash::ZERO;
    let mut changed = false;
    let mut lines = Vec::new();
    for entry in &mut entries {
        if let Record::Checkpoint { index, .. } = &mut entry.record
            && !changed
        {
            *index = Some(Hash::of(b"another"));
            changed = true;
        }
        let (at, instance, record) = (entry.at, &entry.instance, entry.record.clone());
        let (sealed, line) =
            Entry::seal(entry.seq, at, instance, prev, entry.target.clone(), record).unwrap();
        prev = sealed.hash;
        *entry = sealed;
        lines.push((entry.seq, line));
    }
    for path in files(directory, "journal").iter().rev() {
        let first = path.file_stem().unwrap().to_str().unwrap();
        let first: u64 = first.parse().unwrap();
        let here = lines.split_off(lines.partition_point(|(seq, _)| *seq < first));
        let text: String = here.iter().map(|(_, line)| format!("{line}\n")).collect();
        fs::write(path, text).unwrap();
    }
    let journal = FileJournal::open(directory).unwrap();
    let error = journal.entries_of("p-5").await.unwrap_err();
    assert!(matches!(error, JournalError::Misplaced { .. }), "{error:?}");
    let error = journal.verify().await.unwrap_err();
    let words = action_core::report(&error);
    assert!(words.contains("names another index"), "{words}");
}

/// A record that was altered and given the hash of what it is now, its index with it or not, is
/// shown to nobody as what was written.
#[tokio::test]
async fn a_record_that_was_altered_with_its_hash_is_not_shown() {
    let (directory, entries) = written().await;
    let directory = directory.path();
    let segments = files(directory, "journal");
    // One in a closed segment, and one in the last that is not its last.
    for (segment, at) in [(&segments[0], 1), (segments.last().unwrap(), 0)] {
        let text = fs::read_to_string(segment).unwrap();
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let entry = Entry::read(lines[at].as_bytes(), None).unwrap();
        let about = entries.iter().find_map(|one| one.record.proposal_id());
        let about = entry.record.proposal_id().or(about).unwrap().to_owned();
        let Entry {
            seq,
            at: time,
            prev,
            instance,
            ..
        } = &entry;
        let record = mode(Mode::Observe);
        let (_, forged) = Entry::seal(*seq, *time, instance, *prev, None, record).unwrap();
        lines[at] = forged;
        fs::write(segment, lines.join("\n") + "\n").unwrap();
        for indexes in [true, false] {
            if !indexes {
                fs::remove_dir_all(directory.join("index")).ok();
            }
            let journal = FileJournal::open(directory);
            let shown = match journal {
                Ok(journal) => journal.entries_of(&about).await,
                Err(error) => Err(error),
            };
            assert!(shown.is_err(), "{segment:?} {indexes}: {shown:?}");
        }
        fs::write(segment, text).unwrap();
    }
}

/// What was read without being synced, and taken back, is not what the next record follows.
#[tokio::test]
async fn a_line_that_was_read_and_replaced_is_not_followed() {
    let (directory, _) = written().await;
    let directory = directory.path();
    let end = || {
        let last = files(directory, "journal").pop().unwrap();
        let length = fs::metadata(&last).unwrap().len();
        (last, length)
    };
    let (last, before) = end();
    let other = FileJournal::open(directory).unwrap();
    write(&other, [mode(Mode::Observe)]).await.unwrap();
    let (_, read) = end();
    let journal = FileJournal::open(directory).unwrap();
    let replaced = journal.head().await.unwrap();
    // The time in a line has more or fewer digits.
    loop {
        let file = fs::OpenOptions::new().write(true).open(&last).unwrap();
        file.set_len(before).unwrap();
        let other = FileJournal::open(directory).unwrap();
        write(&other, [mode(Mode::Observe)]).await.unwrap();
        if end() == (last.clone(), read) {
            break;
        }
    }
    write(&journal, [mode(Mode::Observe)]).await.unwrap();
    let verified = journal.verify().await.unwrap();
    assert_eq!(verified.head.seq, replaced.seq + 1);
    let entries = journal.entries(replaced.seq - 1, 2).await.unwrap();
    assert_ne!(entries[0].hash, replaced.hash);
}

/// Pages go past what is before them, and say no other than a reader from the beginning.
#[tokio::test]
async fn every_page_is_a_part_of_the_whole() {
    let (directory, entries) = written().await;
    let journal = FileJournal::open(directory.path()).unwrap();
    for after in 0..=entries.len() {
        let rest = &entries[after..];
        for limit in [0, 1, 3, usize::MAX] {
            let found = journal.entries(after as u64, limit).await.unwrap();
            assert_eq!(found, rest[..limit.min(rest.len())], "{after}, {limit}");
        }
    }
}

/// People look at what is there, also when something is missing.
#[tokio::test]
async fn what_is_behind_a_gap_is_shown() {
    let (directory, entries) = written().await;
    let first = &files(directory.path(), "journal")[0];
    let text = fs::read_to_string(first).unwrap();
    let without = text.lines().enumerate().filter(|(at, _)| *at != 1);
    let without: String = without.map(|(_, line)| format!("{line}\n")).collect();
    fs::write(first, without).unwrap();
    let journal = FileJournal::open(directory.path()).unwrap();
    let rest = |after: usize| {
        let rest = entries.iter().filter(move |entry| entry.seq != 2);
        rest.skip(after).cloned().collect::<Vec<_>>()
    };
    for after in 0..=entries.len() {
        let missing = usize::from(after >= 2);
        let found = journal.entries(after as u64, usize::MAX).await.unwrap();
        let expected = rest(after - missing);
        assert!(found == expected, "after {after}: {found:?}");
    }
}

#[tokio::test]
async fn verify_says_how_far_it_is_and_names_the_first_that_is_bad() {
    let (directory, _) = written().await;
    let directory = directory.path();
    let journal = FileJournal::open(directory).unwrap();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let shown = Arc::clone(&seen);
    let progress = Box::new(move |done: action_core::Done| shown.lock().unwrap().push(done));
    let verified = journal.verify_showing(progress).await.unwrap();
    assert_eq!(verified.head, journal.head().await.unwrap());
    let segments = files(directory, "journal");
    assert_eq!(verified.segments, segments.len());
    let seen = std::mem::take(&mut *seen.lock().unwrap());
    assert!(seen.len() >= segments.len());
    assert!(seen.is_sorted_by_key(|done| done.done));
    assert!(seen.iter().all(|done| done.done <= done.total));
    for path in segments[1..].iter().rev() {
        let text = fs::read_to_string(path).unwrap();
        fs::write(path, text.replacen("\"v\":", "\"v\": ", 1)).unwrap();
        let error = journal.verify().await.unwrap_err();
        let name = path.file_name().unwrap().to_str().unwrap();
        let is_first = matches!(
            &error,
            JournalError::Bad { segment, line: 1, .. } if segment.ends_with(name)
        );
        assert!(is_first, "{name}: {error}");
    }
}

/// However much longer it takes to find that one.
#[tokio::test]
async fn of_several_bad_segments_the_first_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    let options = FileJournal::options().segment_bytes(1);
    let journal = options.open(directory).unwrap();
    let many = (0..2_000).map(|_| mode(Mode::Observe));
    write(&journal, many).await.unwrap();
    for _ in 0..2 {
        write(&journal, [mode(Mode::Observe)]).await.unwrap();
    }
    let segments = files(directory, "journal");
    assert_eq!(segments.len(), 3);
    for path in &segments[..2] {
        let text = fs::read_to_string(path).unwrap();
        let (before, last) = text.trim_end().rsplit_once('\n').unwrap();
        fs::write(
            path,
            format!("{before}\n{}\n", last.replacen("\"v\":", "\"v\": ", 1)),
        )
        .unwrap();
    }
    let error = journal.verify().await.unwrap_err();
    assert!(
        matches!(&error, JournalError::Bad { line: 2_000, .. }),
        "{error}"
    );
}
