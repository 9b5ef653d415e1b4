//! Several instances on one journal: who wins, and who is dead.

use std::sync::Arc;
use std::time::{Duration, Instant};

use action_core::BoxError;
use tokio::task::JoinSet;

use crate::journal::{CommitError, Journal};
use crate::proposal::Refusal;
use crate::records::Entry;
use crate::testing::fixtures::refusal;
use crate::testing::place::Place;

/// How long something that happens by itself is waited for.
const LONGEST_WAIT: Duration = Duration::from_secs(20);

/// Four instances, as four processes would have.
pub(super) async fn instances(place: &dyn Place) -> Result<Vec<Arc<dyn Journal>>, BoxError> {
    let mut journals = Vec::new();
    for _ in 0..4 {
        journals.push(place.open().await?);
    }
    Ok(journals)
}

/// How many were not refused. All others must have been in this way.
pub(super) async fn winners(
    tasks: &mut JoinSet<Result<Vec<Entry>, CommitError>>,
    expected: impl Fn(&Refusal) -> bool,
) -> Result<usize, BoxError> {
    let mut won = 0;
    while let Some(done) = tasks.join_next().await {
        match done? {
            Ok(_) => won += 1,
            refused => {
                let refused = refusal(refused)?;
                assert!(expected(&refused), "{refused}");
            }
        }
    }
    Ok(won)
}

/// What holds the lock of an instance may let it go a little later than the instance is dropped.
pub(super) async fn until_dead(journal: &dyn Journal, instance: &str) -> Result<(), BoxError> {
    let begun = Instant::now();
    while journal.is_alive(instance).await? {
        if begun.elapsed() > LONGEST_WAIT {
            return Err(format!("{instance} is dropped, and lives").into());
        }
        tokio::task::yield_now().await;
    }
    Ok(())
}
