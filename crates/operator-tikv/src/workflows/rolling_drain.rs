//! Drains the stores of one failure domain, one after the other: `rolling_drain`.

// length: the parameters, whose sentences a model chooses by, and the steps in the order in which
// they come.

use std::collections::BTreeSet;

use action_core::{
    Condition, Cost, DurationText, Observation, Problem, Retry, Role, Safety, Step, Workflow,
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
use crate::observations::safe_to_stop::SafeToStop;
use crate::parameters::bounded::bounded;
use crate::parameters::ids::StoreId;
use crate::pd_rules::balance_leader::balanced_at_least;
use crate::stop_safety::asked::{check, no_such, no_such_store};
use crate::stop_safety::{NAMED, StopSnapshot};

/// Makes a workflow that drains the stores of one failure domain, one after the other, for work on
/// each of them.
///
/// For each store: nothing is down and no other drain was begun; it is safe to stop; drain it; see
/// in three readings that it leads nothing, and that it is safe to stop still; wait until somebody
/// confirms that the work is done; see that it is up; stop the drain; see that its leaders are
/// back. Only then comes the next.
///
/// Makes none when the stores are of more than one failure domain, when one of another domain is
/// drained, when one of them is drained already, when any store is not up, or when one of them is
/// not known to be safe to stop (`safe_to_stop`). Starts nothing.
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
    /// What to do about stores not known to be safe to stop.
    #[serde(default)]
    pub if_not_safe: IfNotSafe,
    /// Percent of the leaders that a store has now that it must have again before the next one is
    /// drained, or fewer where PD's balance brings fewer.
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

/// What to do about stores that `safe_to_stop` does not call safe.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum IfNotSafe {
    /// Make no workflow, and stop before such a store.
    #[default]
    Refuse,
    /// Override that no region may lose its majority, nor PD its quorum.
    GoOn,
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
        check(
            self.label.as_deref(),
            self.store_ids.as_deref(),
            MOST_STORES,
        )
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
        if self.if_not_safe == IfNotSafe::Refuse {
            all_safe(tikv, &picked).await?;
        }
        let unasked = match self.if_not_safe {
            IfNotSafe::Refuse => "",
            IfNotSafe::GoOn => ", whether or not they are safe to stop",
        };
        let title = format!(
            "Drain {} of {domain}, one after the other{unasked}",
            count(picked.len())
        );
        let steps = picked
            .iter()
            .flat_map(|store| self.steps(store, &snapshot, kept));
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
                let store = store.ok_or_else(|| no_such_store(*id, snapshot.stores))?;
                if store.is_tiflash() {
                    let text = format!("store {id} is a TiFlash store, which never leads");
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
            0 => Err(no_such(
                "no_store",
                format!("no TiKV store has the label `{label}`"),
            )),
            many if many > MOST_STORES => {
                let text = format!(
                    "{many} stores have the label `{label}`, at most {MOST_STORES} go into one workflow"
                );
                Err(no_such("too_many_stores", text))
            }
            _ => Ok(picked),
        }
    }

    fn steps(&self, store: &Store, snapshot: &ClusterSnapshot<'_>, other_drains: u64) -> Vec<Step> {
        let id = StoreId::from(store.id);
        let name = |step: &str| format!("{step}-{id}");
        let look = || GetStore { store_id: id };
        let safe = |step: &str| {
            let asked = SafeToStop {
                store_ids: Some(vec![id]),
                ..SafeToStop::default()
            };
            let step = Step::observation(name(step), &asked)
                .title(format!("store {id} is safe to stop"))
                .until(Condition::equals("/answer", "safe"))
                .within(DurationText::from_mins(10));
            (self.if_not_safe == IfNotSafe::Refuse).then_some(step)
        };
        let calm = Step::observation(name("calm"), &ClusterHealth {})
            .title("no store is down, and no other store is drained")
            .until(Condition::at_most("/stores_down", 0))
            .until(Condition::at_most("/stores_disconnected", 0))
            .until(Condition::at_most("/stores_draining", other_drains))
            .until(Condition::equals("/scheduling_halted", false))
            .within(DurationText::from_mins(10));
        let lease = DurationText::from_mins(self.lease_hours.get().saturating_mul(60));
        let drain = Step::mutation(name("drain"), &DrainStore { store_id: id })
            .title(format!("drain store {id}"))
            .lease(lease)
            .retry(Retry::times(2));
        let verified = Step::observation(name("verified"), &look())
            .title(format!("store {id} leads nothing"))
            .until(Condition::at_most("/store/leader_count", 0))
            .until(Condition::equals("/store/draining", true))
            .readings(3)
            .within(DurationText::from_mins(10));
        let work =
            Step::confirm(name("work"), self.work_on(id)).title(format!("work on store {id}"));
        let up = Step::observation(name("up"), &look())
            .title(format!("store {id} is up"))
            .until(Condition::equals("/store/state", "Up"))
            .within(DurationText::from_mins(15));
        let stop = Step::undo(name("stop"), name("drain"))
            .title(format!("stop draining store {id}"))
            .retry(Retry::times(2));
        let back = self.back(store, snapshot);
        let mut steps = vec![calm];
        steps.extend(safe("safe"));
        steps.extend([drain, verified]);
        steps.extend(safe("still-safe"));
        steps.extend([work, up, stop, back]);
        steps
    }

    fn work_on(&self, id: StoreId) -> String {
        let work = self.work.as_deref().unwrap_or(
            "Do the maintenance work on the store, and start it again if you stopped it.",
        );
        let unasked = match self.if_not_safe {
            IfNotSafe::Refuse => "",
            IfNotSafe::GoOn => " It was not checked whether it is safe to stop.",
        };
        format!("Store {id} leads nothing.{unasked} {work}")
    }

    /// The store leads again, as many as PD's balance brings where that is less.
    fn back(&self, store: &Store, snapshot: &ClusterSnapshot<'_>) -> Step {
        let id = StoreId::from(store.id);
        let leaders = store.status.leader_count;
        let wanted = leaders
            .saturating_mul(self.leaders_back_percent.get())
            .div_ceil(100);
        let (stores, config) = (snapshot.stores, snapshot.config);
        let balanced = balanced_at_least(store, stores, config, snapshot.drains);
        let enough = balanced.map_or(wanted, |balanced| balanced.min(wanted));
        let why = if enough < wanted {
            ", as far as PD's balancing moves them back"
        } else {
            ""
        };
        Step::observation(format!("back-{id}"), &GetStore { store_id: id })
            .title(format!(
                "{enough} of {leaders} leaders are back on store {id}{why}"
            ))
            .until(Condition::at_least("/store/leader_count", enough))
            .until(Condition::equals("/store/draining", false))
            .within(DurationText::from_mins(self.leaders_back_minutes.get()))
    }
}

/// Each of these stores, by itself, is safe to stop now.
async fn all_safe(tikv: &Tikv, picked: &[&Store]) -> Result<(), Error> {
    let mut snapshot = StopSnapshot::read(tikv).await?;
    for store in picked {
        let found = snapshot.by_lists(tikv, [store.id].into(), NAMED).await?;
        if found.answer != Safety::Safe {
            let text = format!(
                "store {}: {}; `if_not_safe` `go_on` overrides that no region may lose its \
                 majority, nor PD its quorum",
                store.id,
                found.of_one()
            );
            return Err(not_applicable("not_safe_to_stop", text));
        }
    }
    Ok(())
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
                    "the stores are in several failure domains ({}): use one workflow for each",
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
                    "store {id} is already being drained, and the workflow must not stop that drain"
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
