//! What policies say, and what is said of those that are wrong.

mod errors;
mod rules;
mod shipped;

use action_core::{ActionDefinition, Plan, Quantity, Verdict};
use action_guard::Policy;
use action_guard::policy::{Answer, Ask, DecidedBy, Usage, Used};
use jiff::Timestamp;
use serde_json::{Value, json};

/// An action by its name, risk and effect.
pub(crate) fn action(name: &str, risk: &str, effect: &str) -> ActionDefinition {
    serde_json::from_value(json!({
        "name": name,
        "subject": "tikv",
        "title": name,
        "description": "Something.",
        "kind": "mutation",
        "risk": risk,
        "effect": effect,
        "reversible": name != "split_region",
        "idempotent": false,
        "requires_approval": false,
        "parameters": [],
        "input_schema": {},
        "output_schema": {},
    }))
    .unwrap()
}

pub(crate) fn actions() -> Vec<ActionDefinition> {
    vec![
        action("transfer_leader", "medium", "one_shot"),
        action("transfer_peer", "high", "one_shot"),
        action("drain_store", "high", "lasting"),
        action("offline_store", "high", "lasting"),
        action("stop_drain", "medium", "one_shot"),
        action("split_region", "low", "one_shot"),
    ]
}

pub(crate) fn at(time: &str) -> Timestamp {
    time.parse().unwrap()
}

/// A Tuesday at noon.
pub(crate) const NOON: &str = "2026-11-24T12:00:00Z";

pub(crate) fn moves(leaders: u64, mib: u64, domains: &[&str]) -> Plan {
    let plan = Plan::new(Verdict::WouldProceed, Value::Null)
        .impact(Quantity::LEADERS, leaders, "leaders")
        .impact(Quantity::MOVED_MIB, mib, "MiB");
    domains
        .iter()
        .fold(plan, |plan, domain| plan.touches(*domain))
}

/// What was sent, and how it stands.
pub(crate) fn used<'a>(
    action: &'a str,
    by: &'a str,
    time: &str,
    in_motion: bool,
    in_force: bool,
    plan: &Plan,
) -> Used<'a> {
    let mut used = Used::new(action, by, "7", at(time));
    used.in_motion = in_motion;
    used.in_force = in_force;
    used.impact = plan.impact.clone().into();
    used.failure_domains = plan.failure_domains.clone().into();
    used
}

pub(crate) fn usage(used: Vec<Used<'_>>) -> Usage<'_> {
    let mut usage = Usage::default();
    usage.used = used;
    usage
}

/// One request and what is expected: `allow`, `deny` or `approve N`, and the part that decides.
pub(crate) struct Case<'a> {
    pub(crate) action: &'a str,
    pub(crate) actor: &'a str,
    pub(crate) time: &'a str,
    pub(crate) takes_back: bool,
    pub(crate) plan: Plan,
    pub(crate) usage: Usage<'a>,
}

impl Case<'_> {
    pub(crate) fn of<'a>(action: &'a str, actor: &'a str) -> Case<'a> {
        Case {
            action,
            actor,
            time: NOON,
            takes_back: false,
            plan: moves(1, 0, &[]),
            usage: Usage::default(),
        }
    }

    #[track_caller]
    pub(crate) fn says(self, policy: &Policy, answer: &str, decided_by: &str) {
        let known = actions();
        let definition = known
            .iter()
            .find(|known| known.name == self.action)
            .unwrap();
        let ask = Ask::new(definition, self.actor, "7", at(self.time))
            .plan(&self.plan)
            .takes_back(self.takes_back);
        let decision = policy.decide(&ask, &self.usage);
        let said = match &decision.answer {
            Answer::Allow => "allow".to_owned(),
            Answer::Approve { count, .. } => format!("approve {count}"),
            Answer::Deny { .. } => "deny".to_owned(),
            other => format!("{other:?}"),
        };
        let by = match &decision.decided_by {
            DecidedBy::Rule { name, .. } | DecidedBy::Budget { name, .. } => name.as_str(),
            _ => "",
        };
        assert_eq!((said.as_str(), by), (answer, decided_by), "{decision:?}");
        assert_eq!(policy.explain(&ask, &self.usage).decision, decision);
    }
}
