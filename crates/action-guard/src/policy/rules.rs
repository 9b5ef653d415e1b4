//! A policy as the rules of a guard.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use action_core::{ActionDefinition, Plan};
use jiff::Timestamp;
use serde_json::Value;

use crate::identity::{Actor, Proof, StatementSignature};
use crate::policy::always::AlwaysDenied;
use crate::policy::budget::{Usage, Used};
use crate::policy::explain::Weighed;
use crate::policy::question::{Act, Ask};
use crate::policy::rules_trait::Rules;
use crate::policy::{Answer, DecidedBy, Decision, Policy};
use crate::proposal::{Approval, Proposal, Refusal, Ruling};
use crate::state::{ProposalStatus, State};

impl Rules for Policy {
    fn version(&self) -> Option<String> {
        self.hash.map(|hash| hash.to_string())
    }

    fn text(&self) -> Option<Arc<str>> {
        self.text.clone()
    }

    fn weigh(&self, ask: &Ask<'_>, state: &State) -> Weighed {
        self.explain(ask, &self.usage(ask, state)).into()
    }

    fn always_denied(&self, ask: &Ask<'_>) -> AlwaysDenied {
        Self::always_denied(self, ask)
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
        self.decide(&asked, &self.usage(&asked, state)).into()
    }

    fn allow_send(
        &self,
        status: &ProposalStatus,
        definition: &ActionDefinition,
        replanned: &Plan,
        state: &State,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let asked = ask(&status.proposal, definition, replanned, state, now);
        self.permits(status, &asked, &self.usage(&asked, state))
    }

    fn allow_at_send(
        &self,
        status: &ProposalStatus,
        definition: &ActionDefinition,
        replanned: &Plan,
        state: &State,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let asked = ask(&status.proposal, definition, replanned, state, now);
        self.permits(status, &asked, &Usage::default())
    }

    fn rule_taking_back(
        &self,
        definition: &ActionDefinition,
        actor: &Actor,
        system: &str,
        state: &State,
        at: Timestamp,
    ) -> Ruling {
        let name = state.clusters.name_of(&definition.subject, system);
        let asked = Ask::new(definition, actor.as_str(), system, at);
        let asked = asked
            .proven_by(actor.proven_by())
            .cluster(name)
            .takes_back(true);
        self.decide(&asked, &self.usage(&asked, state)).into()
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
            (Some(_), Some(_)) => "the signature does not match the key in the policy",
            (Some(_), None) => "a signature is required, because the policy lists a key",
            (None, Some(_)) => "it is signed, but the policy lists no key",
            (None, None) if self.requires_signed(act) => {
                "the policy requires a signature but lists no key"
            }
            (None, None) => return Ok(()),
        };
        Err(Refusal::NotProven {
            by: by.clone(),
            why,
        })
    }

    fn lists_key_of(&self, who: &Actor) -> bool {
        self.key_of(who).is_some()
    }

    fn vouch_by_gate(&self, by: &Actor, statement: &Value, proof: &Proof) -> Result<(), Refusal> {
        let mut gates = self.gates.iter().map(|gate| &gate.key);
        let why = match gates.find(|key| key.to_string() == proof.key) {
            Some(key) if key.verifies(statement, &proof.signature) => return Ok(()),
            Some(_) => "the signature is not by the gate that is said to have made it",
            None => "the policy lists no gate with the key that signed it: `[[gate]]`",
        };
        Err(Refusal::NotProven {
            by: by.clone(),
            why,
        })
    }
}

impl Policy {
    /// What is going on that counts for a request: nothing where no budget is about it.
    fn usage<'s>(&self, ask: &Ask<'_>, state: &'s State) -> Usage<'s> {
        if self.budgets.iter().any(|budget| budget.counts(ask)) {
            return Usage::counted(state, ask.at);
        }
        Usage::default()
    }

    /// Whether an approved proposal may be sent, given what else is going on.
    fn permits(
        &self,
        status: &ProposalStatus,
        ask: &Ask<'_>,
        usage: &Usage<'_>,
    ) -> Result<(), Refusal> {
        let proposal = &status.proposal;
        let ruling = Ruling::from(self.decide(ask, usage));
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
                    approval.expires_at > ask.at
                        && approval.plan_hash == proposal.plan_hash
                        && !approval
                            .by
                            .as_str()
                            .eq_ignore_ascii_case(&proposal.request.actor)
                        && proposal.request.owned_by(&approval.by).is_none()
                        && approval.fits(&proposal.id, &ruling).is_ok()
                        && self.vouch_for_approval(&proposal.id, approval).is_ok()
                };
                let have = status.approvals.iter().filter(counts).count();
                if u32::try_from(have).unwrap_or(u32::MAX) >= *count {
                    return Ok(());
                }
                let by = by.join(", ");
                let approvals = if *count == 1 { "approval" } else { "approvals" };
                denied(format!(
                    "needs {count} {approvals} from {by} ({have} so far)"
                ))
            }
        }
    }
}

fn ask<'a>(
    proposal: &'a Proposal,
    definition: &'a ActionDefinition,
    plan: &'a Plan,
    state: &'a State,
    at: Timestamp,
) -> Ask<'a> {
    let named = || (state.clusters).name_of(&definition.subject, &proposal.system);
    let name = proposal.cluster.as_deref().or_else(named);
    let undone = proposal.undoes.as_ref();
    let ours = undone.is_some_and(|undone| state.effects.contains_key(undone));
    Ask::new(definition, &proposal.request.actor, &proposal.system, at)
        .proven_by(&proposal.request.proven_by)
        .cluster(name)
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
                proven_by,
            } => Self::Approve {
                rule,
                by,
                count,
                ttl_ms,
                signed,
                proven_by,
            },
            Answer::Deny { reason } => Self::Deny { rule, reason },
        }
    }
}

impl<'a> Usage<'a> {
    /// What is going on by a journal's state, at a time.
    #[must_use]
    pub fn of(state: &'a State, now: Timestamp) -> Self {
        let live = live(state, now);
        let ended = (state.activity.iter()).filter(|sent| !live.contains_key(sent.id.as_str()));
        let ended = ended.map(|sent| {
            let mut one = Used::new(&sent.action, &sent.actor, &sent.system, sent.at);
            one.subject = &sent.subject;
            one.cluster = state.clusters.name_of(&sent.subject, &sent.system);
            one.impact = Cow::Borrowed(&sent.impact);
            one.failure_domains = Cow::Borrowed(&sent.failure_domains);
            one
        });
        let mut used: Vec<Used<'a>> = ended.collect();
        used.extend(live.values().cloned().map(|mut one| {
            one.is_counted = false;
            one
        }));
        Self {
            used,
            complete_since: state.activity_complete_since,
            sent: None,
            clusters: None,
        }
    }

    /// The same; what was sent and has ended is not in the list, and counts as the state keeps it.
    fn counted(state: &'a State, now: Timestamp) -> Self {
        Self {
            used: live(state, now).into_values().collect(),
            complete_since: state.activity_complete_since,
            sent: Some(&state.activity),
            clusters: Some(&state.clusters),
        }
    }
}

/// What is on its way or in force, by its proposal.
fn live(state: &State, now: Timestamp) -> BTreeMap<&str, Used<'_>> {
    let mut live: BTreeMap<&str, Used<'_>> = BTreeMap::new();
    for status in state.unsettled() {
        let proposal = &status.proposal;
        let (request, system) = (&proposal.request, &proposal.system);
        let sent = status.intent.as_ref();
        let plan = sent.map_or(&proposal.plan, |intent| &intent.plan);
        let at = status.proposed_at;
        let mut one = Used::new(&request.action, &request.actor, system, at);
        one.subject = &proposal.subject;
        one.cluster = state.clusters.name_of(&proposal.subject, system);
        one.in_motion = true;
        one.impact = Cow::Borrowed(&plan.impact);
        one.failure_domains = Cow::Borrowed(&plan.failure_domains);
        live.insert(&proposal.id, one);
    }
    // What has ended by itself, or was set anew, is in force no more.
    let in_force = (state.effects.values())
        .filter(|effect| !effect.is_over(now) && state.overwritten_by(effect).is_none());
    for effect in in_force {
        let one = live.entry(&effect.id).or_insert_with(|| {
            let mut one = Used::new(&effect.action, &effect.actor, &effect.system, effect.since);
            one.subject = &effect.subject;
            one.cluster = state.clusters.name_of(&effect.subject, &effect.system);
            one.failure_domains = Cow::Borrowed(&effect.failure_domains);
            one
        });
        one.in_force = true;
    }
    for (id, one) in &mut live {
        // It was sent then, and counts once.
        if let Some(at) = state.activity.at(id) {
            (one.at, one.is_counted) = (at, true);
        }
    }
    live
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use jiff::SignedDuration;

    use crate::proposal::Mode;
    use crate::records::{Entry, Hash, Record};
    use crate::state::{Activity, SentLately};
    use crate::testing::fixtures::{allowed, applied, intent, mode, proposal};

    use super::*;

    const COUNTS_DRAINS: &str = r#"
        version = 1
        rule = { name = "all", decision = "allow" }
        [[budget]]
        name = "drains"
        action = "drain_store"
        actions = 9
        per = "1h"
    "#;

    /// After so many were sent today.
    fn busy(sent: usize) -> State {
        let sent = (0..sent).map(|at| Activity {
            at: Timestamp::UNIX_EPOCH,
            id: format!("sent-{at}"),
            action: "drain_store".to_owned(),
            actor: "agent:night".to_owned(),
            subject: "tikv".to_owned(),
            system: "one".to_owned(),
            impact: Vec::new(),
            failure_domains: Vec::new(),
        });
        let sent: Vec<Arc<Activity>> = sent.map(Arc::new).collect();
        State {
            activity: Arc::new(SentLately::from(sent)),
            ..State::default()
        }
    }

    fn definition(name: &str) -> ActionDefinition {
        let definition = serde_json::json!({
            "name": name,
            "subject": "tikv",
            "title": name,
            "description": "Something.",
            "kind": "mutation",
            "effect": "lasting",
            "reversible": false,
            "idempotent": false,
            "requires_approval": false,
            "parameters": [],
            "input_schema": {},
            "output_schema": {},
        });
        serde_json::from_value(definition).unwrap()
    }

    #[test]
    fn nothing_is_counted_where_no_budget_is_about_it() {
        let (policy, state) = (COUNTS_DRAINS.parse::<Policy>().unwrap(), busy(4_096));
        let counted = |name: &str, takes_back| {
            let definition = definition(name);
            let ask = Ask::new(&definition, "agent:day", "one", Timestamp::UNIX_EPOCH);
            let usage = policy.usage(&ask.takes_back(takes_back), &state);
            usage.sent.map_or(0, SentLately::len)
        };
        assert_eq!(counted("transfer_leader", false), 0);
        assert_eq!(counted("drain_store", true), 0);
        assert_eq!(counted("drain_store", false), 4_096);
    }

    const COUNTS_TURNS: &str = r#"
        version = 1
        rule = { name = "all", decision = "allow" }
        budget = { name = "turns", action = "turn", actions = 9, per = "1h", lasting = 9 }
    "#;

    /// One that has ended, one that is on its way, and one that is in force.
    #[test]
    fn what_is_counted_by_the_state_is_what_a_list_of_all_says() {
        let mut lasting = proposal("c", "z");
        lasting.lasting_effect = Some("hold/z".to_owned());
        let lasting = Record::Proposed {
            proposal: Box::new(lasting),
            ruling: Ruling::Allow {
                rule: "a test".to_owned(),
            },
        };
        let (begun, mut state) = (Timestamp::now(), State::default());
        for record in [
            mode(Mode::Execute).unwrap(),
            allowed("a", "x"),
            intent("a"),
            applied("a"),
            allowed("b", "y"),
            intent("b"),
            lasting,
            intent("c"),
            applied("c"),
        ] {
            let seq = state.seq + 1;
            let (entry, _) = Entry::seal(seq, begun, "one", Hash::ZERO, None, record).unwrap();
            state.apply(&entry).unwrap();
        }
        let (policy, definition) = (COUNTS_TURNS.parse::<Policy>().unwrap(), definition("turn"));
        for (seconds, would_be) in [(1, [4, 2]), (3_600, [1, 2])] {
            let now = begun + SignedDuration::from_secs(seconds);
            let ask = Ask::new(&definition, "agent:day", "one", now);
            let counted = policy.explain(&ask, &Usage::counted(&state, now));
            let found = counted.budgets.iter().map(|bound| bound.would_be);
            assert_eq!(found.collect::<Vec<_>>(), would_be);
            assert_eq!(counted, policy.explain(&ask, &Usage::of(&state, now)));
        }
    }
}
