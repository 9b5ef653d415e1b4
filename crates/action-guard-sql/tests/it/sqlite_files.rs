//! What is true of SQLite alone: its files.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use action_core::BoxError;
use action_guard::testing::fixtures::{allowed, intent, mode, write};
use action_guard::{CommitError, Journal, JournalError, Mode};
use action_guard_sql::SqlJournal;
use sqlx::Connection as _;

use crate::places::{SqlPlace as _, SqlitePlace, sqlite_connection};

#[tokio::test]
async fn a_person_stops_everything_with_a_file() -> Result<(), BoxError> {
    let place = SqlitePlace::new();
    let journal = SqlJournal::sqlite(place.directory()).await?;
    fs::write(place.directory().join("KILL"), "")?;
    assert!(journal.is_stopped().await?);
    // Also while nothing can be written.
    let mut other = sqlite_connection(&place.directory()).await;
    let held = other.begin_with("BEGIN IMMEDIATE").await?;
    journal.unstop().await?;
    journal.stop().await?;
    assert!(journal.is_stopped().await?);
    held.rollback().await?;
    Ok(())
}

/// Wherever it leads; and nothing is made there.
#[tokio::test]
async fn a_link_that_leads_nowhere_stops() -> Result<(), BoxError> {
    let place = SqlitePlace::new();
    let journal = SqlJournal::sqlite(place.directory()).await?;
    let nowhere = place.directory().join("nowhere");
    std::os::unix::fs::symlink(&nowhere, place.directory().join("KILL"))?;
    assert!(journal.is_stopped().await?);
    journal.stop().await?;
    assert!(!nowhere.exists());
    journal.unstop().await?;
    assert!(!journal.is_stopped().await?);
    Ok(())
}

#[tokio::test]
async fn owners_are_those_that_live() -> Result<(), BoxError> {
    let place = SqlitePlace::new();
    let alive = SqlJournal::sqlite(place.directory()).await?;
    let owners = place.directory().join("owners");
    fs::write(owners.join("0192-dead"), "")?;
    let other = SqlJournal::sqlite(place.directory()).await?;
    let left: std::io::Result<Vec<_>> = fs::read_dir(&owners)?
        .map(|entry| Ok(entry?.file_name()))
        .collect();
    let left = left?;
    assert_eq!(left.len(), 2, "{left:?}");
    for journal in [&alive, &other] {
        assert!(left.iter().any(|name| name == journal.instance()));
    }
    Ok(())
}

#[tokio::test]
async fn a_database_that_was_taken_away_is_not_begun_anew() -> Result<(), BoxError> {
    let place = SqlitePlace::new();
    let journal = SqlJournal::sqlite(place.directory()).await?;
    write(&journal, [mode(Mode::Execute)?, allowed("a", "x")]).await?;
    for name in ["journal.sqlite", "journal.sqlite-wal", "journal.sqlite-shm"] {
        fs::remove_file(place.directory().join(name))?;
    }
    for _ in 0..2 {
        let error = write(&journal, [intent("a")]).await.unwrap_err();
        assert!(matches!(&error, CommitError::Journal(_)), "{error}");
        assert!(journal.state().await.is_err());
        assert!(journal.is_stopped().await.is_err());
    }
    // Nor is one that somebody else has begun anew taken for it.
    let anew = place.open_with(SqlJournal::options()).await;
    write(&anew, [mode(Mode::Observe)?]).await?;
    let error = write(&journal, [intent("a")]).await.unwrap_err();
    assert!(
        matches!(&error, CommitError::Journal(JournalError::Cut { .. })),
        "{error}"
    );
    Ok(())
}

#[tokio::test]
async fn what_the_database_refuses_leaves_nothing_behind() -> Result<(), BoxError> {
    let place = SqlitePlace::new();
    let journal = SqlJournal::sqlite(place.directory()).await?;
    write(&journal, [mode(Mode::Execute)?]).await?;
    let long = "x".repeat(200_000);
    // Refused half-way, as by a disk that takes no more.
    place
        .sql(
            "CREATE TABLE room (taken); INSERT INTO room VALUES (1);
             CREATE TRIGGER full BEFORE INSERT ON journal_lines WHEN length(new.line) > 100000
             BEGIN SELECT raise(ABORT, 'no room'); END;",
        )
        .await;
    let error = write(&journal, [allowed(&long, "x")]).await.unwrap_err();
    assert!(matches!(&error, CommitError::Journal(_)), "{error}");
    // Nothing of it is there, and what fits is taken.
    assert_eq!(journal.state().await?.seq, 1);
    assert_eq!(write(&journal, [allowed("a", "x")]).await?[0].seq, 2);
    assert_eq!(journal.verify().await?.head.seq, 2);
    Ok(())
}

#[tokio::test]
async fn nobody_else_may_read_it() -> Result<(), BoxError> {
    let place = SqlitePlace::new();
    let journal = SqlJournal::sqlite(place.directory()).await?;
    write(&journal, [mode(Mode::Execute)?]).await?;
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&place.directory()), 0o700);
    for name in ["journal.sqlite", "journal.sqlite-wal", "lock"] {
        assert_eq!(mode(&place.directory().join(name)), 0o600, "{name}");
    }
    Ok(())
}
