//! What a mutation would do, computed by reading only, and how to follow it.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::values::facts::Facts;
use crate::values::precondition::{Comparison, Precondition};
use crate::values::verdict::{Cause, Verdict};

/// What a mutation would do, and what that rests on.
///
/// ```
/// use action_core::{Plan, Quantity, Verdict};
///
/// let plan = Plan::new(Verdict::WouldProceed, "leader on store 1")
///     .same("leader_store_id", 1)
///     .impact(Quantity::LEADERS, 1, "leaders")
///     .touches("zone=a")
///     .unknown("whether store 4 is about to fail")
///     .takes(200, 2_000, "measured on an idle cluster")
///     .follow(200, 5_000, 90_000);
/// assert!(plan.verdict.may_be_sent());
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Plan<B = Value> {
    /// What would happen.
    pub verdict: Verdict,
    /// What was read; enough to probe and to undo.
    pub before: B,
    /// Facts the plan relies on. When one no longer holds, it is another plan.
    pub preconditions: Vec<Precondition>,
    /// What would move or change, as quantities. Budgets are written over their names:
    /// [`LEADERS`](Quantity::LEADERS), [`REGIONS`](Quantity::REGIONS) and
    /// [`MOVED_MIB`](Quantity::MOVED_MIB) mean the same in every subject; others are the
    /// action's own.
    pub impact: Vec<Quantity>,
    /// Which parts of the system that fail together it touches, such as `zone=a`, or `store/4`
    /// where nothing larger is known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failure_domains: Vec<String>,
    /// What would reverse it once it is done, such as a scheduler that moves a leader back.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reversed_by: Vec<Cause>,
    /// What could not be known.
    pub unknowns: Vec<String>,
    /// How long it stays in force once it is, when it ends by itself; `None` when it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lasts_ms: Option<u64>,
    /// How long it would take; `None` when nothing is to be done or it cannot be said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration: Option<Estimate>,
    /// How to follow it.
    pub follow: Follow,
    /// How the system's clock compares to ours, where that matters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock: Option<ClockOffset>,
}

impl<B> Plan<B> {
    /// A plan with this answer, from these facts.
    #[must_use]
    pub fn new(verdict: Verdict, before: B) -> Self {
        Self {
            verdict,
            before,
            preconditions: Vec::new(),
            impact: Vec::new(),
            failure_domains: Vec::new(),
            reversed_by: Vec::new(),
            unknowns: Vec::new(),
            lasts_ms: None,
            duration: None,
            follow: Follow::default(),
            clock: None,
        }
    }

    /// Relies on a fact being the same.
    #[must_use]
    pub fn same(self, name: &str, value: impl Into<Value>) -> Self {
        self.precondition(name, value, Comparison::Same)
    }

    /// Relies on a number not getting smaller.
    #[must_use]
    pub fn at_least(self, name: &str, value: impl Into<Value>) -> Self {
        self.precondition(name, value, Comparison::AtLeast)
    }

    /// Relies on a number not getting larger.
    #[must_use]
    pub fn at_most(self, name: &str, value: impl Into<Value>) -> Self {
        self.precondition(name, value, Comparison::AtMost)
    }

    fn precondition(mut self, name: &str, value: impl Into<Value>, comparison: Comparison) -> Self {
        self.preconditions
            .push(Precondition::new(name, value, comparison));
        self
    }

    /// Would move or change so much of something.
    #[must_use]
    pub fn impact(mut self, name: &str, value: u64, unit: &str) -> Self {
        self.impact.push(Quantity {
            name: name.to_owned(),
            value,
            unit: unit.to_owned(),
        });
        self
    }

    /// Ends by itself, so long after it began.
    #[must_use]
    pub fn lasts(mut self, time: Duration) -> Self {
        self.lasts_ms = Some(u64::try_from(time.as_millis()).unwrap_or(u64::MAX));
        self
    }

    /// Touches a part of the system that fails together.
    #[must_use]
    pub fn touches(mut self, failure_domain: impl Into<String>) -> Self {
        let domain = failure_domain.into();
        if !self.failure_domains.contains(&domain) {
            self.failure_domains.push(domain);
        }
        self
    }

    /// Would be reversed by something, once it is done.
    #[must_use]
    pub fn reversed_by(mut self, code: &str, text: impl Into<String>) -> Self {
        self.reversed_by.push(Cause::new(code, text));
        self
    }

    /// Could not know something.
    #[must_use]
    pub fn unknown(mut self, what: impl Into<String>) -> Self {
        self.unknowns.push(what.into());
        self
    }

    /// Would take so many milliseconds, at most so many, by some measure.
    #[must_use]
    pub fn takes(mut self, likely_ms: u64, at_most_ms: u64, measure: &str) -> Self {
        self.duration = Some(Estimate {
            likely_ms,
            at_most_ms,
            measure: measure.to_owned(),
        });
        self
    }

    /// Is to be probed every so many milliseconds, can still begin until `settle_ms` after the
    /// send, and is given up after `deadline_ms`.
    #[must_use]
    pub fn follow(mut self, poll_ms: u64, settle_ms: u64, deadline_ms: u64) -> Self {
        self.follow = Follow {
            poll_ms,
            settle_ms,
            deadline_ms,
        };
        self
    }

    /// Knows how the system's clock compares to ours.
    #[must_use]
    pub fn clock(mut self, clock: Option<ClockOffset>) -> Self {
        self.clock = clock;
        self
    }
}

impl<B: Facts> Plan<B> {
    /// The same plan with its facts as JSON.
    pub(crate) fn erased(self) -> Result<Plan, serde_json::Error> {
        Ok(Plan {
            verdict: self.verdict,
            before: serde_json::to_value(self.before)?,
            preconditions: self.preconditions,
            impact: self.impact,
            failure_domains: self.failure_domains,
            reversed_by: self.reversed_by,
            unknowns: self.unknowns,
            lasts_ms: self.lasts_ms,
            duration: self.duration,
            follow: self.follow,
            clock: self.clock,
        })
    }
}

impl Plan {
    /// The preconditions of this plan that no longer hold in a newer one, as `(then, now)`; `now`
    /// is `None` when the newer plan does not have it.
    #[must_use]
    pub fn drift<'a>(
        &'a self,
        newer: &'a Self,
    ) -> Vec<(&'a Precondition, Option<&'a Precondition>)> {
        drift(&self.preconditions, newer)
    }
}

/// The facts of a list that do not hold in a plan.
pub(crate) fn drift<'a>(
    expected: &'a [Precondition],
    newer: &'a Plan,
) -> Vec<(&'a Precondition, Option<&'a Precondition>)> {
    let now = |then: &Precondition| newer.preconditions.iter().find(|now| now.name == then.name);
    expected
        .iter()
        .map(|then| (then, now(then)))
        .filter(|(then, now)| !now.is_some_and(|now| then.holds(&now.value)))
        .collect()
}

/// So much of something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Quantity {
    /// Of what.
    pub name: String,
    /// How much.
    pub value: u64,
    /// In what unit.
    pub unit: String,
}

impl Quantity {
    /// Parts of the data whose serving copy moves.
    pub const LEADERS: &'static str = "leaders";
    /// Parts of the data that are changed, moved or copied.
    pub const REGIONS: &'static str = "regions";
    /// Data copied between machines, MiB.
    pub const MOVED_MIB: &'static str = "moved_mib";
}

/// How long something takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Estimate {
    /// Likely, in milliseconds.
    pub likely_ms: u64,
    /// At most, in milliseconds, unless it stalls.
    pub at_most_ms: u64,
    /// What it is judged by.
    pub measure: String,
}

/// How a mutation is followed after it was sent. Times are milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Follow {
    /// Between two probes.
    pub poll_ms: u64,
    /// After the send, how long it can still begin to happen unseen. Until then it is not called
    /// "not applied" for want of a trace.
    pub settle_ms: u64,
    /// After the send, when to stop following.
    pub deadline_ms: u64,
}

impl Default for Follow {
    fn default() -> Self {
        Self {
            poll_ms: 500,
            settle_ms: 5_000,
            deadline_ms: 60_000,
        }
    }
}

/// How far the system's clock is ahead of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ClockOffset {
    /// Milliseconds the system's clock is ahead; negative when it is behind.
    pub ahead_ms: i64,
    /// Milliseconds by which that may be wrong in either direction.
    pub uncertainty_ms: u64,
}

impl ClockOffset {
    /// So far ahead, and how surely.
    #[must_use]
    pub fn new(ahead_ms: i64, uncertainty_ms: u64) -> Self {
        Self {
            ahead_ms,
            uncertainty_ms,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drift_names_what_changed_and_what_is_gone() {
        let then = Plan::new(Verdict::WouldProceed, Value::Null)
            .same("leader", 1)
            .at_least("voters", 3)
            .same("epoch", 7);
        let now = Plan::new(Verdict::WouldProceed, Value::Null)
            .same("leader", 2)
            .at_least("voters", 4);
        let names: Vec<_> = then
            .drift(&now)
            .into_iter()
            .map(|(then, now)| (then.name.as_str(), now.is_some()))
            .collect();
        assert_eq!(names, [("leader", true), ("epoch", false)]);
    }
}
