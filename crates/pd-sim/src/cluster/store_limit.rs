//! Store limits: how many peers a minute a store may be given and relieved of.
//!
//! They hold for checkers and schedulers. Urgent operators, administrators' among them, pass.

use std::collections::BTreeMap;

use crate::clock::Time;
use crate::cluster::Cluster;
use crate::cluster::operator::Operator;
use crate::cluster::step::Step;
use crate::cluster::store::Limits;

/// A bucket that fills with time.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Bucket {
    taken: f64,
    at: Option<Time>,
}

impl Bucket {
    /// What is missing from a full bucket now.
    fn missing(&self, per_minute: f64, now: Time) -> f64 {
        let since = self
            .at
            .map_or(0.0, |at| now.since(at).as_secs_f64() * per_minute / 60.0);
        (self.taken - since).max(0.0)
    }

    fn holds(&self, cost: f64, per_minute: f64, now: Time) -> bool {
        let capacity = (per_minute / 60.0).max(1.0);
        per_minute >= Limits::UNLIMITED || self.missing(per_minute, now) + cost <= capacity
    }

    fn take(&mut self, cost: f64, per_minute: f64, now: Time) {
        // Who may pass an empty bucket leaves no debt.
        if self.holds(cost, per_minute, now) {
            self.taken = self.missing(per_minute, now) + cost;
            self.at = Some(now);
        }
    }
}

/// The two kinds of limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Side {
    Add,
    Remove,
}

/// MiB up to which a region counts as small, and as empty.
const SMALL: i64 = 20;
const EMPTY: i64 = 1;

impl Cluster {
    /// Whether a store of the operator has had enough for now.
    pub(crate) fn exceeds_store_limit(&self, operator: &Operator) -> bool {
        !operator.is_urgent()
            && !operator.ignores_store_limits
            && costs(operator).iter().any(|((store_id, side), cost)| {
                self.stores.get(store_id).is_some_and(|store| {
                    let (bucket, rate) = match side {
                        Side::Add => (&store.add_bucket, store.limits.add),
                        Side::Remove => (&store.remove_bucket, store.limits.remove),
                    };
                    let rate = self.rate_in_force(*store_id, *side, rate);
                    !bucket.holds(*cost, rate, self.now)
                })
            })
    }

    /// Whether the store may be given one more big region now.
    pub(crate) fn has_room_for_a_peer(&self, store_id: u64) -> bool {
        self.stores.get(&store_id).is_some_and(|store| {
            let rate = self.rate_in_force(store_id, Side::Add, store.limits.add);
            store.add_bucket.holds(1.0, rate, self.now)
        })
    }

    /// Counts what an operator that starts will do to its stores.
    pub(crate) fn charge_stores(&mut self, operator: &Operator) {
        let now = self.now;
        for ((store_id, side), cost) in costs(operator) {
            let Some(store) = self.stores.get(&store_id) else {
                continue;
            };
            let stored = match side {
                Side::Add => store.limits.add,
                Side::Remove => store.limits.remove,
            };
            let rate = self.rate_in_force(store_id, side, stored);
            if let Some(store) = self.stores.get_mut(&store_id) {
                let bucket = match side {
                    Side::Add => &mut store.add_bucket,
                    Side::Remove => &mut store.remove_bucket,
                };
                bucket.take(cost, rate, now);
            }
        }
    }

    /// The temporary limit if there is one, else the stored one.
    fn rate_in_force(&self, store_id: u64, side: Side, stored: f64) -> f64 {
        let kind = match side {
            Side::Add => "add-peer",
            Side::Remove => "remove-peer",
        };
        [format!("{kind}-{store_id}"), format!("default-{kind}")]
            .iter()
            .find_map(|name| self.config.overridden_rate(name, self.now))
            .unwrap_or(stored)
    }
}

/// What the operator's steps cost each store.
fn costs(operator: &Operator) -> BTreeMap<(u64, Side), f64> {
    let cost = if operator.size <= EMPTY {
        0.0
    } else if operator.size <= SMALL {
        0.2
    } else {
        1.0
    };
    let mut costs = BTreeMap::new();
    for step in &operator.steps {
        let place = match step {
            Step::AddLearner(on) => (on.store_id, Side::Add),
            Step::RemovePeer(on) => (on.store_id, Side::Remove),
            _ => continue,
        };
        *costs.entry(place).or_default() += cost;
    }
    costs
}
