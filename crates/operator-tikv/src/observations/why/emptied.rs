//! Stores that PD empties: the one that was asked about, or those that hold a replica of the region.

use pd_client::config::Config;
use pd_client::operators::Operator;
use pd_client::regions::Region;
use pd_client::rules::{RegionFit, Rule};
use pd_client::stores::{Store, StoreState};

use crate::cluster::Tikv;
use crate::error::Error;
use crate::observations::left_on_store::unexplained;
use crate::observations::why::question::Why;
use crate::pd_rules::offline_blockers::LeftOnStore;
use crate::pd_rules::placement::rules_of;
use crate::pd_rules::room;

/// What was read of such a store.
pub(super) struct Emptied {
    pub(super) store: Store,
    /// The rules that decide where its replicas may go; `None` when rules are switched off.
    pub(super) rules: Option<Vec<Rule>>,
    pub(super) left: LeftOnStore,
}

impl Emptied {
    /// Of the region that was asked about, the stores that hold a replica of it; without one, the
    /// store that was asked about. None unless replicas were asked about.
    pub(super) async fn read(
        tikv: &Tikv,
        asked: &Why,
        (from, region): (Option<&Store>, Option<(&Region, Option<&RegionFit>)>),
        (config, stores): (&Config, &[Store]),
        operators: &[Operator],
    ) -> Result<Vec<Self>, Error> {
        let cluster = (config, stores);
        if !asked.what.replicas() {
            return Ok(Vec::new());
        }
        if asked.region_id.is_none() {
            let Some(store) = from.filter(|store| is_emptied(store)) else {
                return Ok(Vec::new());
            };
            let rules = room::rules(tikv, config).await?;
            let left = LeftOnStore::read(tikv, store, cluster, rules.as_deref(), operators);
            return Ok(vec![Self {
                store: store.clone(),
                left: left.await?,
                rules,
            }]);
        }
        let Some((region, fit)) = region else {
            return Ok(Vec::new());
        };
        let mut emptied = Vec::new();
        for store in stores {
            let is_asked = asked.from_store_id.is_none_or(|id| id.pd() == store.id);
            if is_asked && is_emptied(store) && region.peer_on(store.id).is_some() {
                let about = (region, fit);
                let left = LeftOnStore::of_region(tikv, store, cluster, about, operators);
                emptied.push(Self {
                    store: store.clone(),
                    left: left.await?,
                    rules: rules_of(fit),
                });
            }
        }
        Ok(emptied)
    }

    /// What was not looked at, and what has no cause where none was found that holds for all.
    pub(super) fn unknown(&self, is_explained: bool) -> impl Iterator<Item = String> + '_ {
        let unexplained = unexplained(&self.store, &self.left).filter(|_| !is_explained);
        self.left.not_read.iter().cloned().chain(unexplained)
    }
}

/// Whether PD replaces what is on a store: because it is to go, or because it is down.
pub(super) fn is_emptied(store: &Store) -> bool {
    matches!(store.state_name, StoreState::Offline | StoreState::Down)
}
