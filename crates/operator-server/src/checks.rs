//! What the gate looks at by itself, and since when it has seen what it found.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use action_core::{ActionDefinition, Cost, Role};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::answers::Time;

/// How many findings are kept of a cluster, and how long the text of one is, in characters.
const MOST: usize = 200;
const LONGEST: usize = 400;

/// What was found at the clusters, by their names.
#[derive(Debug, Default)]
pub(crate) struct Checks(Mutex<BTreeMap<String, Checked>>);

/// What was found at a cluster.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
pub(crate) struct Checked {
    /// When it was last looked at, whatever came of that.
    #[schemars(with = "Option<Time>")]
    pub(crate) looked_at: Option<Timestamp>,
    /// What could not be looked at then, and why, by the observation.
    pub(crate) failed: BTreeMap<String, String>,
    pub(crate) findings: Vec<Found>,
    /// Whether there were more than are kept.
    pub(crate) truncated: bool,
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub(crate) struct Found {
    /// The observation that found it.
    pub(crate) check: String,
    pub(crate) code: String,
    pub(crate) about: String,
    pub(crate) text: String,
    /// When this gate saw it first, without a look since that did not find it.
    #[schemars(with = "Time")]
    pub(crate) first_seen: Timestamp,
}

impl Found {
    fn is_same(&self, other: &Self) -> bool {
        (&self.check, &self.code, &self.about) == (&other.check, &other.code, &other.about)
    }
}

impl Checks {
    pub(crate) fn of(&self, cluster: &str) -> Checked {
        self.with(|all| all.get(cluster).cloned().unwrap_or_default())
    }

    /// Takes in what one look has found: by each observation its result, or why there is none. What could
    /// not be looked at is as it was.
    pub(crate) fn take(
        &self,
        cluster: &str,
        at: Timestamp,
        results: Vec<(String, Result<Value, String>)>,
    ) {
        self.with(|all| {
            let before = all.remove(cluster).unwrap_or_default();
            let mut now = Checked {
                looked_at: Some(at),
                ..Checked::default()
            };
            for (check, result) in results {
                let is_its = |found: &&Found| found.check == check;
                match result {
                    Ok(result) => {
                        let mut found = read(&check, &result, at);
                        for one in &mut found {
                            let known = before.findings.iter().find(|known| known.is_same(one));
                            one.first_seen = known.map_or(at, |known| known.first_seen);
                        }
                        now.findings.extend(found);
                    }
                    Err(why) => {
                        now.findings
                            .extend(before.findings.iter().filter(is_its).cloned());
                        now.failed.insert(check, why);
                    }
                }
            }
            now.truncated = now.findings.len() > MOST;
            now.findings.truncate(MOST);
            all.insert(cluster.to_owned(), now);
        });
    }

    fn with<T>(&self, look: impl FnOnce(&mut BTreeMap<String, Checked>) -> T) -> T {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Whether an observation is looked at by itself: it finds something, needs nothing given, and is no scan.
pub(crate) fn is_check(definition: &ActionDefinition) -> bool {
    let finds = matches!(definition.role, Some(Role::Leftovers | Role::Invariants));
    let is_scan = definition.cost == Some(Cost::Scan);
    finds && !is_scan && definition.parameters.iter().all(|one| !one.required)
}

/// What a result lists, by the members that findings and breaches have.
fn read(check: &str, result: &Value, at: Timestamp) -> Vec<Found> {
    let lists = ["findings", "breaches"].map(|member| result.get(member));
    let items = lists.into_iter().flatten().filter_map(Value::as_array);
    let items = items.flatten();
    // A breach may be told before it lasts long enough to count.
    let counts = items.filter(|item| item.get("violated") != Some(&Value::Bool(false)));
    let text = |item: &Value, member: &str| {
        let text = item.get(member).and_then(Value::as_str);
        let text = action_core::redacted(text.unwrap_or_default()).into_owned();
        action_core::bounded_to(&action_core::printable(&text), LONGEST)
    };
    let found = counts.map(|item| Found {
        check: check.to_owned(),
        code: match item.get("code") {
            Some(_) => text(item, "code"),
            None => text(item, "invariant"),
        },
        about: text(item, "about"),
        text: text(item, "text"),
        first_seen: at,
    });
    found.collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap_or_default()
    }

    fn seen(checks: &Checks) -> Vec<(String, i64)> {
        let found = checks.of("prod").findings.into_iter();
        let found = found.map(|one| {
            (
                format!("{} {}", one.code, one.about),
                one.first_seen.as_second(),
            )
        });
        found.collect()
    }

    #[test]
    fn a_finding_is_first_seen_when_no_look_since_did_not_find_it() {
        let (checks, one) = (
            Checks::default(),
            json!({"code": "drained", "about": "store 1", "text": "x"}),
        );
        let look = |second, result: Result<Value, &str>| {
            let result = result.map_err(str::to_owned);
            checks.take("prod", at(second), vec![("doctor".to_owned(), result)]);
        };
        look(1, Ok(json!({"findings": [one]})));
        look(
            2,
            Ok(json!({"findings": [one, {"code": "paused", "about": "x", "text": "y"}]})),
        );
        let both = [
            ("drained store 1".to_owned(), 1),
            ("paused x".to_owned(), 2),
        ];
        assert_eq!(seen(&checks), both);
        // What cannot be looked at is as it was, and it is said.
        look(3, Err("no answer"));
        assert_eq!(seen(&checks), both);
        assert_eq!(checks.of("prod").failed["doctor"], "no answer");
        look(4, Ok(json!({"findings": []})));
        assert!(seen(&checks).is_empty() && checks.of("prod").failed.is_empty());
        look(5, Ok(json!({"findings": [one]})));
        assert_eq!(seen(&checks), [("drained store 1".to_owned(), 5)]);
    }

    #[test]
    fn a_breach_counts_once_it_is_violated_and_the_list_has_an_end() {
        let checks = Checks::default();
        let breach = |about: usize, violated| json!({"invariant": "down", "about": format!("{about}"), "text": "x", "violated": violated});
        let many: Vec<_> = (0..=MOST).map(|about| breach(about, true)).collect();
        for (result, count) in [
            (vec![breach(1, false)], 0),
            (vec![breach(1, true)], 1),
            (many, MOST),
        ] {
            let result = Ok(json!({"breaches": result}));
            checks.take("prod", at(1), vec![("check".to_owned(), result)]);
            assert_eq!(checks.of("prod").findings.len(), count);
        }
        assert!(checks.of("prod").truncated);
    }
}
