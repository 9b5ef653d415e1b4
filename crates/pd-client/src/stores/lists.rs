//! Some of the stores.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::client::Client;
use crate::error::Error;
use crate::ids::{self, StoreId};
use crate::stores::{Store, read_stores};
use crate::transport::Call;

impl Client {
    /// The stores in these states of life; all of them when none is given, but for tombstones.
    ///
    /// `GET /stores?state=…`, all versions. A store that is not heard of is still
    /// [`Up`](StoreLife::Up) here.
    pub async fn stores_in(&self, states: &[StoreLife]) -> Result<Vec<Store>, Error> {
        let call = states.iter().fold(Call::list("/stores"), |call, state| {
            call.query("state", state.number())
        });
        read_stores(&self.read(call).await?)
    }

    /// How far a store is with joining or leaving; `None` when it does neither, or PD has not
    /// looked yet, which takes up to ten seconds after 8.5.
    ///
    /// `GET /stores/progress?id=…`, all versions.
    pub async fn store_progress(&self, id: StoreId) -> Result<Option<StoreProgress>, Error> {
        let call = Call::point("/stores/progress").query("id", id.to_string());
        match self.read(call).await {
            Ok(answer) => answer.json().map(Some),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// Where a store is in its life, whether it is heard of or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StoreLife {
    /// Serving, or meant to.
    Up,
    /// Being emptied.
    Offline,
    /// Gone.
    Tombstone,
}

impl StoreLife {
    /// PD wants the number: it answers 500 to a name.
    fn number(self) -> &'static str {
        match self {
            Self::Up => "0",
            Self::Offline => "1",
            Self::Tombstone => "2",
        }
    }
}

/// How far a store is with joining or leaving.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct StoreProgress {
    /// `removing` or `preparing`.
    pub action: String,
    /// Which store; `None` for all of them.
    #[serde(default, deserialize_with = "ids::optional")]
    pub store_id: Option<StoreId>,
    /// The share that is done, 0 to 1.
    pub progress: f64,
    /// How fast it goes, MiB per second.
    #[serde(default)]
    pub current_speed: f64,
    /// How long it will take; PD writes the largest number there is when it does not know.
    #[serde(default)]
    pub left_seconds: f64,
    /// Every other item under PD's name for it.
    #[serde(flatten)]
    pub rest: BTreeMap<String, serde_json::Value>,
}

impl StoreProgress {
    /// How long it will take, when PD knows.
    #[must_use]
    pub fn left(&self) -> Option<std::time::Duration> {
        // A century is PD's way of not knowing either.
        let known = self.left_seconds >= 0.0 && self.left_seconds < 3.2e9;
        known.then(|| std::time::Duration::from_secs_f64(self.left_seconds))
    }
}
