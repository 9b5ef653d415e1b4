//! Planning: reads, and reads again where what was read may be from before what was done since.

use std::str::FromStr as _;
use std::sync::Arc;
use std::time::Duration;

use action_core::Plan;
use jiff::Timestamp;
use serde_json::Value;
use uuid::Uuid;

use crate::guard::Guard;
use crate::guard::error::GuardError;
use crate::identity::{Actor, NameClash, Target};
use crate::proposal::time::after;
use crate::proposal::{OutdatedBy, Proposal, Refusal, Request, Standing, plan_difference};
use crate::state::{ProposalStatus, State};

/// Between the proposal and its intent.
const PROPOSAL_LASTS: Duration = Duration::from_hours(1);

/// So often it is planned again when something of ours was done while it was planned.
pub(crate) const PLANS_AGAIN: usize = 3;

/// What is planned, and when its plan began to read.
#[derive(Debug, Clone)]
pub(crate) struct Planned {
    pub(crate) proposal: Proposal,
    pub(crate) began: Began,
    /// Within this, the same request of the same one is a repetition.
    pub(crate) once_within: Duration,
}

impl Planned {
    /// Gives its proposal this id, where there is one. No hash and no signature of a plan is over it.
    pub(crate) fn is_called(&mut self, id: Option<&str>) {
        if let Some(id) = id {
            id.clone_into(&mut self.proposal.id);
        }
    }
}

/// When a plan began to read, and what the journal said then of what it is about. The rest of the
/// state is let go of: while somebody holds it, the next record copies all of it.
#[derive(Debug, Clone)]
pub(crate) struct Began {
    at: Timestamp,
    seq: u64,
    /// What the proposal takes back, if it was there.
    undone: Option<Arc<ProposalStatus>>,
}

/// The beginning of a plan, while it is not known what it takes back.
struct Beginning {
    at: Timestamp,
    state: Arc<State>,
}

impl Beginning {
    fn of(self, proposal: &Proposal) -> Began {
        let Self { at, state } = self;
        let undone = proposal.undoes.as_deref();
        let undone = undone.and_then(|id| state.proposal_status(id)).cloned();
        let seq = state.seq;
        Began { at, seq, undone }
    }
}

impl Began {
    /// The proposal that may have changed what was read, after it was read: one that has changed the
    /// same since, or the one that is taken back, when its request could still arrive at the
    /// beginning and no longer can. While it still can, it is no news.
    pub(crate) fn outdated_by<'a>(
        &self,
        proposal: &'a Proposal,
        state: &'a State,
        now: Timestamp,
    ) -> Option<&'a str> {
        let undone = proposal.undoes.as_deref();
        let arrived = undone.filter(|first| {
            state.may_arrive_until(proposal, now).is_none() && self.could_arrive(first, state)
        });
        let changes = &state.changes;
        let (system, resources) = (&proposal.system, &proposal.resources);
        arrived.or_else(|| changes.after(self.seq, system, resources, &[]))
    }

    /// Whether the request of what the proposal takes back could still arrive at the beginning.
    fn could_arrive(&self, id: &str, state: &State) -> bool {
        match &self.undone {
            Some(status) if status.phase.is_unsent() => true,
            Some(status) if status.phase.is_in_flight() => {
                let until = status.may_arrive_until();
                until.is_some_and(|until| self.at < until)
            }
            Some(_) => false,
            // It ended long ago, or was not proposed yet.
            None => state.proposal_status(id).is_some(),
        }
    }
}

impl Guard {
    async fn beginning(&self) -> Result<Beginning, GuardError> {
        let state = self.state().await?;
        let at = Timestamp::now();
        Ok(Beginning { at, state })
    }

    pub(crate) async fn planned(
        &self,
        request: Request,
        undoes: Option<&str>,
    ) -> Result<Planned, GuardError> {
        let mut again = PLANS_AGAIN;
        loop {
            let planned = self.planned_once(request.clone(), undoes).await?;
            let Planned {
                proposal, began, ..
            } = &planned;
            let state = self.state().await?;
            let outdated = began.outdated_by(proposal, &state, Timestamp::now());
            if outdated.is_none() || again == 0 {
                return Ok(planned);
            }
            again -= 1;
        }
    }

    async fn planned_once(
        &self,
        request: Request,
        undoes: Option<&str>,
    ) -> Result<Planned, GuardError> {
        Actor::from_str(&request.actor)?;
        let mut request = self.trust.known_request(request)?;
        let beginning = self.beginning().await?;
        let name = request.action.as_str();
        let prepared = self.registry.prepare(name, request.parameters)?;
        let footprint = prepared.footprint()?;
        let subject = self.registry.definition(name);
        let subject = subject.map_or("", |definition| &definition.subject);
        let system = self.registry.identity(name).await?;
        let target = self
            .called(Target::new(subject, system), &beginning.state)
            .map_err(Refusal::Name)?;
        let plan = prepared.plan().await?;
        let undo = prepared.undo(&plan.before, None, None)?;
        request.parameters = Value::Object(prepared.parameters().clone());
        let expires_at = after(Timestamp::now(), PROPOSAL_LASTS);
        let id = Uuid::now_v7().to_string();
        let mut proposal = Proposal::new(id, request, target.system, plan, undo, expires_at);
        (proposal.subject, proposal.cluster) = (target.subject, target.cluster);
        proposal.resources = footprint.resources;
        proposal.lasting_effect = footprint.lasting_effect;
        proposal.planned_after = Some(beginning.state.seq);
        let by_hand = self.in_flight_taken_back_by(&proposal).await?;
        proposal.undoes = undoes.map(str::to_owned).or(by_hand);
        let began = beginning.of(&proposal);
        let once_within = Duration::ZERO;
        Ok(Planned {
            proposal,
            began,
            once_within,
        })
    }

    /// A system by its name, which is the one that it has in the journal.
    pub(crate) fn called(&self, found: Target, state: &State) -> Result<Target, NameClash> {
        let mut named = self.clusters.iter();
        let named = named.find(|known| known.is_same_system(&found)).cloned();
        let target = named.unwrap_or_else(|| {
            let cluster = state.clusters.name_of(&found.subject, &found.system);
            let cluster = cluster.map(str::to_owned);
            Target { cluster, ..found }
        });
        state.clusters.check(&target)?;
        Ok(target)
    }

    /// Plans again, and compares with what was shown: the plan that it is sent by, or how it stands
    /// that is not to be sent.
    pub(super) async fn replanned(
        &self,
        proposal: &Proposal,
    ) -> Result<Result<Plan, Standing>, GuardError> {
        let action = proposal.request.action.as_str();
        let found = self.registry.identity(action).await?;
        if found != proposal.system {
            let planned = proposal.system.clone();
            return Err(GuardError::WrongSystem { planned, found });
        }
        let plan = match self.planned_to_send(proposal).await? {
            Ok(plan) => plan,
            Err(standing) => return Ok(Err(standing)),
        };
        let changes = plan_difference(&proposal.plan, &plan);
        if !changes.is_empty() && !self.takes_back_in_flight(proposal).await? {
            return Ok(Err(Standing::Outdated {
                proposal: proposal.clone(),
                by: OutdatedBy::Facts(changes),
            }));
        }
        self.is_ours_or_for_people(proposal, &plan).await?;
        Ok(Ok(plan))
    }

    /// A plan by which it is sent. That there is nothing to send is not believed of what was read
    /// before something of ours was done.
    async fn planned_to_send(
        &self,
        proposal: &Proposal,
    ) -> Result<Result<Plan, Standing>, GuardError> {
        let mut again = PLANS_AGAIN;
        loop {
            let began = self.beginning().await?.of(proposal);
            let (action, parameters) = (&proposal.request.action, &proposal.request.parameters);
            let plan = self.registry.plan(action, parameters.clone()).await?;
            if plan.verdict.may_be_sent() {
                return Ok(Ok(plan));
            }
            let (state, now) = (self.state().await?, Timestamp::now());
            if state.may_arrive_until(proposal, now).is_some() {
                return Ok(Ok(plan));
            }
            match began.outdated_by(proposal, &state, now) {
                Some(_) if again > 0 => again -= 1,
                Some(by) => {
                    let (id, by) = (proposal.id.clone(), by.to_owned());
                    return Err(GuardError::Refused(Refusal::PlanOutdated { id, by }));
                }
                None => {
                    return Ok(Err(Standing::RefusedByPlan {
                        proposal: proposal.clone(),
                        verdict: plan.verdict,
                    }));
                }
            }
        }
    }
}
