//! What is to be said of a range of keys, or of all of them.

use std::collections::BTreeMap;
use std::num::NonZeroU64;

use serde::Deserialize;

use crate::client::Client;
use crate::error::{Error, InputError};
use crate::ids::StoreId;
use crate::lenient::null_is_default;
use crate::regions::{checked_key, unhexed};
use crate::transport::Call;

impl Client {
    /// How many regions a range of keys has, how large they are, and on which stores. Keys are
    /// hexadecimal, empty for the first and for the end. PD looks at every region of the range.
    ///
    /// `GET /stats/region?start_key=…&end_key=…`, all versions.
    ///
    /// # Errors
    /// [`InputError::Key`] when a key is not hexadecimal.
    pub async fn range_stats(&self, start_key: &str, end_key: &str) -> Result<RangeStats, Error> {
        let call = Call::list("/stats/region")
            .query("start_key", unhexed(start_key)?)
            .query("end_key", unhexed(end_key)?);
        self.read(call).await?.json()
    }

    /// How many regions a range of keys has, and nothing else of [`RangeStats`].
    ///
    /// `GET /stats/region?start_key=…&end_key=…&count=true`, all versions.
    ///
    /// # Errors
    /// As [`range_stats`](Self::range_stats).
    pub async fn range_counts(&self, start_key: &str, end_key: &str) -> Result<RangeStats, Error> {
        let call = Call::list("/stats/region")
            .query("start_key", unhexed(start_key)?)
            .query("end_key", unhexed(end_key)?)
            .query("count", "true");
        self.read(call).await?.json()
    }

    /// The ranges of keys that no region holds. While regions split there may be some for a
    /// moment.
    ///
    /// `GET /regions/range-holes`, all versions.
    pub async fn range_holes(&self) -> Result<Vec<KeyRange>, Error> {
        let holes: Option<Vec<(String, String)>> = self
            .read(Call::list("/regions/range-holes"))
            .await?
            .json()?;
        let holes = holes.unwrap_or_default().into_iter();
        Ok(holes
            .map(|(start_key, end_key)| KeyRange { start_key, end_key })
            .collect())
    }

    /// Whether all regions of a range of keys have the replicas that rules want.
    ///
    /// `GET /regions/replicated?startKey=…&endKey=…`, all versions.
    ///
    /// # Errors
    /// [`InputError::Key`] when a key is not hexadecimal.
    pub async fn replicated_state(
        &self,
        start_key: &str,
        end_key: &str,
    ) -> Result<ReplicatedState, Error> {
        let call = Call::list("/regions/replicated")
            .query("startKey", checked_key(start_key)?)
            .query("endKey", checked_key(end_key)?);
        self.read(call).await?.json()
    }

    /// How many regions are how large: one bar for each `width` MiB.
    ///
    /// `GET /regions/check/hist-size?bound=…`, all versions.
    pub async fn region_sizes(&self, width: NonZeroU64) -> Result<Vec<HistogramBar>, Error> {
        let call = Call::list("/regions/check/hist-size").query("bound", width.to_string());
        let bars: Option<_> = self.read(call).await?.json()?;
        Ok(bars.unwrap_or_default())
    }

    /// How many regions have how many keys: one bar for each `width` keys, 1,000 at least.
    ///
    /// `GET /regions/check/hist-keys?bound=…`, all versions.
    ///
    /// # Errors
    /// [`InputError::Argument`] when `width` is below 1,000.
    pub async fn region_key_counts(&self, width: NonZeroU64) -> Result<Vec<HistogramBar>, Error> {
        if width.get() < 1000 {
            let problem = "write 1000 or more";
            return Err(InputError::argument("width", &width.to_string(), problem).into());
        }
        let call = Call::list("/regions/check/hist-keys").query("bound", width.to_string());
        let bars: Option<_> = self.read(call).await?.json()?;
        Ok(bars.unwrap_or_default())
    }
}

/// A range of keys in upper-case hexadecimal, empty where unbounded.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct KeyRange {
    /// Its first key.
    pub start_key: String,
    /// The key after its last.
    pub end_key: String,
}

/// What a range of keys holds. Sizes are MiB; counts that PD leaves out are zero.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct RangeStats {
    /// Regions.
    pub count: u64,
    /// Regions that hold next to nothing.
    pub empty_count: u64,
    /// Their size.
    pub storage_size: i64,
    /// Their size without what TiKV adds, 7.5 and later.
    pub user_storage_size: i64,
    /// Their keys.
    pub storage_keys: i64,
    /// How many each store leads.
    #[serde(deserialize_with = "null_is_default")]
    pub store_leader_count: BTreeMap<StoreId, u64>,
    /// How many each store has a replica of.
    #[serde(deserialize_with = "null_is_default")]
    pub store_peer_count: BTreeMap<StoreId, u64>,
    /// The size of those each store leads.
    #[serde(deserialize_with = "null_is_default")]
    pub store_leader_size: BTreeMap<StoreId, i64>,
    /// The keys of those each store leads.
    #[serde(deserialize_with = "null_is_default")]
    pub store_leader_keys: BTreeMap<StoreId, i64>,
    /// The size of those each store has a replica of.
    #[serde(deserialize_with = "null_is_default")]
    pub store_peer_size: BTreeMap<StoreId, i64>,
    /// The keys of those each store has a replica of.
    #[serde(deserialize_with = "null_is_default")]
    pub store_peer_keys: BTreeMap<StoreId, i64>,
}

/// Whether regions have the replicas that rules want.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[non_exhaustive]
pub enum ReplicatedState {
    /// All of them.
    Replicated,
    /// Not yet, and it is being worked on.
    InProgress,
    /// Not yet.
    Pending,
    /// A state this client does not know yet.
    #[serde(untagged)]
    Other(String),
}

/// How many regions are in one part of a scale.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct HistogramBar {
    /// Where the part begins.
    pub start: i64,
    /// Where it ends.
    pub end: i64,
    /// How many regions.
    pub count: u64,
}
