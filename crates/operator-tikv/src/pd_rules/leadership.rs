//! Whether a store may be given leaders.

use action_core::Cause;
use pd_client::config::Config;
use pd_client::rules::Rule;
use pd_client::schedulers::{EvictLeaderConfig, SchedulerKind};
use pd_client::stores::{Store, StoreState};
use serde_json::Value;

use crate::cluster::Tikv;
use crate::error::Error;
use crate::facts::drains::in_force;
use crate::facts::store::state_text;
use crate::pd_rules::placement::rules_let_lead;

/// Whether PD gives leaders to a store.
pub(crate) enum MayLead {
    /// It does.
    Yes,
    /// It does not.
    No,
    /// Nothing that can be read speaks against it, and there is more that cannot be read.
    NotShown(Vec<Cause>),
}

/// What keeps leaders from stores besides their state.
pub(crate) struct LeaderBlockers {
    pub(crate) drains: Option<EvictLeaderConfig>,
    /// By schedulers of PD's own, and by grants before 9.0.
    pub(crate) kept: Vec<(pd_client::StoreId, &'static str)>,
    /// Schedulers that do not show which stores they keep leaders from.
    unshown: Vec<Cause>,
    /// Labels of stores that refuse leaders.
    pub(crate) refused_labels: Vec<(String, String)>,
}

/// Those that keep leaders from stores they find slow or stopping.
pub(crate) const EVICTING: [SchedulerKind; 3] = [
    SchedulerKind::EvictSlowStore,
    SchedulerKind::EvictStoppingStore,
    SchedulerKind::EvictSlowTrend,
];

impl LeaderBlockers {
    /// One read for each scheduler there is that may keep leaders from a store, and no more than
    /// `reads`: what does not fit is told as not shown.
    pub(crate) async fn read(tikv: &Tikv, config: &Config, reads: usize) -> Result<Self, Error> {
        if !may_run(config, EVICT_LEADER) {
            return Self::under(tikv, config, None, reads).await;
        }
        let drains = in_force(tikv, &config.schedule).await?;
        Self::under(tikv, config, drains, reads.saturating_sub(1)).await
    }

    /// The same, where the drains were read.
    pub(crate) async fn under(
        tikv: &Tikv,
        config: &Config,
        drains: Option<EvictLeaderConfig>,
        reads: usize,
    ) -> Result<Self, Error> {
        let mut found = Self {
            drains,
            kept: Vec::new(),
            unshown: Vec::new(),
            refused_labels: refused_labels(config),
        };
        let leader_blockers = std::iter::once(GRANT_LEADER);
        let leader_blockers = leader_blockers.chain(EVICTING.map(SchedulerKind::name));
        let there = leader_blockers.filter(|name| may_run(config, name));
        for (place, name) in there.enumerate() {
            if place >= reads || !found.add(tikv, name).await? {
                let text =
                    format!("the stores that `{name}` keeps leaders away from are not shown");
                found
                    .unshown
                    .push(Cause::new("evicted_stores_not_shown", text));
            }
        }
        Ok(found)
    }

    /// What does not show which stores it keeps leaders from.
    pub(crate) fn unshown(&self) -> impl Iterator<Item = &Cause> {
        self.unshown.iter()
    }

    /// Reads what one scheduler keeps leaders from, if that is shown.
    async fn add(&mut self, tikv: &Tikv, name: &'static str) -> Result<bool, Error> {
        let pd = &tikv.pd;
        let stores = match name {
            GRANT_LEADER => {
                let grants = pd.grant_leader_config().await.map_err(Error::Read)?;
                let stores = grants.map(|grants| grants.stores).unwrap_or_default();
                stores.into_keys().collect()
            }
            _ => {
                let kind = EVICTING.into_iter().find(|kind| kind.name() == name);
                let Some(kind) = kind else { return Ok(false) };
                match pd.evicted_stores(kind).await.map_err(Error::Read)? {
                    Some(stores) => stores,
                    None => return Ok(false),
                }
            }
        };
        self.kept.extend(stores.into_iter().map(|id| (id, name)));
        Ok(true)
    }

    /// The stores that are granted leaders.
    pub(crate) fn granted(&self) -> impl Iterator<Item = pd_client::StoreId> {
        let granted = self.kept.iter().filter(|(_, by)| *by == GRANT_LEADER);
        granted.map(|(store, _)| *store)
    }

    /// Whether PD gives leaders to a store, under the rules of a region.
    pub(crate) fn lets_lead(&self, store: Option<&Store>, rules: Option<&[Rule]>) -> MayLead {
        let Some(store) = store else {
            return MayLead::No;
        };
        if refusing_leaders(Some(store), self.drains.as_ref()).is_some() {
            return MayLead::No;
        }
        // PD after 8.5 shows that a grant keeps leaders from going, not from coming.
        let shows_out = store.status.pause_leader_transfer_out == Some(true);
        let kept = self
            .kept
            .iter()
            .any(|(id, by)| *id == store.id && !(*by == GRANT_LEADER && shows_out));
        let refuses = |(key, value): &(String, String)| {
            let mut labels = store.labels.iter();
            labels.any(|label| label.key == *key && label.value == *value)
        };
        if kept || self.refused_labels.iter().any(refuses) || !rules_let_lead(rules, store) {
            return MayLead::No;
        }
        if self.unshown.is_empty() {
            MayLead::Yes
        } else {
            MayLead::NotShown(self.unshown.clone())
        }
    }
}

pub(crate) const EVICT_LEADER: &str = "evict-leader-scheduler";
pub(crate) const GRANT_LEADER: &str = "grant-leader-scheduler";

/// Whether a scheduler is configured and not switched off; also when that is not shown.
pub(crate) fn may_run(config: &Config, name: &str) -> bool {
    let kind = name.trim_end_matches("-scheduler");
    let listed = config.other("schedule.schedulers-v2");
    let Some(listed) = listed.and_then(Value::as_array) else {
        return true;
    };
    let text = |one: &Value, field: &str| one.get(field).and_then(Value::as_str) == Some(kind);
    listed
        .iter()
        .any(|one| text(one, "type") && one.get("disable") != Some(&Value::Bool(true)))
}

/// The labels of stores that are given no leaders, by configuration.
fn refused_labels(config: &Config) -> Vec<(String, String)> {
    let listed = config
        .other("label-property")
        .and_then(|property| property.get("reject-leader"))
        .and_then(Value::as_array);
    let text = |label: &Value, field: &str| Some(label.get(field)?.as_str()?.to_owned());
    let labels = listed.into_iter().flatten();
    labels
        .filter_map(|label| Some((text(label, "key")?, text(label, "value")?)))
        .collect()
}

/// Why PD does not give leaders to a store; `None` when it does, as far as can be read.
pub(crate) fn refusing_leaders(
    store: Option<&Store>,
    drains: Option<&EvictLeaderConfig>,
) -> Option<String> {
    let Some(store) = store else {
        return Some("the store does not exist".to_owned());
    };
    if store.state_name != StoreState::Up {
        return Some(format!("the store is {}", state_text(&store.state_name)));
    }
    if drains.is_some_and(|drains| drains.stores.contains_key(&store.id)) {
        return Some("leaders are being drained from the store".to_owned());
    }
    if store.status.pause_leader_transfer_in == Some(true) {
        return Some("a scheduler keeps leaders away from the store".to_owned());
    }
    if store.status.is_busy {
        return Some("the store reports that it is busy".to_owned());
    }
    None
}
