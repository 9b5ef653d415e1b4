//! A clock that is set back, and one that leaps, as for the journal in files.

use action_core::BoxError;
use action_guard::testing::fixtures::{allowed, mode, refusal, write};
use action_guard::{Entry, Hash, Journal, Mode, Record, Refusal};
use action_guard_sql::SqlJournal;
use jiff::{SignedDuration, Timestamp};

use crate::places::{PostgresPlace, SqlPlace, SqlitePlace};

on_both! {
    a_clock_that_is_behind_decides_nothing_and_still_stops,
    a_leap_of_the_clock_waits_for_a_person,
}

/// Makes a record that sets the mode to execute, of then, the only one there is.
async fn only_record(place: &dyn SqlPlace, at: Timestamp) -> Result<(), BoxError> {
    let sealed = Entry::seal(1, at, "before", Hash::ZERO, None, mode(Mode::Execute)?)?;
    let (entry, line) = sealed;
    let line = line.replace('\'', "''");
    place
        .sql(&format!(
            "INSERT INTO journal_lines (seq, line) VALUES (1, '{line}')"
        ))
        .await;
    let hash = entry.hash;
    place
        .sql(&format!("UPDATE journal_head SET seq = 1, hash = '{hash}'"))
        .await;
    Ok(())
}

fn by_a_person(what: fn(action_guard::Actor) -> Record) -> Result<Record, BoxError> {
    Ok(what("user:ana".parse()?))
}

fn killed(by: action_guard::Actor) -> Record {
    let reason = "smoke".to_owned();
    Record::Killed {
        target: None,
        by,
        reason,
    }
}

fn confirmed(by: action_guard::Actor) -> Record {
    let reason = "it is that late".to_owned();
    let proof = None;
    Record::ClockConfirmed { by, reason, proof }
}

fn reset(by: action_guard::Actor) -> Record {
    let reason = "go on".to_owned();
    let proof = None;
    Record::Reset {
        target: None,
        by,
        reason,
        proof,
    }
}

async fn a_clock_that_is_behind_decides_nothing_and_still_stops(
    place: &dyn SqlPlace,
) -> Result<(), BoxError> {
    let journal = place.open_with(SqlJournal::options()).await;
    let later = Timestamp::now() + SignedDuration::from_mins(10);
    only_record(place, later).await?;
    let refused = refusal(write(&journal, [allowed("a", "x")]).await)?;
    assert!(matches!(refused, Refusal::ClockBehind { .. }), "{refused}");
    write(&journal, [by_a_person(killed)?]).await?;
    let entries = journal.entries(1, 10).await?;
    assert_eq!(entries.iter().map(|entry| entry.at).max(), Some(later));
    journal.verify().await?;
    Ok(())
}

/// As a process finds it that starts after the clock was set ahead.
async fn a_leap_of_the_clock_waits_for_a_person(place: &dyn SqlPlace) -> Result<(), BoxError> {
    if !cfg!(target_os = "linux") {
        return Ok(());
    }
    let journal = place.open_with(SqlJournal::options()).await;
    write(&journal, [mode(Mode::Execute)?]).await?;
    drop(journal);
    // Nothing was written since long ago, and a moment ago the clock showed two hours less.
    place.sql("DELETE FROM journal_lines").await;
    only_record(place, Timestamp::now() - SignedDuration::from_hours(3)).await?;
    place
        .sql("UPDATE journal_clock SET shows_ms = shows_ms - 7200000")
        .await;

    let journal = place.open_with(SqlJournal::options()).await;
    let refused = refusal(write(&journal, [allowed("a", "x")]).await)?;
    assert!(matches!(refused, Refusal::ClockAhead { .. }), "{refused}");
    write(&journal, [by_a_person(killed)?]).await?;
    let stopped = journal.entries(1, 1).await?;
    let stopped_at = stopped.first().ok_or("nothing was written")?.at;
    assert!(
        stopped_at < Timestamp::now() - SignedDuration::from_mins(110),
        "{stopped_at}"
    );
    // Nor does the next process believe it, before a person says so.
    let other = place.open_with(SqlJournal::options()).await;
    let refused = refusal(write(&other, [mode(Mode::Execute)?]).await)?;
    assert!(matches!(refused, Refusal::ClockAhead { .. }), "{refused}");
    write(&other, [by_a_person(confirmed)?]).await?;
    write(&other, [by_a_person(reset)?]).await?;
    write(&journal, [allowed("a", "x")]).await?;
    journal.verify().await?;
    Ok(())
}
