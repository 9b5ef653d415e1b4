//! Which stores would go down, and which are counted as gone already.

use std::collections::{BTreeMap, BTreeSet};

use pd_client::StoreId;
use pd_client::regions::{Peer, Region};
use pd_client::schedulers::EvictLeaderConfig;
use pd_client::stores::{Store, StoreState};

use crate::facts::drains::is_draining;
use crate::facts::pd_clock::PdTime;
use crate::stop_safety::answer::{GoneBecause, GoneStore};

/// After so long PD calls a store Disconnected: `storeDisconnectDuration` of `pkg/core/store.go`.
const DISCONNECTED_AFTER_S: u64 = 20;

/// The stores, by what becomes of them.
pub(super) struct Going {
    pub(super) asked: BTreeSet<StoreId>,
    /// Those among all that PD does not hear of, asked for or not.
    silent: BTreeSet<StoreId>,
    /// Others that are counted as gone.
    gone: BTreeMap<StoreId, GoneBecause>,
    tiflash: BTreeSet<StoreId>,
    known: BTreeSet<StoreId>,
}

/// What becomes of a replica.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Stays,
    GoesDown,
    /// It is counted as gone already.
    Gone(&'static str),
}

impl Going {
    pub(super) fn new(
        asked: BTreeSet<StoreId>,
        stores: &[Store],
        drains: Option<&EvictLeaderConfig>,
        now: Option<PdTime>,
    ) -> Self {
        let silent = stores.iter().filter(|store| !is_heard(store, now));
        let silent: BTreeSet<_> = silent.map(|store| store.id).collect();
        let others = stores.iter().filter(|store| !asked.contains(&store.id));
        let gone = others.filter_map(|store| {
            let why = match store.state_name {
                StoreState::Tombstone => GoneBecause::Removed,
                _ if silent.contains(&store.id) => GoneBecause::NotHeard,
                StoreState::Offline => GoneBecause::Offline,
                _ if is_draining(drains, store.id.into()) => GoneBecause::Draining,
                _ => return None,
            };
            Some((store.id, why))
        });
        let gone = gone.collect();
        let tiflash = stores.iter().filter(|store| store.is_tiflash());
        Self {
            asked,
            silent,
            gone,
            tiflash: tiflash.map(|store| store.id).collect(),
            known: stores.iter().map(|store| store.id).collect(),
        }
    }

    pub(super) fn hears(&self, id: StoreId) -> bool {
        !self.silent.contains(&id)
    }

    pub(super) fn is_tiflash(&self, id: StoreId) -> bool {
        self.tiflash.contains(&id)
    }

    /// Whether a store that is neither asked for nor counted as gone.
    pub(super) fn stays(&self, id: StoreId) -> bool {
        !self.asked.contains(&id) && !self.gone.contains_key(&id) && self.known.contains(&id)
    }

    pub(super) fn fate(&self, region: &Region, peer: &Peer) -> Fate {
        let id = peer.store_id;
        if let Some(why) = self.gone.get(&id) {
            return Fate::Gone(why.words());
        }
        if !self.known.contains(&id) {
            return Fate::Gone(GoneBecause::Removed.words());
        }
        let mut down = region.down_peers.iter();
        let is_down = down.any(|down| down.peer.id == peer.id);
        // One that lags has a vote, and a region that is left with few needs it. So has one whose
        // store PD does not hear of: whether it is down its region's leader says.
        if self.asked.contains(&id) {
            return match self.silent.contains(&id) && is_down {
                true => Fate::Gone(GoneBecause::NotHeard.words()),
                false => Fate::GoesDown,
            };
        }
        if self.silent.contains(&id) {
            return Fate::Gone(GoneBecause::NotHeard.words());
        }
        if is_down {
            return Fate::Gone("down");
        }
        if region.pending_peers.iter().any(|one| one.id == peer.id) {
            return Fate::Gone("pending");
        }
        Fate::Stays
    }

    /// The others that are counted as gone and may hold voters.
    pub(super) fn gone_stores(&self, stores: &[Store]) -> Vec<GoneStore> {
        let gone = stores.iter().filter_map(|store| {
            let why = *self.gone.get(&store.id)?;
            let regions = store.status.region_count;
            // A tombstone without regions is no more than a name.
            let matters = why != GoneBecause::Removed || regions > 0;
            let votes = !self.is_tiflash(store.id);
            (matters && votes).then(|| GoneStore {
                store_id: store.id.into(),
                why,
                regions,
            })
        });
        gone.collect()
    }
}

/// Whether PD hears of a store. One that is being emptied is called Offline either way.
fn is_heard(store: &Store, now: Option<PdTime>) -> bool {
    match store.state_name {
        StoreState::Up => true,
        StoreState::Offline => {
            let heard = store.last_heartbeat.or(store.status.last_heartbeat_ts);
            heard
                .zip(now)
                .is_some_and(|(heard, now)| now.seconds_since(heard) <= DISCONNECTED_AFTER_S)
        }
        _ => false,
    }
}
