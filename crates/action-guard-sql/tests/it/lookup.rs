//! What was written of one proposal is found without reading the rest, and checked.

use action_core::BoxError;
use action_guard::testing::fixtures::{allowed, applied, intent, mode, write};
use action_guard::{Entry, Journal, JournalError, Mode, Record};
use action_guard_sql::SqlJournal;

use crate::places::{PostgresPlace, SqlPlace, SqlitePlace};

on_both! {
    what_is_written_of_a_proposal_is_found_without_the_rest,
    a_record_that_was_altered_with_its_hash_is_not_shown,
    a_record_that_is_kept_under_another_proposal_is_found,
}

/// Some proposals, each carried out, over several segments.
async fn journal(place: &dyn SqlPlace) -> Result<SqlJournal, BoxError> {
    let journal = place
        .open_with(SqlJournal::options().segment_bytes(6_000))
        .await;
    write(&journal, [mode(Mode::Execute)?]).await?;
    for at in 0..20 {
        let id = format!("turn-{at}");
        write(&journal, [allowed(&id, &id), intent(&id), applied(&id)]).await?;
    }
    Ok(journal)
}

async fn what_is_written_of_a_proposal_is_found_without_the_rest(
    place: &dyn SqlPlace,
) -> Result<(), BoxError> {
    let journal = journal(place).await?;
    let all = journal.entries(0, 1_000).await?;
    for id in ["turn-0", "turn-7", "turn-19"] {
        let is_about = |entry: &&Entry| entry.record.proposal_id() == Some(id);
        let expected: Vec<_> = all.iter().filter(is_about).cloned().collect();
        assert_eq!(expected.len(), 3);
        assert_eq!(journal.entries_of(id).await?, expected);
    }
    assert_eq!(journal.entries_of("turn").await?, []);
    // Who reads everything comes across this.
    place
        .sql("UPDATE journal_lines SET line = 'nonsense' WHERE seq = 1")
        .await;
    assert!(journal.entries(0, 1_000).await.is_err());
    assert_eq!(journal.entries_of("turn-7").await?.len(), 3);
    Ok(())
}

async fn a_record_that_was_altered_with_its_hash_is_not_shown(
    place: &dyn SqlPlace,
) -> Result<(), BoxError> {
    let journal = journal(place).await?;
    let entries = journal.entries_of("turn-7").await?;
    let Some(entry) = entries.into_iter().next() else {
        return Err("nothing is found".into());
    };
    let mut record = entry.record;
    if let Record::Proposed { proposal, .. } = &mut record {
        proposal.request.reason = Some("a lie".to_owned());
    }
    let (_, line) = Entry::seal(
        entry.seq,
        entry.at,
        &entry.instance,
        entry.prev,
        entry.target,
        record,
    )?;
    let line = line.replace('\'', "''");
    let seq = entry.seq;
    place
        .sql(&format!(
            "UPDATE journal_lines SET line = '{line}' WHERE seq = {seq}"
        ))
        .await;
    let error = journal.entries_of("turn-7").await.unwrap_err();
    assert!(matches!(&error, JournalError::Cut { .. }), "{error}");
    assert_eq!(journal.entries_of("turn-8").await?.len(), 3);
    Ok(())
}

/// It would not be among those of its own.
async fn a_record_that_is_kept_under_another_proposal_is_found(
    place: &dyn SqlPlace,
) -> Result<(), BoxError> {
    let journal = journal(place).await?;
    let last = journal.entries_of("turn-7").await?;
    let seq = last.last().ok_or("nothing is found")?.seq;
    for about in ["NULL", "'0123456789abcdef'"] {
        place
            .sql(&format!(
                "UPDATE journal_lines SET about = {about} WHERE seq = {seq}"
            ))
            .await;
        let error = journal.verify().await.unwrap_err().to_string();
        assert!(error.contains("under another proposal"), "{error}");
    }
    Ok(())
}
