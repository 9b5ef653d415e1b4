//! Drains the stores of one failure domain, one after the other: `rolling_drain`.

use std::collections::BTreeSet;

use action_core::{
    Condition, Cost, DurationText, Observation, Problem, Retry, Role, Step, Workflow,
};
use async_trait::async_trait;
use pd_client::config::Config;
use pd_client::schedulers::EvictLeaderConfig;
use pd_client::stores::{Store, StoreState};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cluster::Tikv;
use crate::error::Error;
use crate::facts::bounded_text::bounded;
use crate::facts::drains::{in_force, is_draining};
use crate::facts::store::{failure_domain, state_text};
use crate::mutations::store::drain::DrainStore;
use crate::observations::cluster_health::ClusterHealth;
use crate::observations::get_store::GetStore;
use crate::parameters::bounded::bounded;
use crate::parameters::ids::StoreId;

/// Makes a workflow that drains the stores of one failure domain, one after the other, for work on
/// each of them.
///
/// For each store: nothing is down and no other drain was begun; drain it; see in three readings
/// that it leads nothing; wait until somebody confirms that the work is done; see that it is up;
/// stop the drain; see that its leaders are back. Only then comes the next.
///
/// Makes none when the stores are of more than one failure domain, when one of another domain is
/// drained, when one of them is drained already, or when any store is not up. Starts nothing.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RollingDrain {
    /// Label that the stores have, as `key=value`, such as `zone=z1`. Give either this or
    /// `store_ids`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Stores to drain, in this order. Give either these or `label`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub store_ids: Option<Vec<StoreId>>,
    /// Percent of the leaders that a store has now that it must have again before the next one is
    /// drained.
    #[serde(default)]
    pub leaders_back_percent: BackPercent,
    /// Minutes to wait for a store's leaders to be back.
    #[serde(default)]
    pub leaders_back_minutes: BackMinutes,
    /// Hours after which a drain is taken back, whatever became of the workflow.
    #[serde(default)]
    pub lease_hours: LeaseHours,
    /// What is done on a drained store, for whoever confirms it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub work: Option<String>,
}

bounded! {
    /// Percent of a store's leaders: 1 to 100, and 80 unless told.
    BackPercent(u64): 1 to 100, "percent of a store's leaders", default 80
}

bounded! {
    /// Minutes to wait: 1 to 1440, and 30 unless told.
    BackMinutes(u64): 1 to 1440, "minutes to wait", default 30
}

bounded! {
    /// Hours that a drain may stay: 1 to 168, and 12 unless told.
    LeaseHours(u64): 1 to 168, "hours that a drain may stay", default 12
}

/// Of one workflow.
const MOST_STORES: usize = 64;

#[async_trait]
impl Observation<Tikv> for RollingDrain {
    const NAME: &'static str = "rolling_drain";
    const COST: Cost = Cost::List;
    const ROLE: Option<Role> = Some(Role::Workflow);
    type Output = Workflow;

    fn check(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let expected = "either a `label` or some `store_ids`";
        match (&self.label, &self.store_ids) {
            (None, None) => problems.push(Problem::combination("", "neither", expected)),
            (Some(_), Some(_)) => problems.push(Problem::combination("", "both", expected)),
            (Some(label), None) => {
                if !label
                    .split_once('=')
                    .is_some_and(|(key, value)| !key.is_empty() && !value.is_empty())
                {
                    let expected = "a label as `key=value`, such as `zone=z1`";
                    problems.push(Problem::combination("/label", label, expected));
                }
            }
            (None, Some(ids)) => {
                let distinct: BTreeSet<_> = ids.iter().map(|id| id.get()).collect();
                if distinct.len() != ids.len() || ids.is_empty() || ids.len() > MOST_STORES {
                    let expected = format!("1 to {MOST_STORES} different stores");
                    let got = format!("{} stores, {} different", ids.len(), distinct.len());
                    problems.push(Problem::combination("/store_ids", got, expected));
                }
            }
        }
        problems
    }

    async fn observe(&self, tikv: &Tikv) -> Result<Workflow, Error> {
        let mut stores = tikv.pd.stores().await.map_err(Error::Read)?;
        stores.sort_by_key(|store| store.id);
        let config = tikv.pd.config().await.map_err(Error::Read)?;
        let drains = in_force(tikv, &config.schedule).await?;
        let snapshot = ClusterSnapshot {
            stores: &stores,
            config: &config,
            drains: drains.as_ref(),
        };
        let picked = self.picked(&snapshot)?;
        let domain = snapshot.one_domain(&picked, self.label.as_deref())?;
        let kept = snapshot.drained_beside(&picked, &domain)?;
        snapshot.all_up()?;
        let title = format!(
            "Drain {} of {domain}, one after the other",
            count(picked.len())
        );
        let steps = picked.iter().flat_map(|store| self.steps(store, kept));
        Ok(steps.fold(Workflow::new(bounded(&title)), Workflow::then))
    }
}

/// What was read.
struct ClusterSnapshot<'a> {
    stores: &'a [Store],
    config: &'a Config,
    drains: Option<&'a EvictLeaderConfig>,
}

impl RollingDrain {
    fn picked<'a>(&self, snapshot: &ClusterSnapshot<'a>) -> Result<Vec<&'a Store>, Error> {
        if let Some(ids) = &self.store_ids {
            let find = |id: &StoreId| {
                let store = snapshot.stores.iter().find(|store| store.id == id.pd());
                let store = store
                    .ok_or_else(|| not_applicable("no_store", format!("there is no store {id}")))?;
                if store.is_tiflash() {
                    let text = format!("store {id} is a TiFlash store, which leads nothing");
                    return Err(not_applicable("never_leads", text));
                }
                Ok(store)
            };
            return ids.iter().map(find).collect();
        }
        let label = self.label.as_deref().unwrap_or_default();
        let (key, value) = label.split_once('=').unwrap_or_default();
        let has_it = |store: &&Store| !store.is_tiflash() && store.label(key) == Some(value);
        let picked: Vec<&Store> = snapshot.stores.iter().filter(has_it).collect();
        match picked.len() {
            0 => Err(not_applicable(
                "no_store",
                format!("no TiKV store has the label `{label}`"),
            )),
            many if many > MOST_STORES => {
                let text = format!(
                    "{many} stores have the label `{label}`, at most {MOST_STORES} go into one workflow"
                );
                Err(not_applicable("too_many_stores", text))
            }
            _ => Ok(picked),
        }
    }

    fn steps(&self, store: &Store, other_drains: u64) -> [Step; 7] {
        let id = StoreId::from(store.id);
        let name = |step: &str| format!("{step}-{id}");
        let look = || GetStore { store_id: id };
        let leaders = store.status.leader_count;
        let enough = leaders
            .saturating_mul(self.leaders_back_percent.get())
            .div_ceil(100);
        let work = self.work.clone().unwrap_or_else(|| {
            "Do what the store is drained for, and start it again if it was stopped.".to_owned()
        });
        [
            Step::observation(name("calm"), &ClusterHealth {})
                .title("nothing is down, and nothing else is drained")
                .until(Condition::at_most("/stores_down", 0))
                .until(Condition::at_most("/stores_disconnected", 0))
                .until(Condition::at_most("/stores_draining", other_drains))
                .until(Condition::equals("/scheduling_halted", false))
                .within(DurationText::from_mins(10)),
            Step::mutation(name("drain"), &DrainStore { store_id: id })
                .title(format!("drain store {id}"))
                .lease(DurationText::from_mins(
                    self.lease_hours.get().saturating_mul(60),
                ))
                .retry(Retry::times(2)),
            Step::observation(name("verified"), &look())
                .title(format!("store {id} leads nothing"))
                .until(Condition::at_most("/store/leader_count", 0))
                .until(Condition::equals("/store/draining", true))
                .readings(3)
                .within(DurationText::from_mins(10)),
            Step::confirm(name("work"), format!("Store {id} leads nothing. {work}"))
                .title(format!("work on store {id}")),
            Step::observation(name("up"), &look())
                .title(format!("store {id} is up"))
                .until(Condition::equals("/store/state", "Up"))
                .within(DurationText::from_mins(15)),
            Step::undo(name("stop"), name("drain"))
                .title(format!("stop draining store {id}"))
                .retry(Retry::times(2)),
            Step::observation(name("back"), &look())
                .title(format!(
                    "{enough} of {leaders} leaders of store {id} are back"
                ))
                .until(Condition::at_least("/store/leader_count", enough))
                .until(Condition::equals("/store/draining", false))
                .within(DurationText::from_mins(self.leaders_back_minutes.get())),
        ]
    }
}

impl ClusterSnapshot<'_> {
    fn domain(&self, store: &Store) -> String {
        failure_domain(store.id.into(), Some(store), self.config)
    }

    /// The failure domain of all stores. Where the cluster knows none, the label is one.
    fn one_domain(&self, picked: &[&Store], label: Option<&str>) -> Result<String, Error> {
        let domains: BTreeSet<String> = picked.iter().map(|store| self.domain(store)).collect();
        let knows_any = !self.config.replication.location_labels.is_empty();
        let mut found = domains.iter();
        match (found.next(), found.next(), label) {
            (Some(only), None, _) => Ok(only.clone()),
            (_, _, Some(label)) if !knows_any => Ok(label.to_owned()),
            _ => {
                let domains: Vec<&str> = domains.iter().map(String::as_str).collect();
                let text = format!(
                    "the stores are of several failure domains: {}; make a workflow for each",
                    bounded(&domains.join(", "))
                );
                Err(not_applicable("several_domains", text))
            }
        }
    }

    /// How many other stores of the domain are drained. One of another domain, or one of those to
    /// be drained, must not be.
    fn drained_beside(&self, picked: &[&Store], domain: &str) -> Result<u64, Error> {
        let mut beside = 0;
        for store in self.stores {
            let id = StoreId::from(store.id);
            if !is_draining(self.drains, id) {
                continue;
            }
            if picked.iter().any(|picked| picked.id == store.id) {
                let text = format!(
                    "store {id} is being drained already, and that drain would not be the workflow's to stop"
                );
                return Err(not_applicable("drained_already", text));
            }
            let other = self.domain(store);
            let has_label = domain
                .split_once('=')
                .is_some_and(|(key, value)| store.label(key) == Some(value));
            if other != domain && !has_label {
                let text = format!("store {id} of {} is being drained", bounded(&other));
                return Err(not_applicable("other_domain_drained", text));
            }
            beside += 1;
        }
        Ok(beside)
    }

    fn all_up(&self) -> Result<(), Error> {
        let is_bad = |store: &&Store| {
            matches!(
                store.state_name,
                StoreState::Disconnected | StoreState::Down
            )
        };
        match self.stores.iter().find(is_bad) {
            Some(store) => {
                let state = bounded(&state_text(&store.state_name));
                Err(not_applicable(
                    "store_not_up",
                    format!("store {} is {state}", store.id),
                ))
            }
            None => Ok(()),
        }
    }
}

fn count(stores: usize) -> String {
    match stores {
        1 => "one store".to_owned(),
        many => format!("{many} stores"),
    }
}

fn not_applicable(code: &'static str, text: String) -> Error {
    Error::NotApplicable { code, text }
}
