//! How fast stores take and give replicas.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::client::Client;
use crate::error::{Error, InputError};
use crate::ids::StoreId;
use crate::transport::{Accepted, Call};

impl Client {
    /// How fast replicas may be added to and removed from each store.
    ///
    /// `GET /stores/limit`, all versions.
    ///
    /// # Errors
    /// [`Error::Pd`] with status 400 while `store-limit-version` is `v2`.
    pub async fn store_limits(&self) -> Result<BTreeMap<StoreId, StoreLimit>, Error> {
        let limits: Option<_> = self.read(Call::list("/stores/limit")).await?.json()?;
        Ok(limits.unwrap_or_default())
    }

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
        let body = Body::new(kind, rate, None)?;
        let path = format!("/store/{id}/limit");
        self.write(Call::post(&path, &body)?).await
    }

    /// Sets how many replicas per minute may be added to or removed from every store, and from
    /// those that join later.
    ///
    /// `POST /stores/limit`, all versions.
    ///
    /// # Errors
    /// [`Error::Pd`] with status 400 while `store-limit-version` is `v2`.
    pub async fn set_all_store_limits(
        &self,
        kind: LimitKind,
        rate: f64,
    ) -> Result<Accepted, Error> {
        let body = Body::new(kind, rate, None)?;
        self.write(Call::post("/stores/limit", &body)?).await
    }

    /// Sets how many replicas per minute may be added to or removed from every store that has one
    /// of these labels now.
    ///
    /// `POST /stores/limit` with `labels`, all versions.
    ///
    /// # Errors
    /// [`InputError::Argument`] when there is no label: PD would answer that it is done and do
    /// nothing.
    pub async fn set_store_limits_by_label(
        &self,
        labels: &[(&str, &str)],
        kind: LimitKind,
        rate: f64,
    ) -> Result<Accepted, Error> {
        if labels.is_empty() {
            let problem = "name at least one, PD would accept none and do nothing";
            return Err(InputError::argument("labels", "", problem).into());
        }
        let body = Body::new(kind, rate, Some(labels.iter().copied().collect()))?;
        self.write(Call::post("/stores/limit", &body)?).await
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
struct Body<'a> {
    rate: f64,
    r#type: LimitKind,
    #[serde(skip_serializing_if = "Option::is_none")]
    labels: Option<BTreeMap<&'a str, &'a str>>,
}

impl<'a> Body<'a> {
    fn new(
        kind: LimitKind,
        rate: f64,
        labels: Option<BTreeMap<&'a str, &'a str>>,
    ) -> Result<Self, InputError> {
        if !(rate.is_finite() && rate > 0.0) {
            let problem = "write more than 0";
            return Err(InputError::argument(
                "store limit",
                &rate.to_string(),
                problem,
            ));
        }
        Ok(Self {
            rate,
            r#type: kind,
            labels,
        })
    }
}
