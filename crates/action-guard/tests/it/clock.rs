//! A clock that is set back, and one that leaps.

use std::path::Path;

use action_guard::{
    ClockNote, CommitError, Controls, Decider, Entry, FileJournal, Hash, Journal as _, Mode,
    Record, Refusal, Unrestricted,
};
use jiff::{SignedDuration, Timestamp};

use crate::fixtures::{actor, allow, mode, proposed, refusal, write};

/// A journal whose only record, which sets the mode to execute, was written then.
fn journal_of(directory: &Path, at: Timestamp) -> FileJournal {
    let journal = FileJournal::open(directory).unwrap();
    let (_, line) = Entry::seal(1, at, "before", Hash::ZERO, None, mode(Mode::Execute)).unwrap();
    let segment = directory.join("journal/00000000000000000001.jsonl");
    std::fs::write(segment, format!("{line}\n")).unwrap();
    journal
}

fn controls(journal: FileJournal) -> (Controls, std::sync::Arc<FileJournal>) {
    let journal = std::sync::Arc::new(journal);
    let controls = Controls::new(
        std::sync::Arc::clone(&journal) as _,
        std::sync::Arc::new(Unrestricted),
    );
    (controls, journal)
}

async fn times(journal: &FileJournal) -> Vec<Timestamp> {
    journal.verify().await.unwrap();
    let entries = journal.entries(0, usize::MAX).await.unwrap();
    entries.iter().map(|entry| entry.at).collect()
}

#[tokio::test]
async fn a_clock_that_is_set_back_decides_nothing_and_still_stops() {
    let directory = tempfile::tempdir().unwrap();
    let later = Timestamp::now() + SignedDuration::from_mins(10);
    let (controls, journal) = controls(journal_of(directory.path(), later));
    let refused = refusal(write(&*journal, [proposed("a", "x", allow())]).await);
    assert!(matches!(refused, Refusal::ClockBehind { .. }), "{refused}");
    assert!(
        refused.to_string().contains("stops still work"),
        "{refused}"
    );
    let ana = actor("user:ana");
    controls.stop(&ana, "smoke").await.unwrap();
    // What it stopped is not undone by it either, and time did not go back.
    let reset = controls.reset(Decider::claimed(&ana), "go on").await;
    assert!(
        matches!(
            reset,
            Err(CommitError::Refused(Refusal::ClockBehind { .. }))
        ),
        "{reset:?}"
    );
    assert_eq!(times(&journal).await, [later, later]);
}

#[tokio::test]
async fn a_clock_that_is_a_little_behind_writes_the_time_of_the_last_record() {
    let directory = tempfile::tempdir().unwrap();
    let later = Timestamp::now() + SignedDuration::from_millis(3_500);
    let (_, journal) = controls(journal_of(directory.path(), later));
    write(&*journal, [proposed("a", "x", allow())])
        .await
        .unwrap();
    assert_eq!(times(&journal).await, [later, later]);
}

#[tokio::test]
async fn a_journal_that_nobody_wrote_to_for_days_is_no_leap() {
    let directory = tempfile::tempdir().unwrap();
    let before = Timestamp::now() - SignedDuration::from_hours(72);
    let (_, journal) = controls(journal_of(directory.path(), before));
    write(&*journal, [proposed("a", "x", allow())])
        .await
        .unwrap();
}

/// A journal whose only record is three hours old; a moment ago the clock of this machine showed so many
/// milliseconds more than it does.
#[cfg(target_os = "linux")]
async fn quiet_since(directory: &Path, showed_more_ms: i64) -> FileJournal {
    let long_ago = Timestamp::now() - SignedDuration::from_hours(3);
    let journal = journal_of(directory, long_ago);
    write(&journal, [proposed("a", "x", allow())])
        .await
        .unwrap();
    drop(journal);
    let segment = directory.join("journal/00000000000000000001.jsonl");
    std::fs::remove_file(segment).unwrap();
    let noted = directory.join("clock");
    let line = std::fs::read_to_string(&noted).unwrap();
    let shown: i64 = line.split_whitespace().last().unwrap().parse().unwrap();
    let other = (shown + showed_more_ms).to_string();
    std::fs::write(&noted, line.replace(&shown.to_string(), &other)).unwrap();
    journal_of(directory, long_ago)
}

/// As a process finds it that starts after the clock was set ahead.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_leap_of_the_clock_waits_for_a_person() {
    let directory = tempfile::tempdir().unwrap();
    // The clock showed two hours less at that very moment of this machine.
    let (controls, journal) = controls(quiet_since(directory.path(), -7_200_000).await);
    let refused = refusal(write(&*journal, [proposed("a", "x", allow())]).await);
    assert!(matches!(refused, Refusal::ClockAhead { .. }), "{refused}");
    let (ana, night) = (actor("user:ana"), actor("agent:night"));
    controls.stop(&ana, "smoke").await.unwrap();
    let stopped_at = *times(&journal).await.last().unwrap();
    assert!(
        stopped_at < Timestamp::now() - SignedDuration::from_mins(110),
        "{stopped_at}"
    );
    let by_agent = controls
        .confirm_clock(Decider::claimed(&night), "it is late")
        .await;
    assert!(matches!(
        by_agent,
        Err(CommitError::Refused(Refusal::NotAPerson { .. }))
    ));
    controls
        .confirm_clock(Decider::claimed(&ana), "it is that late")
        .await
        .unwrap();
    controls
        .reset(Decider::claimed(&ana), "go on")
        .await
        .unwrap();
    write(
        &*journal,
        [mode(Mode::Execute), proposed("a", "x", allow())],
    )
    .await
    .unwrap();
    let entries = journal.entries(0, usize::MAX).await.unwrap();
    assert!(
        entries
            .iter()
            .any(|entry| matches!(entry.record, Record::ClockConfirmed { .. }))
    );
}

/// As a process finds it that starts after the clock was set back, in a directory where nobody wrote since:
/// no record is later than the clock.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_clock_that_was_set_back_in_a_quiet_directory_decides_nothing() {
    let directory = tempfile::tempdir().unwrap();
    // The clock showed 22 seconds more at that very moment of this machine.
    let (controls, journal) = controls(quiet_since(directory.path(), 22_000).await);
    let (other_controls, other) = self::controls(FileJournal::open(directory.path()).unwrap());
    for journal in [&journal, &other] {
        let refused = refusal(write(&**journal, [proposed("a", "x", allow())]).await);
        assert!(matches!(refused, Refusal::ClockSetBack { .. }), "{refused}");
    }
    let ana = actor("user:ana");
    controls.stop(&ana, "smoke").await.unwrap();
    // That a stop was written down does not make it right.
    let reset = controls.reset(Decider::claimed(&ana), "go on").await;
    assert!(
        matches!(
            reset,
            Err(CommitError::Refused(Refusal::ClockSetBack { .. }))
        ),
        "{reset:?}"
    );
    controls
        .confirm_clock(Decider::claimed(&ana), "it was ahead before")
        .await
        .unwrap();
    // Whoever runs already believes it then, too.
    let reset = other_controls.reset(Decider::claimed(&ana), "go on");
    reset.await.unwrap();
    journal.verify().await.unwrap();
}

/// What a note is compared with is how long this machine was up in this life of it.
#[cfg(target_os = "linux")]
#[test]
fn a_note_of_the_clock_knows_this_start_and_how_long_ago_it_was() {
    let up = || {
        let text = std::fs::read_to_string("/proc/uptime").unwrap();
        let hundredths: String = text.split(' ').next().unwrap().replace('.', "");
        hundredths.parse::<u64>().unwrap() * 10
    };
    let shows = Timestamp::from_second(1_000).unwrap();
    let before = up();
    let note = ClockNote::now(shows).unwrap();
    assert!((before..=up()).contains(&note.up_ms()), "{note:?}");
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
    assert_eq!(note.boot(), boot.trim());
    assert!(note.expected().unwrap() >= shows);
    let other_start = ClockNote::read("another", note.up_ms(), note.shows_ms()).unwrap();
    assert_eq!(other_start.expected(), None);
}
