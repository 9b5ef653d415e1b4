//! A policy as the rules of a guard.

use std::collections::BTreeMap;

use action_core::{ActionDefinition, Plan};
use jiff::Timestamp;
use serde_json::Value;

use crate::identity::{Actor, StatementSignature};
use crate::policy::budget::{Usage, Used};
use crate::policy::question::{Act, Ask};
use crate::policy::rules_trait::Rules;
use crate::policy::{Answer, DecidedBy, Decision, Policy};
use crate::proposal::{Approval, Proposal, Refusal, Ruling};
use crate::state::{ProposalStatus, State};

impl Rules for Policy {
    fn version(&self) -> Option<String> {
        self.hash.map(|hash| hash.to_string())
    }

    fn rule(
        &self,
        proposal: &Proposal,
        definition: &ActionDefinition,
        state: &State,
        now: Timestamp,
    ) -> Ruling {
        if let Err(error) = proposal.request.actor.parse::<Actor>() {
            return Ruling::Deny {
                rule: DecidedBy::Default.to_string(),
                reason: error.to_string(),
            };
        }
        let asked = ask(proposal, definition, &proposal.plan, state, now);
        self.decide(&asked, &Usage::of(state)).into()
    }

    fn allow_send(
        &self,
        status: &ProposalStatus,
        definition: &ActionDefinition,
        replanned: &Plan,
        state: &State,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let usage = Usage::of(state);
        self.permits(status, definition, replanned, state, &usage, now)
    }

    fn allow_at_send(
        &self,
        status: &ProposalStatus,
        definition: &ActionDefinition,
        replanned: &Plan,
        state: &State,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let usage = Usage::default();
        self.permits(status, definition, replanned, state, &usage, now)
    }

    fn rule_taking_back(
        &self,
        definition: &ActionDefinition,
        actor: &str,
        system: &str,
        state: &State,
        at: Timestamp,
    ) -> Ruling {
        let asked = Ask::new(definition, actor, system, at).takes_back(true);
        self.decide(&asked, &Usage::of(state)).into()
    }

    /// A person whose key is listed counts only with a signature, required or not: else anybody
    /// could do in their name what they can prove.
    fn vouch(
        &self,
        act: Act,
        by: &Actor,
        statement: &Value,
        signature: Option<&StatementSignature>,
    ) -> Result<(), Refusal> {
        let why = match (self.key_of(by), signature) {
            (Some(key), Some(signature)) if key.verifies(statement, signature) => return Ok(()),
            (Some(_), Some(_)) => "the signature is not by the key that the policy lists",
            (Some(_), None) => "the policy lists a key, so a signature by it is needed",
            (None, Some(_)) => "it is signed, and the policy lists no key",
            (None, None) if self.requires_signed(act) => {
                "the policy wants a signature, and lists no key"
            }
            (None, None) => return Ok(()),
        };
        Err(Refusal::NotProven {
            by: by.clone(),
            why,
        })
    }
}

impl Policy {
    /// Whether an approved proposal may be sent, given what else is going on.
    fn permits(
        &self,
        status: &ProposalStatus,
        definition: &ActionDefinition,
        replanned: &Plan,
        state: &State,
        usage: &Usage,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let proposal = &status.proposal;
        let asked = ask(proposal, definition, replanned, state, now);
        let ruling = Ruling::from(self.decide(&asked, usage));
        let denied = |reason: String| {
            Err(Refusal::Denied {
                rule: ruling.rule().to_owned(),
                reason,
            })
        };
        match &ruling {
            Ruling::Allow { .. } => Ok(()),
            Ruling::Deny { reason, .. } => denied(reason.clone()),
            Ruling::Approve { by, count, .. } => {
                // The journal's word is not enough: whoever can write it can write an approval.
                let counts = |approval: &&Approval| {
                    approval.expires_at > now
                        && approval.plan_hash == proposal.plan_hash
                        && !approval
                            .by
                            .as_str()
                            .eq_ignore_ascii_case(&proposal.request.actor)
                        && approval.fits(&proposal.id, &ruling).is_ok()
                        && self.vouch_for_approval(&proposal.id, approval).is_ok()
                };
                let have = status.approvals.iter().filter(counts).count();
                if u32::try_from(have).unwrap_or(u32::MAX) >= *count {
                    return Ok(());
                }
                let by = by.join(", ");
                denied(format!(
                    "it takes the approval of {count} of {by}, and has {have} that count"
                ))
            }
        }
    }
}

fn ask<'a>(
    proposal: &'a Proposal,
    definition: &'a ActionDefinition,
    plan: &'a Plan,
    state: &State,
    at: Timestamp,
) -> Ask<'a> {
    let undone = proposal.undoes.as_ref();
    let ours = undone.is_some_and(|undone| state.effects.contains_key(undone));
    Ask::new(definition, &proposal.request.actor, &proposal.system, at)
        .plan(plan)
        .takes_back(ours)
}

impl From<Decision> for Ruling {
    fn from(decision: Decision) -> Self {
        let rule = decision.decided_by.to_string();
        match decision.answer {
            Answer::Allow => Self::Allow { rule },
            Answer::Approve {
                by,
                count,
                ttl_ms,
                signed,
            } => Self::Approve {
                rule,
                by,
                count,
                ttl_ms,
                signed,
            },
            Answer::Deny { reason } => Self::Deny { rule, reason },
        }
    }
}

impl Usage {
    /// What is going on by a journal's state.
    #[must_use]
    pub fn of(state: &State) -> Self {
        let mut used: BTreeMap<&str, Used> = BTreeMap::new();
        for sent in &state.activity {
            let mut one = Used::new(&sent.action, &sent.actor, &sent.system, sent.at);
            one.impact.clone_from(&sent.impact);
            one.failure_domains.clone_from(&sent.failure_domains);
            used.insert(&sent.id, one);
        }
        for status in state.unsettled() {
            let proposal = &status.proposal;
            let request = &proposal.request;
            let plan = status
                .intent
                .as_ref()
                .map_or(&proposal.plan, |intent| &intent.plan);
            let one = used.entry(&proposal.id).or_insert_with(|| {
                Used::new(
                    &request.action,
                    &request.actor,
                    &proposal.system,
                    status.proposed_at,
                )
            });
            one.in_motion = true;
            one.impact.clone_from(&plan.impact);
            one.failure_domains.clone_from(&plan.failure_domains);
        }
        for effect in state.effects.values() {
            let one = used.entry(&effect.id).or_insert_with(|| {
                let mut one =
                    Used::new(&effect.action, &effect.actor, &effect.system, effect.since);
                one.failure_domains.clone_from(&effect.failure_domains);
                one
            });
            one.in_force = true;
        }
        Self {
            used: used.into_values().collect(),
            complete_since: state.activity_complete_since,
        }
    }
}
