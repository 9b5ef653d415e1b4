//! Whether the other stores have a place for each replica that a store gives up, rule by rule.
//!
//! What `SelectStoreToFix` of `pkg/schedule/checker/replica_strategy.go` looks for, as far as it is
//! the same for all regions: stores that the rule takes, the isolation between them, and what
//! keeps a store from being given any (`replica_takers.rs`).

use std::collections::BTreeSet;

use action_core::Cause;
use pd_client::config::Config;
use pd_client::rules::{LabelConstraint, Rule};
use pd_client::stores::{Store, StoreState};

use crate::cluster::Tikv;
use crate::error::Error;
use crate::facts::bounded_text::bounded;
use crate::facts::store::low_add_limit;
use crate::pd_rules::placement::takes;
use crate::pd_rules::replica_takers::{Refusal, ReplicaTakers};

pub(crate) mod unsatisfiable;

/// So many stores are named.
const NAMED: usize = 5;

/// What asks for replicas on stores of some kind.
pub(crate) struct Wanted<'a> {
    /// As it is called where people read of it.
    pub(crate) name: String,
    pub(crate) replicas: u64,
    constraints: &'a [LabelConstraint],
    location_labels: &'a [String],
    /// The label of which no two replicas may share a value; empty for none.
    isolation_level: &'a str,
}

impl<'a> Wanted<'a> {
    pub(crate) fn by_rule(rule: &'a Rule) -> Self {
        Self {
            name: bounded(&format!("rule `{}/{}`", rule.group_id, rule.id)),
            replicas: rule.count,
            constraints: &rule.label_constraints,
            location_labels: &rule.location_labels,
            isolation_level: &rule.isolation_level,
        }
    }

    fn by_config(config: &'a Config) -> Self {
        Self {
            name: "`max-replicas`".to_owned(),
            replicas: config.replication.max_replicas,
            constraints: &[],
            location_labels: &config.replication.location_labels,
            isolation_level: &config.replication.isolation_level,
        }
    }

    /// The values that no two replicas may share, of one store; `None` where it lacks one, which
    /// PD does not count as sharing.
    pub(crate) fn place<'s>(&self, store: &'s Store) -> Option<Vec<&'s str>> {
        let labels = self.location_labels.iter();
        let level = labels
            .clone()
            .position(|label| label == self.isolation_level)?;
        let value = |label| store.label(label).filter(|value| !value.is_empty());
        labels.take(level + 1).map(|label| value(label)).collect()
    }

    /// How many replicas can be kept apart on these stores, as far as that is asked for.
    pub(crate) fn kept_apart(&self, stores: &[&Store]) -> u64 {
        let places: Vec<_> = stores.iter().map(|store| self.place(store)).collect();
        let without = places.iter().filter(|place| place.is_none()).count();
        let apart: BTreeSet<_> = places.into_iter().flatten().collect();
        (without + apart.len()) as u64
    }

    pub(crate) fn takes(&self, store: &Store) -> bool {
        takes(self.constraints, store)
    }
}

/// The places on other stores for what one of them gives up.
pub(crate) struct Room<'a> {
    leaving: &'a Store,
    stores: &'a [Store],
    config: &'a Config,
    /// What asks for the replicas that the store holds.
    wanted: Vec<Wanted<'a>>,
    /// What asks for replicas on other stores only.
    elsewhere: Vec<Wanted<'a>>,
}

impl<'a> Room<'a> {
    /// `rules` is `None` where they are switched off.
    pub(crate) fn of(
        leaving: &'a Store,
        rules: Option<&'a [Rule]>,
        config: &'a Config,
        stores: &'a [Store],
    ) -> Self {
        let asked: Vec<_> = match rules {
            Some(rules) => in_force(rules).map(Wanted::by_rule).collect(),
            None => vec![Wanted::by_config(config)],
        };
        let takes = |wanted: &Wanted<'_>| wanted.takes(leaving);
        let (wanted, elsewhere) = asked.into_iter().partition(takes);
        Self {
            leaving,
            stores,
            config,
            wanted,
            elsewhere,
        }
    }

    /// Whether the other stores have place for whatever is asked for, wherever a region has its
    /// other replicas.
    pub(crate) fn is_ample(&self) -> bool {
        let asked = || self.wanted.iter().chain(&self.elsewhere);
        let replicas: u64 = asked().map(|wanted| wanted.replicas).sum();
        asked().all(|wanted| {
            let others: Vec<&Store> = self.others(wanted).collect();
            wanted.kept_apart(&others) >= replicas
        })
    }

    /// Why what the store holds has no place elsewhere.
    pub(crate) fn lacking(&self) -> Vec<Cause> {
        let lacking = self.wanted.iter();
        lacking.filter_map(|wanted| self.lacks(wanted)).collect()
    }

    /// The stores that are needed and let next to nothing in, with their limits.
    pub(crate) fn limited_takers(&self) -> Vec<(&'a Store, f64)> {
        let limit = |store: &Store| low_add_limit(&self.config.schedule, store);
        let is_taker = |store: &Store| limit(store).is_none();
        let short = self.short_of(is_taker);
        let short: Vec<_> = short
            .filter(|wanted| self.takers(wanted, is_taker) == 0)
            .collect();
        let is_needed = |store: &Store| {
            let others = store.id != self.leaving.id && store.state_name == StoreState::Up;
            others && short.iter().any(|wanted| wanted.takes(store))
        };
        let needed = self.stores.iter().filter(|store| is_needed(store));
        needed
            .filter_map(|store| Some((store, limit(store)?)))
            .collect()
    }

    /// What keeps the replicas where they are until somebody changes something.
    pub(crate) fn obstacles(&self, takers: ReplicaTakers<'_>) -> Vec<Cause> {
        let mut causes = self.lacking();
        let limited = self.limited_takers().into_iter();
        causes.extend(limited.take(NAMED).map(limited_taker));
        if causes.is_empty() {
            let stays = |refusal: &Refusal| !refusal.passes();
            let refused = self.refused_by_too_many(takers, stays).into_iter();
            // Where one takes replicas, those regions get on that have none there.
            let by_all = refused.filter(|(taking, _)| *taking == 0);
            let texts = by_all.map(|(_, text)| text);
            causes.extend(texts.map(|text| Cause::new("too_few_stores_take_replicas", text)));
        }
        causes
    }

    /// Why too few of the others are given anything now, where all of them would have place: which
    /// are refused, and why.
    pub(crate) fn taken_by_too_few(&self, takers: ReplicaTakers<'_>) -> Vec<String> {
        let refused = self.refused_by_too_many(takers, |_| true).into_iter();
        refused.map(|(_, text)| text).collect()
    }

    /// How many of the others are takers.
    fn takers(&self, wanted: &Wanted<'_>, is_taker: impl Fn(&Store) -> bool) -> usize {
        self.others(wanted).filter(|store| is_taker(store)).count()
    }

    /// How many of the others take what too few take, and what is said of it.
    fn refused_by_too_many(
        &self,
        takers: ReplicaTakers<'_>,
        counts: impl Fn(&Refusal) -> bool,
    ) -> Vec<(usize, String)> {
        let is_taker = |store: &Store| !takers.refusals(store).iter().any(&counts);
        let texts = self.short_of(is_taker).map(|wanted| {
            let (name, replicas) = (&wanted.name, wanted.replicas);
            let taking = self.takers(wanted, is_taker);
            let waits = match taking {
                0 => "",
                _ => ": a region with replicas on all of those waits",
            };
            let other = |store: &&Store| store.id != self.leaving.id && wanted.takes(store);
            let refused = takers.refused(self.stores.iter().filter(other));
            let text = format!(
                "{name} requires {replicas} replicas, but only {taking} of the other stores can take one now ({refused}){waits}"
            );
            (taking, text)
        });
        texts.collect()
    }

    /// What has place on the others, and none on those that take anything: the replicas that
    /// regions have elsewhere may be on all of these.
    fn short_of(&self, is_taker: impl Fn(&Store) -> bool) -> impl Iterator<Item = &Wanted<'a>> {
        let wanted = self.wanted.iter();
        wanted.filter(move |wanted| {
            let takers: Vec<_> = self.others(wanted).filter(|one| is_taker(one)).collect();
            let place = wanted.place(self.leaving);
            // Where isolation holds, no other replica is in the same place.
            let is_same = |store: &&Store| place.is_some() && wanted.place(store) == place;
            self.lacks(wanted).is_none()
                && !takers.iter().any(is_same)
                && wanted.kept_apart(&takers) < wanted.replicas
        })
    }

    /// The other stores that PD hears of and the rule takes.
    fn others(&self, wanted: &Wanted<'_>) -> impl Iterator<Item = &'a Store> {
        let healthy = |store: &&Store| {
            let is_up = store.state_name == StoreState::Up;
            store.id != self.leaving.id && is_up && wanted.takes(store)
        };
        self.stores.iter().filter(healthy)
    }

    fn lacks(&self, wanted: &Wanted<'_>) -> Option<Cause> {
        let others: Vec<&Store> = self.others(wanted).collect();
        let Wanted { name, replicas, .. } = wanted;
        let fit = match others.len() {
            1 => "1 other store matches".to_owned(),
            count => format!("{count} other stores match"),
        };
        if (others.len() as u64) < *replicas {
            let text = format!("{name} requires {replicas} replicas, but {fit} it");
            return Some(Cause::new("too_few_healthy_stores", text));
        }
        let apart = wanted.kept_apart(&others);
        (apart < *replicas).then(|| {
            let level = bounded(wanted.isolation_level);
            let text = format!(
                "{name} requires {replicas} replicas, no two with the same `{level}` (`isolation-level`), but the other stores have only {apart}"
            );
            Cause::new("isolation_level", text)
        })
    }
}

/// A store that is needed for what another gives up.
fn limited_taker((store, limit): (&Store, f64)) -> Cause {
    let code = if limit > 0.0 {
        "store_limit_low"
    } else {
        "store_limit_zero"
    };
    let id = store.id;
    let text = format!(
        "the limit `add-peer` of store {id} is {limit} per minute, and without store {id} too few stores take replicas"
    );
    Cause::new(code, text)
}

/// The placement rules; `None` where they are switched off. One read at most.
pub(crate) async fn rules(tikv: &Tikv, config: &Config) -> Result<Option<Vec<Rule>>, Error> {
    if !config.replication.enable_placement_rules {
        return Ok(None);
    }
    tikv.pd.rules().await.map_err(Error::Read)
}

/// The rules but for those that another replaces for all keys: a later one of their group, or one of
/// a later group that replaces those before it.
pub(crate) fn in_force(rules: &[Rule]) -> impl Iterator<Item = &Rule> {
    let replaces = |place: usize, later: usize| {
        let (Some(rule), Some(other)) = (rules.get(place), rules.get(later)) else {
            return false;
        };
        let for_all = other.start_key.is_empty() && other.end_key.is_empty();
        let by_group = other.group_overrides && other.group_id != rule.group_id;
        let by_rule = other.overrides && other.group_id == rule.group_id;
        later > place && for_all && (by_group || by_rule)
    };
    let stands = move |place: usize| !(0..rules.len()).any(|later| replaces(place, later));
    let stand = rules.iter().enumerate();
    stand.filter_map(move |(place, rule)| stands(place).then_some(rule))
}
