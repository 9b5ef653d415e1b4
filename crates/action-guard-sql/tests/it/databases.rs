//! What both databases do: segments, shared transactions, other instances' failures.

use std::sync::Arc;
use std::time::{Duration, Instant};

use action_core::BoxError;
use action_guard::testing::fixtures::{allowed, applied, intent, mode, refusal, write};
use action_guard::{CommitError, Entry, Head, Journal, JournalError, Ledger, Mode, Refusal};
use action_guard_sql::SqlJournal;
use tokio::task::JoinSet;

use crate::places::{PostgresPlace, SqlPlace, SqlitePlace};

/// Makes a test of each rule for each database.
macro_rules! on_both {
    ($($test:ident,)+) => {
        mod sqlite {
            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $test() -> Result<(), action_core::BoxError> {
                    super::$test(&super::SqlitePlace::new()).await
                }
            )+
        }
        mod postgres {
            use action_guard::testing::Place as _;
            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $test() -> Result<(), action_core::BoxError> {
                    if let Some(place) = super::PostgresPlace::new() {
                        super::$test(&place).await?;
                        place.end().await;
                    }
                    Ok(())
                }
            )+
        }
    };
}

on_both! {
    segments_begin_with_what_is_before_them_and_opening_reads_the_last,
    the_lines_are_a_chain_by_themselves,
    waiting_decisions_share_a_transaction,
    a_stop_is_written_down_by_the_next_commit,
    a_head_that_is_not_the_end_is_found,
    a_record_in_another_place_is_found,
    a_process_that_saw_more_than_is_there_sends_nothing,
    a_decision_that_panics_ends_writing_and_keeps_the_instance_alive,
    a_writer_that_does_not_come_back_is_not_waited_for,
    what_is_no_instance_is_not_called_dead,
    a_journal_of_another_format_is_called_that,
    tables_of_another_version_are_not_touched,
}

async fn turn(journal: &SqlJournal, id: &str) -> Result<(), CommitError> {
    write(journal, [allowed(id, id), intent(id), applied(id)]).await?;
    Ok(())
}

async fn segments_begin_with_what_is_before_them_and_opening_reads_the_last(
    place: &dyn SqlPlace,
) -> Result<(), BoxError> {
    let small = SqlJournal::options().segment_bytes(6_000);
    let journal = place.open_with(small.clone()).await;
    let follower = place.open_with(small.clone()).await;
    let held = [mode(Mode::Execute)?, allowed("open", "z"), intent("open")];
    write(&journal, held).await?;
    for at in 0..30 {
        turn(&journal, &format!("turn-{at}")).await?;
        assert_eq!(follower.state().await?, journal.state().await?);
    }
    let verified = journal.verify().await?;
    assert!(verified.segments > 4, "{verified:?}");
    let checkpoints = u64::try_from(verified.segments - 1)?;
    assert_eq!(verified.head.seq, 3 + 30 * 3 + checkpoints);
    // Damage in an old segment is for `verify` to find; it keeps nobody from working.
    place
        .sql("UPDATE journal_lines SET line = 'nonsense' WHERE seq = 2")
        .await;
    let other = place.open_with(small).await;
    assert_eq!(other.state().await?, journal.state().await?);
    let held = write(&other, [allowed("more", "z"), intent("more")]).await;
    assert!(matches!(refusal(held)?, Refusal::ResourceHeld { .. }));
    turn(&other, "later").await?;
    let found = other.verify().await.unwrap_err();
    assert!(
        matches!(&found, JournalError::Bad { line: 2, .. }),
        "{found}"
    );
    Ok(())
}

/// A file of the lines is what a journal in files would be.
async fn the_lines_are_a_chain_by_themselves(place: &dyn SqlPlace) -> Result<(), BoxError> {
    let journal = place.open_with(SqlJournal::options()).await;
    write(&journal, [mode(Mode::Execute)?]).await?;
    turn(&journal, "ä\u{0}\u{1f}\"\\").await?;
    let mut ledger = Ledger::new();
    for entry in journal.entries(0, 100).await? {
        let Entry {
            seq,
            at,
            instance,
            prev,
            target,
            record,
            ..
        } = entry;
        let (_, line) = Entry::seal(seq, at, &instance, prev, target, record)?;
        ledger.follow(line.as_bytes())?;
    }
    assert_eq!(ledger.head(), journal.verify().await?.head);
    assert_eq!(**ledger.state(), *journal.state().await?);
    Ok(())
}

async fn waiting_decisions_share_a_transaction(place: &dyn SqlPlace) -> Result<(), BoxError> {
    let journal = Arc::new(place.open_with(SqlJournal::options()).await);
    write(&*journal, [mode(Mode::Execute)?]).await?;
    let before = journal.commits();
    let mut tasks = JoinSet::new();
    for task in 0..64 {
        let journal = Arc::clone(&journal);
        tasks.spawn(async move {
            let id = format!("id-{task}");
            write(&*journal, [allowed(&id, &id)]).await.unwrap();
        });
    }
    tasks.join_all().await;
    let commits = journal.commits() - before;
    assert!(commits < 32, "{commits} transactions for 64 decisions");
    assert_eq!(journal.state().await?.seq, 65);
    Ok(())
}

async fn a_stop_is_written_down_by_the_next_commit(place: &dyn SqlPlace) -> Result<(), BoxError> {
    let journal = place.open_with(SqlJournal::options()).await;
    write(&journal, [mode(Mode::Execute)?, allowed("a", "x")]).await?;
    place.open_with(SqlJournal::options()).await.stop().await?;
    let refused = refusal(write(&journal, [intent("a")]).await)?;
    assert!(!matches!(refused, Refusal::Observing), "{refused}");
    let killed = journal.state().await?.killed.clone().ok_or("not killed")?;
    assert_eq!(killed.by.as_str(), "system");
    assert_eq!(journal.verify().await?.head.seq, 3);
    Ok(())
}

async fn a_head_that_is_not_the_end_is_found(place: &dyn SqlPlace) -> Result<(), BoxError> {
    let journal = place.open_with(SqlJournal::options()).await;
    write(&journal, [mode(Mode::Execute)?, mode(Mode::Observe)?]).await?;
    place.sql("DELETE FROM journal_lines WHERE seq = 2").await;
    let other = place.open_with(SqlJournal::options()).await;
    for found in [
        other.verify().await.map(drop),
        other.state().await.map(drop),
    ] {
        let found = found.unwrap_err();
        assert!(matches!(&found, JournalError::Cut { .. }), "{found}");
        assert!(found.to_string().contains("record 2 is missing"), "{found}");
    }
    // With the head as well, the chain looks whole; only who kept the head elsewhere knows.
    place.sql("UPDATE journal_head SET seq = 1").await;
    let found = other.verify().await.unwrap_err().to_string();
    assert!(found.contains("record 1 has hash"), "{found}");
    Ok(())
}

async fn a_record_in_another_place_is_found(place: &dyn SqlPlace) -> Result<(), BoxError> {
    let journal = place.open_with(SqlJournal::options()).await;
    write(&journal, [mode(Mode::Execute)?, mode(Mode::Observe)?]).await?;
    place.sql("UPDATE journal_lines SET seq = seq + 10").await;
    let found = journal.verify().await.unwrap_err();
    assert!(matches!(&found, JournalError::Cut { .. }), "{found}");
    let other = place.open_with(SqlJournal::options()).await;
    assert!(write(&other, [mode(Mode::Execute)?]).await.is_err());
    Ok(())
}

/// As after a backup was put back: nobody builds on what they alone know.
async fn a_process_that_saw_more_than_is_there_sends_nothing(
    place: &dyn SqlPlace,
) -> Result<(), BoxError> {
    let journal = place.open_with(SqlJournal::options()).await;
    let first = write(&journal, [mode(Mode::Execute)?]).await?;
    write(&journal, [allowed("a", "x"), intent("a")]).await?;
    let back = Head::new(1, first[0].hash);
    place.sql("DELETE FROM journal_lines WHERE seq > 1").await;
    place
        .sql(&format!(
            "UPDATE journal_head SET seq = 1, hash = '{}'",
            back.hash
        ))
        .await;
    for _ in 0..2 {
        let error = write(&journal, [mode(Mode::Observe)?]).await.unwrap_err();
        let cut = matches!(&error, CommitError::Journal(JournalError::Cut { .. }));
        assert!(cut, "{error}");
        assert!(journal.state().await.is_err());
    }
    let other = place.open_with(SqlJournal::options()).await;
    assert_eq!(other.verify().await?.head, back);
    Ok(())
}

async fn a_decision_that_panics_ends_writing_and_keeps_the_instance_alive(
    place: &dyn SqlPlace,
) -> Result<(), BoxError> {
    let journal = place.open_with(SqlJournal::options()).await;
    let other = place.open_with(SqlJournal::options()).await;
    write(
        &journal,
        [mode(Mode::Execute)?, allowed("a", "x"), intent("a")],
    )
    .await?;
    let panics = journal.commit(Box::new(|_, _| unreachable!("a test panics here")));
    let error = panics.await.unwrap_err();
    assert!(
        matches!(error, CommitError::Journal(JournalError::Stopped)),
        "{error}"
    );
    assert!(write(&journal, [applied("a")]).await.is_err());
    // It sends nothing more, and may still be at what it has sent.
    assert!(journal.is_stopped().await.is_err());
    assert!(other.is_alive(journal.instance()).await?);
    assert_eq!(journal.state().await?.seq, 3);
    // And holds up nobody.
    write(&other, [mode(Mode::Observe)?]).await?;
    Ok(())
}

async fn a_writer_that_does_not_come_back_is_not_waited_for(
    place: &dyn SqlPlace,
) -> Result<(), BoxError> {
    let patient = place.open_with(SqlJournal::options()).await;
    let short = SqlJournal::options().lock_wait(Duration::from_millis(200));
    let journal = place.open_with(short).await;
    let (inside, is_inside) = tokio::sync::oneshot::channel();
    let (leave, left) = std::sync::mpsc::channel::<()>();
    let observe = mode(Mode::Observe)?;
    let hangs = tokio::spawn(async move {
        let decision = Box::new(move |_: &action_guard::State, _| {
            let _ = inside.send(());
            let _ = left.recv();
            Ok(vec![observe])
        });
        patient.commit(decision).await
    });
    is_inside.await?;
    let begun = Instant::now();
    let error = write(&journal, [mode(Mode::Observe)?]).await.unwrap_err();
    let locked = matches!(
        &error,
        CommitError::Journal(JournalError::Locked { waited_ms: 200, .. })
    );
    assert!(locked, "{error}");
    assert!(begun.elapsed() >= Duration::from_millis(200));
    // Readers do not wait.
    assert_eq!(journal.state().await?.seq, 0);
    leave.send(())?;
    assert_eq!(hangs.await??.len(), 1);
    assert_eq!(write(&journal, [mode(Mode::Observe)?]).await?[0].seq, 2);
    Ok(())
}

async fn what_is_no_instance_is_not_called_dead(place: &dyn SqlPlace) -> Result<(), BoxError> {
    let journal = place.open_with(SqlJournal::options()).await;
    for instance in ["", "../lock", "another journal's"] {
        let error = journal.is_alive(instance).await.unwrap_err();
        let said = action_core::report(&error);
        assert!(said.contains("is not an instance"), "{said}");
    }
    Ok(())
}

async fn a_journal_of_another_format_is_called_that(place: &dyn SqlPlace) -> Result<(), BoxError> {
    let journal = place.open_with(SqlJournal::options()).await;
    write(&journal, [mode(Mode::Execute)?, allowed("a", "x")]).await?;
    drop(journal);
    place
        .sql("UPDATE journal_lines SET line = replace(line, '{\"v\":3,', '{\"v\":1,')")
        .await;
    let journal = place.open_with(SqlJournal::options()).await;
    let found = [
        journal.state().await.map(drop),
        journal.verify().await.map(drop),
        journal.entries(0, 9).await.map(drop),
        journal.entries_of("a").await.map(drop),
    ];
    for found in found {
        let found = found.unwrap_err();
        let is_named = matches!(&found, JournalError::OtherFormat { version: 1, .. });
        assert!(is_named, "{found}");
    }
    let error = write(&journal, [mode(Mode::Observe)?]).await.unwrap_err();
    let said = error.to_string();
    assert!(said.contains("reads format 3 only"), "{said}");
    Ok(())
}

async fn tables_of_another_version_are_not_touched(place: &dyn SqlPlace) -> Result<(), BoxError> {
    drop(place.open_with(SqlJournal::options()).await);
    for other in [1, 3] {
        let layout = format!("UPDATE journal_head SET layout = {other}");
        place.sql(&layout).await;
        let error = place.open().await.unwrap_err();
        let said = action_core::report(&*error);
        let expected = format!("layout {other}, but this program uses layout 2: use");
        assert!(said.contains(&expected), "{said}");
    }
    Ok(())
}
