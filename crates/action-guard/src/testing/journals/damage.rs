//! What `verify` says of records that are not as they were written.

use std::sync::Arc;

use action_core::{BoxError, report};

use crate::journal::{Journal, JournalError};
use crate::proposal::Mode;
use crate::testing::fixtures::{mode, write};
use crate::testing::journals::Checked;
use crate::testing::place::{Damage, Place};

/// `verify` says which record is not as it was written.
pub async fn a_changed_record_is_named(place: &dyn Place) -> Checked {
    let journal = three_records(place).await?;
    place.damage(Damage::Change(2)).await?;
    for journal in [journal, place.open().await?] {
        let said = broken(journal.verify().await)?;
        assert!(said.contains("record 2 was changed"), "{said}");
    }
    Ok(())
}

/// What is behind a gap does not follow what is before it.
pub async fn a_missing_record_is_missed(place: &dyn Place) -> Checked {
    let journal = three_records(place).await?;
    place.damage(Damage::Remove(2)).await?;
    for journal in [journal, place.open().await?] {
        broken(journal.verify().await)?;
    }
    Ok(())
}

async fn three_records(place: &dyn Place) -> Result<Arc<dyn Journal>, BoxError> {
    let journal = place.open().await?;
    for _ in 0..3 {
        write(&*journal, [mode(Mode::Observe)?]).await?;
    }
    assert_eq!(journal.verify().await?.head.seq, 3);
    Ok(journal)
}

fn broken<T>(verified: Result<T, JournalError>) -> Result<String, BoxError> {
    match verified {
        Ok(_) => Err("the damage was not found".into()),
        Err(error) => Ok(report(&error)),
    }
}
