//! The region that holds a key: `find_region`.

// length: what is asked and shown has 10 fields, each with its unit or source.

use action_core::{Cost, Observation, Problem};
use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cluster::Tikv;
use crate::error::Error;
use crate::facts::bounded_text::bounded_key;
use crate::facts::key_encoding::{
    decode, encode, hex, index_key, row_key, table_id, table_key, unhex,
};
use crate::observations::get_region::RegionView;
use crate::parameters::tidb::{RowHandle, TidbId};

/// Finds the region that holds a key, or where a table, an index or a row of TiDB's begins.
///
/// Give `key` and its `form`, or `table_id`, alone or with `index_id` or `row_handle`. PD shows keys in
/// hexadecimal, as TiKV keeps them: a key copied from PD, from a log or from `get_region` is `hex` and
/// `as_kept`. Transactional clients, TiDB among them, encode the keys they are given; a key of theirs,
/// such as `t` and a table id, is `as_written`. On clusters that store raw keys both are the same: give
/// `as_kept`.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FindRegion {
    /// The key. In hexadecimal, empty is the first key of all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 4096))]
    pub key: Option<String>,
    /// How the key is written here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub form: Option<KeyForm>,
    /// Which encoding the key has.
    #[serde(default)]
    pub encoding: KeyEncoding,
    /// A table of TiDB's, as `TIDB_TABLE_ID` in `information_schema.tables` has it; of a partitioned table,
    /// the id of a partition.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table_id: Option<TidbId>,
    /// An index of the table, as `INDEX_ID` in `information_schema.tidb_indexes` has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index_id: Option<TidbId>,
    /// A row of the table: its integer primary key, else its `_tidb_rowid`. Rows by a clustered key that is
    /// no integer have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub row_handle: Option<RowHandle>,
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
        let key = self.key.as_deref().unwrap_or_default();
        match self.form {
            Some(KeyForm::Text) => Some(key.as_bytes().to_vec()),
            _ => unhex(key),
        }
    }

    /// The key as TiKV keeps it.
    fn kept(&self) -> Vec<u8> {
        let id = |id: TidbId| i64::try_from(id.get()).unwrap_or(i64::MAX);
        if let Some(table) = self.table_id.map(id) {
            return encode(&match (self.index_id.map(id), self.row_handle) {
                (Some(index), _) => index_key(table, index),
                (None, Some(row)) => row_key(table, row.get()),
                (None, None) => table_key(table),
            });
        }
        let bytes = self.bytes().unwrap_or_default();
        match self.encoding {
            KeyEncoding::AsWritten if !bytes.is_empty() => encode(&bytes),
            _ => bytes,
        }
    }

    /// What does not go together.
    fn clash(&self) -> Option<Problem> {
        let wrong =
            |pointer: &str, got: &str, right: &str| Some(Problem::combination(pointer, got, right));
        let beside = "either `key` with `form`, or `table_id` with at most one of `index_id` and `row_handle`";
        match (&self.key, self.form, self.table_id) {
            (Some(_), _, Some(_)) => wrong("/key", "both `key` and `table_id`", beside),
            (None, Some(_), Some(_)) => wrong("/form", "`form` without `key`", beside),
            (None, Some(_), None) => wrong("/key", "nothing", "the key that `form` is of"),
            (None, None, None) => wrong("/key", "nothing", beside),
            (Some(_), None, None) => wrong(
                "/form",
                "nothing",
                "how the key is written: `hex` or `text`",
            ),
            (Some(_), Some(_), None) if self.index_id.is_some() || self.row_handle.is_some() => {
                wrong(
                    "/table_id",
                    "nothing",
                    "the table that the index or the row is of",
                )
            }
            (None, None, Some(_)) if self.index_id.is_some() && self.row_handle.is_some() => wrong(
                "/row_handle",
                "both `index_id` and `row_handle`",
                "one of them",
            ),
            _ => None,
        }
    }
}

#[async_trait]
impl Observation<Tikv> for FindRegion {
    const NAME: &'static str = "find_region";
    const COST: Cost = Cost::Point;
    type Output = FoundRegion;

    fn check(&self) -> Vec<Problem> {
        if let Some(clash) = self.clash() {
            return vec![clash];
        }
        if self.bytes().is_none() {
            return vec![Problem::combination(
                "/key",
                self.key.as_deref().unwrap_or_default(),
                "an even number of hexadecimal digits, as `form` says; use `text` for other keys",
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
