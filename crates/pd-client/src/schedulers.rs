//! Schedulers, and the one that drains leaders from stores.

use std::collections::BTreeMap;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::client::Client;
use crate::error::Error;
use crate::ids::StoreId;
use crate::lenient::{by_name, null_is_default};
use crate::time::deserialize_rfc3339;
use crate::transport::{Accepted, Call};

pub use diagnostic::SchedulerDiagnostic;
pub use kinds::SchedulerKind;

mod diagnostic;
mod kinds;
mod leader_blockers;
mod pauses;

impl Client {
    /// Names of the schedulers that exist. Before 7.6 disabled ones are among them.
    ///
    /// `GET /schedulers`, all versions.
    pub async fn schedulers(&self) -> Result<Vec<String>, Error> {
        let names: Option<Vec<String>> = self.read(Call::point("/schedulers")).await?.json()?;
        Ok(names.unwrap_or_default())
    }

    /// Schedulers that are paused for a time. PD forgets this when its leader changes.
    ///
    /// `GET /schedulers?status=paused&timestamp=true`, all versions.
    pub async fn paused_schedulers(&self) -> Result<Vec<PausedScheduler>, Error> {
        let call = Call::point("/schedulers")
            .query("status", "paused")
            .query("timestamp", "true");
        let paused: Option<Vec<PausedAnswer>> = self.read(call).await?.json()?;
        Ok(paused
            .unwrap_or_default()
            .into_iter()
            .map(PausedScheduler::from)
            .collect())
    }

    /// Names of the default schedulers that were removed.
    ///
    /// `GET /schedulers?status=disabled`, all versions.
    pub async fn disabled_schedulers(&self) -> Result<Vec<String>, Error> {
        let call = Call::point("/schedulers").query("status", "disabled");
        let names: Option<Vec<String>> = self.read(call).await?.json()?;
        Ok(names.unwrap_or_default())
    }

    /// Drains leaders from a store and keeps them away, until it is taken back with
    /// [`remove_evict_leader`](Self::remove_evict_leader). Repeating it changes nothing.
    ///
    /// `POST /schedulers`, `evict-leader-scheduler`, all versions. PD answers that the scheduler
    /// is created, or, when it exists already, that it has been applied to the store.
    ///
    /// # Errors
    /// Refusals are [`Error::Pd`]: unknown store, or leaders already kept away by another
    /// scheduler (500 up to 8.5, 400 later).
    pub async fn add_evict_leader_scheduler(&self, store_id: StoreId) -> Result<Accepted, Error> {
        let body = NewScheduler {
            name: "evict-leader-scheduler",
            store_id: Some(store_id),
        };
        self.write(Call::post("/schedulers", &body)?).await
    }

    /// The stores that leaders are drained from; `None` when there are none.
    ///
    /// `GET /scheduler-config/evict-leader-scheduler/list`, all versions.
    pub async fn evict_leader_config(&self) -> Result<Option<EvictLeaderConfig>, Error> {
        let call = Call::point("/scheduler-config/evict-leader-scheduler/list");
        match self.read(call).await {
            Ok(answer) => answer.json().map(Some),
            Err(Error::Pd(refusal)) if refusal.is_unknown_path() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Stops draining leaders from one store. Drains of other stores stay.
    ///
    /// `DELETE /schedulers/evict-leader-scheduler-{store_id}`, all versions. There is no call
    /// here that removes a scheduler by name: without the suffix PD removes every store's drain.
    ///
    /// # Errors
    /// [`Error::Pd`] that [`is_not_found`](crate::PdError::is_not_found) when that store is not
    /// being drained; PD says no more than `null`.
    pub async fn remove_evict_leader(&self, store_id: StoreId) -> Result<Accepted, Error> {
        self.write(Call::delete(&format!(
            "/schedulers/evict-leader-scheduler-{store_id}"
        )))
        .await
    }
}

/// The body of `POST /schedulers`.
#[derive(Serialize)]
struct NewScheduler {
    name: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    store_id: Option<StoreId>,
}

/// A scheduler that is paused.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct PausedScheduler {
    /// Its name.
    pub name: String,
    /// When it was paused, by PD's clock.
    #[serde(default, deserialize_with = "deserialize_rfc3339")]
    pub paused_at: Option<SystemTime>,
    /// When it goes on by itself, by PD's clock.
    #[serde(default, deserialize_with = "deserialize_rfc3339")]
    pub resume_at: Option<SystemTime>,
}

/// With times, or a bare name.
#[derive(Deserialize)]
#[serde(try_from = "Value")]
enum PausedAnswer {
    Timed(PausedScheduler),
    Name(String),
}

impl TryFrom<Value> for PausedAnswer {
    type Error = serde_json::Error;

    fn try_from(answer: Value) -> serde_json::Result<Self> {
        match answer {
            Value::String(name) => Ok(Self::Name(name)),
            timed => by_name::from_value(&timed).map(Self::Timed),
        }
    }
}

impl From<PausedAnswer> for PausedScheduler {
    fn from(answer: PausedAnswer) -> Self {
        match answer {
            PausedAnswer::Timed(paused) => paused,
            PausedAnswer::Name(name) => Self {
                name,
                paused_at: None,
                resume_at: None,
            },
        }
    }
}

/// Which stores leaders are drained from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct EvictLeaderConfig {
    /// The key ranges drained of each store; one unbounded range is everything.
    #[serde(rename = "store-id-ranges", deserialize_with = "null_is_default")]
    pub stores: BTreeMap<StoreId, Vec<EvictRange>>,
    /// Operators made per round, 8.3 and later.
    #[serde(default)]
    pub batch: Option<u32>,
}

/// A key range as the scheduler prints it: base64 up to 8.5.3, hexadecimal later.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct EvictRange {
    /// The first key, empty when unbounded.
    #[serde(rename = "start-key", default)]
    pub start_key: String,
    /// The key after the last, empty when unbounded.
    #[serde(rename = "end-key", default)]
    pub end_key: String,
}
