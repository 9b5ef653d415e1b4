//! Labels of regions: what may not be done with ranges of keys.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::client::Client;
use crate::error::Error;
use crate::ids::RegionId;
use crate::lenient::{by_name, null_is_default};
use crate::transport::Call;

impl Client {
    /// All rules that label regions.
    ///
    /// `GET /config/region-label/rules`, all versions.
    pub async fn region_label_rules(&self) -> Result<Vec<RegionLabelRule>, Error> {
        let rules: Option<_> = self
            .read(Call::list("/config/region-label/rules"))
            .await?
            .json()?;
        Ok(rules.unwrap_or_default())
    }

    /// The labels of one region; none too when there is no such region.
    ///
    /// `GET /region/id/{id}/labels`, all versions.
    pub async fn labels_of_region(&self, id: RegionId) -> Result<Vec<RegionLabel>, Error> {
        let call = Call::point(&format!("/region/id/{id}/labels"));
        match self.read(call).await {
            Ok(answer) => Ok(answer.json::<Option<_>>()?.unwrap_or_default()),
            Err(error) if error.is_not_found() => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    /// Whether a label keeps PD from balancing and merging a region. Drains, operators by request,
    /// and what replaces lost replicas do not look at it.
    ///
    /// `GET /region/id/{id}/labels`, all versions.
    pub async fn is_scheduling_denied(&self, id: RegionId) -> Result<bool, Error> {
        let labels = self.labels_of_region(id).await?;
        Ok(labels.iter().any(RegionLabel::denies_scheduling))
    }
}

/// A rule that labels the regions of some ranges of keys.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct RegionLabelRule {
    /// Its id, which may hold slashes.
    pub id: String,
    /// Its place among others for the same keys.
    #[serde(default)]
    pub index: i64,
    /// What it labels regions with.
    #[serde(default, deserialize_with = "null_is_default")]
    pub labels: Vec<RegionLabel>,
    /// How its ranges are written; `key-range` is the only way known.
    #[serde(default)]
    pub rule_type: String,
    /// Its ranges of keys.
    #[serde(default, rename = "data", deserialize_with = "ranges")]
    pub ranges: Vec<KeyRange>,
    /// Every other item under PD's name for it.
    #[serde(flatten)]
    pub rest: BTreeMap<String, Value>,
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

/// A label of regions.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct RegionLabel {
    /// Such as `schedule`.
    pub key: String,
    /// Such as `deny`.
    pub value: String,
    /// For how long it holds, as a duration of Go; empty for good.
    pub ttl: String,
    /// Since when it holds, RFC 3339.
    pub start_at: String,
}

impl RegionLabel {
    /// Whether it keeps PD from balancing and merging the region.
    #[must_use]
    pub fn denies_scheduling(&self) -> bool {
        self.key == "schedule" && self.value == "deny"
    }
}

/// Ranges of keys; data of another kind of rule is none.
fn ranges<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<KeyRange>, D::Error> {
    let data = Option::<Value>::deserialize(deserializer)?.unwrap_or_default();
    Ok(by_name::from_value(&data).unwrap_or_default())
}
