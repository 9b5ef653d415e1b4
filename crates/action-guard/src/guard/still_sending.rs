//! Waits for requests that are just being handed over, and names those that do not get on.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use crate::journal::{CommitError, Journal, JournalError, Sender};
use crate::proposal::Phase;

/// Between two looks whether somebody is still sending.
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// Why a mode is not what it was set to, or not yet for everybody.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModeError {
    /// It was not set.
    #[error(transparent)]
    Commit(#[from] CommitError),

    /// It is set and nobody else begins to send; these had been permitted to before, and have not
    /// handed over their request.
    #[error(
        "the mode is observe, but a request may still be sent by {}: look at that process, or end it",
        list(.0)
    )]
    StillSending(Vec<Sender>),
}

/// Waits until all who were permitted to send have handed over their request; those who have
/// not in time.
pub(super) async fn still_sending(journal: &dyn Journal, wait: Duration) -> Vec<Sender> {
    let begun = Instant::now();
    loop {
        let senders = match journal.senders().await {
            Ok(senders) if senders.is_empty() => lost(journal).await,
            senders => senders,
        };
        let over = begun.elapsed() >= wait;
        match senders {
            Ok(senders) if senders.is_empty() => return senders,
            Ok(senders) if over => return with_proposals(journal, senders).await,
            Err(error) if over => {
                let why = action_core::report(&error);
                return vec![Sender::elsewhere(None, format!("somebody unknown: {why}"))];
            }
            _ => tokio::time::sleep(LOOK_AGAIN).await,
        }
    }
}

/// Those that have lost the journal with an intent that was not answered. Where that is no
/// proof that they are dead, they may have a permit, and send until their time is over.
async fn lost(journal: &dyn Journal) -> Result<Vec<Sender>, JournalError> {
    if journal.is_death_certain() {
        return Ok(Vec::new());
    }
    let state = journal.state().await?;
    let mut lost = Vec::new();
    for status in state.unsettled().filter(|status| status.answer.is_none()) {
        if let (Some(intent), Some(owner)) = (&status.intent, &status.owner)
            && status.phase == Phase::Executing
            && intent.send_by > Timestamp::now()
            && !journal.is_alive(owner).await?
        {
            let until = format!("a process that lost the journal, until {}", intent.send_by);
            let mut sender = Sender::elsewhere(Some(owner.clone()), until);
            sender.proposal = Some(status.proposal.id.clone());
            lost.push(sender);
        }
    }
    Ok(lost)
}

/// The same; where a journal only knows the instance, with the proposals that it may be at.
async fn with_proposals(journal: &dyn Journal, senders: Vec<Sender>) -> Vec<Sender> {
    let Ok(state) = journal.state().await else {
        return senders;
    };
    let mut named = Vec::new();
    for sender in senders {
        let before = named.len();
        if sender.proposal.is_none() && sender.instance.is_some() {
            let sent = state.unsettled().filter(|status| {
                status.phase == Phase::Executing
                    && status.answer.is_none()
                    && status.owner == sender.instance
            });
            named.extend(sent.map(|status| Sender {
                proposal: Some(status.proposal.id.clone()),
                ..sender.clone()
            }));
        }
        if named.len() == before {
            named.push(sender);
        }
    }
    named
}

fn list(senders: &[Sender]) -> String {
    let senders: Vec<_> = senders.iter().map(Sender::to_string).collect();
    senders.join("; ")
}
