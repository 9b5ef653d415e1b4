//! Proposing: reads, plans, asks the rules, and writes that down.

use action_core::{ActionError, Undo};
use jiff::Timestamp;
use serde_json::Value;

use crate::guard::Guard;
use crate::guard::authority::{check_lease, rule_for_each, rules_now};
use crate::guard::error::GuardError;
use crate::guard::open_limit::may_wait;
use crate::guard::planned::{PLANS_AGAIN, Planned};
use crate::guard::token_scope::tokens_allow;
use crate::identity::Actor;
use crate::proposal::{Drift, Proposal, Refusal, Request, Ruling, Standing, Waits, words};
use crate::records::Record;
use crate::state::State;

impl Guard {
    /// Plans a mutation, what it would do and what would take it back, and asks the rules. Changes
    /// nothing; what was asked for, the plan and what the rules say of it are in the journal
    /// afterwards. What would not be sent by its plan is closed at once, and waits for nobody.
    ///
    /// Gives [`Allowed`](Standing::Allowed), [`Waits`](Standing::Waits),
    /// [`Denied`](Standing::Denied) or [`RefusedByPlan`](Standing::RefusedByPlan), and nothing else.
    ///
    /// # Errors
    /// What is wrong with the request, what the system could not be asked for, or that the kill
    /// switch or another mutation is in the way: see [`Refusal`].
    pub async fn propose(&self, request: Request) -> Result<Standing, GuardError> {
        let mut again = PLANS_AGAIN;
        loop {
            let planned = self.planned(request.clone(), None).await?;
            self.is_ours_or_for_people(&planned.proposal, &planned.proposal.plan)
                .await?;
            match self.record_proposal(planned).await {
                Err(error) if error.is_outdated() && again > 0 => again -= 1,
                done => return done,
            }
        }
    }

    /// Proposes what takes a mutation back, with the facts it must still find.
    ///
    /// # Errors
    /// When there is nothing that takes it back, when somebody changed it since, when it may be
    /// another's and who asks is no person, and as
    /// [`propose`](Self::propose).
    pub async fn propose_undo(
        &self,
        id: &str,
        actor: &Actor,
        reason: &str,
    ) -> Result<Standing, GuardError> {
        self.propose_undo_as(None, id, actor, reason).await
    }

    /// The same; the proposal has this id, which is that of a [draft](Self::draft_undo) that was shown
    /// to who asks.
    ///
    /// # Errors
    /// As [`propose_undo`](Self::propose_undo), and when there is a proposal of this id.
    pub async fn propose_undo_as(
        &self,
        own: Option<String>,
        id: &str,
        actor: &Actor,
        reason: &str,
    ) -> Result<Standing, GuardError> {
        let mut again = PLANS_AGAIN;
        loop {
            let mut planned = self.planned_undo(id, actor, reason).await?;
            planned.is_called(own.as_deref());
            match self.record_proposal(planned).await {
                Err(error) if error.is_outdated() && again > 0 => again -= 1,
                done => return done,
            }
        }
    }

    /// The same for a workflow, carried out by others beside who asks. What may be another's it does
    /// not take back, whoever started it.
    pub(crate) async fn propose_undo_in_flow(
        &self,
        id: &str,
        actor: &Actor,
        (others, carrier): (&[&Actor], &Actor),
        reason: &str,
    ) -> Result<Standing, GuardError> {
        let mut again = PLANS_AGAIN;
        loop {
            let mut planned = self.planned_undo(id, actor, reason).await?;
            self.is_surely_ours(&planned.proposal, &planned.proposal.plan)
                .await?;
            let mut request = planned.proposal.request.carried_on_by(carrier);
            for other in others {
                request = request.carried_out_by(other);
            }
            planned.proposal.request = self.trust.known_request(request)?;
            match self.record_proposal(planned).await {
                Err(error) if error.is_outdated() && again > 0 => again -= 1,
                done => return done,
            }
        }
    }

    pub(crate) async fn planned_undo(
        &self,
        id: &str,
        actor: &Actor,
        reason: &str,
    ) -> Result<Planned, GuardError> {
        self.no_other_undo(id, None).await?;
        let (system, undo) = self.undo_of(id).await?;
        let Undo::Action {
            name, parameters, ..
        } = &undo
        else {
            let reason = match undo {
                Undo::None { reason } => reason,
                _ => "it has no undo".to_owned(),
            };
            let id = id.to_owned();
            return Err(GuardError::NoUndo { id, reason });
        };
        let request = Request::new(name, Value::Object(parameters.clone()), actor);
        let planned = self.planned(request.reason(reason), Some(id)).await?;
        let proposal = &planned.proposal;
        if proposal.system != system {
            return Err(GuardError::WrongSystem {
                planned: system,
                found: proposal.system.clone(),
            });
        }
        let changes = Drift::list(undo.drift(&proposal.plan));
        if !changes.is_empty() && !self.takes_back_in_flight(proposal).await? {
            // Another undo may have been faster since the first look.
            self.no_other_undo(id, None).await?;
            let by = self.state().await?.who_changed(id, proposal);
            return Err(GuardError::ChangedSince { by, changes });
        }
        self.is_ours_or_for_people(proposal, &proposal.plan).await?;
        Ok(planned)
    }

    /// What is to be written of a proposal, by the rules and the state as they are then.
    pub(super) fn proposing(
        &self,
        planned: &Planned,
        requester: Actor,
    ) -> Result<
        impl FnOnce(&State, Timestamp) -> Result<Vec<Record>, Refusal> + Send + use<>,
        ActionError,
    > {
        let Planned {
            proposal,
            began,
            once_within,
        } = planned;
        let definition = self.definition(&proposal.request.action)?;
        let undo = match (&proposal.lasting_effect, &proposal.undo) {
            (Some(_), Undo::Action { name, .. }) => Some(self.definition(name)?),
            _ => None,
        };
        let (rules, mut asked, began) = (self.rules.clone(), proposal.clone(), began.clone());
        let within = *once_within;
        let (trust, system) = (self.trust, self.trust.itself());
        Ok(move |state: &State, now| {
            let rules = rules_now(&rules);
            asked.request = trust.known_request(asked.request)?;
            state.not_asked_before(&asked, within, now)?;
            tokens_allow(&*rules, &asked, &definition, state, now)?;
            trust.nobody_is_paused(&*rules, state, &asked.request, now)?;
            may_wait(&asked, state, now)?;
            asked.policy = rules.version();
            check_lease(&*rules, &asked, undo.as_deref(), &system, state, now)?;
            let ruling = rule_for_each(&*rules, &mut asked, &definition, state, now);
            // Nobody is asked to agree to what would not be sent.
            let hopeless = !matches!(ruling, Ruling::Deny { .. })
                && !asked.plan.verdict.may_be_sent()
                && state.may_arrive_until(&asked, now).is_none();
            if hopeless && let Some(by) = began.outdated_by(&asked, state, now) {
                // What it would do now, it does not say.
                let (id, by) = (asked.id.clone(), by.to_owned());
                return Err(Refusal::PlanOutdated { id, by });
            }
            let closed = hopeless.then(|| Record::Cancelled {
                id: asked.id.clone(),
                by: requester,
                reason: words(&asked.plan.verdict),
            });
            let proposal = Box::new(asked);
            let proposed = Record::Proposed { proposal, ruling };
            Ok([Some(proposed), closed].into_iter().flatten().collect())
        })
    }

    pub(crate) async fn record_proposal(&self, planned: Planned) -> Result<Standing, GuardError> {
        self.is_of_one_policy().await?;
        let requester = planned.proposal.requester()?;
        let entries = self.commit(self.proposing(&planned, requester)?).await?;
        let Planned { proposal, .. } = planned;
        let mut records = entries.into_iter().map(|entry| entry.record);
        let Some(Record::Proposed {
            proposal: recorded,
            ruling,
        }) = records.next()
        else {
            return Err(GuardError::Abandoned);
        };
        // What was recorded is without secrets, and what is carried out is not.
        let proposal = Proposal {
            rulings: recorded.rulings,
            policy: recorded.policy,
            ..proposal
        };
        let is_closed = records.next().is_some();
        Ok(match ruling {
            Ruling::Deny { rule, reason } => Standing::Denied {
                proposal,
                rule,
                reason,
            },
            _ if is_closed => Standing::RefusedByPlan {
                verdict: proposal.plan.verdict.clone(),
                proposal,
            },
            Ruling::Approve { .. } => Standing::Waits(Waits::of(proposal, &ruling, 0)),
            Ruling::Allow { .. } => Standing::Allowed(proposal),
        })
    }
}
