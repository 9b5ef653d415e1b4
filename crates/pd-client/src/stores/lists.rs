//! Some of the stores.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::client::Client;
use crate::error::Error;
use crate::ids::{self, StoreId};
use crate::stores::{Store, StoreLabel, StoresAnswer};
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
        Ok(self.read(call).await?.json::<StoresAnswer>()?.into_stores())
    }

    /// The stores that PD shows under these names; all of them when none is given, tombstones
    /// included.
    ///
    /// `GET /stores/check?state=…`, 7.5 and later.
    pub async fn stores_named(&self, names: &[StoreStateName]) -> Result<Vec<Store>, Error> {
        let call = names
            .iter()
            .fold(Call::list("/stores/check"), |call, name| {
                call.query("state", name.word())
            });
        Ok(self.read(call).await?.json::<StoresAnswer>()?.into_stores())
    }

    /// Every label that a store has, each pair once.
    ///
    /// `GET /labels`, all versions.
    pub async fn store_labels(&self) -> Result<Vec<StoreLabel>, Error> {
        let labels: Option<_> = self.read(Call::list("/labels")).await?.json()?;
        Ok(labels.unwrap_or_default())
    }

    /// The stores with a label whose key and value match these regular expressions of Go, without
    /// regard to case. Tombstones are among them.
    ///
    /// `GET /labels/stores?name=…&value=…`, all versions.
    ///
    /// # Errors
    /// [`Error::Pd`] with status 500 when one of them is not a regular expression.
    pub async fn stores_with_label(&self, key: &str, value: &str) -> Result<Vec<Store>, Error> {
        let call = Call::list("/labels/stores")
            .query("name", key)
            .query("value", value);
        Ok(self.read(call).await?.json::<StoresAnswer>()?.into_stores())
    }

    /// How far a store is with joining or leaving; `None` when it does neither, or PD has not
    /// looked yet, which takes up to ten seconds after 8.5.
    ///
    /// `GET /stores/progress?id=…`, all versions.
    pub async fn store_progress(&self, id: StoreId) -> Result<Option<StoreProgress>, Error> {
        let call = Call::point("/stores/progress").query("id", id.to_string());
        self.progress(call).await
    }

    /// How far all stores that join or leave are, taken together; `None` when there are none.
    ///
    /// `GET /stores/progress?action=…`, all versions.
    pub async fn progress_of(
        &self,
        action: ProgressAction,
    ) -> Result<Option<StoreProgress>, Error> {
        let call = Call::point("/stores/progress").query("action", action.word());
        self.progress(call).await
    }

    async fn progress(&self, call: Call) -> Result<Option<StoreProgress>, Error> {
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

/// The name PD shows a store under, see [`StoreState`](crate::stores::StoreState).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StoreStateName {
    /// Serving, and heard of.
    Up,
    /// Not heard of for more than 20 seconds.
    Disconnected,
    /// Not heard of for longer than `max-store-down-time`.
    Down,
    /// Being emptied.
    Offline,
    /// Gone.
    Tombstone,
}

impl StoreStateName {
    fn word(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Disconnected => "disconnected",
            Self::Down => "down",
            Self::Offline => "offline",
            Self::Tombstone => "tombstone",
        }
    }
}

/// What a store is on its way to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ProgressAction {
    /// Being emptied.
    Removing,
    /// Taking its first replicas.
    Preparing,
}

impl ProgressAction {
    fn word(self) -> &'static str {
        match self {
            Self::Removing => "removing",
            Self::Preparing => "preparing",
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
