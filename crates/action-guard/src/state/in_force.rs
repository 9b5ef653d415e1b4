//! Everything in force that is ours, with its lease and what takes it back.

use action_core::{Attribution, Settled, SettledState, Undo};
use jiff::Timestamp;
use serde::Serialize;

use crate::identity::Actor;
use crate::proposal::Phase;
use crate::state::{ActiveEffect, State};

/// One lasting effect of ours, as somebody wants to see it who asks what we left behind.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct InForce {
    /// The proposal that brought it about; what takes it back is asked for by this.
    pub id: String,
    /// What it is called, such as `evict-leader/4`.
    pub key: String,
    /// The system it is in force on.
    pub system: String,
    /// The action.
    pub action: String,
    /// Who asked for it, and may release it beside people.
    pub actor: String,
    /// Who carried it out, where that was somebody else.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub carried_out_by: Option<Actor>,
    /// Since when.
    pub since: Timestamp,
    /// Whether it is known to be in force. When not, it may be.
    pub confirmed: bool,
    /// Whose doing it is, once it is known to be in force.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<Attribution>,
    /// Whether it may be another's, because its request was not answered: only a person takes it
    /// back, by its id.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub whose_unknown: bool,
    /// What takes it back.
    pub undo: Undo,
    /// When its lease ends; `None` for when somebody takes it back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lease_until: Option<Timestamp>,
    /// Whether its lease is over, and it waits to be taken back.
    pub lease_over: bool,
    /// The proposal that takes it back, if there is one that has not ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub taken_back_by: Option<String>,
    /// The proposal of ours that has set the same to something else since. Taking that back puts
    /// this in force again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub overwritten_by: Option<String>,
    /// Whether its system still shows it, where that was
    /// [compared](crate::Guard::compare_in_force).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shown: Option<Settled>,
}

impl InForce {
    /// Whether its system shows that it is there no more: somebody has removed it.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        let shown = self.shown.as_ref();
        shown.is_some_and(|shown| shown.state == SettledState::Reversed)
    }
}

impl State {
    /// Everything in force that is ours, or may be, the oldest first: also what only set a limit,
    /// and what is being sent.
    #[must_use]
    pub fn in_force(&self, now: Timestamp) -> Vec<InForce> {
        let mut all: Vec<InForce> = self
            .effects
            .values()
            .filter(|effect| !effect.is_over(now))
            .map(|effect| InForce {
                id: effect.id.clone(),
                key: effect.key.clone(),
                system: effect.system.clone(),
                action: effect.action.clone(),
                actor: effect.actor.clone(),
                carried_out_by: effect.carried_out_by.clone(),
                since: effect.since,
                confirmed: effect.confirmed,
                by: effect.outcome.as_ref().and_then(|outcome| outcome.by),
                whose_unknown: effect.may_be_anothers(),
                undo: effect.undo.clone(),
                lease_until: effect.expires_at,
                lease_over: effect.expires_at.is_some_and(|at| at <= now),
                taken_back_by: self.taking_back(&effect.id, now),
                overwritten_by: self.overwritten_by(effect).map(str::to_owned),
                shown: None,
            })
            .collect();
        all.sort_by(|one, other| (one.since, &one.id).cmp(&(other.since, &other.id)));
        all
    }

    /// Whether what a proposal left in force may be another's, because its request was not answered.
    #[must_use]
    pub fn is_whose_unknown(&self, id: &str) -> bool {
        (self.effects.get(id)).is_some_and(|effect| effect.may_be_anothers())
    }

    /// The last proposal that has brought about the same effect anew, which is in force instead.
    pub(crate) fn overwritten_by(&self, effect: &ActiveEffect) -> Option<&str> {
        let anew = self.effects.values().filter(|other| {
            let is_same = (&other.key, &other.system) == (&effect.key, &effect.system);
            is_same && other.confirmed && (other.since, &other.id) > (effect.since, &effect.id)
        });
        let last = anew.max_by_key(|other| (other.since, &other.id));
        last.map(|other| other.id.as_str())
    }

    /// The proposal that takes an effect back, if there is one that has not ended.
    fn taking_back(&self, id: &str, now: Timestamp) -> Option<String> {
        let takes_back = self.open.values().find(|status| {
            status.proposal.undoes.as_deref() == Some(id) && status.phase_at(now) != Phase::Expired
        });
        takes_back.map(|status| status.proposal.id.clone())
    }
}
