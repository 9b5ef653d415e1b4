//! Operators of one kind, and operators as objects.

use std::time::Duration;

use serde::Deserialize;

use crate::client::Client;
use crate::error::Error;
use crate::ids::{self, RegionId};
use crate::operators::Operator;
use crate::regions::RegionEpoch;
use crate::time::deserialize_duration;
use crate::transport::Call;

impl Client {
    /// The operators in flight that PD counts under one heading.
    ///
    /// `GET /operators?kind=…`, all versions. PD answers `null` when there are none.
    pub async fn operators_of_kind(&self, filter: OperatorFilter) -> Result<Vec<Operator>, Error> {
        let call = Call::list("/operators").query("kind", filter.word());
        let texts: Option<Vec<String>> = self.read(call).await?.json()?;
        let texts = texts.unwrap_or_default();
        Ok(texts.into_iter().map(Operator::parse).collect())
    }

    /// All operators in flight, as objects.
    ///
    /// `GET /operators?object=1`, 8.0 and later. Their `kind` is a number whose bits mean
    /// different things in different versions, and is left out; [`operators`](Self::operators)
    /// has the words.
    ///
    /// # Errors
    /// [`Error::Decode`] before 8.0, where PD answers with texts.
    pub async fn operator_objects(&self) -> Result<Vec<OperatorObject>, Error> {
        let call = Call::list("/operators").query("object", "1");
        let objects: Option<Vec<OperatorObject>> = self.read(call).await?.json()?;
        Ok(objects.unwrap_or_default())
    }
}

/// A heading PD counts operators under.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OperatorFilter {
    /// Asked for by people and programs.
    Admin,
    /// Moves leaders.
    Leader,
    /// Moves replicas.
    Region,
    /// Waits to be started.
    Waiting,
}

impl OperatorFilter {
    fn word(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Leader => "leader",
            Self::Region => "region",
            Self::Waiting => "waiting",
        }
    }
}

/// An operator as an object. It has no steps and no times.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct OperatorObject {
    /// What made it, such as `admin-transfer-leader`.
    pub desc: String,
    /// What it does, such as `transfer leader: store 1 to 4`.
    #[serde(default)]
    pub brief: String,
    /// The region it is for.
    #[serde(default, deserialize_with = "ids::optional")]
    pub region_id: Option<RegionId>,
    /// The region's epoch when it was made.
    #[serde(default)]
    pub region_epoch: RegionEpoch,
    /// How long it may take in all.
    #[serde(default, deserialize_with = "deserialize_duration")]
    pub timeout: Option<Duration>,
    /// PD's number for where it is in its life: 0 created, 1 started, then ended in some way.
    #[serde(default)]
    pub status: u64,
}
