//! What stores are to be: labels, weights, life.
//!
//! There is no call here that gives up a store by force (`DELETE /store/{id}?force`): it checks
//! no replicas and cannot be taken back.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::client::Client;
use crate::error::{Error, InputError};
use crate::ids::StoreId;
use crate::transport::{Accepted, Call};

impl Client {
    /// Sets labels of a store and keeps its others. TiKV sets its own again when it restarts.
    ///
    /// `POST /store/{id}/label`, all versions.
    ///
    /// # Errors
    /// [`InputError::Argument`] when there is no label, or one without key or value: PD takes an
    /// empty value for "delete". [`Error::Pd`] with status 400 for a label of the wrong form, or
    /// `engine`, which is reserved after 8.5; with 500 for an unknown store, or labels that
    /// `strictly-match-label` refuses.
    pub async fn set_store_labels(
        &self,
        id: StoreId,
        labels: &[(&str, &str)],
    ) -> Result<Accepted, Error> {
        let labels = checked_labels(labels)?;
        let path = format!("/store/{id}/label");
        self.write(Call::post(&path, &labels)?).await
    }

    /// Makes these the labels of a store and deletes its others.
    ///
    /// `POST /store/{id}/label?force=true`, all versions.
    ///
    /// # Errors
    /// As [`set_store_labels`](Self::set_store_labels).
    pub async fn replace_store_labels(
        &self,
        id: StoreId,
        labels: &[(&str, &str)],
    ) -> Result<Accepted, Error> {
        let labels = checked_labels(labels)?;
        let path = format!("/store/{id}/label");
        self.write(Call::post(&path, &labels)?.query("force", "true"))
            .await
    }

    /// Deletes one label of a store.
    ///
    /// `DELETE /store/{id}/label`, all versions.
    ///
    /// # Errors
    /// [`Error::Pd`] with status 500 when there is no such store or it has no such label.
    pub async fn delete_store_label(&self, id: StoreId, key: &str) -> Result<Accepted, Error> {
        if key.is_empty() {
            return Err(InputError::argument("label", key, "it is empty").into());
        }
        let call = Call::delete(&format!("/store/{id}/label")).with_body(&key)?;
        self.write(call).await
    }

    /// Sets how many leaders and how many regions a store should have compared to others, 1 being
    /// the usual.
    ///
    /// `POST /store/{id}/weight`, all versions.
    ///
    /// # Errors
    /// [`Error::Pd`] with status 500 when there is no such store.
    pub async fn set_store_weight(
        &self,
        id: StoreId,
        leader: f64,
        region: f64,
    ) -> Result<Accepted, Error> {
        #[derive(Serialize)]
        struct Weight {
            leader: f64,
            region: f64,
        }

        for (what, weight) in [("leader weight", leader), ("region weight", region)] {
            if !(weight.is_finite() && weight >= 0.0) {
                let problem = "write 0 or more";
                return Err(InputError::argument(what, &weight.to_string(), problem).into());
            }
        }
        let path = format!("/store/{id}/weight");
        self.write(Call::post(&path, &Weight { leader, region })?)
            .await
    }

    /// Has a store emptied: PD moves its replicas away, and calls it a tombstone when none are
    /// left. Until then it can be taken back with [`cancel_offline`](Self::cancel_offline).
    /// Repeating it changes nothing.
    ///
    /// `DELETE /store/{id}`, all versions. PD lifts the store's limit for removing replicas.
    ///
    /// # Errors
    /// [`Error::Pd`]: 404 no such store, 410 a tombstone already, 400 too few stores would be
    /// left. PD counts stores that are down among those left.
    pub async fn offline_store(&self, id: StoreId) -> Result<Accepted, Error> {
        self.write(Call::delete("/store").segment(id)).await
    }

    /// Takes back [`offline_store`](Self::offline_store). Accepted too when the store is up.
    ///
    /// `POST /store/{id}/state?state=Up`, all versions. The store's limit for removing replicas
    /// is set back from memory: after a change of PD's leader it stays at 100,000,000.
    ///
    /// # Errors
    /// [`Error::Pd`]: 404 no such store, 410 a tombstone already, 400 given up by force.
    pub async fn cancel_offline(&self, id: StoreId) -> Result<Accepted, Error> {
        let path = format!("/store/{id}/state");
        self.write(Call::post_empty(&path).query("state", "Up"))
            .await
    }

    /// Makes PD forget its tombstones. Accepted too when there are none.
    ///
    /// `DELETE /stores/remove-tombstone`, all versions.
    ///
    /// # Errors
    /// [`Error::Pd`] with status 500, naming those that still hold replicas; the others are
    /// forgotten nevertheless.
    pub async fn remove_tombstones(&self) -> Result<Accepted, Error> {
        self.write(Call::delete("/stores/remove-tombstone")).await
    }
}

fn checked_labels<'a>(
    labels: &[(&'a str, &'a str)],
) -> Result<BTreeMap<&'a str, &'a str>, InputError> {
    let refuse = |given, problem| Err(InputError::argument("label", given, problem));
    if labels.is_empty() {
        return refuse("", "name at least one");
    }
    let mut checked = BTreeMap::new();
    for (key, value) in labels {
        if key.is_empty() {
            return refuse(*value, "it has no key");
        }
        if value.is_empty() {
            return refuse(*key, "it has no value, which PD would treat as deletion");
        }
        if checked.insert(*key, *value).is_some() {
            return refuse(*key, "it appears twice");
        }
    }
    Ok(checked)
}
