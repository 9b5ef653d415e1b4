//! How fast stores take and give replicas.

use serde::{Deserialize, Serialize};

use crate::client::Client;
use crate::error::{Error, InputError};
use crate::ids::StoreId;
use crate::transport::{Accepted, Call};

impl Client {
    /// Sets how many replicas per minute may be added to or removed from one store. Operators by
    /// request do not keep to it.
    ///
    /// `POST /store/{id}/limit`, all versions.
    ///
    /// # Errors
    /// [`Error::Pd`]: 500 no such store, 400 while `store-limit-version` is `v2` (8.3 and later;
    /// before, it is accepted without effect).
    pub async fn set_store_limit(
        &self,
        id: StoreId,
        kind: LimitKind,
        rate: f64,
    ) -> Result<Accepted, Error> {
        let body = Body::new(kind, rate)?;
        let path = format!("/store/{id}/limit");
        self.write(Call::post(&path, &body)?).await
    }
}

/// How many replicas per minute may be added to and removed from a store.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct StoreLimit {
    /// Replicas added per minute.
    pub add_peer: f64,
    /// Replicas removed per minute. A store being emptied has 100,000,000.
    pub remove_peer: f64,
}

/// What is limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum LimitKind {
    /// Replicas added.
    AddPeer,
    /// Replicas removed.
    RemovePeer,
}

#[derive(Serialize)]
struct Body {
    rate: f64,
    r#type: LimitKind,
}

impl Body {
    fn new(kind: LimitKind, rate: f64) -> Result<Self, InputError> {
        if !(rate.is_finite() && rate > 0.0) {
            let problem = "write more than 0";
            return Err(InputError::argument(
                "store limit",
                &rate.to_string(),
                problem,
            ));
        }
        Ok(Self { rate, r#type: kind })
    }
}
