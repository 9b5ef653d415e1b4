//! The region that holds a key: `find_region`.

// length: what is asked and shown has 7 fields, each with its unit or source.

use action_core::{Cost, Observation, Problem};
use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cluster::Tikv;
use crate::error::Error;
use crate::facts::bounded_text::bounded_key;
use crate::facts::key_encoding::{decode, encode, hex, table_id, unhex};
use crate::observations::get_region::RegionView;

/// Finds the region that holds a key.
///
/// PD shows keys in hexadecimal, as TiKV keeps them: a key copied from PD, from a log or from
/// `get_region` is `hex` and `as_kept`. Transactional clients, TiDB among them, encode the keys
/// they are given; a key of theirs, such as `t` and a table id, is `as_written`. On clusters that
/// store raw keys both are the same: give `as_kept`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FindRegion {
    /// The key. In hexadecimal, empty is the first key of all.
    #[schemars(length(max = 4096))]
    pub key: String,
    /// How the key is written here.
    pub form: KeyForm,
    /// Whose form of the key it is.
    #[serde(default)]
    pub encoding: KeyEncoding,
}

/// How a key is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum KeyForm {
    /// Two hexadecimal digits for each byte, of either case, as PD writes keys.
    Hex,
    /// The characters of the key themselves, in UTF-8.
    Text,
}

/// Whose form of a key it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum KeyEncoding {
    /// As TiKV keeps it and PD shows it; nothing is added.
    #[default]
    AsKept,
    /// As a transactional client was given it; it is encoded before the search.
    AsWritten,
}

/// The region that holds a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct FoundRegion {
    /// The key that was searched for, as PD writes keys.
    pub key: String,
    /// The region; absent when none holds the key, which happens while one is being split or
    /// before the first heartbeats after PD's leader changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<RegionView>,
    /// The region's first key as a transactional client wrote it, in hexadecimal; absent when the
    /// region's borders are not encoded keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_key_as_written: Option<String>,
    /// The table of TiDB's that the region's first key is of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub table_id: Option<i64>,
}

impl FindRegion {
    /// The bytes given; `None` when they are not hexadecimal.
    fn bytes(&self) -> Option<Vec<u8>> {
        match self.form {
            KeyForm::Hex => unhex(&self.key),
            KeyForm::Text => Some(self.key.as_bytes().to_vec()),
        }
    }

    /// The key as TiKV keeps it.
    fn kept(&self) -> Vec<u8> {
        let bytes = self.bytes().unwrap_or_default();
        match self.encoding {
            KeyEncoding::AsWritten if !bytes.is_empty() => encode(&bytes),
            _ => bytes,
        }
    }
}

#[async_trait]
impl Observation<Tikv> for FindRegion {
    const NAME: &'static str = "find_region";
    const COST: Cost = Cost::Point;
    type Output = FoundRegion;

    fn check(&self) -> Vec<Problem> {
        if self.bytes().is_none() {
            return vec![Problem::combination(
                "/key",
                &self.key,
                "an even number of hexadecimal digits, as `form` says; `text` takes any",
            )];
        }
        Vec::new()
    }

    async fn observe(&self, tikv: &Tikv) -> Result<FoundRegion, Error> {
        let key = hex(&self.kept());
        let region = tikv.pd.region_by_key(&key).await.map_err(Error::Read)?;
        let start = region.as_ref().and_then(|region| unhex(&region.start_key));
        let written = start.and_then(|start| decode(&start));
        let view = match region {
            Some(region) => Some(RegionView::with_operator(region, tikv).await?),
            None => None,
        };
        Ok(FoundRegion {
            key: bounded_key(&key),
            region: view,
            table_id: written.as_deref().and_then(table_id),
            start_key_as_written: written.map(|key| bounded_key(&hex(&key))),
        })
    }
}
