//! The kill switch: stops everything, and ends that.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;

use crate::guard::controls::{Controls, Decider};
use crate::guard::still_sending::still_sending;
use crate::guard::stop::Stop;
use crate::identity::{Actor, Proof, Target};
use crate::journal::{CommitError, JournalError};
use crate::proposal::Refusal;
use crate::proposal::time;
use crate::records::Record;
use crate::state::State;

/// How long a stop waits to be recorded before it goes on without.
const LONGEST_WAIT: Duration = Duration::from_millis(500);

impl Controls {
    /// Stops everything: once this returns, no process on this journal sends, but for those that
    /// are named in [`Stop::still_sending`], and what was waiting is cancelled. Other journals are
    /// not covered. Taking back what is ours goes on.
    ///
    /// Anybody may stop. Where it cannot be recorded, or not at once, sends are stopped all the
    /// same.
    ///
    /// Of [one system](Controls::of_cluster) only what is for it stops. That is not covered where it
    /// cannot be recorded: then it is an error, and a stop of everything helps.
    ///
    /// # Errors
    /// When sends could be stopped in no way.
    pub async fn stop(&self, by: &Actor, reason: &str) -> Result<Stop, CommitError> {
        let target = self.target.clone();
        let (by, reason) = (by.clone(), reason.to_owned());
        let (tell, told) = oneshot::channel();
        let is_of_all = target.is_none();
        let mut recording = pin!(self.commit(move |state, _| {
            // A name that the journal does not use for it keeps nobody from stopping it.
            let target = target.map(|target| state.clusters.by_its_name(target));
            // Nobody else listens, and whoever listened may have gone.
            let _ = tell.send(Stop::of(state, target.as_ref()));
            Ok(Record::Killed { target, by, reason })
        }));
        if !is_of_all {
            recording.await?;
            return Ok(self.waited(told.await.unwrap_or_default()).await);
        }
        // Recorded first, it says who stopped; but it does not wait long for that.
        let recorded = tokio::time::timeout(LONGEST_WAIT, &mut recording).await;
        let stopped = self.journal.stop().await;
        let recorded = match recorded {
            Ok(recorded) => recorded,
            Err(_) => recording.await,
        };
        match (stopped, recorded) {
            (_, Ok(())) => Ok(self.waited(told.await.unwrap_or_default()).await),
            (Err(source), Err(error)) => Err(CommitError::Journal(JournalError::NotStopped {
                unrecorded: match &error {
                    CommitError::Journal(JournalError::Full { source, .. }) => source.to_string(),
                    other => action_core::report(other),
                },
                source: Box::new(source),
            })),
            (Ok(()), Err(error)) => {
                let state = self.journal.state().await;
                let stop = state.map_or_else(|_| Stop::default(), |state| Stop::of(&state, None));
                let stop = Stop {
                    unrecorded: Some(error),
                    cancelled: Vec::new(),
                    ..stop
                };
                Ok(self.waited(stop).await)
            }
        }
    }

    /// The same after the wait for those who send, with what they have said of it meanwhile.
    async fn waited(&self, stop: Stop) -> Stop {
        let still_sending =
            still_sending(&*self.journal, self.send_wait, self.is_its().as_deref()).await;
        let stop = Stop {
            still_sending,
            ..stop
        };
        match self.journal.state().await {
            Ok(state) => stop.brought_up_to(&state, self.target.as_ref()),
            Err(_) => stop,
        }
    }

    /// Ends a stop of everything. The mode is observe after it.
    ///
    /// # Errors
    /// When nothing is stopped, or who ends it may not, or is not proven.
    pub async fn reset(&self, by: Decider<'_>, reason: &str) -> Result<(), CommitError> {
        let target = self.target.clone();
        // What stops by other means stops all systems.
        let by_other_means = target.is_none() && self.journal.is_stopped().await?;
        if by_other_means {
            // Where a stop by hand is recorded by the next commit, this is that.
            self.journal.commit(Box::new(|_, _| Ok(Vec::new()))).await?;
        }
        let after = self.journal.state().await?.last_switch;
        let (actor, now) = (by.actor.clone(), time::clock());
        let proof = by.proof_by(|key| Proof::of_reset(target.as_ref(), &actor, after, now, key));
        let actor = self.known_if_unsigned(actor, proof.as_ref())?;
        let rules = Arc::clone(&self.rules);
        let may = {
            let (actor, proof, target) = (actor.clone(), proof.clone(), target.clone());
            move |state: &State, now| {
                if !actor.is_user() {
                    let (by, wanted) = (actor.to_string(), "reset the kill switch");
                    return Err(Refusal::NotAPerson { by, wanted });
                }
                if !is_killed(state, target.as_ref()) && !by_other_means {
                    return Err(Refusal::NotKilled);
                }
                rules.vouch_for_reset(target.as_ref(), &actor, proof.as_ref(), state, now)
            }
        };
        let check = may.clone();
        let checked = move |state: &State, now| check(state, now).map(|()| Vec::new());
        self.journal.commit(Box::new(checked)).await?;
        // The journal still stops everything, and the other means would be recorded once more.
        if target.is_none() {
            self.journal.unstop().await?;
        }
        let reset = self.redactor.clean(Record::Reset {
            target: target.clone(),
            by: actor,
            reason: reason.to_owned(),
            proof,
        })?;
        let decision = move |state: &State, now| {
            may(state, now)?;
            let is_killed = is_killed(state, target.as_ref());
            Ok(is_killed.then(|| reset.clone()).into_iter().collect())
        };
        self.journal.commit(Box::new(decision)).await.map(drop)
    }
}

/// Whether one system is stopped by itself, or all are.
fn is_killed(state: &State, target: Option<&Target>) -> bool {
    match target {
        Some(target) => {
            let switch = state.switches.get(&target.system);
            switch.is_some_and(|switch| switch.killed.is_some())
        }
        None => state.killed.is_some(),
    }
}
