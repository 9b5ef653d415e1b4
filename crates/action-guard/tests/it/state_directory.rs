//! What may lie in a state directory that no process of ours put there.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use action_guard::failpoint::{Failure, arm, disarm};
use action_guard::{
    CommitError, Controls, FileJournal, Journal, JournalError, Mode, Phase, Unrestricted,
};
use tempfile::TempDir;

use crate::fixtures::{actor, allow, applied, intent, mode, proposed, write};

/// A journal of several segments, that may send.
async fn written() -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    let options = FileJournal::options().segment_bytes(700);
    let journal = options.open(directory.path()).unwrap();
    write(&journal, [mode(Mode::Execute)]).await.unwrap();
    for id in ["a", "b"] {
        for record in [proposed(id, "x", allow()), intent(id), applied(id)] {
            write(&journal, [record]).await.unwrap();
        }
    }
    directory
}

fn last_segment(directory: &Path) -> PathBuf {
    let entries = fs::read_dir(directory.join("journal")).unwrap();
    entries.map(|entry| entry.unwrap().path()).max().unwrap()
}

#[track_caller]
fn misplaced<T: std::fmt::Debug>(result: Result<T, JournalError>, what: &str) {
    let error = result.unwrap_err();
    assert!(matches!(error, JournalError::Misplaced { .. }), "{error}");
    let words = error.to_string();
    assert!(words.contains("99.jsonl` does not fit"), "{words}");
    assert!(words.contains(what), "{words}");
}

/// Whoever reads or writes it is told, and nothing goes on from there.
#[tokio::test]
async fn a_segment_under_another_name_is_refused() {
    let directory = written().await;
    let directory = directory.path();
    let (last, other) = (
        last_segment(directory),
        "journal/00000000000000000099.jsonl",
    );
    let before = FileJournal::open(directory).unwrap().head().await.unwrap();
    let copy = directory.join(other);
    fs::copy(&last, &copy).unwrap();
    for (content, what) in [
        (None, "it begins with record"),
        (Some(""), "it has no complete line"),
    ] {
        if let Some(content) = content {
            fs::write(&copy, content).unwrap();
        }
        let journal = FileJournal::open(directory).unwrap();
        misplaced(journal.state().await, what);
        misplaced(journal.head().await, what);
        let error = write(&journal, [mode(Mode::Observe)]).await.unwrap_err();
        let CommitError::Journal(error) = error else {
            unreachable!("{error}");
        };
        misplaced(Err::<(), _>(error), what);
        assert!(journal.verify().await.is_err());
    }
    fs::remove_file(&copy).unwrap();
    let journal = FileJournal::open(directory).unwrap();
    assert_eq!(journal.head().await.unwrap(), before);
    assert_eq!(journal.verify().await.unwrap().head, before);
}

/// What a dead process left, and nobody asked for, goes when the next one sends.
#[tokio::test]
async fn owners_are_those_that_live() {
    let directory = written().await;
    let owners = directory.path().join("owners");
    fs::write(owners.join("0192-dead"), "").unwrap();
    let alive = FileJournal::open(directory.path()).unwrap();
    write(&alive, [proposed("c", "x", allow()), intent("c")])
        .await
        .unwrap();
    let other = FileJournal::open(directory.path()).unwrap();
    write(&other, [proposed("d", "y", allow()), intent("d")])
        .await
        .unwrap();
    let left = fs::read_dir(&owners).unwrap();
    let left: Vec<_> = left.map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 2, "{left:?}");
    for journal in [&alive, &other] {
        assert!(left.iter().any(|name| name == journal.instance()));
        assert!(alive.is_alive(journal.instance()).await.unwrap());
    }
}

/// Both must be impossible; and what is said is about stopping.
#[tokio::test]
async fn where_nothing_can_be_written_a_stop_says_that_nothing_is_stopped() {
    let directory = written().await;
    let directory = directory.path();
    let journal = Arc::new(FileJournal::open(directory).unwrap());
    let controls = Controls::new(journal, Arc::new(Unrestricted));
    let read_only = Failure::Fail(ErrorKind::ReadOnlyFilesystem);
    arm("journal.write", directory, 0, read_only);
    // Stopped all the same, and it says that this is not recorded.
    let stopped = controls.stop(&actor("user:ana"), "smoke").await.unwrap();
    assert!(stopped.unrecorded.is_some());
    fs::remove_file(directory.join("KILL")).unwrap();
    arm("kill.create", directory, 0, read_only);
    let error = controls.stop(&actor("user:ana"), "smoke").await;
    let error = action_core::report(&error.unwrap_err());
    disarm(directory);
    assert!(error.starts_with("sending is not stopped"), "{error}");
    assert!(error.contains("KILL"), "{error}");
    assert!(error.contains("kill.create"), "{error}");
    assert!(!error.contains("nothing is sent"), "{error}");
}

#[cfg(unix)]
mod unix {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    fn pipe(path: &Path) {
        let _ = fs::remove_file(path);
        let made = std::process::Command::new("mkfifo").arg(path).status();
        assert!(made.unwrap().success());
    }

    /// Wherever it leads: who put it there wanted a stop.
    #[tokio::test]
    async fn a_kill_file_of_any_kind_stops() {
        let directory = written().await;
        let directory = directory.path();
        let (kill, nowhere) = (directory.join("KILL"), directory.join("nowhere"));
        let journal = FileJournal::open(directory).unwrap();
        for kind in 0..2 {
            match kind {
                0 => symlink(&nowhere, &kill).unwrap(),
                _ => pipe(&kill),
            }
            assert!(journal.is_stopped().await.unwrap());
            // It is stopped already, and nothing is made where the link leads.
            journal.stop().await.unwrap();
            assert!(!nowhere.exists());
            write(&journal, [mode(Mode::Observe)]).await.unwrap();
            assert!(journal.state().await.unwrap().killed.is_some());
            journal.unstop().await.unwrap();
            assert!(!journal.is_stopped().await.unwrap());
        }
        // What cannot be taken away goes on stopping, and that is said.
        fs::create_dir(&kill).unwrap();
        let error = journal.unstop().await.unwrap_err().to_string();
        assert!(
            error.contains("cannot remove") && error.contains("KILL"),
            "{error}"
        );
        assert!(journal.is_stopped().await.unwrap());
    }

    /// A pipe that nobody writes to is not waited for, whatever it lies there as.
    #[tokio::test]
    async fn a_pipe_is_waited_for_by_nobody() {
        let directory = written().await;
        let directory = directory.path();
        let clock = directory.join("clock");
        pipe(&clock);
        let journal = FileJournal::open(directory).unwrap();
        write(&journal, [proposed("c", "x", allow())])
            .await
            .unwrap();
        let not_a_file = |error: &dyn std::error::Error| {
            let words = action_core::report(error);
            assert!(words.contains("not a regular file"), "{words}");
        };
        let owner = directory.join("owners/0192-other");
        pipe(&owner);
        not_a_file(&journal.is_alive("0192-other").await.unwrap_err());
        pipe(&directory.join("sending.lock"));
        not_a_file(&journal.senders().await.unwrap_err());
        not_a_file(&journal.send_lock("c").await.unwrap_err());
        pipe(&directory.join("reserve"));
        not_a_file(&write(&journal, [intent("c")]).await.unwrap_err());
        fs::remove_file(directory.join("reserve")).unwrap();
        let journal = FileJournal::open(directory).unwrap();
        write(&journal, [intent("c")]).await.unwrap();
        let phase = journal.state().await.unwrap();
        let phase = phase.proposal_status("c").unwrap().phase;
        assert_eq!(phase, Phase::Executing);
        for name in ["lock", "journal/00000000000000000099.jsonl"] {
            pipe(&directory.join(name));
            let journal = FileJournal::open(directory).unwrap();
            let error = write(&journal, [mode(Mode::Observe)]).await.unwrap_err();
            not_a_file(&error);
            assert!(!matches!(&error, CommitError::Journal(error) if error.is_full()));
            fs::remove_file(directory.join(name)).unwrap();
        }
        pipe(&directory.join("journal/00000000000000000099.jsonl"));
        let journal = FileJournal::open(directory).unwrap();
        not_a_file(&journal.state().await.unwrap_err());
        assert!(journal.verify().await.is_err());
    }

    #[tokio::test]
    async fn a_directory_that_everybody_can_write_is_known() {
        let directory = written().await;
        for (mode, expected) in [(0o700, false), (0o770, false), (0o1777, true)] {
            let permissions = fs::Permissions::from_mode(mode);
            fs::set_permissions(directory.path(), permissions).unwrap();
            let journal = FileJournal::open(directory.path()).unwrap();
            assert_eq!(journal.is_writable_by_all(), expected, "{mode:o}");
        }
    }
}
