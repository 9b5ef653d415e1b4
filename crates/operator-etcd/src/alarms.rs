//! Alarms: what a member has raised, and until when the cluster takes no writes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::cluster::Etcd;
use crate::error::Error;
use crate::facts::Seen;
use crate::ids::MemberId;
use crate::wire::Alarm;

pub(crate) const ALARM: &str = "/v3/maintenance/alarm";

/// What an alarm is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum AlarmKind {
    /// A database has reached its quota: the cluster takes no writes.
    Nospace,
    /// Members' data differs.
    Corrupt,
}

impl AlarmKind {
    /// etcd's word.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Nospace => "NOSPACE",
            Self::Corrupt => "CORRUPT",
        }
    }
}

impl Alarm {
    pub(crate) fn is(&self, member: MemberId, kind: AlarmKind) -> bool {
        self.member_id == member.0 && self.alarm == kind.as_str()
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Alarms {
    alarms: Vec<Alarm>,
}

impl Etcd {
    /// The alarms that are on. Nobody says so without a quorum.
    pub(crate) async fn alarms(&self, seen: &Seen) -> Result<Vec<Alarm>, Error> {
        let body = json!({ "action": "GET" });
        let alarms: Alarms = self.ask_leader(seen, ALARM, &body).await?;
        Ok(alarms.alarms)
    }
}
