//! The journal in a directory: durable, full, broken, read only.

use std::fs;
use std::io::ErrorKind;
use std::time::Duration;

use action_guard::failpoint::{Failure, arm, disarm};
use action_guard::{CommitError, FileJournal, Journal, JournalError, Mode, Phase, Refusal};

use crate::fixtures::{allow, applied, intent, mode, proposed, refusal, unknown, write};

#[tokio::test]
async fn what_was_written_is_there_for_the_next_process() {
    let directory = tempfile::tempdir().unwrap();
    let journal = FileJournal::open(directory.path()).unwrap();
    let records = [
        mode(Mode::Execute),
        proposed("a", "x", allow()),
        intent("a"),
    ];
    write(&journal, records).await.unwrap();
    let before = journal.state().await.unwrap();
    drop(journal);
    let journal = FileJournal::open(directory.path()).unwrap();
    assert_eq!(journal.state().await.unwrap(), before);
    assert_eq!(before.proposal_status("a").unwrap().phase, Phase::Executing);
}

#[tokio::test]
async fn segments_carry_the_state_on_and_a_short_command_reads_only_the_last() {
    let directory = tempfile::tempdir().unwrap();
    let options = FileJournal::options().segment_bytes(4_000);
    let journal = options.clone().open(directory.path()).unwrap();
    write(
        &journal,
        [
            mode(Mode::Execute),
            proposed("open", "z", allow()),
            intent("open"),
        ],
    )
    .await
    .unwrap();
    for turn in 0..40 {
        let id = format!("turn-{turn}");
        let status = [proposed(&id, "x", allow()), intent(&id), applied(&id)];
        write(&journal, status).await.unwrap();
    }
    let verified = journal.verify().await.unwrap();
    assert!(verified.segments > 5, "{verified:?}");
    let state = journal.state().await.unwrap();
    let mut segments: Vec<_> = fs::read_dir(directory.path().join("journal"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    segments.sort();
    // Damage in an old segment is for `verify` to find; it keeps nobody from working.
    fs::write(&segments[0], "nonsense\n").unwrap();
    let other = options.open(directory.path()).unwrap();
    assert_eq!(other.state().await.unwrap(), state);
    write(&other, [proposed("later", "y", allow()), intent("later")])
        .await
        .unwrap();
    assert!(other.verify().await.is_err());
    let held = refusal(write(&other, [proposed("more", "z", allow()), intent("more")]).await);
    assert!(matches!(held, Refusal::ResourceHeld { .. }), "{held}");
}

#[tokio::test]
async fn a_full_disk_refuses_what_begins_and_still_takes_what_ends() {
    let directory = tempfile::tempdir().unwrap();
    let journal = FileJournal::open(directory.path()).unwrap();
    let begun = [
        mode(Mode::Execute),
        proposed("a", "x", allow()),
        intent("a"),
    ];
    write(&journal, begun).await.unwrap();
    let reserve = directory.path().join("reserve");
    assert!(fs::metadata(&reserve).unwrap().len() >= 64 * 1024);
    // The first write of each transaction fails, the one after the reserve was given back works.
    arm(
        "journal.write",
        directory.path(),
        0,
        Failure::FailOnce(ErrorKind::StorageFull),
    );
    let error = write(&journal, [proposed("b", "y", allow())])
        .await
        .unwrap_err();
    assert!(
        matches!(&error, CommitError::Journal(error) if error.is_full()),
        "{error}"
    );
    assert_eq!(journal.state().await.unwrap().seq, 3);
    disarm(directory.path());
    arm(
        "journal.write",
        directory.path(),
        0,
        Failure::FailOnce(ErrorKind::StorageFull),
    );
    write(&journal, [applied("a")]).await.unwrap();
    assert_eq!(fs::metadata(&reserve).unwrap().len(), 0);
    // Nothing is begun until the space is there again.
    disarm(directory.path());
    write(&journal, [proposed("c", "y", allow())])
        .await
        .unwrap();
    arm(
        "reserve.grow",
        directory.path(),
        0,
        Failure::Fail(ErrorKind::StorageFull),
    );
    let error = write(&journal, [intent("c")]).await.unwrap_err();
    assert!(
        matches!(&error, CommitError::Journal(error) if error.is_full()),
        "{error}"
    );
    let report = action_core::report(&error);
    let says = format!(
        "no space for the journal in `{}`: cannot reserve 1024 KiB more",
        directory.path().display()
    );
    assert!(report.starts_with(&says), "{report}");
    assert_eq!(fs::metadata(&reserve).unwrap().len(), 0);
    disarm(directory.path());
    write(&journal, [intent("c")]).await.unwrap();
    assert_eq!(journal.verify().await.unwrap().head.seq, 6);
}

#[tokio::test]
async fn a_journal_that_may_not_be_written_refuses_and_can_be_read() {
    let directory = tempfile::tempdir().unwrap();
    let journal = FileJournal::open(directory.path()).unwrap();
    write(&journal, [mode(Mode::Execute), proposed("a", "x", allow())])
        .await
        .unwrap();
    arm(
        "journal.write",
        directory.path(),
        0,
        Failure::Fail(ErrorKind::ReadOnlyFilesystem),
    );
    let error = write(&journal, [intent("a")]).await.unwrap_err();
    assert!(
        matches!(&error, CommitError::Journal(error) if error.is_full()),
        "{error}"
    );
    assert_eq!(
        journal
            .state()
            .await
            .unwrap()
            .proposal_status("a")
            .unwrap()
            .phase,
        Phase::Approved
    );
}

#[tokio::test]
async fn after_a_failed_sync_a_process_writes_nothing_more() {
    let directory = tempfile::tempdir().unwrap();
    let journal = FileJournal::open(directory.path()).unwrap();
    write(&journal, [mode(Mode::Execute), proposed("a", "x", allow())])
        .await
        .unwrap();
    arm(
        "journal.sync",
        directory.path(),
        0,
        Failure::FailOnce(ErrorKind::Other),
    );
    assert!(write(&journal, [intent("a")]).await.is_err());
    disarm(directory.path());
    let error = write(&journal, [mode(Mode::Observe)]).await.unwrap_err();
    assert!(
        matches!(error, CommitError::Journal(JournalError::Broken)),
        "{error}"
    );
    // Another process goes on with what is there: an intent that was never sent.
    let other = FileJournal::open(directory.path()).unwrap();
    let status = other
        .state()
        .await
        .unwrap()
        .proposal_status("a")
        .cloned()
        .unwrap();
    assert_eq!(status.phase, Phase::Executing);
    write(&other, [mode(Mode::Observe)]).await.unwrap();
}

#[tokio::test]
async fn a_journal_that_was_taken_away_is_not_begun_anew() {
    let directory = tempfile::tempdir().unwrap();
    let journal = FileJournal::open(directory.path()).unwrap();
    write(&journal, [mode(Mode::Execute)]).await.unwrap();
    fs::remove_dir_all(directory.path().join("journal")).unwrap();
    assert!(
        write(&journal, [proposed("a", "x", allow())])
            .await
            .is_err()
    );
    assert!(!directory.path().join("journal").exists());
}

/// What was stopped or revoked by a record is not allowed again because the record is gone: a process that has
/// seen it reads and writes nothing more.
#[tokio::test]
async fn records_do_not_go_away_under_a_process_that_has_seen_them() {
    for is_written_here in [true, false] {
        let directory = tempfile::tempdir().unwrap();
        let journal = FileJournal::open(directory.path()).unwrap();
        write(&journal, [mode(Mode::Execute)]).await.unwrap();
        let observe = [mode(Mode::Observe)];
        if is_written_here {
            write(&journal, observe).await.unwrap();
        } else {
            let other = FileJournal::open(directory.path()).unwrap();
            write(&other, observe).await.unwrap();
            // Seen, and still there at a later look.
            for _ in 0..2 {
                assert_eq!(journal.state().await.unwrap().mode, Mode::Observe);
            }
        }
        let file = directory.path().join("journal/00000000000000000001.jsonl");
        let text = fs::read_to_string(&file).unwrap();
        let (kept, _) = text.trim_end().rsplit_once('\n').unwrap();
        fs::write(&file, format!("{kept}\n")).unwrap();
        for _ in 0..3 {
            let state = journal.state().await;
            assert!(matches!(state, Err(JournalError::Cut { .. })), "{state:?}");
            let written = write(&journal, [proposed("a", "x", allow())]).await;
            assert!(written.is_err());
        }
        // Also when something else stands there.
        let other = FileJournal::open(directory.path()).unwrap();
        write(&other, [proposed("a", "x", allow()), intent("a")])
            .await
            .unwrap();
        let state = journal.state().await;
        assert!(matches!(state, Err(JournalError::Cut { .. })), "{state:?}");
    }
}

#[tokio::test]
async fn waiting_for_the_lock_ends_and_names_the_holder() {
    let directory = tempfile::tempdir().unwrap();
    let options = FileJournal::options().lock_wait(Duration::from_millis(30));
    let journal = options.open(directory.path()).unwrap();
    write(&journal, [mode(Mode::Execute)]).await.unwrap();
    let lock = fs::File::open(directory.path().join("lock")).unwrap();
    lock.lock().unwrap();
    let signed = format!("process {} ({})", std::process::id(), journal.instance());
    for (text, expected) in [
        (None, signed.as_str()),
        (Some(" \n"), "another process"),
        (Some(""), "another process"),
    ] {
        if let Some(text) = text {
            fs::write(directory.path().join("lock"), text).unwrap();
        }
        let error = write(&journal, [mode(Mode::Observe)]).await.unwrap_err();
        let CommitError::Journal(JournalError::Locked {
            holder, waited_ms, ..
        }) = &error
        else {
            unreachable!("{error}");
        };
        assert!(holder.starts_with(expected), "{error}");
        assert_eq!(*waited_ms, 30);
    }
    lock.unlock().unwrap();
    write(&journal, [mode(Mode::Observe)]).await.unwrap();
}

/// However much it is, and however short what is written next.
#[tokio::test]
async fn what_a_crash_left_of_a_line_goes_with_the_next_commit() {
    let directory = tempfile::tempdir().unwrap();
    let journal = FileJournal::open(directory.path()).unwrap();
    write(&journal, [mode(Mode::Execute)]).await.unwrap();
    let segment = directory.path().join("journal/00000000000000000001.jsonl");
    let whole = fs::read_to_string(&segment).unwrap();
    fs::write(&segment, format!("{whole}{}", "x".repeat(100_000))).unwrap();
    let journal = FileJournal::open(directory.path()).unwrap();
    write(&journal, [mode(Mode::Observe)]).await.unwrap();
    assert!(fs::read_to_string(&segment).unwrap().ends_with("}\n"));
    assert_eq!(journal.verify().await.unwrap().head.seq, 2);
}

/// Each record once, and with it what must be there before it.
#[tokio::test]
async fn what_is_written_is_synced() {
    let directory = tempfile::tempdir().unwrap();
    let options = FileJournal::options().segment_bytes(1_000_000);
    let journal = options.open(directory.path()).unwrap();
    let mut syncs = 0;
    for (record, expected) in [
        // The segment and its name as well.
        (mode(Mode::Execute), 3),
        (proposed("a", "x", allow()), 1),
        // The reserve as well, once for many.
        (intent("a"), 2),
        (applied("a"), 1),
        (proposed("b", "x", allow()), 1),
        (intent("b"), 1),
    ] {
        write(&journal, [record.clone()]).await.unwrap();
        syncs += expected;
        assert_eq!(journal.syncs(), syncs, "{record:?}");
    }
    // A new segment and its name as well.
    let options = FileJournal::options().segment_bytes(1);
    let journal = options.open(directory.path()).unwrap();
    write(&journal, [mode(Mode::Observe)]).await.unwrap();
    assert_eq!(journal.syncs(), 3);
}

#[tokio::test]
async fn the_file_kill_stops_what_no_command_could() {
    let directory = tempfile::tempdir().unwrap();
    let journal = FileJournal::open(directory.path()).unwrap();
    write(&journal, [mode(Mode::Execute), proposed("a", "x", allow())])
        .await
        .unwrap();
    fs::write(directory.path().join("KILL"), "").unwrap();
    assert!(journal.is_stopped().await.unwrap());
    let refused = refusal(write(&journal, [intent("a")]).await);
    assert!(
        matches!(
            refused,
            Refusal::Phase {
                phase: Phase::Cancelled,
                ..
            }
        ),
        "{refused}"
    );
    let state = journal.state().await.unwrap();
    assert_eq!(state.killed.as_ref().unwrap().by.as_str(), "system");
    // Taking the file away is not a reset.
    journal.unstop().await.unwrap();
    let refused = refusal(write(&journal, [proposed("b", "x", allow())]).await);
    assert!(matches!(refused, Refusal::Killed { .. }), "{refused}");
}

#[tokio::test]
async fn an_instance_lives_as_long_as_its_lock() {
    let directory = tempfile::tempdir().unwrap();
    let first = FileJournal::open(directory.path()).unwrap();
    let second = FileJournal::open(directory.path()).unwrap();
    let begun = [
        mode(Mode::Execute),
        proposed("a", "x", allow()),
        intent("a"),
        unknown("a"),
    ];
    write(&first, begun).await.unwrap();
    let instance = first.instance().to_owned();
    assert!(second.is_alive(&instance).await.unwrap());
    drop(first);
    // The thread that writes ends by itself, soon.
    while second.is_alive(&instance).await.unwrap() {
        tokio::task::yield_now().await;
    }
}
