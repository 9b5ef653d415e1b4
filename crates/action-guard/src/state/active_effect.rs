//! Lasting effects, and what was sent lately.

use action_core::{Accepted, Outcome, Quantity, Undo};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::identity::{Actor, Target};
use crate::proposal::{Intent, Proposal};

/// A lasting effect that is ours: in force, or possibly so.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ActiveEffect {
    /// The proposal that brought it about.
    pub id: String,
    /// What it is called, such as `evict-leader/4`.
    pub key: String,
    /// The kind of system it is in force on.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub subject: String,
    /// What that system is called here, if it has a name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<String>,
    /// The system it is in force on.
    pub system: String,
    /// The action.
    pub action: String,
    /// Who asked for it.
    pub actor: String,
    /// Who carried it out, where that was somebody else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carried_out_by: Option<Actor>,
    /// The action's parameters.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub parameters: Value,
    /// How it was before, by the plan that was sent.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub before: Value,
    /// What the system answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted: Option<Accepted>,
    /// How it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// When it was meant to begin.
    pub since: Timestamp,
    /// Whether it is known to be in force.
    pub confirmed: bool,
    /// What takes it back, as it was found then. What is sent for that is asked of the action anew.
    pub undo: Undo,
    /// The failure domains it touches.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failure_domains: Vec<String>,
    /// How long it stays in force once it is, when it ends by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lasts_ms: Option<u64>,
    /// When it has ended by itself at the latest; `None` when it does not, or is not known to have
    /// begun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<Timestamp>,
    /// When it is to be taken back; `None` for when somebody asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

impl ActiveEffect {
    /// The system it is in force on.
    #[must_use]
    pub fn target(&self) -> Target {
        Target {
            subject: self.subject.clone(),
            cluster: self.cluster.clone(),
            system: self.system.clone(),
        }
    }

    /// Whether it has what its action needs to say what takes it back.
    pub(crate) fn is_whole(&self) -> bool {
        !self.parameters.is_null() && (self.outcome.is_some() || !self.before.is_null())
    }

    /// Whether it is known to be in force, and may be another's: its request was not answered, and
    /// nothing else shows whose doing it is.
    #[must_use]
    pub fn may_be_anothers(&self) -> bool {
        let outcome = self.outcome.as_ref();
        self.confirmed && self.accepted.is_none() && outcome.is_some_and(Outcome::may_be_anothers)
    }

    /// Whether it has ended by itself.
    pub(crate) fn is_over(&self, now: Timestamp) -> bool {
        self.ends_at.is_some_and(|at| at <= now)
    }

    /// The effect of a mutation that is about to be sent.
    pub(crate) fn begun(proposal: &Proposal, intent: &Intent, key: &str, at: Timestamp) -> Self {
        let lease = proposal.request.lease_ms.map(|lease| {
            let lease = i64::try_from(lease).unwrap_or(i64::MAX);
            at.saturating_add(SignedDuration::from_millis(lease))
                .unwrap_or(Timestamp::MAX)
        });
        let requester = &proposal.request.actor;
        let is_other = |by: &&Actor| !by.as_str().eq_ignore_ascii_case(requester);
        Self {
            id: proposal.id.clone(),
            key: key.to_owned(),
            subject: proposal.subject.clone(),
            cluster: proposal.cluster.clone(),
            system: proposal.system.clone(),
            action: proposal.request.action.clone(),
            actor: requester.clone(),
            carried_out_by: intent.by.as_ref().filter(is_other).cloned(),
            parameters: proposal.request.parameters.clone(),
            before: intent.plan.before.clone(),
            accepted: None,
            outcome: None,
            since: at,
            confirmed: false,
            undo: proposal.undo.clone(),
            failure_domains: proposal.plan.failure_domains.clone(),
            lasts_ms: intent.plan.lasts_ms,
            ends_at: None,
            expires_at: lease,
        }
    }
}

/// One sending, as far as budgets want to know it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Activity {
    /// When its intent was written.
    pub at: Timestamp,
    /// The proposal.
    pub id: String,
    /// The action.
    pub action: String,
    /// Who asked for it.
    pub actor: String,
    /// The kind of system.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub subject: String,
    /// The system.
    pub system: String,
    /// What would be moved or changed.
    pub impact: Vec<Quantity>,
    /// The failure domains it touches.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failure_domains: Vec<String>,
}

#[cfg(test)]
mod tests {
    use action_core::Attribution;
    use serde_json::json;

    use super::*;

    /// What an earlier version wrote down lacks some of it, and is looked up in the journal.
    #[test]
    fn an_effect_is_whole_with_its_parameters_and_what_was_there_or_came_of_it() {
        let outcome = Outcome::applied(Attribution::Ours, "held", Vec::new());
        let (parameters, before) = (json!({"dial": "x"}), json!({"held": false}));
        let of = |parameters: &Value, before: &Value, outcome: Option<&Outcome>| {
            let effect = json!({
                "id": "a", "key": "hold/x", "system": "dials", "action": "hold_dial",
                "actor": "agent:night", "since": Timestamp::UNIX_EPOCH, "confirmed": true,
                "undo": Undo::none("a test"),
                "parameters": parameters, "before": before, "outcome": outcome,
            });
            serde_json::from_value::<ActiveEffect>(effect).map(|effect| effect.is_whole())
        };
        let null = &Value::Null;
        for (parameters, before, outcome, whole) in [
            (&parameters, &before, Some(&outcome), true),
            (&parameters, null, Some(&outcome), true),
            (&parameters, &before, None, true),
            (&parameters, null, None, false),
            (null, &before, Some(&outcome), false),
        ] {
            let is = of(parameters, before, outcome).ok();
            assert_eq!(is, Some(whole), "{parameters} {before} {outcome:?}");
        }
    }

    #[test]
    fn what_is_in_force_may_be_anothers_when_neither_an_answer_nor_its_outcome_says_whose() {
        let by = |by| Some(Outcome::applied(by, "held", Vec::new()));
        let (ours, undecided) = (by(Attribution::Ours), by(Attribution::Undecided));
        for (confirmed, is_answered, outcome, expected) in [
            (true, false, &undecided, true),
            (true, false, &ours, false),
            (true, false, &None, false),
            (true, true, &undecided, false),
            (false, false, &undecided, false),
            (false, true, &ours, false),
        ] {
            let effect = json!({
                "id": "a", "key": "hold/x", "system": "dials", "action": "hold_dial",
                "actor": "agent:night", "since": Timestamp::UNIX_EPOCH, "confirmed": confirmed,
                "undo": Undo::none("a test"), "outcome": outcome,
                "accepted": is_answered.then(|| Accepted::new("will do")),
            });
            let effect: ActiveEffect = serde_json::from_value(effect).unwrap();
            assert_eq!(effect.may_be_anothers(), expected, "{effect:?}");
        }
    }
}
