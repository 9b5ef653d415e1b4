//! Operators: PD's plans for single regions.
//!
//! An operator lives in the memory of the PD leader. One region has at most one; the last one
//! that ended is remembered for ten minutes, or until PD's leader changes.

use std::fmt;
use std::time::{Duration, SystemTime};

use crate::client::Client;
use crate::error::Error;
use crate::ids::RegionId;
use crate::transport::{Accepted, Call};

pub use new_operator::{NewOperator, SplitPolicy, TargetRole};

mod new_operator;
mod text;

impl Client {
    /// The operator running on a region, or else the last one that ended there. It need not be
    /// the one you asked for: compare description and creation time.
    ///
    /// `GET /operators/{region_id}`, all versions.
    pub async fn operator(&self, region_id: RegionId) -> Result<Option<OperatorReport>, Error> {
        match self
            .read(Call::point("/operators").segment(region_id))
            .await
        {
            Ok(answer) => Ok(Some(OperatorReport::parse(answer.json()?))),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// All operators in flight.
    ///
    /// `GET /operators`, all versions.
    pub async fn operators(&self) -> Result<Vec<Operator>, Error> {
        let texts: Option<Vec<String>> = self.read(Call::list("/operators")).await?.json()?;
        Ok(texts
            .unwrap_or_default()
            .into_iter()
            .map(Operator::parse)
            .collect())
    }

    /// Operators that ended since `from`, the last of each region, at most ten minutes back.
    ///
    /// `GET /operators/records?from=<unix seconds>`, 6.1 and later.
    pub async fn operator_records(&self, from: SystemTime) -> Result<Vec<OperatorRecord>, Error> {
        let from = from
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default()
            .as_secs();
        let call = Call::list("/operators/records").query("from", from.to_string());
        match self.read(call).await {
            Ok(answer) => {
                let texts: Option<Vec<String>> = answer.json()?;
                Ok(texts
                    .unwrap_or_default()
                    .into_iter()
                    .map(OperatorRecord::parse)
                    .collect())
            }
            Err(error) if error.is_not_found() => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    /// Makes PD forget a region's operator. A step that TiKV already has still happens, and PD's
    /// checkers may finish what was begun.
    ///
    /// `DELETE /operators/{region_id}`, all versions.
    ///
    /// # Errors
    /// [`Error::Pd`] that [`is_not_found`](crate::PdError::is_not_found) when there is none.
    pub async fn cancel_operator(&self, region_id: RegionId) -> Result<Accepted, Error> {
        self.write(Call::delete("/operators").segment(region_id))
            .await
    }
}

/// An operator as PD prints it. What could not be read is empty; `raw` always has the words.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Operator {
    /// What made it, such as `admin-transfer-leader` or `balance-region`.
    pub desc: String,
    /// What it does, such as `transfer leader: store 1 to 4`.
    pub brief: String,
    /// What it counts as, such as `admin` and `leader`.
    pub kinds: Vec<String>,
    /// The region it is for.
    pub region_id: Option<RegionId>,
    /// The region's epoch when it was made.
    pub epoch: Option<OperatorEpoch>,
    /// When it was made, by PD's clock.
    pub created: Option<SystemTime>,
    /// When it was started, by PD's clock; `None` before that.
    pub started: Option<SystemTime>,
    /// The step it is at, from 0; equal to the number of steps when all are done.
    pub current_step: Option<u64>,
    /// The region's size when it was made, MiB.
    pub size_mib: Option<u64>,
    /// Its steps, such as `add learner peer 31 on store 5`.
    pub steps: Vec<String>,
    /// How long it may take in all.
    pub timeout: Option<Duration>,
    /// How it ended, as far as its text says.
    pub ending: Option<OperatorEnding>,
    /// PD's text.
    pub raw: String,
}

/// A region's epoch in an operator's text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct OperatorEpoch {
    /// Grows with each split and merge.
    pub version: u64,
    /// Grows with each change of replicas.
    pub conf_ver: u64,
}

/// What PD adds to the text of an operator that ended by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OperatorEnding {
    /// All steps are done.
    Finished,
    /// Its time was over.
    TimedOut,
}

/// An operator with its status.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct OperatorReport {
    /// Where it is in its life.
    pub status: OperatorStatus,
    /// The operator.
    pub operator: Operator,
    /// PD's text, status included.
    pub raw: String,
}

/// Where an operator is in its life.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OperatorStatus {
    /// Its steps are being carried out.
    Running,
    /// All its steps are done.
    Success,
    /// Its time was over, or it was never started.
    Timeout,
    /// It was cancelled: by request, by a change of the region, or refused when it was added.
    Cancel,
    /// A more urgent operator took its place.
    Replace,
    /// A word this client does not know. PD prints a number for an operator not yet started.
    Other(String),
}

impl fmt::Display for OperatorStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Running => "RUNNING",
            Self::Success => "SUCCESS",
            Self::Timeout => "TIMEOUT",
            Self::Cancel => "CANCEL",
            Self::Replace => "REPLACE",
            Self::Other(word) => word,
        })
    }
}

/// An operator that ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct OperatorRecord {
    /// The operator.
    pub operator: Operator,
    /// When it ended, by PD's clock.
    pub finished: Option<SystemTime>,
    /// How long it took.
    pub duration: Option<Duration>,
    /// PD's text.
    pub raw: String,
}
