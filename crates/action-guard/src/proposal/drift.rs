//! What changed between the plan that was shown and a newer one.

use std::fmt;

use action_core::{Plan, Precondition, Verdict};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// A fact that is not what it was when the plan was shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Drift {
    /// What it is about.
    pub name: String,
    /// How it was.
    pub then: Value,
    /// How it is; `None` when it cannot be told.
    pub now: Option<Value>,
}

impl Drift {
    /// What changed between two plans.
    pub(crate) fn between(shown: &Plan, newer: &Plan) -> Vec<Self> {
        Self::list(shown.drift(newer))
    }

    /// What changed, from pairs of how it was and how it is.
    pub(crate) fn list(pairs: Vec<(&Precondition, Option<&Precondition>)>) -> Vec<Self> {
        let drift = pairs.into_iter().map(|(then, now)| Self {
            name: then.name.clone(),
            then: then.value.clone(),
            now: now.map(|now| now.value.clone()),
        });
        drift.collect()
    }
}

/// Who changed something, as far as the journal knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "changed_by", content = "proposal", rename_all = "snake_case")]
#[non_exhaustive]
pub enum ChangedBy {
    /// A proposal of ours, the last of those that did.
    Proposal(String),
    /// A proposal of ours that is in flight.
    InFlight(String),
    /// Somebody else.
    Somebody,
}

impl fmt::Display for ChangedBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Proposal(id) => write!(f, "proposal `{id}` changed"),
            Self::InFlight(id) => write!(f, "proposal `{id}` is in progress and may have changed"),
            Self::Somebody => f.write_str("somebody changed"),
        }
    }
}

pub(crate) fn list(drift: &[Drift]) -> String {
    let changes = drift.iter().map(|change| match &change.now {
        Some(now) => format!("`{}` was {} and is now {now}", change.name, change.then),
        None => format!("`{}` was {} and is now unknown", change.name, change.then),
    });
    changes.collect::<Vec<_>>().join("; ")
}

/// What makes a newer plan another one than that which was shown: facts that no longer hold,
/// facts that were not relied on before, another answer of the system.
#[must_use]
pub fn plan_difference(shown: &Plan, newer: &Plan) -> Vec<Drift> {
    let mut changes = Drift::between(shown, newer);
    let is_new = |fact: &&Precondition| {
        let mut known = shown.preconditions.iter();
        !known.any(|known| known.name == fact.name)
    };
    let added = newer.preconditions.iter().filter(is_new);
    changes.extend(added.map(|fact| Drift {
        name: fact.name.clone(),
        then: Value::Null,
        now: Some(fact.value.clone()),
    }));
    let (then, now) = (answer(&shown.verdict), answer(&newer.verdict));
    if then != now {
        changes.push(Drift {
            name: "answer".to_owned(),
            then,
            now: Some(now),
        });
    }
    changes
}

/// An answer without the words in which numbers move.
fn answer(verdict: &Verdict) -> Value {
    match verdict {
        Verdict::Undecided { causes } | Verdict::AcceptedButWillNotProgress { causes } => {
            let codes: Vec<&str> = causes.iter().map(|cause| cause.code.as_str()).collect();
            json!({"undecided": matches!(verdict, Verdict::Undecided { .. }), "causes": codes})
        }
        other => serde_json::to_value(other).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use action_core::Cause;

    use super::*;

    fn plan(verdict: Verdict) -> Plan {
        Plan::new(verdict, Value::Null)
            .same("leader", 1)
            .at_least("voters", 3)
    }

    #[test]
    fn moving_figures_are_no_difference() {
        let newer = Plan::new(Verdict::WouldProceed, json!({"leaders": 12}))
            .same("leader", 1)
            .at_least("voters", 5)
            .impact("leaders", 12, "leaders");
        assert_eq!(plan_difference(&plan(Verdict::WouldProceed), &newer), []);
        let undecided = |code: &str, text: &str| {
            plan(Verdict::Undecided {
                causes: vec![Cause::new(code, text)],
            })
        };
        assert_eq!(
            plan_difference(&undecided("a", "12 of them"), &undecided("a", "13 of them")),
            []
        );
        assert_eq!(
            plan_difference(&undecided("a", "x"), &undecided("b", "x")).len(),
            1
        );
    }

    #[test]
    fn what_matters_is_named_with_then_and_now() {
        let displaces = Verdict::WouldDisplace {
            displaced: "merge-region".to_owned(),
        };
        let newer = Plan::new(displaces, Value::Null)
            .same("leader", 2)
            .same("lock", "held");
        let changes = plan_difference(&plan(Verdict::WouldProceed), &newer);
        let names: Vec<_> = changes.iter().map(|change| change.name.as_str()).collect();
        assert_eq!(names, ["leader", "voters", "lock", "answer"]);
        assert_eq!(
            (&changes[0].then, &changes[0].now),
            (&json!(1), &Some(json!(2)))
        );
        assert_eq!(changes[1].now, None);
        assert_eq!(
            list(&changes[..2]),
            "`leader` was 1 and is now 2; `voters` was 3 and is now unknown"
        );
        assert_eq!(
            changes[3].now.as_ref().unwrap()["displaced"],
            "merge-region"
        );
    }
}
