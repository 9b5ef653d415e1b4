//! Which stores PD gives replicas to now, and why it gives none to the others.
//!
//! By `SelectStoreToAdd` of `pkg/schedule/checker/replica_strategy.go`, as far as it is the same for
//! all regions: `storageThresholdFilter`, and the row `RegionTarget` of the table of conditions, both
//! in `pkg/schedule/filter/filters.go` (6.5 has both under `server/schedule`). How much of a store's
//! limit is used up is not shown.

use std::collections::BTreeMap;

use pd_client::StoreId;
use pd_client::config::ScheduleConfig;
use pd_client::stores::{Store, StoreState};

use crate::facts::settings_in_force::{Overrides, overriding};
use crate::facts::store::{low_add_limit, named, used_share};

/// So many reasons are given.
const NAMED: usize = 5;

/// A store with fewer regions than this and more space than `ROOMY` is not low on space for PD,
/// whatever its share (`IsLowSpace` of `pkg/core/store.go`). In 6.5 it is 50: of stores with as many
/// regions as lie between, what is said is what later versions do.
const FEW_REGIONS: u64 = 100;
const ROOMY: u64 = 8 << 30;

/// Why a store is given no replicas.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Refusal {
    Silent,
    Leaving,
    Busy,
    /// It has more of something in progress than is allowed.
    Crowded {
        what: &'static str,
        count: u64,
        allowed: u64,
    },
    /// Shares of its disk, 0 to 1.
    LowSpace {
        used: f64,
        allowed: f64,
    },
    /// Its limit for adding replicas, per minute, lets next to nothing in.
    Limited(f64),
}

impl Refusal {
    /// Whether it passes by itself, within minutes: PD calls these conditions temporary.
    pub(crate) fn passes(&self) -> bool {
        matches!(self, Self::Busy | Self::Crowded { .. })
    }

    fn text(&self) -> String {
        match self {
            Self::Silent => "no heartbeats".to_owned(),
            Self::Leaving => "offline or gone".to_owned(),
            Self::Busy => "busy".to_owned(),
            Self::Crowded {
                what,
                count,
                allowed,
            } => format!("{count} {what}, at most {allowed} allowed"),
            Self::LowSpace { used, allowed } => {
                let (used, allowed) = (used * 100.0, allowed * 100.0);
                format!("{used:.0} % of its disk is in use, at most {allowed:.0} % allowed")
            }
            Self::Limited(limit) => format!("its limit `add-peer` is {limit} per minute"),
        }
    }
}

/// What decides whether a store is given replicas.
#[derive(Clone, Copy)]
pub(crate) struct ReplicaTakers<'a> {
    schedule: &'a ScheduleConfig,
    overrides: Option<&'a Overrides>,
}

impl<'a> ReplicaTakers<'a> {
    pub(crate) fn under(schedule: &'a ScheduleConfig, overrides: Option<&'a Overrides>) -> Self {
        Self {
            schedule,
            overrides,
        }
    }

    /// Why a store is given none, each reason; of one that does not serve there is no other.
    pub(crate) fn refusals(self, store: &Store) -> Vec<Refusal> {
        match store.state_name {
            StoreState::Up => {}
            StoreState::Disconnected | StoreState::Down => return vec![Refusal::Silent],
            _ => return vec![Refusal::Leaving],
        }
        let busy = store.status.is_busy.then_some(Refusal::Busy);
        let mut refusals: Vec<Refusal> = busy.into_iter().collect();
        refusals.extend(self.low_space(store));
        refusals.extend(self.crowds(store));
        let limit = low_add_limit(self.schedule, store);
        refusals.extend(limit.map(Refusal::Limited));
        refusals
    }

    /// What is said of those of these stores that are given none, by why.
    pub(crate) fn refused<'s>(self, stores: impl Iterator<Item = &'s Store>) -> String {
        let mut refused: BTreeMap<String, Vec<StoreId>> = BTreeMap::new();
        for store in stores {
            let texts: Vec<String> = self.refusals(store).iter().map(Refusal::text).collect();
            if !texts.is_empty() {
                refused.entry(texts.join(", ")).or_default().push(store.id);
            }
        }
        refused
            .values_mut()
            .for_each(|stores| stores.sort_unstable());
        let shown = refused.iter().take(NAMED);
        let shown = shown.map(|(text, stores)| format!("{}: {text}", named(stores)));
        let mut shown: Vec<String> = shown.collect();
        let left_out: usize = refused.values().skip(NAMED).map(Vec::len).sum();
        if left_out > 0 {
            shown.push(format!("{left_out} more stores are excluded"));
        }
        shown.join("; ")
    }

    fn low_space(self, store: &Store) -> Option<Refusal> {
        let (used, allowed) = (used_share(store)?, self.schedule.low_space_ratio);
        let available = store.status.available.bytes()?;
        let is_roomy = store.status.region_count < FEW_REGIONS && available > ROOMY;
        (!is_roomy && used > allowed).then_some(Refusal::LowSpace { used, allowed })
    }

    /// What a store has too much of in progress.
    fn crowds(self, store: &Store) -> impl Iterator<Item = Refusal> {
        let (schedule, status) = (self.schedule, &store.status);
        let limit = |name, stored: Option<u64>| overriding(name, self.overrides).or(stored);
        // A limit of 0 lets no snapshot pass, and any number of lagging replicas.
        let snapshots = limit("max-snapshot-count", schedule.max_snapshot_count);
        let pending = limit("max-pending-peer-count", schedule.max_pending_peer_count);
        let pending = pending.filter(|limit| *limit > 0);
        let (sending, receiving) = (status.sending_snap_count, status.receiving_snap_count);
        let crowds = [
            ("snapshots being sent", sending, snapshots),
            ("snapshots being received", receiving, snapshots),
            ("pending peers", status.pending_peer_count, pending),
        ];
        crowds.into_iter().filter_map(|(what, count, allowed)| {
            let allowed = allowed.filter(|allowed| count > *allowed)?;
            Some(Refusal::Crowded {
                what,
                count,
                allowed,
            })
        })
    }
}
