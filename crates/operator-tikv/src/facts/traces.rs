//! What PD had in memory when a plan was made: by it, what was made since is told from what was
//! there before, without any clock.

use pd_client::members::Member;
use pd_client::operators::{Operator, OperatorReport};
use serde::{Deserialize, Serialize};

use crate::cluster::Tikv;
use crate::error::Error;
use crate::facts::pd_clock::unix_ms;
use crate::seen_process::ProcessKey;

/// What PD had in memory of a region when a plan was made.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Traces {
    /// The operator that ran there, or the last that had ended; `None` when PD knew of none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operator: Option<SeenOperator>,
    /// Who led PD, where that was read. Operators are forgotten with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pd: Option<PdProcess>,
}

/// An operator, by what tells it from others on its region.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SeenOperator {
    /// What made it.
    pub desc: String,
    /// When, by PD's clock: milliseconds after 1970 UTC.
    pub created_unix_ms: u64,
}

/// The process that leads PD.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PdProcess {
    /// The member's name.
    pub leader: String,
    /// When it was started, by its clock: milliseconds after 1970 UTC.
    pub started_unix_ms: u64,
}

/// Facts of a region that may keep what PD had in memory of it.
pub(crate) trait KeepsTraces {
    fn traces(&self) -> Option<&Traces>;
}

impl Traces {
    /// What PD showed of a region's operator.
    pub(crate) fn of(report: Option<&OperatorReport>) -> Self {
        Self {
            operator: report.and_then(|report| SeenOperator::of(&report.operator)),
            pd: None,
        }
    }

    /// The same, with who leads PD: two reads.
    pub(crate) async fn with_pd(self, tikv: &Tikv) -> Result<Self, Error> {
        let pd = PdProcess::read(tikv).await?;
        Ok(Self { pd, ..self })
    }

    /// Whether an operator was made since.
    pub(crate) fn is_new(&self, operator: &Operator) -> bool {
        let (Some(last), Some(one)) = (&self.operator, SeenOperator::of(operator)) else {
            return true;
        };
        one != *last && one.created_unix_ms >= last.created_unix_ms
    }
}

impl SeenOperator {
    fn of(operator: &Operator) -> Option<Self> {
        Some(Self {
            desc: operator.desc.clone(),
            created_unix_ms: operator.created.and_then(unix_ms)?,
        })
    }
}

impl PdProcess {
    pub(crate) fn key(&self) -> ProcessKey {
        (self.leader.clone(), self.started_unix_ms)
    }

    /// `None` when no member leads, or it does not say since when it runs.
    pub(crate) async fn read(tikv: &Tikv) -> Result<Option<Self>, Error> {
        let leader = tikv.pd.leader_only().leader().await.map_err(Error::Read)?;
        Self::led_by(tikv, leader).await
    }

    /// The same, where it is known who leads: one read.
    pub(crate) async fn led_by(tikv: &Tikv, leader: Option<Member>) -> Result<Option<Self>, Error> {
        let pd = tikv.pd.leader_only();
        let status = pd.status().await.map_err(Error::Read)?;
        Ok(leader
            .zip(status.started.and_then(unix_ms))
            .map(|(leader, started_unix_ms)| Self {
                leader: leader.name,
                started_unix_ms,
            }))
    }
}
