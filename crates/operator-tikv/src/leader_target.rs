//! Whether a store may be given leaders.

use std::time::{Duration, SystemTime};

use action_core::Cause;
use pd_client::config::Config;
use pd_client::rules::{LabelConstraint, LabelOp, Rule, RuleRole};
use pd_client::schedulers::{EvictLeaderConfig, SchedulerKind};
use pd_client::stores::{Store, StoreState};
use serde_json::Value;

use crate::error::Error;
use crate::ids::StoreId;
use crate::tikv::Tikv;

/// Whether PD gives leaders to a store.
pub(crate) enum MayLead {
    /// It does.
    Yes,
    /// It does not.
    No,
    /// Nothing that can be read speaks against it, and there is more that cannot be read.
    Untold(Vec<Cause>),
}

/// What keeps leaders from stores besides their state.
pub(crate) struct Keepers {
    drains: Option<EvictLeaderConfig>,
    /// By schedulers of PD's own, and by grants before 9.0.
    kept: Vec<(pd_client::StoreId, &'static str)>,
    /// Schedulers that do not show which stores they keep leaders from.
    unshown: Vec<Cause>,
    /// Labels of stores that refuse leaders.
    refused_labels: Vec<(String, String)>,
}

/// Those that keep leaders from stores they find slow or stopping.
const EVICTING: [SchedulerKind; 3] = [
    SchedulerKind::EvictSlowStore,
    SchedulerKind::EvictStoppingStore,
    SchedulerKind::EvictSlowTrend,
];

impl Keepers {
    /// Two reads, and one for each scheduler there is that may keep leaders from a store: five in
    /// all, what does not fit is told as not shown.
    pub(crate) async fn read(tikv: &Tikv, config: &Config) -> Result<Self, Error> {
        let drains = tikv.pd.evict_leader_config().await.map_err(Error::Read)?;
        let names = tikv.pd.schedulers().await.map_err(Error::Read)?;
        let exists = |name: &str| names.iter().any(|known| known == name);
        let mut kept = Vec::new();
        let mut unshown = Vec::new();
        let mut reads_left = 3;
        if exists("grant-leader-scheduler") {
            let grants = tikv.pd.grant_leader_config().await.map_err(Error::Read)?;
            let stores = grants.map(|grants| grants.stores).unwrap_or_default();
            kept.extend(stores.into_keys().map(|id| (id, GRANTED)));
            reads_left -= 1;
        }
        for kind in EVICTING.into_iter().filter(|kind| exists(kind.name())) {
            let shown = if reads_left == 0 {
                None
            } else {
                reads_left -= 1;
                tikv.pd.evicted_stores(kind).await.map_err(Error::Read)?
            };
            match shown {
                Some(stores) => kept.extend(stores.into_iter().map(|id| (id, kind.name()))),
                None => unshown.push(Cause::new(
                    "evicted_stores_not_shown",
                    format!(
                        "which stores `{}` keeps leaders from is not shown",
                        kind.name()
                    ),
                )),
            }
        }
        Ok(Self {
            drains,
            kept,
            unshown,
            refused_labels: refused_labels(config),
        })
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
            .any(|(id, by)| *id == store.id && !(*by == GRANTED && shows_out));
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
            MayLead::Untold(self.unshown.clone())
        }
    }
}

const GRANTED: &str = "grant-leader-scheduler";

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
        return Some("a scheduler keeps leaders from the store".to_owned());
    }
    if store.status.is_busy {
        return Some("the store says that it is busy".to_owned());
    }
    None
}

/// Whether the rules of a region let a store lead it.
fn rules_let_lead(rules: Option<&[Rule]>, store: &Store) -> bool {
    let Some(rules) = rules else {
        return true;
    };
    let leads = |rule: &&Rule| matches!(rule.role, RuleRole::Voter | RuleRole::Leader);
    let mut leading = rules.iter().filter(leads);
    leading.any(|rule| takes(&rule.label_constraints, store))
}

/// Whether constraints take a store. One with an exclusive label is taken only by name.
fn takes(constraints: &[LabelConstraint], store: &Store) -> bool {
    let exclusive = |key: &str| key.starts_with('$') || matches!(key, "engine" | "exclusive");
    let named = |key: &str| constraints.iter().any(|constraint| constraint.key == key);
    let mut labels = store.labels.iter();
    labels.all(|label| !exclusive(&label.key) || named(&label.key))
        && constraints.iter().all(|constraint| fits(constraint, store))
}

fn fits(constraint: &LabelConstraint, store: &Store) -> bool {
    // PD does not tell an empty label from none.
    let value = store
        .label(&constraint.key)
        .filter(|value| !value.is_empty());
    let listed = || value.is_some_and(|value| constraint.values.iter().any(|one| one == value));
    match constraint.op {
        LabelOp::In => listed(),
        LabelOp::NotIn => !listed(),
        LabelOp::Exists => value.is_some(),
        LabelOp::NotExists => value.is_none(),
        _ => false,
    }
}

/// How long PD has not heard of a store; `None` when it never has.
pub(crate) fn silent_for(store: &Store, clock_ahead_ms: i64) -> Option<Duration> {
    let heard = store.last_heartbeat.or(store.status.last_heartbeat_ts)?;
    let ahead = Duration::from_millis(clock_ahead_ms.unsigned_abs());
    let now = SystemTime::now();
    let now = if clock_ahead_ms < 0 {
        now - ahead
    } else {
        now + ahead
    };
    Some(now.duration_since(heard).unwrap_or_default())
}

/// Stores other than one that may be given leaders.
pub(crate) fn other_targets(
    stores: &[Store],
    not: StoreId,
    drains: Option<&EvictLeaderConfig>,
) -> usize {
    let others = stores
        .iter()
        .filter(|store| store.id != not.pd() && !store.is_tiflash());
    others
        .filter(|store| refusing_leaders(Some(store), drains).is_none())
        .count()
}

/// A state in PD's word.
pub(crate) fn state_text(state: &StoreState) -> String {
    match state {
        StoreState::Up => "Up".to_owned(),
        StoreState::Disconnected => "Disconnected".to_owned(),
        StoreState::Down => "Down".to_owned(),
        StoreState::Offline => "Offline".to_owned(),
        StoreState::Tombstone => "Tombstone".to_owned(),
        StoreState::Other(word) => word.clone(),
        _ => "unknown".to_owned(),
    }
}
