//! Waits for requests that are just being handed over, and names those that do not get on.

use std::time::Duration;

use tokio::time::Instant;

use crate::journal::{CommitError, Journal, JournalError, Sender};
use crate::proposal::Phase;
use crate::proposal::time;
use crate::state::ProposalStatus;

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

/// Which proposals are meant, where not all are.
pub(super) type Meant<'a> = dyn Fn(&ProposalStatus) -> bool + Send + Sync + 'a;

/// Waits until all who were permitted to send have handed over their request; those who have
/// not in time. Where not all are meant, only those that are known to send something else do not count.
pub(super) async fn still_sending(
    journal: &dyn Journal,
    wait: Duration,
    only: Option<&Meant<'_>>,
) -> Vec<Sender> {
    let begun = Instant::now();
    loop {
        let senders = match journal.senders().await {
            Ok(senders) if senders.is_empty() => lost(journal).await,
            senders => senders,
        };
        let senders = match (senders, only) {
            (Ok(senders), Some(is_meant)) => Ok(of_those(journal, senders, is_meant).await),
            (senders, _) => senders,
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

/// Those of them that send what is meant, or may.
async fn of_those(
    journal: &dyn Journal,
    senders: Vec<Sender>,
    is_meant: &Meant<'_>,
) -> Vec<Sender> {
    let mut senders = with_proposals(journal, senders).await;
    let Ok(state) = journal.state().await else {
        return senders;
    };
    senders.retain(|sender| {
        let proposal = sender.proposal.as_deref();
        let status = proposal.and_then(|id| state.proposal_status(id));
        status.is_none_or(|status| is_meant(status))
    });
    senders
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
            && intent.send_by > time::clock()
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

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::io;
    use std::sync::{Arc, Mutex};

    use action_core::{Accepted, Outcome};
    use async_trait::async_trait;
    use jiff::SignedDuration;

    use super::*;
    use crate::journal::{Checking, Decision, Head, MemoryJournal, SendLock, Verified};
    use crate::proposal::{Answer, Mode};
    use crate::records::{Entry, Record};
    use crate::state::State;
    use crate::testing::fixtures::{allowed, intent, mode, write};

    /// A journal whose senders are these, one list after the other, the last for ever.
    #[derive(Debug, Default)]
    struct Senders {
        kept: MemoryJournal,
        /// `None` for when that cannot be found out.
        lists: Mutex<VecDeque<Option<Vec<Sender>>>>,
        /// Whose session is gone may live all the same.
        dies_unseen: bool,
        dead: Option<String>,
    }

    impl Senders {
        fn now(lists: impl IntoIterator<Item = Option<Vec<Sender>>>) -> Self {
            Self {
                lists: Mutex::new(lists.into_iter().collect()),
                ..Self::default()
            }
        }

        async fn after(self, wait: Duration) -> Vec<Sender> {
            still_sending(&self, wait, None).await
        }
    }

    #[async_trait]
    impl Journal for Senders {
        fn instance(&self) -> &str {
            self.kept.instance()
        }

        async fn commit(&self, decision: Decision) -> Result<Vec<Entry>, CommitError> {
            self.kept.commit(decision).await
        }

        async fn state(&self) -> Result<Arc<State>, JournalError> {
            self.kept.state().await
        }

        async fn entries(&self, after: u64, limit: usize) -> Result<Vec<Entry>, JournalError> {
            self.kept.entries(after, limit).await
        }

        async fn head(&self) -> Result<Head, JournalError> {
            self.kept.head().await
        }

        async fn verify_showing(&self, progress: Checking) -> Result<Verified, JournalError> {
            self.kept.verify_showing(progress).await
        }

        async fn is_stopped(&self) -> Result<bool, JournalError> {
            self.kept.is_stopped().await
        }

        async fn stop(&self) -> Result<(), JournalError> {
            self.kept.stop().await
        }

        async fn unstop(&self) -> Result<(), JournalError> {
            self.kept.unstop().await
        }

        async fn send_lock(&self, proposal: &str) -> Result<SendLock, JournalError> {
            self.kept.send_lock(proposal).await
        }

        async fn senders(&self) -> Result<Vec<Sender>, JournalError> {
            let mut lists = self.lists.lock().unwrap();
            let list = match lists.len() {
                0 | 1 => lists.front().cloned().unwrap_or(Some(Vec::new())),
                _ => lists.pop_front().unwrap(),
            };
            list.ok_or_else(|| JournalError::Io {
                doing: "ask",
                path: "there".into(),
                source: io::ErrorKind::TimedOut.into(),
            })
        }

        fn is_death_certain(&self) -> bool {
            !self.dies_unseen
        }

        async fn is_alive(&self, instance: &str) -> Result<bool, JournalError> {
            Ok(self.dead.as_deref() != Some(instance))
        }
    }

    fn session(instance: &str) -> Sender {
        Sender::elsewhere(Some(instance.to_owned()), "a session")
    }

    fn answered(id: &str) -> Record {
        let (accepted, code) = (Accepted::new("will do"), None);
        Record::Answer {
            id: id.to_owned(),
            answer: Answer::Accepted { accepted, code },
        }
    }

    fn unknown(id: &str) -> Record {
        Record::Outcome {
            id: id.to_owned(),
            outcome: Outcome::unknown("deadline", "not seen", "look", Vec::new()),
            undo: None,
        }
    }

    fn too_late(id: &str) -> Record {
        let mut record = intent(id);
        if let Record::Intent { intent, .. } = &mut record {
            intent.send_by = time::clock() - SignedDuration::from_secs(1);
        }
        record
    }

    /// Of what this instance has begun, `a` alone may be being handed over; `late` may as well, but
    /// for its time.
    async fn begin(journal: &dyn Journal) {
        write(journal, [mode(Mode::Execute).unwrap()])
            .await
            .unwrap();
        for (id, later) in [
            ("a", vec![intent("a")]),
            ("answered", vec![intent("answered"), answered("answered")]),
            ("unknown", vec![intent("unknown"), unknown("unknown")]),
            ("late", vec![too_late("late")]),
            ("waits", Vec::new()),
        ] {
            write(journal, [allowed(id, id)]).await.unwrap();
            write(journal, later).await.unwrap();
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_hands_over_is_waited_for() {
        let sending = || Some(vec![session("there")]);
        for first in [sending(), None] {
            let begun = Instant::now();
            let journal = Senders::now([first, sending(), Some(Vec::new())]);
            assert_eq!(journal.after(Duration::from_secs(60)).await, []);
            assert_eq!(begun.elapsed(), LOOK_AGAIN * 2);
        }
        let begun = Instant::now();
        let journal = Senders::now([sending()]);
        let wait = Duration::from_secs(5);
        assert_eq!(journal.after(wait).await, [session("there")]);
        assert_eq!(begun.elapsed(), wait);
    }

    #[tokio::test(start_paused = true)]
    async fn who_cannot_be_found_out_is_somebody() {
        let begun = Instant::now();
        let wait = Duration::from_secs(5);
        let left = ModeError::StillSending(Senders::now([None]).after(wait).await);
        assert_eq!(begun.elapsed(), wait);
        let told = left.to_string();
        let expected = "may still be sent by somebody unknown: cannot ask `there`: timed out: look";
        assert!(told.contains(expected), "{told}");
    }

    #[tokio::test]
    async fn a_session_is_named_by_what_its_instance_hands_over() {
        let mut journal = Senders::default();
        begin(&journal).await;
        let instance = journal.instance().to_owned();
        let named = Sender::here("b", &instance);
        let list = vec![session(&instance), session("other"), named.clone()];
        journal.lists = Mutex::new([Some(list)].into());
        let left = journal.after(Duration::ZERO).await;
        let at = |proposal: &str| Sender {
            proposal: Some(proposal.to_owned()),
            ..session(&instance)
        };
        assert_eq!(left, [at("a"), at("late"), session("other"), named]);
    }

    #[tokio::test]
    async fn who_has_lost_the_journal_may_send_until_its_time_is_over() {
        for (dies_unseen, is_dead, expected) in [
            (true, true, vec!["a"]),
            (true, false, Vec::new()),
            (false, true, Vec::new()),
        ] {
            let mut journal = Senders::default();
            begin(&journal).await;
            journal.dies_unseen = dies_unseen;
            journal.dead = is_dead.then(|| journal.instance().to_owned());
            let left = journal.after(Duration::ZERO).await;
            let proposals: Vec<_> = left
                .iter()
                .filter_map(|sender| sender.proposal.clone())
                .collect();
            assert_eq!(proposals, expected, "{left:?}");
        }
    }
}
