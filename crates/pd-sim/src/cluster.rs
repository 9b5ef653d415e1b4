//! The cluster as PD sees it, and the stores that do what PD asks.

pub(crate) mod balance;
pub(crate) mod checkers;
pub(crate) mod config;
pub(crate) mod controller;
pub(crate) mod emptying;
pub(crate) mod events;
pub(crate) mod evict_leader;
mod failover;
pub(crate) mod fit;
mod grant_leader;
pub(crate) mod labels;
pub(crate) mod maintenance;
pub(crate) mod members;
pub(crate) mod new_operator;
pub(crate) mod operator;
pub(crate) mod plan;
mod plan_steps;
pub(crate) mod recorded;
pub(crate) mod region;
pub(crate) mod regions;
mod restart;
mod rule_checker;
pub(crate) mod rules;
mod scatter;
pub(crate) mod scheduler_settings;
pub(crate) mod schedulers;
pub(crate) mod step;
pub(crate) mod store;
mod store_limit;
pub(crate) mod tikv;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::clock::Time;
use crate::cluster::config::Config;
use crate::cluster::emptying::Emptying;
use crate::cluster::events::{Event, Events};
use crate::cluster::labels::Labels;
use crate::cluster::maintenance::MaintenanceTask;
use crate::cluster::members::{Members, Stale};
use crate::cluster::operator::Operator;
use crate::cluster::region::{Epoch, Flow, HotFlow, Key, Peer, Region, Role};
use crate::cluster::regions::Regions;
use crate::cluster::restart::{Held, Unheard};
use crate::cluster::rules::Rules;
use crate::cluster::scatter::Scattered;
use crate::cluster::schedulers::Schedulers;
use crate::cluster::store::{Limits, Store};
use crate::cluster::tikv::Command;
use crate::settings::Settings;
use crate::version::{Rows, Version};

/// Everything one PD leader knows, plus what its stores are about to do.
#[derive(Debug)]
pub(crate) struct Cluster {
    pub(crate) version: Version,
    pub(crate) settings: Settings,
    pub(crate) now: Time,
    /// When the PD process started: its monotonic clock's zero.
    pub(crate) process_start: Time,
    /// When the cluster was bootstrapped; `None` before.
    pub(crate) bootstrapped: Option<Time>,
    pub(crate) id: u64,
    pub(crate) members: Members,
    pub(crate) stores: BTreeMap<u64, Store>,
    pub(crate) regions: Regions,
    /// Running operators by region.
    pub(crate) operators: BTreeMap<u64, Operator>,
    /// The last ended operator of each region.
    pub(crate) records: BTreeMap<u64, Operator>,
    /// Every operator that ended, also after PD forgot it, if anybody wants to know.
    pub(crate) ended: Option<Vec<Operator>>,
    pub(crate) schedulers: Schedulers,
    pub(crate) config: Config,
    /// Limits of stores to come.
    pub(crate) default_limits: Limits,
    pub(crate) emptying: Emptying,
    pub(crate) rules: Rules,
    pub(crate) labels: Labels,
    pub(crate) scattered: Scattered,
    pub(crate) maintenance: Option<MaintenanceTask>,
    /// Since when an unsafe recovery runs; its leader's memory.
    pub(crate) unsafe_recovery: Option<Time>,
    /// What a new PD leader still shows of the stores, and until when.
    pub(crate) stale: Option<Stale>,
    /// What PD has not heard of since its process started.
    unheard: Unheard,
    /// Heartbeats that do not arrive.
    pub(crate) held: Held,
    /// Hot regions.
    pub(crate) hot: BTreeMap<u64, HotFlow>,
    /// Keys at which the region labeler wants regions split.
    pub(crate) labeler_split_keys: Vec<String>,
    events: Events,
    /// Commands the stores have and have not executed yet.
    in_flight: Vec<(u64, Command)>,
    /// Stores whose peers are reported as down.
    silent: BTreeSet<u64>,
    /// Regions the checkers have to look at.
    unchecked: BTreeSet<u64>,
    /// Where the next patrol goes on.
    patrolled: u64,
    next_id: u64,
    pub(crate) seeded: Seeded,
}

/// How long an ended operator is remembered.
const RECORDS_KEPT: Duration = Duration::from_secs(600);
/// Ids of a fresh cluster are above what a double can hold.
const CLUSTER_ID: u64 = 7_711_603_448_021_978_553;

impl Cluster {
    pub(crate) fn new(version: Version, settings: Settings, start: Time, seed: u64) -> Self {
        let mut cluster = Self {
            version,
            settings,
            now: start,
            process_start: start,
            bootstrapped: Some(start),
            id: CLUSTER_ID,
            members: Members::default(),
            stores: BTreeMap::new(),
            regions: Regions::default(),
            operators: BTreeMap::new(),
            records: BTreeMap::new(),
            ended: None,
            schedulers: Schedulers::new(version.rows()),
            config: Config::new(version.rows()),
            default_limits: Limits::DEFAULT,
            emptying: Emptying::default(),
            rules: Rules::new(3),
            labels: Labels::default(),
            scattered: Scattered::default(),
            maintenance: None,
            unsafe_recovery: None,
            stale: None,
            unheard: Unheard::default(),
            held: Held::default(),
            hot: BTreeMap::new(),
            labeler_split_keys: Vec::new(),
            events: Events::default(),
            in_flight: Vec::new(),
            silent: BTreeSet::new(),
            unchecked: BTreeSet::new(),
            patrolled: 0,
            next_id: 1,
            seeded: Seeded(seed),
        };
        for event in [
            Event::Heartbeats,
            Event::Check,
            Event::Schedule,
            Event::Notify,
            Event::Priorities,
        ] {
            let first = cluster.interval_of(&event);
            cluster.schedule(first, event);
        }
        cluster
    }

    /// Fills the cluster with stores 1 to `stores` and regions of three voters spread evenly.
    pub(crate) fn populate(&mut self, stores: u64, tiflash_stores: u64, regions: u64) {
        for id in 1..=stores {
            let mut store = Store::new(id, self.now);
            store.version.clone_from(&self.config.cluster_version);
            self.stores.insert(id, store);
        }
        for id in stores + 1..=stores + tiflash_stores {
            let mut store = Store::new(id, self.now);
            store.address = format!("tiflash-{id}:3930");
            store.labels = vec![("engine".to_owned(), "tiflash".to_owned())];
            store.limits = Limits::OF_TIFLASH;
            self.stores.insert(id, store);
        }
        self.next_id = stores + tiflash_stores + 1;
        let replicas = self.config.max_replicas().min(stores);
        let mut end_key = Key::from("");
        let all: Vec<Region> = (0..regions)
            .map(|index| {
                let start_key = end_key.clone();
                end_key = if index + 1 == regions {
                    Key::from("")
                } else {
                    row_key(index).into()
                };
                let peers: Vec<Peer> = (0..replicas)
                    .map(|replica| Peer {
                        id: self.allocate_id(),
                        store_id: (index + replica) % stores + 1,
                        role: Role::Voter,
                    })
                    .collect();
                Region {
                    id: self.allocate_id(),
                    start_key,
                    end_key: end_key.clone(),
                    epoch: Epoch {
                        conf_ver: 1,
                        version: 1,
                    },
                    leader: peers.first().map(|peer| peer.store_id),
                    peers,
                    down: BTreeMap::new(),
                    pending: Vec::new(),
                    size: 96,
                    keys: 960_000,
                    flow: Flow::default(),
                }
            })
            .collect();
        self.regions = all.into_iter().collect();
        self.report_sizes();
    }

    pub(crate) fn rows(&self) -> &'static Rows {
        self.version.rows()
    }

    pub(crate) fn is_bootstrapped(&self) -> bool {
        self.bootstrapped.is_some()
    }

    pub(crate) fn allocate_id(&mut self) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        id
    }

    pub(crate) fn set_next_id(&mut self, id: u64) {
        self.next_id = id;
    }

    /// Ended operators that are still remembered.
    pub(crate) fn live_records(&self) -> impl Iterator<Item = &Operator> {
        self.records
            .values()
            .filter(|record| self.is_remembered(record))
    }

    pub(crate) fn is_remembered(&self, record: &Operator) -> bool {
        record
            .finished
            .is_some_and(|finished| self.now.since(finished) < RECORDS_KEPT)
    }

    /// A store is one PD may count on: it exists and its heartbeats arrive.
    pub(crate) fn is_disconnected(&self, store_id: u64) -> bool {
        self.stores
            .get(&store_id)
            .is_none_or(|store| store.is_disconnected(self.now))
    }

    pub(crate) fn check_everything(&mut self) {
        self.unchecked = self.regions.ids().collect();
    }

    /// Has the checkers look at all regions with a peer on the store.
    pub(crate) fn check_holders_of(&mut self, store_id: u64) {
        let holders = self.regions.on(store_id).map(|region| region.id);
        self.unchecked.extend(holders);
    }

    fn report_sizes(&mut self) {
        for (store_id, held) in self.regions.holdings() {
            if let Some(store) = self.stores.get_mut(&store_id) {
                let bytes = u64::try_from(held.region_size).unwrap_or(0) << 20;
                store.used = store.used.max(bytes);
            }
        }
    }
}

/// A seeded sequence of numbers: everything PD would leave to chance.
#[derive(Debug)]
pub(crate) struct Seeded(u64);

impl Seeded {
    /// The next number, below `bound`.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^= z >> 31;
        (z % bound.max(1) as u64) as usize
    }
}

/// The key of a table's row, memcomparable-encoded, as TiDB's regions begin with.
fn row_key(index: u64) -> String {
    format!(
        "7480000000000000FF015F7280000000{:02X}FF{:06X}FF00000000FB",
        index >> 24 & 0xFF,
        index & 0xFF_FFFF
    )
}
