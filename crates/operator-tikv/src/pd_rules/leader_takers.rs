//! The stores that may be given a leader which a drain moves.
//!
//! By the filter of `scheduleEvictLeaderOnce` in `pkg/schedule/schedulers/evict_leader.go`, and by
//! `allowLeader` of `pkg/schedule/operator/builder.go`, which asks the region's rules as well.

use pd_client::StoreId;
use pd_client::config::Config;
use pd_client::regions::Region;
use pd_client::rules::Rule;
use pd_client::schedulers::EvictLeaderConfig;
use pd_client::stores::Store;

use crate::cluster::Tikv;
use crate::error::Error;
use crate::pd_rules::leadership::{LeaderBlockers, MayLead};
use crate::pd_rules::placement::{holding_for, rules_let_lead};
use crate::pd_rules::room;

/// How many reads tell what keeps leaders from stores besides drains: one for each scheduler that
/// may.
const LEADER_BLOCKER_READS: usize = 4;

/// What decides whether a store takes a leader.
pub(crate) struct LeaderTakers<'a> {
    pub(crate) blockers: &'a LeaderBlockers,
    /// `None` where rules are switched off.
    pub(crate) rules: Option<&'a [Rule]>,
    pub(crate) stores: &'a [Store],
}

/// The same as it is read.
pub(crate) struct ReadTakers {
    blockers: LeaderBlockers,
    rules: Option<Vec<Rule>>,
}

impl ReadTakers {
    /// Five reads at most, with the drains that were read.
    pub(crate) async fn read(
        tikv: &Tikv,
        config: &Config,
        drains: Option<&EvictLeaderConfig>,
    ) -> Result<Self, Error> {
        let drains = drains.cloned();
        Ok(Self {
            blockers: LeaderBlockers::under(tikv, config, drains, LEADER_BLOCKER_READS).await?,
            rules: room::rules(tikv, config).await?,
        })
    }

    pub(crate) fn among<'a>(&'a self, stores: &'a [Store]) -> LeaderTakers<'a> {
        LeaderTakers {
            blockers: &self.blockers,
            rules: self.rules.as_deref(),
            stores,
        }
    }
}

impl<'a> LeaderTakers<'a> {
    /// Whether a store may lead a region.
    pub(crate) fn take(&self, region: &Region, store: StoreId) -> bool {
        let Some(store) = self.not_blocked(store) else {
            return false;
        };
        let holding = self.rules.map(|rules| holding_for(rules, region));
        // PD lets a region be led by nobody else that no rule holds for, until it is split.
        holding.is_none_or(|rules| rules_let_lead(Some(rules), store))
    }

    /// Whether a store may lead any region.
    pub(crate) fn take_any(&self, store: StoreId) -> bool {
        let store = self.not_blocked(store);
        store.is_some_and(|store| rules_let_lead(self.rules, store))
    }

    /// Whether another store may lead anything.
    pub(crate) fn are_there_besides(&self, not: StoreId) -> bool {
        let mut others = self.stores.iter().filter(|store| store.id != not);
        others.any(|store| self.take_any(store.id))
    }

    /// What does not show which stores it keeps leaders from.
    pub(crate) fn unshown(&self) -> impl Iterator<Item = String> {
        self.blockers.unshown().map(|cause| cause.text.clone())
    }

    fn not_blocked(&self, id: StoreId) -> Option<&'a Store> {
        let store = self.stores.iter().find(|store| store.id == id)?;
        let lets = self.blockers.lets_lead(Some(store), None);
        (!store.is_tiflash() && !matches!(lets, MayLead::No)).then_some(store)
    }
}
