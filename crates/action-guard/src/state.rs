//! What the records add up to: what is open, in force and stopped.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::identity::{Actor, BrowserSession, LoginLink, Target};
use crate::proposal::{ChangedBy, Mode, Phase, Proposal};

pub use active_effect::{ActiveEffect, Activity};
pub(crate) use changes::Changes;
pub use clusters::Clusters;
pub use enabled::Enabled;
pub use gates::OpenGate;
pub use in_force::InForce;
pub use open_proposals::OpenProposals;
pub use pauses::Pause;
pub use proposal_status::{Cancel, ProposalStatus, TakenBack, TakenOver};
pub use sent_lately::SentLately;
pub use switches::Switch;
pub use tokens::TokenStatus;
pub use workflow_status::{AttemptState, Attempts, Ended, Ending, Failure, Flow, StepState};

mod active_effect;
mod asked_before;
mod changes;
mod clusters;
mod enabled;
mod gates;
mod in_force;
mod open_proposals;
mod pauses;
mod proposal_status;
mod seen;
mod sent_lately;
mod switches;
mod tokens;
mod workflow_status;

/// What the records add up to: the one thing decisions are made on.
///
/// It changes only by [`apply`](Self::apply), which refuses a record that cannot follow. It knows
/// no clock: times come with the entries. What ended long ago is dropped from it, so that its size
/// does not depend on the length of the journal; the journal itself still has it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct State {
    /// The number of the last record; the first has 1.
    pub seq: u64,
    /// When the last record was written.
    pub at: Option<Timestamp>,
    /// Whether anything may be sent.
    pub mode: Mode,
    /// Who set it to execute, where it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<Enabled>,
    /// Who set the kill switch, if it is set.
    pub killed: Option<Killed>,
    /// The number of the record that last set the mode or the kill switch. A signed switch names it,
    /// so that its signature is good for one switch only.
    pub last_switch: u64,
    /// The same, of those that were set for all systems.
    pub last_switch_of_all: u64,
    /// What is set for single systems, by their ids.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub switches: BTreeMap<String, Switch>,
    /// The systems that have a name.
    #[serde(skip_serializing_if = "no_clusters")]
    pub clusters: Arc<Clusters>,
    /// Proposals that have not ended, by id.
    pub open: OpenProposals,
    /// Proposals that ended last, the latest at the back.
    pub ended: VecDeque<Arc<ProposalStatus>>,
    /// Lasting effects that are ours and in force, or may be, by the id of their proposal.
    pub effects: BTreeMap<String, Arc<ActiveEffect>>,
    /// Workflows that are under way, and those that ended last, by id.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub flows: BTreeMap<String, Arc<Flow>>,
    /// The tokens of agents, also of late those that are over, by id.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub tokens: BTreeMap<String, Arc<TokenStatus>>,
    /// The people who have logged in with a browser, by the ids of their sessions.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub sessions: BTreeMap<String, Arc<BrowserSession>>,
    /// The links by which a person can log in, by id.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub links: BTreeMap<String, Arc<LoginLink>>,
    /// The last pause of each agent that is paused or was of late, by its name in lower case.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub pauses: BTreeMap<String, Arc<Pause>>,
    /// The gates on this journal, by their instances; some may have ended without a word.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub gates: BTreeMap<String, OpenGate>,
    /// What was sent within the last day, the latest at the back.
    pub activity: Arc<SentLately>,
    /// Set when `activity` was cut short of a day because there was too much of it: what was sent
    /// before this is not in it.
    pub activity_complete_since: Option<Timestamp>,
    /// What was changed last.
    #[serde(skip_serializing_if = "no_changes")]
    pub(crate) changes: Arc<Changes>,
}

fn no_clusters(clusters: &Clusters) -> bool {
    clusters.is_empty()
}

fn no_changes(changes: &Changes) -> bool {
    changes.is_empty()
}

/// Who set the kill switch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Killed {
    /// The system that is stopped; `None` for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<Target>,
    /// Who.
    pub by: Actor,
    /// Why.
    pub reason: String,
    /// When.
    pub at: Timestamp,
}

impl State {
    /// A proposal that is open, or ended lately.
    #[must_use]
    pub fn proposal_status(&self, id: &str) -> Option<&Arc<ProposalStatus>> {
        let ended = || {
            self.ended
                .iter()
                .rev()
                .find(|status| status.proposal.id == id)
        };
        self.open.get(id).or_else(ended)
    }

    /// Proposals that were approved in a browser session, and are not sent: whoever ends it because somebody
    /// else has its cookie rejects these.
    #[must_use]
    pub fn approved_in(&self, session: &str) -> Vec<&str> {
        let is_in = |status: &&Arc<ProposalStatus>| {
            let mut attested = status.approvals.iter().flat_map(|one| &one.attested);
            status.phase.is_unsent() && attested.any(|one| one.session == session)
        };
        let found = self.open.values().filter(is_in);
        found.map(|status| status.proposal.id.as_str()).collect()
    }

    /// Proposals that were sent, or may have been, and whose outcome is not known.
    pub fn unsettled(&self) -> impl Iterator<Item = &Arc<ProposalStatus>> {
        self.open.in_flight()
    }

    /// The proposal that is changing this resource of this system, but for one that does not count.
    #[must_use]
    pub fn holder(
        &self,
        system: &str,
        resource: &str,
        excepted: Option<&str>,
    ) -> Option<&Arc<ProposalStatus>> {
        self.unsettled().find(|status| {
            Some(status.proposal.id.as_str()) != excepted
                && status.proposal.system == system
                && status
                    .proposal
                    .resources
                    .iter()
                    .any(|held| held == resource)
        })
    }

    /// The proposal because of which the plan of another is outdated: it has changed the same thing
    /// since, or takes back the same, or has.
    #[must_use]
    pub fn outdated_by<'a>(&'a self, status: &ProposalStatus) -> Option<&'a str> {
        let proposal = &status.proposal;
        let id = proposal.id.as_str();
        let undone = proposal.undoes.as_deref();
        // What it takes back is no conflict.
        let excepted = [id, undone.unwrap_or(id)];
        let planned = status.planned_after();
        let changed =
            (self.changes).after(planned, &proposal.system, &proposal.resources, &excepted);
        changed.or_else(|| {
            let other = self.other_undo(undone?, Some(id))?;
            Some(other.proposal.id.as_str())
        })
    }

    /// The undo of a proposal, other than this one, that has taken it back or is taking it back.
    pub(crate) fn other_undo(
        &self,
        undone: &str,
        undo: Option<&str>,
    ) -> Option<&Arc<ProposalStatus>> {
        let is_at_it = |other: &&Arc<ProposalStatus>| {
            Some(other.proposal.id.as_str()) != undo
                && other.proposal.undoes.as_deref() == Some(undone)
                && (other.phase.is_in_flight() || other.phase == Phase::Applied)
        };
        self.open.values().chain(&self.ended).find(is_at_it)
    }

    /// Who changed what an undo is about, after the proposal that it takes back.
    pub(crate) fn who_changed(&self, undone: &str, undo: &Proposal) -> ChangedBy {
        let mut resources = undo.resources.iter();
        let in_flight = resources.find_map(|it| self.holder(&undo.system, it, Some(undone)));
        if let Some(status) = in_flight {
            return ChangedBy::InFlight(status.proposal.id.clone());
        }
        match self.changes.last(&undo.system, &undo.resources) {
            Some(by) if by != undone => ChangedBy::Proposal(by.to_owned()),
            _ => ChangedBy::Somebody,
        }
    }

    /// Lasting effects whose lease is over.
    pub fn expired_effects(&self, now: Timestamp) -> impl Iterator<Item = &Arc<ActiveEffect>> {
        let over = move |effect: &&Arc<ActiveEffect>| effect.expires_at.is_some_and(|at| at <= now);
        self.effects.values().filter(over)
    }
}
