//! That no record can be changed, removed, added or moved unseen, and what a crash may leave.

use std::fs;
use std::path::Path;

use action_guard::{
    BadLine, Entry, FORMAT, FileJournal, Hash, Journal, JournalError, Mode, Record, Verified,
};
use jiff::Timestamp;
use proptest::prelude::*;
use proptest::sample::Index;
use tempfile::TempDir;

use crate::fixtures::{allow, applied, intent, mode, proposed, unknown, write};

/// A journal of two lives, in several segments when these are small.
async fn written(segment_bytes: u64) -> (TempDir, Verified) {
    let directory = tempfile::tempdir().unwrap();
    let options = FileJournal::options().segment_bytes(segment_bytes);
    let journal = options.open(directory.path()).unwrap();
    let records = [
        mode(Mode::Execute),
        proposed("a", "x", allow()),
        intent("a"),
        applied("a"),
        proposed("b", "y", allow()),
        intent("b"),
        unknown("b"),
    ];
    for record in records {
        write(&journal, [record]).await.unwrap();
    }
    let verified = journal.verify().await.unwrap();
    (directory, verified)
}

fn segments(directory: &Path) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(directory.join("journal")).unwrap();
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

/// All lines, over all segments, with the segment they are in.
fn lines(directory: &Path) -> Vec<(usize, String)> {
    let texts = segments(directory)
        .into_iter()
        .map(|path| fs::read_to_string(path).unwrap());
    let lines = texts.enumerate().flat_map(|(segment, text)| {
        let lines: Vec<_> = text
            .lines()
            .map(|line| (segment, line.to_owned()))
            .collect();
        lines
    });
    lines.collect()
}

fn put_back(directory: &Path, lines: &[(usize, String)]) {
    for (segment, path) in segments(directory).into_iter().enumerate() {
        let here = lines.iter().filter(|(at, _)| *at == segment);
        let text: String = here.map(|(_, line)| format!("{line}\n")).collect();
        fs::write(path, text).unwrap();
    }
}

fn verify(directory: &Path) -> Result<Verified, JournalError> {
    let journal = FileJournal::open(directory);
    journal.and_then(|journal| block_on(journal.verify()))
}

#[derive(Debug, Clone)]
enum Tampering {
    Flip { line: Index, byte: Index, bit: u8 },
    Remove(Index),
    Repeat(Index),
    Swap(Index, Index),
}

fn tampering() -> impl Strategy<Value = Tampering> {
    let at = any::<Index>;
    prop_oneof![
        4 => (at(), at(), 0_u8..7).prop_map(|(line, byte, bit)| Tampering::Flip { line, byte, bit }),
        1 => at().prop_map(Tampering::Remove),
        1 => at().prop_map(Tampering::Repeat),
        1 => (at(), at()).prop_map(|(one, other)| Tampering::Swap(one, other)),
    ]
}

fn tamper(lines: &mut Vec<(usize, String)>, how: &Tampering) {
    let count = lines.len();
    match how {
        Tampering::Flip { line, byte, bit } => {
            let text = &mut lines[line.index(count)].1;
            let mut bytes = text.clone().into_bytes();
            let at = byte.index(bytes.len());
            bytes[at] ^= 1 << bit;
            // A line end here would be two lines, which is as bad.
            *text = String::from_utf8_lossy(&bytes).into_owned();
        }
        Tampering::Remove(at) => {
            lines.remove(at.index(count));
        }
        Tampering::Repeat(at) => {
            let line = lines[at.index(count)].clone();
            lines.insert(at.index(count), line);
        }
        Tampering::Swap(one, other) => {
            let (one, other) = (one.index(count), other.index(count));
            let text = lines[one].1.clone();
            lines[one].1 = std::mem::replace(&mut lines[other].1, text);
        }
    }
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(future)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: crate::cases(40, 600), failure_persistence: None, ..ProptestConfig::default() })]

    /// Only what is cut off at the end cannot be seen from the chain alone, and then the head is
    /// another than the one that was exported.
    #[test]
    fn every_tampering_shows(how in tampering(), small in any::<bool>()) {
        let (directory, before) = block_on(written(if small { 700 } else { 1 << 20 }));
        let original = lines(directory.path());
        let mut changed = original.clone();
        tamper(&mut changed, &how);
        prop_assume!(changed != original);
        put_back(directory.path(), &changed);
        if let Ok(after) = verify(directory.path()) {
            prop_assert_ne!(after.head, before.head, "{:?} went unseen", how);
            let end_is_gone = original.starts_with(&changed);
            prop_assert!(end_is_gone, "{:?} was accepted", how);
        }
    }
}

#[tokio::test]
async fn a_segment_that_is_missing_is_missed() {
    let (directory, before) = written(700).await;
    assert!(before.segments >= 3, "{before:?}");
    let paths = segments(directory.path());
    fs::remove_file(&paths[1]).unwrap();
    let journal = FileJournal::open(directory.path()).unwrap();
    let error = journal.verify().await.unwrap_err();
    assert!(matches!(error, JournalError::Cut { .. }), "{error}");
    // The oldest may be kept elsewhere; what is left is whole.
    fs::remove_file(&paths[0]).unwrap();
    let after = journal.verify().await.unwrap();
    assert_eq!(after.head, before.head);
    assert!(after.first > 1);
}

#[tokio::test]
async fn the_first_bad_record_is_named() {
    let (directory, _) = written(1 << 20).await;
    let mut changed = lines(directory.path());
    // But for its version: a line of another one is called that.
    let (version, rest) = changed[2].1.split_at("{\"v\":3,".len());
    changed[2].1 = format!("{version}{}", rest.replace("2", "3"));
    changed[4].1 = changed[4].1.replace("agent:night", "agent:day");
    put_back(directory.path(), &changed);
    let journal = FileJournal::open(directory.path()).unwrap();
    let error = journal.verify().await.unwrap_err();
    let words = action_core::report(&error);
    assert!(
        words.contains("line 3 of `journal/00000000000000000001.jsonl` is damaged"),
        "{words}"
    );
}

/// Every prefix of the file, as a crash in the middle of a write may leave it.
#[tokio::test]
async fn a_line_cut_off_at_any_byte_is_repaired_and_nothing_else_is_lost() {
    let (directory, _) = written(1 << 20).await;
    let path = segments(directory.path()).remove(0);
    let whole = fs::read(&path).unwrap();
    let ends: Vec<usize> = (0..whole.len()).filter(|at| whole[*at] == b'\n').collect();
    let before_last = ends[ends.len() - 2] + 1;
    for length in before_last..whole.len() {
        fs::write(&path, &whole[..length]).unwrap();
        let journal = FileJournal::open(directory.path()).unwrap();
        assert_eq!(journal.state().await.unwrap().seq, 6, "cut at {length}");
        let verified = journal.verify().await.unwrap();
        let left = u64::try_from(length - before_last).unwrap();
        assert_eq!(
            (verified.head.seq, verified.half_line_bytes),
            (6, left),
            "cut at {length}"
        );
        write(&journal, [mode(Mode::Observe)]).await.unwrap();
        let entries = journal.entries(6, 10).await.unwrap();
        assert!(matches!(entries[..], [ref entry] if matches!(entry.record, Record::Mode { .. })));
        let verified = journal.verify().await.unwrap();
        assert_eq!(
            (verified.head.seq, verified.half_line_bytes),
            (7, 0),
            "cut at {length}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever stands in the file, reading it ends in a value or an error.
    #[test]
    fn no_bytes_make_a_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..300), tail in "\\PC{0,40}") {
        let _ = Entry::read(&bytes, None);
        let line = format!("{tail},\"hash\":\"{}\"}}", Hash::of(tail.as_bytes()));
        prop_assert!(Entry::read(line.as_bytes(), None).is_err(), "{}", line);
    }
}

/// What another version wrote is called that, and not changed or damaged: whether this one could
/// read the record or not.
#[test]
fn another_format_is_called_by_its_name() {
    let at = Timestamp::UNIX_EPOCH;
    let (_, line) = Entry::seal(1, at, "one", Hash::ZERO, None, mode(Mode::Observe)).unwrap();
    let now = format!("\"v\":{FORMAT}");
    assert!(line.contains(&now), "{line}");
    for version in [FORMAT - 1, FORMAT + 1] {
        let other = line.replace(&now, &format!("\"v\":{version}"));
        let unknown = other.replace("\"kind\":\"mode\"", "\"kind\":\"of_another_time\"");
        for line in [other, unknown] {
            let bad = Entry::read(line.as_bytes(), None).unwrap_err();
            assert!(
                matches!(bad, BadLine::OtherFormat { version: found } if found == version),
                "{bad:?}: {line}"
            );
        }
    }
}

/// The hash is where it is written, and nowhere else in the line.
#[test]
fn a_line_that_does_not_end_with_its_hash_has_none() {
    let at = Timestamp::UNIX_EPOCH;
    let (_, line) = Entry::seal(1, at, "one", Hash::ZERO, None, mode(Mode::Observe)).unwrap();
    let (rest, hash) = line.rsplit_once(",\"hash\":").unwrap();
    let named_otherwise = format!("{rest},\"hush\":{hash}");
    let ends_otherwise = format!("{rest},\"hash\":{} }}", &hash[..hash.len() - 2]);
    for line in [named_otherwise, ends_otherwise] {
        let bad = Entry::read(line.as_bytes(), None).unwrap_err();
        assert!(matches!(bad, BadLine::NoHash), "{bad:?}: {line}");
    }
}

/// Half a line before the next segment is no crash: what was after it is gone.
#[test]
fn half_a_line_before_the_next_segment_is_said() {
    let (directory, _) = block_on(written(700));
    let path = &segments(directory.path())[0];
    let whole = fs::read_to_string(path).unwrap();
    fs::write(path, format!("{whole}{{\"v\":3,")).unwrap();
    let error = verify(directory.path()).unwrap_err();
    let JournalError::Cut { what, .. } = &error else {
        unreachable!("{error:?}");
    };
    assert!(what.contains(" and an incomplete line, but "), "{what}");
}

/// A writer that reads on finds it too: it is neither passed over nor cut off to write where there is a
/// record already. What the last segment begins with is not touched by it.
#[test]
fn half_a_line_before_the_next_segment_is_found_by_who_writes_on() {
    let directory = tempfile::tempdir().unwrap();
    let options = FileJournal::options().segment_bytes(700);
    let [one, other] = [(), ()].map(|()| options.clone().open(directory.path()).unwrap());
    block_on(write(&one, [mode(Mode::Execute)])).unwrap();
    for id in ["a", "b", "c"] {
        block_on(write(&other, [proposed(id, "x", allow())])).unwrap();
    }
    let paths = segments(directory.path());
    assert!(paths.len() > 1, "{paths:?}");
    let cut = format!("{}{{\"v\":3,", fs::read_to_string(&paths[0]).unwrap());
    fs::write(&paths[0], &cut).unwrap();
    let head = block_on(other.state()).unwrap().seq;

    let error = block_on(write(&one, [mode(Mode::Observe)])).unwrap_err();
    assert!(
        error.to_string().contains(" and an incomplete line, but "),
        "{error}"
    );
    assert_eq!(block_on(one.state()).unwrap().seq, head);
    block_on(write(&one, [mode(Mode::Observe)])).unwrap();
    assert!(block_on(other.state()).unwrap().seq > head);
    assert_eq!(fs::read_to_string(&paths[0]).unwrap(), cut);
    let error = verify(directory.path()).unwrap_err();
    assert!(matches!(error, JournalError::Cut { .. }), "{error:?}");
}

/// Who goes on reading after some records is told of a bad one by its own line.
#[test]
fn a_bad_line_is_counted_from_the_beginning_of_its_segment() {
    let (directory, _) = block_on(written(1 << 20));
    let journal = FileJournal::open(directory.path()).unwrap();
    let path = &segments(directory.path())[0];
    let whole = fs::read_to_string(path).unwrap();
    fs::write(path, whole.replace("\"seq\":5", "\"seq\":6")).unwrap();
    let read = block_on(journal.entries(3, 9)).unwrap_err();
    let JournalError::Bad { line, .. } = read else {
        unreachable!("{read:?}");
    };
    assert_eq!(line, 5);
}

/// A segment is full by what was added to it; the checkpoint that it begins with may be larger than
/// that.
#[tokio::test]
async fn what_a_segment_begins_with_does_not_fill_it() {
    const LIMIT: u64 = 3_000;
    let directory = tempfile::tempdir().unwrap();
    let options = FileJournal::options().segment_bytes(LIMIT);
    let journal = options.open(directory.path()).unwrap();
    write(&journal, [mode(Mode::Execute)]).await.unwrap();
    for number in 0..40 {
        let id = format!("p{number}");
        write(&journal, [proposed(&id, &id, allow())])
            .await
            .unwrap();
    }
    let paths = segments(directory.path());
    let mut has_large = false;
    for path in &paths[1..paths.len() - 1] {
        let text = fs::read_to_string(path).unwrap();
        let (checkpoint, added) = text.split_once('\n').unwrap();
        has_large |= checkpoint.len() as u64 > LIMIT;
        assert!(added.len() as u64 >= LIMIT, "{} bytes", added.len());
    }
    assert!(has_large, "no checkpoint is that large");
}
