//! Stores: TiKV and TiFlash processes with their data.

use std::time::{Duration, SystemTime};

use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use crate::client::Client;
use crate::error::Error;
use crate::ids::StoreId;
use crate::lenient::{by_name, null_is_default};
use crate::time::{deserialize_duration, deserialize_rfc3339, deserialize_unix_ns};
use crate::transport::{Answer, Call};

pub use limits::{LimitKind, StoreLimit};
pub use lists::{StoreLife, StoreProgress};
pub use size::HumanSize;

mod changes;
mod limits;
mod lists;
mod size;

impl Client {
    /// All stores that are not tombstones.
    ///
    /// `GET /stores`, all versions.
    pub async fn stores(&self) -> Result<Vec<Store>, Error> {
        read_stores(&self.read(Call::list("/stores")).await?)
    }

    /// One store, tombstone or not; `None` when there never was one.
    ///
    /// `GET /store/{id}`, all versions.
    pub async fn store(&self, id: StoreId) -> Result<Option<Store>, Error> {
        match self.read(Call::point("/store").segment(id)).await {
            Ok(answer) => Ok(Some(answer.json::<StoreAnswer>()?.into())),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// The stores of a list. PD writes the list, also an empty one, and how long it is: `GetStores` and
/// `GetAllStores` of `server/api/store.go`. One that cannot be read is there with its id, in the
/// state [`StoreState::Other`] `unreadable`, and does not keep the others from being read.
fn read_stores(answer: &Answer) -> Result<Vec<Store>, Error> {
    #[derive(Deserialize)]
    #[serde(bound = "T: Deserialize<'de>")]
    struct Stores<T> {
        count: u64,
        #[serde(deserialize_with = "null_is_default")]
        stores: Vec<T>,
    }

    let error = match answer.json::<Stores<StoreAnswer>>() {
        Ok(Stores { count, stores }) => {
            let stores = answer.counted(count, stores)?;
            return Ok(stores.into_iter().map(Store::from).collect());
        }
        Err(error) => error,
    };
    let Ok(Stores { count, stores }) = answer.json::<Stores<Value>>() else {
        return Err(error);
    };
    let stores = answer.counted(count, stores)?.into_iter().map(|one| {
        let store = by_name::from_value::<StoreAnswer>(&one);
        store.map_or_else(|_| unreadable(&one), |store| Some(store.into()))
    });
    stores.collect::<Option<_>>().ok_or(error)
}

/// The state of a store of which only the id can be read.
const UNREADABLE: &str = "unreadable";

/// A store of which only the id can be read.
fn unreadable(store: &Value) -> Option<Store> {
    let id = store.get("store")?.get("id")?;
    let known = json!({"id": id, "state_name": UNREADABLE});
    serde_json::from_value(known).ok()
}

#[derive(Deserialize)]
struct StoreAnswer {
    store: Store,
    #[serde(default, deserialize_with = "null_is_default")]
    status: StoreStatus,
}

impl From<StoreAnswer> for Store {
    fn from(answer: StoreAnswer) -> Self {
        Self {
            status: answer.status,
            ..answer.store
        }
    }
}

/// A store.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct Store {
    /// Its id.
    pub id: StoreId,
    /// Where clients reach it.
    #[serde(default)]
    pub address: String,
    /// Where it is in its life, and whether it is heard of.
    pub state_name: StoreState,
    /// Where it is in its life. PD leaves out `Preparing`.
    #[serde(default)]
    pub node_state: NodeState,
    /// Its labels, such as `zone`.
    #[serde(default, deserialize_with = "null_is_default")]
    pub labels: Vec<StoreLabel>,
    /// Its version, without the `v`.
    #[serde(default)]
    pub version: String,
    /// Where other stores reach it.
    #[serde(default)]
    pub peer_address: String,
    /// Where its own HTTP server is.
    #[serde(default)]
    pub status_address: String,
    /// What it was built from.
    #[serde(default)]
    pub git_hash: String,
    /// When PD last heard of it, by PD's clock.
    #[serde(default, deserialize_with = "deserialize_unix_ns")]
    pub last_heartbeat: Option<SystemTime>,
    /// Whether it was given up by force, which cannot be taken back.
    #[serde(default)]
    pub physically_destroyed: bool,
    /// What it reports.
    #[serde(skip)]
    pub status: StoreStatus,
}

impl Store {
    /// The value of a label. PD compares label keys without regard to case.
    #[must_use]
    pub fn label(&self, key: &str) -> Option<&str> {
        let label = self
            .labels
            .iter()
            .find(|label| label.key.eq_ignore_ascii_case(key));
        label.map(|label| label.value.as_str())
    }

    /// Whether no more of it than its id could be read.
    #[must_use]
    pub fn is_unreadable(&self) -> bool {
        matches!(&self.state_name, StoreState::Other(word) if word == UNREADABLE)
    }

    /// Whether it is a TiFlash store, which holds learners and never leads.
    #[must_use]
    pub fn is_tiflash(&self) -> bool {
        self.label("engine") == Some("tiflash")
    }
}

/// What a store reports. Sizes are MiB; counts that PD leaves out are zero.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct StoreStatus {
    /// Size of its disk, to four digits.
    pub capacity: HumanSize,
    /// What is free of it, to four digits.
    pub available: HumanSize,
    /// What its data takes, to four digits.
    pub used_size: HumanSize,
    /// Regions it leads.
    pub leader_count: u64,
    /// How many leaders it should have compared to others.
    pub leader_weight: f64,
    /// What leaders are balanced by.
    pub leader_score: f64,
    /// Size of the regions it leads, MiB.
    pub leader_size: i64,
    /// Regions it holds a replica of.
    pub region_count: u64,
    /// How many regions it should have compared to others.
    pub region_weight: f64,
    /// What regions are balanced by.
    pub region_score: f64,
    /// Size of the regions it holds a replica of, MiB.
    pub region_size: i64,
    /// Learners it holds.
    pub learner_count: u64,
    /// Witnesses it holds.
    pub witness_count: u64,
    /// Replicas on it that lag behind, 8.2 and later.
    pub pending_peer_count: u64,
    /// Snapshots it is sending.
    pub sending_snap_count: u64,
    /// Snapshots it is receiving.
    pub receiving_snap_count: u64,
    /// How slow it is, 1 to 100.
    pub slow_score: u64,
    /// Whether it says that it is busy.
    pub is_busy: bool,
    /// Whether PD keeps leaders from moving to it; only PD after 8.5 says.
    pub pause_leader_transfer_in: Option<bool>,
    /// Whether PD keeps leaders from moving off it; only PD after 8.5 says.
    pub pause_leader_transfer_out: Option<bool>,
    /// When it was started.
    #[serde(deserialize_with = "deserialize_rfc3339")]
    pub start_ts: Option<SystemTime>,
    /// When PD last heard of it, by PD's clock.
    #[serde(deserialize_with = "deserialize_rfc3339")]
    pub last_heartbeat_ts: Option<SystemTime>,
    /// How long it has been running.
    #[serde(deserialize_with = "deserialize_duration")]
    pub uptime: Option<Duration>,
}

/// Where a store is in its life, and whether it is heard of.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize)]
#[non_exhaustive]
pub enum StoreState {
    /// Serving.
    Up,
    /// Not heard of for more than 20 seconds.
    Disconnected,
    /// Not heard of for longer than `max-store-down-time`.
    Down,
    /// Being emptied, whether it is heard of or not.
    Offline,
    /// Gone.
    Tombstone,
    /// A state this client does not know yet.
    #[serde(untagged)]
    Other(String),
}

/// Where a store is in its life.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NodeState {
    /// Joined, and taking its first replicas.
    #[default]
    Preparing,
    /// Serving.
    Serving,
    /// Being emptied.
    Removing,
    /// Gone.
    Removed,
    /// A state this client does not know yet.
    Other(u64),
}

impl<'de> Deserialize<'de> for NodeState {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match u64::deserialize(deserializer)? {
            0 => Self::Preparing,
            1 => Self::Serving,
            2 => Self::Removing,
            3 => Self::Removed,
            other => Self::Other(other),
        })
    }
}

/// A label of a store.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct StoreLabel {
    /// Such as `zone`.
    pub key: String,
    /// Such as `z1`.
    pub value: String,
}
