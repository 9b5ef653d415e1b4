//! Carrying out: plans anew, writes the intent, sends once, writes the answer, follows.

use std::sync::Arc;

use action_core::{Accepted, Attempt, Outcome, Plan, SendPermits, Undo};
use jiff::Timestamp;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::time::Instant;

use crate::failpoint::passed;
use crate::guard::authority::{allow_for_each, rules_to_send_by};
use crate::guard::error::GuardError;
use crate::guard::follow::Following;
use crate::guard::permit::SendGate;
use crate::guard::redact::is_redacted;
use crate::guard::token_scope::{carried_out_by, tokens_allow};
use crate::guard::{Guard, Tracked, Watch, size_limits};
use crate::identity::Actor;
use crate::journal::CommitError;
use crate::proposal::time::{after, unix_ms};
use crate::proposal::{Answer, Event, Intent, Phase, Proposal, Refusal, Report, Standing};
use crate::records::Record;

impl Guard {
    /// Carries out what was proposed: plans anew, writes and syncs the intent, sends once, and
    /// follows until the outcome is known, it is stuck, or the plan's deadline is over.
    ///
    /// Called again, it sends nothing again: it says how the proposal stands. So a loop may call it
    /// whenever it wants to go on, also before people have approved.
    ///
    /// What was allowed to one actor is carried out by that actor only: `by` is who asked for it, or
    /// one of those for whom the rules spoke beside them; a gate [carries on](crate::Workflows::carry_on) for them.
    /// What is denied, outdated or refused by its plan here is over: the proposal is cancelled with
    /// the reason, so that nobody carries it out later.
    ///
    /// When the future is dropped before the request is sent, it is not sent. When it is dropped
    /// later, the following goes on by itself for as long as the runtime lives; after that
    /// [`recover`](Self::recover) finds the outcome.
    ///
    /// # Errors
    /// What went wrong. Nothing was sent, but for [`GuardError::Unrecorded`] and
    /// [`GuardError::Abandoned`]. A refusal by the system is [`Standing::NotApplied`].
    pub async fn execute(
        &self,
        proposal: &Proposal,
        by: &Actor,
        watch: Watch<'_>,
    ) -> Result<Standing, GuardError> {
        let (id, by) = (proposal.id.as_str(), &self.trust.known(by)?);
        proposal.requester()?;
        if !proposal.request.may_be_carried_out_by(by) {
            return Err(GuardError::Refused(Refusal::NotRequester {
                id: id.to_owned(),
                requester: proposal.request.actor.clone(),
                by: by.clone(),
            }));
        }
        if let Some(standing) = self.standing_unless_allowed(proposal).await? {
            return Ok(standing);
        }
        self.is_of_one_policy().await?;
        let done = match self.try_to_execute(proposal, by, watch).await {
            Err(GuardError::Refused(refusal)) => {
                let standing = Standing::of_refusal(proposal, &refusal);
                standing.ok_or(GuardError::Refused(refusal))
            }
            done => done,
        };
        let done = self.or_other_undo(proposal, done).await;
        let over = match &done {
            Ok(standing) if standing.ends_the_proposal() => Some(standing.to_string()),
            Err(error) if error.ends_the_proposal() => Some(error.report()),
            _ => None,
        };
        if let Some(why) = over {
            match self.close(id, by, &why).await {
                Ok(true) => {}
                // Somebody was faster, and what was seen may be their doing.
                Ok(false) => return self.standing(id).await,
                Err(error) => {
                    let error = error.report();
                    tracing::warn!(error, id, "cannot cancel the refused proposal");
                }
            }
        }
        match done {
            // Somebody was faster: they carry it out, or it is over.
            Err(error @ GuardError::Refused(Refusal::Phase { .. })) => {
                let standing = self.standing_unless_allowed(proposal).await?;
                standing.ok_or(error)
            }
            done => done,
        }
    }

    /// Cancels a proposal of which nothing was sent. Whether it is over, and nothing of it was.
    pub(crate) async fn close(
        &self,
        id: &str,
        by: &Actor,
        reason: &str,
    ) -> Result<bool, GuardError> {
        let cancelled = Record::Cancelled {
            id: id.to_owned(),
            by: by.clone(),
            reason: reason.to_owned(),
        };
        let unsent = id.to_owned();
        self.commit(move |state, now| {
            let open = state.open.get(&unsent);
            let unsent = open.filter(|status| status.phase_at(now).is_unsent());
            Ok(unsent.map(|_| cancelled).into_iter().collect())
        })
        .await?;
        let state = self.state().await?;
        let status = state.proposal_status(id);
        Ok(status.is_none_or(|status| status.intent.is_none()))
    }

    async fn try_to_execute(
        &self,
        proposal: &Proposal,
        by: &Actor,
        watch: Watch<'_>,
    ) -> Result<Standing, GuardError> {
        let id = proposal.id.as_str();
        if is_redacted(&proposal.request.parameters) {
            return Err(GuardError::Refused(Refusal::Redacted { id: id.to_owned() }));
        }
        let Some(tracked) = self.track(id) else {
            return Ok(Standing::InProgress(proposal.clone()));
        };
        let plan = match self.replanned(proposal).await? {
            Ok(plan) => plan,
            Err(standing) => return Ok(standing),
        };
        watch(Event::Replanned(plan.clone()));
        let (events, mut seen) = unbounded_channel();
        let work = self
            .clone()
            .carry_out(proposal.clone(), by.clone(), plan, tracked, events);
        // Whatever becomes of the caller, what was sent is followed.
        let work = tokio::spawn(work);
        while let Some(event) = seen.recv().await {
            watch(event);
        }
        let report = work.await.unwrap_or(Err(GuardError::Abandoned))?;
        Ok(self.standing_after(report).await)
    }

    async fn carry_out(
        self,
        proposal: Proposal,
        by: Actor,
        plan: Plan,
        tracked: Tracked,
        events: UnboundedSender<Event>,
    ) -> Result<Report, GuardError> {
        passed("guard.planned");
        let (recorded, intent) = self.begin(&proposal, by, plan).await?;
        passed("guard.intent");
        let mut watch = |event| {
            // Nobody may be looking any more.
            let _ = events.send(event);
        };
        watch(Event::Intent {
            attempt: intent.attempt.clone(),
        });
        let mut following = Following::of(&self, &proposal, &intent, &tracked.token);
        let (token, listened) = (tracked.token.clone(), events.clone());
        let called_off = move || token.is_cancelled() || listened.is_closed();
        let definition = self.definition(&proposal.request.action)?;
        let gate = SendGate::new(
            &self,
            &proposal,
            definition,
            &intent,
            Some(recorded),
            called_off,
        );
        let gate = Arc::new(gate);
        // The permit decides; this spares a connection that would come to nothing.
        let outcome = match gate.look().await {
            Err(refused) => {
                let summary = refused.to_string();
                Outcome::not_applied(refused.code, summary, true, Vec::new())
            }
            Ok(()) => {
                passed("send.before");
                let answer = self.send(&proposal, &intent, gate).await;
                following.since = Instant::now();
                self.note(&proposal.id, answer.clone()).await;
                match &answer {
                    Answer::Accepted { accepted, .. } => watch(Event::Accepted(accepted.clone())),
                    Answer::Unclear { error, .. } => watch(Event::Unanswered {
                        error: error.clone(),
                    }),
                    Answer::Refused { .. } => {}
                }
                following.after(answer, &mut watch).await
            }
        };
        let accepted = following.accepted.take();
        let concluded = self.conclude(&proposal, &intent, accepted, outcome, &mut watch);
        let report = concluded.await?;
        self.conclude_first(&proposal, &report.outcome, &mut |_| {})
            .await?;
        Ok(report)
    }

    /// Writes the intent down, if the state still allows it. Gives the number of its record too.
    async fn begin(
        &self,
        proposal: &Proposal,
        by: Actor,
        plan: Plan,
    ) -> Result<(u64, Intent), GuardError> {
        let definition = self.definition(&proposal.request.action)?;
        let (rules, trust, listed) = (self.rules.clone(), self.trust, self.listed.clone());
        let (send_within, held_for) = (self.send_within, self.held_for);
        // What is sent is what the hash was made of, not what the caller says it is.
        let hash = proposal.hash_as_it_is();
        let (id, system) = (proposal.id.clone(), proposal.system.clone());
        let entries = self
            .commit(move |state, now| {
                let rules = rules_to_send_by(&rules);
                let status = state.open.get(&id);
                if let Some(status) = status.filter(|status| status.phase.is_unsent()) {
                    if status.proposal.plan_hash != hash {
                        return Err(Refusal::OtherPlan {
                            id,
                            approved: status.proposal.plan_hash.to_string(),
                            found: hash.to_string(),
                        });
                    }
                    // What waits for approval is refused for that, and not for what is missing.
                    if status.phase == Phase::Approved {
                        let rules = rules.as_ref().map_err(Clone::clone)?;
                        tokens_allow(&**rules, &status.proposal, &definition, state, now)?;
                        trust.is_let_go(&**rules, state, &status.proposal, now)?;
                        let status = carried_out_by(status, &by, now)?;
                        allow_for_each(&status, (trust, &listed), now, |status| {
                            rules.allow_send(status, &definition, &plan, state, now)
                        })?;
                    }
                }
                // By our clock, which the system's is compared with: the journal's may be ahead.
                let sent_at = unix_ms(Timestamp::now().min(now));
                let attempt = Attempt::new(id.as_str(), sent_at, plan.clock).for_system(system);
                let send_by = after(now, send_within);
                let intent = Intent::new(plan, attempt, send_by).by(by);
                let mut intent = Box::new(intent.held_for(held_for));
                intent.policy = rules.ok().and_then(|rules| rules.version());
                Ok(vec![Record::Intent { id, intent }])
            })
            .await?;
        let intent = entries.into_iter().find_map(|entry| match entry.record {
            Record::Intent { intent, .. } => Some((entry.seq, *intent)),
            _ => None,
        });
        intent.ok_or(GuardError::Abandoned)
    }

    /// Sends once, if the gate lets it.
    pub(crate) async fn send(
        &self,
        proposal: &Proposal,
        intent: &Intent,
        gate: Arc<SendGate>,
    ) -> Answer {
        let request = &proposal.request;
        let (parameters, before) = (request.parameters.clone(), &intent.plan.before);
        let permits = Arc::clone(&gate) as Arc<dyn SendPermits>;
        let attempt = intent.attempt.clone().permitted_by(permits);
        let answer = self
            .registry
            .send(&request.action, parameters, before, &attempt)
            .await;
        passed("send.after");
        tracing::debug!(action = request.action, accepted = answer.is_ok(), "sent");
        gate.answer(answer)
    }

    /// Writes the answer down. Whatever happens to this record, the intent is there and the
    /// outcome will be.
    async fn note(&self, id: &str, answer: Answer) {
        let noted = self
            .write(Record::Answer {
                id: id.to_owned(),
                answer: size_limits::answer(answer),
            })
            .await;
        if let Err(error) = noted {
            tracing::warn!(
                error = &*action_core::redacted(&action_core::report(&error)),
                "answer not recorded"
            );
        }
        passed("guard.answered");
    }

    /// Writes the outcome down and reports.
    pub(crate) async fn conclude(
        &self,
        proposal: &Proposal,
        intent: &Intent,
        accepted: Option<Accepted>,
        outcome: Outcome,
        watch: Watch<'_>,
    ) -> Result<Report, GuardError> {
        passed("guard.followed");
        let outcome = size_limits::outcome(outcome);
        watch(Event::Outcome(outcome.clone()));
        let request = &proposal.request;
        let (parameters, before) = (request.parameters.clone(), &intent.plan.before);
        let undo = self.registry.undo(
            &request.action,
            parameters,
            before,
            accepted.as_ref(),
            Some(&outcome),
        );
        let report = Report {
            id: proposal.id.clone(),
            action: request.action.clone(),
            parameters: request.parameters.clone(),
            attempt: intent.attempt.clone(),
            accepted,
            undo: undo.unwrap_or_else(|error| Undo::none(error.report())),
            outcome,
        };
        let written = self.write(Record::Outcome {
            id: proposal.id.clone(),
            outcome: report.outcome.clone(),
            undo: Some(report.undo.clone()),
        });
        match written.await {
            Ok(_) => Ok(report),
            Err(CommitError::Refused(_)) if self.is_taken_over(&report.id).await => {
                Ok(self.concluded_beside_an_undo(report).await)
            }
            Err(source) => Err(GuardError::Unrecorded {
                report: Box::new(report),
                source,
            }),
        }
    }
}
